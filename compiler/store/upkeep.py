"""Upkeep of a store's folder: what is in it, what is damaged, what is removed when it grows too large.

Safe while other processes read and write: a file that vanishes meanwhile was evicted by another, a reader keeps what it
has opened, and a file that an eviction takes from under a writer's feet is written again when it is needed.
"""

from __future__ import annotations

import contextlib
import functools
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sessile.compiler.compile_log import compile_log
from sessile.compiler.output_file import TEMPORARY_SUFFIX
from sessile.compiler.store.entry_format import DamagedEntry, ForeignEntry, NeedsMore, unpack, unverified_manifest
from sessile.compiler.store.entry_key import key_digest
from sessile.compiler.store.file_lock import LOCKS
from sessile.compiler.store.private_files import read_file

_STALE_SECONDS = 3600.0
"""No write and no compilation takes so long: what is as old as this was left by a process that died."""
_FIRST_BYTES = 4096
_DIGEST_DIGITS = 64


@dataclass(frozen=True)
class StoredEntry:
    """A file of the store, as it was when the folder was read.

    Attributes:
      kind: what it holds.
      digest: the digest of its key, which is its name.
      path: where it is.
      bytes: its size.
      last_used: when it was last read or written, in seconds since 1970.
    """

    kind: str
    digest: str
    path: Path
    bytes: int
    last_used: float

    @functools.cached_property
    def key(self) -> dict[str, str] | None:
        """The fields of its key, unverified; None if they cannot be read."""
        key = (self.manifest or {}).get("key")
        return key if isinstance(key, dict) else None

    @functools.cached_property
    def manifest(self) -> dict[str, Any] | None:
        """What was said about it, unverified; None if that cannot be read."""
        try:
            return _manifest(self.path)
        except (OSError, DamagedEntry):
            return None


@dataclass(frozen=True)
class Damage:
    """An entry that cannot be used, and why."""

    entry: StoredEntry
    reason: str


@dataclass(frozen=True)
class Report:
    """What a round of upkeep found and did.

    Attributes:
      checked: how many entries it looked at, and `checked_bytes` their size.
      removed: how many of them it removed, and `removed_bytes` their size.
      damaged: those whose bytes are not what was written.
      foreign: those that another version of sessile has written in a format of its own; they are left alone.
    """

    checked: int
    checked_bytes: int
    removed: int = 0
    removed_bytes: int = 0
    damaged: tuple[Damage, ...] = ()
    foreign: tuple[Damage, ...] = ()


def stored_entries(folder: Path) -> Iterator[StoredEntry]:
    """All entries below a folder."""
    for kind in _folders(folder):
        for shard in _folders(Path(kind.path)):
            for file in _scan(Path(shard.path)):
                if len(file.name) == _DIGEST_DIGITS:
                    with contextlib.suppress(FileNotFoundError):  # evicted by another process
                        status = file.stat(follow_symlinks=False)
                        yield StoredEntry(kind.name, file.name, Path(file.path), status.st_size, status.st_mtime)


def verify(folder: Path, remove: bool) -> Report:
    """Verify every entry."""
    entries = list(stored_entries(folder))
    damaged, foreign = [], []
    for entry in entries:
        try:
            content = unpack(read_file(entry.path).data, entry.kind)
            if key_digest(content.manifest.get("key", {})) != entry.digest:
                raise DamagedEntry("it was stored under another key")
        except FileNotFoundError:
            continue
        except ForeignEntry as error:
            foreign.append(Damage(entry, error.reason))
        except DamagedEntry as error:
            damaged.append(Damage(entry, error.reason))
        except OSError as error:
            damaged.append(Damage(entry, f"it cannot be read ({error})"))
    removed = _remove(damage.entry for damage in damaged) if remove else []
    return Report(len(entries), _bytes(entries), len(removed), _bytes(removed), tuple(damaged), tuple(foreign))


def prune(folder: Path, limit: int) -> Report:
    """Remove the entries that were not used for the longest time, until `limit` bytes are left at most."""
    sweep(folder)
    entries = sorted(stored_entries(folder), key=lambda entry: entry.last_used)
    excess = _bytes(entries) - limit
    victims = []
    for entry in entries:
        if excess <= 0:
            break
        victims.append(entry)
        excess -= entry.bytes
    removed = _remove(victims)
    return Report(len(entries), _bytes(entries), len(removed), _bytes(removed))


def stored_bytes(folder: Path) -> int:
    """The size of all entries."""
    return _bytes(stored_entries(folder))


def evict(folder: Path, target: int) -> None:
    """Remove the entries that were not used for the longest time, down to `target` bytes, and say so in the log."""
    report = prune(folder, target)
    words = "store: too large; removed %d of %d entries that were not used for the longest time, %d bytes"
    compile_log.info(words, report.removed, report.checked, report.removed_bytes)


def sweep(folder: Path) -> None:
    """Remove the temporary files and locks that processes have left which died while they wrote or compiled."""
    oldest = time.time() - _STALE_SECONDS
    for file in _left_over(folder):
        with contextlib.suppress(OSError):
            if file.stat(follow_symlinks=False).st_mtime < oldest:
                os.unlink(file.path)


def _left_over(folder: Path) -> Iterator[os.DirEntry[str]]:
    yield from _scan(folder / LOCKS)
    for kind in _folders(folder):
        for shard in _folders(Path(kind.path)):
            yield from (file for file in _scan(Path(shard.path)) if file.name.endswith(TEMPORARY_SUFFIX))


def _manifest(path: Path) -> dict[str, Any]:
    with open(path, "rb") as file:
        try:
            return unverified_manifest(file.read(_FIRST_BYTES))[1]
        except NeedsMore as short:
            file.seek(0)
            return unverified_manifest(file.read(short.size))[1]


def _bytes(entries: Iterable[StoredEntry]) -> int:
    return sum(entry.bytes for entry in entries)


def _remove(entries: Iterable[StoredEntry]) -> list[StoredEntry]:
    """Remove entries; those that were removed."""
    removed = []
    for entry in entries:
        try:
            os.unlink(entry.path)
        except FileNotFoundError:
            continue
        except OSError as error:
            compile_log.info("store: %s cannot be removed (%s)", entry.path, error)
        else:
            removed.append(entry)
    return removed


def _folders(folder: Path) -> list[os.DirEntry[str]]:
    return [entry for entry in _scan(folder) if entry.is_dir(follow_symlinks=False)]


def _scan(folder: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except (FileNotFoundError, NotADirectoryError):
        return []
