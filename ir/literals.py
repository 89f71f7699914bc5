"""How single elements and constant arrays are written in program text, and read again without loss.

Floating numbers are written with the fewest digits that give the same bits; NaNs other than the usual one show their
bits. Arrays of more than `SHOWN_ELEMENTS` elements are written as `dense<hash>`; their data is kept aside.
"""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from sessile.ir.types import NUMPY_DTYPES

SHOWN_ELEMENTS = 64
_BITS = {2: np.uint16, 4: np.uint32, 8: np.uint64}
_NAN_BITS = re.compile(r"nan\((0x[0-9a-f]+)\)")


def array_text(array: np.ndarray) -> str:
    """An array of a constant: nested lists of elements, or `dense<hash>` for a large one."""
    if array.size > SHOWN_ELEMENTS:
        return f"dense<{array_hash(array)}>"
    write = _element_writer(array)
    return _nested(_nesting(array.shape), (write(element) for element in array.flat))


def array_hash(array: np.ndarray) -> str:
    """The first 16 hexadecimal digits of the SHA-256 of an array's element type, shape, and elements."""
    digest = hashlib.sha256(f"{array.dtype.str}{array.shape}".encode())
    if array.dtype.hasobject:
        write = _element_writer(array)
        digest.update("\n".join(write(element) for element in array.flat).encode())
    else:
        digest.update(np.ascontiguousarray(array).data)
    return digest.hexdigest()[:16]


def _nesting(shape: tuple[int, ...]) -> tuple[int, ...]:
    """The shape whose brackets are written: of a shape without elements only the axes that show it, unless many."""
    if 0 not in shape:
        return shape
    outer = shape[: shape.index(0)]
    return (*outer, 0) if math.prod(outer) <= SHOWN_ELEMENTS else (0,)


def _nested(shape: tuple[int, ...], elements: Iterator[str]) -> str:
    if not shape:
        return next(elements)
    return f"[{', '.join(_nested(shape[1:], elements) for _ in range(shape[0]))}]"


def _element_writer(array: np.ndarray) -> Callable[[Any], str]:
    return _WRITERS.get(array.dtype.kind, string_text)


def float_text(value: np.floating) -> str:
    """The shortest text that reads back to the same bits."""
    if np.isnan(value):
        bits = int(np.asarray(value).view(_BITS[value.dtype.itemsize]))
        usual = int(np.array(np.nan, value.dtype).view(_BITS[value.dtype.itemsize]))
        return "nan" if bits == usual else f"nan({hex(bits)})"
    short = str(value)
    return short if value.dtype.type(float(short)) == value else repr(float(value))


def _complex_text(value: np.complexfloating) -> str:
    return f"({float_text(value.real)}, {float_text(value.imag)})"


def _bool_text(value: Any) -> str:
    return "true" if value else "false"


def string_text(value: Any) -> str:
    """A string as JSON writes it; `b` before it marks bytes, one character for each."""
    if isinstance(value, bytes):
        return "b" + json.dumps(value.decode("latin-1"))
    if isinstance(value, str):
        return json.dumps(value)
    raise TypeError(f"program text has no form for an element of type {type(value).__name__}")


_WRITERS: dict[str, Callable[[Any], str]] = {
    "f": float_text,
    "c": _complex_text,
    "b": _bool_text,
    "i": str,
    "u": str,
}


def read_array(elements: list[str], dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """The array with these elements in row-major order. Raises ValueError when they do not fit."""
    array = np.empty(len(elements), NUMPY_DTYPES[dtype])
    for k, element in enumerate(elements):
        array[k] = _read_element(element, array.dtype)
    array = array.reshape(shape)
    array.setflags(write=False)
    return array


def _read_element(text: str, dtype: np.dtype) -> Any:
    match dtype.kind:
        case "f":
            return _read_float(text, dtype)
        case "c":
            real, imaginary = text[1:-1].split(", ")
            part = np.dtype(f"f{dtype.itemsize // 2}")
            pair = np.array([_read_float(real, part), _read_float(imaginary, part)], part)
            return pair.view(dtype)[0]
        case "b" if text in ("true", "false"):
            return text == "true"
        case "i" | "u":
            value = int(text)
            if not np.iinfo(dtype).min <= value <= np.iinfo(dtype).max:
                raise ValueError(f"{text} is out of range")
            return value
        case "O":
            return read_string(text)
    raise ValueError(f"not an element: {text!r}")


def _read_float(text: str, dtype: np.dtype) -> Any:
    bits = _NAN_BITS.fullmatch(text)
    if bits:
        return np.array(int(bits[1], 16), _BITS[dtype.itemsize]).view(dtype)[()]
    return dtype.type(float(text))


def read_string(text: str) -> str | bytes:
    """Reads what `string_text` wrote. Raises ValueError for anything else."""
    if text.startswith("b"):
        return json.loads(text[1:]).encode("latin-1")
    return json.loads(text)
