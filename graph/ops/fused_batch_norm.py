"""Batch normalisation of images as one operation: by the moments of the batch while training, by given ones otherwise.

Ioffe and Szegedy, "Batch Normalization: Accelerating Deep Network Training by Reducing Internal Covariate Shift"
(2015).
"""

from __future__ import annotations

from typing import Any, ClassVar

from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import bfloat16, float16, float32
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import constants, transposition
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank, same_size
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_LEAST_EPSILON = 1.001e-5
_SINGLE = frozenset({float32})
_COMMON = {
    "epsilon": 0.0001,
    "data_format": Attribute("string", default="NHWC", allowed=frozenset({b"NHWC", b"NCHW"})),
    "is_training": True,
}
_MIXED = {"T": frozenset({float16, bfloat16, float32}), "U": _SINGLE, **_COMMON}


def _axis(data_format: bytes) -> int:
    """The axis of the channels."""
    return 1 if data_format == b"NCHW" else 3


class _Channels:
    """Sums over all axes but that of the channels, and vectors along it."""

    def __init__(self, b: Any, x: Any, data_format: bytes) -> None:
        axis = _axis(data_format)
        self.b, self.size = b, x.type.shape[axis]
        self.others = [k for k in range(4) if k != axis]
        self.count = b.count(x, self.others, "f32")

    def sum(self, x: Any) -> Any:
        return self.b.reduce("add", x, self.others)

    def mean(self, x: Any) -> Any:
        return self.b.div(self.sum(x), self.count)

    def along(self, vector: Any) -> Any:
        """A vector of one number for each channel, ready to be broadcast."""
        return self.b.expand_dims(self.b.exactly(vector, [self.size]), self.others)


class BatchNorm(OpDefinition):
    """Base of normalisations. The last outputs are kept for the gradient."""

    inputs: ClassVar[Any] = {"x": "T", "scale": "U", "offset": "U", "mean": "U", "variance": "U"}
    attributes: ClassVar[Any] = _MIXED
    gradient_class: Any = None

    def infer(
        self, x: Tensor, scale: Tensor, offset: Tensor, mean: Tensor, variance: Tensor, *, data_format: bytes
    ) -> list[TensorShape]:
        sizes, axis = list(of_rank(x, 4)), _axis(data_format)
        for vector in (scale, offset):
            sizes[axis] = same_size(sizes[axis], of_rank(vector, 1)[0])
        channels = TensorShape([sizes[axis]])
        rest = [channels] * 4 + [TensorShape(None)] * (len(self.outputs) - 5)
        return [TensorShape(sizes), *rest]

    def gradient(self, op: Any, *grads: Tensor) -> list[Any]:
        grad, x, scale = grads[0], op.inputs[0], op.inputs[1]
        definition, data_format = type(self).gradient_class, op.attributes["data_format"]
        options = {"epsilon": op.attributes["epsilon"], "is_training": op.attributes["is_training"]}
        rest = op.outputs[5:]
        if op.attributes["is_training"]:
            kept = op.outputs[3:5]
            results = definition(grad, x, scale, *kept, *rest, data_format=data_format, **options)
            return [*results[:3], None, None]
        if data_format == b"NCHW":
            x, grad = transposition.transpose(x, [0, 2, 3, 1]), transposition.transpose(grad, [0, 2, 3, 1])
        to_x, to_scale, to_offset, *_ = definition(
            grad, x, scale, *op.inputs[3:5], *rest, data_format="NHWC", **options
        )
        if data_format == b"NCHW":
            to_x = transposition.transpose(to_x, [0, 3, 1, 2])
        return [to_x, to_scale, to_offset, None, None]

    def lower(
        self,
        b: Any,
        x: Any,
        scale: Any,
        offset: Any,
        mean: Any,
        variance: Any,
        *,
        epsilon: float,
        data_format: bytes,
        is_training: bool,
    ) -> list[Any]:
        wide = b.convert(x, "f32")
        channels = _Channels(b, wide, data_format)
        unbiased = variance
        if is_training:
            mean = channels.mean(wide)
            distance = b.sub(wide, channels.along(mean))
            variance = channels.mean(b.mul(distance, distance))
            unbiased = b.mul(variance, b.div(channels.count, b.max(b.sub(channels.count, 1), 1)))
        inverse = b.mul(b.map("rsqrt", b.add(variance, epsilon)), scale)
        y = b.mul(b.sub(wide, channels.along(mean)), channels.along(inverse))
        y = b.convert(b.add(y, channels.along(offset)), x.type.dtype)
        return [y, mean, unbiased, mean, variance, *([b.constant(0, "f32")] * (len(self.outputs) - 5))]


