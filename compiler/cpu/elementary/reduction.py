"""Steps of reductions that the loop vectoriser may spread over several accumulators.

Kernels are compiled without fast-math, so a plain `acc + x` in a loop stays one chain of additions. Here the addition
alone carries `reassoc`: partial sums may be combined in any order, and no other arithmetic is touched.
"""

from __future__ import annotations

from sessile.compiler.cpu.elementary.emit import Value, call_intrinsic
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary


@elementary(*FLOATS, arity=2)
def add_reassoc(accumulator: Value, x: Value) -> Value:
    """accumulator + x, in any order of summation."""
    return Value(x.builder, x.builder.fadd(accumulator.ir, x.ir, flags=("reassoc",)))


@elementary(*FLOATS, arity=2)
def mul_reassoc(accumulator: Value, x: Value) -> Value:
    """accumulator * x, in any order of multiplication."""
    return Value(x.builder, x.builder.fmul(accumulator.ir, x.ir, flags=("reassoc",)))


@elementary(*FLOATS, arity=2)
def maximum_reduce(accumulator: Value, x: Value) -> Value:
    """The larger of the two, NaN if either is; start from -infinity."""
    return call_intrinsic("llvm.maximum", accumulator, x)


@elementary(*FLOATS, arity=2)
def minimum_reduce(accumulator: Value, x: Value) -> Value:
    """The smaller of the two, NaN if either is; start from infinity."""
    return call_intrinsic("llvm.minimum", accumulator, x)
