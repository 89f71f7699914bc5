"""Files that appear whole or not at all: a process that dies while it writes leaves a temporary file."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path

TEMPORARY_SUFFIX = ".tmp"
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)


def create_file(path: Path, mode: int = 0o666) -> int:
    """A descriptor for writing to a new file, whose permissions are `mode` without what the user's umask forbids."""
    return os.open(path, _NEW_FILE, mode)


def write_whole(
    path: str | os.PathLike[str], data: bytes | memoryview, create: Callable[[Path], int] = create_file
) -> Path:
    """Write a file, in the place of an older one if there is one, and return its path.

    Args:
      path: the file.
      data: what it will hold.
      create: opens a new file for writing.

    Raises OSError where it cannot be written.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(6).hex()}{TEMPORARY_SUFFIX}")
    try:
        with open(create(temporary), "wb") as file:
            file.write(data)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            temporary.unlink()
        raise
    return path
