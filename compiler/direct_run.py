"""The quick way to run an executable: one call of native code from the caller's values to the results.

In: an executable's memory, its only native stage, and what reads its results. Out: a function of the feeds' raw values.
What native code cannot do is done around the call: fresh memory for large results, and handing these out.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from sessile.compiler.bound_stage import BoundStage
from sessile.compiler.cpu.python_entry import PointedFeed, is_supported, new_entry
from sessile.compiler.cpu.step_loop import StepProgram
from sessile.compiler.executable_memory import ExecutableMemory
from sessile.compiler.memory_plan import ConstantArray, Home, Parameter, Slot
from sessile.compiler.native_program import NativeProgram
from sessile.ir.program import Instruction, Value
from sessile.ir.types import NUMPY_DTYPES


def can_run_directly(native: NativeProgram, stages: Sequence[BoundStage]) -> bool:
    """Whether one native stage at most does all that a program asks for, with numbers alone."""
    takes_strings = any(parameter.result.type.dtype == "string" for parameter in native.parameters)
    is_one_stage = len(stages) <= 1 and not any(stage.is_late for stage in stages)
    return native.runs_in_one_go and is_one_stage and not takes_strings and is_supported()


class DirectRun:
    """One executable's quick way.

    Args:
      native, memory: the executable's.
      stages: its native stages: one, or none.
      readers: what reads each result after a run.

    Attributes:
      call: takes the values of the feeds, in order. Returns the results, which are the caller's own; the number of the
        step that failed; or NotImplemented, before anything has run, when a value has to be converted first.
    """

    call: Callable[[Sequence[Any]], Any]

    def __init__(
        self,
        native: NativeProgram,
        memory: ExecutableMemory,
        stages: Sequence[BoundStage],
        readers: Sequence[Callable[[], Any]],
    ) -> None:
        self._memory = memory
        self._stages = stages
        self._idle = StepProgram().control(0)
        control = stages[0].control if stages else self._idle.ctypes.data
        homes = list(zip(native.program.results, native.plan.results, strict=True))
        feeds = [self._feed(parameter, view) for parameter, view in zip(native.parameters, memory.feeds, strict=True)]
        results = [self._settled_result(value, home) for value, home in homes]
        self._enter = new_entry(feeds, results, control, keeps_lock=all(stage.is_short for stage in stages))
        self._left_out = [(k, readers[k]) for k, result in enumerate(results) if result is None]
        pointed = [(k, _home(native.parameters[k])) for k, view in enumerate(memory.feeds) if view is None]
        self._returned = [(k, home) for k, home in pointed if home in native.plan.results]
        is_prepared = any(stage.needs_preparation for stage in stages)
        self.call = self._prepare_and_enter if is_prepared or self._left_out else self._enter

    def _feed(self, parameter: Instruction, view: np.ndarray | None) -> np.ndarray | PointedFeed:
        if view is not None:
            return view
        type = parameter.result.type
        places = [place for stage in self._stages for place in stage.places(_home(parameter))]
        return PointedFeed(NUMPY_DTYPES[type.dtype], type.bound(self._memory.known), places)

    def _settled_result(self, value: Value, home: Home) -> np.ndarray | None:
        """The array that holds a result after each run, if it is always the same one."""
        is_settled = isinstance(home, (Slot, ConstantArray)) or home in self._memory.arrays
        if not is_settled or value.type.dtype == "string" or not value.type.symbols() <= self._memory.known.keys():
            return None
        array = self._memory.array(value, home)
        return array if array.flags.c_contiguous else None

    def _prepare_and_enter(self, values: Sequence[Any]) -> Any:
        for stage in self._stages:
            stage.prepare()
        results = self._enter(values)
        if type(results) is list:
            self._add_results(results, values)
        return results

    def _add_results(self, results: list[Any], values: Sequence[Any]) -> None:
        """Puts in what native code has left out."""
        for k, home in self._returned:
            self._memory.arrays[home] = values[k]
        for index, read in self._left_out:
            results[index] = read()
        for _, home in self._returned:
            del self._memory.arrays[home]  # the caller's arrays are not kept


def _home(parameter: Instruction) -> Parameter:
    return Parameter(parameter.attributes["name"])
