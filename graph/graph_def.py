"""Graphs and operations as `GraphDef` and `NodeDef` messages; values become messages here and nowhere earlier."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessile.graph.attribute_values import from_message, public_value, to_message
from sessile.graph.op_definition import OPS

if TYPE_CHECKING:
    from sessile.graph.graph import Graph
    from sessile.graph.operation import Operation
    from sessile.graph.proto.attr_value_pb2 import AttrValue
    from sessile.graph.proto.graph_pb2 import GraphDef
    from sessile.graph.proto.node_def_pb2 import NodeDef

_LARGEST_MESSAGE = 2**31


def node_def_of(op: Operation) -> NodeDef:
    """An operation as a message: data inputs in order, then control inputs in the order in which they were added.

    Raises ValueError for a constant of 2 GB or more.
    """
    return _node_def(op, [control._name for control in op._control_inputs])


def graph_def_of(graph: Graph, from_version: int | None, add_shapes: bool) -> GraphDef:
    """The graph as a message; see `Graph.as_graph_def`. Control inputs are sorted by name, as TensorFlow writes them.

    Raises ValueError when it takes 2 GB or more.
    """
    from sessile.graph.proto.graph_pb2 import GraphDef

    message = GraphDef(versions=graph.graph_def_versions)
    with graph._lock:
        start = 0 if from_version is None else from_version
        size = 0
        for op in graph._operations.values():
            if op._id <= start:
                continue
            node = _node_def(op, sorted(control._name for control in op._control_inputs))
            if add_shapes and op._outputs:
                shapes = [tensor._shape for tensor in op._outputs]
                node.attr["_output_shapes"].CopyFrom(to_message(shapes, "list(shape)"))
            size += node.ByteSize()
            if size >= _LARGEST_MESSAGE:
                raise ValueError("GraphDef cannot be larger than 2GB.")
            message.node.append(node)
        if graph._library is not None:
            message.library.CopyFrom(graph._library)
    return message


def _node_def(op: Operation, control_names: list[str]) -> NodeDef:
    from sessile.graph.proto.node_def_pb2 import NodeDef

    inputs = [tensor._as_node_def_input() for tensor in op._inputs]
    inputs += [f"^{name}" for name in control_names]
    return NodeDef(name=op._name, op=op._type, input=inputs, device=op._device, attr=_attribute_messages(op))


def _attribute_messages(op: Operation) -> dict[str, AttrValue]:
    messages = {name: attribute_message(op, name) for name in op._attributes}
    return {name: message for name, message in messages.items() if message is not None}


def attribute_message(op: Operation, name: str) -> AttrValue | None:
    """An attribute of an operation as a message; None for one that is left open. Raises KeyError for unknown names."""
    value = op._attributes[name]
    definition = OPS.get(op._type)
    attribute = None if definition is None else definition.attribute_table.get(name)
    if attribute is None:
        return to_message(value)
    if value is None and attribute.kind != "shape":
        return None
    if type(value).__name__ == "AttrValue":
        return value  # type: ignore[no-any-return]
    return to_message(value, attribute.kind)


def public_attribute(op: Operation, name: str) -> Any:
    """An attribute as `Operation.get_attr` gives it. Raises ValueError when there is none of that name."""
    message = attribute_message(op, name) if name in op._attributes else None
    if message is None:
        raise ValueError(f"Operation '{op.name}' has no attr named '{name}'.")
    return public_value(message)


def attribute_from(op_type: str, name: str, value: Any) -> Any:
    """The form in which an operation keeps an attribute that is given as a Python value or as a message.

    Raises ValueError for a message that holds a value of another kind.
    """
    definition = OPS.get(op_type)
    attribute = None if definition is None else definition.attribute_table.get(name)
    if type(value).__name__ != "AttrValue":
        return value
    if attribute is not None:
        return from_message(value, attribute.kind)
    return from_message(value, "list(string)") if name == "_class" else value
