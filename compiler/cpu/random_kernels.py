"""Kernels of the random operations: they fill an array with the numbers that `sessile.ir.random_streams` defines.

Each generator returns a `KernelSource`. Its arguments are the array, what the distribution needs, `state` (u64[3]:
counter low, counter high, key, as in `sessile.ir.philox`) and the number of elements. A part computes its own
groups of outputs from the counter, so that parts share nothing. Kernels only read the state: a step of its own,
`advance_kernel`, moves it on after all parts are done (a barrier lies between two steps). Normal f16 numbers are
the f32 ones rounded.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessile.compiler.kernel_source import KernelSource, kernel_source
from sessile.ir.random_rejection import RESERVED_PER_OUTPUT

_WORDS = "w0, w1, w2, w3"

_FILL = """\
def kernel({arguments}, count, part, parts):
    low, high, key = state[0], state[1], state[2]
{preparation}    groups = count // {group}
    for index in range(groups * part // parts, groups * (part + 1) // parts):
        {words} = philox_block(low, high, key, index)
        {numbers}
        {stores}
    if part == parts - 1 and count > {group} * groups:
        {words} = philox_block(low, high, key, groups)
        {numbers}
        out[{group} * groups] = x0
        {rest}
"""

_FILL_TRUNCATED = """\
def kernel(out, state, count, part, parts):
    low, high, key = state[0], state[1], state[2]
    groups = (count + {last}) // {group}
    end = groups * (part + 1) // parts
    for tile in range(groups * part // parts, end, 1024):
        tile_end = min(tile + 1024, end)
        # the first block of each whole group, as if nothing were rejected: a loop without branches
        for index in range(tile, min(tile_end, count // {group})):
            {words} = philox_block(low, high, key, {spacing} * index)
            {numbers}
            {stores}
        # then close the gaps and fill up from the blocks that follow
        for index in range(tile, tile_end):
            filled = {group} * index
            block = {spacing} * index
            stop = filled + {group}
            if stop <= count:
                if {all_small}:
                    continue
                block += 1
                for i in range(filled, stop):
                    x = out[i]
                    if abs(x) < 2:
                        out[filled] = x
                        filled += 1
            stop = min(stop, count)
            while filled < stop:
                {words} = philox_block(low, high, key, block)
                block += 1
                {more_numbers}
                {accept}
"""


def uniform_kernel(dtype: str) -> KernelSource:
    """Fills with numbers in [0, 1). Arguments: out *f16, *f32 or *f64, state *u64, count i64."""
    numbers = {
        "f16": [f"f16_from_f32(unit_f16(w{i}))" for i in range(4)],
        "f32": [f"unit_f32(w{i})" for i in range(4)],
        "f64": ["unit_f64(w0, w1)", "unit_f64(w2, w3)"],
    }[dtype]
    assignments = [f"x{i} = {number}" for i, number in enumerate(numbers)]
    return _fill(["random_uniform", dtype], dtype, assignments)


def normal_kernel(dtype: str) -> KernelSource:
    """Fills with standard normal numbers. Arguments: out *f32 or *f64, state *u64, count i64."""
    return _fill(["random_normal", dtype], dtype, _normal_numbers(dtype))


def uniform_int_kernel(dtype: str) -> KernelSource:
    """Fills with integers in [minval, maxval).

    Arguments: out, minval, maxval (all *i32 or all *i64, the bounds of one element), state *u64, status *i64,
    count i64. Unless minval < maxval it writes nothing and sets status to (1, minval, maxval).
    """
    unsigned = dtype.replace("i", "u")
    if dtype == "i32":
        # u32 % range through f64: the quotient is at least 2**-32 away from the next integer, so that it never
        # rounds up to it
        draws = [f"w{i} - u32(f64(w{i}) / f64(width)) * width" for i in range(4)]
    else:
        draws = ["(u64(w0) | u64(w1) << 32) % width", "(u64(w2) | u64(w3) << 32) % width"]
    assignments = [f"x{i} = {dtype}(lowest + {unsigned}({draw}))" for i, draw in enumerate(draws)]
    preparation = f"""\
    if minval[0] >= maxval[0]:
        if part == 0 and status[0] == 0:
            status[1], status[2] = i64(minval[0]), i64(maxval[0])
            status[0] = 1
        return
    lowest = {unsigned}(minval[0])
    width = {unsigned}({unsigned}(maxval[0]) - lowest)
"""
    return _fill(["random_uniform", dtype], dtype, assignments, ("minval", "maxval"), preparation)


def uniform_int_failure(status: Sequence[int]) -> tuple[str, str]:
    """The error kind and message for the status words of a `uniform_int_kernel` that failed."""
    return "invalid_argument", f"Need minval < maxval, got {status[1]} >= {status[2]}"


def truncated_normal_kernel(dtype: str) -> KernelSource:
    """Fills with standard normal numbers of magnitude below 2. Arguments: out *f32 or *f64, state *u64, count i64.

    A group of outputs has a part of the stream of its own and takes the first small numbers there.
    """
    group = _group(dtype)
    numbers = _normal_numbers(dtype)
    outputs = [f"out[{group} * index + {i}]" for i in range(group)]
    accept = [
        line
        for i in range(group)
        for line in (f"if abs(x{i}) < 2 and filled < stop:", f"    out[filled] = x{i}", "    filled += 1")
    ]
    code = _FILL_TRUNCATED.format(
        group=group, last=group - 1, words=_WORDS, spacing=group * RESERVED_PER_OUTPUT // 4,
        numbers=_lines(numbers, 12), stores=_lines([f"{out} = x{i}" for i, out in enumerate(outputs)], 12),
        all_small=" and ".join(f"abs({out}) < 2" for out in outputs),
        more_numbers=_lines(numbers, 16), accept=_lines(accept, 16),
    )  # fmt: skip
    return kernel_source(["random_truncated_normal", dtype], code, (f"*{dtype}", "*u64", "i64"))


def advance_kernel() -> KernelSource:
    """Moves a state behind the blocks that a random operation sets aside. Arguments: state *u64, outputs i64."""
    code = f"""\
def kernel(state, outputs, part, parts):
    if part == 0:
        state[0] += u64({RESERVED_PER_OUTPUT} * outputs)
"""
    return kernel_source(["random_advance"], code, ("*u64", "i64"))


def _group(dtype: str) -> int:
    return 2 if dtype.endswith("64") else 4


def _normal_numbers(dtype: str) -> list[str]:
    """Assignments that turn a block's words w0 to w3 into normal numbers x0, x1 ..."""
    if dtype == "f64":
        return [f"x0, x1 = normal_pair_f64({_WORDS})"]
    return [f"x{i}, x{i + 1} = normal_pair_{dtype}(w{i}, w{i + 1})" for i in (0, 2)]


def _fill(
    words: Sequence[str], dtype: str, assignments: Sequence[str], bounds: Sequence[str] = (), preparation: str = ""
) -> KernelSource:
    """A kernel that makes one group of numbers x0, x1 ... out of each block of words w0 to w3."""
    group = _group(dtype)
    rest = [
        line
        for i in range(1, group - 1)
        for line in (f"if count > {group} * groups + {i}:", f"    out[{group} * groups + {i}] = x{i}")
    ]
    code = _FILL.format(
        arguments=", ".join(["out", *bounds, "state", *["status"] * bool(bounds)]), preparation=preparation,
        group=group, words=_WORDS, numbers=_lines(assignments, 8),
        stores=_lines([f"out[{group} * index + {i}] = x{i}" for i in range(group)], 8), rest=_lines(rest, 8),
    )  # fmt: skip
    pointers = [f"*{dtype}"] * (1 + len(bounds)) + ["*u64"] + ["*i64"] * bool(bounds)
    return kernel_source(words, code, (*pointers, "i64"))


def _lines(statements: Sequence[str], indent: int) -> str:
    """Statements for a place that is already indented."""
    return ("\n" + " " * indent).join(statements)
