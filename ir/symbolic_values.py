"""Arithmetic on sizes: what a primitive gives when its operands are whole numbers that are known or symbolic.

The arrays here hold `int` or `SizeExpression`; the primitives' own references compute with them, since NumPy's object
arrays use Python's operators.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sessile.ir.primitive import PRIMITIVES, RunFailure
from sessile.ir.sizes import Size, SizeExpression, floor_divide, maximum, minimum, modulo
from sessile.ir.types import NUMPY_DTYPES

known_sizes_limit = 64

_SCALAR: dict[str, Callable[..., Size]] = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "floor_div": floor_divide,
    "floor_mod": modulo,
    "max": maximum,
    "min": minimum,
    "neg": lambda a: -a,
}
# On numbers that are not negative, as sizes are, truncation is the floor.
_SCALAR_OF_SIZES: dict[str, Callable[..., Size]] = {"truncated_div": floor_divide, "truncated_mod": modulo}
_MOVEMENT = frozenset({"slice", "concat", "reshape", "transpose", "broadcast", "reverse"})


def known_result(name: str, operands: Sequence[np.ndarray | None], attributes: Mapping[str, Any]) -> np.ndarray | None:
    """The result of a primitive on known whole numbers, or None when it stays unknown."""
    if not operands or any(operand is None for operand in operands):
        return None
    arrays = [np.asarray(operand, object) for operand in operands]
    if name == "map":
        return _map(attributes["function"], arrays)
    if name == "convert":
        return arrays[0] if attributes["dtype"] in ("i32", "i64") else None
    if name in _MOVEMENT:
        return _if_small(name, arrays, attributes)
    if name == "reduce" and attributes["function"] in ("add", "mul"):
        ufunc = np.add if attributes["function"] == "add" else np.multiply
        return np.asarray(ufunc.reduce(arrays[0], axis=attributes["axes"]), object)
    if name == "gather" and not _symbolic(arrays[1]) and not attributes["batch"]:
        return _moved(name, [arrays[0], arrays[1].astype(np.int64)], attributes)
    return None


def wrapped(known: np.ndarray, dtype: str) -> np.ndarray:
    """Numbers that leave the range of `dtype` come in again at its other end, as machine integers do."""
    bits = 8 * NUMPY_DTYPES[dtype].itemsize
    half = 1 << (bits - 1)

    def wrap(size: Size) -> Size:
        return size if isinstance(size, SizeExpression) else (size + half) % (1 << bits) - half

    return np.asarray(np.frompyfunc(wrap, 1, 1)(known), object)


def _map(function: str, arrays: list[np.ndarray]) -> np.ndarray | None:
    scalar = _SCALAR.get(function) or _SCALAR_OF_SIZES.get(function)
    if scalar is None:
        return None
    if function in _SCALAR_OF_SIZES and any(_may_be_negative(size) for array in arrays for size in array.flat):
        return None
    if function in ("floor_div", "floor_mod", "truncated_div", "truncated_mod") and any(
        not isinstance(size, SizeExpression) and size == 0 for size in arrays[1].flat
    ):
        return None
    apply: np.ufunc = np.frompyfunc(scalar, len(arrays), 1)
    return np.asarray(apply(*arrays), object)


def _if_small(name: str, arrays: list[np.ndarray], attributes: Mapping[str, Any]) -> np.ndarray | None:
    if any(isinstance(size, SizeExpression) for value in attributes.values() for size in _flat(value)):
        return None
    result = _moved(name, arrays, attributes)
    return result if result is not None and result.size <= known_sizes_limit else None


def _moved(name: str, arrays: list[np.ndarray], attributes: Mapping[str, Any]) -> np.ndarray | None:
    try:
        return np.asarray(PRIMITIVES[name].reference(*arrays, **attributes), object)
    except RunFailure:
        return None  # an index out of range is an error of the run, not of the program


def _flat(value: Any) -> tuple[Any, ...]:
    return value if isinstance(value, tuple) else (value,)


def _may_be_negative(size: Size) -> bool:
    if isinstance(size, SizeExpression):
        return any(coefficient < 0 for coefficient in size.terms.values())
    return size < 0


def _symbolic(array: np.ndarray) -> bool:
    return any(isinstance(size, SizeExpression) for size in array.flat)
