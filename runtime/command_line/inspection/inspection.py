"""What the compiler makes of a computation: the program after passes, its steps, memory, cost, and measured times.

An `Inspection` is that of a graph (`graph_inspection`) or of a bundle (`bundle_inspection`), for values of the inputs
whose sizes stand for all sizes. It computes each part when it is asked for.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sessile.compiler.executable import Executable
from sessile.compiler.kernel_call import KernelCall
from sessile.compiler.memory_plan import MemoryPlan, plan_memory
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.stages import HostStage, OptimizedProgram
from sessile.compiler.target import Target
from sessile.graph.operation import Operation
from sessile.ir.program import Instruction, Program
from sessile.ir.sizes import Size, evaluate, symbols_of
from sessile.ir.types import NUMPY_DTYPES, TensorType
from sessile.runtime.command_line.models.input_values import Input
from sessile.runtime.executor import ExecutionOptions
from sessile.runtime.run_context import RunContext
from sessile.runtime.variable_store import VariableStore

LOWERED = "lowered"
"""The name of the program before any pass."""

_WARM_UP = 3


@dataclass(frozen=True)
class Step:
    """One step of an optimised program: an instruction that takes time.

    Attributes:
      instruction: what is computed.
      calls: the kernels that compute it; none on the host.
      reason: why it runs on the host; "" for kernels.
    """

    instruction: Instruction
    calls: tuple[KernelCall, ...]
    reason: str = ""

    @property
    def kernel_names(self) -> list[str]:
        """The names of its kernels."""
        return [call.source.name for call in self.calls]

    @property
    def computing(self) -> list[Instruction]:
        """The instructions that it consists of, but for constants."""
        inner = [i for region in self.instruction.regions for i in region.instructions if i.name != "constant"]
        return inner if self.instruction.name == "fused" else [self.instruction]

    @property
    def operation_names(self) -> list[str]:
        """The names of the graph's operations that it computes, or parts of, in order."""
        return list(dict.fromkeys(place.operation for each in self.computing for place in each.locations))


class Inspection(ABC):
    """The compilation of a computation.

    Attributes:
      source: what the user named it by.
      target: the machine that it is compiled for.
      inputs: what goes in.
      outputs: what comes out: names with "dtype" and "shape", or with the type of an "operation".
      results: for each output that is a tensor the place of its value among the program's results.
      values: of the inputs, by name.
      operations: of the graph, each after those that it depends on; none where there is no graph.
      fed: those of them that are inputs.
    """

    source: str
    target: Target
    inputs: Sequence[Input]
    outputs: Sequence[Mapping[str, Any]]
    results: Mapping[str, int]
    values: Mapping[str, np.ndarray]
    operations: Sequence[Operation]
    fed: Sequence[Operation]

    # --- what the two kinds know

    @property
    @abstractmethod
    def lowered_size(self) -> int | None:
        """How many instructions the program had before any pass; None where that is not known."""

    @property
    @abstractmethod
    def optimized(self) -> OptimizedProgram:
        """The program after all passes, its stages and kernels."""

    @property
    @abstractmethod
    def bindings(self) -> dict[str, int]:
        """The numbers for the sizes that are known before a run."""

    @property
    @abstractmethod
    def state(self) -> VariableStore:
        """The variables, and the states of random streams."""

    @abstractmethod
    def program_after(self, name: str) -> Program:
        """The program after a pass (its last run), or as it was lowered. Raises CommandFailure if it is not known."""

    @abstractmethod
    def addresses(self) -> dict[str, int]:
        """The kernels, ready to be called, by name."""

    @abstractmethod
    def named_values(self) -> dict[str, np.ndarray]:
        """The values of the inputs, by the names of the program's parameters."""

    # --- steps and their cost

    @cached_property
    def steps(self) -> list[Step]:
        """The steps, in order of execution."""
        return list(self._steps())

    def _steps(self) -> Iterator[Step]:
        for stage in self.optimized.stages:
            if isinstance(stage, HostStage):
                yield Step(stage.instruction, (), stage.reason)
            else:
                yield from (Step(native.instruction, native.calls) for native in stage.instructions)

    @cached_property
    def plan(self) -> MemoryPlan:
        """Where values live."""
        return plan_memory(self.optimized.program, self.optimized.stages, self.bindings, self.stored)

    @cached_property
    def stored(self) -> dict[str, TensorType]:
        """The types of the variables that have values."""
        return {name: self.state.type_of(name) for name in self.state.names()}

    def number(self, size: Size) -> int | None:
        """A size as a number; None where only a run tells."""
        known = isinstance(size, int) or symbols_of(size) <= self.bindings.keys()
        return evaluate(size, self.bindings) if known else None

    def bytes_of(self, type: TensorType) -> int | None:
        """The memory that a value takes."""
        return self.number(type.size * NUMPY_DTYPES[type.dtype].itemsize)

    def work(self, step: Step) -> int | None:
        """An estimate of what a step computes, in scalar operations."""
        return _sum(self.number(call.work) for call in step.calls) if step.calls else None

    def bytes_read(self, step: Step) -> int | None:
        """The bytes of a step's operands."""
        return _sum(self.bytes_of(value.type) for value in dict.fromkeys(step.instruction.operands))

    def bytes_written(self, step: Step) -> int | None:
        """The bytes of a step's results."""
        return _sum(self.bytes_of(value.type) for value in step.instruction.results)

    # --- times

    def profile(self, runs: int) -> Profile:
        """Runs the program and measures each step, after a few runs that do not count."""
        native = NativeProgram(
            self.optimized.program, self.optimized.stages, self.bindings, self.stored, self.addresses()
        )
        threads = ExecutionOptions.from_environment().threads
        executable = Executable(native, self.bindings, self.state, threads)
        named = self.named_values()
        values = [named[i.attributes["name"]] for i in native.parameters]
        profile = Profile()
        for run in range(_WARM_UP + runs):
            observer = profile if run >= _WARM_UP else Profile()
            executable.run(values, RunContext(named, self.state, dict(self.bindings)), observer)
            observer.end_run()
        return profile


class Profile:
    """The times of the instructions in several runs; an observer of executables (`session_state.RunObserver`)."""

    traces = True

    def __init__(self) -> None:
        self._run: dict[Instruction, int] = {}
        self._runs: list[dict[Instruction, int]] = []

    def will_run(self, instruction: Instruction) -> None:
        """Nothing is to be done."""

    def ran(self, instruction: Instruction, started: int, ended: int, outputs: Sequence[Any]) -> None:
        """Notes how long an instruction took."""
        self._run[instruction] = self._run.get(instruction, 0) + ended - started

    def end_run(self) -> None:
        """A run is over."""
        self._runs.append(self._run)
        self._run = {}

    @property
    def runs(self) -> int:
        """How many runs were measured."""
        return len(self._runs)

    def milliseconds(self, instruction: Instruction) -> float | None:
        """The median time of an instruction; None where it did not run."""
        times = [run[instruction] for run in self._runs if instruction in run]
        return float(np.median(times)) / 1e6 if times else None


def _sum(numbers: Iterable[int | None]) -> int | None:
    listed = list(numbers)
    return None if any(number is None for number in listed) else sum(number or 0 for number in listed)
