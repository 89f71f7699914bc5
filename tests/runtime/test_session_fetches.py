"""What `Session.run` returns for each kind of fetch."""

import collections

import numpy as np
import pytest

import sessile as tf

Pair = collections.namedtuple("Pair", ["first", "second"])


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def sess(graph):
    with tf.Session(graph=graph) as session:
        yield session


def test_scalars_are_numpy_scalars(sess):
    result = sess.run(tf.constant(5.0) * tf.constant(6.0))
    assert type(result) is np.float32
    assert result == 30.0


def test_arrays_have_the_type_and_shape_of_the_tensor(sess):
    result = sess.run(tf.constant([[1, 2], [3, 4]], tf.int64) * 2)
    assert result.dtype == np.int64
    assert result.tolist() == [[2, 4], [6, 8]]


def test_strings_are_bytes(sess):
    scalar, vector = sess.run([tf.constant("é"), tf.constant(["a", b"bc"])])
    assert scalar == "é".encode()
    assert vector.dtype == object
    assert vector.tolist() == [b"a", b"bc"]


def test_operations_give_none(sess):
    x = tf.constant(1.0)
    assert sess.run(x.op) is None
    assert sess.run([x, x.op]) == [1.0, None]
    assert sess.run("Const") is None


def test_names_of_tensors_are_fetched(sess):
    tf.constant(7.0, name="seven")
    assert sess.run("seven:0") == 7.0
    assert sess.run(["seven:0", b"seven:0"]) == [7.0, 7.0]


def test_nests_keep_their_structure_order_and_types(sess):
    a, b, c = tf.constant(1.0), tf.constant(2), tf.constant("three")
    fetches = [a, (b, [c]), {"z": a, "a": (b,)}, Pair(c, {"deep": [a]})]
    result = sess.run(fetches)
    assert result == [1.0, (2, [b"three"]), {"z": 1.0, "a": (2,)}, Pair(b"three", {"deep": [1.0]})]
    assert [type(part) for part in result] == [np.float32, tuple, dict, Pair]
    assert list(result[2]) == ["z", "a"]


@pytest.mark.parametrize("empty", [[], (), {}, [[], {"a": ()}]], ids=repr)
def test_empty_nests_come_back_as_they_are(sess, empty):
    tf.constant(1.0)
    result = sess.run(empty)
    assert result == empty
    assert type(result) is type(empty)


def test_ordered_and_default_dicts_keep_their_class(sess):
    a, b = tf.constant(1.0), tf.constant(2.0)
    ordered = sess.run(collections.OrderedDict([("z", a), ("a", b)]))
    assert ordered == collections.OrderedDict([("z", 1.0), ("a", 2.0)])
    default = sess.run(collections.defaultdict(list, k=b))
    assert default == {"k": 2.0}
    assert default.default_factory is list


def test_keys_of_dicts_need_not_be_strings(sess):
    a = tf.constant(1.0)
    assert sess.run({1: a, a: a}) == {1: 1.0, a: 1.0}
    assert next(iter(sess.run({True: a}))) is True


def test_attrs_classes_are_filled(sess):
    class Losses:  # what the attrs library leaves on a class
        __attrs_attrs__ = (collections.namedtuple("Attribute", "name")("total"),)

        def __init__(self, total):
            self.total = total

    result = sess.run(Losses(tf.constant(3.0)))
    assert type(result) is Losses
    assert result.total == 3.0


def test_a_tuple_and_a_namedtuple_of_the_same_tensors_are_told_apart(sess):
    a, b = tf.constant(1.0), tf.constant(2.0)
    for _ in range(2):
        assert type(sess.run((a, b))) is tuple
        assert type(sess.run(Pair(a, b))) is Pair
        assert type(sess.run([(a, b)])[0]) is tuple
        assert type(sess.run([Pair(a, b)])[0]) is Pair


def test_duplicates_are_computed_once(sess):
    x = tf.random_uniform([])
    first, second, (third,) = sess.run([x, x, (x,)])
    assert first == second == third


def test_fetched_arrays_belong_to_the_caller(sess):
    v = tf.Variable([1.0, 2.0])
    constant = tf.constant([3.0, 4.0])
    sess.run(v.initializer)
    for fetch, value in ((v, [1.0, 2.0]), (constant, [3.0, 4.0])):
        result = sess.run(fetch)
        result[:] = -1.0
        assert sess.run(fetch).tolist() == value


def test_a_fetched_feed_is_a_copy(sess):
    x = tf.placeholder(tf.float32, [2])
    fed = np.array([1.0, 2.0], np.float32)
    result = sess.run(x, {x: fed})
    result[:] = 0.0
    assert fed.tolist() == [1.0, 2.0]
    scalar = tf.placeholder(tf.float32, [])
    assert type(sess.run(scalar, {scalar: 3})) is np.float32


def test_variables_are_fetched(sess):
    v = tf.Variable(4.0)
    sess.run(v.initializer)
    assert sess.run(v) == 4.0
    assert sess.run({"v": [v]}) == {"v": [4.0]}


def test_sparse_tensors_give_their_three_arrays(sess):
    sparse = tf.SparseTensor([[0, 0], [1, 2]], [1.0, 2.0], [3, 4])
    result = sess.run({"s": sparse})["s"]
    assert isinstance(result, tf.SparseTensorValue)
    assert result.indices.tolist() == [[0, 0], [1, 2]]
    assert result.values.dtype == np.float32
    assert result.dense_shape.tolist() == [3, 4]
    assert sparse.eval().values.tolist() == [1.0, 2.0]


@pytest.mark.parametrize("dense_shape", [None, [5, 2]])
def test_indexed_slices_give_their_arrays(sess, dense_shape):
    shape = None if dense_shape is None else tf.constant(dense_shape)
    slices = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([3]), shape)
    result = sess.run(slices)
    assert result.values.tolist() == [[1.0, 2.0]]
    assert result.indices.tolist() == [3]
    assert (None if result.dense_shape is None else result.dense_shape.tolist()) == dense_shape


def test_types_of_the_users_own_are_fetched_and_fed(sess):
    class Interval:
        def __init__(self, low, high):
            self.low, self.high = low, high

    tf.register_session_run_conversion_functions(
        Interval,
        lambda interval: ([interval.low, interval.high], tuple),
        lambda interval, value: [(interval.low, value[0]), (interval.high, value[1])],
    )
    interval = Interval(tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, []))
    length = interval.high - interval.low
    for low in (1.0, 2.0):
        assert sess.run([interval, length], {interval: (low, 5.0)}) == [(low, 5.0), 5.0 - low]
    with pytest.raises(ValueError, match="has already been registered"):
        tf.register_session_run_conversion_functions(Interval, lambda interval: ([], tuple))


def test_what_may_not_be_fetched_is_refused(graph, sess):
    x = tf.constant(1.0, name="secret")
    graph.prevent_fetching(x.op)
    for fetch in (x, x.op):
        with pytest.raises(ValueError, match="'secret' has been marked as not fetchable"):
            sess.run(fetch)


def test_the_sessions_graph_counts_not_the_default_one(graph, sess):
    tf.constant(1.0, name="here")
    with tf.Graph().as_default():
        tf.constant(2.0, name="here")
        assert sess.run("here:0") == 1.0
