"""From a lowered program to a native one: passes, stages, kernels.

The pipeline of the native tier in one place, read from top to bottom. `SESSILE_DUMP=dir` (or the session's option)
leaves each step of a compilation as text: see `dump`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from sessile.compiler import pass_pipeline
from sessile.compiler.cpu.kernel_service import KernelRequest, kernel_service
from sessile.compiler.dump import Dump
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.stages import NativeStage, Stage, split_into_stages
from sessile.compiler.target import Target
from sessile.ir.program import Program
from sessile.ir.types import TensorType

NATIVE_PIPELINE = (
    *pass_pipeline.PIPELINE,
    "arrange-contractions",
    "fuse",
    "schedule-stages",
    "update-last",
    "update-in-place",
)

Observer = Callable[[pass_pipeline.PassRecord], None]


@dataclass(frozen=True)
class OptimizedProgram:
    """A program after all passes, its stages, and the kernels that it needs."""

    program: Program
    stages: tuple[Stage, ...]
    sources: tuple[KernelSource, ...]


def optimize(program: Program, observer: Observer | None = None, target: Target | None = None) -> OptimizedProgram:
    """Runs the passes and writes the kernels for a target (this machine if none is given), without compiling them."""
    optimized = pass_pipeline.run_passes(program, NATIVE_PIPELINE, observer)
    stages = split_into_stages(optimized, target or Target.host())
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


class Compilation:
    """The compilation of one program: its passes have run, its kernels are on their way."""

    def __init__(self, optimized: OptimizedProgram) -> None:
        self.optimized = optimized
        self._request: KernelRequest | None = None

    @staticmethod
    def of(program: Program, dump_folder: str | None = None) -> Compilation:
        """The compilation of a lowered program; what becomes of it is written to `dump_folder` if there is one."""
        dump = Dump(dump_folder, program) if dump_folder else None
        optimized = optimize(program, dump.after_pass if dump else None)
        if dump:
            dump.kernels(optimized.program, optimized.stages, optimized.sources)
        return Compilation(optimized)

    def addresses(self, wait: bool) -> dict[str, int] | None:
        """The address of each kernel; None while worker processes still compile and the caller does not wait.

        Raises KernelCompilationError if a kernel does not compile.
        """
        if wait:
            return kernel_service().compile_all(self.optimized.sources)
        if self._request is None:
            self._request = kernel_service().request(self.optimized.sources)
        return self._request.result() if self._request.done() else None


def link(
    optimized: OptimizedProgram,
    addresses: Mapping[str, int],
    bindings: Mapping[str, int],
    stored: Mapping[str, TensorType],
) -> NativeProgram:
    """The native program, once its kernels have addresses. `bindings` guide the memory plan."""
    return NativeProgram(optimized.program, optimized.stages, bindings, stored, addresses)
