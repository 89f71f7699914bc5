"""Whole networks train as with TensorFlow 1.15: from the same seeds the same losses, by graphs with the same names."""

from __future__ import annotations

import pytest
from support.recorded_programs import Family, check

import sessile as tf

FAMILY = Family("networks")
RECORDED = FAMILY.recorded()


@pytest.mark.parametrize("name", sorted(FAMILY.programs))
def test_losses_are_those_of_tensorflow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSILE_JIT", "never")
    check(FAMILY, name, RECORDED[name], tf)
