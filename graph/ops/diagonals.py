"""Diagonals and bands of matrices: diag, matrix_diag, matrix_set_diag, matrix_band_part, eye, trace, cross."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import as_dtype
from sessile.graph.dtypes import COMPLEX, FLOATING, INDEX, REAL_NUMBER, int32, int64
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic, filling, joining, reductions
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, of_rank_at_least, same_shape, same_size
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_DIAGONAL = FLOATING | COMPLEX | {int32, int64}


def _zero(x: Any) -> Any:
    return False if x.type.dtype == "bool" else x.type.numpy_dtype.type(0)


def _is_diagonal(b: Any, rows: Any, columns: Any) -> Any:
    shape = (rows, columns)
    return b.map("eq", b.iota(shape, 0, "i64"), b.iota(shape, 1, "i64"))


def spread_diagonal(b: Any, diagonal: Any) -> Any:
    """Matrices with the last axis of `diagonal` as their diagonals, zeros elsewhere."""
    size = diagonal.type.shape[-1]
    wide = b.broadcast_to(b.expand_dims(diagonal, [diagonal.type.rank]), (*diagonal.type.shape, size))
    return b.select(b.broadcast_to(_is_diagonal(b, size, size), wide.type.shape), wide, _zero(diagonal))


def diagonal_of(b: Any, x: Any) -> Any:
    """The diagonals of the matrices in the last two axes: every (columns + 1)-th element of each."""
    *stack, rows, columns = x.type.shape
    size = rows if rows == columns or not b.decide(rows, ">=", columns) else columns
    indices = b.iota((size,), 0, "i64")
    places = b.concat([b.expand_dims(indices, [1])] * 2, 1)
    order = [len(stack), len(stack) + 1, *range(len(stack))]
    picked = b.emit("gather_nd", b.transpose(x, order), places)
    return b.transpose(picked, [*range(1, len(stack) + 1), 0])


@operation("MatrixDiag")
class MatrixDiag(OpDefinition):
    """Matrices with given diagonals, zeros elsewhere."""

    inputs = {"diagonal": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"output": "T"}

    def infer(self, diagonal: Tensor) -> TensorShape:
        sizes = of_rank_at_least(diagonal, 1)
        return UNKNOWN if sizes is None else TensorShape([*sizes, sizes[-1]])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [MatrixDiagPart(grad)]

    def lower(self, b: Any, diagonal: Any) -> Any:
        b.require(diagonal.type.rank > 0, "diagonal must be at least 1-dim, received shape: []")
        return spread_diagonal(b, diagonal)


@operation("MatrixDiagPart")
class MatrixDiagPart(OpDefinition):
    """The diagonals of matrices."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"diagonal": "T"}

    def infer(self, input: Tensor) -> TensorShape:
        sizes = of_rank_at_least(input, 2)
        return UNKNOWN if sizes is None else TensorShape([*sizes[:-2], _smaller(*sizes[-2:])])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        *_, rows, columns = op.inputs[0].shape.as_list()
        if rows is not None and rows == columns:
            return [MatrixDiag(grad)]
        return [MatrixSetDiag(filling.zeros_like(op.inputs[0]), grad)]

    def lower(self, b: Any, input: Any) -> Any:
        return diagonal_of(b, input)


def _smaller(rows: int | None, columns: int | None) -> int | None:
    return None if rows is None or columns is None else min(rows, columns)


@operation("MatrixSetDiag")
class MatrixSetDiag(OpDefinition):
    """Matrices with other diagonals."""

    inputs = {"input": "T", "diagonal": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, diagonal: Tensor) -> TensorShape:
        sizes = of_rank_at_least(input, 2)
        if sizes is not None:
            same_shape(TensorShape([*sizes[:-2], _smaller(*sizes[-2:])]), diagonal)
        return input._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        part = MatrixDiagPart(grad)
        return [MatrixSetDiag(grad, filling.zeros_like(part)), part]

    def lower(self, b: Any, input: Any, diagonal: Any) -> Any:
        *stack, rows, columns = input.type.shape
        size = diagonal.type.shape[-1]
        low = [0] * len(stack)
        wide = b.pad(diagonal, [*low, 0], [*low, rows - size], _zero(diagonal))
        wide = b.broadcast_to(b.expand_dims(wide, [len(stack) + 1]), input.type.shape)
        return b.select(b.broadcast_to(_is_diagonal(b, rows, columns), input.type.shape), wide, input)


