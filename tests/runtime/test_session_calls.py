"""Callables, partial runs, and values that stay in the session."""

import gc

import numpy as np
import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def sess(graph):
    with tf.Session(graph=graph) as session:
        yield session


# --- make_callable


def test_a_callable_takes_the_feeds_in_order(sess):
    a, b = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [None])
    call = sess.make_callable([a - b, {"a": a}], [a, b])
    for _ in range(2):
        difference, rest = call(3, [1.0, 2.0])
        assert difference.tolist() == [2.0, 1.0]
        assert rest == {"a": 3.0}


def test_a_callable_without_feeds(sess):
    v = tf.Variable(1.0)
    sess.run(v.initializer)
    call = sess.make_callable([v, v.assign_add(1.0).op])
    assert [call()[0], call()[0]] == [1.0, 2.0]
    assert sess.make_callable(v.initializer)() is None
    with pytest.raises(TypeError, match="takes 0 values, 1 were given"):
        call(1.0)
    with pytest.raises(TypeError, match="accept_options=True"):
        call(options=tf.RunOptions())


def test_a_callable_takes_options(sess):
    a = tf.placeholder(tf.float32, [])
    metadata = tf.RunMetadata()
    call = sess.make_callable(a * 2.0, [a], accept_options=True)
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    assert call(2.0, options=options, run_metadata=metadata) == 4.0
    assert metadata.step_stats.dev_stats


def test_a_callable_leaves_out_feeds_and_refuses_too_many(sess):
    a = tf.placeholder(tf.float32, [], name="a")
    b = tf.placeholder_with_default(10.0, [])
    call = sess.make_callable(a + b, [a, b])
    assert call(1.0) == 11.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="You must feed a value for placeholder tensor 'a'"):
        call()
    with pytest.raises(TypeError, match="takes 2 values, 3 were given"):
        call(1.0, 2.0, 3.0)


def test_a_callable_is_checked_when_it_is_made(sess):
    a = tf.placeholder(tf.float32, [])
    with pytest.raises(TypeError, match="`feed_list` must be a list or tuple"):
        sess.make_callable(a, a)
    with pytest.raises(TypeError, match="Fetch argument None has invalid type"):
        sess.make_callable([a, None])
    with pytest.raises(TypeError, match="Cannot interpret feed_dict key as Tensor"):
        sess.make_callable(a, ["b:0"])


def test_a_callable_can_feed_sparse_tensors(sess):
    sparse = tf.sparse_placeholder(tf.float32)
    call = sess.make_callable(sparse.values, [sparse])
    assert call(([[0, 1]], [2.0], [1, 2])).tolist() == [2.0]


# --- partial runs


def test_a_partial_run_goes_on_with_what_it_computed(sess):
    a, b, c = (tf.placeholder(tf.float32, [], name=name) for name in "abc")
    first = a + b
    second = first * c
    handle = sess.partial_run_setup([first, second], [a, b, c])
    assert sess.partial_run(handle, first, {a: 1, b: 2}) == 3.0
    assert sess.partial_run(handle, second, {c: 5}) == 15.0


def test_every_operation_runs_once_in_a_partial_run(sess):
    a, b = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [])
    noise = tf.random_uniform([3])
    count = tf.Variable(0.0)
    sess.run(count.initializer)
    counted = count.assign_add(1.0)
    with sess.graph.control_dependencies([counted]):
        first, second = noise + a, noise + b
    handle = sess.partial_run_setup([first, second, counted.op], [a, b])
    one = sess.partial_run(handle, first, {a: 0.0})
    assert sess.run(count) == 1.0
    two = sess.partial_run(handle, [second, counted.op], {b: 0.0})[0]
    np.testing.assert_array_equal(one, two)
    assert sess.run(count) == 1.0


def test_a_reference_to_a_variable_crosses_the_parts_of_a_run(sess):
    a = tf.placeholder(tf.float32, [])
    v = tf.Variable(1.0)
    sess.run(v.initializer)
    once = v.assign_add(1.0)
    twice = tf.assign_add(once, a)
    handle = sess.partial_run_setup([once, twice], [a])
    assert sess.partial_run(handle, once) == 2.0
    assert sess.partial_run(handle, twice, {a: 10.0}) == 12.0
    assert sess.run(v) == 12.0


def test_what_a_partial_run_refuses(sess):
    a, b, c = (tf.placeholder(tf.float32, [], name=name) for name in "abc")
    first = a + b
    second = tf.multiply(first, c, name="second")

    def refuse(message, *arguments):
        with pytest.raises(tf.errors.InvalidArgumentError) as raised:
            sess.partial_run(*arguments)
        assert raised.value.message == message

    handle = sess.partial_run_setup([first, second], [a, b, c])
    sess.partial_run(handle, first, {a: 1, b: 2})
    refuse("The fetch add:0 has already been fetched.", handle, first)
    refuse("The feed a:0 has already been fed.", handle, second, {a: 1, c: 1})
    refuse("Fetch c:0 can't be computed from the feeds that have been fed so far.", handle, second)
    assert sess.partial_run(handle, second, {c: 2}) == 6.0
    refuse("Must run 'setup' before performing partial runs!", handle, second)

    handle = sess.partial_run_setup([first], [a, b])
    refuse("The fetch second:0 was not specified in partial_run_setup.", handle, second)
    refuse("The feed c:0 was not specified in partial_run_setup.", handle, first, {a: 1, b: 2, c: 3})


