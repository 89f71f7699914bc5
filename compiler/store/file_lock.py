"""Advisory locks between processes, as files. A lock ends with its holder, however that dies; nothing ever deadlocks:
whoever asks says how long it waits.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

from sessile.compiler.compile_log import compile_log
from sessile.compiler.store.private_files import FILE_MODE, FOLDER_MODE


@contextlib.contextmanager
def file_lock(path: Path, wait_seconds: float = 0.0) -> Iterator[bool]:
    """Hold the lock of a path: True while it is held, or where files cannot be locked; False if another holds it.

    The file is removed when the lock is let go: a waiter that has it open finds that it has no name any more, and opens
    the new one.
    """
    import filelock  # late: a process that finds all that it needs never locks

    lock = None
    try:
        path.parent.mkdir(FOLDER_MODE, exist_ok=True)
        lock = filelock.FileLock(path, timeout=wait_seconds, mode=FILE_MODE, thread_local=False)
        lock.acquire()
    except filelock.Timeout:
        yield False
        return
    except (OSError, NotImplementedError) as error:
        compile_log.info("store: %s cannot be locked (%s)", path, error)
        lock = None
    try:
        yield True
    finally:
        # In the child of a fork the lock is the parent's; filelock has forgotten it there.
        if lock is not None and lock.is_locked:
            with contextlib.suppress(OSError):  # Windows keeps open files
                os.unlink(path)
            lock.release()
