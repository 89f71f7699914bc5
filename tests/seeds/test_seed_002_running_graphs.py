"""Seed 002: the reference of sessions and of the error classes; each example and each stated behaviour."""

import threading

import numpy as np
import pytest

import sessile as tf

# Class -> code, as TensorFlow numbers them.
CODES = {
    "CancelledError": 1,
    "UnknownError": 2,
    "InvalidArgumentError": 3,
    "DeadlineExceededError": 4,
    "NotFoundError": 5,
    "AlreadyExistsError": 6,
    "PermissionDeniedError": 7,
    "ResourceExhaustedError": 8,
    "FailedPreconditionError": 9,
    "AbortedError": 10,
    "OutOfRangeError": 11,
    "UnimplementedError": 12,
    "InternalError": 13,
    "UnavailableError": 14,
    "DataLossError": 15,
    "UnauthenticatedError": 16,
}


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def c():
    a = tf.constant(5.0)
    b = tf.constant(6.0)
    return a * b


def test_run_a_product(c, capsys):
    # Launch the graph in a session.
    sess = tf.Session()

    # Evaluate the tensor `c`.
    print(sess.run(c))
    assert capsys.readouterr().out == "30.0\n"


def test_close_and_the_context_manager_are_the_same(c):
    sess = tf.Session()
    assert sess.run(c) == 30.0
    sess.close()

    with tf.Session() as other:
        assert other.run(c) == 30.0

    for closed in (sess, other):
        with pytest.raises(RuntimeError):
            closed.run(c)


def test_soft_placement_and_logging_of_placements(c, capfd):
    sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True, log_device_placement=True))
    assert sess.run(c) == 30.0
    assert "mul: (Mul): /job:localhost/replica:0/task:0/device:CPU:0" in capfd.readouterr().err.splitlines()


def test_arguments_of_a_session(c, graph):
    assert tf.Session("", graph, tf.ConfigProto()).run(c) == 30.0
    assert tf.Session(target="", graph=None, config=None).graph is graph
    with pytest.raises(tf.errors.OpError):
        tf.Session(target="another engine")


def test_what_each_kind_of_fetch_gives(c):
    sess = tf.Session()
    assert sess.run(c.op) is None
    vector = sess.run(tf.stack([c, c]))
    assert isinstance(vector, np.ndarray)
    assert vector.tolist() == [30.0, 30.0]
    sparse = sess.run(tf.SparseTensor([[1]], [c], [3]))
    assert isinstance(sparse, tf.SparseTensorValue)
    handle = sess.run(tf.get_session_handle(c))
    assert handle.eval() == 30.0
    assert sess.run({"c": c, "list": [c, c.op]}) == {"c": 30.0, "list": [30.0, None]}


def test_what_each_kind_of_key_takes():
    x = tf.placeholder(tf.float32, [2], name="x")
    sess = tf.Session()
    for value in ([1, 2], (1.0, 2.0), np.array([1, 2])):
        assert sess.run(x * 2.0, {x: value}).tolist() == [2.0, 4.0]
    scalar, text = tf.placeholder(tf.float32), tf.placeholder(tf.string)
    assert sess.run([scalar, text], {scalar: 3, text: "three"}) == [3.0, b"three"]
    with pytest.raises(
        ValueError, match=r"Cannot feed value of shape \(3,\) for Tensor 'x:0', which has shape '\(2,\)'"
    ):
        sess.run(x, {x: [1.0, 2.0, 3.0]})
    sparse = tf.sparse_placeholder(tf.float32)
    value = tf.SparseTensorValue([[0]], [5.0], [1])
    assert sess.run(sparse.values, {sparse: value}).tolist() == [5.0]
    with pytest.raises(ValueError, match="could not convert string to float"):
        sess.run(scalar, {scalar: "not a number"})


def test_a_feed_overrides_the_value_of_a_tensor(c):
    a = tf.constant(1.0)
    b = a + 1.0
    assert tf.Session().run(b * 10.0, {b: 5.0}) == 50.0


