"""From a lowered program to stages and kernels in source form.

The pipeline of the native tier in one place, read from top to bottom. `SESSILE_DUMP=dir` (or the session's option)
leaves each step of a compilation as text: see `dump`.
"""

from __future__ import annotations

from collections.abc import Callable

from sessile.compiler import pass_pipeline
from sessile.compiler.dump import Dump
from sessile.compiler.split_stages import kernel_sources, split_into_stages
from sessile.compiler.stages import OptimizedProgram
from sessile.compiler.target import Target
from sessile.ir.program import Program

NATIVE_PIPELINE = (
    *pass_pipeline.PIPELINE,
    "arrange-contractions",
    "fuse",
    "schedule-stages",
    "update-last",
    "update-in-place",
)

Observer = Callable[[pass_pipeline.PassRecord], None]


def optimize(program: Program, observer: Observer | None = None, target: Target | None = None) -> OptimizedProgram:
    """Runs the passes and writes the kernels for a target (this machine if none is given), without compiling them."""
    optimized = pass_pipeline.run_passes(program, NATIVE_PIPELINE, observer)
    stages = split_into_stages(optimized, target or Target.host())
    return OptimizedProgram(optimized, stages, tuple(kernel_sources(stages)))


def compile_program(program: Program, dump_folder: str | None = None) -> OptimizedProgram:
    """What `optimize` gives for this machine; each step is written to `dump_folder` if there is one."""
    if not dump_folder:
        return optimize(program)
    dump = Dump(dump_folder, program)
    optimized = optimize(program, dump.after_pass)
    dump.kernels(optimized.program, optimized.stages, optimized.sources)
    return optimized
