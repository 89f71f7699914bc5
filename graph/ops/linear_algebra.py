"""Decompositions, inverses and solutions of stacks of matrices, computed by LAPACK through NumPy.

Gradients follow M. Giles, "An extended collection of matrix derivative results for forward and reverse mode algorithmic
differentiation" (2008), and, for the QR decomposition, H.-J. Liao et al. (2019).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

import numpy as np

from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import COMPLEX, float32, float64
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.ops import diagonals, elementwise, filling, joining, matrix, shapes, transposition
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank_at_least, same_size
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_TYPES = frozenset({float32, float64}) | COMPLEX
Array = np.ndarray[Any, Any]


class MatrixFunction(OpDefinition):
    """Base of functions of the matrices in the last two axes."""

    inputs: ClassVar[Any] = {"input": "T"}
    attributes: ClassVar[Any] = {"T": _TYPES}
    outputs: ClassVar[Any] = {"output": "T"}

    def compute(self, b: Any, function: Callable[..., Any], *operands: Any, shapes: list[list[Any]]) -> Any:
        """Calls NumPy on the operands; what LAPACK refuses ends the run."""
        dtypes = [operands[0].type.dtype] * len(shapes)
        return b.call_host(partial(_called, function), *operands, results=list(zip(dtypes, shapes, strict=True)))


_MESSAGES = {
    "Singular matrix": "Input is not invertible.",
    "Matrix is not positive definite": "Cholesky decomposition was not successful. The input might not be valid.",
}


def _called(function: Callable[..., Any], *arrays: Array) -> tuple[Array, ...]:
    with np.errstate(all="ignore"):
        try:
            results = function(*arrays)
        except np.linalg.LinAlgError as error:
            raise np.linalg.LinAlgError(_MESSAGES.get(str(error), str(error))) from None
    results = results if isinstance(results, tuple) else (results,)
    return tuple(np.ascontiguousarray(result, arrays[0].dtype) for result in results)


def _square(sizes: Any) -> TensorShape:
    """A shape whose last two sizes are the same. Raises ValueError when they differ."""
    if sizes is None:
        return TensorShape(None)
    size = same_size(sizes[-2], sizes[-1])
    return TensorShape([*sizes[:-2], size, size])


def _smaller(rows: Any, columns: Any) -> Any:
    return None if rows is None or columns is None else min(rows, columns)


def _sizes(b: Any, x: Any) -> tuple[list[Any], int, int]:
    """The sizes of the stack, and those of its matrices as numbers."""
    b.require(x.type.rank >= 2, f"Input tensor must have rank >= 2, got {x.type.rank}")
    *stack, rows, columns = x.type.shape
    return stack, b.number(rows), b.number(columns)


class SquareMatrixFunction(MatrixFunction):
    """Base of functions that turn square matrices into others of the same size."""

    def infer(self, input: Tensor) -> TensorShape:
        return _square(of_rank_at_least(input, 2))

    def squares(self, b: Any, function: Callable[..., Any], x: Any) -> Any:
        """Calls a function of square matrices."""
        _, rows, columns = _sizes(b, x)
        b.require(rows == columns, f"Input matrix must be square, got {rows} x {columns}")
        return self.compute(b, function, x, shapes=[list(x.type.shape)])[0]


@operation("Cholesky", public=("cholesky", "linalg.cholesky"))
class Cholesky(SquareMatrixFunction):
    """The lower triangular L with L Lᴴ = input, for positive definite matrices; only their lower triangle is read.

    Args:
        input: matrices, [..., n, n].
        name: a name for the operation.

    Running fails for matrices that are not positive definite.
    """

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        lower = op.outputs[0]
        size = shapes.shape(lower)[-1]
        identity = diagonals.eye(size, batch_shape=shapes.shape(lower)[:-2], dtype=lower.dtype)
        inverse = MatrixTriangularSolve(lower, identity)
        middle = matrix.matmul(lower, grad, adjoint_a=True)
        middle = diagonals.matrix_set_diag(middle, 0.5 * diagonals.matrix_diag_part(middle))
        middle = diagonals.MatrixBandPart(middle, -1, 0)
        half = matrix.matmul(matrix.matmul(inverse, middle, adjoint_a=True), inverse)
        return [(half + adjoint(half)) * 0.5]

    def lower(self, b: Any, input: Any) -> Any:
        return self.squares(b, np.linalg.cholesky, input)


@operation("MatrixInverse", public=("matrix_inverse", "linalg.inv"))
class MatrixInverse(SquareMatrixFunction):
    """The inverses of square matrices, or of their adjoints.

    Args:
        input: matrices, [..., n, n].
        adjoint: inverts the conjugate transposes instead.
        name: a name for the operation.

    Running fails for singular matrices.
    """

    attributes = {"adjoint": False, "T": _TYPES}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        inverse = op.outputs[0]
        inner = matrix.matmul(grad, inverse, adjoint_b=True)
        result = -matrix.matmul(inverse, inner, adjoint_a=True)
        return [adjoint(result) if op.attributes["adjoint"] else result]

    def lower(self, b: Any, input: Any, *, adjoint: bool) -> Any:
        return self.squares(b, np.linalg.inv, _adjointed(b, input) if adjoint else input)


def _adjointed(b: Any, x: Any) -> Any:
    rank = x.type.rank
    swapped = b.transpose(x, [*range(rank - 2), rank - 1, rank - 2])
    return b.map("conj", swapped) if x.type.dtype in ("c64", "c128") else swapped


@public("linalg.adjoint")
def adjoint(matrix: Any, name: str | None = None) -> Tensor:
    """The conjugate transposes of the matrices in the last two axes."""
    with name_scope(name, "adjoint", [matrix]):
        matrix = convert_to_tensor(matrix, name="matrix")
        return transposition.matrix_transpose(matrix, conjugate=matrix.dtype.is_complex)


@operation("MatrixDeterminant", public=("matrix_determinant", "linalg.det"))
class MatrixDeterminant(MatrixFunction):
    """The determinants of square matrices.

    Args:
        input: matrices, [..., n, n].
        name: a name for the operation.

    Returns a tensor of shape [...].
    """

    def infer(self, input: Tensor) -> TensorShape:
        return _square(of_rank_at_least(input, 2))[:-2]

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        inverse = MatrixInverse(op.inputs[0], adjoint=True)
        return [_on_matrices(grad * op.outputs[0]) * inverse]

    def lower(self, b: Any, input: Any) -> Any:
        stack, rows, columns = _sizes(b, input)
        b.require(rows == columns, f"Input matrix must be square, got {rows} x {columns}")
        return self.compute(b, np.linalg.det, input, shapes=[stack])[0]


def _on_matrices(x: Tensor) -> Tensor:
    """Numbers as matrices of one element."""
    return shapes.reshape(x, joining.concat([shapes.shape(x), [1, 1]], 0))


@operation("LogMatrixDeterminant", public="linalg.slogdet")
class LogMatrixDeterminant(MatrixFunction):
    """The signs of determinants and the logarithms of their absolute values.

    Args:
        input: matrices, [..., n, n].
        name: a name for the operation.

    Returns two tensors of shape [...].
    """

    outputs = {"sign": "T", "log_abs_determinant": "T"}

    def infer(self, input: Tensor) -> list[TensorShape]:
        return [_square(of_rank_at_least(input, 2))[:-2]] * 2

    def gradient(self, op: Any, _: Tensor, grad: Tensor) -> list[Any]:
        inverse = MatrixInverse(op.inputs[0], adjoint=True)
        return [_on_matrices(grad) * inverse]

    def lower(self, b: Any, input: Any) -> Any:
        stack, rows, columns = _sizes(b, input)
        b.require(rows == columns, f"Input matrix must be square, got {rows} x {columns}")
        return self.compute(b, _sign_and_log_determinant, input, shapes=[stack, stack])


def _sign_and_log_determinant(x: Array) -> tuple[Array, Array]:
    sign, logarithm = np.linalg.slogdet(x)
    return sign, logarithm


class LinearSystem(MatrixFunction):
    """Base of solutions X of A X = B."""

    inputs = {"matrix": "T", "rhs": "T"}

    def infer(self, matrix: Tensor, rhs: Tensor) -> TensorShape:
        square, sides = _square(of_rank_at_least(matrix, 2)).sizes, of_rank_at_least(rhs, 2)
        if square is None or sides is None:
            return TensorShape(None)
        return TensorShape([*sides[:-2], same_size(square[-1], sides[-2]), sides[-1]])

    def solved(self, b: Any, function: Callable[..., Any], matrix: Any, rhs: Any) -> Any:
        """Calls a function of square matrices and right-hand sides."""
        _, rows, columns = _sizes(b, matrix)
        _, height, _ = _sizes(b, rhs)
        b.require(rows == columns, f"Input matrix must be square, got {rows} x {columns}")
        b.require(
            rows == height, f"Input matrix and right-hand side must have the same number of rows: {rows} vs {height}"
        )
        return self.compute(b, function, matrix, rhs, shapes=[list(rhs.type.shape)])[0]


@operation("MatrixSolve", public=("matrix_solve", "linalg.solve"))
class MatrixSolve(LinearSystem):
    """The solutions X of matrix X = rhs.

    Args:
        matrix: matrices, [..., n, n].
        rhs: right-hand sides, [..., n, k].
        adjoint: solves with the conjugate transposes instead.
        name: a name for the operation.

    Running fails for singular matrices.
    """

    attributes = {"adjoint": False, "T": _TYPES}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        is_adjoint, solution = op.attributes["adjoint"], op.outputs[0]
        to_rhs = MatrixSolve(op.inputs[0], grad, adjoint=not is_adjoint)
        first, second = (solution, to_rhs) if is_adjoint else (to_rhs, solution)
        return [-matrix.matmul(first, second, adjoint_b=True), to_rhs]

    def lower(self, b: Any, matrix: Any, rhs: Any, *, adjoint: bool) -> Any:
        return self.solved(b, np.linalg.solve, _adjointed(b, matrix) if adjoint else matrix, rhs)


@operation("MatrixTriangularSolve")
class MatrixTriangularSolve(LinearSystem):
    """The solutions X of matrix X = rhs for triangular matrices, of which only one triangle is read."""

    attributes = {"lower": True, "adjoint": False, "T": _TYPES}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        is_lower, is_adjoint, solution = op.attributes["lower"], op.attributes["adjoint"], op.outputs[0]
        to_rhs = MatrixTriangularSolve(op.inputs[0], grad, lower=is_lower, adjoint=not is_adjoint)
        first, second = (solution, to_rhs) if is_adjoint else (to_rhs, solution)
        full = -matrix.matmul(first, second, adjoint_b=True)
        return [diagonals.MatrixBandPart(full, -1, 0) if is_lower else diagonals.MatrixBandPart(full, 0, -1), to_rhs]

    def lower(self, b: Any, matrix: Any, rhs: Any) -> Any:
        is_lower, is_adjoint = b.operation.attributes["lower"], b.operation.attributes["adjoint"]
        return self.solved(b, partial(_solved_by_triangle, is_lower=is_lower, is_adjoint=is_adjoint), matrix, rhs)


def _solved_by_triangle(factors: Array, sides: Array, *, is_lower: bool, is_adjoint: bool) -> Array:
    triangle = np.tril(factors) if is_lower else np.triu(factors)
    return np.linalg.solve(np.conj(np.swapaxes(triangle, -1, -2)) if is_adjoint else triangle, sides)


@public("matrix_triangular_solve", "linalg.triangular_solve")
def matrix_triangular_solve(
    matrix: Any, rhs: Any, lower: bool = True, adjoint: bool = False, name: str | None = None
) -> Tensor:
    """The solutions X of matrix X = rhs for triangular matrices.

    Args:
        matrix: matrices, [..., n, n], of which only one triangle is read.
        rhs: right-hand sides, [..., n, k].
        lower: whether that is the lower triangle.
        adjoint: solves with the conjugate transposes instead.
        name: a name for the operation.
    """
    return MatrixTriangularSolve(matrix, rhs, lower=lower, adjoint=adjoint, name=name)


@operation("Qr", public=("qr", "linalg.qr"))
class Qr(MatrixFunction):
    """The decomposition input = q r into a matrix with orthonormal columns and an upper triangular one.

    Args:
        input: matrices, [..., m, n].
        full_matrices: makes q square, [..., m, m]; otherwise it has min(m, n) columns.
        name: a name for the operation.

    Returns `q` and `r`.
    """

    attributes = {"full_matrices": False, "T": _TYPES}
    outputs = {"q": "T", "r": "T"}

    def infer(self, input: Tensor, *, full_matrices: bool) -> list[TensorShape]:
        sizes = of_rank_at_least(input, 2)
        if sizes is None:
            return [TensorShape(None)] * 2
        *stack, rows, columns = sizes
        inner = rows if full_matrices else _smaller(rows, columns)
        return [TensorShape([*stack, rows, inner]), TensorShape([*stack, inner, columns])]

    def gradient(self, op: Any, grad_q: Tensor, grad_r: Tensor) -> list[Any]:
        rows, columns = op.inputs[0].shape[-2:].as_list()
        if rows is None or columns is None or rows < columns or (op.attributes["full_matrices"] and rows != columns):
            raise NotImplementedError(
                f"The gradient of a QR decomposition of shape {op.inputs[0].shape} is not defined."
            )
        q, r = op.outputs
        skew_q, skew_r = matrix.matmul(q, grad_q, adjoint_a=True), matrix.matmul(r, grad_r, adjoint_b=True)
        differences = (skew_q - adjoint(skew_q)) + (skew_r - adjoint(skew_r))
        strict = diagonals.MatrixBandPart(differences, -1, 0)
        inside = matrix.matmul(q, grad_r + _times_inverse_adjoint(strict, r))
        return [inside + _times_inverse_adjoint(grad_q - matrix.matmul(q, skew_q), r)]

    def lower(self, b: Any, input: Any, *, full_matrices: bool) -> Any:
        stack, rows, columns = _sizes(b, input)
        inner = rows if full_matrices else min(rows, columns)
        function = _complete_qr if full_matrices else _reduced_qr
        return self.compute(b, function, input, shapes=[[*stack, rows, inner], [*stack, inner, columns]])


def _reduced_qr(x: Array) -> tuple[Array, Array]:
    q, r = np.linalg.qr(x, "reduced")
    return q, r


def _complete_qr(x: Array) -> tuple[Array, Array]:
    q, r = np.linalg.qr(x, "complete")
    return q, r


def _times_inverse_adjoint(x: Tensor, upper: Tensor) -> Tensor:
    """x times the inverse of the adjoint of an upper triangular matrix."""
    return adjoint(MatrixTriangularSolve(upper, adjoint(x), lower=False))


@operation("SelfAdjointEigV2")
class SelfAdjointEigV2(MatrixFunction):
    """The eigenvalues, from the smallest on, and the eigenvectors of self-adjoint matrices."""

    attributes = {"compute_v": True, "T": _TYPES}
    outputs = {"e": "T", "v": "T"}

    def infer(self, input: Tensor, *, compute_v: bool) -> list[TensorShape]:
        square = _square(of_rank_at_least(input, 2))
        return [square[:-1], square if compute_v else TensorShape([0])]

    def gradient(self, op: Any, grad_values: Tensor, grad_vectors: Tensor) -> list[Any]:
        with op.graph.control_dependencies([grad_values, grad_vectors]):
            result = _eigen_gradient(op, grad_values, grad_vectors)
            lower = diagonals.MatrixBandPart(result + adjoint(result), -1, 0)
            return [diagonals.matrix_set_diag(lower, 0.5 * diagonals.matrix_diag_part(lower))]

    def lower(self, b: Any, input: Any, *, compute_v: bool) -> Any:
        stack, rows, columns = _sizes(b, input)
        b.require(rows == columns, f"Input matrix must be square, got {rows} x {columns}")
        if compute_v:
            return self.compute(b, _eigen, input, shapes=[[*stack, rows], list(input.type.shape)])
        values = self.compute(b, np.linalg.eigvalsh, input, shapes=[[*stack, rows]])[0]
        return values, b.fill((0,), 0, input.type.dtype)


def _eigen(x: Array) -> tuple[Array, Array]:
    values, vectors = np.linalg.eigh(x)
    return values, vectors


def _eigen_gradient(op: Any, grad_values: Tensor, grad_vectors: Tensor) -> Tensor:
    values = op.outputs[0]
    if not op.attributes["compute_v"]:
        _, vectors = SelfAdjointEigV2(op.inputs[0], compute_v=True)
        inner = diagonals.matrix_diag(grad_values)
    else:
        vectors = op.outputs[1]
        distances = shapes.expand_dims(values, -2) - shapes.expand_dims(values, -1)
        weights = diagonals.matrix_set_diag(elementwise.Reciprocal(distances), filling.zeros_like(values))
        turned = matrix.matmul(vectors, grad_vectors, adjoint_a=True)
        inner = diagonals.matrix_diag(grad_values) + weights * turned
    return matrix.matmul(vectors, matrix.matmul(inner, vectors, adjoint_b=True))


@public("self_adjoint_eig", "linalg.eigh")
def self_adjoint_eig(tensor: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The eigenvalues of self-adjoint matrices, from the smallest on, and the eigenvectors as columns.

    Args:
        tensor: matrices, [..., n, n], of which only the lower triangle is read.
        name: a name for the operation.
    """
    values, vectors = SelfAdjointEigV2(tensor, compute_v=True, name=name)
    return values, vectors


