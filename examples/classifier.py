"""Models for the command line: functions that build a graph, and return what to fetch.

sessile inspect examples/classifier.py:classify
sessile compile examples/classifier.py:classify --feed 'images:float32[batch,64]' -o digits.sessile
sessile bench examples/classifier.py:train --size ?=64
"""

from __future__ import annotations

import sessile as tf


def dense(x: tf.Tensor, outputs: int, name: str) -> tf.Tensor:
    """A fully connected layer without activation."""
    with tf.name_scope(name):
        deviation = (2.0 / int(x.shape[1])) ** 0.5
        weights = tf.Variable(tf.truncated_normal([int(x.shape[1]), outputs], stddev=deviation, seed=1), name="weights")
        bias = tf.Variable(tf.zeros([outputs]), name="bias")
        return tf.matmul(x, weights) + bias


def logits_of(images: tf.Tensor) -> tf.Tensor:
    """Two hidden layers and 10 logits."""
    hidden = tf.nn.relu(dense(images, 256, "hidden1"))
    hidden = tf.nn.relu(dense(hidden, 128, "hidden2"))
    return dense(hidden, 10, "logits")


def classify() -> dict[str, tf.Tensor]:
    """The probabilities of ten digits, and the most probable one."""
    logits = logits_of(tf.placeholder(tf.float32, [None, 64], name="images"))
    return {"probabilities": tf.nn.softmax(logits), "digit": tf.argmax(logits, 1)}


def train() -> list[tf.Tensor | tf.Operation]:
    """One step of Adam: the loss before it, and the step."""
    images = tf.placeholder(tf.float32, [None, 64], name="images")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits_of(images), name="losses")
    loss = tf.reduce_mean(losses, name="loss")
    return [loss, tf.train.AdamOptimizer(1e-3).minimize(loss, name="step")]
