"""Which folder this process stores in, and whether it may.

In: `SESSILE_CACHE_DIR` and `SESSILE_CACHE_SIZE`. Out: a `DiskStore`, or None where nothing is stored: because that was
asked for, or, with one warning, because the folder is not safe or cannot be used. What is read from the store is
executed, so a folder that another user could write to is never touched.
"""

from __future__ import annotations

import contextlib
import os
import stat
import warnings
from pathlib import Path
from typing import NamedTuple

from sessile.compiler.store.disk_store import DEFAULT_LIMIT, DiskStore
from sessile.compiler.store.private_files import FILE_MODE, FOLDER_MODE, who_else_may_write

FOLDER_VARIABLE, SIZE_VARIABLE = "SESSILE_CACHE_DIR", "SESSILE_CACHE_SIZE"
_UNITS = {"K": 2**10, "M": 2**20, "G": 2**30, "T": 2**40}
# The sign by which backup programs know what need not be kept: https://bford.info/cachedir/
_TAG_NAME = "CACHEDIR.TAG"
_TAG = b"Signature: 8a477f597d28d172789f06886806bc55\n# sessile keeps compiled kernels here.\n"


class FolderState(NamedTuple):
    """What was found out about a store's folder.

    Attributes:
      folder: the folder; None if storing is switched off.
      store: the store, if it can be used.
      trouble: what is wrong and how to mend it, if something is.
    """

    folder: Path | None
    store: DiskStore | None = None
    trouble: str | None = None


_states: dict[tuple[str | None, str | None], FolderState] = {}


def disk_store() -> DiskStore | None:
    """The store of this process; None if it is switched off (`SESSILE_CACHE_DIR=""`) or its folder cannot be used.

    The first call makes the folder, and warns if something is wrong with it. Raises ValueError for a SESSILE_CACHE_SIZE
    that is not a size.
    """
    settings = os.environ.get(FOLDER_VARIABLE), os.environ.get(SIZE_VARIABLE)
    state = _states.get(settings)
    if state is None:
        limit = cache_limit()
        state = _states[settings] = inspect_folder(cache_folder(), limit)
        if state.trouble:
            warnings.warn(state.trouble, RuntimeWarning, stacklevel=2)
    return state.store


def cache_folder() -> Path | None:
    """The folder that the environment names, or the platform's own for such things; None if it is the empty string."""
    named = os.environ.get(FOLDER_VARIABLE)
    if named is not None:
        return Path(named).expanduser().absolute() if named else None
    import platformdirs

    return platformdirs.user_cache_path("sessile", appauthor=False)


def cache_limit() -> int:
    """The size that the store may grow to, in bytes. Raises ValueError for a SESSILE_CACHE_SIZE that is not a size."""
    value = os.environ.get(SIZE_VARIABLE)
    return parse_size(value, SIZE_VARIABLE) if value else DEFAULT_LIMIT


def parse_size(text: str, name: str) -> int:
    """A number of bytes with a unit, as in 500M or 2G (powers of 1024). Raises ValueError, which names `name`."""
    bare = text.strip().upper().removesuffix("B").removesuffix("I")
    unit = _UNITS.get(bare[-1:], 1)
    number = bare if unit == 1 else bare[:-1].rstrip()
    if not (number.isascii() and number.replace(".", "", 1).isdecimal()):
        raise ValueError(f"{name} is {text!r}; it is a number of bytes, such as 500M or 2G")
    return int(float(number) * unit)


def inspect_folder(folder: Path | None, limit: int = DEFAULT_LIMIT) -> FolderState:
    """Makes the folder if need be, and finds out whether it can be stored in."""
    if folder is None:
        return FolderState(None)
    try:
        _make(folder)
        status = os.stat(folder)
    except OSError as error:
        reason = error.strerror or str(error)
        return FolderState(folder, None, f"{_no_store(folder)}: it cannot be made ({reason}). {_REMEDY}")
    if not stat.S_ISDIR(status.st_mode):
        return FolderState(folder, None, f"{_no_store(folder)}: it is not a folder. {_REMEDY}")
    others = who_else_may_write(status)
    if others is not None:
        return FolderState(folder, None, f"{_no_store(folder)}: {others} could write to it. {_remedy(folder, status)}")
    if not os.access(folder, os.W_OK | os.X_OK):
        trouble = f"sessile only reads from its store {folder}: it cannot be written to. {_REMEDY}"
        return FolderState(folder, DiskStore(folder, limit, writable=False), trouble)
    return FolderState(folder, DiskStore(folder, limit))


_REMEDY = f"Set {FOLDER_VARIABLE} to a folder of your own, or to nothing to store nothing"


def _no_store(folder: Path) -> str:
    return f"sessile stores no kernels in {folder}"


def _remedy(folder: Path, status: os.stat_result) -> str:
    mine = hasattr(os, "getuid") and status.st_uid == os.getuid()
    return f"Make it yours alone (chmod 700 {folder})" if mine else _REMEDY


def _make(folder: Path) -> None:
    """Make the folder, readable by this user alone, and mark it as a cache."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(FileExistsError):
        folder.mkdir(FOLDER_MODE)
        descriptor = os.open(folder / _TAG_NAME, os.O_WRONLY | os.O_CREAT | os.O_EXCL, FILE_MODE)
        with open(descriptor, "wb") as file:
            file.write(_TAG)
