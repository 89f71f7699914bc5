"""What a new batch size costs: `python -m benchmarks.binding [--layers N] [--sizes N]`.

A perceptron of many small layers is run with one batch size after another, each twice. The first run binds the program
to the size, the second finds it bound; their difference is what binding takes, the memory for the new size included.
Beside it stands the making of the executable alone, and of one that takes over the memory of another.
"""

from __future__ import annotations

import argparse
import os
import statistics
import time
from collections.abc import Callable
from typing import Any

import numpy as np

os.environ.setdefault("SESSILE_JIT", "always")
WIDTH = 16


def seconds(work: Callable[..., object], *arguments: object) -> float:
    started = time.perf_counter()
    work(*arguments)
    return time.perf_counter() - started


def build(tf: Any, layers: int, training: bool) -> tuple[Any, Any]:
    """What is fetched, and the placeholder of the batch."""
    x = tf.placeholder(tf.float32, [None, WIDTH])
    random = np.random.RandomState(0)
    hidden = x
    for _ in range(layers):
        weights = tf.Variable(random.standard_normal((WIDTH, WIDTH)).astype(np.float32) / WIDTH**0.5)
        hidden = tf.nn.relu(tf.matmul(hidden, weights) + tf.Variable(np.zeros(WIDTH, np.float32)))
    loss = tf.reduce_mean(hidden)
    return ([tf.train.AdamOptimizer(1e-3).minimize(loss), loss] if training else hidden), x


def measure(layers: int, sizes: int, training: bool) -> str:
    """A line of the table."""
    import sessile as tf
    from sessile.compiler.executable import Executable

    graph = tf.Graph()
    with graph.as_default(), tf.Session() as session:
        fetched, x = build(tf, layers, training)
        session.run(tf.global_variables_initializer())
        session.run(fetched, {x: np.zeros((1, WIDTH), np.float32)})
        program = [p for found in graph.__dict__["_programs"].values() for p in found][-1]
        differences = []
        for size in range(2, 2 + sizes):
            feeds = {x: np.zeros((size, WIDTH), np.float32)}
            first, again = (seconds(session.run, fetched, feeds) for _ in range(2))
            differences.append(first - again)
        (native,) = program._natives.values()
        state, threads = session._variables, session.options.execution().threads
        (symbol,) = program.program.symbols
        made, rebound = [], []
        spare = Executable(native, {symbol: 2 + sizes}, state, threads, state.generation)
        for size in range(2, 2 + sizes):
            arguments = (native, {symbol: size}, state, threads, state.generation)
            made.append(seconds(Executable, *arguments))
            rebound.append(seconds(Executable, *arguments, spare))
        kernels = sum(len(layout.instructions) for layout in native.layouts if layout)
        columns = [1e6 * statistics.median(times) for times in (differences, made, rebound)]
        return f"{len(program.program.instructions):>12,}{kernels:>10,}" + "".join(f"{c:>16,.0f} µs" for c in columns)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.binding", description=__doc__)
    parser.add_argument("--layers", type=int, default=165, help="layers of the perceptron; 165 make 1,000 instructions")
    parser.add_argument("--sizes", type=int, default=100, help="how many batch sizes")
    arguments = parser.parse_args()
    titles = ("first run less second", "new executable", "in old memory")
    print(f"{'instructions':>12}{'kernels':>10}" + "".join(f"{title:>19}" for title in titles))
    print(measure(arguments.layers, arguments.sizes, training=False))
    print(measure(arguments.layers // 6, arguments.sizes, training=True))


if __name__ == "__main__":
    main()
