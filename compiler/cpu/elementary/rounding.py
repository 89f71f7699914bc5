"""floor, ceil, rint and trunc: single instructions where the processor has them."""

from __future__ import annotations

from sessile.compiler.cpu.elementary.emit import Value, call_intrinsic
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary


@elementary(*FLOATS)
def floor(x: Value) -> Value:
    """The largest integer not above x."""
    return call_intrinsic("llvm.floor", x)


@elementary(*FLOATS)
def ceil(x: Value) -> Value:
    """The smallest integer not below x."""
    return call_intrinsic("llvm.ceil", x)


@elementary(*FLOATS)
def rint(x: Value) -> Value:
    """The nearest integer, halves to even."""
    return call_intrinsic("llvm.rint", x)


@elementary(*FLOATS)
def trunc(x: Value) -> Value:
    """The integer part."""
    return call_intrinsic("llvm.trunc", x)
