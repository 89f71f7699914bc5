"""Large reductions to few results, in two kernels that all parts share: stretches, then the results from theirs.

The stretches are a fixed number, whatever the number of parts, so that results do not depend on the number of threads.
Partial results lie in scratch memory that both kernels know.
"""

from __future__ import annotations

from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.column_kernel import ColumnWriter, wide_type
from sessile.compiler.cpu.codegen.element_graph import Element
from sessile.compiler.cpu.codegen.loops import Loop, iterations
from sessile.compiler.cpu.codegen.reduction_plan import ReductionPlan
from sessile.compiler.cpu.codegen.region_kernel import RegionKernel
from sessile.compiler.cpu.codegen.row_kernel import RowWriter
from sessile.compiler.kernel_call import KernelCall, Scratch
from sessile.ir.program import Instruction
from sessile.ir.sizes import Size, evaluate, symbols_of

STRETCHES = 32
_LARGE = 1 << 18
_MOST_COLUMNS = 512
_USUAL_SIZE = 256


def is_worth_parting(plan: ReductionPlan) -> bool:
    """Whether a reduction has so much work for so few results that parts should share each result."""
    if plan.passes != 1 or len(plan.kept) > 1 or not plan.reduced:
        return False
    columns = iterations(plan.kept)
    has_few = isinstance(columns, int) and columns <= _MOST_COLUMNS
    return has_few and plan.loops[0].is_reduced and usual(iterations(plan.loops)) >= _LARGE


def usual(size: Size) -> int:
    """A guess at a size: unknown ones are taken for a usual batch."""
    return evaluate(size, dict.fromkeys(symbols_of(size), _USUAL_SIZE))


def partial_calls(instruction: Instruction, plan: ReductionPlan) -> tuple[KernelCall, ...]:
    """The call that reduces stretches, and the one that combines them."""
    count = STRETCHES * len(plan.reductions) * column_count(plan)
    scratch = Scratch(count, wide_type(plan))
    first = _Partial(RegionKernel(instruction), plan, scratch)
    first.write_stretches()
    second = _Partial(RegionKernel(instruction), plan, scratch)
    second.write_combination()
    return first.kernel.finish(), second.kernel.finish()


def column_count(plan: ReductionPlan) -> int:
    """How many results each reduction has, which is a known number."""
    count = iterations(plan.kept)
    assert isinstance(count, int)
    return count


class _Partial:
    """Writes one of the two kernels."""

    def __init__(self, kernel: RegionKernel, plan: ReductionPlan, scratch: Scratch) -> None:
        self.kernel = kernel
        self.plan = plan
        self._rows = RowWriter(kernel, plan)
        self._names = self._rows.names
        self._columns: Loop | None = plan.kept[0] if plan.kept else None
        self._wide = scratch.dtype
        self._count = column_count(plan)
        self._scratch = kernel.writer.scratch(scratch)

    def _places(self) -> dict[Element, str]:
        """The partial result of each reduction for a stretch, and for a column if there are any."""
        number = len(self.plan.reductions)
        places: dict[Element, str] = {}
        for k, element in enumerate(self.plan.reductions):
            place = "stretch" if number == 1 else f"stretch * {number}{f' + {k}' if k else ''}"
            if self._columns is not None:
                row = place if number == 1 else f"({place})"
                place = f"{row} * {self.kernel.writer.size(self._count)} + {self._names.name(self._columns)}"
            places[element] = f"{self._scratch}[{place}]"
        return places

    # --- the first kernel

    def write_stretches(self) -> None:
        """Reduces each stretch of the outermost loop."""
        body = self.kernel.writer.body
        header = f"for stretch in range({STRETCHES} * part // parts, {STRETCHES} * (part + 1) // parts):"
        with body.inside(header) as stretch:
            if self._columns is None:
                self._reduce_stretch(stretch)
            elif self.plan.loops[-1].is_reduced:
                with stretch.inside(self._column_header(self._columns), self._columns.axis) as column:
                    self._reduce_stretch(column)
            else:
                self._reduce_columns(stretch, self._columns)

    def _column_header(self, columns: Loop) -> str:
        return f"for {self._names.name(columns)} in range({self.kernel.writer.size(columns.size)}):"

    def _bounds(self) -> tuple[str, str]:
        size = self.kernel.writer.size(self.plan.reduced[0].size)
        return f"{size} * stretch // {STRETCHES}", f"{size} * (stretch + 1) // {STRETCHES}"

    def _reduce_stretch(self, stretch: Block) -> None:
        self._rows.in_blocks = True
        accumulators = self.plan.reductions
        for accumulator in accumulators.values():
            accumulator.begin(stretch, in_blocks=True)
        self._rows.write_loops(stretch, self.plan.reduced, 0, self._bounds())
        for element, place in self._places().items():
            stretch.line(f"{place} = {accumulators[element].partial(self._wide)}")

    def _reduce_columns(self, stretch: Block, columns: Loop) -> None:
        writer = ColumnWriter(self.kernel, self.plan, self._rows)
        header = self._column_header(columns)
        places = self._places()
        with stretch.inside(header, columns.axis) as begin:
            for element, accumulator in self.plan.reductions.items():
                begin.line(f"{places[element]} = {accumulator.identity(self._wide)}")
        writer.add_rows(stretch, self.plan.reduced, header, places, self._bounds())

    # --- the second kernel

    def write_combination(self) -> None:
        """Combines the stretches, and computes what follows from the results."""
        body = self.kernel.writer.body
        self.kernel.set_work(STRETCHES * self._count)
        if self._columns is None:
            with body.inside("if part == 0:") as block:
                self._combine(block)
            return
        size = self.kernel.writer.size(self._columns.size)
        steps = f"range({size} * part // parts, {size} * (part + 1) // parts)"
        with body.inside(f"for {self._names.name(self._columns)} in {steps}:", self._columns.axis) as block:
            self._combine(block)

    def _combine(self, block: Block) -> None:
        places = self._places()
        for accumulator in self.plan.reductions.values():
            block.line(f"{accumulator.name} = {accumulator.identity(self._wide)}")
        with block.inside(f"for stretch in range({STRETCHES}):") as inner:
            for element, accumulator in self.plan.reductions.items():
                inner.line(
                    f"{accumulator.name} = {accumulator.combined(accumulator.name, places[element], self._wide)}"
                )
        for element, accumulator in self.plan.reductions.items():
            result = accumulator.narrowed(accumulator.name, self._wide)
            block.names[element] = self._rows.emitter.named(result, block)
        self._rows.store([result for result in self.plan.results if not result.in_row], block)
