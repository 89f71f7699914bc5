"""What does not depend on sizes or sessions of a program to be run: stages, memory plan, blocks, kernels' addresses."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sessile.compiler.memory_plan import MemoryPlan, SizeArray, Variable, plan_memory
from sessile.compiler.size_table import Numbers, SizeTable
from sessile.compiler.stage_layout import StageLayout, lay_out
from sessile.compiler.stages import HostStage, NativeStage, Stage
from sessile.ir.program import Program
from sessile.ir.sizes import Bindings
from sessile.ir.types import NUMPY_DTYPES, TensorType


class NativeProgram:
    """A program with addresses for its kernels, shared by all sessions and sizes.

    Args:
      program, stages: what to run.
      bindings: the sizes of one call, which guide the memory plan.
      stored: the types of the variables that have a value.
      addresses: where the kernels are, by name.

    Attributes:
      plan: where values live.
      layouts: for each stage its block; None for those on the host.
      parameters: the instructions of the parameters, in order.
      variables: the types of the variables that native stages and results name.
      size_arrays: the homes of sizes that values hold.
      runs_in_one_go: whether it takes native stages alone, and no copies in Python.
      is_stateless: whether it touches neither variables nor random streams.
    """

    def __init__(
        self,
        program: Program,
        stages: Sequence[Stage],
        bindings: Mapping[str, int],
        stored: Mapping[str, TensorType],
        addresses: Mapping[str, int],
    ) -> None:
        self.program = program
        self.plan: MemoryPlan = plan_memory(program, stages, bindings, stored)
        self.stages: tuple[Stage, ...] = tuple(stages)
        if self.plan.moves and (not stages or isinstance(stages[-1], HostStage)):
            self.stages = (*stages, NativeStage(()))
        self.layouts = self._lay_out(addresses)
        self.parameters = [i for i in program.instructions if i.name == "parameter"]
        self.size_arrays = tuple(
            home for home in dict.fromkeys(self.plan.homes.values()) if isinstance(home, SizeArray)
        )
        names = [name for layout in self.layouts if layout for name in layout.variables]
        names += [home.name for home in self.plan.results if isinstance(home, Variable)]
        read = {i.attributes["name"]: i.result.type for i in program.instructions if i.name == "read_variable"}
        types = {**stored, **read}
        self.variables = {name: types[name] for name in dict.fromkeys(names)}
        self.runs_in_one_go = not self.plan.copies and all(self.layouts)
        self.is_stateless = not self.variables and not any(layout.streams for layout in self.layouts if layout)
        self._slots = _SlotSizes(self.plan)

    def _lay_out(self, addresses: Mapping[str, int]) -> list[StageLayout | None]:
        layouts: list[StageLayout | None] = []
        for number, stage in enumerate(self.stages, start=1):
            moves = self.plan.moves if number == len(self.stages) else ()
            layouts.append(lay_out(stage, moves, self.plan, addresses) if isinstance(stage, NativeStage) else None)
        return layouts

    def slot_bytes(self, bindings: Bindings) -> Numbers:
        """The size of each slot of the arena at the sizes of a binding."""
        return self._slots.bytes(bindings)


class _SlotSizes:
    """Each slot is as large as its largest tenant."""

    def __init__(self, plan: MemoryPlan) -> None:
        self._table = SizeTable()
        rows: list[int] = []
        self._starts: list[int] = []
        for tenants in plan.slot_tenants:
            self._starts.append(len(rows))
            rows += [self._table.row(tenant.size * NUMPY_DTYPES[tenant.dtype].itemsize) for tenant in tenants]
        self._rows = np.array(rows, np.int64)

    def bytes(self, bindings: Bindings) -> Numbers:
        if not self._starts:
            return np.zeros(0, np.int64)
        return np.maximum.reduceat(self._table.values(bindings)[self._rows], self._starts)
