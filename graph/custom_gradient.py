"""`tf.custom_gradient`: a function that brings its own gradient."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from sessile.graph.convert import convert_to_tensor
from sessile.graph.ops import identity
from sessile.graph.public_names import public


@public("custom_gradient")
def custom_gradient(f: Callable[..., Any]) -> Callable[..., Any]:
    """Decorator for functions that return a result and the function of its gradient.

        @tf.custom_gradient
        def log1pexp(x):
            e = tf.exp(x)
            def grad(dy):
                return dy * (1 - 1 / (1 + e))
            return tf.log(1 + e), grad

    Args:
        f: takes tensors; returns a tensor (or a list or tuple of them), and a function from the gradients with
            respect to these to those with respect to the arguments.

    Returns a function with the arguments of `f` that returns the result. It raises ValueError for arguments by name,
    and for gradients of another number than arguments when it is differentiated.
    """

    @functools.wraps(f)
    def decorated(*args: Any, **kwargs: Any) -> Any:
        if kwargs:
            raise ValueError(
                "The custom_gradient decorator currently supports keywords arguments only when eager execution is "
                "enabled."
            )
        arguments = [convert_to_tensor(argument) for argument in args]
        result, gradient = f(*arguments)
        is_single = not isinstance(result, (list, tuple))
        results = [convert_to_tensor(item) for item in ([result] if is_single else result)]
        outputs = _joined(results, arguments, gradient)
        return outputs[0] if is_single else type(result)(outputs)

    return decorated


def _joined(results: list[Any], arguments: list[Any], gradient: Callable[..., Any]) -> list[Any]:
    """The results, through one operation that the arguments also enter, so that their gradients leave it there."""

    def backward(_: Any, *grads: Any) -> list[Any]:
        to_arguments = gradient(*grads[: len(results)])
        flat = list(to_arguments) if isinstance(to_arguments, (list, tuple)) else [to_arguments]
        return [None] * len(results) + flat

    outputs = identity.IdentityN([*results, *arguments])
    outputs[0].op._gradient_function = backward
    return outputs[: len(results)]
