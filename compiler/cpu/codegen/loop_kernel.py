"""Kernels of kind "loop": elementwise work and movement over one shape, with one or several results.

`concat` and `pad` cut the shape into pieces, each with a nest of loops of its own. Where an operand is read along
another axis than the results are written (a transpose), both axes are run over in tiles that stay in the cache.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

from sessile.compiler.cpu.codegen import scalar_code
from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.element_graph import Choice, CutLoops, Element, ElementGraph
from sessile.compiler.cpu.codegen.emitter import Emitter
from sessile.compiler.cpu.codegen.loops import Loop, LoopNames, collapsed, counting, nested
from sessile.compiler.cpu.codegen.region_kernel import RegionKernel
from sessile.compiler.cpu.codegen.streamed_loop import may_stream, write_streamed
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.index_maps import Index, SplitAxis, reshape_map
from sessile.compiler.kernel_call import KernelCall
from sessile.ir.program import Instruction, Region
from sessile.ir.sizes import Size, maximum, minimum

ROWS, COLUMNS = 16, 64
"""A tile: about a cache line of what is read across, and some of what is written along."""
Roots = list[tuple[Element, Index]]
"""The elements of the results, and where they are written."""


@dataclass(frozen=True)
class Piece:
    """A part of a domain in which each piecewise value is read from one operand."""

    stretches: Mapping[int, tuple[Size, Size]] = field(default_factory=dict)
    choices: Mapping[Choice, int] = field(default_factory=dict)

    def cut(self, cut: CutLoops) -> Iterator[Piece]:
        """The smaller pieces, without those that are surely empty."""
        for number, (start, stop) in enumerate(cut.stretches):
            if cut.axis in self.stretches:
                outer_start, outer_stop = self.stretches[cut.axis]
                start, stop = maximum(start, outer_start), minimum(stop, outer_stop)
            size = stop - start
            if isinstance(size, int) and size <= 0:
                continue
            stretches = {**self.stretches, cut.axis: (start, stop)}
            yield replace(self, stretches=stretches, choices={**self.choices, cut.choice: number})


def loop_calls(instruction: Instruction) -> tuple[KernelCall, ...]:
    """The kernel of a fused instruction of kind "loop"."""
    kernel = RegionKernel(instruction)
    write_loop_kernel(kernel)
    return (kernel.finish(),)


def write_loop_kernel(kernel: RegionKernel) -> None:
    """Writes the loops of a region, piece by piece."""
    for nest in nests(kernel.region):
        _write_nest(kernel, nest)


@dataclass(frozen=True)
class Nest:
    """The loops over one piece of a domain, the elements that an iteration meets, and those that it writes."""

    domain: Domain
    piece: Piece
    graph: ElementGraph
    roots: Roots


def nests(region: Region) -> list[Nest]:
    """The nests of loops that compute a region. Raises NotSimple, NoKernel."""
    domain = domain_of(region)
    while True:
        try:
            return list(_pieces(region, domain))
        except SplitAxis as split:
            domain = domain.split(split.axis, split.sizes)[0]


def _pieces(region: Region, domain: Domain) -> Iterator[Nest]:
    pieces = [Piece()]
    while pieces:
        piece = pieces.pop()
        try:
            graph, roots = _graph(region, domain, piece)
        except CutLoops as cut:
            pieces += reversed(list(piece.cut(cut)))
        else:
            yield Nest(domain, piece, graph, roots)


def domain_of(region: Region) -> Domain:
    """The loops over the region's results."""
    return Domain.over(region.results[0].type.shape)


def _graph(region: Region, domain: Domain, piece: Piece) -> tuple[ElementGraph, Roots]:
    """The elements of the results, and where they are written."""
    graph = ElementGraph(region, domain, piece.choices)
    places = [
        reshape_map(result.type.shape, domain.shape, domain.identity, domain.extents) for result in region.results
    ]
    roots = [(graph.element(r, place), domain.position) for r, place in zip(region.results, places, strict=True)]
    for element, _ in roots:
        element.users += 1
    return graph, roots


