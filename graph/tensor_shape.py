"""Static shapes: what is known of a tensor's rank and sizes before anything runs.

In come sequences of sizes, out go `TensorShape` objects, which are immutable. They behave as in TensorFlow 1
(elements are `Dimension` objects, an unknown size equals nothing); inside the library, `shape.sizes` is the
plain tuple of int and None, which is quick to make and to compare and can be a key of a dictionary.
"""

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

from sessile.graph.dimension import Dimension, as_dimension, dimension_value, size_of
from sessile.graph.public_names import public

if TYPE_CHECKING:
    from sessile.graph.proto.tensor_shape_pb2 import TensorShapeProto

__all__ = [
    "Dimension",
    "Sizes",
    "TensorShape",
    "as_dimension",
    "as_shape",
    "broadcast_shape",
    "dimension_at_index",
    "dimension_value",
    "matrix",
    "scalar",
    "unknown_shape",
    "vector",
]

Sizes = tuple[int | None, ...]


@public("TensorShape")
class TensorShape:
    """The static shape of a tensor: fully known, of known rank with some unknown sizes, or of unknown rank.

    Args:
        dims: a sequence of sizes (ints, `Dimension`s, None where unknown), one size for a vector's shape,
            another `TensorShape`, a `TensorShapeProto`, or None if not even the rank is known.

    Raises:
        TypeError: `dims` or one of its elements is none of these.
        ValueError: a size is negative.
    """

    __slots__ = ("_hash", "sizes")
    sizes: Sizes | None
    _hash: int | None

    def __init__(self, dims: Any) -> None:
        self.sizes = _sizes_from(dims)
        self._hash = None

    @classmethod
    def from_sizes(cls, sizes: Sizes | None) -> "TensorShape":
        """Returns the shape of these sizes without checking them: a tuple of int and None, or None."""
        shape = cls.__new__(cls)
        shape.sizes = sizes
        shape._hash = None
        return shape

    @property
    def rank(self) -> int | None:
        """The number of dimensions, None if it is unknown."""
        return None if self.sizes is None else len(self.sizes)

    @property
    def ndims(self) -> int | None:
        """The number of dimensions, None if it is unknown."""
        return None if self.sizes is None else len(self.sizes)

    @property
    def dims(self) -> list[Dimension] | None:
        """The sizes as `Dimension` objects, None if the rank is unknown."""
        return None if self.sizes is None else [Dimension(size) for size in self.sizes]

    def as_list(self) -> list[int | None]:
        """Returns the sizes, None for each unknown one.

        Raises:
            ValueError: the rank is unknown.
        """
        if self.sizes is None:
            raise ValueError("as_list() is not defined on an unknown TensorShape.")
        return list(self.sizes)

    def as_proto(self) -> "TensorShapeProto":
        """Returns this shape as a `TensorShapeProto`; unknown sizes are -1 there."""
        # imported late: building a graph needs no protobuf
        from sessile.graph.proto.tensor_shape_pb2 import TensorShapeProto

        if self.sizes is None:
            return TensorShapeProto(unknown_rank=True)
        sizes = (-1 if size is None else size for size in self.sizes)
        return TensorShapeProto(dim=[TensorShapeProto.Dim(size=size) for size in sizes])

    def num_elements(self) -> int | None:
        """Returns the number of elements, None if it is not known."""
        return math.prod(self.sizes) if self.sizes is not None and None not in self.sizes else None  # type: ignore

    def is_fully_defined(self) -> bool:
        """Whether the rank and every size are known."""
        return self.sizes is not None and None not in self.sizes

    def assert_is_fully_defined(self) -> None:
        """Raises ValueError unless `is_fully_defined()`."""
        if not self.is_fully_defined():
            raise ValueError(f"Shape {self} is not fully defined")

    def is_compatible_with(self, other: Any) -> bool:
        """Whether one tensor can have both shapes: no two known ranks or sizes differ."""
        mine, others = self.sizes, as_shape(other).sizes
        if mine is None or others is None:
            return True
        if len(mine) != len(others):
            return False
        return all(a == b or a is None or b is None for a, b in zip(mine, others, strict=True))

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless `is_compatible_with(other)`."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are incompatible")

    def merge_with(self, other: Any) -> "TensorShape":
        """Returns the shape that knows what either of the two knows.

        Raises:
            ValueError: two known ranks or sizes differ.
        """
        other = as_shape(other)
        if self.sizes is None:
            return other
        if other.sizes is None or other.sizes == self.sizes:
            return self
        if not self.is_compatible_with(other):
            raise ValueError(f"Shapes {self} and {other} are not compatible")
        pairs = zip(self.sizes, other.sizes, strict=True)
        return TensorShape.from_sizes(tuple(b if a is None else a for a, b in pairs))

    def most_specific_compatible_shape(self, other: Any) -> "TensorShape":
        """Returns the shape that knows only what both know and agree on."""
        other = as_shape(other)
        if self.sizes is None or other.sizes is None or len(self.sizes) != len(other.sizes):
            return unknown_shape()
        pairs = zip(self.sizes, other.sizes, strict=True)
        return TensorShape.from_sizes(tuple(a if a == b else None for a, b in pairs))

    def concatenate(self, other: Any) -> "TensorShape":
        """Returns the sizes of this shape followed by those of `other`; unknown if a rank is."""
        other = as_shape(other)
        if self.sizes is None or other.sizes is None:
            return unknown_shape()
        return TensorShape.from_sizes(self.sizes + other.sizes)

    def assert_has_rank(self, rank: int) -> None:
        """Raises ValueError if the rank is known and another one."""
        if self.sizes is not None and len(self.sizes) != rank:
            raise ValueError(f"Shape {self} must have rank {rank}")

    def assert_same_rank(self, other: Any) -> None:
        """Raises ValueError if both ranks are known and differ."""
        other = as_shape(other)
        if self.sizes is not None and other.sizes is not None and len(self.sizes) != len(other.sizes):
            raise ValueError(f"Shapes {self} and {other} must have the same rank")

    def with_rank(self, rank: int) -> "TensorShape":
        """Returns this shape, known to have `rank` dimensions.

        Raises:
            ValueError: the rank is known and another one.
        """
        self.assert_has_rank(rank)
        return unknown_shape(rank) if self.sizes is None else self

    def with_rank_at_least(self, rank: int) -> "TensorShape":
        """Returns this shape; raises ValueError if it is known to have fewer than `rank` dimensions."""
        if self.sizes is not None and len(self.sizes) < rank:
            raise ValueError(f"Shape {self} must have rank at least {rank}")
        return self

    def with_rank_at_most(self, rank: int) -> "TensorShape":
        """Returns this shape; raises ValueError if it is known to have more than `rank` dimensions."""
        if self.sizes is not None and len(self.sizes) > rank:
            raise ValueError(f"Shape {self} must have rank at most {rank}")
        return self

    def __iter__(self) -> Iterator[Dimension]:
        if self.sizes is None:
            raise ValueError("Cannot iterate over a shape with unknown rank.")
        return (Dimension(size) for size in self.sizes)

    def __len__(self) -> int:
        if self.sizes is None:
            raise ValueError("Cannot take the length of shape with unknown rank.")
        return len(self.sizes)

    def __bool__(self) -> bool:
        return self.sizes is not None

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            if self.sizes is None:
                return _slice_of_unknown_rank(key)
            return TensorShape.from_sizes(self.sizes[key])
        return Dimension(None if self.sizes is None else self.sizes[key])

    def __add__(self, other: Any) -> "TensorShape":
        return self.concatenate(other)

    def __radd__(self, other: Any) -> "TensorShape":
        return as_shape(other).concatenate(self)

    def __eq__(self, other: object) -> bool:
        """Whether the two are known to be equal: a shape with an unknown size equals nothing but itself."""
        if self is other:
            return True
        try:
            sizes = as_shape(other).sizes
        except TypeError:
            return NotImplemented
        return self.sizes == sizes and (sizes is None or None not in sizes)

    def __ne__(self, other: object) -> bool:
        try:
            shape = as_shape(other)
        except TypeError:
            return NotImplemented
        if self.sizes is None or shape.sizes is None:
            raise ValueError("The inequality of unknown TensorShapes is undefined.")
        return not self == shape

    def __hash__(self) -> int:
        if self._hash is None:
            self._hash = hash(self.sizes)
        return self._hash

    def __str__(self) -> str:
        if self.sizes is None:
            return "<unknown>"
        if len(self.sizes) == 1:
            return f"({Dimension(self.sizes[0])},)"
        return f"({', '.join('?' if size is None else str(size) for size in self.sizes)})"

    def __repr__(self) -> str:
        return f"TensorShape({self.dims})"

    def __reduce__(self) -> tuple[Any, tuple[Sizes | None]]:
        return TensorShape, (self.sizes,)


