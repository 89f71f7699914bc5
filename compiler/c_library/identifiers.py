"""Names in C: checks that of a library, and makes identifiers of the names of tensors."""

from __future__ import annotations

import re
from collections.abc import Iterable

_IDENTIFIER = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_KEYWORDS = frozenset(
    """auto bool break case char class const continue default delete do double else enum extern false float for friend
    goto if inline int long namespace new nullptr operator private protected public register restrict return short
    signed sizeof static struct switch template this throw true try typedef union unsigned using virtual void volatile
    while""".split()  # noqa: SIM905
)


def check_library_name(name: str) -> None:
    """Raises ValueError unless `name` can begin the names of C functions."""
    if not _IDENTIFIER.fullmatch(name) or name in _KEYWORDS:
        raise ValueError(
            f"{name!r} cannot be the name of a C library: letters, digits and underscores, a letter first, no keyword"
        )


def enumerators(names: Iterable[str]) -> list[str]:
    """Names of tensors as C writes constants, no two the same: `tower/x:0` is `TOWER_X`."""
    given: list[str] = []
    for name in names:
        word = re.sub(r"\W+", "_", name.removesuffix(":0"), flags=re.ASCII).strip("_").upper() or "_"
        number, unique = 1, word
        while unique in given:
            number += 1
            unique = f"{word}_{number}"
        given.append(unique)
    return given
