"""Models that tests build with both libraries: their graphs and their first steps of training must be the same.

Each is a function of the library (`sessile`, or TensorFlow while recording) that fills the default graph; its inputs
are `x` and `labels`, its outputs `loss` and `logits`; `train` is the operation of one step, `init` that of the start.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

STEPS = 5


def multilayer_perceptron(tf: Any) -> None:
    """Two layers, one of them by get_variable, trained by Adam."""
    x = tf.placeholder(tf.float32, [None, 6], name="x")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    with tf.variable_scope("hidden"):
        weights = tf.get_variable("weights", [6, 5], initializer=tf.truncated_normal_initializer(stddev=0.5, seed=3))
        biases = tf.get_variable("biases", [5], initializer=tf.zeros_initializer())
        hidden = tf.nn.relu(tf.matmul(x, weights) + biases)
    weights = tf.Variable(tf.random_normal([5, 3], stddev=0.5, seed=4), name="weights")
    biases = tf.Variable(tf.constant(0.1, shape=[3]), name="biases")
    logits = tf.identity(tf.matmul(hidden, weights) + biases, name="logits")
    _train(tf, logits, labels, tf.train.AdamOptimizer(0.05))
    correct = tf.equal(tf.argmax(logits, 1), labels)
    tf.reduce_mean(tf.cast(correct, tf.float32), name="accuracy")


def convolutional_network(tf: Any) -> None:
    """Convolution, pooling and a dense layer, trained by momentum."""
    x = tf.placeholder(tf.float32, [None, 64], name="x")
    labels = tf.placeholder(tf.int64, [None], name="labels")
    images = tf.reshape(x, [-1, 8, 8, 1])
    with tf.name_scope("convolution"):
        filters = tf.Variable(tf.random_normal([3, 3, 1, 4], stddev=0.3, seed=5), name="filters")
        maps = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(images, filters, [1, 1, 1, 1], "SAME"), tf.zeros([4])))
        pooled = tf.nn.max_pool(maps, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")
    with tf.name_scope("dense"):
        flat = tf.reshape(pooled, [-1, 64])
        weights = tf.Variable(tf.random_uniform([64, 3], -0.2, 0.2, seed=6), name="weights")
        logits = tf.matmul(flat, weights)
    logits = tf.identity(logits, name="logits")
    _train(tf, logits, labels, tf.train.MomentumOptimizer(0.05, 0.9))


def _train(tf: Any, logits: Any, labels: Any, optimizer: Any) -> None:
    losses = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)
    loss = tf.reduce_mean(losses, name="loss")
    step = tf.Variable(0, trainable=False, name="step")
    optimizer.minimize(loss, global_step=step, name="train")
    tf.global_variables_initializer()


MODELS: dict[str, Callable[[Any], None]] = {
    "multilayer_perceptron": multilayer_perceptron,
    "convolutional_network": convolutional_network,
}


def graph_of(tf: Any, name: str) -> Any:
    """A graph with the model, whose variables are of the kind that TensorFlow 1 makes."""
    graph = tf.Graph()
    with graph.as_default():
        tf.set_random_seed(7)
        MODELS[name](tf)
    return graph


def data_for(graph: Any) -> dict[str, np.ndarray]:
    """Inputs and labels, the same in each run."""
    random = np.random.RandomState(1)
    size = graph.get_tensor_by_name("x:0").shape.as_list()[1]
    return {"x:0": random.standard_normal((16, size)).astype(np.float32), "labels:0": random.randint(0, 3, 16)}


def first_steps(tf: Any, graph: Any) -> dict[str, np.ndarray]:
    """The losses of the first steps, and the logits after them."""
    feeds = data_for(graph)
    with tf.Session(graph=graph) as session:
        session.run("init")
        losses = [session.run(["loss:0", "train"], feeds)[0] for _ in range(STEPS)]
        return {"losses": np.array(losses), "logits": session.run("logits:0", feeds)}
