"""Files that only this user reads and writes: reading them whole, publishing them in one step, judging who may write.

A reader sees a published file either not at all or with all its bytes; a process that dies while it writes leaves a
temporary file, which nobody takes for an entry.
"""

from __future__ import annotations

import contextlib
import os
import stat
from pathlib import Path
from typing import NamedTuple

import numpy as np

from sessile.compiler.output_file import create_file, write_whole
from sessile.compiler.store.entry_format import ALIGNMENT

FOLDER_MODE, FILE_MODE = 0o700, 0o600
_BINARY = getattr(os, "O_BINARY", 0)
_ROOT = 0


class FileContent(NamedTuple):
    """A file as it was when it was opened.

    Attributes:
      data: its bytes.
      identity: what tells it from another file that takes its place.
      modified: when it was last changed or used, in seconds since 1970.
    """

    data: memoryview
    identity: tuple[int, int]
    modified: float


def who_else_may_write(status: os.stat_result) -> str | None:
    """Who but this user, and root, can change a file or folder; None if nobody can."""
    if not hasattr(os, "getuid"):
        return None
    if status.st_uid not in (os.getuid(), _ROOT):
        return f"its owner (user {status.st_uid})"
    if stat.S_ISLNK(status.st_mode):
        return None
    writers = {stat.S_IWGRP: "its group", stat.S_IWOTH: "everyone"}
    return next((who for bit, who in writers.items() if status.st_mode & bit), None)


def read_file(path: Path) -> FileContent:
    """The bytes of a file, in memory aligned as the sections of entries are.

    Raises OSError, PermissionError among them where another user may write to the file.
    """
    descriptor = os.open(path, os.O_RDONLY | _BINARY)
    with open(descriptor, "rb", buffering=0) as file:
        status = os.fstat(descriptor)
        others = who_else_may_write(status)
        if others is not None:
            raise PermissionError(f"{others} can write to {path}")
        memory = np.empty(status.st_size + ALIGNMENT, np.uint8)
        start = -memory.ctypes.data % ALIGNMENT
        data = memory.data[start : start + status.st_size]
        filled = 0
        while filled < len(data) and (count := file.readinto(data[filled:])):
            filled += count
    return FileContent(data[:filled].toreadonly(), (status.st_dev, status.st_ino), status.st_mtime)


def publish(path: Path, data: bytes) -> None:
    """Write a file, which appears whole or not at all, in the place of an older one if there is one.

    The folders on the way from the store to it are made if need be. Raises OSError.
    """
    # Not forced to the disk: what a power failure leaves half written does not pass the checksum.
    write_whole(path, data, _create)


def _create(path: Path) -> int:
    try:
        return create_file(path, FILE_MODE)
    except FileNotFoundError:
        make_folders(*reversed(path.parents[:3]))
        return create_file(path, FILE_MODE)


def make_folders(*folders: Path) -> None:
    """Make folders for this user alone where they are missing: the store's own too, which somebody may have removed."""
    for folder in folders:
        folder.mkdir(FOLDER_MODE, exist_ok=True)


def remove_if_same(path: Path, identity: tuple[int, int]) -> None:
    """Remove a file unless another one has taken its place meanwhile. Raises OSError."""
    with contextlib.suppress(FileNotFoundError):
        status = os.stat(path)
        if (status.st_dev, status.st_ino) == identity:
            os.unlink(path)
