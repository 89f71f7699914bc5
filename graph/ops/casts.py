"""Conversions between element types."""

from __future__ import annotations

from functools import partial
from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.constant_value import on_known
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.dtypes import INTEGER, NUMERIC, QUANTIZED
from sessile.graph.errors import UnimplementedError
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic
from sessile.graph.ops.bases import ANALYTIC
from sessile.graph.public_names import public
from sessile.graph.shape_rules import concatenated
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@operation("Cast")
class Cast(OpDefinition):
    """Each element in another type: towards zero from floating to whole numbers, the real part of complex ones."""

    inputs = {"x": "SrcT"}
    attributes = {"SrcT": Attribute("type"), "DstT": Attribute("type"), "Truncate": False}
    outputs = {"y": "DstT"}

    def infer(self, x: Tensor) -> TensorShape:
        return x._shape

    def fold(self, known: Any, x: Tensor, *, DstT: DType) -> Any:
        value = known(x)
        if value.dtype == object or DstT.name == "string":
            return on_known(int, value) if DstT in INTEGER else None
        return value.astype(DstT.as_numpy_dtype) if DstT.is_numpy_compatible and DstT.name != "bfloat16" else None

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        source = op.inputs[0].dtype.base_dtype
        return [cast(grad, source) if source in ANALYTIC and grad.dtype.base_dtype in ANALYTIC else None]

    def lower(self, b: Any, x: Any, *, DstT: DType) -> Any:
        if (x.type.dtype == "string") != (DstT.name == "string"):
            source = b.operation.inputs[0].dtype.base_dtype.name
            raise UnimplementedError(None, None, f"Cast {source} to {DstT.name} is not supported")
        return b.convert(x, b.element_type(DstT))


@public("cast", "dtypes.cast")
def cast(x: Any, dtype: Any, name: str | None = None) -> Any:
    """`x` with elements of another type.

    Args:
        x: a tensor of numbers or truth values, or `IndexedSlices`.
        dtype: the type that the elements get.
        name: a name for the operation.

    Returns `x` itself when it has that type. Raises TypeError when the elements cannot be converted.
    """
    wanted = as_dtype(dtype).base_dtype
    if isinstance(x, Tensor) and x.dtype == wanted:
        return x
    with name_scope(name, "Cast", [x]) as scope:
        if hasattr(x, "with_values"):
            return x.with_values(cast(x.values, wanted, name=scope))
        x = internal_convert(x, None, "x")
        return x if x.dtype.base_dtype == wanted else Cast(x, wanted, name=scope)


@public("saturate_cast", "dtypes.saturate_cast")
def saturate_cast(value: Any, dtype: Any, name: str | None = None) -> Tensor:
    """`value` with elements of another type, those that it cannot hold brought to the nearest that it can.

    Args:
        value: a tensor of real numbers.
        dtype: the type that the elements get.
        name: a name for the operation.
    """
    with name_scope(name, "saturate_cast", [value]) as scope:
        value = internal_convert(value, None, "value")
        wanted = as_dtype(dtype).base_dtype
        source = value.dtype.base_dtype
        if source.min < wanted.min:
            value = arithmetic.Maximum(value, internal_convert(wanted.min, source, "min"))
        if source.max > wanted.max:
            value = arithmetic.Minimum(value, internal_convert(wanted.max, source, "max"))
        return cast(value, wanted, name=scope)


def _caster(name: str, public_name: str, dtype: DType) -> None:
    def convert(x: Any, name: str = name) -> Any:
        return cast(x, dtype, name=name)

    convert.__name__ = convert.__qualname__ = public_name
    convert.__doc__ = f"`x` with elements of type {dtype.name}; the same as `cast(x, tf.{dtype.name})`."
    public(public_name)(convert)


for _name, _dtype in (
    ("Float", dtypes.float32),
    ("Double", dtypes.float64),
    ("Int32", dtypes.int32),
    ("Int64", dtypes.int64),
    ("BFloat16", dtypes.bfloat16),
    ("Complex64", dtypes.complex64),
    ("Complex128", dtypes.complex128),
):
    _caster(f"To{_name}", f"to_{_name.lower()}", _dtype)


@operation("Bitcast", public="bitcast")
class Bitcast(OpDefinition):
    """The bits of a tensor read as elements of another type.

    Args:
        input: a tensor of numbers.
        type: the type as which the bits are read. A narrower one adds an axis, for the parts of an element; a wider one
            takes the last axis, which must hold the parts of one element.
        name: a name for the operation.
    """

    inputs = {"input": "T"}
    attributes = {"T": NUMERIC | QUANTIZED, "type": NUMERIC | QUANTIZED}
    outputs = {"output": "type"}

    def infer(self, input: Tensor, *, type: DType) -> TensorShape:
        sizes, width, wanted = input.shape.sizes, input.dtype.size, type.size
        if sizes is None or width == wanted:
            return input.shape
        if width > wanted:
            return concatenated(sizes, (width // wanted,))
        if not sizes or sizes[-1] not in (None, wanted // width):
            raise ValueError(
                f"Cannot bitcast from {input.dtype.base_dtype.name} to {type.name}: the last axis must hold "
                f"{wanted // width} elements"
            )
        return TensorShape(sizes[:-1])

    def gradient(self, op: Any, grad: Any) -> list[Any]:
        return [None]

    def lower(self, b: Any, input: Any, *, type: DType) -> Any:
        dtype = b.element_type(type)
        width, wanted = input.type.numpy_dtype.itemsize, type.size
        if width == wanted:
            return b.emit("bitcast", input, dtype=dtype)
        if width < wanted:
            _check_last_size(b, input.type.shape, wanted // width)
        shape = (*input.type.shape, width // wanted) if width > wanted else input.type.shape[:-1]
        read = partial(_reinterpreted, dtype=input.type.with_dtype(dtype).numpy_dtype.name, narrow=width > wanted)
        return b.call_host(read, input, results=[(dtype, shape)])[0]


def _check_last_size(b: Any, shape: Any, size: int) -> None:
    """Fails unless the last axis holds the parts of one element."""
    b.require(len(shape) > 0, "Cannot bitcast a scalar to a larger type")
    b.require(b.decide(shape[-1], "==", size), f"Cannot bitcast from {b.shown(shape[-1])} to {size}")


def _reinterpreted(x: Any, *, dtype: str, narrow: bool) -> tuple[Any]:
    whole = np.ascontiguousarray(x[..., None] if narrow else x).view(dtype)
    return (whole if narrow else whole[..., 0],)
