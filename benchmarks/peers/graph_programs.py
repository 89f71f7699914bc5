"""The cases as TensorFlow-1 programs, for sessile and for TensorFlow itself."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from benchmarks import cases


def prepare(tf: Any, case: cases.Case) -> Callable[[], object]:
    """A function that runs the case once in a session of `tf`."""
    tf.reset_default_graph()
    return getattr(_Programs(tf), case.kind)(case.size)


class _Programs:
    def __init__(self, tf: Any) -> None:
        self.tf = tf

    def _runner(self, fetches: Any, feeds: dict[Any, Any]) -> Callable[[], object]:
        session = self.tf.Session()
        session.run(self.tf.global_variables_initializer())
        return lambda: session.run(fetches, feeds)

    def three_scalars(self, size: int) -> Callable[[], object]:
        a, b, c = (self.tf.placeholder(self.tf.float32, []) for _ in range(3))
        return self._runner(a * b + c, dict(zip((a, b, c), cases.scalars(), strict=True)))

    def ten_vectors(self, size: int) -> Callable[[], object]:
        feeds = [self.tf.placeholder(self.tf.float32, [size]) for _ in range(10)]
        fetches = [feeds[2 * k] * feeds[2 * k + 1] + float(k) for k in range(5)]
        return self._runner(fetches, dict(zip(feeds, cases.vectors(size), strict=True)))

    def elementwise(self, size: int) -> Callable[[], object]:
        x, y = (self.tf.placeholder(self.tf.float32, [None]) for _ in range(2))
        z = self.tf.maximum((x + y) * x - y * 0.5, 0.1) * x + 1.0
        return self._runner(z, dict(zip((x, y), cases.pair(size), strict=True)))

    def transcendental(self, size: int) -> Callable[[], object]:
        x, y = (self.tf.placeholder(self.tf.float32, [None]) for _ in range(2))
        z = self.tf.tanh(x) * self.tf.exp(-y) + self.tf.sigmoid(x * y)
        return self._runner(z, dict(zip((x, y), cases.pair(size), strict=True)))

    def softmax(self, size: int) -> Callable[[], object]:
        x = self.tf.placeholder(self.tf.float32, [None, 1000])
        return self._runner(self.tf.nn.softmax(x), {x: cases.matrix(size, 1000)})

    def matmul(self, size: int) -> Callable[[], object]:
        x, y = (self.tf.placeholder(self.tf.float32, [None, None]) for _ in range(2))
        return self._runner(self.tf.matmul(x, y), {x: cases.matrix(size, size), y: cases.matrix(size, size)})

    def mlp_step(self, size: int) -> Callable[[], object]:
        tf = self.tf
        x_value, y_value, parameters = cases.mlp_data(size)
        x = tf.placeholder(tf.float32, [None, x_value.shape[1]])
        y = tf.placeholder(tf.float32, [None, y_value.shape[1]])
        hidden = x
        for index, (weights, bias) in enumerate(parameters):
            hidden = tf.matmul(hidden, tf.Variable(weights)) + tf.Variable(bias)
            hidden = tf.nn.relu(hidden) if index + 1 < len(parameters) else hidden
        loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=y, logits=hidden))
        train_op = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
        return self._runner([train_op, loss], {x: x_value, y: y_value})