class BatchNormGradient(OpDefinition):
    """Base of gradients of normalisations; the first reserved tensors are the mean and the variance that were used."""

    inputs: ClassVar[Any] = {
        "y_backprop": "T",
        "x": "T",
        "scale": float32,
        "reserve_space_1": "U",
        "reserve_space_2": "U",
    }
    attributes: ClassVar[Any] = _MIXED
    outputs: ClassVar[Any] = {
        "x_backprop": "T",
        "scale_backprop": "U",
        "offset_backprop": "U",
        "reserve_space_3": "U",
        "reserve_space_4": "U",
    }

    def infer(self, *inputs: Tensor, data_format: bytes) -> list[TensorShape]:
        sizes = of_rank(inputs[1], 4)
        channels = TensorShape([sizes[_axis(data_format)]])
        return [TensorShape(sizes), channels, channels, TensorShape([0]), TensorShape([0])]

    def lower(self, b: Any, *inputs: Any, epsilon: float, data_format: bytes, is_training: bool) -> list[Any]:
        y_backprop, x, scale, mean, variance = inputs[:5]
        grad, wide = b.convert(y_backprop, "f32"), b.convert(x, "f32")
        channels = _Channels(b, wide, data_format)
        inverse = b.map("rsqrt", b.add(variance, epsilon))
        normal = b.mul(b.sub(wide, channels.along(mean)), channels.along(inverse))
        to_offset, to_scale = channels.sum(grad), channels.sum(b.mul(grad, normal))
        inner = grad
        if is_training:  # the moments depend on x too
            by_mean = channels.along(b.div(to_offset, channels.count))
            by_variance = b.mul(normal, channels.along(b.div(to_scale, channels.count)))
            inner = b.sub(b.sub(grad, by_mean), by_variance)
        to_x = b.convert(b.mul(inner, channels.along(b.mul(scale, inverse))), x.type.dtype)
        nothing = b.fill((0,), 0, "f32")
        return [to_x, to_scale, to_offset, nothing, nothing]


def _results(second: str, reserved: int) -> dict[str, str]:
    names = ["batch_mean", "batch_variance", *(f"reserve_space_{k + 1}" for k in range(reserved))]
    return {"y": "T", **dict.fromkeys(names, second)}


@operation("FusedBatchNorm")
class FusedBatchNorm(BatchNorm):
    """Batch normalisation in single precision."""

    inputs = {"x": "T", "scale": "T", "offset": "T", "mean": "T", "variance": "T"}
    attributes = {"T": _SINGLE, **_COMMON}
    outputs = _results("T", 2)


@operation("FusedBatchNormGrad")
class FusedBatchNormGrad(BatchNormGradient):
    """The gradient of FusedBatchNorm."""

    inputs = {"y_backprop": "T", "x": "T", "scale": "T", "reserve_space_1": "T", "reserve_space_2": "T"}
    attributes = {"T": _SINGLE, **_COMMON}
    outputs = dict.fromkeys(BatchNormGradient.outputs, "T")


@operation("FusedBatchNormV2")
class FusedBatchNormV2(BatchNorm):
    """Batch normalisation of images of any floating type, with statistics in single precision."""

    outputs = _results("U", 2)


@operation("FusedBatchNormGradV2")
class FusedBatchNormGradV2(BatchNormGradient):
    """The gradient of FusedBatchNormV2."""


@operation("FusedBatchNormV3")
class FusedBatchNormV3(BatchNorm):
    """FusedBatchNormV2 with a place for what other devices keep."""

    outputs = _results("U", 3)


@operation("FusedBatchNormGradV3")
class FusedBatchNormGradV3(BatchNormGradient):
    """The gradient of FusedBatchNormV3."""

    inputs = {**BatchNormGradient.inputs, "reserve_space_3": "U"}
    outputs = {
        **{name: kind for name, kind in BatchNormGradient.outputs.items() if not name.startswith("reserve")},
        "reserve_space_4": "U",
        "reserve_space_5": "U",
    }


FusedBatchNorm.gradient_class = FusedBatchNormGrad
FusedBatchNormV2.gradient_class = FusedBatchNormGradV2
FusedBatchNormV3.gradient_class = FusedBatchNormGradV3


@public("nn.fused_batch_norm")
def fused_batch_norm(
    x: Any,
    scale: Any,
    offset: Any,
    mean: Any = None,
    variance: Any = None,
    epsilon: float = 0.001,
    data_format: str = "NHWC",
    is_training: bool = True,
    name: str | None = None,
) -> tuple[Tensor, Tensor, Tensor]:
    """Batch normalisation of images.

    Args:
        x: images, [batch, height, width, channels] (or by `data_format`).
        scale, offset: one number for each channel, float32.
        mean, variance: the moments to normalise by when not training.
        epsilon: a small number that keeps the root from 0, at least 1.001e-5.
        data_format: "NHWC" or "NCHW".
        is_training: normalises by the moments of the batch.
        name: a name for the operation.

    Returns the normalised images, the mean and the variance (unbiased when training). Raises ValueError when moments
    are given for training.
    """
    if is_training and (mean is not None or variance is not None):
        raise ValueError("Both 'mean' and 'variance' must be None if is_training is True.")
    x = convert_to_tensor(x, name="input")
    scale, offset = convert_to_tensor(scale, name="scale"), convert_to_tensor(offset, name="offset")
    mean = constants.constant([]) if mean is None else mean
    variance = constants.constant([]) if variance is None else variance
    y, batch_mean, batch_variance, *_ = FusedBatchNormV3(
        x,
        scale,
        offset,
        mean,
        variance,
        epsilon=max(epsilon, _LEAST_EPSILON),
        data_format=data_format,
        is_training=is_training,
        name=name,
    )
    return y, batch_mean, batch_variance
