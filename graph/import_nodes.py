"""Reads the nodes of a GraphDef: names, inputs and attributes, each checked before any operation is made of them.

In: `NodeDef` messages from anywhere, perhaps damaged. Out: `ImportedNode`s, or a ValueError that names the node.
"""

from __future__ import annotations

import copy
import heapq
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NoReturn

from sessile.graph import dtypes
from sessile.graph.apply import convert_attribute
from sessile.graph.attribute_values import from_message
from sessile.graph.data_type import DType
from sessile.graph.graph_scopes import ROOT_NAME
from sessile.graph.op_definition import OPS, REQUIRED, Argument, Attribute, OpDefinition, argument_length
from sessile.graph.tensor_shape import TensorShape

if TYPE_CHECKING:
    from sessile.graph.proto.node_def_pb2 import NodeDef

Source = tuple[str, int]  # the output of a node that an input takes

_MOST_TENSORS = 2**20  # of one operation: a damaged length must not fill the memory
_HINTS = frozenset({"grad_a", "grad_b", "grad_x", "grad_y"})  # of later versions; they change no result
_LOOP_ENDS = {"Merge": "NextIteration", "RefMerge": "RefNextIteration"}


@dataclass(slots=True, eq=False)
class ImportedNode:
    """A node as it will be: definition (None for a type that is not known), attributes, and where inputs come from."""

    message: NodeDef
    position: int
    inputs: list[Source]
    control_inputs: list[str]
    definition: OpDefinition | None = None
    attributes: dict[str, Any] = field(default_factory=dict)
    output_shapes: list[TensorShape] | None = None

    @property
    def name(self) -> str:
        """The name in the GraphDef, which is not yet that in the graph."""
        return self.message.name

    def fail(self, problem: object) -> NoReturn:
        """Raises ValueError for this node."""
        raise ValueError(f"Node '{self.name}': {problem}")


def read_nodes(messages: Iterable[NodeDef]) -> dict[str, ImportedNode]:
    """The nodes by name, with their inputs taken apart. Raises ValueError for names and inputs that cannot be."""
    nodes: dict[str, ImportedNode] = {}
    for position, message in enumerate(messages):
        node = ImportedNode(message, position, [], [])
        if not ROOT_NAME.fullmatch(message.name):
            node.fail("Node name contains invalid characters")
        if not message.op:
            node.fail("it does not specify an operation")
        if message.name in nodes:
            node.fail("the name is not unique in the GraphDef")
        _read_inputs(node)
        nodes[message.name] = node
    return nodes


def _read_inputs(node: ImportedNode) -> None:
    for text in node.message.input:
        if text.startswith("^"):
            node.control_inputs.append(text[1:])
        elif node.control_inputs:
            node.fail("Control dependencies must come after regular dependencies")
        else:
            node.inputs.append(source_of(text))


def source_of(text: str) -> Source:
    """The node and the output that "node:output" or "node" means."""
    name, colon, index = text.rpartition(":")
    return (name, int(index)) if colon and index.isdecimal() and len(index) < 10 else (text, 0)


def read_attributes(node: ImportedNode, definition: OpDefinition | None) -> None:
    """Gives the node its definition and its attributes, with the definition's defaults for those that are missing.

    Attributes that the definition does not name are kept as they are when they begin with "_" or switch nothing on.
    Raises ValueError for missing and wrong ones.
    """
    node.definition = definition
    table = {} if definition is None else definition.attribute_table
    for name, attribute in table.items():
        value = _given_or_default(node, name, attribute)
        try:
            node.attributes[name] = convert_attribute(node.message.op, name, attribute, value)
        except (TypeError, ValueError, OverflowError) as error:
            node.fail(f"attr '{name}': {error}")
    for name, message in node.message.attr.items():
        if name not in table:
            _keep_attribute(node, name, message)


def _given_or_default(node: ImportedNode, name: str, attribute: Attribute) -> Any:
    if name in node.message.attr:
        return _value_of(node, name, attribute.kind)
    if attribute.default is REQUIRED:
        node.fail(f"NodeDef missing attr '{name}' from Op {node.message.op}")
    return attribute.default


def _value_of(node: ImportedNode, name: str, kind: str) -> Any:
    try:
        return from_message(node.message.attr[name], kind)
    except ValueError as error:
        node.fail(f"attr '{name}': {error}")


def _keep_attribute(node: ImportedNode, name: str, message: Any) -> None:
    if name == "_output_shapes":
        node.output_shapes = _value_of(node, name, "list(shape)")
    elif name == "_class":
        node.attributes[name] = _value_of(node, name, "list(string)")
    elif name == "_gradient_op_type":
        node.attributes[name] = _value_of(node, name, "string")
    elif node.message.op in OPS and not (name.startswith("_") or name in _HINTS or _is_off(message)):
        node.fail(f"NodeDef mentions attr '{name}' not in Op {node.message.op}, and what it asks for is not known here")
    else:
        node.attributes[name] = copy.deepcopy(message)