def _sizes_from(dims: Any) -> Sizes | None:
    if dims is None:
        return None
    if isinstance(dims, TensorShape):
        return dims.sizes
    if isinstance(dims, list | tuple):
        return _sizes_of_elements(dims)
    if hasattr(dims, "unknown_rank"):  # a TensorShapeProto, ours or TensorFlow's
        if dims.unknown_rank:
            return None
        return tuple(None if dim.size == -1 else size_of(dim.size) for dim in dims.dim)
    if isinstance(dims, str | bytes):
        raise TypeError(f"{dims!r} is not a shape: give a size (10) or a sequence of sizes ([1, 10, None]).")
    try:
        elements = iter(dims)
    except TypeError:
        return (size_of(dims),)
    return _sizes_of_elements(elements)


def _sizes_of_elements(elements: Iterable[Any]) -> Sizes:
    return tuple([d if d is None or (type(d) is int and d >= 0) else size_of(d) for d in elements])


def _slice_of_unknown_rank(key: slice) -> TensorShape:
    if key.step is not None:
        raise ValueError("Steps are not yet handled")
    start = 0 if key.start is None else int(key.start)
    if key.stop is None or int(key.stop) < 0 or start < 0:
        return unknown_shape()
    return unknown_shape(max(0, int(key.stop) - start))


