"""Types of values: an element type and a shape whose sizes may be unknown.

Element types are short names (`f32`, `i64`, `bool` ...); `NUMPY_DTYPES` says how each is held in memory.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import numpy as np

from sessile.ir.sizes import Bindings, Size, SizeExpression, evaluate, product, substitute, symbols_of

NUMPY_DTYPES: dict[str, np.dtype] = {
    "f16": np.dtype(np.float16),
    "f32": np.dtype(np.float32),
    "f64": np.dtype(np.float64),
    "i8": np.dtype(np.int8),
    "i16": np.dtype(np.int16),
    "i32": np.dtype(np.int32),
    "i64": np.dtype(np.int64),
    "u8": np.dtype(np.uint8),
    "u16": np.dtype(np.uint16),
    "u32": np.dtype(np.uint32),
    "u64": np.dtype(np.uint64),
    "bool": np.dtype(np.bool_),
    "c64": np.dtype(np.complex64),
    "c128": np.dtype(np.complex128),
    "string": np.dtype(object),
    "resource": np.dtype(object),
}
_NAMES = {dtype: name for name, dtype in NUMPY_DTYPES.items() if name != "resource"}

FLOATS = frozenset({"f16", "f32", "f64"})
COMPLEX = frozenset({"c64", "c128"})
SIGNED = frozenset({"i8", "i16", "i32", "i64"})
UNSIGNED = frozenset({"u8", "u16", "u32", "u64"})
INTEGERS = SIGNED | UNSIGNED
NUMBERS = FLOATS | COMPLEX | INTEGERS


def element_type_of(dtype: np.dtype) -> str:
    """The element type that holds a NumPy dtype; byte and text strings are `string`. Raises TypeError for others."""
    if dtype.kind in "SU":
        return "string"
    name = _NAMES.get(dtype.newbyteorder("="))
    if name is None:
        raise TypeError(f"NumPy dtype {dtype} has no element type")
    return name


class TensorType:
    """An element type and a shape; immutable, compared by value."""

    __slots__ = ("_hash", "_size", "_text", "dtype", "shape")

    def __init__(self, dtype: str, shape: Iterable[Size] = ()) -> None:
        self.dtype = dtype
        self.shape = tuple(shape)
        self._hash = hash((dtype, self.shape))
        self._size: Size | None = None
        self._text = ""

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorType) and self.dtype == other.dtype and self.shape == other.shape

    def __repr__(self) -> str:
        if not self._text:
            self._text = f"{self.dtype}[{', '.join(map(str, self.shape))}]"
        return self._text

    @property
    def rank(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def size(self) -> Size:
        """The number of elements."""
        if self._size is None:
            self._size = product(self.shape)
        return self._size

    @property
    def numpy_dtype(self) -> np.dtype:
        """How an element is held in memory."""
        return NUMPY_DTYPES[self.dtype]

    @property
    def is_static(self) -> bool:
        """Whether all sizes are numbers."""
        for size in self.shape:  # noqa: SIM110 - this is asked often, and a generator costs more than the answer
            if size.__class__ is SizeExpression:
                return False
        return True

    def with_dtype(self, dtype: str) -> TensorType:
        return TensorType(dtype, self.shape)

    def with_shape(self, shape: Iterable[Size]) -> TensorType:
        return TensorType(self.dtype, shape)

    def without(self, axes: Iterable[int]) -> TensorType:
        """The type that is left when `axes` are removed."""
        removed = set(axes)
        return self.with_shape(size for axis, size in enumerate(self.shape) if axis not in removed)

    def symbols(self) -> set[str]:
        """The names of the unknowns in the shape."""
        return {name for size in self.shape if not isinstance(size, int) for name in symbols_of(size)}

    def substitute(self, values: Mapping[str, Size]) -> TensorType:
        return self.with_shape(substitute(size, values) for size in self.shape)

    def bound(self, bindings: Bindings) -> tuple[int, ...]:
        """The shape as numbers."""
        return tuple(evaluate(size, bindings) for size in self.shape)
