"""Trains a classifier of handwritten digits, as a TensorFlow-1 program would: a graph, a session, and a loop.

    python examples/digits.py                    a multilayer perceptron, about 97 % right on digits it has not seen
    python examples/digits.py --model convnet    a small convolutional network, about 99 %

Replace the import below by `import tensorflow.compat.v1 as tf` (and `tf.disable_v2_behavior()`) and it runs the same.
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

import sessile as tf

DATA = Path(__file__).parent / "data" / "digits.csv.gz"
HELD_OUT = 360


def load_digits() -> tuple[np.ndarray, np.ndarray]:
    """Images, float32 [1797, 64] in [0, 1], and their digits, int64 [1797], in a fixed random order."""
    table = np.loadtxt(DATA, delimiter=",", dtype=np.int64)
    table = table[np.random.RandomState(0).permutation(len(table))]
    return (table[:, :-1] / 16.0).astype(np.float32), table[:, -1]


def batches(count: int, size: int, steps: int) -> Iterator[np.ndarray]:
    """Indices of `steps` batches: epoch after epoch, each in an order of its own."""
    random = np.random.RandomState(1)
    order = random.permutation(count)
    position = 0
    for _ in range(steps):
        if position + size > count:
            order, position = random.permutation(count), 0
        yield order[position : position + size]
        position += size


def weights(shape: list[int], seed: int) -> tf.Variable:
    """Weights scaled for rectified units (He et al., 2015)."""
    inputs = int(np.prod(shape[:-1]))
    return tf.Variable(tf.truncated_normal(shape, stddev=float(np.sqrt(2.0 / inputs)), seed=seed), name="weights")


def dense(x: tf.Tensor, outputs: int, seed: int, name: str) -> tf.Tensor:
    """A fully connected layer without activation."""
    with tf.name_scope(name):
        bias = tf.Variable(tf.zeros([outputs]), name="bias")
        return tf.matmul(x, weights([int(x.shape[1]), outputs], seed)) + bias


def convolution(x: tf.Tensor, channels: int, seed: int, name: str) -> tf.Tensor:
    """A 3 by 3 convolution and a rectifier."""
    with tf.name_scope(name):
        bias = tf.Variable(tf.zeros([channels]), name="bias")
        taps = weights([3, 3, int(x.shape[3]), channels], seed)
        return tf.nn.relu(tf.nn.conv2d(x, taps, strides=[1, 1, 1, 1], padding="SAME") + bias)


def perceptron(images: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
    """64 pixels, two hidden layers, 10 logits."""
    hidden = tf.nn.relu(dense(images, 256, seed=1, name="hidden1"))
    hidden = tf.nn.relu(dense(hidden, 128, seed=2, name="hidden2"))
    return dense(hidden, 10, seed=3, name="logits")


def convnet(images: tf.Tensor, keep: tf.Tensor) -> tf.Tensor:
    """Two convolutions, each with pooling, a hidden layer with dropout, 10 logits."""
    x = tf.reshape(images, [-1, 8, 8, 1])
    x = convolution(x, 32, seed=1, name="convolution1")
    x = tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    x = convolution(x, 64, seed=2, name="convolution2")
    x = tf.nn.max_pool(x, ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
    x = tf.nn.relu(dense(tf.reshape(x, [-1, 2 * 2 * 64]), 128, seed=3, name="hidden"))
    return dense(tf.nn.dropout(x, keep_prob=keep, seed=4), 10, seed=5, name="logits")


MODELS: dict[str, Callable[[tf.Tensor, tf.Tensor], tf.Tensor]] = {"mlp": perceptron, "convnet": convnet}


def train(
    model: str, steps: int, batch_size: int, learning_rate: float, after_step: Callable[[int, float], None]
) -> tuple[float, float]:
    """Trains a model; returns the accuracy on held-out digits and the steps per second.

    `after_step` is told the number of each step and its loss.
    """
    pixels, digits = load_digits()
    with tf.Graph().as_default():
        images = tf.placeholder(tf.float32, [None, 64], name="images")
        labels = tf.placeholder(tf.int64, [None], name="labels")
        keep = tf.placeholder_with_default(1.0, [], name="keep")
        logits = MODELS[model](images, keep)
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        accuracy = tf.reduce_mean(tf.cast(tf.equal(tf.argmax(logits, 1), labels), tf.float32))
        train_op = tf.train.AdamOptimizer(learning_rate).minimize(loss)
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            started = time.perf_counter()
            for step, chosen in enumerate(batches(len(pixels) - HELD_OUT, batch_size, steps)):
                feeds = {images: pixels[HELD_OUT:][chosen], labels: digits[HELD_OUT:][chosen], keep: 0.5}
                _, value = session.run([train_op, loss], feed_dict=feeds)
                after_step(step, float(value))
            seconds = time.perf_counter() - started
            right = session.run(accuracy, {images: pixels[:HELD_OUT], labels: digits[:HELD_OUT]})
    return float(right), steps / seconds


def show(model: str, steps: int, batch_size: int, learning_rate: float) -> None:
    """Trains with a progress bar and prints a table of what came out."""
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
    from rich.table import Table

    columns = [TextColumn("training {task.fields[model]}"), BarColumn(), MofNCompleteColumn()]
    columns += [TextColumn("loss {task.fields[loss]:.4f}"), TimeRemainingColumn()]
    with Progress(*columns) as progress:
        task = progress.add_task("", total=steps, model=model, loss=float("nan"))
        accuracy, rate = train(
            model,
            steps,
            batch_size,
            learning_rate,
            lambda step, loss: progress.update(task, completed=step + 1, loss=loss),
        )
    kernels = tf.kernel_statistics()
    table = Table(title=f"Handwritten digits, {model}", show_header=False)
    table.add_row("held-out accuracy", f"{100 * accuracy:.1f} %")
    table.add_row("steps per second", f"{rate:,.0f}")
    table.add_row("kernels compiled", str(kernels.compiled))
    table.add_row("kernels reused", str(kernels.reused))
    table.add_row("kernels loaded from the store", str(kernels.loaded))
    Console().print(table)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", choices=sorted(MODELS), default="mlp")
    parser.add_argument("--steps", type=int, default=2000)
    parser.add_argument("--batch-size", type=int, default=64)
    parser.add_argument("--learning-rate", type=float, default=1e-3)
    arguments = parser.parse_args()
    show(arguments.model, arguments.steps, arguments.batch_size, arguments.learning_rate)
