"""Errors as the command line shows them: one message that says what is wrong, without Python's frames."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

INTERRUPTED = 130
_EXPECTED = (
    ValueError,
    TypeError,
    KeyError,
    LookupError,
    OSError,
    RuntimeError,
    AttributeError,
    ImportError,
    MemoryError,
)


class CommandFailure(Exception):
    """Something that the command cannot do; the message is for the user, and the exit code is 1."""


def message_of(error: BaseException) -> str:
    """The message for an error, whoever raised it."""
    if isinstance(error, CommandFailure):
        return str(error)
    if isinstance(error, OSError) and error.strerror:
        return f"{error.strerror}: {error.filename}" if error.filename else error.strerror
    message = getattr(error, "message", None)  # what `tf.errors` say without their code
    if isinstance(message, str) and message:
        return message
    text = str(error.args[0]) if isinstance(error, KeyError) and error.args else str(error)
    if isinstance(error, _EXPECTED) and text:
        return text
    return f"{type(error).__name__}: {text}\nThis is a fault of sessile; --traceback shows where it happened."


def did_you_mean(name: str, names: Iterable[str]) -> str:
    """A hint at names that are like `name`, to append to a message; "" where there are none."""
    near = difflib.get_close_matches(name, list(names), n=3)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
