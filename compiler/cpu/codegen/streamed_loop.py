"""Loops whose results are too large for the caches: they are stored past them.

A plain store first reads the cache line that it overwrites, which takes a third of the time of a sum of two arrays.
Such a kernel has a second body, which computes a chunk of elements and then writes it as whole lines; the size of the
result decides at run time. Kernels for sizes that cannot be so large have no second body.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.element_graph import Element
from sessile.compiler.cpu.codegen.kernel_writer import KernelWriter
from sessile.compiler.cpu.codegen.loops import Loop, LoopNames
from sessile.compiler.fusion.classification import can_fail, cost
from sessile.compiler.fusion.index_maps import Index
from sessile.ir.scalar_functions import TRANSCENDENTAL
from sessile.ir.sizes import Size, SizeExpression
from sessile.ir.types import NUMPY_DTYPES

CHUNK = 64
"""Elements that are written together: whole cache lines of all types."""
LEAST_BYTES = 1 << 24
"""From this size on a result that stays in no cache costs its next reader nothing."""
_DTYPES = frozenset({"f32", "f64", "i32", "i64"})


def may_stream(loops: Sequence[Loop], elements: Iterable[Element], roots: Sequence[tuple[Element, Index]]) -> bool:
    """Whether loops write one array from end to end, of a size that may be large, as fast as memory takes it."""
    if len(loops) != 1 or len(roots) != 1 or loops[0].start != 0:
        return False
    root, position = roots[0]
    is_adjacent = position.offset == 0 and dict(position.terms).get(loops[0].axis) == 1
    dtype = root.value.type.dtype
    instructions = [element.instruction for element in elements if element.instruction is not None]
    is_cheap = not any(cost(i) >= TRANSCENDENTAL or can_fail(i) for i in instructions)
    return is_adjacent and dtype in _DTYPES and is_cheap and _may_be_large(loops[0].size, dtype)


def _may_be_large(size: Size, dtype: str) -> bool:
    """Whether a size is large, or a product of unknowns alone: a batch of rows of known size seldom is so large."""
    if isinstance(size, SizeExpression):
        return len(size.terms) == 1 and set(size.terms.values()) == {1}
    return size * NUMPY_DTYPES[dtype].itemsize >= LEAST_BYTES


def write_streamed(
    writer: KernelWriter,
    names: LoopNames,
    body: Block,
    loop: Loop,
    result: str,
    dtype: str,
    value: Callable[[Block], str],
) -> str:
    """Writes the second body.

    Args:
      writer, names, body: of the kernel.
      loop: the only loop.
      result, dtype: the array that is written, and its type.
      value: writes what computes an element into a block, and gives its expression.

    Returns the range of what is left for the first body.
    """
    size, name = writer.size(loop.size), names.name(loop)
    chunks = f"{size} // {CHUNK}"
    least = LEAST_BYTES // NUMPY_DTYPES[dtype].itemsize
    body.line(f"first, last = {size} * part // parts, {size} * (part + 1) // parts")
    with body.inside(f"if streams({result}, {size}, {least}):") as branch:
        branch.line(f"chunk = staging({result})")
        shared = f"range({chunks} * part // parts, {chunks} * (part + 1) // parts)"
        with branch.inside(f"for number in {shared}:") as filled:
            with filled.inside(f"for place in range({CHUNK}):", loop.axis) as element:
                element.line(f"{name} = number * {CHUNK} + place")
                element.line(f"chunk[place] = {value(element)}")
            filled.line(f"stream({result}, number * {CHUNK}, chunk)")
        branch.line("end_streaming()")
        branch.line(f"first, last = {chunks} * {CHUNK} if part == parts - 1 else {size}, {size}")
    return "range(first, last)"
