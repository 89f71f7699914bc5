"""A kernel as Python source: the unit that the code generators hand to the compiler of kernels.

In: the text of one flat function and the types of its arguments. Out: a `KernelSource` whose name carries a hash of
what it computes, so that equal kernels of different programs and processes share one name and one compilation.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from typing import NamedTuple

PLACEHOLDER = "kernel"
"""The name under which code generators define the function, before its hash is known."""

ELEMENT_TYPES = (
    "f16", "f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "bool", "c64", "c128",
)  # fmt: skip

_COMMENT = re.compile(r"[ \t]*#[^\n]*")
_BLANK_LINES = re.compile(r"\n(?:[ \t]*\n)+")
_LONGEST_WORDS = 48


class KernelSource(NamedTuple):
    """The source of one kernel.

    Attributes:
      name: the name of the function and of the exported symbol.
      source: Python source that defines the function `name(<arguments>, part, parts)`.
      argument_types: one entry for each argument before `part`: `"*f32"` is a pointer to f32, `"i64"` a scalar.
    """

    name: str
    source: str
    argument_types: tuple[str, ...]


def kernel_name(words: Sequence[str], code: str, argument_types: Sequence[str]) -> str:
    """The name of a kernel: what it does in words, and a hash of its code and the types of its arguments.

    Args:
      words: the operations of the kernel, for people who read profiles.
      code: source of the function, named `kernel` in it. Comments and blank lines do not enter the hash. (A kernel
        has no string literals, so whatever follows a `#` is a comment.)
      argument_types: as in `KernelSource`.
    """
    label = re.sub(r"\W+", "_", "_".join(words)).strip("_").lower()[:_LONGEST_WORDS].rstrip("_")
    bare = _BLANK_LINES.sub("\n", _COMMENT.sub("", code).strip() + "\n")
    digest = hashlib.sha256(f"{' '.join(argument_types)}\n{bare}".encode()).hexdigest()[:16]
    return "_".join(part for part in (PLACEHOLDER, label, digest) if part)


def kernel_source(words: Sequence[str], code: str, argument_types: Sequence[str]) -> KernelSource:
    """The `KernelSource` of code that defines the function under the name `kernel`.

    Raises ValueError if the code does not define `kernel`.
    """
    name = kernel_name(words, code, argument_types)
    source, definitions = re.subn(rf"^def {PLACEHOLDER}\(", f"def {name}(", code, flags=re.MULTILINE)
    if definitions != 1:
        raise ValueError(f"the code of a kernel defines one function called {PLACEHOLDER}, found {definitions}")
    return KernelSource(name, source, tuple(argument_types))
