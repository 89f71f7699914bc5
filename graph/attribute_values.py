"""Attributes in their two forms: Python values on an operation, `AttrValue` messages in a GraphDef.

Types are `DType`, shapes `TensorShape`, strings bytes, tensors NumPy arrays; what a definition does not name
(attributes that begin with "_", those of unknown operations) may stay a message.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from sessile.graph.compat import as_bytes
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.tensor_proto import make_ndarray, make_tensor_proto
from sessile.graph.tensor_shape import TensorShape, as_shape

if TYPE_CHECKING:
    from sessile.graph.proto.attr_value_pb2 import AttrValue

# kind of attribute -> field of the message that holds it
FIELDS = {
    "string": "s",
    "int": "i",
    "float": "f",
    "bool": "b",
    "type": "type",
    "shape": "shape",
    "tensor": "tensor",
    "func": "func",
}
_KINDS = {field: kind for kind, field in FIELDS.items()}
_LARGEST_TENSOR = 2**31


def to_message(value: Any, kind: str | None = None) -> AttrValue:
    """An attribute's Python value as a message; the value itself tells what it is where no `kind` is given.

    Raises TypeError for values that no attribute has, ValueError for tensors of 2 GB or more.
    """
    from sessile.graph.proto.attr_value_pb2 import AttrValue

    if isinstance(value, AttrValue):
        return value
    if kind is None:
        kind = _kind_of(value)
    if not kind.startswith("list("):
        field = FIELDS[kind]
        return AttrValue(**{field: _ENCODERS[field](value)})
    field = FIELDS.get(kind[5:-1], "s")
    encode = _ENCODERS[field]
    return AttrValue(list=AttrValue.ListValue(**{field: [encode(item) for item in value]}))


def from_message(message: AttrValue, kind: str) -> Any:
    """The Python value of an attribute of this kind. Raises ValueError when the message holds none."""
    held = message.WhichOneof("value")
    wanted = "list" if kind.startswith("list(") else FIELDS[kind]
    if held != wanted:
        shown = "nothing" if held is None else f"value with type '{_KINDS.get(held, held)}'"
        raise ValueError(f"AttrValue had {shown} when '{kind}' expected")
    if wanted != "list":
        return _decoded(getattr(message, wanted), wanted)
    field = FIELDS[kind[5:-1]]
    for other, _ in message.list.ListFields():
        if other.name != field:
            raise ValueError(f"AttrValue had value with type 'list({_KINDS[other.name]})' when '{kind}' expected")
    return [_decoded(item, field) for item in getattr(message.list, field)]


def public_value(message: AttrValue) -> Any:
    """What `Operation.get_attr` gives: types as `DType`, strings as bytes, shapes, tensors, functions as messages."""
    held = message.WhichOneof("value")
    if held is None:
        return []
    if held != "list":
        return as_dtype(message.type) if held == "type" else getattr(message, held)
    for field, items in message.list.ListFields():
        return [as_dtype(item) for item in items] if field.name == "type" else list(items)
    return []


def _kind_of(value: Any) -> str:
    for types, kind in _KIND_OF_TYPE:
        if isinstance(value, types):
            return kind
    if isinstance(value, (list, tuple)):
        return f"list({_kind_of(value[0])})" if value else "list()"
    kind_of_message = {"TensorProto": "tensor", "TensorShapeProto": "shape", "NameAttrList": "func"}
    held = kind_of_message.get(type(value).__name__)
    if held is None:
        raise TypeError(f"A {type(value).__name__} cannot be the value of an attribute: {value!r}")
    return held


_KIND_OF_TYPE: tuple[tuple[Any, str], ...] = (  # bool before int, which it is a subclass of
    (DType, "type"),
    ((bool, np.bool_), "bool"),
    ((int, np.integer), "int"),
    ((float, np.floating), "float"),
    ((str, bytes), "string"),
    (TensorShape, "shape"),
    (np.ndarray, "tensor"),
)


def _shape_message(value: Any) -> Any:
    return as_shape(value).as_proto() if value is None or isinstance(value, (TensorShape, list, tuple)) else value


def _function_message(value: Any) -> Any:
    from sessile.graph.proto.attr_value_pb2 import NameAttrList

    return NameAttrList(name=value) if isinstance(value, str) else value


_ENCODERS: dict[str, Callable[[Any], Any]] = {
    "s": as_bytes,
    "i": int,
    "f": float,
    "b": bool,
    "type": lambda value: as_dtype(value).as_datatype_enum,
    "shape": _shape_message,
    "tensor": lambda value: _tensor_message(value),
    "func": _function_message,
}


def _tensor_message(value: Any) -> Any:
    """A tensor as a message; one whose elements are all alike, such as zeros, needs only the first of them."""
    if not isinstance(value, np.ndarray) or value.size < 2 or not _is_uniform(value):
        return make_tensor_proto(value)
    return make_tensor_proto(value.reshape(-1)[0], as_dtype(value.dtype), value.shape)


def _is_uniform(array: np.ndarray[Any, Any]) -> bool:
    """Whether all elements have the same bits: 0.0 and -0.0 do not."""
    flat = np.ascontiguousarray(array).reshape(-1)
    if array.dtype == object:
        return bool((flat == flat[0]).all())
    rows = flat.view(np.uint8).reshape(flat.size, -1)
    return np.array_equal(rows[-1], rows[0]) and bool((rows == rows[0]).all())


def _decoded(value: Any, field: str) -> Any:
    if field == "type":
        return _type_of_number(value)
    if field == "shape":
        return _shape_of(value)
    if field == "tensor":
        return _array_of(value)
    return value


def _type_of_number(number: int) -> DType:
    try:
        return as_dtype(number)
    except TypeError as error:
        raise ValueError(str(error)) from None


def _shape_of(message: Any) -> TensorShape:
    if any(dim.size < -1 for dim in message.dim):
        raise ValueError(f"Shape [{','.join(str(dim.size) for dim in message.dim)}] has negative dimensions")
    return as_shape(message)


def _array_of(message: Any) -> np.ndarray[Any, Any]:
    """The value of a tensor, read-only. Raises ValueError where the message does not hold one."""
    dtype = _type_of_number(message.dtype)
    sizes = [dim.size for dim in message.tensor_shape.dim]
    if _number_of_bytes(sizes, dtype) >= _LARGEST_TENSOR:
        raise ValueError(f"A tensor of type {dtype.name} and shape {sizes} is larger than 2GB")
    try:
        array = make_ndarray(message)
    except (TypeError, OverflowError) as error:
        raise ValueError(f"Cannot parse tensor from proto: {error}") from None
    array.setflags(write=False)
    return array


def _number_of_bytes(sizes: Sequence[int], dtype: DType) -> int:
    product = dtype.size
    for size in sizes:
        product *= size
    return product
