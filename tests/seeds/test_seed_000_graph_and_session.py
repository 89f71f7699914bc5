"""Seed 000: two graphs with a variable each, and the errors for running one in the other's session."""

import pytest

import sessile as tf

NOT_OF_THIS_GRAPH = " is not an element of this graph."
INIT_OF_GRAPH_2 = 'Operation name: "init"\nop: "NoOp"\ninput: "^graph_2_W/Assign"\n' + NOT_OF_THIS_GRAPH
W_OF_GRAPH_2 = 'Tensor("graph_2_W:0", shape=(), dtype=int32_ref)' + NOT_OF_THIS_GRAPH


@pytest.fixture
def program():
    class Program:
        graph_1 = tf.Graph()
        with graph_1.as_default():
            W_1 = tf.Variable(100, name="graph_1_W")
            init_graph_1 = tf.global_variables_initializer()

        graph_2 = tf.Graph()
        with graph_2.as_default():
            W_2 = tf.Variable(200, name="graph_2_W")
            init_graph_2 = tf.global_variables_initializer()

    return Program


def test_each_graph_has_its_session(program, capsys):
    with tf.Session(graph=program.graph_1) as sess:
        sess.run(program.init_graph_1)
        print(sess.run(program.W_1))
    assert capsys.readouterr().out == "100\n"


def test_an_initialiser_of_another_graph(program):
    with tf.Session(graph=program.graph_1) as sess:
        with pytest.raises(ValueError) as raised:
            sess.run(program.init_graph_2)
        assert INIT_OF_GRAPH_2 in str(raised.value)
        with pytest.raises(tf.errors.FailedPreconditionError, match="Attempting to use uninitialized value graph_1_W"):
            print(sess.run(program.W_1))


def test_a_variable_of_another_graph(program):
    with tf.Session(graph=program.graph_1) as sess:
        sess.run(program.init_graph_1)
        with pytest.raises(ValueError) as raised:
            print(sess.run(program.W_2))
    message = str(raised.value)
    assert f"Tensor {W_OF_GRAPH_2}" in message
    # then which graph it belongs to, which one the session runs, and where each was made
    assert message.count(f"{__file__}:") + message.count("test_seed_000_graph_and_session.py:") >= 3


def test_the_errors_that_the_document_begins_with():
    with tf.Graph().as_default():
        val = tf.Variable(1, name="val")
        init = tf.global_variables_initializer()
    sess = tf.Session(graph=tf.Graph())
    with sess.graph.as_default():
        tf.constant(1)
    with pytest.raises(ValueError) as raised:
        sess.run(init)
    assert 'Operation name: "init"\nop: "NoOp"\ninput: "^val/Assign"\n' + NOT_OF_THIS_GRAPH in str(raised.value)
    with pytest.raises(ValueError) as raised:
        sess.run(val)
    assert 'Tensor Tensor("val:0", shape=(), dtype=int32_ref)' + NOT_OF_THIS_GRAPH in str(raised.value)
