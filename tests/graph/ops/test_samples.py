"""Runs the samples of all operations: values, static shapes, names of nodes, gradients, errors.

See `support/op_samples.py` for what a sample is and how to add one.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from typing import Any

import numpy as np
import pytest
from support.op_samples import VALUES, ErrorSample, Sample, families, load

import sessile as tf

SAMPLES = [sample for family in families() for sample in load(family)[0]]
ERRORS = [sample for family in families() for sample in load(family)[1]]
DIFFERENTIABLE = [s for s in SAMPLES if s.gradient and any(x.dtype == np.float64 for x in s.inputs("float64"))]
STEP = 1e-5


@pytest.fixture(autouse=True)
def _interpreted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each sample runs once, which is not worth a compilation."""
    monkeypatch.setenv("SESSILE_JIT", "never")


@cache
def recorded(family: str) -> dict[str, np.ndarray]:
    """What TensorFlow gave for the samples of a family."""
    with np.load(VALUES / f"{family}.npz", allow_pickle=False) as file:
        return dict(file)


def as_list(built: Any) -> list[Any]:
    return list(built) if isinstance(built, (list, tuple)) else [built]


def expected_values(sample: Sample) -> list[np.ndarray]:
    if sample.expected is not None:
        return [np.asarray(value) for value in as_list(sample.expected)]
    arrays = recorded(sample.family)
    keys = [key for key in arrays if key.startswith(f"{sample.id}/") and not key.endswith("/nodes")]
    assert keys, f"{sample.id} is not recorded: run record_values.py {sample.family}"
    return [arrays[f"{sample.id}/{k}"] for k in range(len(keys))]


def assert_values(sample: Sample, values: Sequence[Any], expected: Sequence[np.ndarray]) -> None:
    assert len(values) == len(expected)
    for value, wanted in zip(values, expected, strict=True):
        array = np.asarray(value)
        if wanted.dtype.kind == "S":
            np.testing.assert_array_equal(array.astype(np.bytes_), wanted)
            continue
        assert array.dtype == wanted.dtype
        assert array.shape == wanted.shape
        tolerance = sample.tolerance_for(wanted.dtype)
        np.testing.assert_allclose(array, wanted, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda s: f"{s.family}-{s.id}")
def test_values_shapes_and_names_are_those_of_tensorflow(sample: Sample) -> None:
    with tf.Graph().as_default() as graph:
        inputs = sample.inputs()
        placeholders = [tf.placeholder(value.dtype, value.shape, name=f"in{k}") for k, value in enumerate(inputs)]
        tensors = as_list(sample.build(tf, *placeholders))
        nodes = [[op.name, op.type] for op in graph.get_operations()]
        with tf.Session() as session:
            values = session.run(tensors, dict(zip(placeholders, inputs, strict=True)))
    assert_values(sample, values, expected_values(sample))
    for tensor, value in zip(tensors, values, strict=True):
        assert tensor.shape.is_compatible_with(np.shape(value))
    if sample.names:
        assert nodes == json.loads(str(recorded(sample.family)[f"{sample.id}/nodes"]))


@pytest.mark.parametrize("sample", [s for s in SAMPLES if s.open and s.makers], ids=lambda s: f"{s.family}-{s.id}")
def test_values_are_the_same_with_unknown_sizes(sample: Sample) -> None:
    with tf.Graph().as_default():
        inputs = sample.inputs()
        placeholders = [tf.placeholder(value.dtype, [None] * value.ndim) for value in inputs]
        tensors = as_list(sample.build(tf, *placeholders))
        with tf.Session() as session:
            values = session.run(tensors, dict(zip(placeholders, inputs, strict=True)))
    assert_values(sample, values, expected_values(sample))
    for tensor, value in zip(tensors, values, strict=True):
        assert tensor.shape.is_compatible_with(np.shape(value))


@pytest.mark.parametrize("sample", {s.name: s for s in DIFFERENTIABLE}.values(), ids=lambda s: f"{s.family}-{s.name}")
def test_gradients_are_finite_differences(sample: Sample) -> None:
    inputs = sample.inputs("float64")
    varied = [k for k, value in enumerate(inputs) if value.dtype == np.float64]
    with tf.Graph().as_default():
        placeholders = [tf.placeholder(value.dtype, value.shape) for value in inputs]
        outputs = [t for t in as_list(sample.build(tf, *placeholders)) if t.dtype.is_floating]
        random = np.random.RandomState(7)
        loss = tf.add_n([tf.reduce_sum(t * tf.constant(_weights(random, t))) for t in outputs])
        grads = tf.gradients(loss, [placeholders[k] for k in varied])
        dense = [
            tf.zeros_like(placeholders[k]) if g is None else tf.convert_to_tensor(g)
            for k, g in zip(varied, grads, strict=True)
        ]
        with tf.Session() as session:
            feeds = dict(zip(placeholders, inputs, strict=True))
            found = session.run(dense, feeds)
            for k, grad in zip(varied, found, strict=True):
                wanted = _finite_differences(session, loss, feeds, placeholders[k])
                np.testing.assert_allclose(grad, wanted, rtol=1e-5, atol=1e-6)


def _weights(random: np.random.RandomState, tensor: Any) -> np.ndarray:
    """Different weights for all elements; one for all where their number is not known."""
    shape = tensor.shape.as_list() if tensor.shape.is_fully_defined() else []
    return random.uniform(0.5, 1.5, shape)


def _finite_differences(session: Any, loss: Any, feeds: dict[Any, np.ndarray], varied: Any) -> np.ndarray:
    """The central differences of the loss for each element of one input."""
    value = feeds[varied]
    result = np.zeros_like(value)
    for place in np.ndindex(value.shape):
        ends = []
        for step in (STEP, -STEP):
            moved = value.copy()
            moved[place] += step
            ends.append(session.run(loss, {**feeds, varied: moved}))
        result[place] = (ends[0] - ends[1]) / (2 * STEP)
    return result


@pytest.mark.parametrize("sample", ERRORS, ids=lambda s: s.id)
def test_errors_say_what_is_wrong(sample: ErrorSample) -> None:
    kind = getattr(tf.errors, sample.error) if isinstance(sample.error, str) else sample.error
    with tf.Graph().as_default(), pytest.raises(kind) as caught:
        built = sample.build(tf)
        with tf.Session() as session:
            session.run(built)
    assert sample.message in str(caught.value)
