"""Applies a definition: converts the arguments to tensors, works out attributes, and adds the operation to the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.graph.compat import as_bytes
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.graph import Graph, get_default_graph
from sessile.graph.op_definition import REQUIRED, Argument, Attribute, OpDefinition, output_types
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, as_shape

Attributes = dict[str, Any]


def graph_of(values: Any) -> Graph:
    """The graph of the first tensor, operation or variable in `values`, or the default graph.

    Raises ValueError when two of them belong to different graphs.
    """
    first = None
    for value in _flatten(values):
        graph = getattr(value, "graph", None)
        if not isinstance(graph, Graph):
            continue
        if first is None:
            first = value
        elif graph is not first.graph:
            raise ValueError(f"{value} must be from the same graph as {first}.")
    return get_default_graph() if first is None else first.graph


def _flatten(values: Any) -> Any:
    for value in values:
        if isinstance(value, (list, tuple)):
            yield from _flatten(value)
        else:
            yield value


def apply_definition(definition: OpDefinition, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Adds an operation of the defined type; returns its output, the list of its outputs, or the operation itself.

    Raises TypeError for arguments that the definition does not take and for types that do not fit, ValueError for shapes.
    """
    values = _bind(definition, args, kwargs)
    name = values.pop("name") or definition.type
    inputs = [values.pop(argument.name) for argument in definition.input_arguments]
    graph = graph_of(inputs)
    with graph.as_default(), graph.name_scope(name) as scope:
        attributes = _passed_attributes(definition, values)
        tensors = _convert_inputs(definition, inputs, attributes)
        op = graph.create_op(
            definition.type,
            tensors,
            output_types(definition, attributes),
            name=scope,
            attrs={name: attributes[name] for name in definition.attribute_table},
        )
    return outputs_of(definition, op)


def outputs_of(definition: OpDefinition, op: Operation) -> Any:
    """What calling a definition returns for the operation it made."""
    arguments = definition.output_arguments
    if not arguments:
        return op
    if len(arguments) == 1:
        return list(op.outputs) if arguments[0].is_list else op.outputs[0]
    return list(op.outputs)


