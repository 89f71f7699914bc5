"""JAX: functions under `jax.jit`, with NumPy values in and out."""

from __future__ import annotations

from collections.abc import Callable

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
    import jax
    import jax.numpy as jnp

    x, y, parameters = cases.mlp_data(size)

    def loss_of(parameters: list, x: jax.Array, y: jax.Array) -> jax.Array:
        hidden = x
        for index, (weights, bias) in enumerate(parameters):
            hidden = hidden @ weights + bias
            hidden = jax.nn.relu(hidden) if index + 1 < len(parameters) else hidden
        return jnp.mean(-jnp.sum(y * jax.nn.log_softmax(hidden), 1))

    @jax.jit
    def step(parameters: list, x: jax.Array, y: jax.Array) -> tuple:
        loss, grads = jax.value_and_grad(loss_of)(parameters, x, y)
        return loss, jax.tree.map(lambda p, g: p - 0.1 * g, parameters, grads)

    state = [parameters]

    def run() -> np.ndarray:
        loss, state[0] = step(state[0], x, y)
        return np.asarray(loss)

    return run
