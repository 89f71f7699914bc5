"""The warning for a graph that grows between runs."""

import warnings

import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def build(x):
    return tf.exp(x) + 1.0


def line_of(text):
    with open(__file__, encoding="utf-8") as lines:
        return next(number for number, line in enumerate(lines, 1) if text in line)


def test_new_fetches_in_a_loop_are_told_once_with_the_line_that_makes_them():
    x = tf.placeholder(tf.float32, [])
    sess = tf.Session()
    with pytest.warns(RuntimeWarning, match="the graph has grown before each of 10 runs by this line") as warned:
        for _ in range(25):
            y = build(x)  # grows here
            sess.run(y, {x: 1.0})  # runs here
    (warning,) = warned
    assert (warning.filename, warning.lineno) == (__file__, line_of("# runs here"))
    message = str(warning.message)
    assert f"made at {__file__}:{line_of('# grows here')} (y = build(x)" in message
    assert "3 operations came since the last one" in message


def test_growth_beside_a_repeated_call_is_told():
    x = tf.constant(1.0)
    sess = tf.Session()
    with pytest.warns(RuntimeWarning, match="such as 'Identity_9'") as warned:
        for _ in range(15):
            sess.run(x)
            tf.identity(x)
    assert len(warned) == 1


def test_a_graph_that_stays_as_it_is_gives_no_warning():
    x = tf.placeholder(tf.float32, [None])
    y, z = tf.exp(x), x * 2.0
    sess = tf.Session()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for step in range(30):
            sess.run(y if step % 3 else [y, z], {x: [1.0] * step})


def test_nodes_that_a_call_does_not_need_invalidate_nothing(graph):
    x = tf.placeholder(tf.float32, [])
    y = x * 2.0
    sess = tf.Session()
    sess.run(y, {x: 1.0})
    plans = dict(sess._plans)
    tf.exp(x)
    assert sess.run(y, {x: 2.0}) == 4.0
    assert sess._plans == plans


def test_what_is_made_later_can_be_run():
    x = tf.constant(2.0)
    sess = tf.Session()
    assert sess.run(x) == 2.0
    assert sess.run(x * 3.0) == 6.0
