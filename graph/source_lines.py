"""The user's lines: which source lines called into the library, without the library's own frames."""

from __future__ import annotations

import linecache
import sys
from types import CodeType
from typing import NamedTuple

_DEPTH_LIMIT = 40
_IS_OURS: dict[str, bool] = {}  # by module name: asked for every frame of every operation


class SourceLine(NamedTuple):
    """One frame of a traceback."""

    filename: str
    lineno: int
    name: str
    line: str


RawFrames = tuple[tuple[CodeType, int], ...]


def capture_user_frames() -> RawFrames:
    """The frames of the caller outside of sessile, innermost first, in a form that is quick to make."""
    frames: list[tuple[CodeType, int]] = []
    frame = sys._getframe(1)
    while frame is not None and len(frames) < _DEPTH_LIMIT:
        module = frame.f_globals.get("__name__", "")
        is_ours = _IS_OURS.get(module)
        if is_ours is None:
            is_ours = _IS_OURS[module] = module == "sessile" or module.startswith("sessile.")
        if not is_ours:
            frames.append((frame.f_code, frame.f_lineno))
        frame = frame.f_back  # type: ignore[assignment]
    return tuple(frames)


def resolve(frames: RawFrames) -> list[SourceLine]:
    """The frames as file, line, function and text, outermost first, as tracebacks are read."""
    return [
        SourceLine(code.co_filename, line, code.co_name, linecache.getline(code.co_filename, line).strip())
        for code, line in reversed(frames)
        if not code.co_filename.startswith("<frozen ")  # what `python -m` puts around a program
    ]


def defined_at(frames: RawFrames) -> str:
    """Where the user's code made something, as messages say it: "defined at model.py:13"."""
    if not frames:
        return "defined at an unknown line"
    code, line = frames[0]
    return f"defined at {code.co_filename}:{line}"