def as_shape(shape: Any) -> TensorShape:
    """Returns `shape` as a `TensorShape`; takes what its constructor takes."""
    return shape if isinstance(shape, TensorShape) else TensorShape(shape)


def unknown_shape(rank: int | None = None, *, ndims: int | None = None) -> TensorShape:
    """Returns a shape of which nothing is known but its rank, if given (`ndims` is its older name)."""
    rank = ndims if rank is None else rank
    return TensorShape.from_sizes(None if rank is None else (None,) * rank)


def scalar() -> TensorShape:
    """Returns the shape of a scalar, []."""
    return TensorShape.from_sizes(())


def vector(length: Any) -> TensorShape:
    """Returns the shape [length]; an unknown length is None."""
    return TensorShape([length])


def matrix(rows: Any, cols: Any) -> TensorShape:
    """Returns the shape [rows, cols]; unknown sizes are None."""
    return TensorShape([rows, cols])


@public("dimension_at_index", "compat.dimension_at_index")
def dimension_at_index(shape: TensorShape, index: int) -> Dimension:
    """Returns the size at `index`, unknown where the rank is."""
    return shape[index]


@public("broadcast_static_shape")
def broadcast_shape(shape_x: Any, shape_y: Any) -> TensorShape:
    """Returns the static shape of an elementwise operation on tensors of these shapes, by NumPy's rules.

    An unknown size against one above 1 must be that size (or 1, which is stretched); against 1 or another
    unknown size it stays unknown.

    Raises:
        ValueError: two known sizes differ and neither is 1.
    """
    x, y = as_shape(shape_x), as_shape(shape_y)
    if x.sizes is None or y.sizes is None:
        return unknown_shape()
    rank = max(len(x.sizes), len(y.sizes))
    padded_x = (1,) * (rank - len(x.sizes)) + x.sizes
    padded_y = (1,) * (rank - len(y.sizes)) + y.sizes
    try:
        return TensorShape.from_sizes(tuple(map(_broadcast_size, padded_x, padded_y)))
    except ValueError:
        raise ValueError(f"Incompatible shapes for broadcasting: {x} and {y}") from None


def _broadcast_size(a: int | None, b: int | None) -> int | None:
    if a == b or b == 1:
        return a
    if a == 1:
        return b
    if a is None or b is None:
        return b if a is None else a
    raise ValueError