def _is_off(message: Any) -> bool:
    """Whether an attribute has a value that stands for nothing: false, zero, an empty string or list."""
    held = message.WhichOneof("value")
    if held in ("s", "i", "f", "b"):
        return not getattr(message, held)
    return held == "list" and not message.list.ListFields()


def guessed_type(node: ImportedNode) -> DType:
    """The type of the outputs of a node of an unknown type: that of its one type attribute, otherwise `variant`."""
    types = [_value_of(node, name, "type") for name, m in node.message.attr.items() if m.WhichOneof("value") == "type"]
    return types[0] if len(types) == 1 else dtypes.variant


def expected_inputs(node: ImportedNode) -> list[tuple[DType, bool]] | None:
    """The types of the inputs that the node's attributes ask for, and whether each must be a variable's reference.

    None for nodes of unknown types. Raises ValueError when their number is not that of the inputs.
    """
    if node.definition is None:
        return None
    groups = _types_of(node, node.definition.input_arguments)
    if sum(count for _, _, count in groups) != len(node.inputs):
        words = ", ".join(dtype.name for dtype, _, count in groups for _ in range(min(count, 8)))
        node.fail(f"NodeDef expected inputs '{words}' do not match {len(node.inputs)} inputs specified")
    return [(dtype, is_ref) for dtype, is_ref, count in groups for _ in range(count)]


def expected_outputs(node: ImportedNode) -> list[DType]:
    """The types of the outputs that the node's definition and attributes give. Raises ValueError for too many."""
    if node.definition is None:
        return []
    groups = _types_of(node, node.definition.output_arguments)
    if sum(count for _, _, count in groups) > _MOST_TENSORS:
        node.fail("too many outputs")
    return [dtype._as_ref if is_ref else dtype for dtype, is_ref, count in groups for _ in range(count)]


def _types_of(node: ImportedNode, arguments: Sequence[Argument]) -> list[tuple[DType, bool, int]]:
    groups: list[tuple[DType, bool, int]] = []
    for argument in arguments:
        if argument.list_attribute:
            groups += [(dtype, False, 1) for dtype in _attribute(node, argument.list_attribute)]
            continue
        count = argument_length(argument, node.attributes) if argument.number_attribute else 1
        if count < 0:
            node.fail(f"attr '{argument.number_attribute}' is negative")
        dtype = argument.dtype or _attribute(node, argument.type_attribute or "")
        groups.append((dtype.base_dtype, argument.is_ref, count))
    return groups


def _attribute(node: ImportedNode, name: str) -> Any:
    value = node.attributes.get(name)
    if value is None:
        node.fail(f"NodeDef missing attr '{name}' from Op {node.message.op}")
    return value


def in_order(nodes: Mapping[str, ImportedNode], is_given: Any) -> list[ImportedNode]:
    """The nodes, each after those that it depends on, otherwise in their own order.

    What closes a loop (NextIteration into Merge) does not count. `is_given(name, output)` says whether an input comes
    from elsewhere (output -1: a control input). Raises ValueError for unknown inputs and cycles.
    """
    missing: dict[str, int] = {}
    users: dict[str, list[ImportedNode]] = {}
    for node in nodes.values():
        before = {name for name in _names_before(node, nodes, is_given) if not _closes_loop(nodes[name], node)}
        missing[node.name] = len(before)
        for name in before:
            users.setdefault(name, []).append(node)
    ready = [node.position for node in nodes.values() if not missing[node.name]]
    by_position = list(nodes.values())
    order: list[ImportedNode] = []
    while ready:
        node = by_position[heapq.heappop(ready)]
        order.append(node)
        for user in users.get(node.name, ()):
            missing[user.name] -= 1
            if not missing[user.name]:
                heapq.heappush(ready, user.position)
    if len(order) < len(nodes):
        stuck = [name for name, count in missing.items() if count]
        shown = ", ".join(repr(name) for name in stuck[:5])
        raise ValueError(f"{len(stuck)} nodes are in a cycle or depend on one: {shown}{' ...' * (len(stuck) > 5)}")
    return order


def _names_before(node: ImportedNode, nodes: Mapping[str, ImportedNode], is_given: Any) -> Iterable[str]:
    for name, output in (*node.inputs, *((name, -1) for name in node.control_inputs)):
        if is_given(name, output):
            continue
        if name not in nodes:
            node.fail(f"Unknown input node '{'^' * (output < 0)}{name}'")
        yield name


def _closes_loop(source: ImportedNode, node: ImportedNode) -> bool:
    return _LOOP_ENDS.get(node.message.op) == source.message.op
