"""Kernel rules along one axis: the index of the largest or smallest element, and running sums and products."""

from __future__ import annotations

import numpy as np

from sessile.compiler.kernel_call import Buffer, KernelCall, NoKernel, Number, Status, kernel_rule
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target
from sessile.ir.program import Instruction
from sessile.ir.sizes import product
from sessile.ir.types import FLOATS, INTEGERS, NUMPY_DTYPES

_ARG_REDUCE = """\
def kernel(x, out, {status}outer, count, inner, part, parts):
{check}    total = outer * inner
    for place in range(total * part // parts, total * (part + 1) // parts):
        start = place // inner * count * inner + place % inner
        best = {first}
        chosen = 0
        for k in range(count):
            candidate = x[start + k * inner]
            if candidate {relation} best:
                best = candidate
                chosen = k
        out[place] = {index_type}(chosen)
"""

_CHECK = """\
    if count == 0:
        status[0] = 1
        return
"""

_SCAN = """\
def kernel(x, out, outer, count, inner, part, parts):
    total = outer * inner
    for place in range(total * part // parts, total * (part + 1) // parts):
        start = place // inner * count * inner + place % inner
        total_so_far = {identity}
        for step in range(count):
            k = {position}
            here = start + k * inner
            element = x[here]
{body}
"""


@kernel_rule("arg_reduce")
def arg_reduce(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """Each result looks through its elements; those of floats must be better than the worst finite number."""
    (x,) = instruction.operands
    dtype, axis = x.type.dtype, instruction.attributes["axis"]
    if dtype not in (FLOATS | INTEGERS) - {"f16"}:
        raise NoKernel(f"arg_reduce of {dtype} has no kernel")
    if x.type.shape[axis] == 0:
        raise NoKernel("arg_reduce over an axis of size 0")
    index_type = instruction.attributes["dtype"]
    is_max = instruction.attributes["function"] == "max"
    first = "x[start]"
    if dtype in FLOATS:
        limits = np.finfo(NUMPY_DTYPES[dtype])
        first = f"{dtype}({float(limits.min if is_max else limits.max)!r})"
    may_fail = not isinstance(x.type.shape[axis], int)
    code = _ARG_REDUCE.format(
        first=first,
        relation=">" if is_max else "<",
        index_type=index_type,
        status="status, " if may_fail else "",
        check=_CHECK if may_fail else "",
    )
    types = (f"*{dtype}", f"*{index_type}", *["*i64"] * may_fail, "i64", "i64", "i64")
    words = ["arg", instruction.attributes["function"], dtype]
    return (_along_axis(instruction, axis, words, code, types, 2, may_fail),)


@kernel_rule("scan")
def scan(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """Each line along the axis is one chain of additions or multiplications."""
    (x,) = instruction.operands
    attributes = instruction.attributes
    dtype = x.type.dtype
    if dtype in ("f16", "bool"):
        raise NoKernel(f"scan of {dtype} has no kernel")
    sign, identity = ("+", 0) if attributes["function"] == "add" else ("*", 1)
    combined = f"{dtype}(total_so_far {sign} element)"
    store = "            out[here] = total_so_far"
    if attributes["exclusive"]:
        lines = [store, f"            total_so_far = {combined}"]
    else:  # the first element as it is: 0 + -0.0 would be 0.0
        lines = [f"            total_so_far = element if step == 0 else {combined}", store]
    code = _SCAN.format(
        identity=f"{dtype}({identity})",
        position="count - 1 - step" if attributes["reverse"] else "step",
        body="\n".join(lines),
    )
    types = (f"*{dtype}", f"*{dtype}", "i64", "i64", "i64")
    words = ["scan", attributes["function"], dtype]
    return (_along_axis(instruction, attributes["axis"], words, code, types, 4),)


def _along_axis(
    instruction: Instruction,
    axis: int,
    words: list[str],
    code: str,
    types: tuple[str, ...],
    cost: int,
    may_fail: bool = False,
) -> KernelCall:
    (x,) = instruction.operands
    shape = x.type.shape
    sizes = (product(shape[:axis]), shape[axis], product(shape[axis + 1 :]))
    status = [Status()] if may_fail else []
    return KernelCall(
        kernel_source(words, code, types),
        (Buffer(x), Buffer(instruction.result), *status, *map(Number, sizes)),
        work=cost * x.type.size,
        can_fail=may_fail,
    )
