"""What the compiler makes of a model: the program after each pass, its steps, memory, cost, and measured times.

In: a selection of a model, and values of its inputs, whose sizes stand for all sizes. Out: an `Inspection`, which
computes each part when it is asked for. Nothing is compiled to machine code before times are measured.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from sessile.compiler.compile_program import OptimizedProgram, optimize
from sessile.compiler.cpu.kernel_service import kernel_service
from sessile.compiler.executable import Executable
from sessile.compiler.kernel_call import KernelCall
from sessile.compiler.lower import Request, lower, needed_operations
from sessile.compiler.memory_plan import MemoryPlan, plan_memory
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.pass_pipeline import PassRecord
from sessile.compiler.stages import HostStage
from sessile.graph.operation import Operation
from sessile.ir.program import Instruction, Program
from sessile.ir.sizes import Size, evaluate, symbols_of
from sessile.ir.types import NUMPY_DTYPES, TensorType
from sessile.runtime.command_line.failures import CommandFailure
from sessile.runtime.command_line.selection import Selection
from sessile.runtime.program_cache import CachedProgram
from sessile.runtime.run_context import RunContext

LOWERED = "lowered"
"""The name of the program before any pass."""


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


class Inspection:
    """The compilation of a selection, step by step.

    Args:
      selection: what to compute.
      values: of the inputs, by name.
    """

    def __init__(self, selection: Selection, values: Mapping[str, np.ndarray]) -> None:
        self.selection = selection
        self.values = values
        self.records: list[PassRecord] = []

    @cached_property
    def operations(self) -> list[Operation]:
        """The operations that are needed, each after those that it depends on."""
        return needed_operations(self._request)

    @cached_property
    def _request(self) -> Request:
        selection = self.selection
        feeds = {tensor: self.values[each.name] for tensor, each in selection.feeds.items()}
        return Request(selection.tensors, selection.targets, feeds)

    @cached_property
    def lowered(self) -> Program:
        """The program before any pass."""
        return lower(self._request, self.selection.model.session._variables)

    @cached_property
    def optimized(self) -> OptimizedProgram:
        """The program after all passes, and its stages; `records` then tells of each pass."""
        return optimize(self.lowered, self.records.append)

    def program_after(self, name: str) -> Program:
        """The program after a pass (its last run), or as it was lowered."""
        if name == LOWERED:
            return self.lowered
        assert self.optimized
        found = [record.after for record in self.records if record.name == name]
        if not found:
            ran = ", ".join(dict.fromkeys(record.name for record in self.records))
            raise CommandFailure(f"the compiler does not run the pass {name!r}; it runs {ran}")
        return found[-1]

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
    def bindings(self) -> dict[str, int]:
        """The numbers for the sizes that are known before a run."""
        cached = CachedProgram(self.lowered)
        sizes = cached.variable_sizes(self.selection.model.session._variables)
        bindings = None if sizes is None else cached.bindings_for(self._request.feeds, sizes)
        assert bindings is not None, "a program fits the values that it was made with"
        return bindings

    @cached_property
    def plan(self) -> MemoryPlan:
        """Where values live."""
        return plan_memory(self.optimized.program, self.optimized.stages, self.bindings, self.stored)

    @cached_property
    def stored(self) -> dict[str, TensorType]:
        """The types of the variables that have values."""
        variables = self.selection.model.session._variables
        return {name: variables.type_of(name) for name in variables.names()}

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

    def profile(self, runs: int, warm_up: int = 3) -> Profile:
        """Runs the program and measures each step. It compiles the kernels first."""
        session = self.selection.model.session
        addresses = kernel_service().compile_all(self.optimized.sources)
        native = NativeProgram(self.optimized.program, self.optimized.stages, self.bindings, self.stored, addresses)
        threads = session.options.execution().threads
        executable = Executable(native, self.bindings, session._variables, threads)
        named = {tensor.name: value for tensor, value in self._request.feeds.items()}
        values = [named[i.attributes["name"]] for i in native.parameters]
        profile = Profile()
        for run in range(warm_up + runs):
            observer = Profile() if run < warm_up else profile
            executable.run(values, RunContext(named, session._variables, dict(self.bindings)), observer)
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


def _sum(numbers: Iterator[int | None]) -> int | None:
    listed = list(numbers)
    return None if any(number is None for number in listed) else sum(number or 0 for number in listed)
