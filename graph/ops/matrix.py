"""Products of matrices and of stacks of matrices."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import COMPLEX, FLOATING, bfloat16, float32, int32, int64
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import broadcasting, complex_numbers, reductions, shapes
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, broadcast, of_rank, of_rank_at_least, same_size
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

FACTORS = FLOATING | COMPLEX | {int32, int64}


class MatrixProduct(OpDefinition):
    """Base of products of two matrices, each of which may be transposed first."""

    inputs = {"a": "T", "b": "T"}
    outputs = {"product": "T"}

    def infer(self, a: Tensor, b: Tensor, *, transpose_a: bool, transpose_b: bool) -> TensorShape:
        left, right = of_rank(a, 2), of_rank(b, 2)
        same_size(left[0 if transpose_a else 1], right[1 if transpose_b else 0])
        return TensorShape.from_sizes((left[1 if transpose_a else 0], right[0 if transpose_b else 1]))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        a, b = complex_numbers.conj(op.inputs[0]), complex_numbers.conj(op.inputs[1])
        match (op._attributes["transpose_a"], op._attributes["transpose_b"]):
            case (False, False):
                return [_product(grad, b, False, True), _product(a, grad, True, False)]
            case (False, True):
                return [_product(grad, b), _product(grad, a, True, False)]
            case (True, False):
                return [_product(b, grad, False, True), _product(a, grad)]
        return [_product(b, grad, True, True), _product(grad, a, True, True)]


def _product(a: Tensor, b: Tensor, transpose_a: bool = False, transpose_b: bool = False) -> Tensor:
    return MatMul(a, b, transpose_a=transpose_a, transpose_b=transpose_b)


@operation("MatMul")
class MatMul(MatrixProduct):
    """The product of two matrices."""

    attributes = {"transpose_a": False, "transpose_b": False, "T": FACTORS}

    def lower(self, b: Any, left: Any, right: Any, *, transpose_a: bool, transpose_b: bool) -> Any:
        _require_matrices(b, left, right)
        return b.contract(left, right, ([0 if transpose_a else 1], [1 if transpose_b else 0]))


def _require_matrices(b: Any, left: Any, right: Any) -> None:
    for k, value in enumerate((left, right)):
        shown = ",".join(str(b.shown(size)) for size in value.type.shape)
        b.require(value.type.rank == 2, f"In[{k}] is not a matrix. Instead it has shape [{shown}]")


@operation("SparseMatMul")
class SparseMatMul(MatrixProduct):
    """The product of two matrices that may hold many zeros; computed as any other."""

    inputs = {"a": "Ta", "b": "Tb"}
    attributes = {
        "transpose_a": False,
        "transpose_b": False,
        "a_is_sparse": False,
        "b_is_sparse": False,
        "Ta": Attribute("type", float32, frozenset({float32, bfloat16})),
        "Tb": Attribute("type", float32, frozenset({float32, bfloat16})),
    }
    outputs = {"product": float32}

    def lower(self, b: Any, left: Any, right: Any, *, transpose_a: bool, transpose_b: bool) -> Any:
        _require_matrices(b, left, right)
        return b.contract(left, right, ([0 if transpose_a else 1], [1 if transpose_b else 0]))


class StackedProduct(OpDefinition):
    """Base of products of stacks of matrices, each of which may be conjugated and transposed first."""

    inputs = {"x": "T", "y": "T"}
    attributes = {"T": FACTORS, "adj_x": False, "adj_y": False}
    outputs = {"output": "T"}

    def infer(self, x: Tensor, y: Tensor, *, adj_x: bool, adj_y: bool) -> TensorShape:
        left, right = of_rank_at_least(x, 2), of_rank_at_least(y, 2)
        if left is None or right is None:
            return UNKNOWN
        same_size(left[-2 if adj_x else -1], right[-1 if adj_y else -2])
        stack = self.stack_shape(TensorShape.from_sizes(left[:-2]), TensorShape.from_sizes(right[:-2]))
        return stack.concatenate([left[-1 if adj_x else -2], right[-2 if adj_y else -1]])

    def stack_shape(self, left: TensorShape, right: TensorShape) -> TensorShape:
        """The shape of the stack of results."""
        return broadcast(left, right)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        x, y = op.inputs
        match (op._attributes["adj_x"], op._attributes["adj_y"]):
            case (False, False):
                grads = [matmul(grad, y, adjoint_b=True), matmul(x, grad, adjoint_a=True)]
            case (False, True):
                grads = [matmul(grad, y), matmul(grad, x, adjoint_a=True)]
            case (True, False):
                grads = [matmul(y, grad, adjoint_b=True), matmul(x, grad)]
            case _:
                grads = [
                    matmul(y, grad, adjoint_a=True, adjoint_b=True),
                    matmul(grad, x, adjoint_a=True, adjoint_b=True),
                ]
        return _sums_over_stacks(x, y, grads)

    def lower(self, b: Any, x: Any, y: Any, *, adj_x: bool, adj_y: bool) -> Any:
        for k, value in enumerate((x, y)):
            b.require(value.type.rank >= 2, f"In[{k}] ndims must be >= 2: {value.type.rank}")
        x = b.map("conj", x) if adj_x and x.type.dtype[0] == "c" else x
        y = b.map("conj", y) if adj_y and y.type.dtype[0] == "c" else y
        inner_x = x.type.rank - (2 if adj_x else 1)
        if y.type.rank == 2:
            return b.contract(x, y, ([inner_x], [1 if adj_y else 0]))
        stack = b.broadcast_shapes(x.type.shape[:-2], y.type.shape[:-2])
        x = b.broadcast_to(x, (*stack, *x.type.shape[-2:]))
        y = b.broadcast_to(y, (*stack, *y.type.shape[-2:]))
        rank, axes = len(stack) + 2, list(range(len(stack)))
        inner = ([rank - (2 if adj_x else 1)], [rank - (1 if adj_y else 2)])
        return b.contract(x, y, inner, (axes, axes))


def _sums_over_stacks(x: Tensor, y: Tensor, grads: list[Tensor]) -> list[Any]:
    """The gradients, summed over the axes of the stacks that broadcasting repeated."""
    stacks = [tensor.shape[:-2] for tensor in (x, y)]
    if x.shape.ndims is not None and all(stack.is_fully_defined() for stack in stacks) and stacks[0] == stacks[1]:
        return grads
    shape_x, shape_y = shapes.shape(x), shapes.shape(y)
    axes_x, axes_y = broadcasting.BroadcastGradientArgs(shape_x[:-2], shape_y[:-2])
    return [
        shapes.reshape(reductions.reduce_sum(grads[0], axes_x), shape_x),
        shapes.reshape(reductions.reduce_sum(grads[1], axes_y), shape_y),
    ]


@operation("BatchMatMul")
class BatchMatMul(StackedProduct):
    """The products of two stacks of matrices of one length."""

    def stack_shape(self, left: TensorShape, right: TensorShape) -> TensorShape:
        return left.merge_with(right)


@operation("BatchMatMulV2")
class BatchMatMulV2(StackedProduct):
    """The products of two stacks of matrices, whose shapes broadcast."""


@public("matmul", "linalg.matmul")
def matmul(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    transpose_b: bool = False,
    adjoint_a: bool = False,
    adjoint_b: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of two matrices, or of two stacks of them.

    Args:
        a: a tensor of shape [..., m, k], of floating, complex, int32 or int64 numbers.
        b: a tensor of shape [..., k, n] of the same type.
        transpose_a, transpose_b: swaps the last two axes of a factor first.
        adjoint_a, adjoint_b: swaps them and takes complex conjugates.
        a_is_sparse, b_is_sparse: says that a matrix holds many zeros.
        name: a name for the operation.

    Returns a tensor of shape [..., m, n]. Raises ValueError when the sizes do not fit, or a factor is to be transposed
    as well as adjoined.
    """
    with name_scope(name, "MatMul", [a, b]) as scope:
        if transpose_a and adjoint_a:
            raise ValueError("Only one of transpose_a and adjoint_a can be True.")
        if transpose_b and adjoint_b:
            raise ValueError("Only one of transpose_b and adjoint_b can be True.")
        a = internal_convert(a, None, "a")
        b = internal_convert(b, a.dtype.base_dtype if not isinstance(b, Tensor) else None, "b")
        is_sparse = a_is_sparse or b_is_sparse
        if not is_sparse and not (a.shape.ndims in (0, 1, 2) and b.shape.ndims in (0, 1, 2)):
            a, adjoint_a = (complex_numbers.conj(a), True) if transpose_a else (a, adjoint_a)
            b, adjoint_b = (complex_numbers.conj(b), True) if transpose_b else (b, adjoint_b)
            return BatchMatMulV2(a, b, adj_x=adjoint_a, adj_y=adjoint_b, name=scope)
        a, transpose_a = (complex_numbers.conj(a), True) if adjoint_a else (a, transpose_a)
        b, transpose_b = (complex_numbers.conj(b), True) if adjoint_b else (b, transpose_b)
        if is_sparse and a.dtype.base_dtype in (bfloat16, float32) and b.dtype.base_dtype in (bfloat16, float32):
            return SparseMatMul(
                a,
                b,
                transpose_a=transpose_a,
                transpose_b=transpose_b,
                a_is_sparse=a_is_sparse,
                b_is_sparse=b_is_sparse,
                name=scope,
            )
        return MatMul(a, b, transpose_a=transpose_a, transpose_b=transpose_b, name=scope)


