"""Products of a matrix and a vector, which read the matrix once at the speed of memory and pack nothing.

In: a matrix given by two strides and a vector. Out: adjacent sums. Where the elements of a row are adjacent, several
rows are multiplied with the vector side by side; where those of a column are, multiples of several columns are added.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from sessile.compiler.cpu.contraction.emission import Emitter, Int, Pointer

_ROWS_AT_ONCE = 4
_COLUMNS_AT_ONCE = 8


def emit_matrix_vector(caller: Emitter) -> ir.Function:
    """The function `(matrix, row, column, vector, step, result, rows, depth)`.

    result[r] = sum over k of matrix[r * row + k * column] * vector[k * step].
    """

    def body(
        e: Emitter, matrix: Pointer, row: Int, column: Int, vector: Pointer, step: Int, result: Pointer, rows: Int,
        depth: Int,
    ) -> None:  # fmt: skip
        with e.branch(column.equals(1) & step.equals(1)) as (rows_adjacent, otherwise):
            with rows_adjacent:
                e.call(_emit_multiply_rows(e), matrix, row, vector, result, rows, depth)
            with otherwise, e.branch(row.equals(1) & (depth > 0)) as (columns_adjacent, spread):
                with columns_adjacent:
                    e.call(_emit_add_columns(e), matrix, column, vector, step, result, rows, depth)
                with spread:
                    _multiply_elements(e, matrix, row, column, vector, step, result, rows, depth)

    name = f"matrix_vector_{caller.dtype}_by_{caller.lanes}"
    return caller.function(name, "piipipii", body, noalias=(5,))


def _emit_multiply_rows(caller: Emitter) -> ir.Function:
    """The function `(matrix, row, vector, result, rows, depth)` for adjacent elements of rows and of the vector."""

    def body(e: Emitter, matrix: Pointer, row: Int, vector: Pointer, result: Pointer, rows: Int, depth: Int) -> None:
        grouped = rows & -_ROWS_AT_ONCE
        with e.loop(0, grouped, _ROWS_AT_ONCE) as first:
            starts = [matrix + (first + i) * row for i in range(_ROWS_AT_ONCE)]
            _multiply_row_group(e, starts, vector, result + first, depth)
        with e.loop(grouped, rows) as first:
            _multiply_row_group(e, [matrix + first * row], vector, result + first, depth)

    return caller.function(f"multiply_rows_{caller.dtype}_by_{caller.lanes}", "pippii", body, noalias=(3,))


def _multiply_row_group(e: Emitter, rows: list[Pointer], vector: Pointer, result: Pointer, depth: Int) -> None:
    """Some rows at once; of several, each with two sums, so that no addition waits for the one before it."""
    ways = 2 if len(rows) > 1 else 1
    sums = [[e.array(e.lanes) for _ in range(ways)] for _ in rows]
    for total in (total for totals in sums for total in totals):
        e.store(e.zero(), total)

    def accumulate(k: Int, way: int, mask: Any = None) -> None:
        factor = e.load(vector + k) if mask is None else e.load_masked(vector + k, mask)
        for row, totals in zip(rows, sums, strict=True):
            elements = e.load(row + k) if mask is None else e.load_masked(row + k, mask)
            e.store(e.multiply_add(elements, factor, e.load(totals[way])), totals[way])

    whole: Int | int = 0
    if ways > 1:
        whole = depth & -(ways * e.lanes)
        with e.loop(0, whole, ways * e.lanes) as k:
            for way in range(ways):
                accumulate(k + way * e.lanes, way)
    with e.loop(whole, depth, e.lanes) as k:
        accumulate(k, 0, e.lanes_below(depth - k))
    for i, totals in enumerate(sums):
        total = e.load(totals[0])
        for other in totals[1:]:
            total = e.builder.fadd(total, e.load(other))
        (result + i).store(e.sum_of_lanes(total))


def _emit_add_columns(caller: Emitter) -> ir.Function:
    """The function `(matrix, column, vector, step, result, rows, depth)` for adjacent elements of columns."""

    def body(
        e: Emitter, matrix: Pointer, column: Int, vector: Pointer, step: Int, result: Pointer, rows: Int, depth: Int
    ) -> None:
        grouped = depth & -_COLUMNS_AT_ONCE
        with e.loop(0, grouped, _COLUMNS_AT_ONCE) as k:
            _add_column_group(
                e, matrix + k * column, column, vector + k * step, step, result, rows, k, _COLUMNS_AT_ONCE
            )
        with e.loop(grouped, depth) as k:
            _add_column_group(e, matrix + k * column, column, vector + k * step, step, result, rows, k, 1)

    return caller.function(f"add_columns_{caller.dtype}_by_{caller.lanes}", "pipipii", body, noalias=(4,))


def _add_column_group(
    e: Emitter, matrix: Pointer, column: Int, vector: Pointer, step: Int, result: Pointer, rows: Int, first: Int,
    count: int,
) -> None:  # fmt: skip
    """Add multiples of `count` columns to the result; column 0 begins it."""
    factors = [e.splat((vector + step * i).load()) for i in range(count)]
    columns = [matrix + column * i for i in range(count)]
    begins = first.equals(0).value

    def accumulate(row: Int, mask: Any = None) -> None:
        old = e.load(result + row) if mask is None else e.load_masked(result + row, mask)
        total = e.builder.select(begins, e.zero(), old)
        for start, factor in zip(columns, factors, strict=True):
            elements = e.load(start + row) if mask is None else e.load_masked(start + row, mask)
            total = e.multiply_add(elements, factor, total)
        if mask is None:
            e.store(total, result + row)
        else:
            e.store_masked(total, result + row, mask)

    whole: Int | int = 0
    if count > 1:
        whole = rows & -e.lanes
        with e.loop(0, whole, e.lanes) as row:
            accumulate(row)
    with e.loop(whole, rows, e.lanes) as row:
        accumulate(row, e.lanes_below(rows - row))


def _multiply_elements(
    e: Emitter,
    matrix: Pointer,
    row: Int,
    column: Int,
    vector: Pointer,
    step: Int,
    result: Pointer,
    rows: Int,
    depth: Int,
) -> None:
    """One product after another, for strides that leave nothing adjacent."""
    total = e.array(1)
    with e.loop(0, rows) as r:
        total.store(ir.Constant(e.element, 0.0))
        with e.loop(0, depth) as k:
            product = e.builder.fmul((matrix + r * row + k * column).load(), (vector + k * step).load())
            total.store(e.builder.fadd(total.load(), product))
        (result + r).store(total.load())
