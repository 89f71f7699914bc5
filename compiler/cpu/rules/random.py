"""Kernel rules of `random`: one kernel fills the result from the stream's state, another moves the state on."""

from __future__ import annotations

from sessile.compiler.cpu import random_kernels
from sessile.compiler.kernel_call import (
    Buffer,
    KernelArgument,
    KernelCall,
    NoKernel,
    Number,
    Status,
    StreamState,
    kernel_rule,
)
from sessile.compiler.target import Target
from sessile.ir.program import Instruction

_FILLS = {
    "uniform": random_kernels.uniform_kernel,
    "normal": random_kernels.normal_kernel,
    "truncated_normal": random_kernels.truncated_normal_kernel,
}
_TYPES = {"uniform": ("f16", "f32", "f64"), "normal": ("f32", "f64"), "truncated_normal": ("f32", "f64")}
_WORK = {"uniform": 6, "uniform_int": 10, "normal": 16, "truncated_normal": 20}


@kernel_rule("random")
def random(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """The distributions that have a kernel; the others are drawn on the host."""
    attributes = instruction.attributes
    kind, result = attributes["kind"], instruction.result
    dtype = result.type.dtype
    state = StreamState(attributes["stream"], attributes["seed"], attributes["seed2"])
    count = result.type.size
    arguments: tuple[KernelArgument, ...]
    if kind == "uniform_int":
        source = random_kernels.uniform_int_kernel(dtype)
        low, high = instruction.operands
        arguments = (Buffer(result), Buffer(low), Buffer(high), state, Status(), Number(count))
    elif dtype in _TYPES.get(kind, ()):
        source = _FILLS[kind](dtype)
        arguments = (Buffer(result), state, Number(count))
    else:
        raise NoKernel(f"random {kind} of {dtype} has no kernel")
    fill = KernelCall(source, arguments, work=_WORK[kind] * count, can_fail=kind == "uniform_int")
    advance = KernelCall(random_kernels.advance_kernel(), (state, Number(count)), work=1, parallel=False)
    return fill, advance
