"""The micro-kernel: the product of two packed panels, its sums held in vector registers.

In: a left panel (a few rows of the left matrix) and a block of the right matrix cut into panels of some columns, row by
row. Out: those rows of the result. Written as LLVM IR because no compiler keeps such a tile in registers by itself;
`multiply_panels` is what the others call.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from sessile.compiler.cpu.contraction.emission import I64, Emitter, Int, Pointer
from sessile.compiler.cpu.contraction.tiling import Tiling


def emit_multiply_panels(caller: Emitter, tiling: Tiling, interleaved: bool) -> ir.Function:
    """The function `(left, left_step, right, step, panel, result, row, column, depth, rows, columns, accumulate)`.

    result[r * row + j * column] = (the same, if accumulate) + sum over k < depth of left(r, k) * right(k, j), where
    right(k, j) is right[j // W * panel + k * step + j % W] for tiles W columns wide. A last panel of at most half the
    width is packed with half the width. The rows of the left panel lie one after another, `row_stride` apart; those of
    an interleaved one lie side by side: first all first elements, `left_step` elements later all second ones.
    """

    def body(
        e: Emitter, left: Pointer, left_step: Int, right: Pointer, step: Int, panel: Int, result: Pointer, row: Int,
        column: Int, depth: Int, rows: Int, columns: Int, accumulate: Int,
    ) -> None:  # fmt: skip
        def all_panels(tile_rows: int, narrow_vectors: int) -> None:
            wide_tile = _emit_tile(e, tiling, interleaved, tile_rows, 2)
            narrow_tile = _emit_tile(e, tiling, interleaved, tile_rows, narrow_vectors)
            with e.loop(0, columns, tiling.columns) as start:
                width = e.minimum(columns - start, tiling.columns)
                source = right + start // tiling.columns * panel
                place = result + start * column
                rest = (place, row, column, depth, rows, width, accumulate)
                with e.branch(width > tiling.lanes) as (wide, narrow):
                    with wide:
                        e.call(wide_tile, left, left_step, source, step, *rest)
                    with narrow:
                        e.call(narrow_tile, left, left_step, source, tiling.lanes, *rest)

        with e.branch(rows > tiling.short_rows) as (tall, short):
            with tall:
                all_panels(tiling.rows, 1)
            with short:
                # One tile less to compile: it reads beyond a narrow panel, for columns that nobody needs.
                all_panels(tiling.short_rows, 2)

    kind = "interleaved_panels" if interleaved else "panels"
    return caller.function(f"multiply_{kind}_{tiling.name}", "pipiipiiiiii", body, noalias=(5,))


def _emit_tile(caller: Emitter, tiling: Tiling, interleaved: bool, tile_rows: int, vectors: int) -> ir.Function:
    """The function `(left, left_step, right, step, result, row, column, depth, rows, columns, accumulate)`.

    The product of `depth` columns of a left panel and rows of a right one.
    """
    width = vectors * tiling.lanes

    def body(
        e: Emitter, left: Pointer, left_step: Int, right: Pointer, step: Int, result: Pointer, row: Int, column: Int,
        depth: Int, rows: Int, columns: Int, accumulate: Int,
    ) -> None:  # fmt: skip
        steps = (1, left_step) if interleaved else (tiling.row_stride, 1)
        sums = _sums_of_products(e, steps, left, right, step, depth, tile_rows, vectors)
        with e.branch(rows.equals(tile_rows) & columns.equals(width) & column.equals(1)) as (inside, edge):
            with inside:
                _store_whole_tile(e, sums, result, row, accumulate)
            with edge:
                # By way of the stack: one loop for all tiles, not a branch for each row of each of them.
                tile = e.array(tile_rows * width)
                for i, totals in enumerate(sums):
                    for v, total in enumerate(totals):
                        e.store(total, tile + (i * width + v * e.lanes))
                e.call(_emit_store_part(e), tile, width, result, row, column, rows, columns, accumulate)

    kind = "interleaved_tile" if interleaved else "tile"
    name = f"{kind}_{caller.dtype}_{tile_rows}x{width}"
    return caller.function(name, "pipipiiiiii", body, noalias=(4,))


def _sums_of_products(
    e: Emitter,
    steps: tuple[int, Int | int],
    left: Pointer,
    right: Pointer,
    step: Int,
    depth: Int,
    rows: int,
    vectors: int,
) -> list[list[Any]]:
    """The loop over the contracted axis: rows x vectors sums, each one register.

    `steps`: the distance of two rows of the left panel, and of two elements of a row.
    """
    builder = e.builder
    head, body, end = (builder.append_basic_block(name) for name in ("depth", "multiply", "summed"))
    before = builder.block
    builder.branch(head)
    builder.position_at_end(head)
    k, source = builder.phi(I64), builder.phi(right.value.type)
    k.add_incoming(I64(0), before)
    source.add_incoming(right.value, before)
    sums = [[builder.phi(e.vector) for _ in range(vectors)] for _ in range(rows)]
    for total in (total for row in sums for total in row):
        total.add_incoming(e.zero(), before)
    number = Int(builder, k)
    builder.cbranch((number < depth).value, body, end)

    builder.position_at_end(body)
    here = Pointer(builder, source, right.dtype)
    columns = [e.load(here + v * e.lanes) for v in range(vectors)]
    panel = left + number * steps[1]
    for i, row in enumerate(sums):
        factor = e.splat((panel + i * steps[0]).load())
        for total, right_vector in zip(row, columns, strict=True):
            total.add_incoming(e.multiply_add(factor, right_vector, total), body)
    k.add_incoming((number + 1).value, body)
    source.add_incoming((here + step).value, body)
    builder.branch(head)
    builder.position_at_end(end)
    return sums


def _store_whole_tile(e: Emitter, sums: list[list[Any]], result: Pointer, row: Int, accumulate: Int) -> None:
    places = [
        (result + row * i + v * e.lanes, total) for i, totals in enumerate(sums) for v, total in enumerate(totals)
    ]
    with e.branch(accumulate.equals(0)) as (first, later):
        with first:
            for place, total in places:
                e.store(total, place)
        with later:
            for place, total in places:
                e.store(e.builder.fadd(e.load(place), total), place)


def _emit_store_part(caller: Emitter) -> ir.Function:
    """The function `(tile, width, result, row, column, rows, columns, accumulate)`.

    Stores that part of a tile for which the result has room.
    """

    def body(
        e: Emitter, tile: Pointer, width: Int, result: Pointer, row: Int, column: Int, rows: Int, columns: Int,
        accumulate: Int,
    ) -> None:  # fmt: skip
        fresh = accumulate.equals(0).value
        with e.loop(0, rows) as i:
            source, target = tile + i * width, result + i * row
            with e.branch(column.equals(1)) as (adjacent, spread):
                with adjacent, e.loop(0, columns, e.lanes) as j:
                    mask = e.lanes_below(columns - j)
                    old = e.builder.select(fresh, e.zero(), e.load_masked(target + j, mask))
                    e.store_masked(e.builder.fadd(old, e.load(source + j)), target + j, mask)
                with spread, e.loop(0, columns) as j:
                    total, place = (source + j).load(), target + j * column
                    old = e.builder.select(fresh, total.type(0.0), place.load())
                    place.store(e.builder.fadd(old, total))

    return caller.function(f"store_part_{caller.dtype}_by_{caller.lanes}", "pipiiiii", body, noalias=(2,))
