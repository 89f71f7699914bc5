"""`docs/cache.md` names all that a key holds, and its program finds in the second process what the first compiled."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from sessile.compiler.store.build_identity import ENVIRONMENT_FIELDS

PAGE = (Path(__file__).parents[2] / "docs" / "cache.md").read_text(encoding="utf-8")


def test_every_field_of_a_key_is_explained() -> None:
    table = PAGE.partition("## The key")[2].partition("## ")[0]
    named = re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", table, re.MULTILINE)))
    assert set(named) == {*ENVIRONMENT_FIELDS, "kernel", "call", "program"}


def test_the_program_prints_what_the_page_shows(tmp_path: Path) -> None:
    ((name, source),) = re.findall(r"```python\n# (\w+\.py)\n(.*?)```", PAGE, re.DOTALL)
    (tmp_path / name).write_text(source)
    shown = re.findall(r"^\$ python model\.py\n(KernelStatistics.*)$", PAGE, re.MULTILINE)[:2]
    environment = {**os.environ, "SESSILE_JIT": "always", "SESSILE_CACHE_DIR": str(tmp_path / "store")}
    printed = [
        subprocess.run(
            [sys.executable, name], cwd=tmp_path, env=environment, capture_output=True, text=True, check=True
        ).stdout.strip()
        for _ in shown
    ]
    assert printed == shown
