"""Arrays in and out: what `--feed x=VALUE` stands for, and the files that results go to.

A value is the path of a `.npy` file, of a `.npz` file (`data.npz`, or `data.npz:key` for one of its arrays), or is
written out: `3.5`, `[1, 2]`, `true`, `"text"`. Results go to a `.npy` or `.npz` file that appears whole or not at all.
"""

from __future__ import annotations

import ast
import io
import os
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click
import numpy as np

from sessile.compiler.output_file import write_whole
from sessile.runtime.command_line.failures import CommandFailure, did_you_mean

_WORDS = {"true": True, "false": False, "nan": float("nan"), "inf": float("inf"), "-inf": float("-inf")}
_ARCHIVE = ".npz"


def read_value(name: str, text: str, dtype: np.dtype[Any] | None) -> np.ndarray:
    """The array that `text` stands for, as the value of the input `name`.

    Args:
      name: the input; it is the key in a `.npz` file where the text tells none.
      text: a path or a value, see the module.
      dtype: the type of the result; None keeps the one that is found.

    Raises click.BadParameter for a text that is neither, CommandFailure for a file that cannot be read and for values
    of another kind than `dtype`.
    """
    path, key = _path_and_key(text)
    array = _read_file(name, path, key) if path else _written_out(name, text)
    return array if dtype is None else _converted(name, array, dtype)


def _path_and_key(text: str) -> tuple[str, str]:
    """The file and the key in it; "" for a text that is no path."""
    path, _, key = text.rpartition(f"{_ARCHIVE}:")
    if path:
        return f"{path}{_ARCHIVE}", key
    is_path = text.endswith((".npy", _ARCHIVE)) or ("/" in text and not text.startswith(("[", '"', "'")))
    return (text, "") if is_path else ("", "")


def _read_file(name: str, path: str, key: str) -> np.ndarray:
    try:
        loaded = np.load(path, allow_pickle=False)
    except FileNotFoundError:
        raise click.BadParameter(f"the file {path!r} for the input {name!r} does not exist.") from None
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        raise CommandFailure(f"{path}: this is no .npy or .npz file, or one that holds no plain numbers") from None
    if isinstance(loaded, np.ndarray):
        return loaded
    with loaded:
        return loaded[_key_of(name, path, key, loaded.files)]  # type: ignore[no-any-return]


def _key_of(name: str, path: str, key: str, keys: list[str]) -> str:
    if key in keys:
        return key
    if not key and name in keys:
        return name
    if not key and len(keys) == 1:
        return keys[0]
    wanted = key or name
    raise click.BadParameter(
        f"{path} holds {', '.join(map(repr, keys))}, no array {wanted!r}.{did_you_mean(wanted, keys)} "
        f"Write {name}={path}:KEY."
    )


def _written_out(name: str, text: str) -> np.ndarray:
    try:
        value = _WORDS[text.lower()] if text.lower() in _WORDS else ast.literal_eval(text)
        return np.asarray(value)
    except (ValueError, SyntaxError):
        message = f"{text!r} is no value for {name!r}: it is a .npy or .npz file, a number, or a list of numbers."
        raise click.BadParameter(message) from None


def _converted(name: str, array: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    if dtype.hasobject:
        return array.astype(object)
    both_whole = array.dtype.kind in "iu" and dtype.kind in "iu"
    fits = both_whole or np.can_cast(array.dtype, dtype, "same_kind")
    if not fits:
        raise CommandFailure(f"the value for {name!r} has elements of type {array.dtype}, the input takes {dtype}")
    converted = array.astype(dtype)
    if both_whole and not np.array_equal(converted, array):
        raise CommandFailure(f"the value for {name!r} holds numbers that {dtype} cannot hold")
    return converted


# --- results


def check_writable(path: str) -> None:
    """Raises CommandFailure unless a file can be made at `path`, so that no long work is done in vain."""
    folder = Path(path).absolute().parent
    if Path(path).is_dir():
        raise CommandFailure(f"cannot write {path}: it is a folder")
    if not folder.is_dir():
        raise CommandFailure(f"cannot write {path}: there is no folder {folder}")
    if not os.access(folder, os.W_OK):
        raise CommandFailure(f"cannot write {path}: the folder {folder} is not writable")


def write_file(path: str, data: bytes) -> None:
    """Writes a file, which appears whole or not at all. Raises CommandFailure where it cannot be written."""
    check_writable(path)
    try:
        write_whole(path, data)
    except OSError as error:
        raise CommandFailure(f"cannot write {path}: {error.strerror or error}") from None


def write_results(path: str, results: Mapping[str, np.ndarray]) -> None:
    """Writes arrays to a `.npz` file by name, or a single one to a `.npy` file.

    Raises CommandFailure where it cannot be written.
    """
    arrays = {name: _storable(array) for name, array in results.items()}
    file = io.BytesIO()
    if Path(path).suffix == ".npy":
        (array,) = arrays.values()
        np.save(file, array, allow_pickle=False)
    else:
        np.savez(file, allow_pickle=False, **arrays)
    write_file(path, file.getvalue())


def _storable(array: np.ndarray) -> np.ndarray:
    """Texts are stored as bytes of fixed length, which NumPy reads without unpickling."""
    return np.array(array, dtype=np.bytes_) if array.dtype.hasobject else np.asarray(array)
