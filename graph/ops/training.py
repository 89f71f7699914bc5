"""The update rules of optimizers as operations on variables, one operation for each step of each variable."""

from __future__ import annotations

from typing import Any

from sessile.graph.dtypes import NUMERIC, int32, int64
from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


class TrainingStep(OpDefinition):
    """Base of update rules: takes the variable and its slots as references, gives the variable's reference on."""

    outputs = {"out": "ref T"}
    differentiable = False

    def infer(self, var: Tensor, *inputs: Tensor) -> TensorShape:
        grad = inputs[-1]
        return var.shape.merge_with(grad.shape)


@operation("ApplyGradientDescent")
class ApplyGradientDescent(TrainingStep):
    """var -= alpha * delta."""

    inputs = {"var": "ref T", "alpha": "T", "delta": "T"}
    attributes = {"T": NUMERIC, "use_locking": False}

    def lower(self, b: Any, var: Any, alpha: Any, delta: Any) -> Any:
        old = b.read_newest(var)
        b.write(var, b.sub(old, b.mul(alpha, b.exactly(delta, old.type.shape))))
        return var


@operation("ApplyMomentum")
class ApplyMomentum(TrainingStep):
    """accum = momentum * accum + grad; var -= lr * accum (or, with Nesterov's, lr * (grad + momentum * accum))."""

    inputs = {"var": "ref T", "accum": "ref T", "lr": "T", "grad": "T", "momentum": "T"}
    attributes = {"T": NUMERIC, "use_locking": False, "use_nesterov": False}

    def infer(self, var: Tensor, accum: Tensor, lr: Tensor, grad: Tensor, momentum: Tensor) -> TensorShape:
        return var.shape.merge_with(accum.shape).merge_with(grad.shape)

    def lower(self, b: Any, var: Any, accum: Any, lr: Any, grad: Any, momentum: Any, *, use_nesterov: bool) -> Any:
        old = b.read_newest(var)
        grad = b.exactly(grad, old.type.shape)
        velocity = b.write(accum, b.add(b.mul(b.read_newest(accum), momentum), grad))
        step = b.add(b.mul(grad, lr), b.mul(b.mul(velocity, momentum), lr)) if use_nesterov else b.mul(velocity, lr)
        b.write(var, b.sub(old, step))
        return var


@operation("ApplyAdam")
class ApplyAdam(TrainingStep):
    """One step of Adam (Kingma and Ba, 2015, the form at the end of section 2, where the rate corrects the bias)."""

    inputs = {
        "var": "ref T",
        "m": "ref T",
        "v": "ref T",
        "beta1_power": "T",
        "beta2_power": "T",
        "lr": "T",
        "beta1": "T",
        "beta2": "T",
        "epsilon": "T",
        "grad": "T",
    }
    attributes = {"T": NUMERIC, "use_locking": False, "use_nesterov": False}

    def lower(
        self,
        b: Any,
        var: Any,
        m: Any,
        v: Any,
        beta1_power: Any,
        beta2_power: Any,
        lr: Any,
        beta1: Any,
        beta2: Any,
        epsilon: Any,
        grad: Any,
        *,
        use_nesterov: bool,
    ) -> Any:
        old = b.read_newest(var)
        grad = b.exactly(grad, old.type.shape)
        one = b.constant(1, old.type.dtype)
        rate = b.div(b.mul(lr, b.map("sqrt", b.sub(one, beta2_power))), b.sub(one, beta1_power))
        old_m, old_v = b.read_newest(m), b.read_newest(v)
        rest1, rest2 = b.sub(one, beta1), b.sub(one, beta2)
        new_m = b.write(m, b.add(old_m, b.mul(b.sub(grad, old_m), rest1)))
        new_v = b.write(v, b.add(old_v, b.mul(b.sub(b.mul(grad, grad), old_v), rest2)))
        direction = b.add(b.mul(grad, rest1), b.mul(beta1, new_m)) if use_nesterov else new_m
        b.write(var, b.sub(old, b.div(b.mul(direction, rate), b.add(b.map("sqrt", new_v), epsilon))))
        return var


class SparseTrainingStep(TrainingStep):
    """Base of update rules that touch the rows `indices` of the variable and its slots alone."""

    def infer(self, var: Tensor, *inputs: Tensor) -> TensorShape:
        return var.shape

    @staticmethod
    def rows(b: Any, value: Any, indices: Any) -> Any:
        """The chosen rows."""
        return b.emit("gather", value, indices, axis=0, batch=0)

    @staticmethod
    def with_rows(b: Any, value: Any, indices: Any, rows: Any) -> Any:
        """The value with the chosen rows replaced."""
        coordinates = b.expand_dims(indices, [indices.type.rank])
        return b.emit("scatter", value, coordinates, rows, function="set")


@operation("SparseApplyMomentum")
class SparseApplyMomentum(SparseTrainingStep):
    """The rule of ApplyMomentum on chosen rows."""

    inputs = {"var": "ref T", "accum": "ref T", "lr": "T", "grad": "T", "indices": "Tindices", "momentum": "T"}
    attributes = {
        "T": NUMERIC,
        "Tindices": frozenset({int32, int64}),
        "use_locking": False,
        "use_nesterov": False,
    }

    def lower(
        self, b: Any, var: Any, accum: Any, lr: Any, grad: Any, indices: Any, momentum: Any, *, use_nesterov: bool
    ) -> Any:
        old, slot = b.read_newest(var), b.read_newest(accum)
        velocity = b.add(b.mul(self.rows(b, slot, indices), momentum), grad)
        b.write(accum, self.with_rows(b, slot, indices, velocity))
        step = b.add(b.mul(grad, lr), b.mul(b.mul(velocity, momentum), lr)) if use_nesterov else b.mul(velocity, lr)
        b.write(var, self.with_rows(b, old, indices, b.sub(self.rows(b, old, indices), step)))
        return var
