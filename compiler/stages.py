"""The stages of an optimised program: native ones, each run by one call, and single instructions on the host."""

from __future__ import annotations

from dataclasses import dataclass

from sessile.compiler.kernel_call import KernelCall
from sessile.compiler.kernel_source import KernelSource
from sessile.ir.program import Instruction, Program

# Instructions that only say where a value lives.
PLACED = frozenset({"constant", "parameter", "read_variable", "write_variable", "reshape", "sizes"})


@dataclass(frozen=True)
class NativeInstruction:
    """An instruction and the kernels that compute it."""

    instruction: Instruction
    calls: tuple[KernelCall, ...]


@dataclass(frozen=True)
class NativeStage:
    """Instructions that one native call runs."""

    instructions: tuple[NativeInstruction, ...]


@dataclass(frozen=True)
class HostStage:
    """One instruction that the reference interpreter runs; `reason` says why it has no kernel."""

    instruction: Instruction
    reason: str


Stage = NativeStage | HostStage


@dataclass(frozen=True)
class OptimizedProgram:
    """A program after all passes, its stages, and the kernels that it needs."""

    program: Program
    stages: tuple[Stage, ...]
    sources: tuple[KernelSource, ...]
