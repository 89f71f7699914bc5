"""A few rows of a matrix product: packs them, and multiplies them with what is packed of the right matrix and what is not.

In: rows of the left matrix, a block of the right one, part of it packed. Out: those rows of the result. A product with
a single row or column goes to `matrix_vector` and needs nothing packed.
"""

from __future__ import annotations

from llvmlite import ir

from sessile.compiler.cpu.contraction.emission import Emitter, Int, Pointer
from sessile.compiler.cpu.contraction.matrix_vector import emit_matrix_vector
from sessile.compiler.cpu.contraction.microkernel import emit_multiply_panels
from sessile.compiler.cpu.contraction.packing import emit_pack_left
from sessile.compiler.cpu.contraction.tiling import Tiling


def emit_multiply_rows(caller: Emitter, tiling: Tiling, interleaved: bool) -> ir.Function:
    """The function `(left, right, panel, a, a_row, a_column, b, b_row, b_column, c, n, rows, columns, unpacked, depth,
    accumulate, vector)`.

    c[i * n + j] = (the same, if accumulate) + sum over p < depth of a[i * a_row + p * a_column] * b[p * b_row +
    j * b_column], for `rows` rows and `columns` columns. The first `unpacked` columns of b, whole tiles, are read where
    they are; the others lie in `right`, in panels `panel` elements apart. `left` is room for a left panel. `vector`: there
    is one row or (n = 1) one column, and nothing is packed.
    """

    def body(
        e: Emitter, left: Pointer, right: Pointer, panel: Int, a: Pointer, a_row: Int, a_column: Int, b: Pointer,
        b_row: Int, b_column: Int, c: Pointer, n: Int, rows: Int, columns: Int, unpacked: Int, depth: Int,
        accumulate: Int, vector: Int,
    ) -> None:  # fmt: skip
        matrix_vector = emit_matrix_vector(e)
        multiply = emit_multiply_panels(e, tiling, interleaved)
        with e.branch(vector.equals(0)) as (many, single):
            with many:
                width, rest = tiling.columns, columns - unpacked
                e.call(emit_pack_left(e, tiling, interleaved), left, a, a_row, a_column, rows, depth)
                e.call(multiply, left, b, b_row, width, c, n, 1, depth, rows, unpacked, accumulate)
                e.call(multiply, left, right, width, panel, c + unpacked, n, 1, depth, rows, rest, accumulate)
            with single, e.branch(n.equals(1)) as (one_column, one_row):
                with one_column:
                    e.call(matrix_vector, a, a_row, a_column, b, b_row, c, rows, depth)
                with one_row:
                    e.call(matrix_vector, b, b_column, b_row, a, a_column, c, columns, depth)

    kind = "interleaved_rows" if interleaved else "rows"
    return caller.function(f"multiply_{kind}_{tiling.name}", "ppipiipiipiiiiiii", body, noalias=(9,))
