"""What `Session.run` takes as feeds, and how it converts them."""

import collections

import numpy as np
import pytest

import sessile as tf


@pytest.fixture
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def sess(graph):
    with tf.Session(graph=graph) as session:
        yield session


@pytest.mark.parametrize(
    ("dtype", "value", "expected"),
    [
        (tf.float32, 3, np.float32(3)),
        (tf.float32, 2.5, np.float32(2.5)),
        (tf.float32, np.float64(2.5), np.float32(2.5)),
        (tf.float32, [1, 2.5], np.array([1, 2.5], np.float32)),
        (tf.float32, np.array([[1, 2]], ">f8"), np.array([[1, 2]], np.float32)),
        (tf.float32, 2**24 + 1, np.float32(2**24)),
        (tf.float64, 1e300, np.float64(1e300)),
        (tf.int32, 1.7, np.int32(1)),
        (tf.int32, -(2**31), np.int32(-(2**31))),
        (tf.int64, 2**40, np.int64(2**40)),
        (tf.uint8, np.array([1, 2]), np.array([1, 2], np.uint8)),
        (tf.bool, True, np.True_),
        (tf.bool, 1, np.True_),
        (tf.bool, [0, 1], np.array([False, True])),
        (tf.complex64, 1j, np.complex64(1j)),
        (tf.string, "é", "é".encode()),
        (tf.string, ["a", b"b"], np.array([b"a", b"b"], object)),
        (tf.string, np.array(["ab", "c"]), np.array([b"ab", b"c"], object)),
    ],
)
def test_values_are_converted_to_the_tensors_type(sess, dtype, value, expected):
    x = tf.placeholder(dtype)
    for _ in range(2):
        result = sess.run(x, {x: value})
        assert type(result) is type(expected)
        assert getattr(result, "dtype", None) == getattr(expected, "dtype", None)
        np.testing.assert_array_equal(result, expected)


def test_intermediate_tensors_constants_and_variables_can_be_fed(sess):
    a = tf.constant(1.0)
    b = a + 1.0
    c = b * 10.0
    v = tf.Variable(3.0)
    assert sess.run(c) == 20.0
    assert sess.run(c, {b: 5.0}) == 50.0
    assert sess.run(c, {a: 5.0}) == 60.0
    assert sess.run(v * 2.0, {v: 4.0}) == 8.0


def test_what_a_feed_replaces_does_not_run(sess):
    x = tf.placeholder(tf.float32, [])
    y = x * 2.0
    assert sess.run(y + 1.0, {y: 1.0}) == 2.0


def test_keys_can_be_names_and_tuples(sess):
    x = tf.placeholder(tf.float32, [], name="x")
    i = tf.placeholder(tf.int32, [], name="i")
    assert sess.run(x, {"x:0": 2.0}) == 2.0
    assert sess.run([x, i], {(x, i): (1.5, 2)}) == [1.5, 2]
    with pytest.raises(ValueError, match="Key had 2 elements, but value had 3 elements"):
        sess.run([x, i], {(x, i): (1, 2, 3)})


def test_other_mappings_are_feeds_too(sess):
    x = tf.placeholder(tf.float32, [])
    assert sess.run(x, collections.OrderedDict([(x, 2.0)])) == 2.0
    assert sess.run(x, collections.ChainMap({x: 3.0})) == 3.0


def test_the_order_of_feeds_does_not_matter(sess):
    x, y = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    difference = x - y
    for _ in range(2):
        assert sess.run(difference, {x: 5.0, y: 1.0}) == 4.0
        assert sess.run(difference, {y: 1.0, x: 5.0}) == 4.0


def test_feeds_of_another_size_and_rank(sess):
    x = tf.placeholder(tf.float32)
    y = x * 2.0
    for value in (3.0, [1.0], [1.0, 2.0], [[1.0], [2.0]], [], 3.0, np.float32(3)):
        np.testing.assert_array_equal(sess.run(y, {x: value}), 2 * np.asarray(value, np.float32))


