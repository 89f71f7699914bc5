"""Records graphs as TensorFlow writes them, and what they compute: `python record_graph_defs.py`.

Runs in an environment with TensorFlow; writes `tests/data/graph_defs/`. Where `<model>.ours.pb` is there (the same
model as this library writes it, made by `pytest --update-golden`), TensorFlow must accept and run it: what it computes
is kept.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import tensorflow.compat.v1 as tf

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.graph_models import MODELS, first_steps, graph_of

tf.disable_v2_behavior()
tf.disable_resource_variables()
tf.disable_control_flow_v2()
FOLDER = Path(__file__).parents[1] / "data" / "graph_defs"


def loop() -> tf.Graph:
    """A while loop, whose nodes depend on each other in a circle."""
    with tf.Graph().as_default() as graph:
        start = tf.placeholder(tf.int32, [], name="start")
        tf.while_loop(lambda i, s: i < 10, lambda i, s: [i + 1, s + i], [start, tf.constant(0)], name="loop")
    return graph


def record_model(name: str) -> None:
    graph = graph_of(tf, name)
    (FOLDER / f"{name}.pb").write_bytes(graph.as_graph_def(add_shapes=True).SerializeToString())
    values = first_steps(tf, graph)
    ours = FOLDER / f"{name}.ours.pb"
    if ours.exists():
        with tf.Graph().as_default() as imported:
            tf.import_graph_def(tf.GraphDef.FromString(ours.read_bytes()), name="")
        values |= {f"ours_{key}": value for key, value in first_steps(tf, imported).items()}
    np.savez(FOLDER / f"{name}.npz", **values)


if __name__ == "__main__":
    FOLDER.mkdir(parents=True, exist_ok=True)
    for model in MODELS:
        record_model(model)
    (FOLDER / "loop.pb").write_bytes(loop().as_graph_def(add_shapes=True).SerializeToString())
