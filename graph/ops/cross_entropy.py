"""Cross entropies of labels and logits: of softmax with rows of probabilities or with indices, and of sigmoid."""

from __future__ import annotations

from typing import Any

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value
from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import FLOATING, INDEX
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import (
    activations,
    arithmetic,
    casts,
    elementwise,
    filling,
    identity,
    joining,
    matrix,
    ranges,
    selection,
    shapes,
    slicing,
    softmax,
    transcendental,
    transposition,
)
from sessile.graph.ops.softmax import row_sum, shifted
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.shape_rules import broadcast, of_rank, same_size
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_HALF = frozenset({dtypes.float16, dtypes.bfloat16})


@operation("SoftmaxCrossEntropyWithLogits")
class SoftmaxCrossEntropyWithLogits(OpDefinition):
    """The cross entropy of rows of labels and Softmax of rows of logits, and its gradient to the logits."""

    inputs = {"features": "T", "labels": "T"}
    attributes = {"T": FLOATING}
    outputs = {"loss": "T", "backprop": "T"}

    def infer(self, features: Tensor, labels: Tensor) -> list[TensorShape]:
        rows, classes = of_rank(broadcast(features, labels), 2)
        return [TensorShape([rows]), TensorShape([rows, classes])]

    def gradient(self, op: Any, grad_loss: Tensor, grad_backprop: Tensor) -> list[Any]:
        logits, backprop = op.inputs[0], op.outputs[1]
        grad = _times_rows(grad_loss, backprop)
        if not _is_zero(grad_backprop):
            probabilities = softmax.softmax(logits)
            rows = shapes.expand_dims(grad_backprop, 1)
            products = matrix.matmul(rows, shapes.expand_dims(probabilities, 2))
            grad += (grad_backprop - shapes.squeeze(products, axis=1)) * probabilities
        return [grad, _times_rows(grad_loss, -softmax.log_softmax(logits))]

    def lower(self, b: Any, features: Any, labels: Any) -> Any:
        shape = b.broadcast_shapes(features.type.shape, labels.type.shape)
        features, labels = b.broadcast_to(features, shape), b.broadcast_to(labels, shape)
        below = shifted(b, features)
        exponentials = b.exp(below)
        total = row_sum(b, exponentials)
        loss = b.reduce("add", b.mul(labels, b.sub(b.log(total), below)), [1])
        return loss, b.sub(b.div(exponentials, total), labels)


@operation("SparseSoftmaxCrossEntropyWithLogits")
class SparseSoftmaxCrossEntropyWithLogits(OpDefinition):
    """The cross entropy of Softmax with one right class for each row, and its gradient with respect to the logits."""

    inputs = {"features": "T", "labels": "Tlabels"}
    attributes = {"T": FLOATING, "Tlabels": Attribute("type", default=dtypes.int64, allowed=INDEX)}
    outputs = {"loss": "T", "backprop": "T"}

    def infer(self, features: Tensor, labels: Tensor) -> list[TensorShape]:
        (rows,), (own, classes) = of_rank(labels, 1), of_rank(features, 2)
        rows = same_size(own, rows)
        return [TensorShape([rows]), TensorShape([rows, classes])]

    def gradient(self, op: Any, grad_loss: Tensor, grad_backprop: Tensor) -> list[Any]:
        message = "the second derivative of sparse_softmax_cross_entropy_with_logits is not defined"
        return [_times_rows(grad_loss, identity.PreventGradient(op.outputs[1], message=message)), None]

    def lower(self, b: Any, features: Any, labels: Any) -> Any:
        shape = features.type.shape
        labels = b.exactly(labels, shape[:1])
        classes = b.count(features, [1], labels.type.dtype)
        is_valid = b.map("and", b.map("ge", labels, 0), b.map("lt", labels, classes))
        message = f"Received a label value which is outside the valid range of [0, {b.shown(shape[1])}).  Label values:"
        b.emit("check", is_valid, labels, message=message)
        below = shifted(b, features)
        exponentials = b.exp(below)
        total = row_sum(b, exponentials)
        is_right = b.map("eq", b.iota(shape, 1, labels.type.dtype), b.expand_dims(labels, [1]))
        loss = b.reduce("add", b.select(is_right, b.sub(b.log(total), below), 0), [1])
        return loss, b.sub(b.div(exponentials, total), b.convert(is_right, features.type.dtype))


