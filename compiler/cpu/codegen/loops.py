"""The loops that a kernel really has: neighbouring loop axes that all accesses treat alike become one.

In: a domain and the positions in memory that an iteration touches. Out: `Loops`, which turns positions into source text
and writes the headers of loops. The outermost loop of a kernel is shared between its parts.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass

from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.element_graph import Element
from sessile.compiler.cpu.codegen.kernel_writer import KernelWriter
from sessile.compiler.fusion.classification import cost
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.index_maps import Index
from sessile.ir.scalar_functions import TRANSCENDENTAL
from sessile.ir.sizes import Size, SizeExpression, maximum, product

_ENOUGH = 16
"""Iterations that can be shared among parts."""
_SHORT, _SHORT_IF_COSTLY = 32, 128
"""Iterations, with cheap and with costly bodies, up to which the rest after whole vectors takes most of the time."""
Stretches = Mapping[int, tuple[Size, Size]]


@dataclass(frozen=True)
class Loop:
    """One loop over neighbouring axes.

    Attributes:
      axes: the loop axes that it runs over, outermost first.
      start, size: the first index and how many there are.
      is_reduced: whether a reduction combines its iterations.
    """

    axes: tuple[int, ...]
    start: Size
    size: Size
    is_reduced: bool

    @property
    def axis(self) -> int:
        """The axis by which positions count its steps."""
        return self.axes[-1]


def collapsed(domain: Domain, positions: Iterable[Index], stretches: Stretches | None = None) -> list[Loop]:
    """The loops over a domain, outermost first; `stretches` are axes of which only a part is run over."""
    stretches = stretches or {}
    steps = [dict(position.terms) for position in dict.fromkeys(positions)]
    loops: list[Loop] = []
    for axis in domain.order:
        start, stop = stretches.get(axis, (0, domain.extents[axis]))
        loop = Loop((axis,), start, stop - start, axis in domain.reduced)
        if loops and axis not in stretches and _go_together(loops[-1], loop, steps, stretches):
            outer = loops.pop()
            loop = Loop((*outer.axes, axis), outer.start * loop.size, outer.size * loop.size, loop.is_reduced)
        loops.append(loop)
    return loops


def _go_together(outer: Loop, inner: Loop, steps: Sequence[dict[int, Size]], stretches: Stretches) -> bool:
    if outer.is_reduced != inner.is_reduced:
        return False
    return all(own.get(outer.axis, 0) == own.get(inner.axis, 0) * inner.size for own in steps)


class LoopNames:
    """How loops and positions are written in a kernel."""

    def __init__(self, writer: KernelWriter, loops: Sequence[Loop]) -> None:
        self._writer = writer
        self._names = {loop.axis: f"i{number}" for number, loop in enumerate(loops)}
        self._loop_of = {axis: loop.axis for loop in loops for axis in loop.axes}

    def name(self, loop: Loop) -> str:
        """The variable of a loop."""
        return self._names[loop.axis]

    def axes(self, axes: Iterable[int]) -> frozenset[int]:
        """The loops, by their axis, that run over some axes."""
        return frozenset(self._loop_of[axis] for axis in axes if axis in self._loop_of)

    def position(self, index: Index) -> str:
        """A position as source text: what is added, then what is subtracted."""
        terms = [(self._names[axis], step) for axis, step in index.terms if axis in self._names]
        terms.sort(key=lambda term: int(term[0][1:]))
        parts = [(name, *_sign(step)) for name, step in terms]
        if index.offset != 0 or not parts:
            parts.append(("", *_sign(index.offset)))
        added = [self._product(name, size) for name, negative, size in parts if not negative]
        subtracted = [self._product(name, size) for name, negative, size in parts if negative]
        return " - ".join([" + ".join(added), *subtracted] if added else ["0", *subtracted])

    def _product(self, name: str, size: Size) -> str:
        if not name:
            return self._writer.size(size)
        return name if size == 1 else f"{name} * {self._writer.size(size)}"


def _sign(size: Size) -> tuple[bool, Size]:
    negative = size < 0 if isinstance(size, int) else all(c < 0 for c in size.terms.values())
    return negative, -size if negative else size


@contextmanager
def nested(
    writer: KernelWriter,
    names: LoopNames,
    block: Block,
    loops: Sequence[Loop],
    counted: str = "range",
    share: bool = True,
) -> Iterator[Block]:
    """The block inside loops, one in the other; the innermost counts by `counted`. Parts share one if `share` holds.

    Without a loop that could be shared, the first part does everything.
    """
    with ExitStack() as stack:
        shared = shared_loop(loops) if loops and share else None
        if share and not loops:
            block = stack.enter_context(block.inside("if part == 0:"))
        for loop in loops:
            steps = whole_range(writer, loop, counted if loop is loops[-1] else "range")
            if loop is shared:
                steps = shared_range(writer, loop)
            block = stack.enter_context(block.inside(f"for {names.name(loop)} in {steps}:", loop.axis))
        yield block


def shared_range(writer: KernelWriter, loop: Loop) -> str:
    """The header's range of a loop of which a part does its share."""
    size = writer.size(size_of(loop))
    start = "" if loop.start == 0 else f"{writer.size(loop.start)} + "
    if size == "1":
        return f"range({start}part // parts, {start}(part + 1) // parts)"
    return f"range({start}{size} * part // parts, {start}{size} * (part + 1) // parts)"


def whole_range(writer: KernelWriter, loop: Loop, counting: str = "range") -> str:
    """The header's range of a loop that is run as a whole."""
    if loop.start == 0:
        return f"{counting}({writer.size(loop.size)})"
    return f"{counting}({writer.size(loop.start)}, {writer.size(loop.start + size_of(loop))})"


def shared_loop(loops: Sequence[Loop]) -> Loop:
    """The loop that parts share: the outermost that has enough iterations for all, or else the longest."""
    sizes = [min(loop.size, _ENOUGH) if isinstance(loop.size, int) else _ENOUGH for loop in loops]
    return loops[sizes.index(max(sizes))]


def counting(loop: Loop, elements: Iterable[Element]) -> str:
    """What counts an innermost loop: `short_range`, which masks the last vector, where few iterations fill vectors."""
    if not isinstance(loop.size, int):
        return "range"
    if loop.size <= _SHORT:
        return "short_range"
    is_costly = any(e.instruction is not None and cost(e.instruction) >= TRANSCENDENTAL for e in elements)
    return "short_range" if is_costly and loop.size <= _SHORT_IF_COSTLY else "range"


def size_of(loop: Loop) -> Size:
    """How many iterations a loop has; a stretch may be empty."""
    return maximum(loop.size, 0) if isinstance(loop.size, SizeExpression) and loop.start != 0 else loop.size


def iterations(loops: Iterable[Loop]) -> Size:
    """How often the body of a nest is run."""
    return product(loop.size for loop in loops)
