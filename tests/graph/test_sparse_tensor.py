"""Sparse tensors: how they are made, what is known of their shapes, and how they are fed."""

import numpy as np
import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def names(graph):
    return [(op.name, op.type) for op in graph.get_operations()]


def test_the_parts_are_constants_in_a_scope(graph):
    sparse = tf.SparseTensor([[0, 0], [1, 2]], [1.0, 2.0], [3, 4])
    assert names(graph) == [
        ("SparseTensor/indices", "Const"),
        ("SparseTensor/values", "Const"),
        ("SparseTensor/dense_shape", "Const"),
    ]
    assert (sparse.indices.dtype, sparse.dense_shape.dtype) == (tf.int64, tf.int64)
    assert (sparse.dtype, sparse.op, sparse.graph) == (tf.float32, sparse.values.op, graph)
    assert sparse.get_shape().as_list() == sparse.shape.as_list() == [3, 4]
    assert str(sparse) == (
        'SparseTensor(indices=Tensor("SparseTensor/indices:0", shape=(2, 2), dtype=int64), '
        'values=Tensor("SparseTensor/values:0", shape=(2,), dtype=float32), '
        'dense_shape=Tensor("SparseTensor/dense_shape:0", shape=(2,), dtype=int64))'
    )


@pytest.mark.parametrize(
    ("indices", "values", "shape", "message"),
    [
        ([0, 1], [1.0], [2], "must have rank 2"),
        ([[0, 1]], 1.0, [2, 2], "must have rank 1"),
        ([[0, 1]], [1.0, 2.0], [2, 2], "Dimensions 1 and 2 are not compatible"),
        ([[0, 1]], [1.0], [2, 2, 2], "Dimensions 2 and 3 are not compatible"),
    ],
)
def test_parts_that_do_not_fit_are_refused(indices, values, shape, message):
    with pytest.raises(ValueError, match=message):
        tf.SparseTensor(indices, values, shape)


def test_from_value():
    value = tf.SparseTensorValue(np.array([[0, 0]]), np.array([1.5]), np.array([1, 1]))
    sparse = tf.SparseTensor.from_value(value)
    assert (sparse.dtype, sparse.shape.as_list()) == (tf.float64, [1, 1])
    assert tf.SparseTensor.from_value(sparse).values is sparse.values
    with pytest.raises(TypeError, match="Neither a SparseTensor nor SparseTensorValue: 3"):
        tf.SparseTensor.from_value(3)


def test_conversion_keeps_sparse_tensors():
    value = tf.SparseTensorValue([[0]], [1.0], [1])
    sparse = tf.convert_to_tensor_or_sparse_tensor(value)
    assert isinstance(sparse, tf.SparseTensor)
    assert tf.convert_to_tensor_or_sparse_tensor(sparse, tf.float32) is sparse
    assert tf.convert_to_tensor_or_sparse_tensor([1, 2]).dtype == tf.int32
    with pytest.raises(RuntimeError, match="requested = int32, actual = float32"):
        tf.convert_to_tensor_or_sparse_tensor(sparse, tf.int32)


def test_a_placeholder_of_unknown_shape(graph):
    sparse = tf.sparse_placeholder(tf.float32, name="sp")
    assert names(graph) == [(f"sp/{part}", "Placeholder") for part in ("shape", "values", "indices")]
    assert sparse.get_shape().ndims is None
    assert sparse.indices.shape.as_list() == [None, None]
    assert sparse.values.shape.as_list() == [None]


def test_a_placeholder_of_known_rank(graph):
    sparse = tf.sparse_placeholder(tf.int32, shape=[3, None], name="sp")
    assert names(graph) == [
        ("sp/shape_default", "Const"),
        ("sp/shape", "PlaceholderWithDefault"),
        ("sp/values", "Placeholder"),
        ("sp/indices", "Placeholder"),
    ]
    assert sparse.get_shape().as_list() == [3, None]
    assert sparse.indices.shape.as_list() == [None, 2]
    assert tf.Session().run(sparse.dense_shape).tolist() == [3, -1]


def test_consumers_of_all_parts():
    sparse = tf.SparseTensor([[0, 0]], [1.0], [1, 1])
    uses = [tf.identity(part).op for part in (sparse.values, sparse.indices, sparse.dense_shape)]
    assert set(sparse.consumers()) == set(uses)


def test_eval_needs_a_session():
    sparse = tf.SparseTensor([[0, 1]], [2.0], [1, 2])
    with pytest.raises(ValueError, match="No default session is registered"):
        sparse.eval()
    sess = tf.Session()
    assert sparse.eval(session=sess).values.tolist() == [2.0]
    assert sparse.eval({sparse.values: [5.0]}, sess).values.tolist() == [5.0]
