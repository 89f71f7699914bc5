"""Seed 003: the value of a variable lives in a session, and each session has its own."""

import pytest

import sessile as tf


def test_a_variable_in_three_sessions(capsys):
    graph = tf.Graph()
    with graph.as_default():
        variable = tf.Variable(42, name="foo")
        initialize = tf.initialize_all_variables()
        assign = variable.assign(13)

    with tf.Session(graph=graph) as sess:
        sess.run(initialize)
        sess.run(assign)
        print(sess.run(variable))
    assert capsys.readouterr().out == "13\n"

    with tf.Session(graph=graph) as sess:
        with pytest.raises(tf.errors.FailedPreconditionError, match="Attempting to use uninitialized value foo"):
            print(sess.run(variable))
        assert capsys.readouterr().out == ""

    with tf.Session(graph=graph) as sess:
        sess.run(initialize)
        print(sess.run(variable))
    assert capsys.readouterr().out == "42\n"


def test_the_default_graph_is_there_already(capsys):
    tf.reset_default_graph()
    variable = tf.Variable(42, name="foo")
    initialize = tf.initialize_all_variables()
    assign = variable.assign(13)
    with tf.Session() as sess:
        sess.run(initialize)
        sess.run(assign)
        print(sess.run(variable))
    assert capsys.readouterr().out == "13\n"
