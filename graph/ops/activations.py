"""Activation functions of neural networks, and the operations of their gradients."""

from __future__ import annotations

from typing import Any

from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import FLOATING, REAL_NUMBER, float32
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import casts, filling, joining, selection, shapes, transcendental
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor

SELU_SCALE = 1.0507009873554804934193349852946
SELU_SCALE_ALPHA = 1.7580993408473768599402175208123


class Activation(OpDefinition):
    """Base of functions of one tensor, element by element."""

    inputs = {"features": "T"}
    attributes = {"T": FLOATING}
    outputs = {"activations": "T"}

    def infer(self, features: Tensor) -> Tensor:
        return features


class ActivationGradient(OpDefinition):
    """Base of gradients of activations: of what flows back and of the activation's input or output."""

    inputs = {"gradients": "T", "features": "T"}
    attributes = {"T": FLOATING}
    outputs = {"backprops": "T"}

    def infer(self, *inputs: Tensor) -> Any:
        return inputs[0].shape.merge_with(inputs[1].shape)


def _zeros(x: Tensor) -> Tensor:
    return filling.zeros(shapes.shape(x), dtype=x.dtype.base_dtype)


@operation("Relu", public="nn.relu")
class Relu(Activation):
    """max(features, 0)."""

    attributes = {"T": REAL_NUMBER}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [ReluGrad(grad, op.outputs[0])]

    def lower(self, b: Any, features: Any) -> Any:
        return b.max(features, 0)


@operation("ReluGrad")
class ReluGrad(ActivationGradient):
    """The gradients where the features are positive, 0 elsewhere."""

    attributes = {"T": REAL_NUMBER}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [ReluGrad(grad, op.inputs[1]), _zeros(op.inputs[1])]

    def lower(self, b: Any, gradients: Any, features: Any) -> Any:
        return b.select(b.map("gt", features, 0), gradients, 0)


@operation("Relu6", public="nn.relu6")
class Relu6(Activation):
    """min(max(features, 0), 6) (Krizhevsky, 2010)."""

    attributes = {"T": REAL_NUMBER}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [Relu6Grad(grad, op.outputs[0])]

    def lower(self, b: Any, features: Any) -> Any:
        return b.min(b.max(features, 0), 6)


@operation("Relu6Grad")
class Relu6Grad(ActivationGradient):
    """The gradients where the features lie between 0 and 6, 0 elsewhere."""

    attributes = {"T": REAL_NUMBER}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [Relu6Grad(grad, op.inputs[1]), _zeros(op.inputs[1])]

    def lower(self, b: Any, gradients: Any, features: Any) -> Any:
        inside = b.map("and", b.map("gt", features, 0), b.map("lt", features, 6))
        return b.select(inside, gradients, 0)


@operation("LeakyRelu")
class LeakyRelu(Activation):
    """features where positive, alpha * features elsewhere (Maas et al., 2013)."""

    attributes = {"alpha": 0.2, "T": Attribute("type", float32, FLOATING)}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [LeakyReluGrad(grad, op.inputs[0], alpha=op.attributes["alpha"])]

    def lower(self, b: Any, features: Any, *, alpha: float) -> Any:
        return b.select(b.map("gt", features, 0), features, b.mul(features, alpha))


@operation("LeakyReluGrad")
class LeakyReluGrad(ActivationGradient):
    """The gradients where the features are positive, alpha times them elsewhere."""

    attributes = {"alpha": 0.2, "T": Attribute("type", float32, FLOATING)}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        alpha = op.attributes["alpha"]
        return [LeakyReluGrad(grad, op.inputs[1], alpha=alpha), _zeros(op.inputs[1])]

    def lower(self, b: Any, gradients: Any, features: Any, *, alpha: float) -> Any:
        return b.select(b.map("gt", features, 0), gradients, b.mul(gradients, alpha))


@public("nn.leaky_relu")
def leaky_relu(features: Any, alpha: float = 0.2, name: str | None = None) -> Tensor:
    """features where positive, alpha * features elsewhere."""
    with name_scope(name, "LeakyRelu", [features, alpha]) as scope:
        tensor = convert_to_tensor(features, name="features")
        if tensor.dtype.is_integer:
            tensor = casts.cast(tensor, float32)
        return LeakyRelu(tensor, alpha=float(alpha), name=scope)


