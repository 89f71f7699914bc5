"""The matrix product in plain loops, for element types without a micro-kernel: integers, complex numbers, f16.

In: an element type and an epilogue. Out: the code of a kernel with the arguments of `matrix_product_kernel`.
"""

from __future__ import annotations

import textwrap

from sessile.compiler.cpu.contraction.epilogue import Epilogue
from sessile.compiler.cpu.contraction.scalar_types import scalar_type


def loop_product_code(dtype: str, epilogue: Epilogue) -> str:
    """Source of the kernel; a part takes a share of the rows of all items or of the columns."""
    scalar = scalar_type(dtype)
    values = {
        "PARAMETERS": epilogue.parameters,
        "ZERO": scalar.zero,
        "SUM": scalar.sum,
        "LEFT": scalar.load.format("a[a_start + p * a_column]"),
        "RIGHT": scalar.load.format("b[b_start + p * b_row + j * b_column]"),
        "OLD": scalar.load.format("c[o]"),
        "STORE": scalar.store.format(epilogue.result),
        "EPILOGUE": textwrap.indent("".join(f"{line}\n" for line in epilogue.lines), " " * 12),
    }
    # Sums in the result itself would be rounded to f16 at each step, so f16 sums one element at a time.
    code = _HEAD + (_ELEMENT_BY_ELEMENT if dtype == "f16" else _ROW_BY_ROW) + _FINISH
    for name, value in values.items():
        code = code.replace(name, value)
    return code


_HEAD = """\
# c[item, i, j] = epilogue(sum over p of a[item, i, p] * b[item, p, j])
# A part takes a share of the rows of all items or of the columns.
def kernel(
    a, b, c, batch, m, n, k, a_batch, a_row, a_column, b_batch, b_row, b_column,
    workspace, workspace_stride, PARAMETERSpart, parts
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
            c[i * n + j] = ZERO
        for p in range(k):
            x = LEFT
            for j in range(first_column, last_column):
                c[i * n + j] = SUM(c[i * n + j] + x * RIGHT)
        for j in range(first_column, last_column):
            o = i * n + j
            acc = OLD
"""

_ELEMENT_BY_ELEMENT = """\
        for j in range(first_column, last_column):
            o = i * n + j
            acc = ZERO
            for p in range(k):
                acc += LEFT * RIGHT
"""

_FINISH = """\
EPILOGUE            c[o] = STORE
"""
