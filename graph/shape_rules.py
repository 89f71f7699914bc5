"""What rules for static shapes ask of their inputs, with TensorFlow's wording when the answer is no.

In come tensors and shapes of which parts may be unknown, out go shapes that know what follows. Raising ValueError is
enough: the framework adds the operation, its inputs, and the user's line.
"""

from __future__ import annotations

import math
from typing import Any

from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import Sizes, TensorShape

UNKNOWN = TensorShape.from_sizes(None)
SCALAR = TensorShape.from_sizes(())


def sizes_of(value: Tensor | TensorShape) -> Sizes | None:
    """The sizes of a shape or of a tensor's shape; None while the rank is unknown."""
    return value.sizes if isinstance(value, TensorShape) else value._shape.sizes


def shape_text(value: Tensor | TensorShape) -> str:
    """A shape as messages show it: `[2,?]`."""
    sizes = sizes_of(value)
    return "<unknown>" if sizes is None else f"[{','.join('?' if size is None else str(size) for size in sizes)}]"


def of_rank(value: Tensor | TensorShape, rank: int) -> Sizes:
    """The sizes of what must have `rank` axes; all unknown where the rank is. Raises ValueError for another rank."""
    sizes = sizes_of(value)
    if sizes is None:
        return (None,) * rank
    if len(sizes) != rank:
        raise ValueError(f"Shape must be rank {rank} but is rank {len(sizes)}")
    return sizes


def of_rank_at_least(value: Tensor | TensorShape, rank: int) -> Sizes | None:
    """The sizes of what must have `rank` axes or more. Raises ValueError for fewer."""
    sizes = sizes_of(value)
    if sizes is not None and len(sizes) < rank:
        raise ValueError(f"Shape must be at least rank {rank} but is rank {len(sizes)}")
    return sizes


def of_rank_at_most(value: Tensor | TensorShape, rank: int) -> Sizes | None:
    """The sizes of what must have `rank` axes or fewer. Raises ValueError for more."""
    sizes = sizes_of(value)
    if sizes is not None and len(sizes) > rank:
        raise ValueError(f"Shape must be at most rank {rank} but is rank {len(sizes)}")
    return sizes


def same_size(a: int | None, b: int | None) -> int | None:
    """What is known of one size under two names. Raises ValueError when they differ."""
    if a is None or a == b:
        return b
    if b is None:
        return a
    raise ValueError(f"Dimensions must be equal, but are {a} and {b}")


def same_shape(x: Tensor | TensorShape, y: Tensor | TensorShape) -> TensorShape:
    """What is known of one shape under two names. Raises ValueError when they differ."""
    a, b = sizes_of(x), sizes_of(y)
    if a is None or b is None:
        return TensorShape.from_sizes(b if a is None else a)
    if len(a) != len(b):
        raise ValueError(f"Shapes must be equal rank, but are {len(a)} and {len(b)}")
    for axis, (left, right) in enumerate(zip(a, b, strict=True)):
        if left != right and left is not None and right is not None:
            raise ValueError(
                f"Dimension {axis} in both shapes must be equal, but are {left} and {right}. Shapes are "
                f"{shape_text(x)} and {shape_text(y)}."
            )
    return TensorShape.from_sizes(tuple(r if left is None else left for left, r in zip(a, b, strict=True)))


def broadcast(x: Tensor | TensorShape, y: Tensor | TensorShape) -> TensorShape:
    """The shape of an elementwise operation on both, by NumPy's rules. Raises ValueError when they do not fit."""
    x, y = (x if isinstance(x, TensorShape) else x._shape), (y if isinstance(y, TensorShape) else y._shape)
    a, b = x.sizes, y.sizes
    if a is None or b is None:
        return UNKNOWN
    if a == b or not b:
        return x
    if not a:
        return y
    rank = max(len(a), len(b))
    a, b = (1,) * (rank - len(a)) + a, (1,) * (rank - len(b)) + b
    return TensorShape.from_sizes(tuple(map(_broadcast_size, a, b)))


def _broadcast_size(a: int | None, b: int | None) -> int | None:
    if a == 1 or a == b:
        return b
    if b == 1:
        return a
    if a is None or b is None:  # the known one is above 1, and is the result unless the run fails
        return b if a is None else a
    raise ValueError(f"Dimensions must be equal, but are {a} and {b}")


def concatenated(*parts: Sizes | None) -> TensorShape:
    """The sizes one part after the other; unknown where the rank of one is."""
    if any(part is None for part in parts):
        return UNKNOWN
    return TensorShape.from_sizes(tuple(size for part in parts if part is not None for size in part))


def product(sizes: Sizes | None) -> int | None:
    """The number of elements; None while it is not known."""
    if sizes is None:
        return None
    if 0 in sizes:
        return 0
    return None if None in sizes else math.prod(sizes)  # type: ignore[arg-type]


def axis_in(axis: Any, rank: int, name: str = "axis") -> int:
    """`axis` counted from the front. Raises ValueError when there is no such axis."""
    if not -rank <= axis < rank:
        raise ValueError(f"Invalid {name}: {int(axis)} is not in [{-rank}, {rank})")
    return int(axis) + rank if axis < 0 else int(axis)
