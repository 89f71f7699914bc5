"""What this installation has and lacks, as plain text: `python -m sessile.doctor`.

Nothing heavy is imported to find out: versions come from the packages' metadata.
"""

from __future__ import annotations

import os
import platform
import sys
from collections.abc import Iterable
from pathlib import Path

from sessile.runtime.cuda_parts import CudaPart, cuda_parts, version_of
from sessile.runtime.executor import available_processors

_REQUIRED = ("numpy", "numba", "llvmlite", "protobuf", "platformdirs", "filelock", "click", "rich")
_OPTIONAL = {"ml_dtypes": "values of bfloat16", "pillow": "images"}
_SWITCHES = {
    "SESSILE_JIT": "auto",
    "SESSILE_THREADS": "all processors",
    "SESSILE_DUMP": "no dumps",
    "SESSILE_LOG": "no log lines",
    "SESSILE_CACHE_SIZE": "1 GiB",
    "SESSILE_CACHE_CHECK": "no check",
}
# What kernels use, of the names that LLVM gives to instruction sets.
_FEATURES = ("sse4.2", "avx", "avx2", "fma", "f16c", "avx512f", "avx512bw", "avx512vl", "neon", "sve")

Rows = Iterable[tuple[str, str]]


def main() -> None:
    """Prints the report."""
    print(report())


def report() -> str:
    """The whole report."""
    parts = cuda_parts()
    sections = [
        ("Versions", _versions()),
        ("Processor", _processor()),
        ("Threads", _threads()),
        ("Settings", ((name, os.environ.get(name) or f"{default} (not set)") for name, default in _SWITCHES.items())),
        ("Cache folder", _cache_folder()),
        ("CUDA", ((part.name, part.found or f"missing: {part.remedy}") for part in parts)),
    ]
    body = "\n\n".join(_section(title, list(rows)) for title, rows in sections)
    return f"sessile doctor\n\n{body}\n\n{_verdict(parts)}"


def _section(title: str, rows: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in rows)
    return "\n".join([title, *(f"  {name:<{width}}  {value}" for name, value in rows)])


def _versions() -> Rows:
    yield "sessile", version_of("sessile") or "not installed as a package"
    yield "Python", f"{platform.python_version()} ({platform.python_implementation()}), {sys.executable}"
    yield "system", platform.platform()
    for package in _REQUIRED:
        yield package, version_of(package) or f"missing: pip install {package}"
    for package, purpose in _OPTIONAL.items():
        yield package, version_of(package) or f"not installed; needed for {purpose}"


def _processor() -> Rows:
    yield "name", _processor_name()
    if version_of("llvmlite") is None:
        yield "LLVM's name", "unknown without llvmlite"
        return
    from sessile.compiler.target import Target

    target = Target.host()
    yield "LLVM's name", target.cpu
    yield "features", " ".join(name for name in _FEATURES if name in target.enabled_features) or "none that matter"
    yield "vectors", f"{target.vector_bytes} bytes"


def _processor_name() -> str:
    information = Path("/proc/cpuinfo")
    if information.exists():
        for line in information.read_text(encoding="utf-8", errors="replace").splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                return value.strip()
    return platform.processor() or platform.machine()


def _threads() -> Rows:
    yield "processors", f"{available_processors()} of {os.cpu_count()} may be used"
    yield "for a run", os.environ.get("SESSILE_THREADS") or str(available_processors())


def _cache_folder() -> Rows:
    from sessile.compiler.store.store_folder import SIZE_VARIABLE, cache_folder, cache_limit, inspect_folder

    try:
        limit = cache_limit()
    except ValueError as error:
        yield SIZE_VARIABLE, str(error)
        return
    state = inspect_folder(cache_folder(), limit)
    yield "folder", "none: nothing is stored on disk" if state.folder is None else str(state.folder)
    if state.trouble:
        yield "trouble", state.trouble
    if state.store:
        sizes = [entry.bytes for entry in state.store.entries()]
        yield "entries", f"{len(sizes)}, {sum(sizes) / 2**20:.1f} of {limit / 2**20:.0f} MiB"


def _verdict(parts: Iterable[CudaPart]) -> str:
    missing = [package for package in _REQUIRED if version_of(package) is None]
    if missing:
        return f"Not ready: install {', '.join(missing)}."
    lacking = [part.name for part in parts if part.found is None]
    cuda = f"CUDA lacks {', '.join(lacking)}." if lacking else "All parts for CUDA are there."
    return f"Ready for the CPU. {cuda} This version computes on the CPU alone."
