"""TensorFlow, by its version-1 interface."""

from __future__ import annotations

import os
from collections.abc import Callable

from benchmarks import cases
from benchmarks.peers import graph_programs

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")


def prepare(case: cases.Case) -> Callable[[], object]:
    """A function that runs the case once."""
    import tensorflow.compat.v1 as tf

    tf.disable_v2_behavior()
    return graph_programs.prepare(tf, case)
