"""Applies a definition: converts arguments to tensors, works out attributes, adds the operation to the graph."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.graph.compat import as_bytes, as_text
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.graph import Graph, get_default_graph
from sessile.graph.op_definition import OPS, REQUIRED, Argument, Attribute, OpDefinition, output_types
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, as_shape

Attributes = dict[str, Any]


def graph_of(values: Any) -> Graph:
    """The graph of the first tensor, operation or variable in `values`, or the default graph.

    Raises ValueError when two of them belong to different graphs.
    """
    first: Any = None
    found: Graph | None = None
    pending = list(values)
    while pending:
        value = pending.pop(0)
        if isinstance(value, Tensor):
            graph = value._op._graph
        elif isinstance(value, (list, tuple)):
            pending[:0] = value
            continue
        else:
            own = getattr(value, "graph", None)
            if not isinstance(own, Graph):
                continue
            graph = own
        if found is None:
            first, found = value, graph
        elif graph is not found:
            raise ValueError(f"{value} must be from the same graph as {first}.")
    return get_default_graph() if found is None else found


def apply_definition(definition: OpDefinition, args: Sequence[Any], kwargs: dict[str, Any]) -> Any:
    """Adds an operation of the defined type; returns its output, its outputs by name, or the operation itself.

    Raises TypeError for arguments that the definition does not take and types that do not fit, ValueError for shapes.
    """
    values = _bind(definition, args, kwargs)
    name = as_text(values.pop("name") or definition.type)
    inputs = [values.pop(argument.name) for argument in definition.input_arguments]
    graph = graph_of(inputs)
    if graph is get_default_graph():
        return _add(definition, graph, name, inputs, values)
    with graph.as_default():
        return _add(definition, graph, name, inputs, values)


def _add(definition: OpDefinition, graph: Graph, name: str, inputs: list[Any], passed: dict[str, Any]) -> Any:
    with graph.name_scope(name) as scope:
        attributes = {
            key: convert_attribute(definition.type, key, definition.attribute_table[key], value)
            for key, value in passed.items()
        }
        tensors = _convert_inputs(definition, inputs, attributes)
        op = graph.create_op(
            definition.type,
            tensors,
            output_types(definition, attributes),
            name=scope,
            attrs={key: attributes[key] for key in definition.attribute_table},
            colocate_with=_referred(definition, tensors) if definition.has_references else (),
        )
    return outputs_of(definition, op)


def _referred(definition: OpDefinition, tensors: list[Tensor]) -> list[Operation]:
    """What an operation that takes references to variables must be placed with."""
    return [t.op for argument, t in zip(definition.input_arguments, tensors, strict=False) if argument.is_ref]


def outputs_of(definition: OpDefinition, op: Operation) -> Any:
    """What calling a definition returns for the operation it made."""
    arguments = definition.output_arguments
    if not arguments:
        return op
    if len(arguments) > 1:
        return definition.result_type(*definition.grouped(op.outputs, op, arguments))
    return list(op.outputs) if arguments[0].is_list else op.outputs[0]


def _bind(definition: OpDefinition, args: Sequence[Any], kwargs: dict[str, Any]) -> dict[str, Any]:
    """The arguments by name. Raises TypeError for those that are too many, unknown, given twice, or missing."""
    defaults = definition.parameter_defaults
    if len(args) > len(defaults):
        raise TypeError(f"{definition.type} takes {len(defaults)} arguments, {len(args)} were given")
    values = dict(zip(defaults, args, strict=False))
    for name, value in kwargs.items():
        if name in values:
            raise TypeError(f"{definition.type} got multiple values for argument {name!r}")
        if name not in defaults:
            raise TypeError(f"{definition.type} got an unexpected keyword argument {name!r}")
        values[name] = value
    if len(values) < len(defaults):
        for name, default in defaults.items():
            if name not in values:
                if default is REQUIRED:
                    raise TypeError(f"{definition.type} is missing the argument {name!r}")
                values[name] = default
    return values


def convert_attribute(op_type: str, name: str, attribute: Attribute, value: Any) -> Any:
    """`value` in the form that an attribute is kept in. Raises TypeError or ValueError where it cannot be."""
    if value is None and attribute.default is None:
        return None
    if value is attribute.default and isinstance(value, (bool, int, float)):
        return value
    if attribute.kind.startswith("list("):
        if not isinstance(value, (list, tuple, TensorShape, np.ndarray)):
            raise TypeError(f"Expected list for attr {name} of op {op_type}, got {type(value).__name__}")
        return [_convert_one(op_type, name, attribute.kind[5:-1], item) for item in value]
    converted = _convert_one(op_type, name, attribute.kind, value)
    if attribute.kind == "type":
        _check_allowed(op_type, name, attribute, converted)
    elif attribute.allowed is not None and converted not in attribute.allowed:
        allowed = '", "'.join(_text(value) for value in sorted(attribute.allowed))
        raise ValueError(f"Attr '{name}' of '{op_type}' Op passed string '{_text(converted)}' not in: \"{allowed}\".")
    if attribute.kind == "int" and attribute.minimum is not None and converted < attribute.minimum:
        raise ValueError(f"Attr '{name}' of '{op_type}' Op passed {converted} less than minimum {attribute.minimum}.")
    return converted


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


def _convert_one(op_type: str, name: str, kind: str, value: Any) -> Any:
    try:
        match kind:
            case "type":
                return as_dtype(value).base_dtype
            case "shape":
                return as_shape(value)
            case "int":
                if isinstance(value, str):
                    raise TypeError(f"got {value!r} of type {type(value).__name__}")
                return int(value)
            case "float":
                return float(np.float32(value))  # the precision that attributes have in a GraphDef
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
        dtype = attributes.get(name, REQUIRED)
        if dtype is REQUIRED:
            if attribute.default is REQUIRED:
                raise TypeError(f"{definition.type}: nothing determines the attribute {name!r}")
            attributes[name] = attribute.default
        elif attribute.kind == "type":
            _check_allowed(definition.type, name, attribute, dtype)
    return tensors


def _convert_single(definition: OpDefinition, argument: Argument, value: Any, attributes: Attributes) -> Tensor:
    wanted = argument.dtype or attributes.get(argument.type_attribute)  # type: ignore[arg-type]
    if isinstance(value, Tensor) and (wanted is None or value._dtype is wanted):
        tensor = value
    else:
        tensor = _converted(definition, argument, value, wanted, attributes)
    if argument.is_ref and not tensor.dtype._is_ref_dtype:
        raise TypeError(
            f"'{definition.type}' Op requires that input '{argument.name}' be a mutable tensor (e.g.: a tf.Variable)"
        )
    if argument.type_attribute:
        attributes.setdefault(argument.type_attribute, tensor._dtype.base_dtype)
    return tensor


def _converted(
    definition: OpDefinition, argument: Argument, value: Any, wanted: DType | None, attributes: Attributes
) -> Tensor:
    """`value` as a tensor of the wanted type. Raises TypeError with the names of the operation and its inputs."""
    base = wanted.base_dtype if wanted is not None else None
    try:
        return internal_convert(value, base, argument.name, _preferred_type(definition, argument), argument.is_ref)
    except (TypeError, ValueError) as error:
        if isinstance(value, Tensor):
            raise _type_mismatch(definition, argument, value, base) from None
        if base is None or isinstance(error, ValueError):
            raise
        raise TypeError(
            f"Expected {base.name} passed to parameter '{argument.name}' of op '{definition.type}', got {value!r} of "
            f"type '{type(value).__name__}' instead. Error: {error}"
        ) from None


def _preferred_type(definition: OpDefinition, argument: Argument) -> DType | None:
    """The type that values without one get: the default of the argument's type attribute."""
    attribute = definition.attribute_table.get(argument.type_attribute or "")
    return attribute.default if attribute is not None and isinstance(attribute.default, DType) else None


