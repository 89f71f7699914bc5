"""The matrix product in plain loops, for element types without a micro-kernel: integers, complex numbers, f16.

In: an element type and an epilogue. Out: the code of a kernel with the arguments of `matrix_product_kernel`.
"""

from __future__ import annotations

import textwrap
from string import Template

from sessile.compiler.cpu.contraction.epilogue import Epilogue
from sessile.compiler.cpu.contraction.scalar_types import scalar_type


def loop_product_code(dtype: str, epilogue: Epilogue) -> str:
    """Source of the kernel; a part takes a share of the rows of all items or of the columns."""
    scalar = scalar_type(dtype)
    # Sums in the result itself would be rounded to f16 at each step, so f16 sums one element at a time.
    body = _ELEMENT_BY_ELEMENT if dtype == "f16" else _ROW_BY_ROW
    return Template(_HEAD + body + _FINISH).substitute(
        parameters=epilogue.parameters,
        zero=scalar.zero,
        sum=scalar.sum,
        left=scalar.load.format("a[a_start + p * a_column]"),
        right=scalar.load.format("b[b_start + p * b_row + j * b_column]"),
        old=scalar.load.format("c[o]"),
        store=scalar.store.format(epilogue.result),
        epilogue=textwrap.indent("".join(f"{line}\n" for line in epilogue.lines), " " * 12),
    )


_HEAD = """\
# c[item, i, j] = epilogue(sum over p of a[item, i, p] * b[item, p, j])
# A part takes a share of the rows of all items or of the columns.
def kernel(
    a, b, c, batch, m, n, k, a_batch, a_row, a_column, b_batch, b_row, b_column,
    workspace, workspace_stride, ${parameters}part, parts
):
    first_row = 0
    last_row = batch * m
    first_column = 0
    last_column = n
    if last_row >= n:
        first_row = batch * m * part // parts
        last_row = batch * m * (part + 1) // parts
    else:
        first_column = n * part // parts
        last_column = n * (part + 1) // parts
    for i in range(first_row, last_row):
        a_start = i // m * a_batch + i % m * a_row
        b_start = i // m * b_batch
"""

_ROW_BY_ROW = """\
        for j in range(first_column, last_column):
            c[i * n + j] = $zero
        for p in range(k):
            x = $left
            for j in range(first_column, last_column):
                c[i * n + j] = $sum(c[i * n + j] + x * $right)
        for j in range(first_column, last_column):
            o = i * n + j
            acc = $old
"""

_ELEMENT_BY_ELEMENT = """\
        for j in range(first_column, last_column):
            o = i * n + j
            acc = $zero
            for p in range(k):
                acc += $left * $right
"""

_FINISH = """\
${epilogue}            c[o] = $store
"""
