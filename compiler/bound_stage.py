"""A native stage of an executable: its block with numbers and addresses in place, ready to run."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from sessile.compiler.cpu.step_loop import aligned_words, native_loop, new_trace, trace_records
from sessile.compiler.cpu.step_loop_code import TEAM, TRACE
from sessile.compiler.cpu.thread_team import Team, shared_team
from sessile.compiler.executable_memory import ExecutableMemory
from sessile.compiler.memory_plan import Home
from sessile.compiler.session_state import SessionState
from sessile.compiler.size_table import Numbers
from sessile.compiler.stage_layout import StageLayout
from sessile.ir.program import Instruction

# A step is shared among threads when each gets at least this much work (scalar operations, a quarter nanosecond each).
WORK_PER_THREAD = 120_000
# A run of less work than that, some microseconds, does not let go of Python's lock: to get it back may take far longer.
SHORT_WORK = 40_000


class BoundStage:
    """A native stage with its block.

    Args:
      layout: the stage.
      memory: the executable's.
      state: the session's.
      threads: how many may share the work.
      give_memory: tells all stages where a home is in this run.

    Attributes:
      layout: the stage.
      is_late: whether sizes that a run decides must be known before it can be bound.
      is_short: whether a run takes some microseconds at most.
    """

    def __init__(
        self,
        layout: StageLayout,
        memory: ExecutableMemory,
        state: SessionState,
        threads: int,
        give_memory: Callable[[Home, np.ndarray, int], None],
    ) -> None:
        self.layout = layout
        self._memory = memory
        self._state = state
        self._threads = threads
        self._give_memory = give_memory
        self._block = aligned_words(len(layout.template))
        self._words = self._block.data  # quicker than NumPy for a word at a time
        self._address: int = self._block.ctypes.data
        self._team: Team | None = None
        self._run_steps = native_loop().run_steps
        self.is_late = not layout.symbols <= memory.known.keys()
        self.is_short = False
        self._needs_work = self.is_late or bool(layout.arrays)
        if not self.is_late:
            self._bind()

    # --- binding

    def _bind(self) -> None:
        layout, block, memory = self.layout, self._block, self._memory
        block[:] = layout.template
        block[layout.own] = layout.own_offsets + self._address
        sizes = layout.sizes.values(memory.bindings)
        block[layout.numbers] = sizes[layout.number_rows]
        block[layout.slots] = memory.slots[layout.slot_numbers]
        block[layout.status] = memory.status.ctypes.data
        self.is_short = sizes[layout.all_work_rows].sum() <= SHORT_WORK
        for home in layout.homes:
            self.move(home, memory.address(home))
        if len(layout.parts) and self._threads > 1:
            self._share(sizes)
        if len(layout.workspaces):
            block[layout.workspaces] = memory.workspace(self._workspace_bytes(sizes))
        if self.is_late:
            self.find_variables()

    def _share(self, sizes: Numbers) -> None:
        """Lets threads share what is worth it."""
        parts = np.clip(sizes[self.layout.work_rows] // WORK_PER_THREAD, 1, self._threads)
        self._block[self.layout.parts] = parts
        if parts.max() > 1:
            self._team = shared_team(self._threads)
            self._needs_work = True
            self._block[TEAM] = self._team.address

    def _workspace_bytes(self, sizes: Numbers) -> int:
        layout = self.layout
        parts = np.append(self._block[layout.parts], 1)[layout.workspace_kernels]
        return int((sizes[layout.workspace_rows] * layout.workspace_bytes * parts).max())

    def find_variables(self) -> None:
        """Takes over where variables and random streams are now."""
        block, layout, state = self._block, self.layout, self._state
        addresses = np.fromiter(map(state.address, layout.variables), np.int64, len(layout.variables))
        block[layout.variable_places] = addresses[layout.variable_numbers]
        for stream, places in layout.streams.items():
            block[places] = state.stream_state(stream.stream, stream.seed, stream.seed2).ctypes.data

    def move(self, home: Home, address: int) -> None:
        """The home is at another address from now on."""
        for place in self.layout.homes.get(home, ()):
            self._words[place] = address

    def places(self, home: Home) -> list[int]:
        """The addresses of the words that say where a home is."""
        return [self._address + 8 * int(place) for place in self.layout.homes.get(home, ())]

    # --- running

    @property
    def control(self) -> int:
        """The address of the block that the step loop takes."""
        return self._address

    @property
    def needs_preparation(self) -> bool:
        """Whether `prepare` has anything to do."""
        return self._needs_work

    def prepare(self) -> None:
        """What must be done before each run of the steps: memory for results, sizes that are late, threads."""
        for home in self.layout.arrays:
            self._give_memory(home, *self._memory.new_array(home))
        if self.is_late:
            self._bind()
        if self._team is not None:
            self._team.ensure_started()

    def run(self) -> int:
        """Runs the stage; returns 0, or the number of the step that failed, counted from one."""
        self.prepare()
        return self._run_steps(self._address)

    def run_traced(self) -> tuple[int, list[tuple[Instruction, int, int]]]:
        """Runs the stage.

        Returns what `run` does, and for each step its instruction, and when it began and ended (monotonic nanoseconds).
        """
        self.prepare()
        trace = new_trace(len(self.layout.instructions))
        self._block[TRACE] = trace.ctypes.data
        failed = native_loop().run_steps_traced(self._address)
        self._block[TRACE] = 0
        rows = trace_records(trace).tolist()
        return failed, [(self.layout.instructions[step], start, end) for step, start, end in rows]
