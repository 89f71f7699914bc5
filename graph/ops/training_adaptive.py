"""Update rules that scale each element's step by its gradients so far: Adagrad, Adadelta, RMSProp."""

from __future__ import annotations

from typing import Any

from sessile.graph.dtypes import INDEX, NUMERIC
from sessile.graph.op_definition import operation
from sessile.graph.ops.training import NewValues, Operands, SparseUpdateRule, UpdateRule, references_and_values


def faded(b: Any, old: Any, new: Any, rate: Any) -> Any:
    """A running mean: old, with the share 1 - rate of new."""
    return b.add(old, b.mul(b.sub(new, old), b.sub(1, rate)))


@operation("ApplyAdagrad")
class ApplyAdagrad(UpdateRule):
    """accum += grad²; var -= lr * grad / sqrt(accum) (Duchi et al., 2011)."""

    inputs = references_and_values("var accum", "lr grad")
    attributes = {"T": NUMERIC, "use_locking": False, "update_slots": True}

    def step(self, b: Any, x: Operands) -> NewValues:
        accum = b.add(x.accum, b.mul(x.grad, x.grad)) if x.update_slots else x.accum
        return {"accum": accum, "var": b.sub(x.var, b.mul(b.mul(x.grad, x.lr), b.map("rsqrt", accum)))}


@operation("SparseApplyAdagrad")
class SparseApplyAdagrad(SparseUpdateRule, ApplyAdagrad):
    """ApplyAdagrad on some rows."""

    inputs = references_and_values("var accum", "lr grad indices")
    attributes = {"T": NUMERIC, "Tindices": INDEX, "use_locking": False, "update_slots": True}


@operation("ApplyAdadelta")
class ApplyAdadelta(UpdateRule):
    """Steps in proportion to the root mean square of earlier steps, and against that of gradients (Zeiler, 2012)."""

    inputs = references_and_values("var accum accum_update", "lr rho epsilon grad")

    def step(self, b: Any, x: Operands) -> NewValues:
        accum = b.add(b.mul(x.accum, x.rho), b.mul(b.mul(x.grad, x.grad), b.sub(1, x.rho)))
        scale = b.map("sqrt", b.add(x.accum_update, x.epsilon))
        update = b.mul(b.mul(scale, b.map("rsqrt", b.add(accum, x.epsilon))), x.grad)
        squares = b.add(b.mul(x.accum_update, x.rho), b.mul(b.mul(update, update), b.sub(1, x.rho)))
        return {"accum": accum, "accum_update": squares, "var": b.sub(x.var, b.mul(update, x.lr))}


@operation("SparseApplyAdadelta")
class SparseApplyAdadelta(SparseUpdateRule, ApplyAdadelta):
    """ApplyAdadelta on some rows."""

    inputs = references_and_values("var accum accum_update", "lr rho epsilon grad indices")


@operation("ApplyRMSProp")
class ApplyRMSProp(UpdateRule):
    """ms is a running mean of grad²; mom = momentum * mom + lr * grad / sqrt(ms + epsilon); var -= mom."""

    inputs = references_and_values("var ms mom", "lr rho momentum epsilon grad")

    def step(self, b: Any, x: Operands) -> NewValues:
        ms = faded(b, x.ms, b.mul(x.grad, x.grad), x.rho)
        mom = b.add(b.mul(x.mom, x.momentum), b.div(b.mul(x.grad, x.lr), b.map("sqrt", b.add(ms, x.epsilon))))
        return {"ms": ms, "mom": mom, "var": b.sub(x.var, mom)}


@operation("SparseApplyRMSProp")
class SparseApplyRMSProp(SparseUpdateRule, ApplyRMSProp):
    """ApplyRMSProp on some rows."""

    inputs = references_and_values("var ms mom", "lr rho momentum epsilon grad indices")


@operation("ApplyCenteredRMSProp")
class ApplyCenteredRMSProp(UpdateRule):
    """ApplyRMSProp with the variance of the gradients, ms - mg², in place of their mean square (Graves, 2013)."""

    inputs = references_and_values("var mg ms mom", "lr rho momentum epsilon grad")

    def step(self, b: Any, x: Operands) -> NewValues:
        ms = faded(b, x.ms, b.mul(x.grad, x.grad), x.rho)
        mg = faded(b, x.mg, x.grad, x.rho)
        variance = b.add(b.sub(ms, b.mul(mg, mg)), x.epsilon)
        mom = b.add(b.mul(x.mom, x.momentum), b.div(b.mul(x.grad, x.lr), b.map("sqrt", variance)))
        return {"mg": mg, "ms": ms, "mom": mom, "var": b.sub(x.var, mom)}


@operation("SparseApplyCenteredRMSProp")
class SparseApplyCenteredRMSProp(SparseUpdateRule, ApplyCenteredRMSProp):
    """ApplyCenteredRMSProp on some rows."""

    inputs = references_and_values("var mg ms mom", "lr rho momentum epsilon grad indices")
