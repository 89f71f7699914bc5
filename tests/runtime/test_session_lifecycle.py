"""How sessions begin and end, and which one is the default."""

import gc
import threading
import warnings
import weakref

import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_a_session_runs_the_default_graph_of_its_thread(graph):
    assert tf.Session().graph is graph
    other = tf.Graph()
    assert tf.Session(graph=other).graph is other
    assert tf.Session("", other).graph is other


def test_with_closes_and_makes_session_and_graph_the_defaults():
    graph = tf.Graph()
    with tf.Session(graph=graph) as sess:
        assert tf.get_default_session() is sess
        assert tf.get_default_graph() is graph
        x = tf.constant(1.0)
        assert x.eval() == 1.0
    assert tf.get_default_session() is None
    assert tf.get_default_graph() is not graph
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        sess.run(x)


def test_with_closes_when_the_block_fails():
    with pytest.raises(KeyError), tf.Session() as sess:
        raise KeyError("a failure in the block")
    assert tf.get_default_session() is None
    tf.constant(1.0)
    with pytest.raises(RuntimeError, match="closed"):
        sess.run([])


def test_as_default_does_not_close(graph):
    x = tf.constant(5.0)
    sess = tf.Session()
    for _ in range(2):
        with sess.as_default() as entered:
            assert entered is sess is tf.get_default_session()
            assert tf.get_default_graph() is graph
            assert x.eval() == 5.0
    assert sess.run(x) == 5.0


def test_default_sessions_nest():
    with tf.Session() as outer:
        with tf.Session() as inner:
            assert tf.get_default_session() is inner
        assert tf.get_default_session() is outer


def test_a_session_cannot_be_entered_twice_but_again_when_open():
    sess = tf.Session()
    with sess, pytest.raises(RuntimeError, match="not re-entrant"), sess:
        pass
    assert tf.get_default_session() is None


def test_each_thread_has_a_default_session_of_its_own():
    seen = []
    with tf.Session() as sess:
        thread = threading.Thread(target=lambda: seen.append(tf.get_default_session()))
        thread.start()
        thread.join()
        assert tf.get_default_session() is sess
    assert seen == [None]


def test_close_may_be_called_again_and_refuses_all_use():
    x = tf.constant(1.0)
    sess = tf.Session()
    call = sess.make_callable(x)
    handle = sess.partial_run_setup([x])
    sess.run(x)
    sess.close()
    sess.close()
    uses = [
        lambda: sess.run(x),
        lambda: sess.run([]),
        call,
        lambda: sess.make_callable(x),
        lambda: sess.partial_run_setup([x]),
        lambda: sess.partial_run(handle, x),
        lambda: x.eval(session=sess),
    ]
    for use in uses:
        with pytest.raises(RuntimeError, match=r"^Attempted to use a closed Session\.$"):
            use()


def test_sessions_of_one_graph_keep_their_own_variables(graph):
    v = tf.Variable(1.0)
    add = v.assign_add(1.0)
    first, second = tf.Session(), tf.Session()
    first.run(v.initializer)
    first.run(add)
    with pytest.raises(tf.errors.FailedPreconditionError, match="Attempting to use uninitialized value Variable"):
        second.run(v)
    second.run(v.initializer)
    assert (first.run(v), second.run(v)) == (2.0, 1.0)


def test_a_session_that_nobody_holds_is_freed():
    x = tf.placeholder(tf.float32, [])
    sess = tf.Session()
    assert sess.run([x * 2.0, {"x": x}], {x: 1.0}) == [2.0, {"x": 1.0}]
    alive = weakref.ref(sess)
    del sess
    gc.collect()
    assert alive() is None


def test_reset_closes_all_sessions():
    x = tf.constant(1.0)
    sess = tf.Session()
    assert sess.run(x) == 1.0
    tf.Session.reset("")
    with pytest.raises(tf.errors.CancelledError, match="Session has been closed"):
        sess.run(x)
    assert tf.Session().run(x) == 1.0


def test_what_a_session_tells_of_itself(graph):
    sess = tf.Session(target="")
    assert sess.sess_str == b""
    (device,) = sess.list_devices()
    assert (device.name, device.device_type) == ("/job:localhost/replica:0/task:0/device:CPU:0", "CPU")
    assert repr(device).startswith("_DeviceAttributes(/job:localhost/replica:0/task:0/device:CPU:0, CPU, 268435456, ")
    with pytest.raises(AttributeError):
        sess.graph = graph


def test_the_serialised_graph_of_a_session():
    tf.constant([1.0, 2.0], name="x")
    (node,) = tf.Session().graph_def.node
    assert (node.name, "_output_shapes" in node.attr) == ("x", False)
    config = tf.ConfigProto(graph_options=tf.GraphOptions(infer_shapes=True))
    (node,) = tf.Session(config=config).graph_def.node
    assert [size.size for size in node.attr["_output_shapes"].list.shape[0].dim] == [2]


def test_an_interactive_session_is_the_default_until_it_is_closed():
    x = tf.constant(2.0)
    sess = tf.InteractiveSession()
    assert tf.get_default_session() is sess
    assert x.eval() == 2.0
    sess.close()
    sess.close()
    assert tf.get_default_session() is None
    assert not isinstance(sess, tf.Session)


def test_a_second_interactive_session_warns():
    first = tf.InteractiveSession()
    with pytest.warns(RuntimeWarning, match="An interactive session is already active") as warned:
        second = tf.InteractiveSession()
    assert warned[0].filename == __file__
    first.close()  # not in the order of opening
    assert tf.get_default_session() is second
    second.close()
    assert tf.get_default_session() is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        tf.InteractiveSession().close()


def test_an_interactive_session_makes_its_graph_the_default(graph):
    other = tf.Graph()
    sess = tf.InteractiveSession(graph=other)
    assert tf.get_default_graph() is other
    assert tf.constant(3.0).eval() == 3.0
    sess.close()
    assert tf.get_default_graph() is graph
