"""`tf.graph_util`: GraphDefs made of GraphDefs: parts of them, and graphs whose variables have become constants."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sessile.graph.public_names import public
from sessile.graph.tensor_proto import make_tensor_proto
from sessile.graph.tensor_shape import TensorShape

if TYPE_CHECKING:
    from sessile.graph.graph import Graph
    from sessile.graph.proto.graph_pb2 import GraphDef
    from sessile.graph.proto.node_def_pb2 import NodeDef

_VARIABLE_TYPES = frozenset({"Variable", "VariableV2", "AutoReloadVariable", "VarHandleOp"})
_TRAINING_TYPES = frozenset({"CheckNumerics", "Identity"})


@public("graph_util.extract_sub_graph")
def extract_sub_graph(graph_def: GraphDef, dest_nodes: Sequence[str]) -> GraphDef:
    """The part of a graph that some of its nodes depend on.

    Args:
        graph_def: the graph.
        dest_nodes: names of nodes.

    Returns a GraphDef with these nodes and all that they depend on, in the order of `graph_def`.

    Raises TypeError for arguments of other types, AssertionError for a name that is not in the graph.
    """
    _check_graph_def(graph_def)
    if isinstance(dest_nodes, str):
        raise TypeError("dest_nodes must be a list.")
    nodes = {node.name: node for node in graph_def.node}
    for name in dest_nodes:
        if name not in nodes:
            raise AssertionError(f"{name} is not in graph")
    needed: set[str] = set()
    waiting = list(dest_nodes)
    while waiting:
        name = waiting.pop()
        if name not in needed:
            needed.add(name)
            waiting += [source for source in map(_node_name, nodes[name].input) if source in nodes]
    return _with_nodes(graph_def, [node for node in graph_def.node if node.name in needed])


@public("graph_util.convert_variables_to_constants")
def convert_variables_to_constants(
    sess: Any,
    input_graph_def: GraphDef,
    output_node_names: Sequence[str],
    variable_names_whitelist: Collection[str] | None = None,
    variable_names_blacklist: Collection[str] | None = None,
) -> GraphDef:
    """The part of a graph that some nodes depend on, with the values that a session keeps in place of variables.

    Args:
        sess: the session; its graph has the variables of `input_graph_def`, under the same names.
        input_graph_def: the graph.
        output_node_names: names of the nodes that the result is for.
        variable_names_whitelist: the names of the variables to convert, None for all.
        variable_names_blacklist: names of variables not to convert.

    Returns the GraphDef.

    Raises what `extract_sub_graph` does, and FailedPreconditionError when a variable has no value.
    """
    inference_graph = extract_sub_graph(input_graph_def, output_node_names)
    kept = set(variable_names_blacklist or ())
    variables = {
        node.name: node
        for node in inference_graph.node
        if node.op in _VARIABLE_TYPES
        and node.name not in kept
        and (variable_names_whitelist is None or node.name in variable_names_whitelist)
    }
    fetches = [f"{name}{_value_suffix(node)}" for name, node in variables.items()]
    values = dict(zip(variables, sess.run(fetches) if fetches else [], strict=True))
    nodes = [_without_variable(node, variables, values) for node in inference_graph.node]
    return _with_nodes(inference_graph, nodes)


def _value_suffix(node: NodeDef) -> str:
    return "/Read/ReadVariableOp:0" if node.op == "VarHandleOp" else ":0"


def _without_variable(node: NodeDef, variables: Mapping[str, NodeDef], values: Mapping[str, Any]) -> NodeDef:
    """The constant in place of a variable that has a value, and a plain identity in place of what reads a resource."""
    result = type(node)()
    if node.name in values:
        result.name, result.op, result.device = node.name, "Const", node.device
        result.attr["dtype"].CopyFrom(node.attr["dtype"])
        result.attr["value"].tensor.CopyFrom(make_tensor_proto(values[node.name], dtype=node.attr["dtype"].type))
        return result
    result.CopyFrom(node)
    if node.op == "ReadVariableOp" and _node_name(node.input[0]) in variables:
        result.op = "Identity"
        result.attr["T"].CopyFrom(node.attr["dtype"])
        del result.attr["dtype"]
    return result


@public("graph_util.remove_training_nodes")
def remove_training_nodes(input_graph: GraphDef, protected_nodes: Collection[str] | None = None) -> GraphDef:
    """A graph without the nodes that inference does not need: those that pass on their input, and checks of numbers.

    Args:
        input_graph: the graph.
        protected_nodes: names of nodes to keep.

    Nodes with control inputs, and nodes that others wait for, stay.
    """
    _check_graph_def(input_graph)
    waited_for = {_node_name(text) for node in input_graph.node for text in node.input if text.startswith("^")}
    kept = waited_for.union(protected_nodes or ())
    spliced = {
        node.name: node.input[0]
        for node in input_graph.node
        if node.op in _TRAINING_TYPES and node.name not in kept and len(node.input) == 1
    }
    nodes = []
    for node in input_graph.node:
        if node.name not in spliced:
            copy = type(node)()
            copy.CopyFrom(node)
            copy.input[:] = [_followed(text, spliced) for text in node.input]
            nodes.append(copy)
    return _with_nodes(input_graph, nodes)


def _followed(text: str, spliced: Mapping[str, str]) -> str:
    while not text.startswith("^") and _node_name(text) in spliced:
        text = spliced[_node_name(text)]
    return text


@public("graph_util.tensor_shape_from_node_def_name")
def tensor_shape_from_node_def_name(graph: Graph, input_name: str) -> TensorShape:
    """The static shape of the tensor that an input of a NodeDef names: "node" or "node:output"."""
    return graph.get_tensor_by_name(input_name if ":" in input_name else f"{input_name}:0").shape


def _node_name(text: str) -> str:
    """The node that an input names."""
    return text.removeprefix("^").partition(":")[0]


def _with_nodes(graph_def: GraphDef, nodes: Iterable[NodeDef]) -> GraphDef:
    result = type(graph_def)(versions=graph_def.versions, node=nodes)
    if graph_def.HasField("library"):
        result.library.CopyFrom(graph_def.library)
    return result


def _check_graph_def(graph_def: Any) -> None:
    if getattr(getattr(graph_def, "DESCRIPTOR", None), "name", None) != "GraphDef":
        raise TypeError("graph_def must be a graph_pb2.GraphDef proto.")
