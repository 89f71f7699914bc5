"""Object code of kernels in the store on disk: an `ObjectCache` for `kernel_service` and `step_loop`.

In: a kernel's name, which holds a hash of its source, and a target. Out: the object code that some process has compiled
for it with the same versions of everything, verified against its checksum before anybody may load it.
"""

from __future__ import annotations

import os
from contextlib import AbstractContextManager

from sessile.compiler.store.build_identity import build_fields, target_fields
from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.store_folder import disk_store
from sessile.compiler.target import Target

KIND = "kernel"
CHECK_VARIABLE = "SESSILE_CACHE_CHECK"
_SECTION = "object"


class KernelCache:
    """The kernels in a store."""

    def __init__(self, store: DiskStore) -> None:
        self._store = store

    def read(self, name: str, target: Target) -> bytes | None:
        """The object code of a kernel, or None if it is not there."""
        entry = self._store.read(KIND, kernel_key(name, target))
        return None if entry is None else bytes(entry.sections[_SECTION])

    def write(self, name: str, target: Target, object_code: bytes) -> None:
        """Keep the object code of a kernel."""
        self._store.write(KIND, kernel_key(name, target), {"processor": target.cpu}, {_SECTION: object_code})

    def claim(self, name: str, target: Target) -> AbstractContextManager[bool]:
        """Announce that this process compiles a kernel: a context with False if another one does so already."""
        return self._store.lock(KIND, kernel_key(name, target))


def kernel_cache() -> KernelCache | None:
    """The object cache of this process, or None if it stores nothing."""
    store = disk_store()
    return None if store is None else KernelCache(store)


def kernel_key(name: str, target: Target) -> dict[str, str]:
    """The key of a kernel."""
    return {"kernel": name, **build_fields(), **target_fields(target)}


def check_requested() -> bool:
    """Whether what is found in the store is to be made again and compared (`SESSILE_CACHE_CHECK=1`)."""
    return os.environ.get(CHECK_VARIABLE, "") not in ("", "0")