def test_feeds_are_not_written_to(sess):
    x = tf.placeholder(tf.float32, [None])
    y = x + 1.0
    fed = np.array([1.0, 2.0], np.float32)
    fed.setflags(write=False)
    for _ in range(3):
        assert sess.run(y, {x: fed}).tolist() == [2.0, 3.0]
    assert fed.tolist() == [1.0, 2.0]


def test_views_with_gaps_and_in_fortran_order_are_read_right(sess):
    x = tf.placeholder(tf.float32, [None, None])
    y = x * 1.0
    whole = np.arange(12, dtype=np.float32).reshape(3, 4)
    for view in (whole.T, whole[::2, ::-1], np.asfortranarray(whole), np.broadcast_to(whole[0], (5, 4))):
        np.testing.assert_array_equal(sess.run(y, {x: view}), view)


def test_a_changed_array_is_read_anew(sess):
    x = tf.placeholder(tf.float32, [2])
    y = x + 0.0
    fed = np.zeros(2, np.float32)
    for step in range(3):
        fed[:] = step
        assert sess.run(y, {x: fed}).tolist() == [step, step]


def test_sparse_placeholders_take_values_and_tuples(sess):
    sparse = tf.sparse_placeholder(tf.float32, name="sp")
    total = tf.reduce_sum(sparse.values)
    value = tf.SparseTensorValue(np.array([[0, 0], [1, 2]]), np.array([1.0, 2.0], np.float32), np.array([3, 4]))
    assert sess.run(total, {sparse: value}) == 3.0
    assert sess.run(total, {sparse: ([[0, 0]], [5.0], [2, 2])}) == 5.0
    assert sess.run(sparse, {sparse: value}).dense_shape.tolist() == [3, 4]


def test_the_shape_of_a_sparse_placeholder_may_stay_unfed(sess):
    sparse = tf.sparse_placeholder(tf.float32, shape=[3, 4])
    assert sess.run(sparse.dense_shape, {sparse.values: [1.0]}).tolist() == [3, 4]


def test_indexed_slices_can_be_fed(sess):
    slices = tf.IndexedSlices(tf.constant([[1.0, 2.0]]), tf.constant([3]))
    assert sess.run(slices.values, {slices: ([[3.0, 4.0]], [1])}).tolist() == [[3.0, 4.0]]
    value = sess.run(slices)
    assert sess.run(slices.indices, {slices: value}).tolist() == [3]


def test_placeholders_with_default(sess):
    x = tf.placeholder_with_default(tf.constant([1.0, 2.0]), [None])
    y = x * 2.0
    assert sess.run(y).tolist() == [2.0, 4.0]
    assert sess.run(y, {x: [5.0]}).tolist() == [10.0]


def test_what_may_not_be_fed_is_refused(graph, sess):
    x = tf.placeholder(tf.float32, [], name="x")
    graph.prevent_feeding(x)
    assert not graph.is_feedable(x)
    with pytest.raises(ValueError, match=r'^Tensor Tensor\("x:0", shape=\(\), dtype=float32\) may not be fed\.$'):
        sess.run(x, {x: 1.0})


def test_eval_and_run_use_the_default_session(graph):
    x = tf.placeholder(tf.float32, [])
    v = tf.Variable(1.0)
    y = x + v
    with tf.Session(graph=graph) as sess:
        v.initializer.run()
        assert y.eval({x: 2.0}) == 3.0
    other = tf.Session(graph=graph)
    v.initializer.run(session=other)
    assert y.eval(feed_dict={x: 3.0}, session=other) == 4.0
    assert sess is not tf.get_default_session()