@operation("Elu", public="nn.elu")
class Elu(Activation):
    """features where positive, exp(features) - 1 elsewhere (Clevert et al., 2015)."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [EluGrad(grad, op.outputs[0])]

    def lower(self, b: Any, features: Any) -> Any:
        return b.select(b.map("lt", features, 0), b.map("expm1", features), features)


@operation("EluGrad")
class EluGrad(ActivationGradient):
    """The gradients times the slope of Elu, which follows from its output."""

    inputs = {"gradients": "T", "outputs": "T"}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        elu_x = op.inputs[1]
        first = EluGrad(grad, elu_x)
        return [first, selection.where(elu_x < 0, grad * op.inputs[0], filling.zeros_like(elu_x))]

    def lower(self, b: Any, gradients: Any, outputs: Any) -> Any:
        return b.select(b.map("lt", outputs, 0), b.mul(b.add(outputs, 1), gradients), gradients)


@operation("Selu", public="nn.selu")
class Selu(Activation):
    """The self-normalising unit: scale * (x, or alpha * (exp(x) - 1) below 0) (Klambauer et al., 2017)."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [SeluGrad(grad, op.outputs[0])]

    def lower(self, b: Any, features: Any) -> Any:
        below = b.mul(b.map("expm1", features), SELU_SCALE_ALPHA)
        return b.select(b.map("lt", features, 0), below, b.mul(features, SELU_SCALE))


@operation("SeluGrad")
class SeluGrad(ActivationGradient):
    """The gradients times the slope of Selu, which follows from its output."""

    inputs = {"gradients": "T", "outputs": "T"}

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        selu_x = op.inputs[1]
        first = SeluGrad(grad, selu_x)
        return [first, selection.where(selu_x < 0, grad * op.inputs[0], filling.zeros_like(selu_x))]

    def lower(self, b: Any, gradients: Any, outputs: Any) -> Any:
        below = b.mul(gradients, b.add(outputs, SELU_SCALE_ALPHA))
        return b.select(b.map("lt", outputs, 0), below, b.mul(gradients, SELU_SCALE))


@operation("Softplus", public=("nn.softplus", "math.softplus"))
class Softplus(Activation):
    """log(1 + exp(features)), so written that it neither overflows nor loses small results."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * transcendental.sigmoid(op.inputs[0])]

    def lower(self, b: Any, features: Any) -> Any:
        return b.map("softplus", features)


@operation("SoftplusGrad")
class SoftplusGrad(ActivationGradient):
    """gradients * sigmoid(features)."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        dy, x = op.inputs
        with op.graph.control_dependencies([grad]):
            first = SoftplusGrad(grad, x)
            slope_of_sigmoid = transcendental.Exp(-x) + 2.0 + transcendental.Exp(x)
            return [first, grad * dy / slope_of_sigmoid]

    def lower(self, b: Any, gradients: Any, features: Any) -> Any:
        return b.mul(gradients, b.map("sigmoid", features))


@operation("Softsign", public=("nn.softsign", "math.softsign"))
class Softsign(Activation):
    """features / (1 + |features|)."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [SoftsignGrad(grad, op.inputs[0])]

    def lower(self, b: Any, features: Any) -> Any:
        return b.div(features, b.add(b.map("abs", features), 1))


@operation("SoftsignGrad")
class SoftsignGrad(ActivationGradient):
    """gradients / (1 + |features|)²."""

    def lower(self, b: Any, gradients: Any, features: Any) -> Any:
        below = b.add(b.map("abs", features), 1)
        return b.div(gradients, b.mul(below, below))


@public("nn.crelu")
def crelu(features: Any, name: str | None = None, axis: int = -1) -> Tensor:
    """relu of the features and of their negation, one after the other along `axis` (Shang et al., 2016)."""
    with name_scope(name, "CRelu", [features]) as scope:
        tensor = convert_to_tensor(features, name="features")
        joined = joining.concat([tensor, -tensor], axis, name=scope)
        return Relu(joined)


@public("nn.swish")
def swish(features: Any) -> Tensor:
    """features * sigmoid(features) (Ramachandran et al., 2017)."""
    tensor = convert_to_tensor(features, name="features")
    return tensor * transcendental.sigmoid(tensor)
