"""Update rules that regularise while they step: proximal gradient descent, proximal Adagrad, FTRL."""

from __future__ import annotations

from typing import Any

from sessile.graph.op_definition import operation
from sessile.graph.ops.training import NewValues, Operands, SparseUpdateRule, UpdateRule, references_and_values


def _shrunk(b: Any, x: Any, by: Any) -> Any:
    """x moved towards 0 by a distance that is not negative, no further than 0."""
    return b.mul(b.map("sign", x), b.max(b.sub(b.map("abs", x), by), 0))


def _proximal(b: Any, var: Any, grad: Any, rate: Any, l1: Any, l2: Any) -> Any:
    """A gradient step, then the nearest point under penalties l1 |var| + l2 var² / 2 (Duchi and Singer, 2009)."""
    moved = b.sub(var, b.mul(grad, rate))
    return b.div(_shrunk(b, moved, b.mul(rate, b.max(l1, 0))), b.add(b.mul(rate, l2), 1))


@operation("ApplyProximalGradientDescent")
class ApplyProximalGradientDescent(UpdateRule):
    """Gradient descent with the penalties l1 and l2."""

    inputs = references_and_values("var", "alpha l1 l2 delta")

    def step(self, b: Any, x: Operands) -> NewValues:
        return {"var": _proximal(b, x.var, x.delta, x.alpha, x.l1, x.l2)}


@operation("SparseApplyProximalGradientDescent")
class SparseApplyProximalGradientDescent(SparseUpdateRule):
    """ApplyProximalGradientDescent on some rows."""

    inputs = references_and_values("var", "alpha l1 l2 grad indices")

    def step(self, b: Any, x: Operands) -> NewValues:
        return {"var": _proximal(b, x.var, x.grad, x.alpha, x.l1, x.l2)}


@operation("ApplyProximalAdagrad")
class ApplyProximalAdagrad(UpdateRule):
    """Adagrad with the penalties l1 and l2."""

    inputs = references_and_values("var accum", "lr l1 l2 grad")

    def step(self, b: Any, x: Operands) -> NewValues:
        accum = b.add(x.accum, b.mul(x.grad, x.grad))
        rate = b.mul(x.lr, b.map("rsqrt", accum))
        return {"accum": accum, "var": _proximal(b, x.var, x.grad, rate, x.l1, x.l2)}


@operation("SparseApplyProximalAdagrad")
class SparseApplyProximalAdagrad(SparseUpdateRule, ApplyProximalAdagrad):
    """ApplyProximalAdagrad on some rows."""

    inputs = references_and_values("var accum", "lr l1 l2 grad indices")


@operation("ApplyFtrl")
class ApplyFtrl(UpdateRule):
    """Follow the regularised leader (McMahan et al., "Ad Click Prediction: a View from the Trenches", 2013)."""

    inputs = references_and_values("var accum linear", "grad lr l1 l2 lr_power")

    def step(self, b: Any, x: Operands) -> NewValues:
        accum = b.add(x.accum, b.mul(x.grad, x.grad))
        power = b.neg(x.lr_power)
        weight = b.map("pow", accum, power)
        sigma = b.div(b.sub(weight, b.map("pow", x.accum, power)), x.lr)
        linear = b.add(x.linear, b.sub(self.loss_gradient(b, x), b.mul(sigma, x.var)))
        quadratic = b.add(b.div(weight, x.lr), b.mul(x.l2, 2))
        return {"accum": accum, "linear": linear, "var": b.div(b.neg(_shrunk(b, linear, x.l1)), quadratic)}

    def loss_gradient(self, b: Any, x: Operands) -> Any:
        """The gradient that enters the linear term."""
        return x.grad


@operation("SparseApplyFtrl")
class SparseApplyFtrl(SparseUpdateRule, ApplyFtrl):
    """ApplyFtrl on some rows."""

    inputs = references_and_values("var accum linear", "grad indices lr l1 l2 lr_power")


@operation("ApplyFtrlV2")
class ApplyFtrlV2(ApplyFtrl):
    """ApplyFtrl with a penalty on the magnitude of the variable, which does not enter the accumulator."""

    inputs = references_and_values("var accum linear", "grad lr l1 l2 l2_shrinkage lr_power")

    def loss_gradient(self, b: Any, x: Operands) -> Any:
        return b.add(x.grad, b.mul(b.mul(x.l2_shrinkage, 2), x.var))


@operation("SparseApplyFtrlV2")
class SparseApplyFtrlV2(SparseUpdateRule, ApplyFtrlV2):
    """ApplyFtrlV2 on some rows."""

    inputs = references_and_values("var accum linear", "grad indices lr l1 l2 l2_shrinkage lr_power")