@pytest.mark.parametrize("jit", ["never", "always"])
@pytest.mark.parametrize(
    ("build", "values"),
    [
        (lambda x, a: tf.reduce_sum(x, a), [0, 1, 2, -1, 0]),
        (lambda x, a: tf.reduce_max(x, a, keepdims=True), [[0], [1], [0, 2], [0]]),
        (lambda x, a: tf.gradients(tf.reduce_prod(tf.reduce_max(x, a)), x)[0], [[0], [2], [1]]),
        (lambda x, a: tf.transpose(x, a), [[0, 1, 2], [2, 1, 0], [1, 0, 2]]),
        (lambda x, a: tf.gather(x, [0, 1], axis=a), [0, 2, 1]),
        (lambda x, a: tf.expand_dims(x, a), [0, 3, -2]),
        (lambda x, a: tf.concat([x, x], a), [0, 1, 2]),
        (lambda x, a: tf.reshape(x, a), [[6, 4], [4, -1], [4, 6], [-1, 3]]),
        (lambda x, a: tf.slice(x, [1, 0, 0], a), [[1, -1, 1], [1, 1, 1], [1, 2, -1]]),
        (lambda x, a: tf.split(x, a, 2, num=2)[0], [[-1, 1], [2, 2], [1, -1]]),
        (lambda x, a: x[:, ::a], [1, 2, -1]),
        (lambda x, a: x[a:], [0, 1, -1]),
        (lambda x, a: tf.range(0, 10, a), [1, 3, 4]),
        (lambda x, a: tf.pad(x, a, "REFLECT"), [[[0, 0], [0, 1], [0, 0]], [[1, 0], [0, 0], [2, 2]]]),
    ],
)
def test_elements_that_decide_a_shape_count_in_each_call(graph, monkeypatch, build, values, jit):
    monkeypatch.setenv("SESSILE_JIT", jit)
    array = np.random.RandomState(0).randn(2, 3, 4).astype(np.float32)
    x, a = tf.placeholder(tf.float32, [None, None, None]), tf.placeholder(tf.int32, np.shape(values[0]))
    if np.ndim(values[0]) == 1:
        a = tf.placeholder(tf.int32, [None])
    result = build(x, a)
    with tf.Session() as session:
        found = [session.run(result, {x: array, a: value}) for value in values]
    for value, own in zip(values, found, strict=True):
        with tf.Graph().as_default(), tf.Session() as session:
            np.testing.assert_allclose(own, session.run(build(tf.constant(array), tf.constant(value))), rtol=1e-6)


def test_an_element_out_of_range_is_refused_after_one_within(sess):
    x, a = tf.placeholder(tf.float32, [3]), tf.placeholder(tf.int32, [])
    part = x[a]
    assert sess.run(part, {x: [1.0, 2.0, 3.0], a: 2}) == 3.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="indices = 3 is not in"):
        sess.run(part, {x: [1.0, 2.0, 3.0], a: 3})
    assert sess.run(part, {x: [1.0, 2.0, 3.0], a: -3}) == 1.0


def test_waiting_for_a_fed_placeholder_needs_no_other_value(sess):
    x = tf.placeholder(tf.float32)
    other = tf.placeholder(tf.float32)
    assert sess.run([tf.group(x), *tf.tuple([x, other])], {x: 2.0, other: 3.0}) == [None, 2.0, 3.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="You must feed a value"):
        sess.run(tf.group(x), {other: 3.0})


@pytest.mark.parametrize("jit", ["never", "always"])
@pytest.mark.parametrize(
    "build",
    [
        lambda n: tf.fill([n * 3], 1.0) + tf.placeholder_with_default([1.0] * 5, [None]),
        lambda n: tf.range(n * 3) + tf.constant([1, 2]),
        lambda n: tf.reshape(tf.zeros([24]), [n * 5, 3]),
        lambda n: tf.reshape(tf.zeros([24]), [n * 5, -1]),
        lambda n: tf.fill([n * -3], 1.0),
        lambda n: tf.boolean_mask([1.0, 2.0, 3.0], tf.less([1, 2, 3], n + 2)) + tf.constant([1.0, 2.0]),
    ],
)
def test_computed_sizes_that_do_not_fit_are_refused(sess, monkeypatch, build, jit):
    monkeypatch.setenv("SESSILE_JIT", jit)
    n = tf.placeholder(tf.int32, [])
    result = build(n)
    with tf.Session() as session, pytest.raises(tf.errors.InvalidArgumentError):
        session.run(result, {n: 2})


