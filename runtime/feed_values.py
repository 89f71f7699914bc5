"""Converts what is fed to arrays of the fed tensor's type, and refuses what does not fit, with the reason.

In: a tensor, and a Python scalar, string, nested list, array, or `TensorHandle`. Out: a dense array; one that already
is a dense array of the right type is passed on as it is, so the runtime never writes to feeds.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sessile.graph.array_conversion import as_array
from sessile.graph.data_type import DType
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import Sizes
from sessile.runtime.tensor_handle import TensorHandle

Converter = Callable[[Any], np.ndarray]


def converter_for(tensor: Tensor) -> Converter:
    """The function that converts values for a tensor. Raises TypeError for types that no value has."""
    dtype = tensor.dtype.base_dtype
    numpy_dtype = np.dtype(dtype.as_numpy_dtype)
    ndarray = np.ndarray

    def convert(value: Any) -> np.ndarray:
        if type(value) is not ndarray or value.dtype != numpy_dtype or numpy_dtype.hasobject:
            value = _converted(tensor, dtype, value)
        value = _settled(value, numpy_dtype)
        sizes = tensor._shape.sizes
        if sizes is not None and sizes != value.shape and not _fits(value.shape, sizes):
            raise ValueError(_shape_message(tensor, value.shape))
        return value  # type: ignore[no-any-return]

    return convert


def _settled(value: np.ndarray, dtype: np.dtype) -> np.ndarray:
    """The value as native code reads it: dense, and with the one dtype object that stands for its type."""
    flags = value.flags
    if not (flags.c_contiguous and flags.aligned):
        value = value.copy()
    return value if value.dtype is dtype else value.view(dtype)


def _fits(shape: tuple[int, ...], sizes: Sizes) -> bool:
    if len(shape) != len(sizes):
        return False
    return all(wanted is None or size == wanted for size, wanted in zip(shape, sizes, strict=True))


def _converted(tensor: Tensor, dtype: DType, value: Any) -> np.ndarray:
    if isinstance(value, TensorHandle):
        return _kept_value(tensor, dtype, value)
    _refuse_symbolic(tensor, value)
    if isinstance(value, int) and (dtype.is_integer or dtype.is_bool):
        _refuse_overflow(tensor, dtype, value)
    try:
        return as_array(value, dtype) if dtype.name == "string" else np.asarray(value, dtype.as_numpy_dtype)
    except OverflowError as error:
        raise TypeError(_type_message(tensor, value, str(error))) from None
    except NotImplementedError:  # what a tensor inside a list raises when NumPy asks for its value
        raise TypeError(_symbolic_message(tensor, value)) from None
    except (TypeError, ValueError) as error:
        kind = TypeError if isinstance(error, TypeError) else ValueError
        reason = "nested lists must have equal lengths" if "inhomogeneous" in str(error) else str(error)
        raise kind(_type_message(tensor, value, reason)) from None


def _kept_value(tensor: Tensor, dtype: DType, handle: TensorHandle) -> np.ndarray:
    if handle.dtype.base_dtype is not dtype:
        reason = f"the handle stands for a value of type {handle.dtype.base_dtype.name}"
        raise TypeError(_type_message(tensor, handle, reason))
    return handle.to_numpy_array()


def _refuse_symbolic(tensor: Tensor, value: Any) -> None:
    if value is None:
        raise TypeError(_type_message(tensor, value, "None is not a value"))
    if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
        raise TypeError(_symbolic_message(tensor, value))


def _refuse_overflow(tensor: Tensor, dtype: DType, value: int) -> None:
    fits = value in (0, 1) if dtype.is_bool else dtype.min <= value <= dtype.max
    if not fits:
        raise TypeError(
            f"Type of feed value {value} with type {type(value)} is not compatible with Tensor type "
            f"{dtype.as_numpy_dtype}. Try explicitly setting the type of the feed tensor to a larger type (e.g. int64)."
            f"\n{_creation(tensor)}"
        )


def _symbolic_message(tensor: Tensor, value: Any) -> str:
    return (
        f"The value of a feed cannot be a tf.Tensor object. Acceptable feed values include Python scalars, strings, "
        f"lists, numpy ndarrays, or TensorHandles. For reference, the tensor object was {value} which was passed to "
        f"the feed with key {tensor}.\n  Compute it first: value = sess.run(tensor), then feed the value."
    )


def _type_message(tensor: Tensor, value: Any, reason: str) -> str:
    wanted = f"Tensor {tensor.name!r}, which has type {tensor.dtype.base_dtype.name}"
    return f"Cannot feed {_described(value)} for {wanted}: {reason}\n{_creation(tensor)}"


def _described(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"an array of type {value.dtype}"
    text = repr(value)
    return f"{text if len(text) <= 60 else text[:57] + '...'} of type '{type(value).__name__}'"


def _shape_message(tensor: Tensor, shape: tuple[int, ...]) -> str:
    return (
        f"Cannot feed value of shape {shape!r} for Tensor {tensor.name!r}, which has shape {str(tensor.shape)!r}\n"
        f"  {_disagreement(shape, tensor.shape.sizes or ())}\n{_creation(tensor)}"
    )


def _disagreement(shape: tuple[int, ...], sizes: Sizes) -> str:
    if len(shape) != len(sizes):
        return f"the value has {_axes(len(shape))}, the tensor has {_axes(len(sizes))}"
    wrong = [axis for axis, wanted in enumerate(sizes) if wanted not in (None, shape[axis])]
    return "; ".join(f"axis {axis} has size {shape[axis]} instead of {sizes[axis]}" for axis in wrong)


def _axes(count: int) -> str:
    return "1 axis" if count == 1 else f"{count or 'no'} axes"


def _creation(tensor: Tensor) -> str:
    frames = tensor.op.traceback
    if not frames:
        return f"  {tensor.name!r} was created at an unknown line"
    line = frames[-1]
    return f"  {tensor.name!r} was created at {line.filename}:{line.lineno}, in {line.name}:   {line.line}"
