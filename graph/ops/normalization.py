"""Normalisation: by given moments, by length, and by the neighbouring channels."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import FLOATING, float32
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic, casts, elementwise, reductions
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.shape_rules import of_rank, same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@public("nn.batch_normalization")
def batch_normalization(
    x: Any, mean: Any, variance: Any, offset: Any, scale: Any, variance_epsilon: Any, name: str | None = None
) -> Tensor:
    """`(x - mean) / sqrt(variance + variance_epsilon) * scale + offset` (Ioffe and Szegedy, 2015).

    Args:
        x: a tensor.
        mean, variance: its moments, which broadcast with it.
        offset, scale: tensors that broadcast with it, or None.
        variance_epsilon: a small number that keeps the root from 0.
        name: a name for the operations.
    """
    with name_scope(name, "batchnorm", [x, mean, variance, scale, offset]):
        inverse = elementwise.Rsqrt(variance + variance_epsilon)
        if scale is not None:
            inverse *= scale
        scaled = x * casts.cast(inverse, x.dtype)
        moved = offset - mean * inverse if offset is not None else -mean * inverse
        return scaled + casts.cast(moved, x.dtype)


@public("nn.l2_normalize", "math.l2_normalize", "linalg.l2_normalize")
def l2_normalize(x: Any, axis: Any = None, epsilon: float = 1e-12, name: str | None = None, dim: Any = None) -> Tensor:
    """`x` divided by its length along axes: x / sqrt(max(sum(x²), epsilon)).

    Args:
        x: a floating tensor.
        axis: the axis or axes of the vectors.
        epsilon: the least squared length to divide by.
        name: a name for the operations.
        dim: the older name of `axis`.
    """
    axis = renamed_argument("axis", axis, "dim", dim)
    with name_scope(name, "l2_normalize", [x]) as scope:
        x = convert_to_tensor(x, name="x")
        squares = reductions.reduce_sum(elementwise.Square(x), axis, keepdims=True)
        inverse = elementwise.Rsqrt(arithmetic.Maximum(squares, epsilon))
        return arithmetic.Mul(x, inverse, name=scope)


_LRN = {
    "depth_radius": 5,
    "bias": 1.0,
    "alpha": 1.0,
    "beta": 0.5,
    "T": Attribute("type", default=float32, allowed=FLOATING),
}


def _near_sum(b: Any, x: Any, radius: int) -> Any:
    """For each channel the sum over the channels that are at most `radius` away."""
    rank = x.type.rank
    window, padding = [1] * rank, [(0, 0)] * rank
    window[-1], padding[-1] = 2 * radius + 1, (radius, radius)
    ones = (1,) * rank
    return b.emit("window_reduce", x, function="add", window=tuple(window), strides=ones, padding=tuple(padding))


@operation("LRN", public=("nn.local_response_normalization", "nn.lrn"))
class LRN(OpDefinition):
    """Divides each element by (bias + alpha * the sum of squares over near channels) ** beta (Krizhevsky et al., 2012).

    Args:
        input: images, [batch, height, width, channels].
        depth_radius: how far channels are near.
        bias, alpha, beta: numbers.
        name: a name for the operation.
    """

    inputs = {"input": "T"}
    attributes = _LRN
    outputs = {"output": "T"}

    def infer(self, input: Tensor) -> TensorShape:
        return TensorShape(of_rank(input, 4))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        numbers = {name: op.attributes[name] for name in ("depth_radius", "bias", "alpha", "beta")}
        return [LRNGrad(grad, op.inputs[0], op.outputs[0], **numbers)]

    def lower(self, b: Any, input: Any, *, depth_radius: int, bias: float, alpha: float, beta: float) -> Any:
        squares = _near_sum(b, b.mul(input, input), depth_radius)
        return b.mul(input, b.map("pow", b.add(b.mul(squares, alpha), bias), -beta))


@operation("LRNGrad")
class LRNGrad(OpDefinition):
    """The gradient of LRN."""

    inputs = {"input_grads": "T", "input_image": "T", "output_image": "T"}
    attributes = _LRN
    outputs = {"output": "T"}

    def infer(self, input_grads: Tensor, input_image: Tensor, output_image: Tensor) -> TensorShape:
        return same_shape(same_shape(input_grads, input_image), output_image)

    def lower(
        self,
        b: Any,
        input_grads: Any,
        input_image: Any,
        output_image: Any,
        *,
        depth_radius: int,
        bias: float,
        alpha: float,
        beta: float,
    ) -> Any:
        squares = _near_sum(b, b.mul(input_image, input_image), depth_radius)
        norm = b.add(b.mul(squares, alpha), bias)
        through_norm = _near_sum(b, b.div(b.mul(input_grads, output_image), norm), depth_radius)
        direct = b.mul(input_grads, b.map("pow", norm, -beta))
        return b.sub(direct, b.mul(b.mul(input_image, through_norm), 2 * alpha * beta))
