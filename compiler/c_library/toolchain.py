"""The system's tools that make libraries of an object: an archiver, and a C compiler that links.

In: a target. Out: commands for it, or what is missing, in words. Nothing is run here but what the caller asks for.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

from sessile.compiler.target import Target


class MissingTool(Exception):
    """No tool for this was found; the message says which were looked for."""


class FailedTool(Exception):
    """A tool ended with an error; the message holds what it printed."""


def archive(target: Target, object_file: Path, output: Path) -> None:
    """Writes a static library of one object. Raises MissingTool and FailedTool."""
    tool = _first_found(_archivers(target))
    if tool is None:
        raise MissingTool(f"no archiver for {target.triple} (looked for {' and '.join(_archivers(target))})")
    # D: no times and users in the archive, so that equal objects make equal libraries
    flags = "rcs" if "apple" in target.triple and not tool.endswith("llvm-ar") else "rcsD"
    _run([tool, flags, str(output), str(object_file)])


def link(target: Target, object_file: Path, output: Path) -> None:
    """Writes a shared library of one object that needs C's library alone. Raises MissingTool and FailedTool."""
    compiler = _compiler(target)
    if compiler is None:
        looked_for = " and ".join(_compilers(target))
        raise MissingTool(f"no C compiler that links for {target.triple} (looked for {looked_for})")
    if "apple" in target.triple:
        flags = ["-dynamiclib", f"-Wl,-install_name,@rpath/{output.name}"]
    else:
        flags = ["-shared", f"-Wl,-soname,{output.name}", "-Wl,-z,defs"]
    _run([*compiler, *flags, "-o", str(output), str(object_file), "-lm"])


def _is_native(target: Target) -> bool:
    return target.triple == Target.host().triple


def _prefixed(target: Target, tool: str) -> list[str]:
    """Names of cross tools: `aarch64-linux-gnu-gcc`."""
    architecture, _, rest = target.triple.partition("-")
    system = rest.removeprefix("unknown-").removeprefix("pc-")
    return [f"{architecture}-{system}-{tool}"]


def _archivers(target: Target) -> list[str]:
    return ["llvm-ar", *_prefixed(target, "ar"), *(["ar"] if _is_native(target) else [])]


def _compilers(target: Target) -> list[str]:
    return ["cc", "gcc", "clang"] if _is_native(target) else [*_prefixed(target, "gcc"), "clang"]


def _compiler(target: Target) -> list[str] | None:
    """The command of a C compiler for a target; for this machine `CC` names it, as for other builds."""
    if _is_native(target):
        chosen = shlex.split(os.environ.get("CC", ""))
        if chosen and shutil.which(chosen[0]):
            return chosen
        found = _first_found(_compilers(target))
        return [found] if found else None
    cross = _first_found(_prefixed(target, "gcc"))
    if cross:
        return [cross]
    clang = _first_found(["clang"])
    return [clang, f"--target={target.triple}"] if clang else None


def _first_found(names: Sequence[str]) -> str | None:
    return next((path for path in map(shutil.which, names) if path), None)


def _run(command: Sequence[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    if done.returncode:
        words = (done.stderr or done.stdout).strip() or f"exit status {done.returncode}"
        raise FailedTool(f"{Path(command[0]).name}: {words}")
