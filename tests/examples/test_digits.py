"""The digits example: it learns, and its losses are those that the same script has under TensorFlow.

The weights and the convolutional net's dropout come from random streams that TensorFlow has, too.
"""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

ROOT = Path(__file__).parents[2]
RECORDED = json.loads((ROOT / "tests" / "data" / "digits_losses.json").read_text())["losses"]


@pytest.fixture(scope="module")
def digits() -> ModuleType:
    specification = importlib.util.spec_from_file_location("digits_example", ROOT / "examples" / "digits.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("jit", ["never", "always"])
@pytest.mark.parametrize("model", sorted(RECORDED))
def test_losses_are_those_of_tensorflow(
    digits: ModuleType, model: str, jit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSILE_JIT", jit)
    losses: list[float] = []
    digits.train(model, len(RECORDED[model]), 64, 1e-3, lambda step, loss: losses.append(loss))
    np.testing.assert_allclose(losses, RECORDED[model], atol=1e-3, rtol=0)


@pytest.mark.parametrize(("model", "steps", "accuracy"), [("mlp", 800, 0.97), ("convnet", 500, 0.98)])
def test_models_learn(
    digits: ModuleType, model: str, steps: int, accuracy: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SESSILE_JIT", "always")
    held_out, _ = digits.train(model, steps, 64, 1e-3, lambda step, loss: None)
    assert held_out >= accuracy
