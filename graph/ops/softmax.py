"""Softmax, its logarithm, and cross entropies."""

from __future__ import annotations

from typing import Any

from sessile.graph import dtypes
from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import FLOATING
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.public_names import PUBLIC, public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, broadcast_shape

_LABELS = Attribute("type", default=dtypes.int64, allowed=frozenset({dtypes.int32, dtypes.int64}))


def _shifted(b: Any, logits: Any) -> Any:
    """The logits less the largest of their row: exp cannot overflow."""
    return b.sub(logits, b.reduce("max", logits, [logits.type.rank - 1], keep=True))


def _row_sum(b: Any, values: Any) -> Any:
    return b.reduce("add", values, [values.type.rank - 1], keep=True)


class RowFunction(OpDefinition):
    """Base of functions along the last axis."""

    inputs = {"logits": "T"}
    attributes = {"T": FLOATING}

    def infer(self, logits: Tensor) -> TensorShape:
        return logits.shape.with_rank_at_least(1)


@operation("Softmax")
class Softmax(RowFunction):
    """exp(logits) divided by its sum along the last axis."""

    outputs = {"softmax": "T"}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        softmax = op.outputs[0]
        weighted = PUBLIC["reduce_sum"](grad * softmax, -1, keepdims=True)
        return [(grad - weighted) * softmax]

    def lower(self, b: Any, logits: Any) -> Any:
        exponentials = b.exp(_shifted(b, logits))
        return b.div(exponentials, _row_sum(b, exponentials))


@operation("LogSoftmax")
class LogSoftmax(RowFunction):
    """The logarithm of Softmax."""

    outputs = {"logsoftmax": "T"}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        softmax = PUBLIC["exp"](op.outputs[0])
        return [grad - PUBLIC["reduce_sum"](grad, -1, keepdims=True) * softmax]

    def lower(self, b: Any, logits: Any) -> Any:
        shifted = _shifted(b, logits)
        return b.sub(shifted, b.log(_row_sum(b, b.exp(shifted))))


@operation("SoftmaxCrossEntropyWithLogits")
class SoftmaxCrossEntropyWithLogits(OpDefinition):
    """The cross entropy of rows of labels and of Softmax of rows of logits, and its gradient with respect to the logits."""

    inputs = {"features": "T", "labels": "T"}
    attributes = {"T": FLOATING}
    outputs = {"loss": "T", "backprop": "T"}

    def infer(self, features: Tensor, labels: Tensor) -> list[TensorShape]:
        shape = broadcast_shape(features.shape, labels.shape).with_rank(2)
        return [shape[:1], shape]

    def gradient(self, op: Any, grad_loss: Tensor, grad_grad: Tensor) -> list[Any]:
        logits, backprop = op.inputs[0], op.outputs[1]
        expand = PUBLIC["expand_dims"]
        grad = expand(grad_loss, -1) * backprop
        if not _is_zeros(grad_grad):
            softmax = PUBLIC["nn.softmax"](logits)
            inner = PUBLIC["squeeze"](PUBLIC["matmul"](expand(grad_grad, 1), expand(softmax, 2)), [1])
            grad += (grad_grad - inner) * softmax
        return [grad, expand(grad_loss, -1) * -PUBLIC["nn.log_softmax"](logits)]

    def lower(self, b: Any, features: Any, labels: Any) -> Any:
        shape = b.broadcast_shapes(features.type.shape, labels.type.shape)
        features, labels = b.broadcast_to(features, shape), b.broadcast_to(labels, shape)
        shifted = _shifted(b, features)
        exponentials = b.exp(shifted)
        total = _row_sum(b, exponentials)
        loss = b.reduce("add", b.mul(labels, b.sub(b.log(total), shifted)), [1])
        return loss, b.sub(b.div(exponentials, total), labels)


@operation("SparseSoftmaxCrossEntropyWithLogits")
class SparseSoftmaxCrossEntropyWithLogits(OpDefinition):
    """The cross entropy of Softmax with one right class for each row, and its gradient with respect to the logits."""

    inputs = {"features": "T", "labels": "Tlabels"}
    attributes = {"T": FLOATING, "Tlabels": _LABELS}
    outputs = {"loss": "T", "backprop": "T"}

    def infer(self, features: Tensor, labels: Tensor) -> list[TensorShape]:
        shape = features.shape.with_rank(2)
        rows = shape[:1].merge_with(labels.shape.with_rank(1))
        return [rows, rows.concatenate(shape[1:])]

    def gradient(self, op: Any, grad_loss: Tensor, grad_grad: Tensor) -> list[Any]:
        expand = PUBLIC["expand_dims"]
        grad = expand(grad_loss, -1) * op.outputs[1]
        if not _is_zeros(grad_grad):
            softmax = PUBLIC["nn.softmax"](op.inputs[0])
            inner = PUBLIC["squeeze"](PUBLIC["matmul"](expand(grad_grad, 1), expand(softmax, 2)), [1])
            grad += (grad_grad - inner) * softmax
        return [grad, None]

    def lower(self, b: Any, features: Any, labels: Any) -> Any:
        shape = features.type.shape
        labels = b.exactly(labels, shape[:1])
        classes = b.count(features, [1], labels.type.dtype)
        valid = b.map("and", b.map("ge", labels, 0), b.map("lt", labels, classes))
        b.emit("check", valid, labels, message="Received a label value outside the valid range of the logits' classes. Label values:")
        shifted = _shifted(b, features)
        exponentials = b.exp(shifted)
        total = _row_sum(b, exponentials)
        right = b.map("eq", b.iota(shape, 1, labels.type.dtype), b.expand_dims(labels, [1]))
        loss = b.reduce("add", b.select(right, b.sub(b.log(total), shifted), 0), [1])
        return loss, b.sub(b.div(exponentials, total), b.convert(right, features.type.dtype))