def _type_mismatch(definition: OpDefinition, argument: Argument, value: Tensor, wanted: DType | None) -> TypeError:
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
        raise TypeError(f"Expected list for '{argument.name}' argument to '{definition.type}' Op, not {values!r}.")
    if argument.list_attribute:
        return _convert_mixed_list(argument, values, attributes)
    given = argument.dtype or attributes.get(argument.type_attribute or "")
    wanted = given if given is not None else _first_type(values)
    preferred = _preferred_type(definition, argument)
    try:
        tensors = [
            internal_convert(value, wanted, f"{argument.name}_{k}", preferred, argument.is_ref)
            for k, value in enumerate(values)
        ]
    except (TypeError, ValueError):
        raise _list_mismatch(definition, argument, values, given) from None
    if len({tensor._dtype.base_dtype for tensor in tensors}) > 1:
        raise _list_mismatch(definition, argument, values, given)
    _settle_list(definition, argument, tensors, attributes)
    return tensors


def _convert_mixed_list(argument: Argument, values: Sequence[Any], attributes: Attributes) -> list[Tensor]:
    types = attributes.get(argument.list_attribute or "", [None] * len(values))
    tensors = [
        internal_convert(value, dtype, f"{argument.name}_{k}")
        for k, (value, dtype) in enumerate(zip(values, types, strict=True))
    ]
    attributes[argument.list_attribute or ""] = [tensor.dtype.base_dtype for tensor in tensors]
    return tensors


def _first_type(values: Sequence[Any]) -> DType | None:
    """The type of the first of the values that has one."""
    types = (getattr(value, "dtype", None) for value in values)
    return next((dtype.base_dtype for dtype in types if isinstance(dtype, DType)), None)


def _list_mismatch(
    definition: OpDefinition, argument: Argument, values: Sequence[Any], given: DType | None
) -> TypeError:
    prefix = (
        f"Tensors in list passed to '{argument.name}' of '{definition.type}' Op have types "
        f"[{', '.join(map(_observed_type, values))}]"
    )
    if argument.dtype is not None:
        return TypeError(f"{prefix} that do not match expected type {argument.dtype.name}.")
    if given is not None:
        return TypeError(f"{prefix} that do not match type {given.name} inferred from earlier arguments.")
    return TypeError(f"{prefix} that don't all match.")


def _observed_type(value: Any) -> str:
    try:
        return internal_convert(value).dtype.base_dtype.name
    except (TypeError, ValueError):
        return "<NOT CONVERTIBLE TO TENSOR>"


def _settle_list(definition: OpDefinition, argument: Argument, tensors: list[Tensor], attributes: Attributes) -> None:
    """Enters what a list tells of attributes. Raises ValueError when its length does not fit."""
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
            f"List argument '{argument.name}' to '{definition.type}' Op with length {len(tensors)} shorter than "
            f"minimum length {minimum}."
        )


def _check_allowed(op_type: str, name: str, attribute: Attribute, dtype: DType) -> None:
    if attribute.allowed is not None and dtype not in attribute.allowed:
        arguments = OPS[op_type].input_arguments
        parameter = next((a.name for a in arguments if a.type_attribute == name), name)
        allowed = ", ".join(sorted(t.name for t in attribute.allowed))
        raise TypeError(
            f"Value passed to parameter '{parameter}' has DataType {dtype.name} not in list of allowed values: "
            f"{allowed} (op {op_type})"
        )