def _write_nest(kernel: RegionKernel, nest: Nest) -> None:
    domain, piece, graph, roots = nest.domain, nest.piece, nest.graph, nest.roots
    positions = [element.position for element in graph.elements.values() if element.position is not None]
    positions += [position for _, position in roots]
    loops = collapsed(domain, positions, piece.stretches)
    kernel.count_work(loops, graph.elements.values())
    tiled = tiled_loops(loops, positions)
    if tiled:
        loops = [loop for loop in loops if loop not in tiled] + list(tiled)
    names = LoopNames(kernel.writer, loops)
    emitter = kernel.emitter(names)
    body = kernel.writer.body
    if tiled:
        _write_tiled(kernel, emitter, names, body, loops, roots)
        return
    if not kernel.overwrites and may_stream(loops, graph.elements.values(), roots):
        _write_both(kernel, emitter, names, body, loops[0], roots)
        return
    counted = counting(loops[-1], graph.elements.values()) if loops else ""
    with nested(kernel.writer, names, body, loops, counted) as block:
        store_all(kernel, emitter, block, roots)


def _write_both(
    kernel: RegionKernel, emitter: Emitter, names: LoopNames, body: Block, loop: Loop, roots: Roots
) -> None:
    """Writes a loop with a second body, which stores past the caches."""
    [(root, _)] = roots
    result, dtype = kernel.result(0), root.value.type.dtype
    rest = write_streamed(kernel.writer, names, body, loop, result, dtype, lambda block: emitter.value(root, block))
    with body.inside(f"for {names.name(loop)} in {rest}:", loop.axis) as block:
        store_all(kernel, emitter, block, roots)


def store_all(kernel: RegionKernel, emitter: Emitter, block: Block, roots: Roots) -> None:
    """Computes elements and stores them; all reads come before the first write."""
    values = [emitter.value(element, block) for element, _ in roots]
    if len(values) > 1:
        values = [emitter.named(value, block) for value in values]
    for number, ((element, position), value) in enumerate(zip(roots, values, strict=True)):
        place = emitter.names.position(position)
        block.line(f"{kernel.result(number)}[{place}] = {scalar_code.stored(element.value.type.dtype, value)}")


def tiled_loops(loops: list[Loop], positions: list[Index]) -> tuple[Loop, Loop] | None:
    """The loop along which some operand is adjacent though the results are not, and the innermost loop."""
    if len(loops) < 2:
        return None
    steps = [dict(position.terms) for position in positions]
    if all(own.get(loops[-1].axis, 0) in (0, 1, -1) for own in steps):
        return None
    for loop in reversed(loops[:-1]):
        if any(own.get(loop.axis) in (1, -1) for own in steps):
            return loop, loops[-1]
    return None


def _write_tiled(
    kernel: RegionKernel,
    emitter: Emitter,
    names: LoopNames,
    body: Block,
    loops: list[Loop],
    roots: Roots,
) -> None:
    writer = kernel.writer
    *outer, rows, columns = loops

    def tiles(loop: Loop, name: str, length: int, is_shared: bool) -> str:
        count = f"({writer.size(loop.size)} + {length - 1}) // {length}"
        if is_shared:
            return f"for {name} in range({count} * part // parts, {count} * (part + 1) // parts):"
        return f"for {name} in range({count}):"

    def elements(loop: Loop, name: str, length: int) -> str:
        start = "" if loop.start == 0 else f"{writer.size(loop.start)} + "
        stop = f"min({name} * {length} + {length}, {writer.size(loop.size)})"
        return f"for {names.name(loop)} in range({start}{name} * {length}, {start}{stop}):"

    with (
        nested(writer, names, body, outer, share=bool(outer)) as block,
        block.inside(tiles(rows, "row_tile", ROWS, not outer)) as row_tile,
        row_tile.inside(tiles(columns, "column_tile", COLUMNS, False)) as column_tile,
        column_tile.inside(elements(rows, "row_tile", ROWS), rows.axis) as row,
        row.inside(elements(columns, "column_tile", COLUMNS), columns.axis) as element,
    ):
        store_all(kernel, emitter, element, roots)