def _is_zeros(grad: Tensor) -> bool:
    return grad.op.type in ("ZerosLike", "Zeros")


def _along_axis(function: Any, logits: Any, axis: int, name: str | None) -> Tensor:
    """Applies a function along any axis: the axis goes to the end and comes back."""
    tensor = convert_to_tensor(logits)
    rank = tensor.shape.ndims
    if axis == -1 or (rank is not None and axis == rank - 1):
        return function(tensor, name=name)
    if rank is None:
        raise ValueError(f"the axis {axis} of a tensor of unknown rank cannot be found: {tensor}")
    if not -rank <= axis < rank:
        raise InvalidArgumentError(
            None, None, f"Dimension (dim) should be in the range [{-rank}, {rank}) where {rank} is the number of dimensions in the input. Got: {axis}"
        )
    swapped = list(range(rank))
    swapped[axis % rank], swapped[-1] = rank - 1, axis % rank
    transpose = PUBLIC["transpose"]
    return transpose(function(transpose(tensor, swapped)), swapped, name=name)


@public("nn.softmax", "math.softmax")
def softmax(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """exp(logits) divided by its sum along `axis` (the last one by default; `dim` is its older name)."""
    axis = dim if axis is None else axis
    return _along_axis(Softmax, logits, -1 if axis is None else axis, name)


@public("nn.log_softmax", "math.log_softmax")
def log_softmax(logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None) -> Tensor:
    """The logarithm of softmax along `axis` (the last one by default; `dim` is its older name)."""
    axis = dim if axis is None else axis
    return _along_axis(LogSoftmax, logits, -1 if axis is None else axis, name)


def _ensure_names_given(function: str, sentinel: Any, labels: Any, logits: Any) -> None:
    if sentinel is not None:
        raise ValueError(f"Only call `{function}` with named arguments (labels=..., logits=..., ...)")
    if labels is None or logits is None:
        raise ValueError("Both labels and logits must be provided.")


@public("nn.softmax_cross_entropy_with_logits_v2")
def softmax_cross_entropy_with_logits_v2(
    labels: Any, logits: Any, axis: int | None = None, name: str | None = None, dim: int | None = None
) -> Tensor:
    """The cross entropy of `labels` (rows of probabilities) and softmax of `logits`, for each row.

    Args:
        labels: probabilities, of the shape of the logits. Gradients flow into them too.
        logits: unscaled log probabilities, floating.
        axis: the axis of the classes, the last one by default.
    """
    axis = dim if axis is None else axis
    axis = -1 if axis is None else axis
    with name_scope(name, "softmax_cross_entropy_with_logits", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        original = logits.dtype
        precise = PUBLIC["cast"](logits, dtypes.float32) if original.name in ("float16", "bfloat16") else logits
        labels = PUBLIC["cast"](labels, precise.dtype)
        if axis != -1 and axis != (logits.shape.ndims or 0) - 1:
            precise, labels = _classes_last(precise, axis), _classes_last(labels, axis)
        input_shape = PUBLIC["shape"](precise)
        flat_logits, flat_labels = _as_rows(precise), _as_rows(labels)
        cost, _ = SoftmaxCrossEntropyWithLogits(flat_logits, flat_labels, name=scope)
        output_shape = PUBLIC["slice"](input_shape, [0], [PUBLIC["rank"](precise) - 1])
        cost = PUBLIC["reshape"](cost, output_shape)
        static = precise.shape
        if static.ndims is not None:
            cost.set_shape(static[:-1])
        return PUBLIC["cast"](cost, original) if cost.dtype != original else cost


def _classes_last(tensor: Tensor, axis: int) -> Tensor:
    rank = tensor.shape.ndims
    if rank is None:
        raise ValueError("the axis of the classes of a tensor of unknown rank cannot be moved")
    axis %= rank
    return PUBLIC["transpose"](tensor, [*(k for k in range(rank) if k != axis), axis])


def _as_rows(tensor: Tensor) -> Tensor:
    """All axes but the last merged into one."""
    rank = PUBLIC["rank"](tensor)
    last = PUBLIC["slice"](PUBLIC["shape"](tensor), [rank - 1], [1])
    rows = PUBLIC["reshape"](tensor, PUBLIC["concat"]([[-1], last], 0))
    static = tensor.shape
    if static.ndims is not None:
        rows.set_shape([static[:-1].num_elements(), static[-1]])
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
    _ensure_names_given("softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "softmax_cross_entropy_with_logits_sg", [logits, labels]) as scope:
        labels = PUBLIC["stop_gradient"](labels, name="labels_stop_gradient")
        return softmax_cross_entropy_with_logits_v2(labels, logits, axis=dim if axis is None else axis, name=scope)


@public("nn.sparse_softmax_cross_entropy_with_logits")
def sparse_softmax_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """The cross entropy of softmax of `logits` with one right class for each row.

    Args:
        labels: the indices of the right classes, int32 or int64; one axis less than the logits.
        logits: unscaled log probabilities, floating; classes along the last axis.

    Raises ValueError for arguments without names and for ranks that do not fit; running fails for a class that does not exist.
    """
    _ensure_names_given("sparse_softmax_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "SparseSoftmaxCrossEntropyWithLogits", [labels, logits]):
        labels, logits = convert_to_tensor(labels), convert_to_tensor(logits)
        original = logits.dtype
        precise = PUBLIC["cast"](logits, dtypes.float32) if original.name in ("float16", "bfloat16") else logits
        labels_shape = PUBLIC["shape"](labels)
        _check_sparse_ranks(labels, logits)
        if logits.shape.ndims == 2:
            cost, _ = SparseSoftmaxCrossEntropyWithLogits(precise, labels, name=name)
        else:
            last = PUBLIC["shape"](logits)[PUBLIC["rank"](logits) - 1]
            rows = PUBLIC["reshape"](precise, [-1, last])
            cost, _ = SparseSoftmaxCrossEntropyWithLogits(rows, PUBLIC["reshape"](labels, [-1]), name=name)
            cost = PUBLIC["reshape"](cost, labels_shape)
            cost.set_shape(labels.shape)
        return PUBLIC["cast"](cost, original) if cost.dtype != original else cost


def _check_sparse_ranks(labels: Tensor, logits: Tensor) -> None:
    if logits.shape.ndims is not None and logits.shape.ndims == 0:
        raise ValueError(f"Logits cannot be scalars - received shape {logits.shape}.")
    if logits.shape.ndims is not None and labels.shape.ndims is not None and labels.shape.ndims != logits.shape.ndims - 1:
        raise ValueError(
            f"Rank mismatch: Rank of labels (received {labels.shape.ndims}) should equal rank of logits minus 1 (received "
            f"{logits.shape.ndims})."
        )
    if logits.shape.ndims is not None and not logits.shape[:-1].is_compatible_with(labels.shape):
        raise ValueError(
            f"Shape mismatch: The shape of labels (received {labels.shape}) should equal the shape of logits except for the "
            f"last dimension (received {logits.shape})."
        )


@public("nn.sigmoid_cross_entropy_with_logits")
def sigmoid_cross_entropy_with_logits(
    _sentinel: Any = None, labels: Any = None, logits: Any = None, name: str | None = None
) -> Tensor:
    """The cross entropy of `labels` and sigmoid of `logits`, element by element, in a form that cannot overflow.

    Raises ValueError for arguments without names and for shapes that differ.
    """
    _ensure_names_given("sigmoid_cross_entropy_with_logits", _sentinel, labels, logits)
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        try:
            labels.shape.merge_with(logits.shape)
        except ValueError:
            raise ValueError(f"logits and labels must have the same shape ({logits.shape} vs {labels.shape})") from None
        zeros = PUBLIC["zeros_like"](logits, dtype=logits.dtype)
        is_positive = logits >= zeros
        positive = PUBLIC["where"](is_positive, logits, zeros)
        negative = PUBLIC["where"](is_positive, -logits, logits)
        return PUBLIC["add"](positive - logits * labels, PUBLIC["log1p"](PUBLIC["exp"](negative)), name=scope)


@public("nn.weighted_cross_entropy_with_logits")
def weighted_cross_entropy_with_logits(
    labels: Any = None, logits: Any = None, pos_weight: Any = None, name: str | None = None, targets: Any = None
) -> Tensor:
    """`sigmoid_cross_entropy_with_logits` with positive examples weighted by `pos_weight`."""
    labels = targets if labels is None else labels
    with name_scope(name, "logistic_loss", [logits, labels]) as scope:
        logits = convert_to_tensor(logits, name="logits")
        labels = convert_to_tensor(labels, name="labels")
        weight = 1 + (pos_weight - 1) * labels
        tail = PUBLIC["log1p"](PUBLIC["exp"](-PUBLIC["abs"](logits))) + PUBLIC["nn.relu"](-logits)
        return PUBLIC["add"]((1 - labels) * logits, weight * tail, name=scope)