@operation("MatrixBandPart", public=("matrix_band_part", "linalg.band_part"))
class MatrixBandPart(OpDefinition):
    """Matrices without their elements outside of a band around the diagonal.

    Args:
        input: a tensor of shape [..., m, n].
        num_lower: how many diagonals below the main one stay, a scalar; all of them for a negative number.
        num_upper: how many diagonals above the main one stay.
        name: a name for the operation.
    """

    inputs = {"input": "T", "num_lower": "Tindex", "num_upper": "Tindex"}
    attributes = {"T": Attribute("type"), "Tindex": Attribute("type", default=int64, allowed=INDEX)}
    outputs = {"band": "T"}

    def infer(self, input: Tensor, num_lower: Tensor, num_upper: Tensor) -> TensorShape:
        of_rank_at_least(input, 2)
        return input._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [MatrixBandPart(grad, op.inputs[1], op.inputs[2]), None, None]

    def lower(self, b: Any, input: Any, num_lower: Any, num_upper: Any) -> Any:
        shape, dtype = input.type.shape[-2:], num_lower.type.dtype
        row, column = b.iota(shape, 0, dtype), b.iota(shape, 1, dtype)
        below = b.map("or", b.map("lt", num_lower, 0), b.map("le", b.sub(row, column), num_lower))
        above = b.map("or", b.map("lt", num_upper, 0), b.map("le", b.sub(column, row), num_upper))
        return b.select(b.broadcast_to(b.map("and", below, above), input.type.shape), input, _zero(input))


@public("matrix_diag", "linalg.diag")
def matrix_diag(diagonal: Any, name: str | None = "diag") -> Tensor:
    """Matrices with given diagonals, zeros elsewhere.

    Args:
        diagonal: a tensor of shape [..., n].
        name: a name for the operation.

    Returns a tensor of shape [..., n, n].
    """
    return MatrixDiag(diagonal, name=name)


@public("matrix_diag_part", "linalg.diag_part")
def matrix_diag_part(input: Any, name: str | None = "diag_part") -> Tensor:
    """The diagonals of matrices.

    Args:
        input: a tensor of shape [..., m, n].
        name: a name for the operation.

    Returns a tensor of shape [..., min(m, n)].
    """
    return MatrixDiagPart(input, name=name)


@public("matrix_set_diag", "linalg.set_diag")
def matrix_set_diag(input: Any, diagonal: Any, name: str | None = "set_diag") -> Tensor:
    """Matrices with other diagonals.

    Args:
        input: a tensor of shape [..., m, n].
        diagonal: a tensor of shape [..., min(m, n)].
        name: a name for the operation.
    """
    return MatrixSetDiag(input, diagonal, name=name)


@operation("Diag", public=("diag", "linalg.tensor_diag"))
class Diag(OpDefinition):
    """A tensor of twice the rank with the input on its diagonal: output[i..., i...] = diagonal[i...].

    Args:
        diagonal: a tensor of rank 1 or more.
        name: a name for the operation.
    """

    inputs = {"diagonal": "T"}
    attributes = {"T": _DIAGONAL}
    outputs = {"output": "T"}

    def infer(self, diagonal: Tensor) -> TensorShape:
        return TensorShape(None) if diagonal.shape.ndims is None else diagonal.shape.concatenate(diagonal.shape)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [DiagPart(grad)]

    def lower(self, b: Any, diagonal: Any) -> Any:
        b.require(diagonal.type.rank > 0, "Input must be at least rank 1, got 0")
        matrix = spread_diagonal(b, b.reshape(diagonal, (diagonal.type.size,)))
        return b.reshape(matrix, diagonal.type.shape * 2)


