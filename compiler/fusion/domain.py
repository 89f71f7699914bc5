"""The loops of a kernel: one axis for each axis of the shape that it runs over, finer where a reshape asks for it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache

from sessile.compiler.fusion.index_maps import ZERO, Index, Map, Shape, axis_index, linear, strides
from sessile.ir.sizes import Size


@dataclass(frozen=True)
class Domain:
    """The shape that a kernel runs over and its loop axes.

    Attributes:
      shape: sizes of the values that have an element for each iteration.
      axes: for each axis of the shape the loop axes that run over it, outermost first; none where the size is 1.
      extents: the size of each loop axis.
      reduced: the loop axes that a reduction combines.
    """

    shape: Shape
    axes: tuple[tuple[int, ...], ...]
    extents: dict[int, Size]
    reduced: frozenset[int] = frozenset()

    @staticmethod
    def over(shape: Shape, reduced: Iterable[int] = ()) -> Domain:
        """One loop axis for each axis of `shape`; `reduced` are axes of the shape."""
        return _over(shape, tuple(reduced))

    @cached_property
    def order(self) -> tuple[int, ...]:
        """All loop axes, outermost first."""
        return tuple(axis for axes in self.axes for axis in axes)

    @cached_property
    def kept(self) -> tuple[int, ...]:
        """The loop axes that no reduction combines."""
        return tuple(axis for axis in self.order if axis not in self.reduced)

    @cached_property
    def identity(self) -> Map:
        """The map of a value of the domain's shape."""
        return tuple(self._along(axes) for axes in self.axes)

    @cached_property
    def position(self) -> Index:
        """Where the element of a value of the domain's shape is in memory."""
        return linear(self.identity, self.shape)

    @cached_property
    def kept_position(self) -> Index:
        """Where the element of a value with the axes that are not reduced is in memory."""
        chosen = [k for k, axes in enumerate(self.axes) if not self.reduced.intersection(axes)]
        return linear(tuple(self.identity[k] for k in chosen), tuple(self.shape[k] for k in chosen))

    def _along(self, axes: tuple[int, ...]) -> Index:
        if not axes:
            return ZERO
        if len(axes) == 1:
            return axis_index(axes[0])
        steps = strides(tuple(self.extents[axis] for axis in axes))
        return Index(0, tuple(sorted(zip(axes, steps, strict=True))))

    def split(self, axis: int, sizes: Shape) -> tuple[Domain, tuple[tuple[int, Size], ...]]:
        """The domain with one loop axis cut into several, and these with the steps that they take on the old one."""
        first = max(self.extents) + 1
        sizes = tuple(size for size in sizes if size != 1)
        new = tuple(range(first, first + len(sizes)))
        axes = tuple(tuple(part for own in group for part in (new if own == axis else (own,))) for group in self.axes)
        extents = {own: size for own, size in self.extents.items() if own != axis}
        extents |= zip(new, sizes, strict=True)
        reduced = (self.reduced - {axis}) | set(new) if axis in self.reduced else self.reduced
        return replace(self, axes=axes, extents=extents, reduced=reduced), tuple(zip(new, strides(sizes), strict=True))


@lru_cache(maxsize=1024)
def _over(shape: Shape, reduced: tuple[int, ...]) -> Domain:
    axes = tuple(() if size == 1 else (axis,) for axis, size in enumerate(shape))
    extents = {axis: size for axis, size in enumerate(shape) if size != 1}
    return Domain(shape, axes, extents, frozenset(reduced) & extents.keys())
