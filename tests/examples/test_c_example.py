"""The C example: its Makefile builds library and program, and the program computes the same bits as the session."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from support.c_libraries import needs_compiler

FOLDER = Path(__file__).parents[2] / "examples" / "c"


@needs_compiler
@pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")
def test_the_example_recognizes_digits_as_python_does(tmp_path: Path) -> None:
    command = [
        "make",
        "--no-print-directory",
        f"PYTHON={sys.executable}",
        f"BUILD={tmp_path / 'build'}",
        "CFLAGS=-O2 -Wall -Wextra -Werror",
    ]
    done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=300, env=dict(os.environ))
    assert done.returncode == 0, done.stderr
    *picture, probability, recognized, same = done.stdout.splitlines()[-11:]
    assert all(len(line) == 16 for line in picture)
    assert probability.startswith("a 2, with probability 0.9") or probability == "a 2, with probability 1.000"
    right, _, count, *_ = recognized.split()
    assert (int(right) > 340, count) == (True, "360")
    assert same == "the same bits as in Python"
