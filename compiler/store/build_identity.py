"""What generated code depends on beside its source: versions, our own code, the machine's instruction sets.

Out: fields of keys. Finding them out costs a process with a warm store a millisecond or two: versions are read from the
names of folders, and the digest of our own code is kept in the store under the names, sizes and times of its files.
"""

from __future__ import annotations

import functools
import hashlib
import importlib.util
import os
import sys
import time
from collections.abc import Iterator
from typing import NamedTuple

from sessile.compiler.store.store_folder import disk_store
from sessile.compiler.target import Target

ENVIRONMENT_FIELDS = (
    "sessile", "numba", "llvmlite", "numpy", "python", "code", "settings", "triple", "cpu", "features",
)  # fmt: skip
"""The fields of keys that `build_fields` and `target_fields` make; all others say what was compiled."""

_PACKAGES = ("sessile", "numba", "llvmlite", "numpy")
_GENERATING = ("compiler", "graph", "ir")
"""The subpackages whose code decides what is generated."""
# How the names begin that LLVM has for ways to use instruction sets, which change no result.
_HINTS = ("avoid-", "branchfusion", "false-deps-", "fast-", "fuse-", "macrofusion", "prefer-", "slow-", "tuning")
_IDLE_SETTINGS = ("NUMBA_CACHE_", "NUMBA_COLOR_SCHEME", "NUMBA_NUM_THREADS", "NUMBA_THREADING_LAYER", "NUMBA_WARNINGS")
"""Settings of Numba that people have, and that no kernel depends on."""
_SETTLED_SECONDS = 2.0
"""A file that was changed so recently may change again without a change of its times."""


@functools.cache
def build_fields() -> dict[str, str]:
    """The versions of what generates code, and the digest of our own part of it.

    Numba translates bytecode, so Python's version is one of them; NumPy folds constants. There is a field for settings
    of Numba in the environment only if there are any.
    """
    installed = _installed_versions()
    fields = {package: installed.get(package) or _version_by_metadata(package) for package in _PACKAGES}
    fields |= {"python": f"{sys.version_info[0]}.{sys.version_info[1]}", "code": code_digest()}
    settings = ",".join(_numba_settings())
    return {**fields, "settings": settings} if settings else fields


@functools.cache
def target_fields(target: Target) -> dict[str, str]:
    """The machine in terms that decide whether code runs there: instruction sets, but no hints for tuning.

    The name of a processor says more than its instruction sets only where these are not listed.
    """
    features = ",".join(sorted(name for name in target.enabled_features if not name.startswith(_HINTS)))
    is_listed = target.features == Target.host().features
    return {"triple": target.triple, **({} if is_listed else {"cpu": target.cpu}), "features": features}


def _numba_settings() -> Iterator[str]:
    for name, value in sorted(os.environ.items()):
        if name.startswith("NUMBA_") and not name.startswith(_IDLE_SETTINGS):
            yield f"{name}={value}"


def _installed_versions() -> dict[str, str]:
    """The versions of all packages, by the names of the folders of their metadata: those that are found first count.

    `importlib.metadata` says the same, but takes 20 ms to import.
    """
    found: dict[str, str] = {}
    for folder in sys.path:
        try:
            names = os.listdir(folder or os.curdir)
        except OSError:
            continue
        for name in names:
            if name.endswith(".dist-info"):
                package, _, version = name.removesuffix(".dist-info").partition("-")
                found.setdefault(package.lower(), version)
    return found


def _version_by_metadata(package: str) -> str:
    import importlib.metadata

    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "not installed"


class _SourceFile(NamedTuple):
    name: str
    path: str
    status: os.stat_result


def code_digest() -> str:
    """SHA-256 over our own files that generate code, from the store if they have not changed since it was made."""
    files = sorted(_source_files())
    store = disk_store()
    if store is None:
        return _digest(files)
    key = {"signature": _signature(files)}
    entry = store.read("code", key)
    if entry is not None:
        return str(entry.manifest["code"])
    digest = _digest(files)
    if max((file.status.st_mtime for file in files), default=0.0) < time.time() - _SETTLED_SECONDS:
        store.write("code", key, {"code": digest}, {})
    return digest


def _source_files() -> Iterator[_SourceFile]:
    for subpackage in _GENERATING:
        specification = importlib.util.find_spec(f"sessile.{subpackage}")
        for folder in (specification and specification.submodule_search_locations) or ():
            yield from _files_below(folder, subpackage)


def _files_below(folder: str, name: str) -> Iterator[_SourceFile]:
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.endswith(".py"):
                yield _SourceFile(f"{name}/{entry.name}", entry.path, entry.stat())
            elif entry.is_dir() and entry.name != "__pycache__":
                yield from _files_below(entry.path, f"{name}/{entry.name}")


def _signature(files: list[_SourceFile]) -> str:
    """Changes whenever a file does, as far as can be told without reading it."""
    rows = [(path, status.st_size, status.st_mtime_ns, status.st_ctime_ns) for _, path, status in files]
    return hashlib.sha256(repr(rows).encode()).hexdigest()


def _digest(files: list[_SourceFile]) -> str:
    digest = hashlib.sha256()
    for name, path, _ in files:
        with open(path, "rb") as file:
            content = file.read()
        digest.update(f"{name} {len(content)}\n".encode())
        digest.update(content)
    return digest.hexdigest()