def test_what_setting_up_a_partial_run_refuses(sess):
    x = tf.constant(1.0)
    with pytest.raises(tf.errors.InvalidArgumentError, match="at least one target"):
        sess.partial_run_setup([], [])
    with pytest.raises(TypeError, match="'foo', does not exist in the graph"):
        sess.partial_run_setup([x], ["foo:0"])
    assert isinstance(sess.partial_run_setup(x), str)


def test_a_partial_run_with_a_sparse_feed_and_nested_fetches(sess):
    sparse = tf.sparse_placeholder(tf.float32)
    scale = tf.placeholder(tf.float32, [])
    total = tf.reduce_sum(sparse.values)
    handle = sess.partial_run_setup({"t": [total], "s": total * scale}, [sparse, scale])
    assert sess.partial_run(handle, [total], {sparse: ([[0]], [3.0], [1])}) == [3.0]
    assert sess.partial_run(handle, {"s": "mul:0"}, {scale: 2.0}) == {"s": 6.0}


# --- handles


@pytest.fixture
def value():
    return tf.constant([1.0, 2.0]) * 3.0


def test_a_handle_keeps_a_value_for_later_runs(sess, value):
    handle = sess.run(tf.get_session_handle(value))
    assert handle.eval().tolist() == [3.0, 6.0]
    assert str(handle) == handle.handle == "GetSessionHandle;0;/job:localhost/replica:0/task:0/device:CPU:0"
    holder, tensor = tf.get_session_tensor(handle.handle, tf.float32)
    assert (holder.dtype, tensor.dtype, tensor.op.type) == (tf.string, tf.float32, "GetSessionTensor")
    doubled = tensor * 2.0
    for fed in (handle.handle, handle.handle.encode(), handle, np.array(handle.handle, object)):
        assert sess.run(doubled, {holder: fed}).tolist() == [6.0, 12.0]


def test_a_handle_can_be_fed_to_any_tensor_of_its_type(sess, value):
    nested = sess.run([{"handle": tf.get_session_handle(value)}, value])
    handle = nested[0]["handle"]
    assert sess.run(value + 1.0, {value: handle}).tolist() == [4.0, 7.0]
    i = tf.placeholder(tf.int32, [2])
    with pytest.raises(TypeError, match="the handle stands for a value of type float32"):
        sess.run(i, {i: handle})
    with pytest.raises(tf.errors.InvalidArgumentError, match="stands for a value of type float32, not int32") as raised:
        holder, tensor = tf.get_session_tensor(handle.handle, tf.int32)
        sess.run(tensor, {holder: handle.handle})
    assert raised.value.op is tensor.op


def test_a_handle_keeps_strings(sess):
    for value, expected in (("abc", b"abc"), (["a", "bc"], [b"a", b"bc"])):
        handle = sess.run(tf.get_session_handle(tf.identity(tf.constant(value))))
        assert np.asarray(handle.eval(), object).tolist() == expected
        holder, tensor = tf.get_session_tensor(handle.handle, tf.string)
        result = sess.run(tf.identity(tensor), {holder: handle.handle})
        assert np.asarray(result, object).tolist() == expected


def test_control_inputs_of_a_handle_run(sess, value):
    v = tf.Variable(0.0)
    sess.run(v.initializer)
    with sess.graph.control_dependencies([v.assign_add(1.0)]):
        handle = tf.get_session_handle(value)
    sess.run(handle)
    assert sess.run(v) == 1.0


def test_a_deleted_value_is_gone(sess, value):
    handle = sess.run(tf.get_session_handle(value))
    holder, tensor = tf.get_session_tensor(handle.handle, tf.float32)
    delete_holder, deleter = tf.delete_session_tensor(handle.handle)
    assert sess.run(deleter, {delete_holder: handle.handle}) is None
    message = f"The tensor with handle '{handle.handle}' is not in the session store."
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        sess.run(tensor, {holder: handle.handle})
    with pytest.raises(tf.errors.InvalidArgumentError, match=message):
        sess.run(deleter, {delete_holder: handle.handle})

    other = sess.run(tf.get_session_handle(value))
    other.delete()
    with pytest.raises(TypeError, match="was deleted"):
        other.eval()


def test_a_value_lives_as_long_as_its_handle_unless_it_is_raw(sess, value):
    fetch = tf.get_session_handle(value)
    first, second = sess.run(fetch), sess.run(fetch)
    holder, tensor = tf.get_session_tensor(first.handle, tf.float32)
    lost, kept = first.handle, second.get_raw_handle()
    del first, second
    gc.collect()
    assert sess.run(tensor, {holder: kept}).tolist() == [3.0, 6.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="is not in the session store"):
        sess.run(tensor, {holder: lost})


def test_handles_are_of_tensors_and_cannot_be_computed_with(sess, value):
    with pytest.raises(TypeError, match="`data` must be of type Tensor"):
        tf.get_session_handle([1.0])
    with pytest.raises(tf.errors.UnimplementedError, match="a session handle can be fetched"):
        sess.run(tf.identity(tf.get_session_handle(value)))
