"""Kernel rules of reads and writes that go where another value says: gather, gather_nd, scatter."""

from __future__ import annotations

from collections.abc import Sequence

from sessile.compiler.kernel_call import Buffer, KernelArgument, KernelCall, NoKernel, Number, Status, kernel_rule
from sessile.compiler.kernel_source import KernelSource, kernel_source
from sessile.compiler.target import Target
from sessile.ir.program import Instruction
from sessile.ir.sizes import Size, product

_GATHER = """\
def kernel(x, indices, out, status, batch, outer, rows, count, inner, part, parts):
    # units are the slices that stand before the gathered axis; a single one is shared by its rows
    units = batch * outer
    first_unit, last_unit, first, last = 0, units, 0, count
    if units == 1:
        first, last = count * part // parts, count * (part + 1) // parts
    else:
        first_unit, last_unit = units * part // parts, units * (part + 1) // parts
    for unit in range(first_unit, last_unit):
        group = unit // outer
        for k in range(first, last):
            row = i64(indices[group * count + k])
            if row < 0 or row >= rows:
                status[0] = 1
                return
            source = (unit * rows + row) * inner
            target = (unit * count + k) * inner
            for j in range(inner):
                out[target + j] = x[source + j]
"""

_GATHER_ND = """\
def kernel(x, indices, out, status, count, inner, {limits}part, parts):
    for k in range(count * part // parts, count * (part + 1) // parts):
        place = 0
{coordinates}
        source = place * inner
        for j in range(inner):
            out[k * inner + j] = x[source + j]
"""

_SCATTER = """\
def kernel({arrays}, status, size, count, inner, {limits}part, parts):
    if part != 0:
        return
    for k in range(count):
        place = 0
{coordinates}
{copy}    for k in range(count):
        place = 0
{places}
        target = place * inner
        for j in range(inner):
            out[target + j] = {update}
"""

_COPY = """\
    for i in range(size):
        out[i] = x[i]
"""


@kernel_rule("gather")
def gather(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """Rows are copied one after the other; each part checks the indices that it uses."""
    x, indices = instruction.operands
    dtype = x.type.dtype
    axis, batch = instruction.attributes["axis"], instruction.attributes["batch"]
    groups = product(x.type.shape[:batch])
    outer = product(x.type.shape[batch:axis])
    count = product(indices.type.shape[batch:])
    inner = product(x.type.shape[axis + 1 :])
    types = (f"*{dtype}", f"*{indices.type.dtype}", f"*{dtype}", "*i64", *["i64"] * 5)
    numbers = (Number(groups), Number(outer), Number(x.type.shape[axis]), Number(count), Number(inner))
    return (
        KernelCall(
            kernel_source(["gather", dtype], _GATHER, types),
            (Buffer(x), Buffer(indices), Buffer(instruction.result), Status(), *numbers),
            work=instruction.result.type.size + 4 * count,
            can_fail=True,
        ),
    )


@kernel_rule("gather_nd")
def gather_nd(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """As gather, with coordinates in place of indices."""
    x, indices = instruction.operands
    dtype = x.type.dtype
    depth = _depth(indices.type.shape)
    names = [f"limit{k}" for k in range(depth)]
    code = _GATHER_ND.format(limits="".join(f"{name}, " for name in names), coordinates=_checked_place(depth, " " * 8))
    types = (f"*{dtype}", f"*{indices.type.dtype}", f"*{dtype}", "*i64", *["i64"] * (2 + depth))
    count, inner = product(indices.type.shape[:-1]), product(x.type.shape[depth:])
    limits = [Number(size) for size in x.type.shape[:depth]]
    return (
        KernelCall(
            kernel_source(["gather_nd", dtype], code, types),
            (Buffer(x), Buffer(indices), Buffer(instruction.result), Status(), Number(count), Number(inner), *limits),
            work=instruction.result.type.size + 4 * count,
            can_fail=True,
        ),
    )


@kernel_rule("scatter")
def scatter(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """All coordinates are checked before anything is written; equal ones take effect in order, on one thread."""
    x, indices, updates = instruction.operands
    dtype, function = x.type.dtype, instruction.attributes["function"]
    depth = _depth(indices.type.shape)
    source = _scatter_source(dtype, indices.type.dtype, depth, function, bool(instruction.attributes.get("in_place")))
    count, inner = product(indices.type.shape[:-1]), product(x.type.shape[depth:])
    arrays: list[KernelArgument] = [Buffer(instruction.result), Buffer(indices), Buffer(updates)]
    if not instruction.attributes.get("in_place"):
        arrays.insert(0, Buffer(x))
    sizes = [x.type.size, count, inner, *x.type.shape[:depth]]
    return (
        KernelCall(
            source,
            (*arrays, Status(), *map(Number, sizes)),
            work=x.type.size + 2 * updates.type.size,
            parallel=False,
            can_fail=True,
        ),
    )


def _scatter_source(dtype: str, index_type: str, depth: int, function: str, in_place: bool) -> KernelSource:
    held = dtype
    if function != "set" and dtype in ("f16", "bool"):
        raise NoKernel(f"scatter {function} of {dtype} has no kernel")
    code = _SCATTER.format(
        arrays="out, indices, updates" if in_place else "x, out, indices, updates",
        limits="".join(f"limit{k}, " for k in range(depth)),
        coordinates=_checked_place(depth, " " * 8),
        copy="" if in_place else _COPY,
        places=_place(depth, " " * 8),
        update=_combined(function, dtype),
    )
    pointers = [f"*{held}", f"*{index_type}", f"*{held}"]
    pointers = pointers if in_place else [f"*{held}", *pointers]
    return kernel_source(["scatter", function, dtype], code, (*pointers, "*i64", *["i64"] * (3 + depth)))


def _combined(function: str, dtype: str) -> str:
    old, new = "out[target + j]", "updates[k * inner + j]"
    if function == "set":
        return new
    if function in ("add", "sub", "mul"):
        sign = {"add": "+", "sub": "-", "mul": "*"}[function]
        return f"{dtype}({old} {sign} {new})" if dtype[0] in "iu" else f"{old} {sign} {new}"
    if function == "div" and dtype[0] in "fc":
        return f"{old} / {new}"
    if function in ("max", "min") and dtype[0] == "f":
        return f"{function}imum_{dtype}({old}, {new})"
    if function in ("max", "min") and dtype[0] in "iu":
        return f"{function}({old}, {new})"
    raise NoKernel(f"scatter {function} of {dtype} has no kernel")


def _place(depth: int, indent: str) -> str:
    lines = [f"place = place * limit{k} + i64(indices[k * {depth} + {k}])" for k in range(depth)]
    return "\n".join(indent + line for line in lines)


def _checked_place(depth: int, indent: str) -> str:
    lines: list[str] = []
    for axis in range(depth):
        lines += [
            f"c{axis} = i64(indices[k * {depth} + {axis}])",
            f"if c{axis} < 0 or c{axis} >= limit{axis}:",
            "    status[0] = 1",
            "    return",
            f"place = place * limit{axis} + c{axis}",
        ]
    return "\n".join(indent + line for line in lines)


def _depth(shape: Sequence[Size]) -> int:
    depth = shape[-1]
    assert isinstance(depth, int)
    return depth
