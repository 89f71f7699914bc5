"""Gradients are those of TensorFlow 1.15: values, types, and names around the operations' own rules."""

from __future__ import annotations

import pytest
from support.recorded_programs import Family, check

import sessile as tf

FAMILY = Family("gradients")
RECORDED = FAMILY.recorded()


@pytest.mark.parametrize("name", sorted(FAMILY.programs))
def test_gradients_are_those_of_tensorflow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSILE_JIT", "never")
    check(FAMILY, name, RECORDED[name], tf)
