"""Kernels of the batched matrix product, C[b, m, n] = epilogue(sum over k of A[b, m, k] * B[b, k, n]).

In: an element type, a target, an epilogue. Out: a `ContractionKernel` for all sizes and strides. f32 and f64 use packed
panels and the micro-kernel; the other element types use plain loops. Products with one row or column have a kernel of
their own, since nothing in them is used twice.
"""

from __future__ import annotations

import textwrap
from string import Template

from sessile.compiler.cpu.contraction.contraction_kernel import ContractionKernel
from sessile.compiler.cpu.contraction.epilogue import NO_EPILOGUE, Epilogue
from sessile.compiler.cpu.contraction.loop_product import loop_product_code
from sessile.compiler.cpu.contraction.tiling import Tiling, tiling_for
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target

_SIZES = ("batch", "m", "n", "k", "a_batch", "a_row", "a_column", "b_batch", "b_row", "b_column")


def matrix_product_kernel(
    dtype: str,
    target: Target,
    epilogue: Epilogue = NO_EPILOGUE,
    *,
    transpose_a: bool = False,
    transpose_b: bool = False,
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
    if dtype not in ("f32", "f64"):
        return _kernel("matrix_product", loop_product_code(dtype, epilogue), dtype, epilogue, 0)
    tiling = tiling_for(dtype, target)
    code = _blocked_code(tiling, epilogue, transpose_a, transpose_b)
    return _kernel("matrix_product", code, dtype, epilogue, tiling.workspace)


def matrix_vector_kernel(dtype: str, target: Target, epilogue: Epilogue = NO_EPILOGUE) -> ContractionKernel:
    """The kernel of products with one row or one column, m = 1 or n = 1, which must be known when it is chosen.

    It has the arguments of `matrix_product_kernel` and computes the same, at the speed at which memory yields the
    matrix, if its elements are adjacent in one direction. It needs no workspace.
    """
    if dtype not in ("f32", "f64"):
        return matrix_product_kernel(dtype, target, epilogue)
    body = textwrap.indent("\n".join((*epilogue.lines, f"c[o] = {epilogue.result}")), " " * 16)
    code = Template(_VECTOR if epilogue == NO_EPILOGUE else _VECTOR + _VECTOR_FINISH).substitute(
        parameters=epilogue.parameters, matrix_vector=f"matrix_vector_{tiling_for(dtype, target).name}", epilogue=body
    )
    return _kernel("matrix_vector", code, dtype, epilogue, 0)


def _kernel(word: str, code: str, dtype: str, epilogue: Epilogue, workspace: int) -> ContractionKernel:
    element = f"*{dtype}"
    types = (element,) * 3 + ("i64",) * len(_SIZES) + (element, "i64", *epilogue.types)
    arguments = ("a", "b", "c", *_SIZES, "workspace", "workspace_stride", *epilogue.names)
    return ContractionKernel(kernel_source((word, dtype, *epilogue.words), code, types), arguments, workspace)


def matrix_product_flops(batch: int, m: int, n: int, k: int) -> int:
    """Additions and multiplications of a matrix product, for deciding how many threads share it."""
    return 2 * batch * m * n * k


def _blocked_code(tiling: Tiling, epilogue: Epilogue, transpose_a: bool, transpose_b: bool) -> str:
    body = textwrap.indent("\n".join((*epilogue.lines, f"c[o] = {epilogue.result}")), " " * 32)
    return Template(_BLOCKED if epilogue == NO_EPILOGUE else _BLOCKED + _FINISH).substitute(
        parameters=epilogue.parameters,
        pack_right=f"pack_{'transposed_' if transpose_b else ''}right_{tiling.name}",
        multiply_rows=f"multiply_{'interleaved_' if transpose_a else ''}rows_{tiling.name}",
        tile_rows=tiling.rows,
        tile_columns=tiling.columns,
        block_columns=tiling.block_columns,
        depth=tiling.depth,
        left_panel=tiling.left_panel,
        row_rest=tiling.rows - 1,
        column_rest=tiling.columns - 1,
        depth_rest=tiling.depth - 1,
        small=3 * tiling.rows,
        epilogue=body,
    )


_BLOCKED = """\
# c[item, i, j] = epilogue(sum over p of a[item, i, p] * b[item, p, j])
# A part takes a share of the row tiles or of the column tiles; it packs a block of b and then each panel of a.
def kernel(
    a, b, c, batch, m, n, k, a_batch, a_row, a_column, b_batch, b_row, b_column,
    workspace, workspace_stride, ${parameters}part, parts
):
    if batch * m * n == 0:
        return
    if b_batch == 0 and a_batch == m * a_row:
        m = m * batch  # the items lie one below another
        batch = 1
    row_tiles = (m + $row_rest) // $tile_rows
    column_tiles = (n + $column_rest) // $tile_columns
    first_tile = 0
    last_tile = batch * row_tiles
    first_column = 0
    last_column = n
    if last_tile >= column_tiles:
        first_tile = batch * row_tiles * part // parts
        last_tile = batch * row_tiles * (part + 1) // parts
    else:
        first_column = column_tiles * part // parts * $tile_columns
        last_column = min(column_tiles * (part + 1) // parts * $tile_columns, n)
    if first_tile >= last_tile or first_column >= last_column:
        return
    left = part * workspace_stride
    right = left + $left_panel
    depth_blocks = max((k + $depth_rest) // $depth, 1)
    block_depth = max((k + depth_blocks - 1) // depth_blocks, 1)
    for item in range(first_tile // row_tiles, (last_tile + row_tiles - 1) // row_tiles):
        first_row = max(first_tile - item * row_tiles, 0) * $tile_rows
        last_row = min((last_tile - item * row_tiles) * $tile_rows, m)
        for column in range(first_column, last_column, $block_columns):
            columns = min($block_columns, last_column - column)
            unpacked = 0
            if b_column == 1 and last_row - first_row <= $small:
                unpacked = columns // $tile_columns * $tile_columns  # too few rows to pay for packing
            for p in range(0, max(k, 1), block_depth):
                depth = min(block_depth, k - p)
                panel = depth * $tile_columns
                b_start = item * b_batch + p * b_row + column * b_column
                packed = b_start + unpacked * b_column
                $pack_right(workspace, right, panel, 0, b, packed, b_row, b_column, depth, columns - unpacked)
                for row in range(first_row, last_row, $tile_rows):
                    rows = min($tile_rows, last_row - row)
                    a_start = item * a_batch + row * a_row + p * a_column
                    c_start = (item * m + row) * n + column
                    $multiply_rows(
                        workspace, left, workspace, right, panel, a, a_start, a_row, a_column, b, b_start, b_row,
                        c, c_start, n, rows, columns, unpacked, depth, p
                    )
"""

_FINISH = """\
                    if p + depth == k:
                        for i in range(item * m + row, item * m + row + rows):
                            for j in range(column, column + columns):
                                o = i * n + j
                                acc = c[o]
$epilogue
"""

_VECTOR = """\
# c[item, i, j] = epilogue(sum over p of a[item, i, p] * b[item, p, j]) where there is one i or one j
# A part takes a share of the items or, if they are few, of the elements of each.
def kernel(
    a, b, c, batch, m, n, k, a_batch, a_row, a_column, b_batch, b_row, b_column,
    workspace, workspace_stride, ${parameters}part, parts
):
    first_item = 0
    last_item = batch
    first = 0
    last = m * n
    if batch >= parts:
        first_item = batch * part // parts
        last_item = batch * (part + 1) // parts
    else:
        first = m * n * part // parts
        last = m * n * (part + 1) // parts
    for item in range(first_item, last_item):
        a_start = item * a_batch
        b_start = item * b_batch
        c_start = item * m * n + first
        if n == 1:
            a_start += first * a_row
            $matrix_vector(a, a_start, a_row, a_column, b, b_start, b_row, c, c_start, last - first, k)
        else:
            b_start += first * b_column
            $matrix_vector(b, b_start, b_column, b_row, a, a_start, a_column, c, c_start, last - first, k)
"""

_VECTOR_FINISH = """\
        first_row = first if n == 1 else 0
        first_column = 0 if n == 1 else first
        for i in range(item * m + first_row, item * m + (last if n == 1 else 1)):
            for j in range(first_column, 1 if n == 1 else last):
                o = i * n + j
                acc = c[o]
$epilogue
"""
