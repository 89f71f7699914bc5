"""`tf.import_graph_def`: adds the nodes of a GraphDef to the default graph.

In: a GraphDef, perhaps by another program or damaged. Out: operations, all of them or, on an error, none.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sessile.graph.compat import as_text
from sessile.graph.convert import convert_to_tensor
from sessile.graph.data_type import DType
from sessile.graph.device import DeviceSpec
from sessile.graph.errors import OpError
from sessile.graph.graph import GRAPH_DEF_VERSION, Graph, GraphVersions, get_default_graph
from sessile.graph.import_nodes import (
    ImportedNode,
    Source,
    expected_inputs,
    expected_outputs,
    guessed_type,
    in_order,
    read_attributes,
    read_nodes,
    source_of,
)
from sessile.graph.name_scope import name_scope
from sessile.graph.op_def import definition_of, without_new_defaults
from sessile.graph.op_definition import OPS, OpDefinition, infer_shapes
from sessile.graph.operation import Operation
from sessile.graph.public_names import public
from sessile.graph.source_lines import capture_user_frames
from sessile.graph.tensor import Tensor

if TYPE_CHECKING:
    from sessile.graph.proto.graph_pb2 import GraphDef

_CONTROL = -1
_MOST_UNKNOWN_OUTPUTS = 1024
_FIRST_WITH_RIGHT_SHAPES = 21  # earlier producers wrote `_output_shapes` of another number of outputs


@public("import_graph_def", "graph_util.import_graph_def")
def import_graph_def(
    graph_def: Any,
    input_map: Mapping[str, Any] | None = None,
    return_elements: Sequence[str] | None = None,
    name: str | None = None,
    op_dict: Any = None,
    producer_op_list: Any = None,
) -> list[Any] | None:
    """Adds the nodes of a GraphDef to the default graph.

    Operations of types that are not known here are kept, with their attributes; running one is an
    UnimplementedError. Names that are taken get a number, and static shapes are inferred anew.

    Args:
        graph_def: a `GraphDef` message.
        input_map: tensors to use in place of the GraphDef's own: "node:output", "node", or "^node" for a control
            input -> a tensor, or a value that becomes a constant.
        return_elements: names in the GraphDef: of operations ("node") and tensors ("node:output").
        name: a scope put before all names; "import" by default, "" for none.
        op_dict: accepted, without effect.
        producer_op_list: an `OpList` of the program that made the GraphDef; attributes that are new there, and have
            their default values, are left out.

    Returns the list of operations and tensors for `return_elements`, None without.

    Raises TypeError for arguments of other types, ValueError for a GraphDef that contradicts itself or these
    arguments, RuntimeError when the graph is finalized. The graph is then as it was before.
    """
    message = _checked_message(graph_def, producer_op_list is not None)
    mapped = _checked_map(input_map)
    wanted = None if return_elements is None else _checked_names(return_elements)
    graph = get_default_graph()
    graph._check_not_finalized()
    for value in mapped.values():
        if isinstance(value, Tensor) and value.graph is not graph:
            raise ValueError(f"{value} in `input_map` must be from the default graph, into which nodes are imported.")
    with graph._all_or_nothing(), name_scope(name, "import", list(mapped.values())) as scope:
        tensors = {key: _as_tensor(value, name) for key, value in mapped.items()}
        given = {_source_of_key(key): tensor for key, tensor in tensors.items()}
        importer = _Importer(graph, message, scope, given, [source_of(text) for text in wanted or ()])
        importer.read(producer_op_list)
        importer.make_operations()
        importer.connect()
        importer.infer()
        elements = None if wanted is None else [importer.element(text) for text in wanted]
        importer.check_map_is_used(tensors)
        importer.place()
        importer.commit()
    return elements


class _Importer:
    """The nodes of one GraphDef on their way into a graph, which changes in `commit` only."""

    def __init__(
        self, graph: Graph, message: GraphDef, scope: str, given: Mapping[Source, Tensor], wanted: Sequence[Source]
    ) -> None:
        self.graph = graph
        self.message = message
        self.scope = scope
        self.given = given
        self.wanted = wanted
        self.used: set[Source] = set()
        self.nodes: dict[str, ImportedNode] = {}
        self.order: list[ImportedNode] = []
        self.expected: dict[ImportedNode, list[tuple[DType, bool]] | None] = {}
        self.ops: dict[str, Operation] = {}

    # --- reading

    def read(self, producer_op_list: Any) -> None:
        """Checks all nodes, and orders them."""
        _check_versions(self.message.versions)
        self.nodes = read_nodes(self.message.node)
        self.order = in_order(self.nodes, self._is_given)
        foreign = _foreign_definitions(self.message, producer_op_list)
        for node in self.order:
            _forget_new_defaults(node, producer_op_list)
            read_attributes(node, OPS.get(node.message.op) or foreign.get(node.message.op))
            self.expected[node] = expected_inputs(node)

    def _is_given(self, name: str, output: int) -> bool:
        if (name, output) not in self.given:
            return False
        self.used.add((name, output))
        return True

    # --- making

    def make_operations(self) -> None:
        """Makes the operations, with outputs but without inputs, outside the graph."""
        new_names = _new_names(self.graph, self.scope, self.nodes)
        guessed = self._outputs_of_unknown()
        frames = capture_user_frames()
        for node in self.order:
            self._rename_colocation(node, new_names)
            types = guessed.get(node.name) if node.definition is None else expected_outputs(node)
            self.ops[node.name] = Operation(
                self.graph, new_names[node.name], node.message.op, (), (), node.attributes, types or [], frames
            )

    def _outputs_of_unknown(self) -> dict[str, list[DType]]:
        """The outputs of nodes of unknown types: as many as are used, of the types that those who use them expect."""
        found: dict[str, dict[int, DType | None]] = {n.name: {0: None} for n in self.order if n.definition is None}
        for node in self.order:
            expected = self.expected[node]
            for place, (name, output) in enumerate(node.inputs):
                if name in found and not self._is_given(name, output):
                    self._note_output(found[name], node, output, expected[place] if expected else None)
            for output, _ in enumerate(node.output_shapes or () if node.name in found else ()):
                self._note_output(found[node.name], node, output, None)
        for name, output in self.wanted:
            if name in found:
                self._note_output(found[name], self.nodes[name], output, None)
        return {
            name: [types.get(k) or guessed_type(self.nodes[name]) for k in range(max(types) + 1)]
            for name, types in found.items()
        }

    def _note_output(
        self, types: dict[int, DType | None], node: ImportedNode, output: int, expected: tuple[DType, bool] | None
    ) -> None:
        if output >= _MOST_UNKNOWN_OUTPUTS:
            node.fail(f"output {output} of an operation of unknown type")
        if types.setdefault(output, None) is None and expected is not None:
            types[output] = expected[0]._as_ref if expected[1] else expected[0]

    def _rename_colocation(self, node: ImportedNode, new_names: Mapping[str, str]) -> None:
        groups = node.attributes.get("_class")
        if groups is None:
            return
        for place, group in enumerate(groups):
            if not group.startswith(b"loc:@"):
                continue
            other = group[5:].decode(errors="replace")
            if other not in self.nodes:
                raise ValueError(f"Node '{node.name}' expects to be colocated with unknown node '{other}'")
            groups[place] = f"loc:@{new_names[other]}".encode()

    # --- joining

    def connect(self) -> None:
        """Gives each operation its inputs. Raises ValueError where an output does not exist or has another type."""
        for node in self.order:
            op = self.ops[node.name]
            op._inputs = [self._tensor(node, name, output) for name, output in node.inputs]
            op._control_inputs = list(dict.fromkeys(self._control_input(name) for name in node.control_inputs))
            expected = self.expected[node]
            for place, tensor in enumerate(op._inputs if expected is not None else ()):
                _check_type(op, place, tensor, *expected[place])  # type: ignore[index]

    def _tensor(self, node: ImportedNode, name: str, output: int) -> Tensor:
        if (name, output) in self.given:
            return self.given[name, output]
        outputs = self.ops[name].outputs
        if output >= len(outputs):
            node.fail(f"Connecting to invalid output {output} of source node {name} which has {len(outputs)} outputs.")
        return outputs[output]

    def _control_input(self, name: str) -> Operation:
        given = self.given.get((name, _CONTROL))
        return self.ops[name] if given is None else given.op

    def infer(self) -> None:
        """Infers the static shapes, and merges those that the GraphDef tells."""
        for node in self.order:
            op = self.ops[node.name]
            try:
                infer_shapes(op)
            except (ValueError, OpError):
                raise
            except Exception as error:  # the rule of a definition, on attributes that no caller could have passed
                node.fail(f"{type(error).__name__} while inferring shapes: {error}")
            self._merge_shapes(node, op)

    def _merge_shapes(self, node: ImportedNode, op: Operation) -> None:
        shapes = node.output_shapes
        if shapes is None:
            return
        if len(shapes) != len(op.outputs) and self.message.versions.producer >= _FIRST_WITH_RIGHT_SHAPES:
            node.fail(f"has {len(op.outputs)} outputs but its _output_shapes are those of {len(shapes)}")
        for tensor, shape in zip(op.outputs, shapes, strict=False):
            try:
                tensor.set_shape(shape)
            except ValueError as error:
                node.fail(f"_output_shapes is inconsistent with the GraphDef for {tensor.name}: {error}")

    # --- results

    def element(self, text: str) -> Any:
        """The operation or tensor that a name among `return_elements` stands for."""
        name, output = source_of(text)
        if ":" not in text:
            if text not in self.nodes:
                raise ValueError(f"Requested return node '{text}' not found in graph def")
            return self.ops[text]
        if (name, output) in self.given:
            return self.given[name, output]
        if name not in self.nodes:
            raise ValueError(f"Requested return tensor '{text}' not found in graph def")
        outputs = self.ops[name].outputs
        if output >= len(outputs):
            raise ValueError(f"Invalid return output {output} of node '{name}', which has {len(outputs)} output(s)")
        return outputs[output]

    def check_map_is_used(self, tensors: Mapping[str, Tensor]) -> None:
        """Raises ValueError for keys of `input_map` that name nothing in the GraphDef."""
        unknown = []
        for key in tensors:
            name, output = _source_of_key(key)
            op = self.ops.get(name)
            if (name, output) not in self.used and (op is None or output >= len(op.outputs)):
                unknown.append(key)
        if unknown:
            raise ValueError(f"Attempted to map inputs that were not found in graph_def: [{', '.join(unknown)}]")

    def place(self) -> None:
        """Gives the operations their devices: what the GraphDef and the blocks around ask for, or that of a group."""
        by_name = {op.name: op for op in self.ops.values()}
        groups = {op: [g for g in op._attributes.get("_class", ()) if g[:5] == b"loc:@"] for op in by_name.values()}
        for node in self.order:
            op = self.ops[node.name]
            if not groups[op]:
                op._set_device(_device_of(node))
                self.graph._scopes.apply_devices(op)
        for op, names in groups.items():
            if names:
                others = (by_name[name[5:].decode()] for name in names)
                op._set_device(next((other.device for other in others if other.device), ""))

    def commit(self) -> None:
        """Adds the operations to the graph."""
        graph = self.graph
        graph._library = _merged_library(graph._library, self.message.library)
        graph._versions = _merged_versions(graph._versions, self.message.versions)
        waits_for = graph._scopes.control_inputs(())
        for node in self.order:
            op = self.ops[node.name]
            op._control_inputs += [other for other in waits_for if other not in op._control_inputs]
            graph._names_in_use.setdefault(op.name.lower(), 1)
            graph._add(op)


# --- arguments


def _checked_message(graph_def: Any, is_to_change: bool) -> GraphDef:
    from sessile.graph.proto.graph_pb2 import GraphDef

    if isinstance(graph_def, GraphDef):
        return copy.deepcopy(graph_def) if is_to_change else graph_def
    if getattr(getattr(graph_def, "DESCRIPTOR", None), "name", None) == "GraphDef":  # another library's message
        return GraphDef.FromString(graph_def.SerializeToString())
    raise TypeError(f"graph_def must be a GraphDef proto, not {type(graph_def).__name__}.")


def _checked_map(input_map: Any) -> Mapping[str, Any]:
    if input_map is None:
        return {}
    if not isinstance(input_map, dict) or not all(isinstance(key, (str, bytes)) for key in input_map):
        raise TypeError("input_map must be a dictionary mapping strings to Tensor objects.")
    return {as_text(key): value for key, value in input_map.items()}


def _checked_names(return_elements: Any) -> list[str]:
    given = [return_elements] if isinstance(return_elements, (str, bytes)) else list(return_elements)
    if not all(isinstance(name, (str, bytes)) for name in given):
        raise TypeError("return_elements must be a list of strings.")
    names = [as_text(name) for name in given]
    for name in names:
        _check_tensor_name(name)
    return names


def _check_tensor_name(name: str) -> None:
    _, colon, index = name.partition(":")
    if colon and not index.isdecimal():
        raise ValueError(f"Cannot convert {name!r} to a tensor name.")


def _source_of_key(key: str) -> Source:
    if key.startswith("^"):
        return key[1:], _CONTROL
    _check_tensor_name(key)
    return source_of(key)


def _as_tensor(value: Any, name: str | None) -> Tensor:
    if isinstance(value, Tensor):
        return value
    if name == "":
        raise ValueError(
            "tf.import_graph_def() requires a non-empty `name` if `input_map` contains non-Tensor values. Try calling "
            "tf.convert_to_tensor() on `input_map` values before calling tf.import_graph_def()."
        )
    with name_scope("_inputs"):
        return convert_to_tensor(value)


# --- details


def _check_versions(versions: Any) -> None:
    if versions.producer < 0:
        raise ValueError(f"GraphDef producer version {versions.producer} below min producer 0: regenerate the graph.")
    if versions.min_consumer > GRAPH_DEF_VERSION:
        raise ValueError(
            f"GraphDef min consumer version {versions.min_consumer} above current version {GRAPH_DEF_VERSION}: the "
            f"graph asks for a later version than this."
        )
    if GRAPH_DEF_VERSION in versions.bad_consumers:
        raise ValueError(f"GraphDef disallows consumer version {GRAPH_DEF_VERSION}.")


def _merged_versions(mine: GraphVersions, imported: Any) -> GraphVersions:
    """The versions of a graph made by two programs: as old as the older, readable by whoever can read both."""
    return GraphVersions(
        min(mine.producer, imported.producer),
        max(mine.min_consumer, imported.min_consumer),
        tuple(sorted({*mine.bad_consumers, *imported.bad_consumers})),
    )


def _merged_library(mine: Any, imported: Any) -> Any:
    """The functions of both. Raises ValueError when two of one name differ."""
    if mine is None or not imported.ByteSize():
        return copy.deepcopy(imported) if imported.ByteSize() else mine
    merged = copy.deepcopy(mine)
    known = {function.signature.name: function for function in mine.function}
    for function in imported.function:
        name = function.signature.name
        if name not in known:
            merged.function.append(function)
        elif known[name] != function:
            raise ValueError(f"Cannot add function '{name}': a different function with the same name already exists")
    merged.gradient.extend(gradient for gradient in imported.gradient if gradient not in mine.gradient)
    return merged


def _foreign_definitions(message: GraphDef, producer_op_list: Any) -> dict[str, OpDefinition]:
    """The signatures of types that are not known here, from the GraphDef's functions and the producer's list."""
    op_defs = [function.signature for function in message.library.function]
    op_defs += [] if producer_op_list is None else list(producer_op_list.op)
    return {op_def.name: definition_of(op_def) for op_def in op_defs if op_def.name not in OPS}


def _forget_new_defaults(node: ImportedNode, producer_op_list: Any) -> None:
    definition = OPS.get(node.message.op)
    if producer_op_list is None or definition is None:
        return
    for op_def in producer_op_list.op:
        if op_def.name == node.message.op:
            for name in without_new_defaults(node.message.attr, op_def, definition.attribute_table):
                node.message.attr.pop(name)


def _new_names(graph: Graph, scope: str, nodes: Mapping[str, ImportedNode]) -> dict[str, str]:
    """The name of each node in the graph: below the scope, with a number where the graph has that name already."""
    taken = {name for name in graph._operations if name.startswith(scope)}
    taken |= {name[:k] for name in taken for k, letter in enumerate(name) if letter == "/" and k > len(scope)}
    planned = {f"{scope}{name}" for name in nodes}
    new_names = {}
    for name in nodes:
        new_name, count = f"{scope}{name}", 0
        while new_name in taken or (count and new_name in planned):
            count += 1
            new_name = f"{scope}{name}_{count}"
        if count:
            planned.add(new_name)
        new_names[name] = new_name
    return new_names


def _device_of(node: ImportedNode) -> DeviceSpec:
    try:
        return DeviceSpec.from_string(node.message.device)
    except ValueError as error:
        node.fail(error)


def _check_type(op: Operation, place: int, tensor: Tensor, dtype: DType, is_ref: bool) -> None:
    if tensor.dtype.base_dtype is dtype and (tensor.dtype._is_ref_dtype or not is_ref):
        return
    wanted = dtype._as_ref if is_ref else dtype
    raise ValueError(
        f"Input {place} of node {op.name} was passed {tensor.dtype.name} from {tensor.name} incompatible with "
        f"expected {wanted.name}."
    )
