"""PyTensor: functions compiled with Numba."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks import cases


def prepare(case: cases.Case) -> Callable[[], object] | None:
    """A function that runs the case once; None for what PyTensor has no operations for: pooling."""
    import pytensor

    pytensor.config.floatX = "float32"
    build = globals().get(f"_{case.kind}")
    return build and build(case.size)


def _function(
    inputs: Sequence[object], outputs: object, arguments: Sequence[object], **options: object
) -> Callable[[], object]:
    import pytensor

    compiled = pytensor.function(list(inputs), outputs, mode="NUMBA", **options)
    compiled.trust_input = True
    return lambda: compiled(*arguments)


def _three_scalars(size: int) -> Callable[[], object]:
    import pytensor.tensor as pt

    a, b, c = pt.fscalars("abc")
    return _function((a, b, c), a * b + c, [np.array(value, np.float32) for value in cases.scalars()])


def _ten_vectors(size: int) -> Callable[[], object]:
    import pytensor.tensor as pt

    v = [pt.fvector() for _ in range(10)]
    outputs = [v[2 * k] * v[2 * k + 1] + np.float32(k) for k in range(5)]
    return _function(v, outputs, cases.vectors(size))


def _elementwise(size: int) -> Callable[[], object]:
    import pytensor.tensor as pt

    x, y = pt.fvectors("xy")
    z = pt.maximum((x + y) * x - y * np.float32(0.5), np.float32(0.1)) * x + np.float32(1.0)
    return _function((x, y), z, cases.pair(size))


def _transcendental(size: int) -> Callable[[], object]:
    import pytensor.tensor as pt

    x, y = pt.fvectors("xy")
    return _function((x, y), pt.tanh(x) * pt.exp(-y) + pt.sigmoid(x * y), cases.pair(size))


def _softmax(size: int) -> Callable[[], object]:
    import pytensor.tensor as pt

    x = pt.fmatrix()
    return _function((x,), pt.special.softmax(x, axis=1), [cases.matrix(size, 1000)])


def _matmul(size: int) -> Callable[[], object]:
    import pytensor.tensor as pt

    x, y = pt.fmatrices("xy")
    return _function((x, y), x @ y, [cases.matrix(size, size), cases.matrix(size, size)])


def _mlp_step(size: int) -> Callable[[], object]:
    import pytensor
    import pytensor.tensor as pt

    x_value, y_value, parameters = cases.mlp_data(size)
    x, y = pt.fmatrices("xy")
    shared = [(pytensor.shared(weights), pytensor.shared(bias)) for weights, bias in parameters]
    hidden = x
    for index, (weights, bias) in enumerate(shared):
        hidden = hidden @ weights + bias
        hidden = pt.maximum(hidden, np.float32(0)) if index + 1 < len(shared) else hidden
    loss = -(y * pt.special.log_softmax(hidden, axis=1)).sum(1).mean()
    flat = [parameter for layer in shared for parameter in layer]
    updates = [(p, p - np.float32(0.1) * g) for p, g in zip(flat, pt.grad(loss, flat), strict=True)]
    return _function((x, y), loss, (x_value, y_value), updates=updates)
