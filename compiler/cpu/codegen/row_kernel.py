"""Kernels with reductions along the innermost loops: kinds "rows" and "reduce".

The outer loops run over rows; for each row there are one or more passes over its elements. Between passes stands what
is computed once for each row. A row's elements are in the cache when the second pass begins.
"""

from __future__ import annotations

from sessile.compiler.cpu.codegen import scalar_code
from sessile.compiler.cpu.codegen.accumulator import BLOCK
from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.element_graph import Element
from sessile.compiler.cpu.codegen.emitter import Emitter
from sessile.compiler.cpu.codegen.loops import Loop, LoopNames, counting, iterations, nested
from sessile.compiler.cpu.codegen.reduction_plan import ReductionPlan, Result
from sessile.compiler.cpu.codegen.region_kernel import RegionKernel
from sessile.compiler.fusion.index_maps import Index, strides
from sessile.ir.sizes import product


def write_row_kernel(kernel: RegionKernel, plan: ReductionPlan) -> None:
    """Writes all loops of a region with reductions; parts share the rows."""
    rows = RowWriter(kernel, plan)
    with nested(kernel.writer, rows.names, kernel.writer.body, plan.kept) as row:
        rows.write_row(row)


class RowWriter:
    """Writes the passes over a row."""

    def __init__(self, kernel: RegionKernel, plan: ReductionPlan) -> None:
        self.kernel = kernel
        self.plan = plan
        self.names = LoopNames(kernel.writer, [*plan.kept, *plan.reduced])
        self.emitter: Emitter = kernel.emitter(self.names)
        self.in_blocks = _needs_blocks(plan)
        self._counted = counting(plan.reduced[-1], plan.graph.elements.values()) if plan.reduced else ""
        self._kept = plan.kept_elements(kernel.overwrites)
        self._slots = self._find_slots()
        kernel.count_work(plan.loops, plan.graph.elements.values())

    def write_row(self, row: Block) -> None:
        """All passes over one row, and the results that it has."""
        for number in range(self.plan.passes):
            self._write_pass(row, number)
        self.store([result for result in self.plan.results if not result.in_row], row)

    def store(self, results: list[Result], block: Block) -> None:
        """Computes and stores results; all reads come before the first write."""
        values = [self.emitter.value(result.element, block) for result in results]
        if len(values) > 1:
            values = [self.emitter.named(value, block) for value in values]
        for result, value in zip(results, values, strict=True):
            place = self.names.position(result.position)
            stored = scalar_code.stored(result.element.value.type.dtype, value)
            block.line(f"{self.kernel.result(result.number)}[{place}] = {stored}")

    # --- one pass

    def _write_pass(self, row: Block, number: int) -> None:
        reductions = self.plan.reductions_of(number)
        for accumulator in reductions.values():
            accumulator.begin(row, self.in_blocks)
        self.write_loops(row, self.plan.reduced, number)
        for element, accumulator in reductions.items():
            name = self.emitter.named(accumulator.result(self.in_blocks), row)
            row.names[element] = name

    def write_loops(self, block: Block, loops: list[Loop], number: int, bounds: tuple[str, str] | None = None) -> None:
        """The reduced loops of a pass, the first within `bounds`; the innermost block by block where sums are long."""
        if not loops:
            self._write_element(block, number)
            return
        loop, *inner_loops = loops
        start, stop = bounds or ("", self.kernel.writer.size(loop.size))
        accumulators = [a for a in self.plan.reductions_of(number).values() if a.is_blocked]
        if inner_loops or not self.in_blocks or not accumulators:
            counted = "range" if inner_loops else self._counted
            steps = f"{counted}({start}, {stop})" if start else f"{counted}({stop})"
            with block.inside(f"for {self.names.name(loop)} in {steps}:", loop.axis) as inner:
                self.write_loops(inner, inner_loops, number)
            return
        with block.inside(f"for block in range({start or 0}, {stop}, {BLOCK}):") as around:
            for accumulator in accumulators:
                accumulator.begin_block(around)
            steps = f"range(block, min(block + {BLOCK}, {stop}))"
            with around.inside(f"for {self.names.name(loop)} in {steps}:", loop.axis) as inner:
                self._write_element(inner, number)
            for accumulator in accumulators:
                accumulator.end_block(around)

    def _write_element(self, block: Block, number: int) -> None:
        for element, made in self._kept.items():
            if made < number:
                block.names[element] = self._kept_place(element)
        for element, accumulator in self.plan.reductions_of(number).items():
            accumulator.take(block, self.emitter.value(element.operands[0], block))
        for element, made in self._kept.items():
            if made == number:
                value = self.emitter.value(element, block)
                block.line(f"{self._kept_place(element)} = {value}")
        self.store(self.plan.results_of(number, self.kernel.overwrites), block)

    # --- elements kept from pass to pass

    def _find_slots(self) -> dict[Element, Index]:
        """Where each kept element of a row is in the workspace of a part."""
        sizes = tuple(loop.size for loop in self.plan.reduced)
        terms = tuple(zip((loop.axis for loop in self.plan.reduced), strides(sizes), strict=True))
        row = product(sizes)
        return {element: Index(row * slot, terms) for slot, element in enumerate(self._kept)}

    def _kept_place(self, element: Element) -> str:
        size = product(loop.size for loop in self.plan.reduced) * len(self._kept)
        workspace = self.kernel.writer.workspace(size, scalar_code.held_type(element.value.type.dtype))
        self.kernel.begin_with(f"base = part * {self.kernel.writer.size(size)}")
        return f"{workspace}[base + {self.names.position(self._slots[element])}]"


def _needs_blocks(plan: ReductionPlan) -> bool:
    """Whether sums may be so long that they are added in blocks."""
    elements = iterations(plan.reduced)
    is_short = isinstance(elements, int) and elements <= BLOCK
    return not is_short and any(accumulator.is_blocked for accumulator in plan.reductions.values())