@public("batch_matmul")
def batch_matmul(x: Any, y: Any, adj_x: bool = False, adj_y: bool = False, name: str | None = None) -> Tensor:
    """The products of two stacks of matrices, as early versions of TensorFlow offered them.

    Args:
        x: a tensor of shape [..., m, k].
        y: a tensor of shape [..., k, n], with the same first sizes.
        adj_x, adj_y: takes the complex conjugate of a factor and swaps its last two axes first.
        name: a name for the operation.
    """
    return BatchMatMul(x, y, adj_x=adj_x, adj_y=adj_y, name=name)


@public("linalg.matvec")
def matvec(
    a: Any,
    b: Any,
    transpose_a: bool = False,
    adjoint_a: bool = False,
    a_is_sparse: bool = False,
    b_is_sparse: bool = False,
    name: str | None = None,
) -> Tensor:
    """The product of a matrix and a vector, or of stacks of them.

    Args:
        a: a tensor of shape [..., m, k].
        b: a tensor of shape [..., k].
        transpose_a, adjoint_a, a_is_sparse, b_is_sparse: as for matmul.
        name: a name for the operations.

    Returns a tensor of shape [..., m].
    """
    with name_scope(name, "MatVec", [a, b]):
        column = shapes.expand_dims(b, -1)
        product = matmul(
            a, column, transpose_a=transpose_a, adjoint_a=adjoint_a, a_is_sparse=a_is_sparse, b_is_sparse=b_is_sparse
        )
        return shapes.squeeze(product, axis=-1)
