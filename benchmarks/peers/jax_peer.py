"""JAX: functions under `jax.jit`, with NumPy values in and out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import cases


def prepare(case: cases.Case) -> Callable[[], object]:
    """A function that runs the case once."""
    return globals()[f"_{case.kind}"](case.size)


def _fetched(function: Callable[..., object], *arguments: object) -> Callable[[], object]:
    import jax

    compiled = jax.jit(function)
    return lambda: jax.tree.map(np.asarray, compiled(*arguments))


def _three_scalars(size: int) -> Callable[[], object]:
    return _fetched(lambda a, b, c: a * b + c, *(np.float32(value) for value in cases.scalars()))


def _ten_vectors(size: int) -> Callable[[], object]:
    return _fetched(lambda *v: [v[2 * k] * v[2 * k + 1] + float(k) for k in range(5)], *cases.vectors(size))


def _elementwise(size: int) -> Callable[[], object]:
    import jax.numpy as jnp

    return _fetched(lambda x, y: jnp.maximum((x + y) * x - y * 0.5, 0.1) * x + 1.0, *cases.pair(size))


def _transcendental(size: int) -> Callable[[], object]:
    import jax
    import jax.numpy as jnp

    return _fetched(lambda x, y: jnp.tanh(x) * jnp.exp(-y) + jax.nn.sigmoid(x * y), *cases.pair(size))


def _softmax(size: int) -> Callable[[], object]:
    import jax

    return _fetched(lambda x: jax.nn.softmax(x, 1), cases.matrix(size, 1000))


def _matmul(size: int) -> Callable[[], object]:
    return _fetched(lambda x, y: x @ y, cases.matrix(size, size), cases.matrix(size, size))


def _mlp_step(size: int) -> Callable[[], object]:
    return _step(_perceptron, *cases.mlp_data(size))


def _convnet_step(size: int) -> Callable[[], object]:
    return _step(_convnet, *cases.convnet_data(size))


def _step(network: Callable[..., Any], x: np.ndarray, y: np.ndarray, parameters: cases.Parameters) -> Callable:
    import jax
    import jax.numpy as jnp

    def loss_of(parameters: cases.Parameters, x: jax.Array, y: jax.Array) -> jax.Array:
        return jnp.mean(-jnp.sum(y * jax.nn.log_softmax(network(x, parameters)), 1))

    @jax.jit
    def step(parameters: cases.Parameters, x: jax.Array, y: jax.Array) -> tuple:
        loss, grads = jax.value_and_grad(loss_of)(parameters, x, y)
        return loss, jax.tree.map(lambda p, g: p - 0.1 * g, parameters, grads)

    state = [parameters]

    def run() -> np.ndarray:
        loss, state[0] = step(state[0], x, y)
        return np.asarray(loss)

    return run


def _perceptron(x: Any, parameters: cases.Parameters) -> Any:
    import jax

    for index, (weights, bias) in enumerate(parameters):
        x = x @ weights + bias
        x = jax.nn.relu(x) if index + 1 < len(parameters) else x
    return x


def _convnet(x: Any, parameters: cases.Parameters) -> Any:
    import jax
    from jax import lax

    window = (1, 2, 2, 1)
    for taps, bias in parameters[:2]:
        x = lax.conv_general_dilated(x, taps, (1, 1), "SAME", dimension_numbers=("NHWC", "HWIO", "NHWC")) + bias
        x = lax.reduce_window(jax.nn.relu(x), -np.inf, lax.max, window, window, "SAME")
    return _perceptron(x.reshape(len(x), -1), parameters[2:])
