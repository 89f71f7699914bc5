"""Executables: a native program bound to sizes, memory and a session's state, ready to run.

Running it copies (or points at) the feeds, calls the native stages, runs what the host must do between them, gives
variables the new values that could not be computed in place, and copies the results out.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sessile.compiler.bound_stage import BoundStage
from sessile.compiler.direct_run import DirectRun, can_run_directly
from sessile.compiler.executable_memory import ExecutableMemory, address_of
from sessile.compiler.memory_plan import Dynamic, Home, Parameter, Slot, Variable
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.session_state import RunObserver, SessionState, StaleBinding
from sessile.compiler.stages import HostStage
from sessile.ir.interpreter import LocatedFailure, RunContext, evaluate_instruction, scalar_array
from sessile.ir.primitive import RunFailure
from sessile.ir.program import Instruction, Value
from sessile.ir.types import NUMPY_DTYPES, TensorType


class Executable:
    """A program bound to sizes and to a session. Not safe to run twice at once: the session keeps several if need be.

    Args:
      native: the program.
      bindings: the sizes that are known before a run.
      state: the session's.
      threads: how many may share a run.
      checked: the generation of variables that is known to fit.
      predecessor: an executable that is needed no longer; its arena is used if it is large enough.

    Attributes:
      runs_directly: whether `run_values` can run it.
      arena: the memory that its values share.
    """

    def __init__(
        self,
        native: NativeProgram,
        bindings: Mapping[str, int],
        state: SessionState,
        threads: int,
        checked: int = -1,
        predecessor: Executable | None = None,
    ) -> None:
        self.native = native
        self._checked_generation = checked
        self._state = state
        arena = None if predecessor is None else predecessor.arena
        self._memory = ExecutableMemory(native, bindings, state, arena)
        self._stages = [
            BoundStage(layout, self._memory, state, threads, self._give_memory) if layout is not None else None
            for layout in native.layouts
        ]
        self._bound = [stage for stage in self._stages if stage is not None]
        self._generation = -1  # that of the addresses in the stages
        names = [instruction.attributes["name"] for instruction in native.parameters]
        self._pointed = [Parameter(name) for name, view in zip(names, self._memory.feeds, strict=True) if view is None]
        self._results = [
            self._result_reader(value, home)
            for value, home in zip(native.program.results, native.plan.results, strict=True)
        ]
        self.runs_directly = can_run_directly(native, self._bound)
        if self.runs_directly:
            self._run_directly = DirectRun(native, self._memory, self._bound, self._results).call

    @property
    def arena(self) -> np.ndarray:
        return self._memory.arena

    # --- results

    def _result_reader(self, value: Value, home: Home) -> Callable[[], Any]:
        memory = self._memory
        if isinstance(home, Slot):
            view = memory.array(value, home)
            return (lambda: view[()]) if view.ndim == 0 else view.copy
        if isinstance(home, Dynamic) and home.type is not None and self.native.plan.results.count(home) == 1:
            if value.type == home.type and value.type.rank:
                return functools.partial(memory.arrays.pop, home)
            return lambda: self._give_away(value, home)
        if isinstance(home, Variable) and self.native.variables[home.name] == value.type:
            return functools.partial(self._variable_copy, home.name)
        return lambda: memory.array(value, home).copy()[()]

    def _give_away(self, value: Value, home: Home) -> Any:
        """A result in memory of its own, which nobody else holds from now on."""
        array = self._memory.array(value, home)
        del self._memory.arrays[home]
        return array[()]

    def _variable_copy(self, name: str) -> Any:
        held = self._state.value(name)
        return held.copy() if held.ndim else held[()]

    # --- feeds

    def _take_feeds(self, values: Sequence[Any]) -> None:
        pointed = iter(self._pointed)
        for view, value in zip(self._memory.feeds, values, strict=True):
            if view is not None:
                view[...] = value
            else:
                array = np.require(value, requirements=("C", "A"))
                self._give_memory(next(pointed), array, address_of(array))

    def _give_memory(self, home: Home, array: np.ndarray, address: int) -> None:
        self._memory.arrays[home] = array
        for stage in self._bound:
            stage.move(home, address)

    def _release_feeds(self) -> None:
        """The caller's arrays are not kept beyond the run."""
        for home in self._pointed:
            self._memory.arrays.pop(home, None)

    # --- running

    def run_values(self, values: Sequence[Any]) -> Any:
        """Runs once with raw Python and NumPy values; NotImplemented when one of them must be converted first.

        For executables that `runs_directly` tells. Raises what `run` raises.
        """
        if self.native.is_stateless:
            found = self._run_directly(values)
        else:
            with self._state.lock:
                if self._generation != self._state.generation:
                    self._find_variables()
                found = self._run_directly(values)
        if type(found) is int:
            raise self._failure_with(values, found)
        return found

    def _failure_with(self, values: Sequence[Any], failed: int) -> LocatedFailure:
        """What went wrong in a step of a run with raw values."""
        self._take_feeds(values)
        try:
            return self._failure(self._bound[0], failed)
        finally:
            self._release_feeds()

    def run(
        self, values: Sequence[Any], context: RunContext | None = None, observer: RunObserver | None = None
    ) -> list[Any]:
        """Runs once.

        Args:
          values: the feeds, as arrays of their types, in the order of the program's parameters.
          context: what instructions on the host may reach; needed if there are any.
          observer: is told what is about to run on the host, and what ran when.

        Returns the results, which are the caller's own.

        Raises LocatedFailure when a kernel or the host meets values that it cannot compute with, and StaleBinding.
        """
        self._take_feeds(values)
        with self._state.lock:
            if self._generation != self._state.generation:
                self._find_variables()
            try:
                return self._run_stages(context, observer)
            finally:
                self._release_feeds()

    def _find_variables(self) -> None:
        generation = self._state.generation
        if generation != self._checked_generation:
            self._check_variables()
            self._checked_generation = generation
        for stage in self._bound:
            stage.find_variables()
        self._generation = generation

    def _check_variables(self) -> None:
        for name, type in self.native.variables.items():
            if not self._state.is_initialized(name):
                raise StaleBinding(name)
            held = self._state.value(name)
            if held.dtype != NUMPY_DTYPES[type.dtype] or held.shape != type.bound(self._memory.known):
                raise StaleBinding(name)

    def _run_stages(self, context: RunContext | None, observer: RunObserver | None) -> list[Any]:
        self._memory.forget_run()
        for stage, bound in zip(self.native.stages, self._stages, strict=True):
            if isinstance(stage, HostStage):
                assert context is not None, "stages on the host need a context"
                self._run_on_host(stage.instruction, context, observer)
            elif bound is not None:
                self._run_native(bound, observer)
        writes = self._variable_writes()
        results = [read() for read in self._results]
        for name, array in writes:
            self._state.assign(name, array)
        return results

    def _run_native(self, stage: BoundStage, observer: RunObserver | None) -> None:
        if observer is None or not observer.traces:
            failed = stage.run()
        else:
            failed, records = stage.run_traced()
            for instruction, started, ended in records:
                outputs = [self._memory.array(result) for result in instruction.results]
                observer.ran(instruction, started, ended, outputs)
        if failed:
            raise self._failure(stage, failed)

    def _run_on_host(self, instruction: Instruction, context: RunContext, observer: RunObserver | None) -> None:
        context.bindings = self._memory.bindings
        operands = [self._memory.array(operand) for operand in instruction.operands]
        if instruction.name == "call_host":  # what it calls may keep what it is given
            operands = [operand.copy() for operand in operands]
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
            array = self._fitting(instruction, value.type, result)
            is_view = array.base is not None or any(np.may_share_memory(array, operand) for operand in operands)
            kept = array.copy() if is_view else array
            self._give_memory(self.native.plan.homes[value], kept, address_of(kept))

    def _fitting(self, instruction: Instruction, type: TensorType, result: Any) -> np.ndarray:
        """What the host has computed, as kernels read it: dense, and of the type that they expect."""
        array = result if isinstance(result, np.ndarray) else scalar_array(result, type)
        array = np.require(array, requirements=("C", "A"))
        dtype, shape = NUMPY_DTYPES[type.dtype], type.bound(self._memory.bindings)
        if array.dtype != dtype or array.shape != shape:
            words = f"{instruction.name} gives {array.dtype}{list(array.shape)}, not {type.dtype}{list(shape)}"
            raise LocatedFailure(RunFailure("internal", words), instruction)
        return array

    def _variable_writes(self) -> list[tuple[str, np.ndarray]]:
        """The new values of variables that are not in their places yet, safe from each other."""
        writes = [(copy.name, self._memory.array(copy.value)) for copy in self.native.plan.copies]
        return [(name, array.copy()) for name, array in writes] if len(writes) > 1 else writes

    # --- failures

    def _failure(self, stage: BoundStage, failed: int) -> LocatedFailure:
        """What went wrong in a kernel that has set the status words, in the words of the primitive's reference."""
        self._memory.status[:] = 0
        instruction = stage.layout.instructions[failed - 1]
        operands = [self._memory.array(operand) for operand in instruction.operands]
        try:
            evaluate_instruction(instruction, operands, _Sizes(self._memory.bindings))  # type: ignore[arg-type]
        except RunFailure as failure:
            return LocatedFailure(failure, instruction)
        except LocatedFailure as failure:
            return failure
        words = f"the kernel of {instruction.name} failed where its reference does not"
        return LocatedFailure(RunFailure("internal", words), instruction)


class _Sizes(NamedTuple):
    """All that a primitive with a kernel needs of a run."""

    bindings: Mapping[str, int]
