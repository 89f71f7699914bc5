"""Biases: a vector added along the channels of a tensor, and layers made of a matrix product and a bias."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import NUMERIC
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import activations, filling, joining, matrix, shapes, tiling
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank_at_least, same_size
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_FORMAT = Attribute("string", default="NHWC", allowed=frozenset({b"NHWC", b"NCHW"}))


def _channel_axis(rank: int, data_format: bytes) -> int:
    return 1 if data_format == b"NCHW" else rank - 1


@operation("BiasAdd")
class BiasAdd(OpDefinition):
    """`bias`, a vector, added along the last axis, or along the second one for NCHW."""

    inputs = {"value": "T", "bias": "T"}
    attributes = {"T": NUMERIC, "data_format": _FORMAT}
    outputs = {"output": "T"}

    def infer(self, value: Tensor, bias: Tensor, *, data_format: bytes) -> TensorShape:
        sizes = of_rank_at_least(value, 3 if data_format == b"NCHW" else 2)
        (channels,) = bias.shape.with_rank(1).as_list()
        if sizes is None:
            return value.shape
        axis = _channel_axis(len(sizes), data_format)
        return TensorShape([*sizes[:axis], same_size(sizes[axis], channels), *sizes[axis + 1 :]])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad, BiasAddGrad(grad, data_format=op.attributes["data_format"])]

    def lower(self, b: Any, value: Any, bias: Any, *, data_format: bytes) -> Any:
        rank = value.type.rank
        axis = _channel_axis(rank, data_format)
        b.require(bias.type.rank == 1, f"Biases must be 1D: {list(bias.type.shape)}")
        bias = b.exactly(bias, [value.type.shape[axis]])
        return b.add(value, b.expand_dims(bias, [k for k in range(rank) if k != axis]))


@operation("BiasAddGrad")
class BiasAddGrad(OpDefinition):
    """The gradient of BiasAdd with respect to the bias: the sum over all axes but that of the channels."""

    inputs = {"out_backprop": "T"}
    attributes = {"T": NUMERIC, "data_format": _FORMAT}
    outputs = {"output": "T"}

    def infer(self, out_backprop: Tensor, *, data_format: bytes) -> TensorShape:
        sizes = out_backprop.shape.with_rank_at_least(2).sizes
        return TensorShape([None if sizes is None else sizes[_channel_axis(len(sizes), data_format)]])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        shape, channels = shapes.shape(op.inputs[0]), shapes.shape(grad)
        if op.attributes["data_format"] == b"NCHW":
            before, after = shape[:1], [shape[2:]]
        else:
            before, after = shape[:-1], []
        ones = [filling.ones_like(part) for part in (before, *after)]
        expanded = joining.concat([ones[0], channels, *ones[1:]], 0)
        repeats = joining.concat([before, [1], *after], 0)
        return [tiling.tile(shapes.reshape(grad, expanded), repeats)]

    def lower(self, b: Any, out_backprop: Any, *, data_format: bytes) -> Any:
        axis = _channel_axis(out_backprop.type.rank, data_format)
        return b.reduce("add", out_backprop, [k for k in range(out_backprop.type.rank) if k != axis])


@public("nn.bias_add")
def bias_add(value: Any, bias: Any, data_format: str | None = None, name: str | None = None) -> Tensor:
    """`value` with a vector added along its channels.

    Args:
        value: a tensor of numbers, of rank 2 or more.
        bias: a vector, one number for each channel.
        data_format: "N...C" (the channels come last, also by default) or "NC..." (they come second).
        name: a name for the operation.

    Raises ValueError for another `data_format` and for sizes that do not fit.
    """
    with name_scope(name, "BiasAdd", [value, bias]) as scope:
        value = convert_to_tensor(value, name="input")
        bias = convert_to_tensor(bias, dtype=value.dtype, name="bias")
        return BiasAdd(value, bias, data_format=_plane_format(data_format), name=scope)


def _plane_format(data_format: str | None) -> str:
    if data_format is None or (data_format.startswith("N") and data_format.endswith("C")):
        return "NHWC"
    if data_format.startswith("NC"):
        return "NCHW"
    raise ValueError("data_format must be of the form `N...C` or `NC...`")


@public("nn.xw_plus_b")
def xw_plus_b(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """The matrix product of `x` and `weights`, plus `biases`.

    Args:
        x: [batch, inputs].
        weights: [inputs, outputs].
        biases: [outputs].
        name: a name for the operations.
    """
    with name_scope(name, "xw_plus_b", [x, weights, biases]) as scope:
        return bias_add(*_product(x, weights, biases), name=scope)


@public("nn.relu_layer")
def relu_layer(x: Any, weights: Any, biases: Any, name: str | None = None) -> Tensor:
    """relu of `xw_plus_b`; the arguments are the same."""
    with name_scope(name, "relu_layer", [x, weights, biases]) as scope:
        return activations.Relu(bias_add(*_product(x, weights, biases)), name=scope)


def _product(x: Any, weights: Any, biases: Any) -> tuple[Tensor, Tensor]:
    x = convert_to_tensor(x, name="x")
    weights = convert_to_tensor(weights, name="weights")
    biases = convert_to_tensor(biases, name="biases")
    return matrix.matmul(x, weights), biases
