"""Scopes name and share variables as in TensorFlow 1.15."""

from __future__ import annotations

import pytest
from support.recorded_programs import Family, check

import sessile as tf

FAMILY = Family("variable_scopes")
RECORDED = FAMILY.recorded()


@pytest.mark.parametrize("name", sorted(FAMILY.programs))
def test_scopes_do_what_tensorflow_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSILE_JIT", "never")
    check(FAMILY, name, RECORDED[name], tf)
