"""Advisory locks between processes, as files. A lock ends with its holder, however that dies; nothing ever deadlocks:
whoever asks says how long it waits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from sessile.compiler.compile_log import compile_log
from sessile.compiler.store.private_files import FILE_MODE, make_folders

if TYPE_CHECKING:
    from filelock import BaseFileLock

LOCKS = "locks"
"""The folder of a store that holds its locks."""


@contextlib.contextmanager
def file_lock(path: Path, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Hold the lock of a path: True while it is held, or where files cannot be locked; False if another holds it."""
    try:
        lock = _acquire(path, wait_seconds)
        is_held = lock is not None
    except (OSError, NotImplementedError) as error:
        compile_log.info("store: %s cannot be locked (%s)", path, error)
        lock, is_held = None, True
    try:
        yield is_held
    finally:
        # In the child of a fork the lock is the parent's; filelock has forgotten it there.
        if lock is not None and lock.is_locked:
            _release(path, lock)


def _acquire(path: Path, wait_seconds: float) -> BaseFileLock | None:
    import filelock  # late: it takes 30 ms, and a process that finds all that it needs never locks

    make_folders(path.parent.parent, path.parent)
    lock = filelock.FileLock(path, timeout=wait_seconds, mode=FILE_MODE, thread_local=False)
    with contextlib.suppress(filelock.Timeout):
        lock.acquire()
        return lock
    return None


def _release(path: Path, lock: BaseFileLock) -> None:
    """Let go of a lock, and remove its file first: who waits with the old file open sees that it has lost its name."""
    with contextlib.suppress(OSError):  # Windows does not remove what is open
        os.unlink(path)
    lock.release()
