"""Trains the perceptron of `digits.py` and compiles it to a C library, with the digits that it has not seen.

    python make_library.py build [target]

writes `digits.h`, `digits.o`, `libdigits.a` and `libdigits.so` to the folder `build`, and what `classify.c` reads:
`images.bin` (float32 [360, 64]), `answers.bin` (uint8 [360]), and `expected.bin`, the probabilities (float32 [360, 10])
that the session computes. The target is a processor, such as `x86-64-v3`; without one it is this machine's.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

import sessile as tf

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from digits import HELD_OUT, batches, load_digits, perceptron

STEPS, BATCH_SIZE = 600, 64


def build(folder: Path, target: str) -> None:
    """Trains, compiles, and writes the files."""
    pixels, digits = load_digits()
    with tf.Graph().as_default() as graph:
        images = tf.placeholder(tf.float32, [None, 64], name="images")
        labels = tf.placeholder(tf.int64, [None], name="labels")
        logits = perceptron(images, tf.constant(1.0))
        loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
        train = tf.train.AdamOptimizer(1e-3).minimize(loss)
        fetches = {"probabilities": tf.nn.softmax(logits), "digits": tf.argmax(logits, 1)}
        config = tf.ConfigProto()  # compiled code from the first run on: its results are those of C to the bit
        config.graph_options.optimizer_options.global_jit_level = tf.OptimizerOptions.ON_1
        with tf.Session(config=config) as session:
            session.run(tf.global_variables_initializer())
            for chosen in batches(len(pixels) - HELD_OUT, BATCH_SIZE, STEPS):
                session.run(train, {images: pixels[HELD_OUT:][chosen], labels: digits[HELD_OUT:][chosen]})
            expected = session.run(fetches["probabilities"], {images: pixels[:HELD_OUT]})
            written = tf.aot.compile_c_library(
                graph, fetches, {images: ["batch", 64]}, folder, "digits", session=session, target=target
            )
    for note in written.notes:
        print(note)
    pixels[:HELD_OUT].tofile(folder / "images.bin")
    digits[:HELD_OUT].astype(np.uint8).tofile(folder / "answers.bin")
    expected.tofile(folder / "expected.bin")


if __name__ == "__main__":
    build(Path(sys.argv[1] if len(sys.argv) > 1 else "build"), sys.argv[2] if len(sys.argv) > 2 else "native")
