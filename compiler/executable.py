"""Executables: a program's stages bound to sizes, memory and a session's state, ready to run.

`NativeProgram` is what all sessions share: stages, plan, layouts, kernel addresses. `Executable` belongs to one
session and one set of sizes. Running it copies (or points at) the feeds, calls the native stages, runs what the host
must do between them, moves new values into variables that could not be computed in place, and copies the results out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from sessile.compiler.argument_layout import lay_out
from sessile.compiler.bound_stage import BoundStage
from sessile.compiler.feed_writer import feed_writer
from sessile.compiler.memory_plan import (
    ALIGNMENT,
    LARGE_RESULT_BYTES,
    ConstantArray,
    Dynamic,
    Home,
    MemoryPlan,
    Parameter,
    SizeArray,
    Slot,
    Variable,
    byte_size,
    plan_memory,
)
from sessile.compiler.result_memory import result_memory
from sessile.compiler.stages import HostStage, NativeStage, Stage
from sessile.ir.interpreter import LocatedFailure, RunContext, evaluate_instruction
from sessile.ir.primitive import RunFailure
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.sizes import evaluate, symbols_of
from sessile.ir.types import NUMPY_DTYPES, TensorType

SMALL_FEED_BYTES = 1 << 14
STATUS_WORDS = 8


class SessionState(Protocol):
    """What an executable needs of the session that it runs in."""

    lock: Any
    generation: int

    def value(self, name: str) -> np.ndarray: ...
    def assign(self, name: str, value: np.ndarray) -> None: ...
    def stream_state(self, stream: str, seed: int, seed2: int) -> np.ndarray: ...


class RunObserver(Protocol):
    """Who watches a run: `traces` asks for the times of all kernels."""

    traces: bool

    def will_run(self, instruction: Instruction) -> None: ...
    def ran(self, instruction: Instruction, started: int, ended: int, outputs: Sequence[np.ndarray]) -> None: ...


class NativeProgram:
    """The part of an executable that does not depend on sizes or sessions."""

    def __init__(
        self,
        program: Program,
        stages: Sequence[Stage],
        bindings: Mapping[str, int],
        stored: Mapping[str, TensorType],
        addresses: Mapping[str, int],
    ) -> None:
        self.program = program
        self.stages = tuple(stages)
        self.plan: MemoryPlan = plan_memory(program, stages, bindings, stored)
        self.layouts = [lay_out(s, self.plan.homes) if isinstance(s, NativeStage) else None for s in stages]
        self.addresses = addresses
        self.parameters = [i for i in program.instructions if i.name == "parameter"]


class Executable:
    """A program bound to sizes and to a session. Not safe to run twice at once: the session keeps several if need be.
    """

    def __init__(self, native: NativeProgram, bindings: Mapping[str, int], state: SessionState, threads: int) -> None:
        self.native = native
        self.bindings = dict(bindings)
        self._known = dict(bindings)
        self._state = state
        self._threads = threads
        self._status = np.zeros(STATUS_WORDS, np.int64)
        self._dynamic: dict[Home, np.ndarray] = {}
        self._allocate_arena()
        self._place_parameters()
        self._constants = {
            home: self._constant(home)
            for home in native.plan.homes.values()
            if isinstance(home, (ConstantArray, SizeArray)) and self._is_known(home)
        }
        self._stages = [BoundStage(self, layout) if layout is not None else None for layout in native.layouts]
        self._generation = -1
        self._results = [self._result_reader(value) for value in native.program.results]
        self.is_simple = not native.plan.copies and all(stage is not None for stage in self._stages)
        self._pointed = [index for index, view in enumerate(self._feed_views) if view is None]
        self._writers = [
            self._pointer(index) if view is None else feed_writer(view) for index, view in enumerate(self._feed_views)
        ]
        self._runs = [stage.run for stage in self._stages if stage is not None]
        self._is_pure = self.is_simple and not any(
            isinstance(home, Variable) or layout.streams
            for layout in native.layouts
            if layout
            for home in layout.buffers
        )

    # --- binding

    def _allocate_arena(self) -> None:
        plan = self.native.plan
        known_sizes = [-(-size // ALIGNMENT) * ALIGNMENT for size in plan.slot_bytes(self._known)]
        offsets = np.concatenate([[0], np.cumsum(known_sizes, dtype=np.int64)]).astype(np.int64)
        self._arena, base = aligned_bytes(int(offsets[-1]))
        self._slot_offsets = (offsets[:-1] + base).tolist()
        self._arena_address = self._arena.ctypes.data
        self._workspace: np.ndarray | None = None

    def workspace_address(self, needed: int) -> int:
        """The address of scratch memory of at least `needed` bytes; stages share it, one after the other."""
        if self._workspace is None or self._workspace.nbytes < needed + ALIGNMENT:
            self._workspace = np.empty(needed + ALIGNMENT, np.uint8)
            for stage in self._stages if hasattr(self, "_stages") else ():
                if stage is not None:
                    stage.move_workspace(self._aligned(self._workspace))
        return self._aligned(self._workspace)

    @staticmethod
    def _aligned(array: np.ndarray) -> int:
        return -(-array.ctypes.data // ALIGNMENT) * ALIGNMENT

    def _place_parameters(self) -> None:
        """Small feeds are copied into arrays of ours; large ones are pointed at."""
        self._feed_views: list[np.ndarray | None] = []
        self._feed_homes: list[Parameter] = []
        self._views: dict[Home, np.ndarray] = {}
        for instruction in self.native.parameters:
            home = Parameter(instruction.attributes["name"])
            type = instruction.result.type
            self._feed_homes.append(home)
            if byte_size(type, self._known) <= SMALL_FEED_BYTES and type.dtype != "string":
                view = np.zeros(type.bound(self._known), NUMPY_DTYPES[type.dtype])
                self._views[home] = view
                self._feed_views.append(view)
            else:
                self._feed_views.append(None)

    def _is_known(self, home: ConstantArray | SizeArray) -> bool:
        return isinstance(home, ConstantArray) or all(
            name in self._known for size in home.sizes for name in symbols_of(size)
        )

    def _constant(self, home: ConstantArray | SizeArray) -> np.ndarray:
        if isinstance(home, ConstantArray):
            return home.array
        numbers = [evaluate(size, self.bindings) for size in home.sizes]
        return np.array(numbers, NUMPY_DTYPES[home.type.dtype]).reshape(home.type.bound(self.bindings))

    def static_address(self, home: Home) -> int | None:
        """The address of a home that stays where it is while the executable lives, otherwise None."""
        match home:
            case Slot(index):
                return self._arena_address + self._slot_offsets[index]
            case Parameter() if home in self._views:
                return self._views[home].ctypes.data
            case ConstantArray() | SizeArray():
                if home not in self._constants:
                    self._dynamic[home] = self._constant(home)
                    return self._dynamic[home].ctypes.data
                return self._constants[home].ctypes.data
        return None

    def array(self, value: Value) -> np.ndarray:
        """The value's elements, in the place where they are now."""
        home = self.native.plan.homes[value]
        match home:
            case Slot(index):
                return np.ndarray(
                    value.type.bound(self.bindings),
                    NUMPY_DTYPES[value.type.dtype],
                    self._arena.data,
                    self._slot_offsets[index],
                )
            case Variable(name):
                held = self._state.value(name)
            case ConstantArray() | SizeArray():
                held = self._constants[home] if home in self._constants else self._constant(home)
            case Parameter() if home in self._views:
                held = self._views[home]
            case _:
                held = self._dynamic[home]
        shape = value.type.bound(self.bindings)
        return held if held.shape == shape else held.reshape(shape)

    def _result_reader(self, value: Value) -> Callable[[], Any]:
        home = self.native.plan.homes[value]
        if isinstance(home, Slot):
            view = self.array(value)
            return (lambda: view[()]) if view.ndim == 0 else view.copy
        if isinstance(home, Dynamic) and self._is_own(value):
            return lambda: self._give_away(value)
        return lambda: self.array(value).copy()[()]

    def _give_away(self, value: Value) -> Any:
        array = self.array(value)
        del self._dynamic[self.native.plan.homes[value]]
        return array[()]

    def _is_own(self, value: Value) -> bool:
        """Whether a result in memory of its own may be given away: it is fetched once, and kept by nobody else."""
        homes = self.native.plan.homes
        users = [result for result in self.native.program.results if homes[result] is homes[value]]
        return len(users) == 1

    # --- running

    def run_values(self, values: Sequence[Any]) -> Any:
        """Runs once with raw Python and NumPy values; NotImplemented when one of them must be converted first.

        For programs without stages on the host (`is_simple`).
        """
        for write, value in zip(self._writers, values):  # noqa: B905 (the lengths were made equal once and for all)
            if not write(value):
                return NotImplemented
        if self._is_pure:
            return self._run_native_stages()
        with self._state.lock:
            if self._generation != self._state.generation:
                self._find_variables()
            return self._run_native_stages()

    def _run_native_stages(self) -> list[Any]:
        for run in self._runs:
            run()
        results = [read() for read in self._results]
        if self._pointed:
            self._release_feeds()
        return results

    def run(
        self, values: Sequence[Any], context: RunContext | None = None, observer: RunObserver | None = None
    ) -> list[Any]:
        """Runs once. `values` are the feeds, as arrays of their types, in the order of the program's parameters.

        `observer` is told what is about to run on the host, and what ran when.

        Raises LocatedFailure when a kernel or the host meets values that it cannot compute with.
        """
        for index, view in enumerate(self._feed_views):
            if view is not None:
                view[...] = values[index]
            else:
                self._point_at(index, values[index])
        with self._state.lock:
            if self._generation != self._state.generation:
                self._find_variables()
            try:
                return self._run_stages(context, observer)
            finally:
                self._release_feeds()

    def _release_feeds(self) -> None:
        """The caller's arrays are not kept beyond the run."""
        for index in self._pointed:
            self._dynamic.pop(self._feed_homes[index], None)

    def _run_stages(self, context: RunContext | None, observer: RunObserver | None) -> list[Any]:
        self.bindings = dict(self._known)
        for stage, bound in zip(self.native.stages, self._stages, strict=True):
            if isinstance(stage, HostStage):
                self._run_on_host(stage, context, observer)
            elif bound is not None and (observer is None or not observer.traces):
                bound.run()
            elif bound is not None and observer is not None:
                for instruction, started, ended in bound.run_traced():
                    observer.ran(instruction, started, ended, [self.array(result) for result in instruction.results])
        results = [read() for read in self._results]
        self._write_variables()
        return results

    def _pointer(self, index: int) -> Callable[[Any], bool]:
        """A function that points at a large feed if it can be read as it is, and says whether it can."""
        type = self.native.parameters[index].result.type
        if type.dtype == "string":
            return lambda value: False
        dtype, shape = NUMPY_DTYPES[type.dtype], type.bound(self._known)

        def point(value: Any) -> bool:
            fits = isinstance(value, np.ndarray) and value.shape == shape and value.dtype == dtype
            if fits and value.flags.c_contiguous and value.flags.aligned:
                self._give_memory(self._feed_homes[index], value)
                return True
            return False

        return point

    def _point_at(self, index: int, value: Any) -> None:
        array = np.ascontiguousarray(value)
        if not array.flags.aligned:
            array = array.copy()
        self._give_memory(self._feed_homes[index], array)

    def _give_memory(self, home: Home, array: np.ndarray) -> None:
        self._dynamic[home] = array
        for bound in self._stages:
            if bound is not None:
                bound.move(home, array.ctypes.data)

    def new_array(self, home: Dynamic) -> None:
        """Finds memory for what a native stage computes in this run."""
        assert home.type is not None
        shape, dtype = home.type.bound(self.bindings), NUMPY_DTYPES[home.type.dtype]
        is_large = byte_size(home.type, self.bindings) >= LARGE_RESULT_BYTES
        self._give_memory(home, result_memory.new_array(shape, dtype) if is_large else np.empty(shape, dtype))

    def _find_variables(self) -> None:
        homes = {h for layout in self.native.layouts if layout for h in layout.buffers if isinstance(h, Variable)}
        for home in homes:
            address = self._state.value(home.name).ctypes.data
            for bound in self._stages:
                if bound is not None:
                    bound.move(home, address)
        self._generation = self._state.generation

    def _run_on_host(self, stage: HostStage, context: RunContext | None, observer: RunObserver | None) -> None:
        instruction = stage.instruction
        assert context is not None
        context.bindings = self.bindings
        operands = [self.array(operand) for operand in instruction.operands]
        if observer is not None:
            observer.will_run(instruction)
        started = time.perf_counter_ns()
        try:
            results = evaluate_instruction(instruction, operands, context)
        except RunFailure as failure:
            raise LocatedFailure(failure, instruction) from None
        if observer is not None:
            observer.ran(instruction, started, time.perf_counter_ns(), results)
        for value, result in zip(instruction.results, results, strict=True):
            self._give_memory(self.native.plan.homes[value], _contiguous(result))

    def _write_variables(self) -> None:
        writes = [(copy.name, self.array(copy.value)) for copy in self.native.plan.copies]
        if len(writes) > 1:
            writes = [(name, array.copy()) for name, array in writes]
        for name, array in writes:
            self._state.assign(name, array)

    def status_address(self) -> int:
        return self._status.ctypes.data

    def stream_address(self, stream: str, seed: int, seed2: int) -> int:
        return self._state.stream_state(stream, seed, seed2).ctypes.data

    @property
    def threads(self) -> int:
        return self._threads

    def failure(self, instruction: Instruction) -> LocatedFailure:
        """What went wrong in a kernel that has set the status words, in the words of the primitive's reference."""
        self._status[:] = 0
        operands = [self.array(operand) for operand in instruction.operands]
        try:
            evaluate_instruction(instruction, operands, _Sizes(self.bindings))  # type: ignore[arg-type]
        except RunFailure as failure:
            return LocatedFailure(failure, instruction)
        except LocatedFailure as failure:
            return failure
        words = f"the kernel of {instruction.name} failed where its reference does not"
        return LocatedFailure(RunFailure("internal", words), instruction)


class _Sizes(NamedTuple):
    """All that a primitive with a kernel needs of a run."""

    bindings: Mapping[str, int]


def aligned_bytes(size: int) -> tuple[np.ndarray, int]:
    """Memory of `size` bytes, and the offset in it at which aligned memory begins."""
    memory = np.zeros(size + ALIGNMENT, np.uint8)
    return memory, -memory.ctypes.data % ALIGNMENT


def _contiguous(result: Any) -> np.ndarray:
    return np.array(result, order="C", copy=None, ndmin=0) if np.ndim(result) == 0 else np.ascontiguousarray(result)
