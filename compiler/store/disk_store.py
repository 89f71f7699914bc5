"""The store on disk: entries in files of their own, which any number of processes read and write at once.

In: a kind, a key, and what to keep under it. Out: the same, in this process or another, or nothing: an entry that is
damaged in any way is removed, reported in the log, and treated as one that was never there. What fails while writing
costs one warning, and the process goes on without storing.

Files lie at `<folder>/<kind>/<first two digits>/<digest of the key>`; the modification time is that of the last use.
"""

from __future__ import annotations

import contextlib
import os
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sessile.compiler.compile_log import compile_log
from sessile.compiler.store.entry_format import DamagedEntry, Entry, pack, unpack
from sessile.compiler.store.entry_key import Key, key_digest
from sessile.compiler.store.file_lock import LOCKS, file_lock
from sessile.compiler.store.private_files import publish, read_file, remove_if_same

if TYPE_CHECKING:
    from sessile.compiler.store.upkeep import Report, StoredEntry

DEFAULT_LIMIT = 2**30
EVICT_TO = 0.8
"""Eviction leaves this part of the limit, so that it is not needed again at once."""
_LOOK_AGAIN_AFTER = 0.05
"""A process looks at the size of the store again when it has written this part of the limit."""
_LAST_USE_SECONDS = 60.0
"""The time of an entry's last use is right to within a minute, so that most reads write nothing."""


class DiskStore:
    """A store in a folder.

    Args:
      folder: exists, and nobody else may write to it; see `store_folder`.
      limit: the size in bytes beyond which the entries that were not used for the longest time are removed.
      writable: whether this process may change it.
    """

    def __init__(self, folder: Path, limit: int = DEFAULT_LIMIT, writable: bool = True) -> None:
        self.folder = folder
        self.limit = limit
        self.writable = writable
        self._written: int | None = None  # since this process last looked at the size of the store

    # --- entries

    def read(self, kind: str, key: Key) -> Entry | None:
        """The entry under a key, or None. It becomes the one that was used last."""
        path = self.path(kind, key)
        try:
            file = read_file(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            compile_log.info("store: %s cannot be read (%s)", path, error)
            return None
        try:
            entry = unpack(file.data, kind)
            if entry.manifest.get("key") != dict(key):
                raise DamagedEntry("it was stored under another key")
        except DamagedEntry as damage:
            self._remove_damaged(path, file.identity, damage.reason)
            return None
        if self.writable and file.modified < time.time() - _LAST_USE_SECONDS:
            with contextlib.suppress(OSError):  # evicted meanwhile; what was read is still good
                os.utime(path)
        return entry

    def write(
        self, kind: str, key: Key, manifest: Mapping[str, Any], sections: Mapping[str, bytes | memoryview]
    ) -> None:
        """Keep an entry, in the place of an older one under this key. A full or damaged disk costs one warning."""
        if not self.writable:
            return
        data = pack(kind, {**manifest, "key": dict(key)}, sections)
        try:
            publish(self.path(kind, key), data)
            self._make_room(len(data))
        except OSError as error:
            self.writable = False
            warnings.warn(
                f"sessile cannot write to its store {self.folder} ({error.strerror or error}); "
                "this process stores nothing from now on",
                RuntimeWarning,
                stacklevel=2,
            )

    def contains(self, kind: str, key: Key) -> bool:
        """Whether there is a file under this key; it may turn out to be damaged."""
        return self.path(kind, key).exists()

    def lock(self, kind: str, key: Key, wait_seconds: float = 0.0) -> AbstractContextManager[bool]:
        """The lock of a key, which one thread of one process holds at a time; it ends with the process.

        Locks are advisory: reading and writing entries is safe without them. They save work that two processes would
        do twice.

        Args:
          wait_seconds: how long to wait for another holder.

        Returns:
          A context with True if the lock is held, or if locking is impossible here, and False if another holds it.
        """
        if not self.writable:
            return contextlib.nullcontext(True)
        return file_lock(self.folder / LOCKS / f"{kind}-{key_digest(key)}", wait_seconds)

    def path(self, kind: str, key: Key) -> Path:
        """Where the entry under a key is, if it is there."""
        digest = key_digest(key)
        return self.folder / kind / digest[:2] / digest

    def _remove_damaged(self, path: Path, identity: tuple[int, int], reason: str) -> None:
        compile_log.info("store: %s is not used: %s", path, reason)
        if self.writable:
            try:
                remove_if_same(path, identity)
            except OSError as error:
                compile_log.info("store: %s cannot be removed (%s)", path, error)

    # --- upkeep

    def entries(self) -> Iterator[StoredEntry]:
        """All entries, in no order; nothing but their folders is read."""
        from sessile.compiler.store import upkeep

        return upkeep.stored_entries(self.folder)

    def verify(self, remove: bool = True) -> Report:
        """Reads every entry and verifies its checksum. `remove` removes those that are damaged."""
        from sessile.compiler.store import upkeep

        return upkeep.verify(self.folder, remove)

    def clear(self) -> Report:
        """Removes all entries."""
        from sessile.compiler.store import upkeep

        return upkeep.prune(self.folder, 0)

    def prune(self, limit: int) -> Report:
        """Removes the entries that were not used for the longest time, until `limit` bytes are left at most."""
        from sessile.compiler.store import upkeep

        return upkeep.prune(self.folder, limit)

    def _make_room(self, size: int) -> None:
        """Evict, if this process writes for the first time or has written much since it last looked."""
        if self._written is not None and self._written + size < self.limit * _LOOK_AGAIN_AFTER:
            self._written += size
            return
        from sessile.compiler.store import upkeep

        self._written = 0
        upkeep.sweep(self.folder)
        if upkeep.stored_bytes(self.folder) > self.limit:
            with file_lock(self.folder / LOCKS / "eviction") as mine:
                if mine:
                    upkeep.evict(self.folder, int(self.limit * EVICT_TO))