def _bind(definition: OpDefinition, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    parameters = definition.signature.parameters
    if len(args) > len(parameters):
        raise TypeError(f"{definition.type} takes {len(parameters)} arguments, {len(args)} were given")
    values = dict(zip(parameters, args, strict=False))
    for name, value in kwargs.items():
        if name in values:
            raise TypeError(f"{definition.type} got multiple values for argument {name!r}")
        if name not in parameters:
            raise TypeError(f"{definition.type} got an unexpected keyword argument {name!r}")
        values[name] = value
    for name, parameter in parameters.items():
        if name not in values:
            if parameter.default is parameter.empty:
                raise TypeError(f"{definition.type} is missing the argument {name!r}")
            values[name] = parameter.default
    return values


def _passed_attributes(definition: OpDefinition, values: dict[str, Any]) -> Attributes:
    return {
        name: convert_attribute(definition.type, name, definition.attribute_table[name], value)
        for name, value in values.items()
    }


def convert_attribute(op_type: str, name: str, attribute: Attribute, value: Any) -> Any:
    """`value` in the form that attributes of this kind are kept in. Raises TypeError or ValueError where it cannot be."""
    if value is None and attribute.default is None:
        return None
    if attribute.kind.startswith("list("):
        if not isinstance(value, (list, tuple, TensorShape, np.ndarray)):
            raise TypeError(f"Expected list for attr {name} of op {op_type}, got {type(value).__name__}")
        converted: Any = [_convert_one(op_type, name, attribute.kind[5:-1], item) for item in value]
    else:
        converted = _convert_one(op_type, name, attribute.kind, value)
    if attribute.kind == "type" and attribute.allowed is not None:
        _check_allowed(op_type, name, attribute, converted)
    elif attribute.allowed is not None and converted not in attribute.allowed:
        shown = ", ".join(repr(_text(a)) for a in sorted(attribute.allowed))
        raise ValueError(f"Value for attr '{name}' of op {op_type}, {_text(converted)!r}, is not in the list of allowed values: {shown}")
    if attribute.kind == "int" and attribute.minimum is not None and converted < attribute.minimum:
        raise ValueError(f"Attr '{name}' of '{op_type}' Op passed {converted} less than minimum {attribute.minimum}.")
    return converted


def _text(value: Any) -> Any:
    return value.decode() if isinstance(value, bytes) else value


def _convert_one(op_type: str, name: str, kind: str, value: Any) -> Any:
    try:
        match kind:
            case "type":
                return as_dtype(value).base_dtype
            case "shape":
                return as_shape(value)
            case "int":
                if isinstance(value, float) or isinstance(value, str):
                    raise TypeError(f"got {value!r} of type {type(value).__name__}")
                return int(value)
            case "float":
                return float(value)
            case "bool":
                if not isinstance(value, (bool, np.bool_)):
                    raise TypeError(f"got {value!r} of type {type(value).__name__}")
                return bool(value)
            case "string":
                return as_bytes(value)
    except TypeError as error:
        raise TypeError(f"Expected {kind} for argument '{name}' of op {op_type}: {error}") from None
    return value


def _convert_inputs(definition: OpDefinition, inputs: list[Any], attributes: Attributes) -> list[Tensor]:
    tensors: list[Tensor] = []
    for argument, value in zip(definition.input_arguments, inputs, strict=True):
        if argument.is_list:
            tensors += _convert_list(definition, argument, value, attributes)
        else:
            tensors.append(_convert_single(definition, argument, value, attributes))
    for name, attribute in definition.attribute_table.items():
        if attribute.kind == "type" and attribute.allowed is not None and name in attributes:
            _check_allowed(definition.type, name, attribute, attributes[name])
        if name not in attributes:
            if attribute.default is REQUIRED:
                raise TypeError(f"{definition.type}: nothing determines the attribute {name!r}")
            attributes[name] = attribute.default
    return tensors


def _convert_single(definition: OpDefinition, argument: Argument, value: Any, attributes: Attributes) -> Tensor:
    wanted = argument.dtype or attributes.get(argument.type_attribute or "")
    tensor = _convert(definition, argument, value, wanted, attributes)
    if argument.is_ref and not tensor.dtype._is_ref_dtype:
        raise TypeError(
            f"'{definition.type}' Op requires that input '{argument.name}' be a mutable tensor (e.g.: a tf.Variable)"
        )
    if argument.type_attribute:
        attributes.setdefault(argument.type_attribute, tensor.dtype.base_dtype)
    return tensor


def _convert(
    definition: OpDefinition, argument: Argument, value: Any, wanted: DType | None, attributes: Attributes
) -> Tensor:
    attribute = definition.attribute_table.get(argument.type_attribute or "")
    preferred = attribute.default if attribute is not None and isinstance(attribute.default, DType) else None
    base = wanted.base_dtype if wanted is not None else None
    try:
        return internal_convert(value, base, argument.name, preferred, as_ref=argument.is_ref)
    except (TypeError, ValueError) as error:
        if isinstance(value, Tensor):
            raise _type_mismatch(definition, argument, value, base, attributes) from None
        if base is None:
            raise
        if isinstance(error, ValueError):
            raise
        raise TypeError(
            f"Expected {base.name} passed to parameter '{argument.name}' of op '{definition.type}', got {value!r} of type "
            f"'{type(value).__name__}' instead. Error: {error}"
        ) from None


def _type_mismatch(
    definition: OpDefinition, argument: Argument, value: Tensor, wanted: DType | None, attributes: Attributes
) -> TypeError:
    prefix = f"Input '{argument.name}' of '{definition.type}' Op has type {value.dtype.name} that does not match"
    others = [
        a.name for a in definition.input_arguments if a is not argument and a.type_attribute == argument.type_attribute
    ]
    name = wanted.name if wanted is not None else "the expected type"
    if argument.type_attribute and others:
        return TypeError(f"{prefix} type {name} of argument '{others[0]}'.")
    return TypeError(f"{prefix} expected type of {name}.")


def _convert_list(definition: OpDefinition, argument: Argument, values: Any, attributes: Attributes) -> list[Tensor]:
    if not isinstance(values, (list, tuple)):
        raise TypeError(
            f"Expected list for '{argument.name}' argument to '{definition.type}' Op, not {values!r}."
        )
    if argument.list_attribute:
        given = attributes.get(argument.list_attribute, [None] * len(values))
        tensors = [
            internal_convert(value, dtype, f"{argument.name}_{k}")
            for k, (value, dtype) in enumerate(zip(values, given, strict=True))
        ]
        attributes[argument.list_attribute] = [tensor.dtype.base_dtype for tensor in tensors]
        return tensors
    wanted = argument.dtype or attributes.get(argument.type_attribute or "")
    if wanted is None:
        wanted = next((v.dtype.base_dtype for v in values if isinstance(getattr(v, "dtype", None), DType)), None)
    tensors = [
        _convert(definition, _numbered(argument, k), value, wanted, attributes) for k, value in enumerate(values)
    ]
    _settle_list(definition, argument, tensors, attributes)
    return tensors


def _numbered(argument: Argument, index: int) -> Argument:
    return Argument(f"{argument.name}_{index}", argument.dtype, argument.type_attribute, None, None, argument.is_ref)


def _settle_list(definition: OpDefinition, argument: Argument, tensors: list[Tensor], attributes: Attributes) -> None:
    types = {tensor.dtype.base_dtype for tensor in tensors}
    if len(types) > 1:
        names = ", ".join(tensor.dtype.base_dtype.name for tensor in tensors)
        raise TypeError(
            f"Tensors in list passed to '{argument.name}' of '{definition.type}' Op have types [{names}] that don't all match."
        )
    if argument.type_attribute and tensors:
        attributes.setdefault(argument.type_attribute, tensors[0].dtype.base_dtype)
    number = argument.number_attribute or ""
    minimum = definition.attribute_table[number].minimum
    if attributes.setdefault(number, len(tensors)) != len(tensors):
        raise ValueError(
            f"List argument '{argument.name}' to '{definition.type}' Op with length {len(tensors)} must match "
            f"length {attributes[number]} of another argument."
        )
    if minimum is not None and len(tensors) < minimum:
        raise ValueError(
            f"List argument '{argument.name}' to '{definition.type}' Op with length {len(tensors)} shorter than minimum "
            f"length {minimum}."
        )


def _check_allowed(op_type: str, name: str, attribute: Attribute, dtype: DType) -> None:
    if attribute.allowed is not None and dtype.base_dtype not in attribute.allowed:
        allowed = ", ".join(sorted(t.name for t in attribute.allowed))
        raise TypeError(
            f"Value passed to parameter of '{op_type}' Op has DataType {dtype.name} not in list of allowed values: "
            f"{allowed} (attribute '{name}')"
        )
