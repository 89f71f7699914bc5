"""Axes in another order: transpose, matrix_transpose."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import known_axes
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import INDEX, int32, int64
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import joining, ranges, shapes
from sessile.graph.ops.bases import numbers_of
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape


@operation("Transpose")
class Transpose(OpDefinition):
    """The input with its axes in the order `perm`."""

    inputs = {"x": "T", "perm": "Tperm"}
    attributes = {"T": Attribute("type"), "Tperm": Attribute("type", default=int32, allowed=INDEX)}
    outputs = {"y": "T"}

    def infer(self, x: Tensor, perm: Tensor) -> TensorShape:
        (length,) = of_rank(perm, 1)
        sizes, order = x.shape.sizes, known_axes(perm)
        if sizes is not None and length is not None and length != len(sizes):
            raise ValueError(f"Dimension must be {len(sizes)} but is {length}")
        if order is None:
            return unknown_shape(x.shape.ndims if length is None else length)
        rank = len(order)
        if sorted(axis % rank if -rank <= axis < rank else axis for axis in order) != list(range(rank)):
            raise ValueError(f"perm dim {order} is not a permutation of the {rank} axes of the input")
        return unknown_shape(rank) if sizes is None else TensorShape([sizes[axis] for axis in order])

    def fold(self, known: Any, x: Tensor, perm: Tensor) -> Any:
        return np.transpose(known(x), known(perm).tolist())

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [Transpose(grad, InvertPermutation(op.inputs[1])), None]

    def lower(self, b: Any, x: Any, perm: Any) -> Any:
        order = numbers_of(b, perm)
        rank = x.type.rank
        order = [axis % rank if -rank <= axis < rank else axis for axis in order]
        b.require(
            sorted(order) == list(range(rank)), f"transpose expects a vector of size {rank}. But input(1) is {order}"
        )
        return b.transpose(x, order)


@operation("ConjugateTranspose")
class ConjugateTranspose(Transpose):
    """The complex conjugates of the input, with its axes in the order `perm`."""

    def fold(self, known: Any, x: Tensor, perm: Tensor) -> Any:
        return None

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [ConjugateTranspose(grad, InvertPermutation(op.inputs[1])), None]

    def lower(self, b: Any, x: Any, perm: Any) -> Any:
        turned = super().lower(b, x, perm)
        return b.map("conj", turned) if turned.type.dtype[0] == "c" else turned


@operation("InvertPermutation", public=("invert_permutation", "math.invert_permutation"))
class InvertPermutation(OpDefinition):
    """The permutation y that undoes x: y[x[i]] = i.

    Args:
        x: a vector that holds each of 0 ... n - 1 once.
        name: a name for the operation.
    """

    inputs = {"x": "T"}
    attributes = {"T": Attribute("type", default=int32, allowed=frozenset({int32, int64}))}
    outputs = {"y": "T"}
    differentiable = False

    def infer(self, x: Tensor) -> TensorShape:
        return TensorShape.from_sizes(of_rank(x, 1))

    def fold(self, known: Any, x: Tensor) -> Any:
        order = known(x)
        return None if order.dtype == object and None in order.tolist() else np.argsort(order)

    def lower(self, b: Any, x: Any) -> Any:
        known = b.known_numbers(x)
        if known is not None:
            b.require(sorted(known.tolist()) == list(range(len(known))), f"{known.tolist()} is not a permutation")
            return b.sizes(np.argsort(known), x.type.dtype)
        places = b.reshape(x, (x.type.shape[0], 1))
        index = b.iota(x.type.shape, 0, x.type.dtype)
        marks = b.emit("scatter", b.fill(x.type.shape, -1, x.type.dtype), places, index, function="set")
        b.emit("check", b.map("ge", marks, 0), message="invert_permutation: an element is missing in the permutation")
        return marks


@public("transpose")
def transpose(a: Any, perm: Any = None, name: str | None = "transpose", conjugate: bool = False) -> Tensor:
    """A tensor with its axes in another order.

    Args:
        a: a tensor.
        perm: which axis of `a` each axis of the result is, a vector; by default the opposite order.
        name: a name for the operation.
        conjugate: takes complex conjugates as well.
    """
    with name_scope(name, "transpose", [a]) as scope:
        a = internal_convert(a, None, "a")
        definition = ConjugateTranspose if conjugate and a.dtype.is_complex else Transpose
        if perm is not None:
            return definition(a, perm, name=scope)
        if a.shape.ndims is not None:
            return definition(a, np.arange(a.shape.ndims, dtype=np.int32)[::-1], name=scope)
        rank = shapes.rank(a)
        return definition(a, (rank - 1) - ranges.range_(0, rank, 1), name=scope)


@public("matrix_transpose", "linalg.matrix_transpose", "linalg.transpose")
def matrix_transpose(a: Any, name: str | None = "matrix_transpose", conjugate: bool = False) -> Tensor:
    """A tensor with its last two axes swapped.

    Args:
        a: a tensor of rank 2 or more.
        name: a name for the operation.
        conjugate: takes complex conjugates as well.

    Raises ValueError when the rank is known to be lower.
    """
    with name_scope(name, None, [a]):
        a = internal_convert(a, None, "a")
        rank = a.shape.ndims
        if rank is None:
            total = shapes.rank(a)
            order = joining.concat((ranges.range_(0, total - 2), [total - 1, total - 2]), 0)
            return transpose(a, perm=order, conjugate=conjugate)
        if rank < 2:
            raise ValueError(f"Argument 'a' should be a (batch) matrix, with rank >= 2. Found: {a.shape}")
        return transpose(a, perm=[*range(rank - 2), rank - 1, rank - 2], conjugate=conjugate)
