"""sessile, with its kernels compiled before the first run."""

from __future__ import annotations

import os
from collections.abc import Callable

from benchmarks import cases
from benchmarks.peers import graph_programs

os.environ.setdefault("SESSILE_JIT", "always")


def prepare(case: cases.Case) -> Callable[[], object]:
    """A function that runs the case once."""
    import sessile as tf

    return graph_programs.prepare(tf, case)
