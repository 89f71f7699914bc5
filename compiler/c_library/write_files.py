"""Writes a C library to files: header, object, static and shared library.

Everything is made in a folder of its own beside the others and put in place at the end, file by file: who looks finds
the old file or the new one, never a part. Where a tool is missing the other files are still written, and a note says
what was missing.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from pathlib import Path

from sessile.compiler.c_library.emit import CLibrary
from sessile.compiler.c_library.toolchain import FailedTool, MissingTool, archive, link
from sessile.compiler.target import Target

KINDS = ("header", "object", "static", "shared")


@dataclass(frozen=True)
class WrittenFiles:
    """What was written.

    Attributes:
      paths: the files by kind.
      notes: for each kind that could not be written why.
    """

    paths: Mapping[str, Path]
    notes: tuple[str, ...]


def write_c_library(library: CLibrary, folder: str | os.PathLike[str], kinds: Collection[str]) -> WrittenFiles:
    """Writes files of a library.

    Args:
      library: what to write.
      folder: where to; made if it is not there.
      kinds: which files: `header` (`<name>.h`), `object` (`<name>.o`), `static` (`lib<name>.a`), `shared`
        (`lib<name>.so`, or `.dylib` on macOS).

    Raises ValueError for another kind, and OSError if the folder cannot be written to; then no file has changed.
    """
    unknown = [kind for kind in kinds if kind not in KINDS]
    if unknown:
        raise ValueError(f"a C library has no file of kind {unknown[0]!r}; there are {', '.join(KINDS)}")
    target_folder = Path(folder)
    target_folder.mkdir(parents=True, exist_ok=True)
    names = file_names(library)
    notes: list[str] = []
    with tempfile.TemporaryDirectory(prefix=f".{library.name}-", dir=target_folder) as temporary:
        made = _make(library, {kind: Path(temporary) / names[kind] for kind in KINDS}, kinds, notes)
        paths = {kind: target_folder / path.name for kind, path in made.items()}
        for kind, path in made.items():
            os.replace(path, paths[kind])
    return WrittenFiles(paths, tuple(notes))


def file_names(library: CLibrary) -> dict[str, str]:
    """The name of each kind of file."""
    name = library.name
    shared = f"lib{name}.dylib" if "apple" in library.target.triple else f"lib{name}.so"
    return {"header": f"{name}.h", "object": f"{name}.o", "static": f"lib{name}.a", "shared": shared}


def _make(library: CLibrary, paths: Mapping[str, Path], kinds: Collection[str], notes: list[str]) -> dict[str, Path]:
    """The files that could be made."""
    paths["header"].write_text(library.header, encoding="utf-8")
    paths["object"].write_bytes(library.object_code)
    made = {kind: paths[kind] for kind in ("header", "object") if kind in kinds}
    tools: dict[str, Callable[[Target, Path, Path], None]] = {"static": archive, "shared": link}
    for kind, tool in tools.items():
        if kind not in kinds:
            continue
        try:
            tool(library.target, paths["object"], paths[kind])
        except (MissingTool, FailedTool, OSError) as reason:
            notes.append(f"no {kind} library: {reason}")
        else:
            made[kind] = paths[kind]
    return made
