"""Failed runs, threads, and forks: a session goes on working, and no variable is half-written."""

import os
import pickle
import threading

import numpy as np
import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_a_failed_run_changes_no_variable():
    v = tf.Variable([1.0, 2.0])
    w = tf.Variable([0.0, 0.0])
    index = tf.placeholder(tf.int32, [], name="index")
    step = tf.group(v.assign_add([1.0, 1.0]), w.assign(v + tf.gather([1.0, 2.0], index)))
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    for bad in (7, -1):
        with pytest.raises(tf.errors.InvalidArgumentError, match=f"indices = {bad} is not in"):
            sess.run(step, {index: bad})
        assert sess.run([v, w])[0].tolist() == [1.0, 2.0]
    sess.run(step, {index: 0})
    assert sess.run(v).tolist() == [2.0, 3.0]


def test_every_kind_of_mistake_leaves_the_session_working():
    x = tf.placeholder(tf.float32, [2], name="x")
    y = x * 2.0
    sess = tf.Session()
    mistakes = [
        (y, {}),
        (y, {x: [1.0]}),
        (y, {x: "text"}),
        (y, {"unknown:0": 1.0}),
        ([y, None], {x: [1.0, 2.0]}),
        (y, [x]),
    ]
    assert sess.run(y, {x: [1.0, 2.0]}).tolist() == [2.0, 4.0]
    for fetches, feed_dict in mistakes:
        with pytest.raises((tf.errors.InvalidArgumentError, TypeError, ValueError)):
            sess.run(fetches, feed_dict)
        assert sess.run(y, {x: [1.0, 2.0]}).tolist() == [2.0, 4.0]


def test_errors_hold_the_operation():
    i = tf.placeholder(tf.int32, [])
    y = tf.gather([1.0, 2.0], i, name="pick")
    with pytest.raises(tf.errors.InvalidArgumentError) as raised:
        tf.Session().run(y, {i: 9})
    error = raised.value
    assert error.op is y.op
    assert error.error_code == tf.errors.INVALID_ARGUMENT == 3
    assert f"[[node pick (defined at {__file__}:" in error.message
    assert 'y = tf.gather([1.0, 2.0], i, name="pick")' in str(error)
    assert error.node_def.name == "pick"
    copy = pickle.loads(pickle.dumps(error))
    assert (type(copy), copy.message, copy.node_def.name) == (type(error), error.message, "pick")


def test_eight_threads_share_a_session():
    x = tf.placeholder(tf.float32, [None])
    y = tf.reduce_sum(x * 2.0) + 1.0
    total = tf.Variable(0)
    add = total.assign_add(1)
    sess = tf.Session()
    sess.run(total.initializer)
    wrong = []
    start = threading.Barrier(8)

    def work(number):
        start.wait()
        for step in range(40):
            size = (number + step) % 5 + 1
            result = sess.run([y, {"y": y}], {x: np.full(size, number, np.float32)})
            if result != [2.0 * size * number + 1.0, {"y": 2.0 * size * number + 1.0}]:
                wrong.append((number, size, result))
            sess.run(add)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []
    assert sess.run(total) == 320


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_after_fork_runs_on():
    x = tf.placeholder(tf.float32, [None])
    v = tf.Variable([1.0, 2.0])
    y = x + v
    sess = tf.Session()
    sess.run(v.initializer)
    for _ in range(3):
        sess.run(y, {x: [1.0, 1.0]})
    read, write = os.pipe()
    child = os.fork()
    if child == 0:
        right = sess.run(y, {x: [3.0, 3.0]}).tolist() == [4.0, 5.0]
        right = right and tf.Session().run(y * 2.0, {x: [1.0, 1.0], v: [0.0, 1.0]}).tolist() == [2.0, 4.0]
        sess.run(v.assign([0.0, 0.0]))
        os.write(write, b"right" if right else b"wrong")
        os._exit(0)
    assert os.read(read, 5) == b"right"
    assert os.waitpid(child, 0)[1] == 0
    assert sess.run(v).tolist() == [1.0, 2.0]
