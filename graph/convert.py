"""Turns Python values into tensors: numbers and arrays become constants, registered types convert themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sessile.graph.data_type import DType, as_dtype
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_operators import public_function

ConversionFunction = Callable[..., Any]
_CONVERSIONS: list[tuple[int, int, tuple[type, ...], ConversionFunction]] = []


@public("register_tensor_conversion_function")
def register_tensor_conversion_function(
    base_type: Any, conversion_func: ConversionFunction, priority: int = 100
) -> None:
    """Registers how objects of `base_type` become tensors: `conversion_func(value, dtype, name, as_ref)`.

    Lower priorities are tried first. A function that returns NotImplemented leaves the object to the next one.
    """
    if not callable(conversion_func):
        raise TypeError("conversion_func must be callable.")
    types = base_type if isinstance(base_type, tuple) else (base_type,)
    if not all(isinstance(t, type) for t in types):
        raise TypeError("base_type must be a type or a tuple of types.")
    if any(issubclass(t, (int, float, np.generic, np.ndarray)) for t in types):
        raise TypeError("Cannot register conversions for Python numeric types and NumPy scalars and arrays.")
    _CONVERSIONS.append((priority, len(_CONVERSIONS), types, conversion_func))
    _CONVERSIONS.sort(key=lambda entry: entry[:2])


@public("convert_to_tensor")
def convert_to_tensor(
    value: Any,
    dtype: Any = None,
    name: str | None = None,
    preferred_dtype: Any = None,
    dtype_hint: Any = None,
) -> Tensor:
    """`value` as a tensor of the default graph.

    Args:
        value: a tensor, a variable, a number, a string, a nested list, an array, or an object of a registered type.
        dtype: the type that the tensor must have.
        name: a name for the constant that may be made.
        preferred_dtype, dtype_hint: a type to use if the value allows it.

    Raises TypeError when the value cannot have the type, ValueError when a tensor has another type or graph.
    """
    wanted = as_dtype(dtype).base_dtype if dtype is not None else None
    hint = preferred_dtype if preferred_dtype is not None else dtype_hint
    return internal_convert(value, wanted, name, as_dtype(hint).base_dtype if hint is not None else None)


def internal_convert(
    value: Any,
    dtype: DType | None = None,
    name: str | None = None,
    preferred_dtype: DType | None = None,
    as_ref: bool = False,
) -> Tensor:
    """`convert_to_tensor` with the option to keep a variable's reference."""
    if isinstance(value, Tensor):
        return _checked(value, dtype)
    for _, _, types, convert in _CONVERSIONS:
        if not isinstance(value, types):
            continue
        if dtype is None and preferred_dtype is not None:
            result = _try_preferred(convert, value, preferred_dtype, name, as_ref)
            if result is not None:
                return result
        result = convert(value, dtype=dtype, name=name, as_ref=as_ref)
        if result is not NotImplemented:
            return _checked_result(result, convert, value, dtype)
    if dtype is None and preferred_dtype is not None:
        try:
            return constant_tensor(value, preferred_dtype, name)
        except (TypeError, ValueError):
            return constant_tensor(value, None, name)
    return constant_tensor(value, dtype, name)


def has_conversion(value: Any) -> bool:
    """Whether a function is registered that makes tensors of objects such as `value`."""
    return any(isinstance(value, types) for _, _, types, _ in _CONVERSIONS)


def _checked_result(result: Any, convert: ConversionFunction, value: Any, dtype: DType | None) -> Tensor:
    """What a registered function returned. Raises RuntimeError where that is no tensor of the type asked for."""
    if isinstance(result, Tensor) and (dtype is None or dtype.is_compatible_with(result.dtype)):
        return result
    returned = "non-Tensor" if not isinstance(result, Tensor) else "incompatible dtype"
    what = result if not isinstance(result, Tensor) else f"requested = {dtype.name}, actual = {result.dtype.name}"  # type: ignore[union-attr]
    raise RuntimeError(f"Conversion function {convert!r} for type {type(value)} returned {returned}: {what}")


def _try_preferred(convert: ConversionFunction, value: Any, dtype: DType, name: str | None, as_ref: bool) -> Any:
    try:
        result = convert(value, dtype=dtype, name=name, as_ref=as_ref)
    except (TypeError, ValueError):
        return None
    return None if result is NotImplemented else result


def _checked(value: Tensor, dtype: DType | None) -> Tensor:
    if dtype is not None and not dtype.is_compatible_with(value.dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for Tensor with dtype {value.dtype.name}: {str(value)!r}"
        )
    return value


def constant_tensor(value: Any, dtype: DType | None, name: str | None) -> Tensor:
    """A constant, or a stack of tensors when `value` is a list that holds any."""
    if isinstance(value, (list, tuple)) and _holds_tensor(value):
        return public_function("_pack_nested")(value, dtype, name)
    return public_function("constant")(value, dtype=dtype, name=name or "Const")


def _holds_tensor(values: Sequence[Any]) -> bool:
    for value in values:
        if isinstance(value, Tensor) or hasattr(value, "_as_graph_element"):
            return True
        if isinstance(value, (list, tuple)) and _holds_tensor(value):
            return True
    return False


def convert_n_to_tensor(
    values: Sequence[Any], dtype: DType | None = None, name: str | None = None, preferred_dtype: DType | None = None
) -> list[Tensor]:
    """Each of `values` as a tensor, named `name_0`, `name_1` ..."""
    return [
        internal_convert(value, dtype, None if name is None else f"{name}_{k}", preferred_dtype)
        for k, value in enumerate(values)
    ]