def _times_rows(vector: Tensor, matrix_: Tensor) -> Tensor:
    """Each row of a matrix times an element of a vector."""
    return shapes.expand_dims(vector, -1) * matrix_


def _is_zero(grad: Tensor) -> bool:
    if grad.op.type in ("ZerosLike", "Zeros"):
        return True
    known = constant_value(grad)
    return known is not None and bool((known == 0).all())


@public("nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None
) -> Tensor:
    """The cross entropy of probabilities and softmax of logits, for each row. Gradients flow into the labels too.

    Args:
        labels: probabilities, of the shape and type of the logits.
        logits: unscaled log probabilities, floating.
        axis: the axis of the classes, the last one by default.
        name: a name for the operations.
        dim: the older name of `axis`.

    Returns a tensor without the axis of the classes.
    """
    axis = renamed_argument("axis", axis, "dim", dim)
    axis = -1 if axis is None else axis
    with name_scope(name, "softmax_cross_entropy_with_logits", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        precise = casts.cast(logits, dtypes.float32) if logits.dtype in _HALF else logits
        labels = casts.cast(labels, precise.dtype)
        rank = shapes.rank(precise)
        if axis != -1:
            precise, labels = _classes_last(precise, axis, rank), _classes_last(labels, axis, rank)
        shape = shapes.shape(precise)
        precise, labels = _as_rows(precise), _as_rows(labels)
        cost, _ = SoftmaxCrossEntropyWithLogits(precise, labels, name=scope)
        cost = shapes.reshape(cost, slicing.slice_(shape, [0], [arithmetic.Sub(rank, 1)]))
        if logits.shape.sizes is not None:
            sizes = list(logits.shape.sizes)
            del sizes[axis]
            cost.set_shape(sizes)
        return casts.cast(cost, logits.dtype) if logits.dtype in _HALF else cost


def _classes_last(tensor: Tensor, axis: int, rank: Tensor) -> Tensor:
    order = joining.concat([ranges.range_(axis), ranges.range_(axis + 1, rank), [axis]], 0)
    return transposition.transpose(tensor, order)


def _as_rows(tensor: Tensor) -> Tensor:
    """All axes but the last merged into one."""
    rank, shape = shapes.rank(tensor), shapes.shape(tensor)
    count = slicing.slice_(shape, [arithmetic.Sub(rank, 1)], [1])
    rows = shapes.reshape(tensor, joining.concat([[-1], count], 0))
    sizes = tensor.shape
    if sizes.ndims is not None and sizes[:-1].is_fully_defined():
        rows.set_shape([sizes[:-1].num_elements(), sizes[-1]])
    return rows


@public("nn.softmax_cross_entropy_with_logits")
def softmax_cross_entropy_with_logits(
    _sentinel: Any = None,
    labels: Any = None,
    logits: Any = None,
    dim: int = -1,
    name: str | None = None,
    axis: int | None = None,
) -> Tensor:
    """`softmax_cross_entropy_with_logits_v2` without gradients into the labels.

    Raises ValueError for arguments without names.
    """
    dim = dim if axis is None else axis
    _ensure_names_given("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "softmax_cross_entropy_with_logits_sg", [logits, labels]) as scope:
        labels = identity.StopGradient(labels, name="labels_stop_gradient")
        return softmax_cross_entropy_with_logits_v2(labels, logits, axis=dim, name=scope)


def _ensure_names_given(function: str, sentinel: Any, labels: Any, logits: Any) -> None:
    if sentinel is not None:
        raise ValueError(f"Only call `{function}` with named arguments (labels=..., logits=..., ...)")
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")


@public("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """The cross entropy of softmax of logits with one right class for each row.

    Args:
        labels: the indices of the right classes, int32 or int64; one axis less than the logits.
        logits: unscaled log probabilities, floating; classes along the last axis.
        name: a name for the operations.

    Returns a tensor of the shape of the labels. Raises ValueError for arguments without names and for ranks that do not
    fit; running fails for a class that does not exist.
    """
    _ensure_names_given("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]):
        labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
        precise = casts.cast(logits, dtypes.float32) if logits.dtype in _HALF else logits
        labels_shape = shapes.shape(labels)
        _check_sparse_shapes(labels.shape, logits.shape)
        if logits.shape.ndims == 2:
            cost, _ = SparseSoftmaxCrossEntropyWithLogits(precise, labels, name=name)
        else:
            classes = shapes.shape(logits)[shapes.rank(logits) - 1]
            rows = shapes.reshape(precise, [-1, classes])
            cost, _ = SparseSoftmaxCrossEntropyWithLogits(rows, shapes.reshape(labels, [-1]), name=name)
            cost = shapes.reshape(cost, labels_shape)
            cost.set_shape(labels.shape)
        return casts.cast(cost, logits.dtype) if logits.dtype in _HALF else cost


def _check_sparse_shapes(labels: TensorShape, logits: TensorShape) -> None:
    if logits.ndims == 0:
        raise ValueError(f"Logits cannot be scalars - received shape {logits}.")
    if logits.ndims is None or labels.ndims is None:
        return
    if labels.ndims != logits.ndims - 1:
        raise ValueError(
            f"Rank mismatch: Rank of labels (received {labels.ndims}) should equal rank of logits minus 1 (received "
            f"{logits.ndims})."
        )
    if not labels.is_compatible_with(logits[:-1]):
        raise ValueError(
            f"Shape mismatch: The shape of labels (received {labels}) should equal the shape of logits except for the "
            f"last dimension (received {logits})."
        )


@public("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """The cross entropy of labels and sigmoid of logits, element by element, in a form that cannot overflow.

    Args:
        labels: probabilities, of the shape and type of the logits.
        logits: unscaled log odds, floating.
        name: a name for the operations.

    Raises ValueError for arguments without names and for shapes that differ.
    """
    _ensure_names_given("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits, labels = _alike("labels", labels, logits)
        zeros = filling.zeros_like(logits, dtype=logits.dtype)
        is_positive = logits >= zeros
        positive = selection.where(is_positive, logits, zeros)
        negative = selection.where(is_positive, -logits, logits)
        return arithmetic.Add(
            positive - logits * labels, transcendental.Log1p(transcendental.Exp(negative)), name=scope
        )


@public("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> Tensor:
    """`sigmoid_cross_entropy_with_logits` with positive examples weighted.

    Args:
        labels: probabilities, of the shape and type of the logits.
        logits: unscaled log odds, floating.
        pos_weight: what a positive example counts; above 1 it favours recall, below 1 precision.
        name: a name for the operations.
        targets: the older name of `labels`.

    Raises ValueError for shapes that differ.
    """
    labels = renamed_argument("labels", labels, "targets", targets)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits, labels = _alike("labels", labels, logits)
        weight = 1 + (pos_weight - 1) * labels
        linear = (1 - labels) * logits
        tail = transcendental.Log1p(transcendental.Exp(-elementwise.abs(logits)))
        return arithmetic.Add(linear, weight * (tail + activations.Relu(-logits)), name=scope)


def _alike(name: str, labels: Any, logits: Any) -> tuple[Tensor, Tensor]:
    """The logits and the labels as tensors. Raises ValueError when their shapes differ."""
    logits = convert_to_tensor(logits, name="logits")
    labels = convert_to_tensor(labels, name=name)
    try:
        labels.shape.merge_with(logits.shape)
    except ValueError:
        raise ValueError(f"logits and {name} must have the same shape ({logits.shape} vs {labels.shape})") from None
    return logits, labels
