"""The cases as TensorFlow-1 programs, for sessile and for TensorFlow itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import cases

Call = tuple[Any, dict[Any, Any]]
"""What is fetched, and what is fed."""


def prepare(tf: Any, case: cases.Case) -> Callable[[], object]:
    """A function that runs the case once in a session of `tf`."""
    fetches, feeds = build(tf, case.kind, case.size)
    session = tf.Session()
    session.run(tf.global_variables_initializer())
    return lambda: session.run(fetches, feeds)


def build(tf: Any, kind: str, size: int) -> Call:
    """The program, in a default graph of its own. Networks come in two kinds: `_step` trains, `_forward` infers."""
    tf.reset_default_graph()
    return getattr(_Programs(tf), kind)(size)


class _Programs:
    def __init__(self, tf: Any) -> None:
        self.tf = tf

    def three_scalars(self, size: int) -> Call:
        a, b, c = (self.tf.placeholder(self.tf.float32, []) for _ in range(3))
        return a * b + c, dict(zip((a, b, c), cases.scalars(), strict=True))

    def ten_vectors(self, size: int) -> Call:
        feeds = [self.tf.placeholder(self.tf.float32, [size]) for _ in range(10)]
        fetches = [feeds[2 * k] * feeds[2 * k + 1] + float(k) for k in range(5)]
        return fetches, dict(zip(feeds, cases.vectors(size), strict=True))

    def elementwise(self, size: int) -> Call:
        x, y = (self.tf.placeholder(self.tf.float32, [None]) for _ in range(2))
        z = self.tf.maximum((x + y) * x - y * 0.5, 0.1) * x + 1.0
        return z, dict(zip((x, y), cases.pair(size), strict=True))

    def transcendental(self, size: int) -> Call:
        x, y = (self.tf.placeholder(self.tf.float32, [None]) for _ in range(2))
        z = self.tf.tanh(x) * self.tf.exp(-y) + self.tf.sigmoid(x * y)
        return z, dict(zip((x, y), cases.pair(size), strict=True))

    def softmax(self, size: int) -> Call:
        x = self.tf.placeholder(self.tf.float32, [None, 1000])
        return self.tf.nn.softmax(x), {x: cases.matrix(size, 1000)}

    def matmul(self, size: int) -> Call:
        x, y = (self.tf.placeholder(self.tf.float32, [None, None]) for _ in range(2))
        return self.tf.matmul(x, y), {x: cases.matrix(size, size), y: cases.matrix(size, size)}

    def mlp_step(self, size: int) -> Call:
        return self._step(self._perceptron, *cases.mlp_data(size))

    def mlp_forward(self, size: int) -> Call:
        return self._forward(self._perceptron, *cases.mlp_data(size))

    def convnet_step(self, size: int) -> Call:
        return self._step(self._convnet, *cases.convnet_data(size))

    def convnet_forward(self, size: int) -> Call:
        return self._forward(self._convnet, *cases.convnet_data(size))

    def _step(self, network: Callable[..., Any], x_value: Any, y_value: Any, parameters: Any) -> Call:
        """A step of gradient descent, and the loss before it."""
        tf = self.tf
        x, y = (tf.placeholder(tf.float32, [None, *value.shape[1:]]) for value in (x_value, y_value))
        logits = network(x, parameters)
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=logits))
        train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        return [train_op, loss], {x: x_value, y: y_value}

    def _forward(self, network: Callable[..., Any], x_value: Any, y_value: Any, parameters: Any) -> Call:
        x = self.tf.placeholder(self.tf.float32, [None, *x_value.shape[1:]])
        return network(x, parameters), {x: x_value}

    def _perceptron(self, x: Any, parameters: cases.Parameters) -> Any:
        tf = self.tf
        for index, (weights, bias) in enumerate(parameters):
            x = tf.matmul(x, tf.Variable(weights)) + tf.Variable(bias)
            x = tf.nn.relu(x) if index + 1 < len(parameters) else x
        return x

    def _convnet(self, x: Any, parameters: cases.Parameters) -> Any:
        tf = self.tf
        for taps, bias in parameters[:2]:
            x = tf.nn.conv2d(x, tf.Variable(taps), strides=[1, 1, 1, 1], padding="SAME") + tf.Variable(bias)
            x = tf.nn.max_pool(tf.nn.relu(x), ksize=[1, 2, 2, 1], strides=[1, 2, 2, 1], padding="SAME")
        return self._perceptron(tf.reshape(x, [-1, len(parameters[2][0])]), parameters[2:])
