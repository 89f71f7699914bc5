"""NumPy: what a person would write without a compiler; and, as a floor, a plain copy of memory."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from benchmarks import cases


def prepare(case: cases.Case) -> Callable[[], object] | None:
    """A function that runs the case once; None for what nobody would write in NumPy."""
    build = globals().get(f"_{case.kind}")
    return build and build(case.size)


def copy_floor(case: cases.Case) -> Callable[[], object]:
    """Copies as many bytes as the case must at least read (two arrays) and write, into memory kept from before."""
    x = np.ones(case.size * 3 // 2, np.float32)
    out = np.empty_like(x)
    return lambda: np.copyto(out, x)


def _three_scalars(size: int) -> Callable[[], object]:
    a, b, c = (np.float32(value) for value in cases.scalars())
    return lambda: a * b + c


def _ten_vectors(size: int) -> Callable[[], object]:
    v = cases.vectors(size)
    return lambda: [v[2 * k] * v[2 * k + 1] + np.float32(k) for k in range(5)]


def _elementwise(size: int) -> Callable[[], object]:
    x, y = cases.pair(size)
    half, low, one = np.float32(0.5), np.float32(0.1), np.float32(1.0)
    return lambda: np.maximum((x + y) * x - y * half, low) * x + one


def _transcendental(size: int) -> Callable[[], object]:
    x, y = cases.pair(size)
    return lambda: np.tanh(x) * np.exp(-y) + 1 / (1 + np.exp(-x * y))


def _softmax(size: int) -> Callable[[], object]:
    x = cases.matrix(size, 1000)

    def softmax() -> np.ndarray:
        e = np.exp(x - x.max(1, keepdims=True))
        return e / e.sum(1, keepdims=True)

    return softmax


def _matmul(size: int) -> Callable[[], object]:
    x, y = cases.matrix(size, size), cases.matrix(size, size)
    return lambda: x @ y


def _mlp_step(size: int) -> Callable[[], object]:
    x, y, parameters = cases.mlp_data(size)
    rate = np.float32(0.1)

    def step() -> np.float32:
        activations = [x]
        for index, (weights, bias) in enumerate(parameters):
            z = activations[-1] @ weights + bias
            activations.append(np.maximum(z, 0) if index + 1 < len(parameters) else z)
        logits = activations[-1]
        shifted = logits - logits.max(1, keepdims=True)
        exponentials = np.exp(shifted)
        total = exponentials.sum(1, keepdims=True)
        loss = (y * (np.log(total) - shifted)).sum(1).mean()
        grad = (exponentials / total - y) / np.float32(len(x))
        for index in reversed(range(len(parameters))):
            weights, bias = parameters[index]
            below = activations[index]
            next_grad = grad @ weights.T * (below > 0) if index else grad
            weights -= rate * (below.T @ grad)
            bias -= rate * grad.sum(0)
            grad = next_grad
        return loss

    return step
