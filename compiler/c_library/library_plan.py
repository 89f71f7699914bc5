"""What a C library runs and where its values live: the steps in order, the memory plan, the workspace.

In: an optimised program and its interface. Out: a `LibraryPlan`. Results are computed where the caller wants them;
everything else lies in the workspace: the slots of the memory plan one after the other, then the kernels' own.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sessile.compiler.c_library.interface import Interface, usual_bindings
from sessile.compiler.compile_program import OptimizedProgram
from sessile.compiler.kernel_call import KernelArgument, KernelCall, StreamState, Workspace
from sessile.compiler.memory_plan import ALIGNMENT, MemoryPlan, SizeArray, plan_memory
from sessile.compiler.stages import NativeStage
from sessile.ir.program import Instruction, Program
from sessile.ir.sizes import Size, ceiling_divide, maximum
from sessile.ir.types import NUMPY_DTYPES


@dataclass(frozen=True)
class Step:
    """A kernel call and the instruction that it computes."""

    instruction: Instruction
    call: KernelCall


@dataclass(frozen=True)
class LibraryPlan:
    """The plan of a library.

    Attributes:
      interface: what callers see.
      program: after all passes.
      memory: where values live.
      steps: what runs, in order.
      slot_offsets: where each slot begins in the workspace, in bytes.
      kernel_workspace: where the kernels' own memory begins.
      workspace_bytes: how much there is in all, with room to begin at a cache line.
    """

    interface: Interface
    program: Program
    memory: MemoryPlan
    steps: tuple[Step, ...]
    slot_offsets: tuple[Size, ...]
    kernel_workspace: Size
    workspace_bytes: Size

    def arguments(self) -> Iterator[KernelArgument]:
        """The arguments of all kernels."""
        for step in self.steps:
            yield from step.call.arguments

    def streams(self) -> list[StreamState]:
        """The random streams that kernels draw from."""
        return [argument for argument in self.arguments() if isinstance(argument, StreamState)]

    def size_arrays(self) -> list[SizeArray]:
        """The homes of sizes that values hold."""
        return [home for home in dict.fromkeys(self.memory.homes.values()) if isinstance(home, SizeArray)]


def plan_library(optimized: OptimizedProgram, interface: Interface) -> LibraryPlan:
    """The plan of a program's library; the program has native stages alone, and no variables."""
    bindings = usual_bindings(interface, optimized.program)
    memory = plan_memory(optimized.program, optimized.stages, bindings, {}, large_result_bytes=0)
    steps = tuple(_steps(optimized))
    offsets: list[Size] = []
    end: Size = 0
    for tenants in memory.slot_tenants:
        offsets.append(end)
        end = end + _aligned(_largest([t.size * NUMPY_DTYPES[t.dtype].itemsize for t in tenants], interface))
    own = [
        argument.elements * NUMPY_DTYPES[argument.dtype].itemsize
        for step in steps
        for argument in step.call.arguments
        if isinstance(argument, Workspace)
    ]
    whole = end + _aligned(_largest(own, interface))
    workspace = whole if whole == 0 else whole + ALIGNMENT
    return LibraryPlan(interface, optimized.program, memory, steps, tuple(offsets), end, workspace)


def _steps(optimized: OptimizedProgram) -> Iterator[Step]:
    for stage in optimized.stages:
        assert isinstance(stage, NativeStage)
        for native in stage.instructions:
            for call in native.calls:
                yield Step(native.instruction, call)


def _largest(sizes: Sequence[Size], interface: Interface) -> Size:
    largest: Size = 0
    for size in dict.fromkeys(map(interface.size, sizes)):
        largest = maximum(largest, size)
    return largest


def _aligned(size: Size) -> Size:
    return ceiling_divide(size, ALIGNMENT) * ALIGNMENT
