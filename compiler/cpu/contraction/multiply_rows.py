"""A few rows of a matrix product: packs them, and multiplies them with a block of the right matrix.

In: rows of the left matrix, a block of the right one, part of it packed. Out: those rows of the result.
"""

from __future__ import annotations

from llvmlite import ir

from sessile.compiler.cpu.contraction.emission import Emitter, Int, Pointer
from sessile.compiler.cpu.contraction.microkernel import emit_multiply_panels
from sessile.compiler.cpu.contraction.packing import emit_pack_left
from sessile.compiler.cpu.contraction.tiling import Tiling

_FEW_TILES = 4


def emit_multiply_rows(caller: Emitter, tiling: Tiling, interleaved: bool) -> ir.Function:
    """The function `(left, right, panel, a, a_row, a_column, b, b_row, c, n, rows, columns, unpacked, depth,
    accumulate)`.

    c[i * n + j] = (the same, if accumulate) + sum over p < depth of a[i * a_row + p * a_column] * b(p, j), for `rows`
    rows and `columns` columns. The first `unpacked` columns of b, whole tiles, are read where they are: b(p, j) is
    b[p * b_row + j]. The others lie in `right`, in panels `panel` elements apart. `left` is room for a left panel.
    """

    def body(
        e: Emitter, left: Pointer, right: Pointer, panel: Int, a: Pointer, a_row: Int, a_column: Int, b: Pointer,
        b_row: Int, c: Pointer, n: Int, rows: Int, columns: Int, unpacked: Int, depth: Int, accumulate: Int,
    ) -> None:  # fmt: skip
        multiply = emit_multiply_panels(e, tiling, interleaved)
        source, step = _left_panel(e, tiling, interleaved, left, a, a_row, a_column, rows, columns, depth)
        width, rest = tiling.columns, columns - unpacked
        e.call(multiply, source, step, b, b_row, width, c, n, 1, depth, rows, unpacked, accumulate)
        e.call(multiply, source, step, right, width, panel, c + unpacked, n, 1, depth, rows, rest, accumulate)

    kind = "interleaved_rows" if interleaved else "rows"
    return caller.function(f"multiply_{kind}_{tiling.name}", "ppipiipipiiiiii", body, noalias=(8,))


def _left_panel(
    e: Emitter, tiling: Tiling, interleaved: bool, panel: Pointer, a: Pointer, a_row: Int, a_column: Int, rows: Int,
    columns: Int, depth: Int,
) -> tuple[Pointer, Int]:  # fmt: skip
    """Where the micro-kernel finds the rows, and the distance of two elements of an interleaved one.

    Interleaved rows of a whole tile that few columns are multiplied with are read where they are.
    """
    pack = emit_pack_left(e, tiling, interleaved)
    if not interleaved:
        e.call(pack, panel, a, a_row, a_column, rows, depth)
        return panel, e.integer(1)
    in_place = a_row.equals(1) & rows.equals(tiling.rows) & (columns <= _FEW_TILES * tiling.columns)
    height = e.select(rows > tiling.short_rows, tiling.rows, tiling.short_rows)
    with e.builder.if_then(e.builder.not_(in_place.value)):
        e.call(pack, panel, a, a_row, a_column, rows, depth)
    source = e.builder.select(in_place.value, a.value, panel.value)
    return Pointer(e.builder, source, a.dtype), e.select(in_place, a_column, height)
