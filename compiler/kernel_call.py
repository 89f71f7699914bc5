"""A kernel and what it is called with, before anything has an address: what kernel rules make and executables bind.

A kernel rule turns one instruction of an optimised program into `KernelCall`s. The executable then gives each value a
buffer, each size a number, and puts the addresses and numbers into the argument block of a native step.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target
from sessile.ir.program import Instruction, Value
from sessile.ir.sizes import Size


class Buffer(NamedTuple):
    """The address of a value's elements."""

    value: Value


class Number(NamedTuple):
    """A size, as an i64."""

    size: Size


class Status(NamedTuple):
    """The address of the run's status words: [code, details ...], all zero while nothing failed."""


class Workspace(NamedTuple):
    """The address of scratch memory: `elements` of `dtype` for each part, one part after the other."""

    elements: Size
    dtype: str


@dataclass(eq=False)
class Scratch:
    """The address of memory for `elements` of `dtype` that all parts of the call share and nobody else needs."""

    elements: Size
    dtype: str


class StreamState(NamedTuple):
    """The address of a random stream's state, which the session keeps."""

    stream: str
    seed: int
    seed2: int


KernelArgument = Buffer | Number | Status | Workspace | Scratch | StreamState


class KernelCall(NamedTuple):
    """One step of a native segment.

    `arguments` are in the order of the source's argument types. `work` estimates the run time in scalar operations
    (about a quarter of a nanosecond each); a step with enough of it is shared among threads unless `parallel` is
    False. A kernel that `can_fail` writes to the status words and has not changed its operands when it does; the
    error's message is then that of the primitive's reference on the same operands.
    """

    source: KernelSource
    arguments: tuple[KernelArgument, ...]
    work: Size
    parallel: bool = True
    can_fail: bool = False


class NoKernel(Exception):
    """This instruction has no kernel, for the reason given; it runs on the host."""


KernelRule = Callable[[Instruction, Target], "tuple[KernelCall, ...]"]
KERNEL_RULES: dict[str, KernelRule] = {}


def kernel_rule(*primitives: str) -> Callable[[KernelRule], KernelRule]:
    """Decorator: registers how instructions of these primitives become kernels for a processor."""

    def register(rule: KernelRule) -> KernelRule:
        for name in primitives:
            if name in KERNEL_RULES:
                raise ValueError(f"two kernel rules for {name!r}")
            KERNEL_RULES[name] = rule
        return rule

    return register
