"""The programs of `docs/aot.md` print what the page shows."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs" / "aot.md"


def test_programs_print_what_the_page_shows(tmp_path: Path) -> None:
    page = PAGE.read_text(encoding="utf-8")
    programs = dict(re.findall(r"```python\n# (\w+\.py)\n(.*?)```", page, re.DOTALL))
    for name, source in programs.items():
        (tmp_path / name).write_text(source)
    ((command, shown),) = re.findall(r"```\n\$ (.*?)\n(.*?)```", page, re.DOTALL)
    assert command == " && ".join(f"python {name}" for name in programs)
    printed = ""
    for name in programs:
        done = subprocess.run([sys.executable, name], cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        printed += done.stdout
    assert printed == shown
