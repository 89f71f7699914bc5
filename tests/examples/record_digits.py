"""Records the losses of `examples/digits.py` under TensorFlow, with nothing but its import switched.

    python tests/examples/record_digits.py      in an environment with tensorflow

It writes `tests/data/digits_losses.json`: for each model the losses of the first steps.
"""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path

import tensorflow.compat.v1 as tf

ROOT = Path(__file__).parents[2]
STEPS = 20


def main() -> None:
    """Trains each model for a few steps."""
    tf.disable_v2_behavior()
    sys.modules["sessile"] = tf
    specification = importlib.util.spec_from_file_location("digits", ROOT / "examples" / "digits.py")
    digits = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(digits)
    losses = {model: [] for model in digits.MODELS}
    for model, found in losses.items():
        digits.train(model, STEPS, 64, 1e-3, lambda step, loss, found=found: found.append(loss))
    recorded = {"tensorflow": tf.version.VERSION, "losses": losses}
    (ROOT / "tests" / "data" / "digits_losses.json").write_text(json.dumps(recorded, indent=1) + "\n")


if __name__ == "__main__":
    main()
