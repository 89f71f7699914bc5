"""Records what the programs of `support.graph_programs` return with TensorFlow: `python record_graph_programs.py`.

Runs in an environment with TensorFlow; writes `tests/data/graph_programs.json`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tensorflow.compat.v1 as tf

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.graph_programs import PROGRAMS, run

tf.disable_v2_behavior()
RECORDED = Path(__file__).parents[1] / "data" / "graph_programs.json"

if __name__ == "__main__":
    RECORDED.write_text(json.dumps({name: run(tf, name) for name in PROGRAMS}, indent=1, ensure_ascii=False) + "\n")