@pytest.mark.parametrize("jit", ["never", "always"])
def test_computed_sizes_broadcast_where_they_are_one(monkeypatch, jit):
    monkeypatch.setenv("SESSILE_JIT", jit)
    n = tf.placeholder(tf.int32, [])
    chosen = tf.boolean_mask([1.0, 2.0, 3.0], tf.less([1, 2, 3], n)) + tf.constant([1.0, 2.0])
    with tf.Session() as session:
        for value, expected in ((3, [2.0, 4.0]), (2, [2.0, 3.0]), (3, [2.0, 4.0]), (2, [2.0, 3.0])):
            assert session.run(chosen, {n: value}).tolist() == expected
        with pytest.raises(tf.errors.InvalidArgumentError, match="Incompatible shapes"):
            session.run(chosen, {n: 4})


@pytest.fixture(params=["never", "always"])
def tier(request, monkeypatch):
    monkeypatch.setenv("SESSILE_JIT", request.param)


def outcome(session, fetch, feeds):
    """The value of a tensor, or the class of the error."""
    try:
        return session.run(fetch, feeds).tolist()
    except tf.errors.OpError as error:
        return type(error).__name__


REFUSED = "InvalidArgumentError"


@pytest.mark.parametrize(
    ("build", "cases"),
    [
        (lambda x, n: tf.zeros([n]) + x, [(2, [1, 2]), (1, [1, 2]), (3, REFUSED), (2, [1, 2])]),
        (lambda x, n: tf.reshape(x, [n, 2]), [(1, [[1, 2]]), (-1, [[1, 2]]), (3, REFUSED), (-2, REFUSED)]),
        (lambda x, n: tf.reshape(x, [n * 2, -1]), [(1, [[1], [2]]), (0, REFUSED), (2, REFUSED), (1, [[1], [2]])]),
        (lambda x, n: tf.slice(x, [1], [n]), [(1, [2]), (-1, [2]), (0, []), (2, REFUSED), (-2, REFUSED)]),
        (lambda x, n: tf.tile(x, [n]), [(1, [1, 2]), (2, [1, 2, 1, 2]), (0, []), (-1, REFUSED)]),
        (lambda x, n: tf.pad(x, [[n, 0]]), [(1, [0, 1, 2]), (-1, REFUSED), (0, [1, 2])]),
        (lambda x, n: tf.split(x, [n, 1])[0], [(1, [1]), (2, REFUSED), (-1, [1]), (-2, REFUSED)]),
        (lambda x, n: tf.fill([n], 4.0), [(1, [4]), (-1, REFUSED), (2, [4, 4])]),
        (lambda x, n: tf.one_hot([0], n), [(1, [[1]]), (-1, REFUSED), (2, [[1, 0]])]),
        (lambda x, n: tf.broadcast_to(x, [n, 2]), [(1, [[1, 2]]), (-1, REFUSED), (0, [])]),
        (lambda x, n: tf.nn.top_k(x, n)[0], [(1, [2]), (3, REFUSED), (-1, REFUSED), (2, [2, 1])]),
    ],
)
@pytest.mark.parametrize("is_fed", [True, False], ids=["fed", "computed"])
def test_sizes_that_the_run_computes_may_change(tier, build, cases, is_fed):
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None])
        n = tf.placeholder(tf.int32, [])
        number = tf.Variable(0)
        change = number.assign(n)
        fetch = build(x, n if is_fed else number)
        for value, expected in cases:
            session.run(change, {n: value})
            assert outcome(session, fetch, {x: [1.0, 2.0], n: value} if is_fed else {x: [1.0, 2.0]}) == expected
