"""What is known of values before anything runs, and the static shapes that follow from it."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sessile as tf
from sessile.graph.constant_value import constant_value, constant_value_as_shape


def x(*sizes: int | None) -> Any:
    return tf.placeholder(tf.float32, list(sizes) if sizes else [])


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: tf.constant([1.5, 2.5]), [1.5, 2.5]),
        (lambda: tf.shape(x(2, 3)), [2, 3]),
        (lambda: tf.shape(x(None, 3))[1], 3),
        (lambda: tf.shape(x(2, 3))[::-1] * 2 + 1, [7, 5]),
        (lambda: tf.size(x(2, 3)), 6),
        (lambda: tf.rank(x(None, 3)), 2),
        (lambda: tf.range(2, 9, 3), [2, 5, 8]),
        (lambda: tf.concat([[1], tf.shape(x(4))], 0), [1, 4]),
        (lambda: tf.stack([tf.constant(1), 2 * tf.shape(x(4))[0]]), [1, 8]),
        (lambda: tf.reduce_prod(tf.shape(x(2, 3))), 6),
        (lambda: tf.cast(tf.constant([1.9, -1.9]), tf.int32), [1, -1]),
        (lambda: tf.fill([2], 7), [7, 7]),
        (lambda: tf.gather(tf.constant([5, 6, 7]), [2, 0]), [7, 5]),
        (lambda: tf.identity(tf.constant(3)) // 2, 1),
        (lambda: tf.unstack(tf.shape(x(2, 3)))[1], 3),
        (lambda: tf.transpose(tf.constant([[1, 2], [3, 4]])), [[1, 3], [2, 4]]),
        (lambda: tf.expand_dims(tf.constant(3), 0), [3]),
        (lambda: tf.invert_permutation([2, 0, 1]), [1, 2, 0]),
        (lambda: tf.minimum(tf.shape(x(2, 3)), [5, 1]), [2, 1]),
    ],
)
def test_value_is_known(build: Any, expected: Any) -> None:
    with tf.Graph().as_default():
        tensor = build()
        value = constant_value(tensor)
        assert value is not None
        np.testing.assert_array_equal(value, expected)
        assert value.dtype == tensor.dtype.as_numpy_dtype


@pytest.mark.parametrize(
    "build",
    [
        lambda: x(2),
        lambda: tf.shape(x(None, 3)),
        lambda: tf.shape(x(None, 3))[0] + 1,
        lambda: tf.reduce_sum(tf.shape(x(None, 3))),
        lambda: tf.random_uniform([2]),
        lambda: tf.constant([1, 2]) // tf.constant([1, 0]),
    ],
)
def test_value_is_not_known(build: Any) -> None:
    with tf.Graph().as_default():
        assert constant_value(build()) is None


@pytest.mark.parametrize(
    ("build", "expected"),
    [
        (lambda: tf.shape(x(None, 3)), [None, 3]),
        (lambda: tf.concat([tf.shape(x(None, 3)), [7]], 0), [None, 3, 7]),
        (lambda: tf.stack([tf.shape(x(None))[0], 5]), [None, 5]),
        (lambda: tf.constant([-1, 4]), [None, 4]),
        (lambda: tf.shape(x(None, 3))[1:], [3]),
        (lambda: tf.shape(x(None, 4)) * 2, [None, 8]),
        (lambda: tf.placeholder(tf.int32, [3]), [None, None, None]),
    ],
)
def test_shape_is_known_in_part(build: Any, expected: list[int | None]) -> None:
    with tf.Graph().as_default():
        assert constant_value_as_shape(build()).as_list() == expected


def test_unknown_elements_are_none_in_partial_values() -> None:
    with tf.Graph().as_default():
        assert constant_value(tf.shape(x(None, 3)), partial=True).tolist() == [None, 3]  # type: ignore[union-attr]


def test_static_shapes_follow_computed_shapes() -> None:
    with tf.Graph().as_default():
        images = x(None, 8, 8, 3)
        batch = tf.shape(images)[0]
        assert tf.reshape(images, [batch, -1]).shape.as_list() == [None, None]
        assert tf.reshape(images, [batch, 8 * 24]).shape.as_list() == [None, 192]
        assert tf.reshape(x(4, 6), [-1, 3]).shape.as_list() == [8, 3]
        assert tf.zeros(tf.stack([batch, 5])).shape.as_list() == [None, 5]
        assert tf.tile(x(None, 2), [1, 3]).shape.as_list() == [None, 6]
        assert tf.reduce_sum(images, [1, 2]).shape.as_list() == [None, 3]


def test_a_chain_without_end_is_given_up() -> None:
    with tf.Graph().as_default():
        total = tf.constant(0)
        for _ in range(500):
            total = total + 1
        assert constant_value(total) is None


def test_shared_parts_are_folded_once() -> None:
    with tf.Graph().as_default():
        total = tf.constant(1)
        for _ in range(30):
            total = total + total
        assert constant_value(total) == 2**30


def test_what_is_no_tensor_is_its_own_static_value() -> None:
    assert tf.get_static_value(3) == 3 and tf.get_static_value(None) is None
    assert tf.get_static_value([1, 2]) == [1, 2]
    assert tf.get_static_value(tf.Variable(1)) is None


def test_wrong_shapes_are_refused() -> None:
    with tf.Graph().as_default():
        with pytest.raises(ValueError, match="must be >= 0"):
            tf.zeros(tf.constant([2, -3]))
        with pytest.raises(ValueError, match="must have rank 1"):
            constant_value_as_shape(tf.placeholder(tf.int32, [2, 2]))
