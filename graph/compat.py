"""Text and bytes: `tf.compat`, from the time when Python had two kinds of strings.

In come strings of either kind, out goes the kind that is asked for; tensors of strings hold bytes.
"""

import numbers
import os
from typing import Any

import numpy as np

from sessile.graph.public_names import add_public, public

integral_types = (numbers.Integral, np.integer)
real_types = (numbers.Real, np.integer, np.floating)
complex_types = (numbers.Complex, np.number)
bytes_or_text_types = (bytes, str)


@public("compat.as_bytes")
def as_bytes(bytes_or_text: Any, encoding: str = "utf-8") -> bytes:
    """Returns a string as bytes.

    Args:
        bytes_or_text: bytes, a bytearray, or text.
        encoding: how text becomes bytes.

    Raises:
        TypeError: it is none of these.
    """
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text
    if isinstance(bytes_or_text, str):
        return bytes_or_text.encode(encoding)
    if isinstance(bytes_or_text, bytearray):
        return bytes(bytes_or_text)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


@public("compat.as_text", "compat.as_str")
def as_text(bytes_or_text: Any, encoding: str = "utf-8") -> str:
    """Returns a string as text.

    Args:
        bytes_or_text: bytes or text.
        encoding: how bytes become text.

    Raises:
        TypeError: it is neither.
    """
    if isinstance(bytes_or_text, str):
        return bytes_or_text
    if isinstance(bytes_or_text, bytes):
        return bytes_or_text.decode(encoding)
    raise TypeError(f"Expected binary or unicode string, got {bytes_or_text!r}")


as_str = as_text


@public("compat.as_str_any")
def as_str_any(value: Any) -> str:
    """Returns a string as text, and anything else as `str` shows it."""
    return as_text(value) if isinstance(value, bytes) else str(value)


@public("compat.path_to_str")
def path_to_str(path: Any) -> Any:
    """Returns the text of a path object, and anything else (such as a string) as it is."""
    return as_str_any(os.fspath(path)) if hasattr(path, "__fspath__") else path


for _name in ("integral_types", "real_types", "complex_types", "bytes_or_text_types"):
    add_public(f"compat.{_name}", globals()[_name])
