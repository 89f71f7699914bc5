"""The files of a C library: what is in them, what is written without tools, and that none is ever half there."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest
from support.c_libraries import COMPILER, LoadedLibrary, computed, library_of, needs_compiler

from sessile.compiler.c_library import write_files
from sessile.compiler.c_library.emit import CLibrary
from sessile.compiler.c_library.write_files import KINDS, write_c_library
from sessile.compiler.cpu.object_symbols import undefined_symbols
from sessile.compiler.target import Target
from sessile.ir.parser import parse

PROGRAM = """
program @model {
  size n0 = parameter "x" axis 0
  %0 = parameter "x" : f32[n0, 8]
  %1 = constant [1, 2, 3, 4, 5, 6, 7, 8] : f32[8]
  %2 = contract %0, %1 {batch: [[], []], contracting: [[1], [0]]} : f32[n0]
  %3 = map tanh %2 : f32[n0]
  return %3
}
"""


@pytest.fixture(scope="module")
def library() -> CLibrary:
    return library_of(parse(PROGRAM))


@needs_compiler
def test_all_files_are_written(library: CLibrary, tmp_path: Path) -> None:
    written = write_c_library(library, tmp_path / "new", KINDS)
    assert written.notes == ()
    assert {kind: path.name for kind, path in written.paths.items()} == {
        "header": "model.h", "object": "model.o", "static": "libmodel.a", "shared": "libmodel.so",
    }  # fmt: skip
    assert sorted(path.name for path in (tmp_path / "new").iterdir()) == sorted(p.name for p in written.paths.values())


def test_only_what_is_asked_for_is_written(library: CLibrary, tmp_path: Path) -> None:
    write_c_library(library, tmp_path, ["object"])
    assert [path.name for path in tmp_path.iterdir()] == ["model.o"]
    with pytest.raises(ValueError, match="no file of kind 'dll'; there are header, object, static, shared"):
        write_c_library(library, tmp_path, ["dll"])


def test_equal_programs_make_equal_libraries(library: CLibrary) -> None:
    again = library_of(parse(PROGRAM))
    assert again.object_code == library.object_code
    assert again.header == library.header


def test_the_object_needs_memory_of_c_and_nothing_else(library: CLibrary) -> None:
    assert set(undefined_symbols(library.object_code)) <= {"malloc", "free", "memset", "memcpy"}


@needs_compiler
@pytest.mark.skipif(shutil.which("nm") is None, reason="nm is not installed")
def test_only_the_functions_of_the_library_are_visible(library: CLibrary, tmp_path: Path) -> None:
    path = write_c_library(library, tmp_path, ["shared"]).paths["shared"]
    listed = subprocess.run(["nm", "-D", "--defined-only", path], capture_output=True, text=True, check=True).stdout
    names = [line.split()[-1] for line in listed.splitlines()]
    assert names
    assert all(name.startswith("model_") for name in names)
    assert all(f"{name}(" in library.header for name in names)


# --- without tools


def test_without_tools_header_and_object_are_written(
    library: CLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.delenv("CC", raising=False)
    written = write_c_library(library, tmp_path, KINDS)
    assert set(written.paths) == {"header", "object"}
    static, shared = written.notes
    assert static.startswith(f"no static library: no archiver for {library.target.triple} (looked for llvm-ar and ")
    assert shared.startswith("no shared library: no C compiler that links for ")
    assert "cc and gcc and clang" in shared


@needs_compiler
def test_a_linker_that_fails_is_quoted(library: CLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CC", f"{COMPILER} -no-such-option")
    written = write_c_library(library, tmp_path, KINDS)
    assert set(written.paths) == {"header", "object", "static"}
    (note,) = written.notes
    assert "no shared library: " in note
    assert "no-such-option" in note


def test_files_for_another_processor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    library = library_of(parse(PROGRAM), target=Target.parse("aarch64-unknown-linux-gnu"))
    monkeypatch.setenv("PATH", str(tmp_path))
    written = write_c_library(library, tmp_path, KINDS)
    assert written.paths["object"].read_bytes()[18:20] == b"\xb7\0"  # EM_AARCH64
    assert "aarch64-linux-gnu-gcc and clang" in written.notes[1]


# --- nothing half-written


def test_an_interrupted_write_leaves_the_old_files(
    library: CLibrary, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "model.h").write_text("old")

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(write_files, "archive", interrupted)
    with pytest.raises(KeyboardInterrupt):
        write_c_library(library, tmp_path, KINDS)
    assert [path.name for path in tmp_path.iterdir()] == ["model.h"]
    assert (tmp_path / "model.h").read_text() == "old"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_cannot_be_written(library: CLibrary, tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(PermissionError):
        write_c_library(library, tmp_path, KINDS)


def test_a_file_in_the_place_of_the_folder(library: CLibrary, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(FileExistsError):
        write_c_library(library, tmp_path / "file", KINDS)


# --- other levels of this processor


@needs_compiler
@pytest.mark.parametrize("level", ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4"])
def test_libraries_for_levels_of_this_processor(level: str, tmp_path: Path) -> None:
    target = Target.parse(level)
    if target.triple != Target.host().triple or not target.enabled_features <= Target.host().enabled_features:
        pytest.skip(f"this processor is not {level}")
    x = np.linspace(-0.2, 0.2, 80, dtype=np.float32).reshape(10, 8)
    (y,) = computed(LoadedLibrary(library_of(parse(PROGRAM), target=target), tmp_path), {"x": x})
    np.testing.assert_allclose(y, np.tanh(x.astype(np.float64) @ np.arange(1.0, 9.0)), rtol=1e-5)
