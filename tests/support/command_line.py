"""Calls the command line in this process, and the models that its tests are about."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from sessile.runtime.command_line.main import command_line

MODEL = '''
"""A small classifier, in several guises."""

import numpy as np

import sessile as tf


def layers(x):
    with tf.name_scope("hidden"):
        weights = tf.Variable(np.arange(12, dtype=np.float32).reshape(4, 3) / 10, name="weights")
        hidden = tf.nn.relu(tf.matmul(x, weights) - 1.0)
    return tf.nn.softmax(hidden, name="probabilities")


def build():
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    probabilities = layers(x)
    return {"probabilities": probabilities, "digit": tf.argmax(probabilities, 1, name="digit")}


def with_session():
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    scale = tf.Variable(1.0, name="scale")
    session = tf.Session()
    session.run(scale.assign(3.0))
    return {"fetches": tf.multiply(x, scale, name="scaled"), "feeds": [x], "session": session}


def two_inputs():
    a = tf.placeholder(tf.float32, [None], name="a")
    b = tf.placeholder(tf.float32, [None], name="b")
    return tf.add(tf.multiply(a, 2.0, name="doubled"), b, name="total")


def train():
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    loss = tf.reduce_mean(tf.square(layers(x)), name="loss")
    return [loss, tf.train.GradientDescentOptimizer(0.1).minimize(loss, name="step")]


def silent():
    tf.placeholder(tf.float32, [2], name="x")


def needs_a_size(size):
    return tf.zeros([size])


def broken():
    return tf.matmul(tf.zeros([2, 3]), tf.zeros([2, 3]))


def returns_a_number():
    return 3.0

'''


def write_model(folder: Path) -> Path:
    """Writes the models to a file in a folder, and returns its path."""
    path = folder / "model.py"
    path.write_text(MODEL, encoding="utf-8")
    return path


def sessile(*arguments: Any, input: str | None = None) -> Result:
    """What a command prints, and its exit code. An exception that escapes the command line fails the test."""
    result = CliRunner().invoke(command_line, list(map(str, arguments)), input=input, prog_name="sessile")
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    assert "Traceback" not in result.stderr, result.stderr
    return result
