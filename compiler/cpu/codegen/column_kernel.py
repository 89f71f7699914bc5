"""Kernels of kind "reduce" whose innermost loop is kept: sums of columns, as for the gradient of a bias.

A row of accumulators lies in the workspace; the reduced loops go over the rows of the operand and add each to it, so
that memory is read in order. Columns are taken in tiles that stay in the cache, and parts share them.
"""

from __future__ import annotations

from sessile.compiler.cpu.codegen.accumulator import Accumulator
from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.element_graph import Element
from sessile.compiler.cpu.codegen.emitter import comment_of
from sessile.compiler.cpu.codegen.loops import Loop, nested, whole_range
from sessile.compiler.cpu.codegen.reduction_plan import ReductionPlan
from sessile.compiler.cpu.codegen.region_kernel import RegionKernel
from sessile.compiler.cpu.codegen.row_kernel import RowWriter

TILE = 1024


def write_column_kernel(kernel: RegionKernel, plan: ReductionPlan) -> None:
    """Writes all loops of a region whose reductions keep the innermost loop."""
    columns = ColumnWriter(kernel, plan)
    outer = plan.kept[:-1]
    with nested(kernel.writer, columns.names, kernel.writer.body, outer, share=bool(outer)) as block:
        columns.write(block, is_shared=not outer)


class ColumnWriter:
    """Writes tiles of columns."""

    def __init__(self, kernel: RegionKernel, plan: ReductionPlan, rows: RowWriter | None = None) -> None:
        self.kernel = kernel
        self.plan = plan
        self.rows = rows or RowWriter(kernel, plan)
        self.names = self.rows.names
        self.columns = plan.kept[-1]
        self._wide = wide_type(plan)

    def write(self, block: Block, is_shared: bool) -> None:
        """All columns, or those of a part."""
        writer = self.kernel.writer
        size = writer.size(self.columns.size)
        column = self.names.name(self.columns)
        start, stop = "0", size
        if is_shared:
            start, stop = "first", "last"
            block.line(f"first = {size} * part // parts")
            block.line(f"last = {size} * (part + 1) // parts")
        if isinstance(self.columns.size, int) and self.columns.size <= TILE:
            # Plain loops, short or not: reading again what was just written under a mask would wait for it.
            self._write_tile(block, f"for {column} in range({start}, {stop}):", "")
            return
        with block.inside(f"for tile in range({start}, {stop}, {TILE}):") as tile:
            tile.line(f"end = min(tile + {TILE}, {stop})")
            self._write_tile(tile, f"for {column} in range(tile, end):", " - tile")

    def _write_tile(self, tile: Block, header: str, origin: str) -> None:
        """All that is done for some columns, which fit the workspace from `origin` on."""
        workspace = self.kernel.writer.workspace(TILE * len(self.plan.reductions), self._wide)
        self.kernel.begin_with(f"base = part * {TILE * len(self.plan.reductions)}")
        rows = [f"base + {number * TILE}" if number else "base" for number in range(len(self.plan.reductions))]
        places = {
            element: f"{workspace}[{row} + {self.names.name(self.columns)}{origin}]"
            for element, row in zip(self.plan.reductions, rows, strict=True)
        }
        with tile.inside(header, self.columns.axis) as begin:
            for element, accumulator in self.plan.reductions.items():
                begin.line(f"{places[element]} = {accumulator.identity(self._wide)}")
        self.add_rows(tile, self.plan.reduced, header, places)
        with tile.inside(header, self.columns.axis) as end:
            self.finish_columns(end, places)

    def add_rows(
        self,
        block: Block,
        loops: list[Loop],
        header: str,
        places: dict[Element, str],
        bounds: tuple[str, str] | None = None,
    ) -> None:
        """The reduced loops, the first within `bounds`, which take rows into the accumulators at `places`."""
        if loops:
            steps = f"range({', '.join(bounds)})" if bounds else whole_range(self.kernel.writer, loops[0])
            with block.inside(f"for {self.names.name(loops[0])} in {steps}:", loops[0].axis) as inner:
                self.add_rows(inner, loops[1:], header, places)
            return
        with block.inside(header, self.columns.axis) as inner:
            for element, accumulator in self.plan.reductions.items():
                x = self.rows.emitter.value(element.operands[0], inner)
                self._take(inner, accumulator, places[element], x)
            self.rows.store(self.plan.results_of(0, last=False), inner)

    def _take(self, block: Block, accumulator: Accumulator, place: str, x: str) -> None:
        x = x if self._wide == accumulator.held else f"{self._wide}({x})"
        block.line(f"{place} = {accumulator.combined(place, x, self._wide)}", comment_of(accumulator.instruction))

    def finish_columns(self, block: Block, places: dict[Element, str]) -> None:
        """What is computed once for each column, from the accumulators at `places`."""
        for element, accumulator in self.plan.reductions.items():
            block.names[element] = self.rows.emitter.named(accumulator.narrowed(places[element], self._wide), block)
        self.rows.store([result for result in self.plan.results if not result.in_row], block)


def wide_type(plan: ReductionPlan) -> str:
    """The type of accumulators in memory: sums of floats are kept in f64."""
    accumulators = list(plan.reductions.values())
    return accumulators[0].wide if any(a.is_blocked for a in accumulators) else accumulators[0].held
