"""Records a bundle of the current format as test data; later formats must still load it, or refuse it by name.

python tests/runtime/record_bundle.py      after BUNDLE_FORMAT has changed; files of older formats stay
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import sessile as tf
from sessile.compiler.aot.bundle import BUNDLE_FORMAT

FOLDER = Path(__file__).parents[1] / "data" / "bundles"


def main() -> None:
    """Compiles a small computation for any x86-64 processor."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        weights = tf.constant(np.arange(6, dtype=np.float32).reshape(3, 2))
        scores = tf.nn.relu(tf.matmul(x, weights) - 4.0, name="scores")
        target = "x86_64-unknown-linux-gnu:x86-64"
        path = FOLDER / f"format-{BUNDLE_FORMAT}.sessile"
        tf.aot.compile(graph, {"scores": scores, "best": tf.argmax(scores, 1)}, {x: ["batch", 3]}, path, target=target)


if __name__ == "__main__":
    main()
