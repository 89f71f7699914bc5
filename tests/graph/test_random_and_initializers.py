"""Random numbers and initial values are TensorFlow 1.15's own, from the same seeds."""

from __future__ import annotations

import pytest
from support.recorded_programs import Family, check

import sessile as tf

FAMILY = Family("random")
RECORDED = FAMILY.recorded()


@pytest.mark.parametrize("name", sorted(FAMILY.programs))
def test_numbers_are_those_of_tensorflow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSILE_JIT", "never")
    check(FAMILY, name, RECORDED[name], tf)
