"""Which files `sessile compile` writes, and where: a bundle for Python, the files of a C library."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from sessile.compiler.c_library.write_files import KINDS
from sessile.runtime.command_line.array_files import check_writable
from sessile.runtime.command_line.failures import CommandFailure
from sessile.runtime.command_line.models.bundles import SUFFIX

BUNDLE = "bundle"
LIBRARY = "c"


@dataclass(frozen=True)
class OutputFiles:
    """What is written, and where.

    Attributes:
      name: of the library, with which the names of its C functions begin.
      bundle: the bundle's file; None if there is to be none.
      folder: where the C library's files go.
      library_kinds: which of them there are to be.
    """

    name: str
    bundle: Path | None
    folder: Path
    library_kinds: tuple[str, ...]


def output_files(source: str, emit: Sequence[str], output: str | None, name: str | None) -> OutputFiles:
    """The files that the options ask for.

    Args:
      source: the model; files are named after it if nothing else is said.
      emit: what to write, a bundle by default.
      output: the bundle's file if there is nothing else to write, otherwise the folder for all files.
      name: of the library.

    Raises click.BadParameter for a name that is none in C, CommandFailure for what cannot be written.
    """
    kinds = list(emit) or [BUNDLE]
    library_kinds = KINDS if LIBRARY in kinds else tuple(kind for kind in KINDS if kind in kinds)
    chosen = name if name is not None else default_name(source)
    if not re.fullmatch(r"[A-Za-z_]\w*", chosen):
        raise click.BadParameter(
            f"{chosen!r} is no name for a library: it must be an identifier of C.", param_hint="--name"
        )
    if not library_kinds:
        bundle = Path(output or f"{chosen}{SUFFIX}")
        check_writable(str(bundle))
        return OutputFiles(chosen, bundle, bundle.parent, ())
    folder = Path(output or ".")
    if folder.exists() and not folder.is_dir():
        raise CommandFailure(f"cannot write to {folder}: it is a file, and the files of a library need a folder")
    folder.mkdir(parents=True, exist_ok=True)
    check_writable(str(folder / chosen))
    bundle_file = folder / f"{chosen}{SUFFIX}" if BUNDLE in kinds else None
    return OutputFiles(chosen, bundle_file, folder, library_kinds)


def default_name(source: str) -> str:
    """A name made of that of a model: of its function, or of its file."""
    place, _, function = source.rpartition(":")
    name = function if place else Path(source).stem
    return re.sub(r"\W+", "_", name).strip("_") or "model"
