"""Kernels of the batched matrix product, C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]).

In: an element type, a target, an epilogue. Out: a `ContractionKernel` for all sizes and strides. f32 and f64 use packed
panels and the micro-kernel; the other element types use plain loops.
"""

from __future__ import annotations

import textwrap

from sessile.compiler.cpu.contraction.contraction_kernel import ContractionKernel
from sessile.compiler.cpu.contraction.epilogue import NO_EPILOGUE, Epilogue
from sessile.compiler.cpu.contraction.loop_product import loop_product_code
from sessile.compiler.cpu.contraction.tiling import Tiling, tiling_for
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target

_SIZES = ("batch", "m", "n", "k", "a_batch", "a_row", "a_column", "b_batch", "b_row", "b_column")


def matrix_product_kernel(
    dtype: str, target: Target, epilogue: Epilogue = NO_EPILOGUE, *, transpose_a: bool = False, transpose_b: bool = False
) -> ContractionKernel:
    """The kernel of a batched matrix product for one element type.

    Its arguments, in order:
      a, b, c: pointers to elements; `c` is dense, [batch, m, n], and overlaps nothing else.
      batch, m, n, k: sizes, each may be 0; with k = 0 the sums are 0.
      a_batch, a_row, a_column: element (item, i, p) of A is a[item * a_batch + i * a_row + p * a_column]. The batch
        stride is 0 where all items share the matrix.
      b_batch, b_row, b_column: likewise, b[item * b_batch + p * b_row + j * b_column].
      workspace, workspace_stride: memory of the element type, elements for each part.
      the epilogue's arguments.

    Args:
      dtype: the element type of A, B and C.
      target: the machine; it decides the tile.
      epilogue: work on each element before it is stored; `i` counts rows over the batch, `item * m + row`.
      transpose_a: expect adjacent columns, a_row = 1, instead of adjacent rows, a_column = 1. Other strides give the
        same result more slowly.
      transpose_b: expect b_row = 1 instead of b_column = 1.
    """
    blocked = dtype in ("f32", "f64")
    if blocked:
        tiling = tiling_for(dtype, target)
        code = _blocked_code(tiling, epilogue, transpose_a, transpose_b)
        workspace = tiling.workspace
    else:
        code, workspace = loop_product_code(dtype, epilogue), 0
    words = ("matrix_product", dtype, *epilogue.words)
    element = f"*{dtype}"
    types = (element,) * 3 + ("i64",) * len(_SIZES) + (element, "i64", *epilogue.types)
    arguments = ("a", "b", "c", *_SIZES, "workspace", "workspace_stride", *epilogue.names)
    return ContractionKernel(kernel_source(words, code, types), arguments, workspace)


def matrix_product_flops(batch: int, m: int, n: int, k: int) -> int:
    """Additions and multiplications of a matrix product, for deciding how many threads share it."""
    return 2 * batch * m * n * k


def _blocked_code(tiling: Tiling, epilogue: Epilogue, transpose_a: bool, transpose_b: bool) -> str:
    interleaved = "_interleaved" if transpose_a else ""
    transposed = "_transposed" if transpose_b else ""
    if epilogue is NO_EPILOGUE:
        finish = ""
    else:
        body = textwrap.indent("\n".join((*epilogue.lines, f"c[o] = {epilogue.result}")), " " * 32)
        finish = _FINISH.replace("EPILOGUE", body)
    values = {
        "PARAMETERS": epilogue.parameters,
        "PACK_LEFT": f"pack_left{interleaved}_{tiling.name}",
        "PACK_RIGHT": f"pack_right{transposed}_{tiling.name}",
        "MULTIPLY_ROWS": f"multiply{interleaved}_rows_{tiling.name}",
        "TILE_ROWS": str(tiling.rows),
        "TILE_COLUMNS": str(tiling.columns),
        "BLOCK_COLUMNS": str(tiling.block_columns),
        "DEPTH": str(tiling.depth),
        "LEFT_PANEL": str(tiling.left_panel),
        "SMALL": str(3 * tiling.rows),
    }
    code = _BLOCKED + finish
    for name, value in values.items():
        code = code.replace(name, value)
    return code


_BLOCKED = """\
# c[item, i, j] = epilogue(sum over p of a[item, i, p] * b[item, p, j])
# A part takes a share of the row tiles or of the column tiles; it packs a block of b and then each panel of a.
def kernel(
    a, b, c, batch, m, n, k, a_batch, a_row, a_column, b_batch, b_row, b_column,
    workspace, workspace_stride, PARAMETERSpart, parts
):
    if batch * m * n == 0:
        return
    if b_batch == 0 and a_batch == m * a_row:
        m = m * batch  # the items lie one below another
        batch = 1
    row_tiles = (m + TILE_ROWS - 1) // TILE_ROWS
    column_tiles = (n + TILE_COLUMNS - 1) // TILE_COLUMNS
    first_tile = 0
    last_tile = batch * row_tiles
    first_column = 0
    last_column = n
    if last_tile >= column_tiles:
        first_tile = batch * row_tiles * part // parts
        last_tile = batch * row_tiles * (part + 1) // parts
    else:
        first_column = column_tiles * part // parts * TILE_COLUMNS
        last_column = min(column_tiles * (part + 1) // parts * TILE_COLUMNS, n)
    if first_tile >= last_tile or first_column >= last_column:
        return
    left = part * workspace_stride
    right = left + LEFT_PANEL
    vector = min(m, n) == 1 and k > 0  # one row or one column: nothing is used twice, so nothing is packed
    block_rows = m if vector else TILE_ROWS
    block_columns = n if vector else BLOCK_COLUMNS
    depth_blocks = 1 if vector else max((k + DEPTH - 1) // DEPTH, 1)
    block_depth = max((k + depth_blocks - 1) // depth_blocks, 1)
    for item in range(first_tile // row_tiles, (last_tile + row_tiles - 1) // row_tiles):
        first_row = max(first_tile - item * row_tiles, 0) * TILE_ROWS
        last_row = min((last_tile - item * row_tiles) * TILE_ROWS, m)
        for column in range(first_column, last_column, block_columns):
            columns = min(block_columns, last_column - column)
            unpacked = 0
            if b_column == 1 and last_row - first_row <= SMALL:
                unpacked = columns // TILE_COLUMNS * TILE_COLUMNS  # too few rows to pay for packing
            for p in range(0, max(k, 1), block_depth):
                depth = min(block_depth, k - p)
                panel = depth * TILE_COLUMNS
                b_start = item * b_batch + p * b_row + column * b_column
                packed_start = b_start + unpacked * b_column
                packed = 0 if vector else columns - unpacked
                PACK_RIGHT(workspace, right, panel, 0, b, packed_start, b_row, b_column, depth, packed)
                for row in range(first_row, last_row, block_rows):
                    rows = min(block_rows, last_row - row)
                    a_start = item * a_batch + row * a_row + p * a_column
                    c_start = (item * m + row) * n + column
                    MULTIPLY_ROWS(
                        workspace, left, workspace, right, panel, a, a_start, a_row, a_column, b, b_start, b_row, b_column,
                        c, c_start, n, rows, columns, unpacked, depth, p, vector
                    )
"""

_FINISH = """\
                    if p + depth == k:
                        for i in range(item * m + row, item * m + row + rows):
                            for j in range(column, column + columns):
                                o = i * n + j
                                acc = c[o]
EPILOGUE
"""
