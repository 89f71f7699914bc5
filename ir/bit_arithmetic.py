"""The operations that Python's operators lack, so that one formula serves NumPy arrays and LLVM values alike.

Random numbers have to be the same to the last bit in the interpreter and in kernels. Their formulas are therefore
written once, over `Arithmetic`: `+ - * & | ^` and comparisons are the operands' own, and what is left is here. The
compiler implements the same protocol for the values of its intrinsics. Integers are signed but where a method says
otherwise; nothing may be contracted to a fused multiply-add.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np


class Arithmetic(Protocol):
    """Operations on numbers of one width per lane: NumPy arrays, or scalars of a kernel under construction."""

    def bits(self, x: Any) -> Any:
        """The bit pattern of a float as an integer of its width."""

    def from_bits(self, x: Any) -> Any:
        """The float whose bit pattern is an integer."""

    def shift_right_unsigned(self, x: Any, count: int) -> Any:
        """x >> count with zeros shifted in."""

    def widen_unsigned(self, x: Any) -> Any:
        """A 32-bit integer as a 64-bit one, zeros above."""

    def select(self, condition: Any, then: Any, otherwise: Any) -> Any:
        """`then` where the condition holds, else `otherwise`; both are evaluated."""

    def square_root(self, x: Any) -> Any:
        """The correctly rounded square root."""

    def to_f32(self, x: Any) -> Any:
        """The nearest f32 of an integer or float."""

    def to_f64(self, x: Any) -> Any:
        """The nearest f64 of an integer or float."""

    def lookup(self, table: Sequence[float], index: Any) -> Any:
        """table[index] as f64, for 0 <= index < len(table)."""


_SAME_WIDTH = {4: np.dtype(np.int32), 8: np.dtype(np.int64)}
_FLOAT_OF_WIDTH = {4: np.dtype(np.float32), 8: np.dtype(np.float64)}


class NumpyArithmetic:
    """`Arithmetic` on NumPy arrays."""

    def bits(self, x: Any) -> Any:
        return x.view(_SAME_WIDTH[x.dtype.itemsize])

    def from_bits(self, x: Any) -> Any:
        return x.view(_FLOAT_OF_WIDTH[x.dtype.itemsize])

    def shift_right_unsigned(self, x: Any, count: int) -> Any:
        return (x.view(f"u{x.dtype.itemsize}") >> count).view(x.dtype)

    def widen_unsigned(self, x: Any) -> Any:
        return x.view(np.uint32).astype(np.uint64)

    def select(self, condition: Any, then: Any, otherwise: Any) -> Any:
        return np.where(condition, then, otherwise)

    def square_root(self, x: Any) -> Any:
        return np.sqrt(x)

    def to_f32(self, x: Any) -> Any:
        return x.astype(np.float32)

    def to_f64(self, x: Any) -> Any:
        return x.astype(np.float64)

    def lookup(self, table: Sequence[float], index: Any) -> Any:
        return np.asarray(table)[index]


NUMPY = NumpyArithmetic()
