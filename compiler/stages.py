"""The stages of an optimised program: native ones, each run by one call, and single instructions on the host."""

from __future__ import annotations

from typing import NamedTuple

from sessile.compiler.kernel_call import KernelCall
from sessile.compiler.kernel_source import KernelSource
from sessile.ir.program import Instruction, Program

# Instructions that only say where a value lives.
PLACED = frozenset({"constant", "parameter", "read_variable", "write_variable", "reshape", "sizes"})


class NativeInstruction(NamedTuple):
    """An instruction and the kernels that compute it."""

    instruction: Instruction
    calls: tuple[KernelCall, ...]


class NativeStage(NamedTuple):
    """Instructions that one native call runs."""

    instructions: tuple[NativeInstruction, ...]


class HostStage(NamedTuple):
    """One instruction that the reference interpreter runs; `reason` says why it has no kernel."""

    instruction: Instruction
    reason: str


Stage = NativeStage | HostStage


class OptimizedProgram(NamedTuple):
    """A program after all passes, its stages, and the kernels that it needs."""

    program: Program
    stages: tuple[Stage, ...]
    sources: tuple[KernelSource, ...]
