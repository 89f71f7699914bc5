"""Which function differentiates an operation: the rule of its definition, or one that was registered."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sessile.graph import dtypes
from sessile.graph.op_definition import OPS, OpDefinition
from sessile.graph.operation import Operation
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor

GradientFunction = Callable[..., Any]
TRAINABLE = dtypes.FLOATING | dtypes.COMPLEX | {dtypes.resource, dtypes.variant}
_REGISTERED: dict[str, GradientFunction | None] = {}


def is_trainable(tensor: Tensor) -> bool:
    """Whether gradients flow through tensors of this type."""
    return tensor.dtype.base_dtype in TRAINABLE


@public("RegisterGradient")
class RegisterGradient:
    """Decorator: registers a gradient function `f(op, *grads)` for operations of a type.

        @tf.RegisterGradient("Sub")
        def _sub_grad(op, grad):
            return grad, tf.negative(grad)

    The function gets the operation and the gradients with respect to its outputs; it returns those with respect to its
    inputs, None where there is none. With `Graph.gradient_override_map` it takes the place of an operation's own
    gradient.

    Raises TypeError for a type that is no string, KeyError when the type has a gradient already.
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: GradientFunction) -> GradientFunction:
        register_gradient(self._op_type, f)
        return f


def register_gradient(op_type: str, function: GradientFunction | None) -> None:
    """Registers a gradient function, or None for a type whose operations have no gradient."""
    definition = OPS.get(op_type)
    if op_type in _REGISTERED or (definition is not None and _has_own_rule(definition)):
        raise KeyError(f"Registering two gradient with name '{op_type}'!")
    _REGISTERED[op_type] = function


@public("NotDifferentiable", "NoGradient", "no_gradient")
def not_differentiable(op_type: str) -> None:
    """Says that operations of a type have no gradient: nothing flows back through them.

    Raises TypeError for a type that is no string, KeyError when the type has a gradient already.
    """
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    register_gradient(op_type, None)


def gradient_function(op: Operation) -> GradientFunction | None:
    """What differentiates an operation; None where nothing flows back. Raises LookupError where nobody knows."""
    if not op._inputs:
        return None
    own: GradientFunction | None = getattr(op, "_gradient_function", None)
    if own is not None:
        return own
    name = op.attributes.get("_gradient_op_type", op.type)
    op_type = name.decode() if isinstance(name, bytes) else name
    if op_type in _REGISTERED:
        return _REGISTERED[op_type]
    definition = OPS.get(op_type)
    if definition is not None and not _has_own_rule(definition) and not any(map(is_trainable, op.outputs)):
        return None
    if definition is None or not _has_own_rule(definition):
        raise LookupError(f"No gradient defined for operation '{op.name}' (op type: {op.type})")
    return definition.gradient if definition.differentiable else None


def _has_own_rule(definition: OpDefinition) -> bool:
    return not definition.differentiable or type(definition).gradient is not OpDefinition.gradient