@public("self_adjoint_eigvals", "linalg.eigvalsh")
def self_adjoint_eigvals(tensor: Any, name: str | None = None) -> Tensor:
    """The eigenvalues [..., n] of self-adjoint matrices [..., n, n], from the smallest on."""
    return SelfAdjointEigV2(tensor, compute_v=False, name=name)[0]


@operation("Svd")
class Svd(MatrixFunction):
    """The singular values, from the largest on, and the singular vectors of matrices."""

    attributes = {"compute_uv": True, "full_matrices": False, "T": _TYPES}
    outputs = {"s": "T", "u": "T", "v": "T"}

    def infer(self, input: Tensor, *, compute_uv: bool, full_matrices: bool) -> list[TensorShape]:
        sizes = of_rank_at_least(input, 2)
        if sizes is None:
            return [TensorShape(None)] * 3 if compute_uv else [TensorShape(None), TensorShape([0]), TensorShape([0])]
        *stack, rows, columns = sizes
        inner = _smaller(rows, columns)
        if not compute_uv:
            return [TensorShape([*stack, inner]), TensorShape([0]), TensorShape([0])]
        left, right = (rows, columns) if full_matrices else (inner, inner)
        return [TensorShape([*stack, inner]), TensorShape([*stack, rows, left]), TensorShape([*stack, columns, right])]

    def lower(self, b: Any, input: Any, *, compute_uv: bool, full_matrices: bool) -> Any:
        stack, rows, columns = _sizes(b, input)
        inner = min(rows, columns)
        if not compute_uv:
            values = self.compute(b, _singular_values, input, shapes=[[*stack, inner]])[0]
            nothing = b.fill((0,), 0, input.type.dtype)
            return values, nothing, nothing
        left, right = (rows, columns) if full_matrices else (inner, inner)
        results = [[*stack, inner], [*stack, rows, left], [*stack, columns, right]]
        return self.compute(b, partial(_decomposed, full_matrices=full_matrices), input, shapes=results)


def _decomposed(x: Array, *, full_matrices: bool) -> tuple[Array, Array, Array]:
    u, s, adjoint_v = np.linalg.svd(x, full_matrices)
    return s, u, np.conj(np.swapaxes(adjoint_v, -1, -2))


def _singular_values(x: Array) -> Array:
    return np.linalg.svd(x, compute_uv=False)


@public("svd", "linalg.svd")
def svd(tensor: Any, full_matrices: bool = False, compute_uv: bool = True, name: str | None = None) -> Any:
    """The singular value decomposition: tensor = u diag(s) vᴴ.

    Args:
        tensor: matrices, [..., m, n].
        full_matrices: makes u and v square; otherwise they have min(m, n) columns.
        compute_uv: whether u and v are computed.
        name: a name for the operation.

    Returns s, u, v (or s alone): the singular values from the largest on, and the singular vectors as columns.
    """
    s, u, v = Svd(tensor, compute_uv=compute_uv, full_matrices=full_matrices, name=name)
    return (s, u, v) if compute_uv else s
