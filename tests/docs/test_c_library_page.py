"""`docs/c-library.md`: its programs, compiled by its commands, print what the page shows; its tables are complete."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from support.c_libraries import needs_compiler

from sessile.compiler.c_library.header import header_text
from sessile.compiler.c_library.interface import Interface
from sessile.compiler.c_library.statuses import Status
from sessile.compiler.target import Target

PAGE = (Path(__file__).parents[2] / "docs" / "c-library.md").read_text(encoding="utf-8")


@needs_compiler
def test_the_commands_print_what_the_page_shows(tmp_path: Path) -> None:
    for source, name in re.findall(r"```(?:python|c)\n((?:# |/\* )(\w+\.\w+)(?: \*/)?\n.*?)```", PAGE, re.DOTALL):
        (tmp_path / name).write_text(source)
    for session in re.findall(r"```console\n(.*?)```", PAGE, re.DOTALL):
        for command, shown in re.findall(r"^\$ (.*)\n((?:[^$].*\n)*)", session, re.MULTILINE):
            printed = run(command, tmp_path)
            assert command.startswith("sessile") or printed == shown, command


def run(command: str, folder: Path) -> str:
    command = re.sub(r"^sessile\b", f"'{sys.executable}' -m sessile", command)
    environment = {**os.environ, "SESSILE_CACHE_DIR": ""}
    done = subprocess.run(command, shell=True, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_all_functions_and_statuses_are_explained() -> None:
    header = header_text("scores", Interface((), (), {}, (), (), {}), Target.host())
    functions = {name.replace("_output_", "_input_") for name in re.findall(r"\b(scores_\w+)\(", header)}
    named = set(re.findall(r"`(scores_\w+)`", PAGE))
    named |= {f"scores{name}" for name in re.findall(r"`(_\w+)`", PAGE)}
    assert functions <= named
    for status in Status:
        assert f"`SCORES_{status.name}`" in PAGE
