"""From a lowered program to a native one: passes, stages, kernels.

The pipeline of the executable tier in one place, read from top to bottom. `SESSILE_DUMP=dir` (or the option) leaves every stage
of a compilation as text.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sessile.compiler import pass_pipeline
from sessile.compiler.cpu.kernel_service import compile_all
from sessile.compiler.executable import NativeProgram
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.stages import NativeStage, Stage, split_into_stages
from sessile.compiler.target import Target
from sessile.ir.program import Program
from sessile.ir.types import TensorType

NATIVE_PIPELINE = (*pass_pipeline.PIPELINE, "fuse", "schedule-stages", "update-in-place")

Observer = Callable[[pass_pipeline.PassRecord], None]


@dataclass(frozen=True)
class OptimizedProgram:
    """A program after all passes, its stages, and the kernels that it needs."""

    program: Program
    stages: tuple[Stage, ...]
    sources: tuple[KernelSource, ...]


def optimize(program: Program, observer: Observer | None = None) -> OptimizedProgram:
    """Runs the passes and writes the kernels, without compiling them."""
    optimized = pass_pipeline.run_passes(program, NATIVE_PIPELINE, observer)
    stages = split_into_stages(optimized)
    return OptimizedProgram(optimized, stages, tuple(kernel_sources(stages)))


def kernel_sources(stages: Sequence[Stage]) -> list[KernelSource]:
    """The kernels of the stages, each once."""
    sources: dict[str, KernelSource] = {}
    for stage in stages:
        if isinstance(stage, NativeStage):
            for native in stage.instructions:
                for call in native.calls:
                    sources[call.source.name] = call.source
    return list(sources.values())


def link(
    optimized: OptimizedProgram,
    addresses: Mapping[str, int],
    bindings: Mapping[str, int],
    stored: Mapping[str, TensorType],
) -> NativeProgram:
    """The native program, once its kernels have addresses. `bindings` guide the memory plan."""
    return NativeProgram(optimized.program, optimized.stages, bindings, stored, addresses)


def compile_now(optimized: OptimizedProgram) -> dict[str, int]:
    """Compiles the kernels in this process and waits; the address of each."""
    return compile_all(optimized.sources, Target.host())


def seconds_since(start: float) -> float:
    return time.perf_counter() - start
