"""Splits an optimised program into stages: native ones, each run by one call, and single instructions on the host.

What has a kernel rule is native; what has none (strings, Python functions, sizes that depend on data) runs on the host
by the primitive's reference. The order of the program is kept: the pass `schedule-stages` has arranged it for few
stages.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessile.compiler.cpu import rules as _registered_rules
from sessile.compiler.kernel_call import KERNEL_RULES, KernelCall, NoKernel
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.stages import PLACED, HostStage, NativeInstruction, NativeStage, Stage
from sessile.compiler.target import Target
from sessile.ir.program import Instruction, Program

assert _registered_rules


def split_into_stages(program: Program, target: Target) -> tuple[Stage, ...]:
    """The stages of a program, in order of execution, with kernels for a target."""
    stages: list[Stage] = []
    native: list[NativeInstruction] = []
    for instruction in program.instructions:
        if instruction.name in PLACED:
            continue
        try:
            native.append(NativeInstruction(instruction, _calls(instruction, target)))
        except NoKernel as reason:
            if native:
                stages.append(NativeStage(tuple(native)))
                native = []
            stages.append(HostStage(instruction, str(reason)))
    if native:
        stages.append(NativeStage(tuple(native)))
    return tuple(stages)


def _calls(instruction: Instruction, target: Target) -> tuple[KernelCall, ...]:
    rule = KERNEL_RULES.get(instruction.name)
    if rule is None:
        raise NoKernel(f"{instruction.name} has no kernel")
    for value in (*instruction.operands, *instruction.results):
        if value.type.dtype in ("string", "resource"):
            raise NoKernel(f"elements of type {value.type.dtype} live on the host")
    return rule(instruction, target)


def kernel_sources(stages: Sequence[Stage]) -> list[KernelSource]:
    """The kernels of the stages, each once."""
    sources: dict[str, KernelSource] = {}
    for stage in stages:
        if isinstance(stage, NativeStage):
            for native in stage.instructions:
                for call in native.calls:
                    sources[call.source.name] = call.source
    return list(sources.values())
