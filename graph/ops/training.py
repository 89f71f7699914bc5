"""What the update rules of optimizers share, and the rules of gradient descent, momentum and Adam.

A rule is an operation that takes the variable and its slots as references, and says in `step` what they become. Its
sparse form takes the gradient of some rows and changes those rows alone: it gathers them, takes the same step, and
puts them back.
"""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, ClassVar

from sessile.graph.dtypes import INDEX, NUMERIC
from sessile.graph.op_definition import OpDefinition, operation
from sessile.graph.shape_rules import same_shape
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

Operands = SimpleNamespace
NewValues = dict[str, Any]


def references_and_values(references: str, values: str) -> dict[str, Any]:
    """The inputs of a rule: the variable and its slots, then numbers, the gradient, and the places of its rows."""
    inputs: dict[str, Any] = dict.fromkeys(references.split(), "ref T")
    return {**inputs, **{name: "Tindices" if name == "indices" else "T" for name in values.split()}}


class UpdateRule(OpDefinition):
    """Base of update rules: the gradient is the input `grad` or `delta`, the output the variable's reference."""

    attributes: ClassVar[Any] = {"T": NUMERIC, "use_locking": False}
    outputs = {"out": "ref T"}
    differentiable = False

    def infer(self, *inputs: Tensor) -> TensorShape:
        shape = inputs[0].shape
        for (name, kind), tensor in zip(self.inputs.items(), inputs, strict=True):
            if kind == "ref T" or name in ("grad", "delta"):
                shape = same_shape(shape, tensor)
        return shape

    def step(self, b: Any, x: Operands) -> NewValues:
        """The new values of the references, by name, from the operands and attributes in `x`."""
        raise NotImplementedError

    def lower(self, b: Any, *operands: Any) -> Any:
        named = dict(zip(self.inputs, operands, strict=True))
        references = {name: named[name] for name, kind in self.inputs.items() if kind == "ref T"}
        old = {name: b.read_newest(reference) for name, reference in references.items()}
        shape = old["var"].type.shape
        self._fit_gradient(b, named, shape)
        new = self._stepped(b, {**named, **old})
        for name, value in new.items():
            b.write(references[name], value)
        return references["var"]

    def _fit_gradient(self, b: Any, named: dict[str, Any], shape: Any) -> None:
        name = "delta" if "delta" in named else "grad"
        named[name] = b.exactly(named[name], shape)

    def _stepped(self, b: Any, values: dict[str, Any]) -> NewValues:
        return self.step(b, Operands(**values, **b.operation.attributes))


class SparseUpdateRule(UpdateRule):
    """Base of rules for some rows; derive from it first, and from the rule for the whole variable second."""

    attributes: ClassVar[Any] = {"T": NUMERIC, "Tindices": INDEX, "use_locking": False}

    def infer(self, *inputs: Tensor) -> TensorShape:
        shape = inputs[0].shape
        for (_, kind), tensor in zip(self.inputs.items(), inputs, strict=True):
            shape = same_shape(shape, tensor) if kind == "ref T" else shape
        named = dict(zip(self.inputs, inputs, strict=True))
        if shape.ndims is not None:
            same_shape(named["grad"], named["indices"].shape.concatenate(shape[1:]))
        return shape

    def _fit_gradient(self, b: Any, named: dict[str, Any], shape: Any) -> None:
        named["grad"] = b.exactly(named["grad"], (*named["indices"].type.shape, *shape[1:]))

    def _stepped(self, b: Any, values: dict[str, Any]) -> NewValues:
        indices = values["indices"]
        rows = dict(values)
        for name, kind in self.inputs.items():
            if kind == "ref T":
                rows[name] = b.emit("gather", values[name], indices, axis=0, batch=0)
        places = b.expand_dims(indices, [indices.type.rank])
        new = super()._stepped(b, rows)
        return {name: b.emit("scatter", values[name], places, row, function="set") for name, row in new.items()}


@operation("ApplyGradientDescent")
class ApplyGradientDescent(UpdateRule):
    """var -= alpha * delta."""

    inputs = references_and_values("var", "alpha delta")

    def step(self, b: Any, x: Operands) -> NewValues:
        return {"var": b.sub(x.var, b.mul(x.delta, x.alpha))}


@operation("ApplyMomentum")
class ApplyMomentum(UpdateRule):
    """accum = momentum * accum + grad; var -= lr * accum, or, with Nesterov's momentum, lr * (grad + momentum * accum).

    Sutskever et al., "On the importance of initialization and momentum in deep learning" (2013).
    """

    inputs = references_and_values("var accum", "lr grad momentum")
    attributes = {"T": NUMERIC, "use_locking": False, "use_nesterov": False}

    def step(self, b: Any, x: Operands) -> NewValues:
        velocity = b.add(b.mul(x.accum, x.momentum), x.grad)
        move = b.mul(velocity, x.lr)
        if x.use_nesterov:
            move = b.add(b.mul(x.grad, x.lr), b.mul(b.mul(velocity, x.momentum), x.lr))
        return {"accum": velocity, "var": b.sub(x.var, move)}


@operation("SparseApplyMomentum")
class SparseApplyMomentum(SparseUpdateRule, ApplyMomentum):
    """ApplyMomentum on some rows."""

    inputs = references_and_values("var accum", "lr grad indices momentum")
    attributes = {"T": NUMERIC, "Tindices": INDEX, "use_locking": False, "use_nesterov": False}


@operation("ApplyAdam")
class ApplyAdam(UpdateRule):
    """One step of Adam: m and v are the running means of gradients and of their squares.

    Kingma and Ba, "Adam: A Method for Stochastic Optimization" (2015), in the form at the end of section 2, where the
    rate corrects the bias; with Nesterov's momentum, Dozat (2016).
    """

    inputs = references_and_values("var m v", "beta1_power beta2_power lr beta1 beta2 epsilon grad")
    attributes = {"T": NUMERIC, "use_locking": False, "use_nesterov": False}

    def step(self, b: Any, x: Operands) -> NewValues:
        one = b.constant(1, x.var.type.dtype)
        rate = b.div(b.mul(x.lr, b.map("sqrt", b.sub(one, x.beta2_power))), b.sub(one, x.beta1_power))
        rest1, rest2 = b.sub(one, x.beta1), b.sub(one, x.beta2)
        m = b.add(x.m, b.mul(b.sub(x.grad, x.m), rest1))
        v = b.add(x.v, b.mul(b.sub(b.mul(x.grad, x.grad), x.v), rest2))
        direction = b.add(b.mul(x.grad, rest1), b.mul(x.beta1, m)) if x.use_nesterov else m
        move = b.div(b.mul(direction, rate), b.add(b.map("sqrt", v), x.epsilon))
        return {"m": m, "v": v, "var": b.sub(x.var, move)}
