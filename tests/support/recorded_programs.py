"""Programs of users, each a function of the library, and what TensorFlow 1.15 made of them.

A file `tests/graph/programs_<family>.py` holds programs: functions that begin with `test_` would be tests; these are
called as the thing that they do, get the library as `tf`, and return what they saw. `record_programs.py` runs them with
TensorFlow 1.15 (Python 3.7, whose syntax all of this keeps to) and writes `tests/data/programs/<family>.json`: what
each returned or raised, and the nodes of its graph. A family's `compared(name)` says which nodes must be the same.
"""

from __future__ import annotations

import importlib.util
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

FOLDER = Path(__file__).parents[1] / "graph"
DATA = Path(__file__).parents[1] / "data" / "programs"


class Family:
    """The programs of one file, by name."""

    def __init__(self, name: str) -> None:
        path = FOLDER / f"programs_{name}.py"
        spec = importlib.util.spec_from_file_location(path.stem, str(path))
        assert spec is not None and spec.loader is not None
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        own = {key: value for key, value in vars(module).items() if getattr(value, "__module__", None) == path.stem}
        self.name = name
        self.compared: Callable[[str], bool] = own.pop("compared", lambda node: True)
        public = {key: value for key, value in own.items() if callable(value) and not key.startswith("_")}
        self.programs: dict[str, Callable[[Any], Any]] = {**public, **getattr(module, "PROGRAMS", {})}

    @property
    def recording(self) -> Path:
        """The file with what TensorFlow made of the programs."""
        return DATA / f"{self.name}.json"

    def recorded(self) -> Any:
        """What TensorFlow made of the programs, by name."""
        return json.loads(self.recording.read_text(encoding="utf-8"))

    def run(self, name: str, tf: Any) -> Any:
        """What a program returned or raised with a library, and the nodes of its graph."""
        graph = tf.Graph()
        seen: dict[str, Any] = {}
        with graph.as_default():
            try:
                seen["returned"] = plain(self.programs[name](tf))
            except Exception as error:
                seen["raised"] = [type(error).__name__, str(error).split("\n")[0]]
        seen["nodes"] = [self._node(op) for op in graph.get_operations() if self.compared(op.name)]
        return seen

    def _node(self, op: Any) -> list[Any]:
        """An operation as its name, its type, its inputs and what it waits for, as far as those are compared."""
        inputs = [t.name if self.compared(t.op.name) else "*" for t in op.inputs]
        return [op.name, op.type, inputs, sorted(c.name for c in op.control_inputs if self.compared(c.name))]


def evaluated(tf: Any, fetches: Any, feeds: Any = None, steps: int = 1) -> Any:
    """What a new session gives for `fetches` in each of `steps` runs, after initialising all variables."""
    with tf.Session() as session:
        if tf.global_variables() or tf.local_variables():
            session.run([tf.global_variables_initializer(), tf.local_variables_initializer()])
        return [session.run(fetches, feeds) for _ in range(steps)]


def numbers(seed: int, *shape: int, dtype: str = "float32") -> Any:
    """Normally distributed numbers, the same ones everywhere."""
    return np.random.RandomState(seed).randn(*shape).astype(dtype)


def plain(value: Any) -> Any:
    """A value in the form that JSON gives back."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if hasattr(value, "indices") and hasattr(value, "values"):
        return {"values": plain(value.values), "indices": plain(value.indices)}
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, (np.ndarray, np.generic)):
        return plain(value.tolist())
    if isinstance(value, bytes):
        return value.decode()
    return f"{value:.9g}" if isinstance(value, float) else value


def is_close(value: Any, recorded: Any) -> bool:
    """Whether two plain values are the same, but for the last digits of floating numbers."""
    if isinstance(recorded, list):
        return isinstance(value, list) and len(value) == len(recorded) and all(map(is_close, value, recorded))
    if isinstance(recorded, dict):
        return value.keys() == recorded.keys() and all(is_close(value[key], recorded[key]) for key in recorded)
    if value == recorded:
        return True
    try:
        a, b = float(value), float(recorded)
    except (TypeError, ValueError):
        return False
    return (math.isnan(a) and math.isnan(b)) or math.isclose(a, b, rel_tol=2e-5, abs_tol=2e-6)


def check(family: Family, name: str, recorded: Any, tf: Any) -> None:
    """Fails unless a program does with `tf` what it did with TensorFlow."""
    seen = family.run(name, tf)
    assert seen.get("raised", [None])[0] == recorded.get("raised", [None])[0], (seen.get("raised"), recorded)
    if "raised" in recorded:
        assert seen["raised"][1][:30] == recorded["raised"][1][:30]
    assert is_close(seen.get("returned"), recorded.get("returned")), (seen.get("returned"), recorded.get("returned"))
    for own, theirs in zip(seen["nodes"], recorded["nodes"], strict=False):
        assert own == theirs
    assert len(seen["nodes"]) == len(recorded["nodes"])
