"""`OpDef`: the message that describes a type of operation, out of its definition here, and back for foreign types."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sessile.graph.attribute_values import from_message, public_value, to_message
from sessile.graph.data_type import as_dtype
from sessile.graph.op_definition import OPS, REQUIRED, Argument, Attribute, OpDefinition

if TYPE_CHECKING:
    from sessile.graph.operation import Operation
    from sessile.graph.proto.op_def_pb2 import OpDef


def op_def_of(op: Operation) -> OpDef:
    """The `OpDef` for the type of `op`; a type that is not known here is described by the operation itself."""
    definition = OPS.get(op.type)
    return _described_by(op) if definition is None else op_def_of_type(definition)


def op_def_of_type(definition: OpDefinition) -> OpDef:
    """A definition as an `OpDef`."""
    from sessile.graph.proto.op_def_pb2 import OpDef

    return OpDef(
        name=definition.type,
        input_arg=[_argument_message(argument) for argument in definition.input_arguments],
        output_arg=[_argument_message(argument) for argument in definition.output_arguments],
        attr=[_attribute_message(*item) for item in definition.attribute_table.items()],
        is_stateful=definition.stateful,
        is_commutative=definition.commutative,
    )


def _argument_message(argument: Argument) -> Any:
    from sessile.graph.proto.op_def_pb2 import OpDef

    message = OpDef.ArgDef(name=argument.name, is_ref=argument.is_ref)
    if argument.dtype is not None:
        message.type = argument.dtype.base_dtype.as_datatype_enum  # type: ignore[assignment]
    message.type_attr = argument.type_attribute or ""
    message.number_attr = argument.number_attribute or ""
    message.type_list_attr = argument.list_attribute or ""
    return message


def _attribute_message(name: str, attribute: Attribute) -> Any:
    from sessile.graph.proto.op_def_pb2 import OpDef

    message = OpDef.AttrDef(name=name, type=attribute.kind)
    if attribute.default is not REQUIRED and (attribute.default is not None or attribute.kind == "shape"):
        message.default_value.CopyFrom(to_message(attribute.default, attribute.kind))
    if attribute.allowed is not None:
        element = attribute.kind.removeprefix("list(").removesuffix(")")
        allowed = sorted(attribute.allowed, key=int if element == "type" else None)
        message.allowed_values.CopyFrom(to_message(allowed, f"list({element})"))
    if attribute.minimum is not None:
        message.has_minimum = True
        message.minimum = attribute.minimum
    return message


def _described_by(op: Operation) -> OpDef:
    from sessile.graph.proto.op_def_pb2 import OpDef

    def arguments(tensors: Sequence[Any], word: str) -> list[Any]:
        types = [tensor.dtype for tensor in tensors]
        return [
            OpDef.ArgDef(name=f"{word}_{k}", type=t.base_dtype.as_datatype_enum, is_ref=t._is_ref_dtype)
            for k, t in enumerate(types)
        ]

    return OpDef(name=op.type, input_arg=arguments(op.inputs, "input"), output_arg=arguments(op.outputs, "output"))


def definition_of(op_def: OpDef) -> OpDefinition:
    """The signature of a foreign type of operation: inputs, outputs and attributes, but no rules.

    Raises ValueError where the message contradicts itself.
    """
    definition = object.__new__(OpDefinition)
    definition.__dict__.update(
        type=op_def.name,
        stateful=op_def.is_stateful,
        commutative=op_def.is_commutative,
        input_arguments=tuple(_argument_of(message) for message in op_def.input_arg),
        output_arguments=tuple(_argument_of(message) for message in op_def.output_arg),
        attribute_table={message.name: _attribute_of(message) for message in op_def.attr},
    )
    return definition


def _argument_of(message: Any) -> Argument:
    try:
        dtype = as_dtype(message.type) if message.type else None
    except TypeError as error:
        raise ValueError(f"Argument '{message.name}': {error}") from None
    argument = Argument(
        message.name,
        dtype,
        message.type_attr or None,
        message.number_attr or None,
        message.type_list_attr or None,
        message.is_ref,
    )
    if dtype is None and argument.type_attribute is None and argument.list_attribute is None:
        raise ValueError(f"Argument '{message.name}' has no type")
    return argument


def _attribute_of(message: Any) -> Attribute:
    default = from_message(message.default_value, message.type) if message.HasField("default_value") else REQUIRED
    is_restricted = message.HasField("allowed_values") and not message.type.startswith("list(")
    allowed = frozenset(public_value(message.allowed_values)) if is_restricted else None
    return Attribute(message.type, default, allowed, message.minimum if message.has_minimum else None)


def without_new_defaults(attributes: Mapping[str, Any], op_def: OpDef, known: Mapping[str, Any]) -> list[str]:
    """The attributes that are not `known` here and have the value that `op_def` gives when nobody says otherwise."""
    defaults = {attr.name: attr.default_value for attr in op_def.attr if attr.HasField("default_value")}
    return [name for name, value in attributes.items() if name not in known and defaults.get(name) == value]
