"""Golden files of programs: cases, each a program, a line `// expect`, and what is expected of it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import NamedTuple

_CASE = re.compile(r"(?P<program>(?:#[^\n]*\n)*program (?:(?!\n}\n).)*\n}\n)// expect\n", re.DOTALL)


class GoldenCase(NamedTuple):
    """A program's text, with the comments above it, and the text that is expected."""

    program: str
    expected: str


def read_cases(text: str) -> list[GoldenCase]:
    """The cases of a golden file's text."""
    found = list(_CASE.finditer(text))
    assert len(found) == text.count("// expect"), "a case lacks its program"
    ends = [match.start() for match in found[1:]] + [len(text)]
    pairs = zip(found, ends, strict=True)
    return [GoldenCase(match["program"], _trimmed(text[match.end() : end])) for match, end in pairs]


def check_cases(path: Path, header: str, cases: list[GoldenCase], actual: list[str], update: bool) -> None:
    """Compares what came out of the cases with what is expected, or writes it to the file if `update` holds."""
    actual = [_trimmed(text) for text in actual]
    if update:
        bodies = [f"{case.program}// expect\n{text}" for case, text in zip(cases, actual, strict=True)]
        path.write_text("\n".join([*([header] if header else []), *bodies]), encoding="utf-8")
    else:
        assert actual == [case.expected for case in cases]


def _trimmed(text: str) -> str:
    return text.strip("\n") + "\n"
