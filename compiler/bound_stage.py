"""A native stage of an executable: its argument blocks and steps, with numbers and addresses in place."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from sessile.compiler.argument_layout import ArgumentLayout
from sessile.compiler.cpu.step_loop import StepProgram, native_loop, new_trace, trace_records
from sessile.compiler.cpu.step_loop_code import TRACE
from sessile.compiler.cpu.thread_team import Team, shared_team
from sessile.compiler.kernel_call import KernelCall, Workspace
from sessile.compiler.memory_plan import Dynamic, Home
from sessile.ir.program import Instruction
from sessile.ir.sizes import evaluate
from sessile.ir.types import NUMPY_DTYPES

if TYPE_CHECKING:
    from sessile.compiler.executable import Executable

# A step is shared among threads when each gets at least this much work (scalar operations, a quarter nanosecond each).
WORK_PER_THREAD = 120_000


class BoundStage:
    """A native stage with its argument blocks and steps."""

    def __init__(self, executable: Executable, layout: ArgumentLayout) -> None:
        self._executable = executable
        self._layout = layout
        self._is_late = not layout.symbols() <= executable.bindings.keys()
        self._own = [home for home in layout.buffers if isinstance(home, Dynamic) and self._defines(home)]
        self._moved: dict[Home, int] = {}
        self._control: np.ndarray | None = None
        self._control_address = 0
        self._team: Team | None = None
        self._run_steps = native_loop().run_steps
        if not self._is_late:
            self._bind()

    def _defines(self, home: Dynamic) -> bool:
        homes = self._executable.native.plan.homes
        return home.type is not None and any(homes[r] is home for i in self._layout.instructions for r in i.results)

    def _bind(self) -> None:
        executable, layout = self._executable, self._layout
        arguments = layout.numbers(executable.bindings)
        for home, places in layout.buffers.items():
            address = executable.static_address(home)
            arguments[places] = self._moved.get(home, 0) if address is None else address
        arguments[layout.status] = executable.status_address()
        parts = [self._parts(call) for call in layout.calls]
        if layout.workspaces:
            arguments[layout.workspaces] = executable.workspace_address(self._workspace_bytes(parts))
        for stream, places in layout.streams.items():
            arguments[places] = executable.stream_address(stream.stream, stream.seed, stream.seed2)
        self._arguments = arguments
        self._control = self._steps(parts)
        self._control_address = self._control.ctypes.data

    def _steps(self, parts: Sequence[int]) -> np.ndarray:
        executable, layout = self._executable, self._layout
        steps = StepProgram()
        base = self._arguments.ctypes.data
        for call, offset, count in zip(layout.calls, layout.offsets, parts, strict=True):
            address = executable.native.addresses[call.source.name]
            steps.kernel(address, base + 8 * offset, count, fallible=call.can_fail)
        team = 0
        if max(parts, default=1) > 1:
            self._team = shared_team(executable.threads)
            team = self._team.address
        return steps.control(executable.status_address(), team)

    def _parts(self, call: KernelCall) -> int:
        if not call.parallel or self._executable.threads == 1:
            return 1
        work = evaluate(call.work, self._executable.bindings)
        return max(1, min(self._executable.threads, work // WORK_PER_THREAD))

    def _workspace_bytes(self, parts: Sequence[int]) -> int:
        return max(
            evaluate(a.elements, self._executable.bindings) * NUMPY_DTYPES[a.dtype].itemsize * count
            for call, count in zip(self._layout.calls, parts, strict=True)
            for a in call.arguments
            if isinstance(a, Workspace)
        )

    def move(self, home: Home, address: int) -> None:
        """The home is at another address from now on."""
        places = self._layout.buffers.get(home)
        if places is None:
            return
        self._moved[home] = address
        if self._control is not None:
            self._arguments[places] = address

    def move_workspace(self, address: int) -> None:
        if self._control is not None and self._layout.workspaces:
            self._arguments[self._layout.workspaces] = address

    def run(self) -> None:
        """Runs the stage. Raises LocatedFailure when a kernel has set the status words."""
        self._prepare()
        failed = self._run_steps(self._control_address)
        if failed:
            raise self._executable.failure(self._layout.instructions[failed - 1])

    def run_traced(self) -> list[tuple[Instruction, int, int]]:
        """Runs the stage; returns for each kernel its instruction, and when it began and ended (monotonic nanoseconds).
        """
        self._prepare()
        assert self._control is not None
        trace = new_trace(len(self._layout.calls))
        self._control[TRACE] = trace.ctypes.data
        failed = native_loop().run_steps_traced(self._control_address)
        self._control[TRACE] = 0
        if failed:
            raise self._executable.failure(self._layout.instructions[failed - 1])
        rows = trace_records(trace).tolist()
        return [(self._layout.instructions[step], start, end) for step, start, end in rows]

    def _prepare(self) -> None:
        for home in self._own:
            self._executable.new_array(home)
        if self._is_late:
            self._bind()
        if self._team is not None:
            self._team.ensure_started()
