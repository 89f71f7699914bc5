"""A folder with models, and a store of its own for each test."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
from support.command_line import write_model


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with `model.py` and `x.npy` in it; what is stored goes to `store` below it."""
    monkeypatch.setenv("SESSILE_CACHE_DIR", str(tmp_path / "store"))
    monkeypatch.delenv("SESSILE_DEBUG", raising=False)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", [*sys.path])
    monkeypatch.delitem(sys.modules, "model", raising=False)
    write_model(tmp_path)
    np.save(tmp_path / "x.npy", np.arange(8, dtype=np.float32).reshape(2, 4))
    return tmp_path