def test_options_and_metadata():
    x = tf.placeholder(tf.float32, [])
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    assert tf.Session().run(x * 6.0, {x: 5.0}, options=options, run_metadata=metadata) == 30.0
    assert "mul" in [node.node_name for node in metadata.step_stats.dev_stats[0].node_stats]


def test_which_exceptions_run_raises(c):
    x = tf.placeholder(tf.float32)
    sess = tf.Session()
    for fetches, feed_dict in ((1.0, None), (None, None), (c, {3: 1.0}), (c, {c.op: 1.0})):
        with pytest.raises(TypeError):
            sess.run(fetches, feed_dict)
    with tf.Graph().as_default():
        foreign = tf.constant(1.0)
    for fetches in ("nothing:0", foreign, "x:y"):
        with pytest.raises(ValueError):
            sess.run(fetches)
    with pytest.raises(tf.OpError):
        sess.run(x)
    sess.close()
    with pytest.raises(RuntimeError):
        sess.run(c)


def test_as_default_does_not_close_the_session(c, capsys):
    sess = tf.Session()

    with sess.as_default():
        assert tf.get_default_session() is sess
        print(c.eval())
    # ...
    with sess.as_default():
        print(c.eval())

    sess.close()
    assert capsys.readouterr().out == "30.0\n30.0\n"


def test_the_default_session_belongs_to_its_thread(c):
    results = []

    def work(sess):
        results.append(tf.get_default_session())
        with sess.as_default():
            results.append(c.eval())

    with tf.Session() as sess:
        thread = threading.Thread(target=work, args=(sess,))
        thread.start()
        thread.join()
    assert results == [None, 30.0]


def test_an_interactive_session_needs_not_be_passed(capsys):
    sess = tf.InteractiveSession()
    a = tf.constant(5.0)
    b = tf.constant(6.0)
    c = a * b
    # We can just use 'c.eval()' without passing 'sess'
    print(c.eval())
    sess.close()
    assert capsys.readouterr().out == "30.0\n"


def test_a_session_in_a_with_statement_is_the_default(capsys):
    a = tf.constant(5.0)
    b = tf.constant(6.0)
    c = a * b
    with tf.Session():
        # We can also use 'c.eval()' here.
        print(c.eval())
    assert capsys.readouterr().out == "30.0\n"


@pytest.mark.parametrize(("name", "code"), CODES.items())
def test_each_error_class(name, code, c):
    cls = getattr(tf.errors, name)
    error = cls(None, c.op, "what went wrong")
    assert isinstance(error, tf.OpError)
    assert tf.OpError is tf.errors.OpError
    assert (error.op, error.message, error.error_code) == (c.op, "what went wrong", code)
    assert str(error).startswith("what went wrong")


def test_the_base_of_errors_takes_a_code():
    error = tf.OpError(None, None, "what went wrong", 7)
    assert (error.node_def, error.op, error.error_code) == (None, None, 7)
    assert tf.errors.UnknownError(None, None, "lost").error_code == 2
    assert tf.errors.UnknownError(None, None, "lost", error_code=42).error_code == 42


def test_errors_of_running_know_their_operation():
    matrix = tf.placeholder(tf.float32)
    product = tf.matmul(matrix, [[1.0], [2.0]], name="product")
    shaped = tf.reshape(matrix, [2, 3], name="shaped")
    v = tf.Variable(1.0, name="v")
    sess = tf.Session()
    for fetch, value, cls in (
        (product, [1.0, 2.0], tf.errors.InvalidArgumentError),
        (shaped, [1.0, 2.0], tf.errors.InvalidArgumentError),
        (v, 0.0, tf.errors.FailedPreconditionError),
    ):
        with pytest.raises(cls) as raised:
            sess.run(fetch, {matrix: value})
        assert raised.value.op is fetch.op
        assert raised.value.node_def.name == fetch.op.name
