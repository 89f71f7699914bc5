"""The block of a native stage: its steps and the arguments of its kernels, in one array of words.

In: the kernel calls and moves of a stage, and where its values live. Out: the block with all that never changes, and
the places of the rest: numbers, addresses, shares of threads. To bind a stage to sizes is then to copy the block and to
fill the places with a few NumPy assignments, however many kernels there are: that is why a new batch size is cheap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

import numpy as np

from sessile.compiler.cpu.step_loop import StepProgram
from sessile.compiler.cpu.step_loop_code import HEADER_WORDS, STATUS, STEP_WORDS
from sessile.compiler.kernel_call import Buffer, KernelCall, Number, Scratch, Status, StreamState, Workspace
from sessile.compiler.memory_plan import ConstantArray, Dynamic, Home, MemoryPlan, Move, Slot, Variable
from sessile.compiler.size_table import SizeTable
from sessile.compiler.stages import NativeStage
from sessile.ir.program import Instruction
from sessile.ir.types import NUMPY_DTYPES

if TYPE_CHECKING:
    import numpy.typing as npt

Places: TypeAlias = "npt.NDArray[np.int64]"
# The words of a kernel's step and of a copy's.
_ARGUMENTS, _PARTS = 2, 3
_TO, _FROM, _COUNT = 1, 2, 3


class StageLayout(NamedTuple):
    """The block of a stage as a template, and the places in it that a binding fills.

    Attributes:
      instructions: for each step the instruction that it belongs to.
      template: the block; what a binding fills is 0.
      sizes: the sizes that the stage needs, in rows.
      numbers, number_rows: places of numbers, and their rows.
      own, own_offsets: places of addresses inside the block, and how many bytes from its beginning these are.
      slots, slot_numbers: places of addresses in the arena, and of which slots.
      variables, variable_places, variable_numbers: names; places of their addresses, and of which names.
      homes: for each other home that has no fixed address the places of it.
      status, workspaces: places of their addresses.
      streams: places of the addresses of streams' states.
      parts, work_rows: places of the numbers of parts of kernels that threads may share, and the rows of their work.
      all_work_rows: the rows of the work of all steps.
      workspace_rows, workspace_bytes, workspace_kernels: for each workspace the row of its elements, the bytes of one,
        and whose it is: an index into `parts`, or -1 for a kernel that is not shared.
      arrays: the homes that need new memory in each run of the stage.
      symbols: the unknown sizes that must be known before it runs.
    """

    instructions: tuple[Instruction, ...]
    template: Places
    sizes: SizeTable
    numbers: Places
    number_rows: Places
    own: Places
    own_offsets: Places
    slots: Places
    slot_numbers: Places
    variables: tuple[str, ...]
    variable_places: Places
    variable_numbers: Places
    homes: Mapping[Home, tuple[int, ...]]
    status: Places
    workspaces: Places
    streams: Mapping[StreamState, Places]
    parts: Places
    work_rows: Places
    all_work_rows: Places
    workspace_rows: Places
    workspace_bytes: Places
    workspace_kernels: Places
    arrays: tuple[Dynamic, ...]
    symbols: frozenset[str]


def lay_out(stage: NativeStage, moves: Sequence[Move], plan: MemoryPlan, addresses: Mapping[str, int]) -> StageLayout:
    """The layout of a stage that ends with `moves`; `addresses` are those of the kernels."""
    return _Writer(stage, moves, plan, addresses).layout()


class _Writer:
    def __init__(
        self, stage: NativeStage, moves: Sequence[Move], plan: MemoryPlan, addresses: Mapping[str, int]
    ) -> None:
        self.stage, self.moves, self.plan, self.addresses = stage, moves, plan, addresses
        self.calls = [(native.instruction, call) for native in stage.instructions for call in native.calls]
        self.sizes = SizeTable()
        self.numbers: list[tuple[int, int]] = []
        self.own: list[tuple[int, int]] = []
        self.homes: dict[Home, list[int]] = {}
        self.status: list[int] = [STATUS]
        self.workspaces: list[int] = []
        self.workspace_uses: list[tuple[int, int, int]] = []
        self.streams: dict[StreamState, list[int]] = {}
        self.shared: list[tuple[int, int]] = []
        self.work: list[int] = []
        self.length = HEADER_WORDS + STEP_WORDS * (len(self.calls) + len(moves))

    def layout(self) -> StageLayout:
        steps = StepProgram()
        for _, call in self.calls:
            self._place_call(steps.kernel(self.addresses[call.source.name], 0, 1, call.can_fail), call)
        for move in self.moves:
            self._place_move(steps.copy_bytes(0, 0, 0), move)
        control = steps.control(0)
        template = np.zeros(self.length, np.int64)
        template[: len(control)] = control
        slots, variables, homes = self._settled_homes(template)
        numbers, number_rows = _columns(self.numbers, 2)
        own, own_offsets = _columns(self.own, 2)
        slot_places, slot_numbers = _columns(slots, 2)
        names = tuple(dict.fromkeys(name for _, name in variables))
        numbers_of = {name: number for number, name in enumerate(names)}
        variable_places, variable_numbers = _columns([(place, numbers_of[name]) for place, name in variables], 2)
        parts, work_rows = _columns(self.shared, 2)
        workspace_rows, workspace_bytes, workspace_kernels = _columns(self.workspace_uses, 3)
        return StageLayout(
            tuple(instruction for instruction, _ in self.calls) + tuple(move.instruction for move in self.moves),
            template, self.sizes, numbers, number_rows, own, own_offsets, slot_places, slot_numbers,
            names, variable_places, variable_numbers, homes, _places(self.status), _places(self.workspaces),
            {stream: _places(places) for stream, places in self.streams.items()},
            parts, work_rows, _places(self.work), workspace_rows, workspace_bytes, workspace_kernels,
            self._new_arrays(), frozenset(self.sizes.symbols()),
        )  # fmt: skip

    def _place_call(self, number: int, call: KernelCall) -> None:
        step = HEADER_WORDS + STEP_WORDS * number
        self.own.append((step + _ARGUMENTS, 8 * self.length))
        work = self.sizes.row(call.work)
        self.work.append(work)
        kernel = -1
        if call.parallel:
            kernel = len(self.shared)
            self.shared.append((step + _PARTS, work))
        for argument in call.arguments:
            match argument:
                case Buffer(value):
                    self.homes.setdefault(self.plan.homes[value], []).append(self.length)
                case Scratch():
                    self.homes.setdefault(self.plan.scratch[argument], []).append(self.length)
                case Number(size):
                    self.numbers.append((self.length, self.sizes.row(size)))
                case Status():
                    self.status.append(self.length)
                case Workspace(elements, dtype):
                    self.workspaces.append(self.length)
                    self.workspace_uses.append((self.sizes.row(elements), NUMPY_DTYPES[dtype].itemsize, kernel))
                case StreamState():
                    self.streams.setdefault(argument, []).append(self.length)
            self.length += 1

    def _place_move(self, number: int, move: Move) -> None:
        step = HEADER_WORDS + STEP_WORDS * number
        self.homes.setdefault(move.target, []).append(step + _TO)
        self.homes.setdefault(move.source, []).append(step + _FROM)
        size = self.sizes.row(move.bytes)
        self.numbers.append((step + _COUNT, size))
        self.work.append(size)  # a byte moved counts as an operation, which is more than enough

    def _settled_homes(
        self, template: Places
    ) -> tuple[list[tuple[int, int]], list[tuple[int, str]], dict[Home, tuple[int, ...]]]:
        """Fills in the addresses of constants; returns the places of slots, of variables, and of all other homes."""
        slots: list[tuple[int, int]] = []
        variables: list[tuple[int, str]] = []
        homes: dict[Home, tuple[int, ...]] = {}
        for home, places in self.homes.items():
            match home:
                case ConstantArray(array):
                    template[places] = array.ctypes.data
                case Slot(index):
                    slots += [(place, index) for place in places]
                case Variable(name):
                    variables += [(place, name) for place in places]
                case _:
                    homes[home] = tuple(places)
        return slots, variables, homes

    def _new_arrays(self) -> tuple[Dynamic, ...]:
        """What the stage computes in memory of its own for each run."""
        results = [result for native in self.stage.instructions for result in native.instruction.results]
        scratch = [a for _, call in self.calls for a in call.arguments if isinstance(a, Scratch)]
        written = [self.plan.homes[result] for result in results]
        written += [*(self.plan.scratch[argument] for argument in scratch), *(move.target for move in self.moves)]
        return tuple(dict.fromkeys(home for home in written if isinstance(home, Dynamic) and home.type is not None))


def _places(numbers: Iterable[int]) -> Places:
    return np.fromiter(numbers, np.int64)


def _columns(rows: Sequence[tuple[int, ...]], count: int) -> list[Places]:
    return list(np.array(rows, np.int64).reshape(-1, count).T.copy())
