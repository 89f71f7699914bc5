"""Packing: copying pieces of a matrix into the panels that the micro-kernel reads.

In: a matrix given by two strides. Out: left panels of a few rows, blocks of the right matrix cut into panels of
columns. Rows and columns that a panel has beyond the matrix are filled with zeros or copies of real elements; the
micro-kernel multiplies them but never stores what comes out.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from sessile.compiler.cpu.contraction.emission import Emitter, Int, Pointer
from sessile.compiler.cpu.contraction.tiling import Tiling


def emit_copy_rows(caller: Emitter) -> ir.Function:
    """The function `(target, target_row, source, source_row, rows, last_row, count, width)`.

    Copies `count` adjacent elements of each row and sets those from `count` to `width` to zero. Rows beyond `last_row`
    are copies of it. May write up to one vector less one element past each row, so rows are copied in order.
    """

    def body(
        e: Emitter, target: Pointer, target_row: Int, source: Pointer, source_row: Int, rows: Int, last_row: Int,
        count: Int, width: Int,
    ) -> None:  # fmt: skip
        pair = 2 * e.lanes
        paired = count & -pair
        with e.loop(0, rows) as row:
            start = target + row * target_row
            origin = source + e.minimum(row, last_row) * source_row
            with e.loop(0, paired, pair) as i:
                first, second = e.load(origin + i), e.load(origin + i + e.lanes)
                e.store(first, start + i)
                e.store(second, start + i + e.lanes)
            with e.loop(paired, width, e.lanes) as i:
                e.store(e.load_masked(origin + i, e.lanes_below(count - i)), start + i)

    return caller.function(f"copy_rows_{caller.dtype}_by_{caller.lanes}", "pipiiiii", body, noalias=(0,))


def emit_copy_narrow_rows(caller: Emitter, vectors: int) -> ir.Function:
    """The function `(target, target_row, source, source_row, rows, last_row, count)`.

    Copies `count` adjacent elements of each row, at most `vectors` vectors, and sets what is left of the vectors to
    zero, even where that is past the row, so rows are copied in order. Rows beyond `last_row` are copies of it.
    """

    def body(
        e: Emitter, target: Pointer, target_row: Int, source: Pointer, source_row: Int, rows: Int, last_row: Int,
        count: Int,
    ) -> None:  # fmt: skip
        masks = [e.lanes_below(count - v * e.lanes) for v in range(vectors)]
        with e.branch(count.equals(vectors * e.lanes)) as (whole, part):
            with whole, e.loop(0, rows) as row:
                origin = source + e.minimum(row, last_row) * source_row
                for v in range(vectors):
                    e.store(e.load(origin + v * e.lanes), target + row * target_row + v * e.lanes)
            with part, e.loop(0, rows) as row:
                origin = source + e.minimum(row, last_row) * source_row
                for v, mask in enumerate(masks):
                    e.store(e.load_masked(origin + v * e.lanes, mask), target + row * target_row + v * e.lanes)

    name = f"copy_narrow_rows_{caller.dtype}_{vectors}x{caller.lanes}"
    return caller.function(name, "pipiiii", body, noalias=(0,))


def emit_copy_elements(caller: Emitter) -> ir.Function:
    """The function `(target, target_row, source, source_row, source_column, rows, columns, last_row, last_column)`.

    Copies element by element, whatever the strides; what lies beyond the last row or column is a copy of it.
    """

    def body(
        e: Emitter, target: Pointer, target_row: Int, source: Pointer, source_row: Int, source_column: Int, rows: Int,
        columns: Int, last_row: Int, last_column: Int,
    ) -> None:  # fmt: skip
        with e.loop(0, rows) as row:
            start = target + row * target_row
            origin = source + e.minimum(row, last_row) * source_row
            with e.loop(0, columns) as column:
                (start + column).store((origin + e.minimum(column, last_column) * source_column).load())

    return caller.function(f"copy_elements_{caller.dtype}", "pipiiiiii", body, noalias=(0,))


def _emit_transpose_rows(caller: Emitter) -> ir.Function:
    """The function `(target, width, source, source_row, rows, depth)`.

    target[k * width + r] = source[r * source_row + k]. Writes `width` elements, a multiple of a vector, for each k;
    those of rows beyond `rows` are copies of the last one.
    """

    def body(e: Emitter, target: Pointer, width: Int, source: Pointer, source_row: Int, rows: Int, depth: Int) -> None:
        with e.loop(0, width, e.lanes) as first, e.loop(0, depth, e.lanes) as k:
            mask = e.lanes_below(depth - k)
            starts = [source + e.minimum(first + lane, rows - 1) * source_row + k for lane in range(e.lanes)]
            columns = _transposed(e, [e.load_masked(start, mask) for start in starts])
            start = target + k * width + first
            with e.branch(depth - k >= e.lanes) as (whole, rest):
                with whole:
                    for lane, vector in enumerate(columns):
                        e.store(vector, start + width * lane)
                with rest:
                    square = e.array(e.lanes * e.lanes)
                    for lane, vector in enumerate(columns):
                        e.store(vector, square + lane * e.lanes)
                    with e.loop(0, depth - k) as column:
                        e.store(e.load(square + column * e.lanes), start + column * width)

    return caller.function(f"transpose_rows_{caller.dtype}_by_{caller.lanes}", "pipiii", body, noalias=(0,))


def _transposed(e: Emitter, square: list[Any]) -> list[Any]:
    """The columns of a square of vectors: blocks of halving size change places across the diagonal."""
    half = e.lanes // 2
    while half:
        upper = [i if not i & half else e.lanes + i - half for i in range(e.lanes)]
        lower = [i + half if not i & half else e.lanes + i for i in range(e.lanes)]
        exchanged = list(square)
        for i in (i for i in range(e.lanes) if not i & half):
            exchanged[i] = e.shuffle(square[i], square[i + half], upper)
            exchanged[i + half] = e.shuffle(square[i], square[i + half], lower)
        square, half = exchanged, half // 2
    return square


def emit_pack_left(caller: Emitter, tiling: Tiling, interleaved: bool) -> ir.Function:
    """The function `(panel, matrix, row, column, rows, depth)`: packs `rows` rows of a matrix with two strides."""

    def body(e: Emitter, panel: Pointer, matrix: Pointer, row: Int, column: Int, rows: Int, depth: Int) -> None:
        height = e.select(rows > tiling.short_rows, tiling.rows, tiling.short_rows)
        if interleaved:
            vectors = -(-tiling.rows // e.lanes)
            with e.branch(row.equals(1)) as (adjacent, spread):
                with adjacent:
                    e.call(emit_copy_narrow_rows(e, vectors), panel, height, matrix, column, depth, depth - 1, rows)
                with spread:
                    e.call(
                        emit_copy_elements(e), panel, height, matrix, column, row, depth, height, depth - 1, rows - 1
                    )
            return
        stride = e.integer(tiling.row_stride)
        with e.branch(column.equals(1)) as (adjacent, spread):
            with adjacent, e.branch(depth <= 2 * e.lanes) as (short, long):
                with short:
                    e.call(emit_copy_narrow_rows(e, 2), panel, stride, matrix, row, height, rows - 1, depth)
                with long:
                    e.call(emit_copy_rows(e), panel, stride, matrix, row, height, rows - 1, depth, depth)
            with spread:
                e.call(emit_copy_elements(e), panel, stride, matrix, row, column, height, depth, rows - 1, depth - 1)

    kind = "interleaved_left" if interleaved else "left"
    return caller.function(f"pack_{kind}_{tiling.name}", "ppiiii", body, noalias=(0,))


def emit_pack_right(caller: Emitter, tiling: Tiling, transposed: bool) -> ir.Function:
    """The function `(block, panel, first, matrix, row, column, depth, columns)`.

    Cuts `depth` rows of a matrix with two strides into panels `tiling.columns` wide, `panel` elements apart, where they
    become the rows from `first` on; a last panel of at most half the width is packed with half the width. Fast where
    the elements of a row (`transposed`: of a column) are adjacent.
    """

    def body(
        e: Emitter, block: Pointer, panel: Int, first: Int, matrix: Pointer, row: Int, column: Int, depth: Int,
        columns: Int,
    ) -> None:  # fmt: skip
        with e.loop(0, columns, tiling.columns) as start:
            count = e.minimum(columns - start, tiling.columns)
            width = e.select(count > tiling.lanes, tiling.columns, tiling.lanes)
            target = block + start // tiling.columns * panel + first * width
            source = matrix + start * column
            with e.branch((row if transposed else column).equals(1)) as (adjacent, spread):
                with adjacent:
                    if transposed:
                        e.call(_emit_transpose_rows(e), target, width, source, column, count, depth)
                    else:
                        e.call(emit_copy_narrow_rows(e, 2), target, width, source, row, depth, depth - 1, count)
                with spread:
                    copy = emit_copy_elements(e)
                    e.call(copy, target, width, source, row, column, depth, width, depth - 1, count - 1)

    kind = "transposed_right" if transposed else "right"
    return caller.function(f"pack_{kind}_{tiling.name}", "piipiiii", body, noalias=(0,))
