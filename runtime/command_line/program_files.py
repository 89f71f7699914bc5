"""Programs as files: their text, and beside it the large constants, which the text names by hash alone.

`model.ir` holds the text, `model.ir.npz` the arrays; both are written together and read together.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np

from sessile.ir.parser import ProgramSyntaxError, parse
from sessile.ir.primitive import ProgramError
from sessile.ir.printer import large_constants, text
from sessile.ir.program import Program
from sessile.ir.verifier import VerificationError, verify
from sessile.runtime.command_line.array_files import write_file, write_results
from sessile.runtime.command_line.failures import CommandFailure

STANDARD_INPUT = "-"
_LINES_AROUND = 3


def read_program(path: str) -> Program:
    """The program in a file, or in standard input for "-". Raises CommandFailure that names the line and column."""
    shown = "standard input" if path == STANDARD_INPUT else path
    content = sys.stdin.read() if path == STANDARD_INPUT else Path(path).read_text(encoding="utf-8", errors="replace")
    try:
        program = parse(content, _constants_beside(path))
        verify(program, require_locations=False)
    except ProgramSyntaxError as error:
        reason = str(error).partition(": ")[2]
        hint = f" in {path}.npz" if "no large constant" in reason else ""
        raise CommandFailure(
            f"{shown}:{error.line}:{error.column}: {reason.replace('; pass it in `constants`', hint)}"
        ) from None
    except VerificationError as error:
        raise CommandFailure(f"{shown}: this program breaks the rules\n{_faulty_parts(str(error))}") from None
    except ProgramError as error:
        raise CommandFailure(f"{shown}: {error}") from None
    return program


def _constants_beside(path: str) -> dict[str, np.ndarray]:
    beside = Path(f"{path}.npz")
    if path == STANDARD_INPUT or not beside.is_file():
        return {}
    with np.load(beside, allow_pickle=False) as arrays:
        return {key: arrays[key] for key in arrays.files}


def _faulty_parts(report: str) -> str:
    """A verifier's report without the lines that are far from any error."""
    lines = report.splitlines()
    faulty = [row for row, line in enumerate(lines) if line.lstrip().startswith("^ error")]
    near = {row + step for row in faulty for step in range(-_LINES_AROUND, _LINES_AROUND)}
    kept = [row for row in range(len(lines)) if row in near or row == len(lines) - 1]
    shown: list[str] = []
    for before, row in zip([-1, *kept], kept, strict=False):
        shown += ["  ..."] * (row > before + 1)
        shown.append(lines[row])
    return "\n".join(shown)


def write_program(path: str, program: Program, locations: str = "short") -> None:
    """Writes a program's text, and its large constants beside it if it has any. Raises CommandFailure."""
    write_file(path, text(program, locations).encode())
    constants = large_constants(program)
    if constants:
        write_results(f"{path}.npz", constants)
