"""Does a case once, in the peer's own Python, and prints when it was done: what `benchmarks.startup` starts.

python -m benchmarks.startup_worker import numpy ...          imports modules, for a floor
python -m benchmarks.startup_worker run PEER CASE
python -m benchmarks.startup_worker compile CASE BUNDLE       makes the bundle that the next one starts from
python -m benchmarks.startup_worker load CASE BUNDLE
"""

from __future__ import annotations

import importlib
import sys
import time


def import_modules(*names: str) -> None:
    for name in names:
        importlib.import_module(name)


def run(peer: str, case: str) -> None:
    from benchmarks.cases import CASES

    call = importlib.import_module(f"benchmarks.peers.{peer}_peer").prepare(CASES[case])
    if call is None:
        sys.exit(f"{peer} has no {case}")
    call()


def compile_bundle(case: str, path: str) -> None:
    import sessile as tf
    from benchmarks.cases import CASES
    from benchmarks.peers.graph_programs import build

    fetches, feeds = build(tf, _forward_kind(case), CASES[case].size)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.aot.compile(session.graph, fetches, list(feeds), path, session=session)


def load_bundle(case: str, path: str) -> None:
    import numpy as np

    import sessile as tf
    from benchmarks.cases import CASES

    function = tf.load(path)
    shapes = ([size if isinstance(size, int) else CASES[case].size for size in spec.shape] for spec in function.inputs)
    function(*(np.ones(shape, np.float32) for shape in shapes))


def _forward_kind(case: str) -> str:
    """Bundles infer; what trains becomes its forward pass."""
    from benchmarks.cases import CASES

    return CASES[case].kind.replace("_step", "_forward")


COMMANDS = {"import": import_modules, "run": run, "compile": compile_bundle, "load": load_bundle}

if __name__ == "__main__":
    COMMANDS[sys.argv[1]](*sys.argv[2:])
    print(time.time())
