"""IndexedSlices: gradients of lookups, their conversion to dense tensors, and what functions do with them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default() as graph:
        yield graph


def slices(dense_shape: Any = (4, 2)) -> Any:
    shape = None if dense_shape is None else tf.constant(list(dense_shape))
    return tf.IndexedSlices(tf.constant([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]]), tf.constant([2, 0, 2]), shape)


def test_gradient_of_gather_is_slices() -> None:
    table = tf.placeholder(tf.float32, [4, 2])
    (grad,) = tf.gradients(tf.reduce_sum(tf.gather(table, [1, 1, 3])), table)
    assert isinstance(grad, tf.IndexedSlices)
    assert grad.shape.as_list() == [4, 2]
    values, indices = tf.Session().run([grad.values, grad.indices], {table: np.zeros((4, 2))})
    assert (values.shape, indices.tolist()) == ((3, 2), [1, 1, 3])


def test_conversion_sums_slices_of_one_place() -> None:
    dense = tf.convert_to_tensor(slices())
    assert tf.Session().run(dense).tolist() == [[3.0, 4.0], [0.0, 0.0], [6.0, 8.0], [0.0, 0.0]]


def test_conversion_needs_a_shape_and_the_type() -> None:
    with pytest.raises(ValueError, match="without dense_shape"):
        tf.convert_to_tensor(slices(None))
    with pytest.raises(ValueError, match="IndexedSlices with dtype float32"):
        tf.convert_to_tensor(slices(), dtype=tf.int32)


def test_functions_keep_slices_sparse() -> None:
    session = tf.Session()
    clipped = tf.clip_by_value(slices(), 2.0, 5.0)
    assert isinstance(clipped, tf.IndexedSlices)
    assert session.run(clipped.values).tolist() == [[2.0, 2.0], [3.0, 4.0], [5.0, 5.0]]
    for result in (tf.scalar_mul(2.0, slices()), tf.clip_by_norm(slices(), 1.0)):
        assert isinstance(result, tf.IndexedSlices)
    assert isinstance(tf.identity(slices()), tf.Tensor)
    (scaled,), norm = tf.clip_by_global_norm([slices()], 1.0)
    assert isinstance(scaled, tf.IndexedSlices)
    np.testing.assert_allclose(session.run(norm), np.sqrt(91.0), rtol=1e-6)


def test_arithmetic_makes_slices_dense() -> None:
    total = tf.ones([4, 2]) + slices()
    assert tf.Session().run(total)[1].tolist() == [1.0, 1.0]


def test_convert_to_tensor_or_indexed_slices() -> None:
    given = slices()
    assert tf.convert_to_tensor_or_indexed_slices(given) is given
    assert isinstance(tf.convert_to_tensor_or_indexed_slices([1.0]), tf.Tensor)
    with pytest.raises(ValueError, match="requested dtype"):
        tf.convert_to_tensor_or_indexed_slices(given, dtype=tf.int32)
