"""Seed 004: building and running in two phases; `eval` inside `with`, interactive sessions, names from functions."""

import re

import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def sess_config():
    return tf.ConfigProto(gpu_options=tf.GPUOptions(allow_growth=True))


def test_the_version_is_one_of_tensorflow_1():
    assert re.fullmatch(r"TensorFlow version: 1\.\d+\.\d+", f"TensorFlow version: {tf.VERSION}")


def test_a_sum_is_shown_as_a_tensor_and_computed_in_sessions(sess_config, capsys):
    a = tf.add(3, 5)
    print(a)
    assert capsys.readouterr().out == 'Tensor("Add:0", shape=(), dtype=int32)\n'

    sess = tf.Session(config=sess_config)
    print(sess.run(a))
    sess.close()

    with tf.Session(config=sess_config) as sess:
        print(sess.run(a))

    with tf.Session(config=sess_config):
        print(a.eval())

    sess = tf.InteractiveSession(config=sess_config)
    print(a.eval())
    sess.close()
    assert capsys.readouterr().out == "8\n8\n8\n8\n"


def test_a_slightly_more_complex_calculation(sess_config, capsys):
    tf.add(3, 5)
    x = 2
    y = 3
    w = tf.add(x, y)
    z = tf.multiply(x, y)
    p = tf.pow(z, w)
    print(p)
    with tf.Session(config=sess_config) as sess:
        print(sess.run(p))
    assert capsys.readouterr().out == 'Tensor("Pow:0", shape=(), dtype=int32)\n7776\n'