@operation("DiagPart", public=("diag_part", "linalg.tensor_diag_part"))
class DiagPart(OpDefinition):
    """The diagonal of a tensor of even rank whose sizes come twice: diagonal[i...] = input[i..., i...].

    Args:
        input: a tensor.
        name: a name for the operation.
    """

    inputs = {"input": "T"}
    attributes = {"T": _DIAGONAL}
    outputs = {"diagonal": "T"}

    def infer(self, input: Tensor) -> TensorShape:
        rank = input.shape.ndims
        if rank is None:
            return UNKNOWN
        if rank == 0 or rank % 2:
            raise ValueError(f"Input must have even and non-zero rank, input rank is {rank}")
        return same_shape(input.shape[: rank // 2], input.shape[rank // 2 :])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [Diag(grad)]

    def lower(self, b: Any, input: Any) -> Any:
        sizes = input.type.shape[: input.type.rank // 2]
        total: Any = 1
        for size in sizes:
            total = total * size
        return b.reshape(diagonal_of(b, b.reshape(input, (total, total))), sizes)


@public("eye", "linalg.eye")
def eye(
    num_rows: Any,
    num_columns: Any = None,
    batch_shape: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """The identity matrix, or a stack of copies of it.

    Args:
        num_rows: how many rows, a number or a scalar.
        num_columns: how many columns, by default as many as rows.
        batch_shape: the shape of the stack, by default none.
        dtype: the type of the elements.
        name: a name for the operations.
    """
    with name_scope(name, default_name="eye", values=[num_rows, num_columns, batch_shape]):
        is_square = num_columns is None
        batch = [] if batch_shape is None else batch_shape
        columns = num_rows if is_square else num_columns
        size = columns if is_square else arithmetic.Minimum(columns, num_rows)
        batch_vector = internal_convert(batch, int32, "shape")
        ones = filling.ones(joining.concat([batch_vector, [size]], 0), dtype=as_dtype(dtype))
        if is_square:
            return matrix_diag(ones)
        shape = joining.concat([batch_vector, [num_rows, columns]], 0)
        return matrix_set_diag(filling.zeros(shape, dtype=as_dtype(dtype)), ones)


@public("trace", "linalg.trace")
def trace(x: Any, name: str | None = None) -> Tensor:
    """The sums of the diagonals of matrices.

    Args:
        x: a tensor of shape [..., m, n].
        name: a name for the operations.

    Returns a tensor of shape [...].
    """
    with name_scope(name, "Trace", [x]) as scope:
        x = internal_convert(x, None, "x")
        return reductions.reduce_sum(matrix_diag_part(x), [-1], name=scope)


@operation("Cross", public=("cross", "linalg.cross"))
class Cross(OpDefinition):
    """The cross products of vectors of three elements in the last axis.

    Args:
        a, b: tensors of one shape, whose last size is 3.
        name: a name for the operation.
    """

    inputs = {"a": "T", "b": "T"}
    attributes = {"T": REAL_NUMBER}
    outputs = {"product": "T"}

    def infer(self, a: Tensor, b: Tensor) -> TensorShape:
        shape = same_shape(a, b)
        sizes = of_rank_at_least(shape, 1)
        if sizes is not None:
            same_size(sizes[-1], 3)
        return shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        u, v = op.inputs
        return [Cross(v, grad), Cross(grad, u)]

    def lower(self, b: Any, left: Any, right: Any) -> Any:
        def rotated(x: Any, order: list[int]) -> Any:
            return b.emit("gather", x, b.constant(np.array(order, np.int32)), axis=x.type.rank - 1, batch=0)

        first = b.mul(rotated(left, [1, 2, 0]), rotated(right, [2, 0, 1]))
        return b.sub(first, b.mul(rotated(left, [2, 0, 1]), rotated(right, [1, 2, 0])))
