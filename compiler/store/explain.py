"""Why an entry was not found: the nearest one that is there, and how its key differs, field by field."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sessile.compiler.store.build_identity import ENVIRONMENT_FIELDS
from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.entry_key import Key
from sessile.compiler.store.upkeep import StoredEntry


@dataclass(frozen=True)
class Difference:
    """A field that two keys differ in; None where a key lacks it."""

    field: str
    wanted: str | None
    stored: str | None

    def __str__(self) -> str:
        if self.wanted is not None and self.stored is not None and "," in self.wanted + self.stored:
            return f"{self.field}: {self._items()}"
        return f"{self.field}: wanted {self.wanted or 'none'}, stored {self.stored or 'none'}"

    def _items(self) -> str:
        """Which items one list has and the other lacks."""
        wanted, stored = ({*(text or "").split(",")} - {""} for text in (self.wanted, self.stored))
        missing, surplus = (", ".join(sorted(items)) for items in (wanted - stored, stored - wanted))
        parts = [f"not stored: {missing}" if missing else "", f"stored but not wanted: {surplus}" if surplus else ""]
        return "; ".join(filter(None, parts)) or "in another order"


@dataclass(frozen=True)
class Explanation:
    """What is known about a key.

    Attributes:
      found: whether there is an entry under the key.
      nearest: that entry, or the one whose key is most like it; None if there is none of this kind.
      differences: the fields in which the key of `nearest` differs from the one that is wanted.
    """

    found: bool
    nearest: StoredEntry | None
    differences: tuple[Difference, ...]


def explain(key: Key, store: DiskStore, kind: str) -> Explanation:
    """Why there is no entry under a key, or that there is one. Reads the manifests of all entries of the kind."""
    best: tuple[tuple[int, int, float], StoredEntry, tuple[Difference, ...]] | None = None
    for entry in store.entries():
        if entry.kind == kind and entry.key is not None:
            differences = tuple(key_differences(key, entry.key))
            rank = (*_distance(differences), -entry.last_used)
            if best is None or rank < best[0]:
                best = rank, entry, differences
    if best is None:
        return Explanation(False, None, ())
    return Explanation(not best[2], best[1], best[2])


def key_differences(wanted: Key, stored: Key) -> Iterator[Difference]:
    """The fields in which two keys differ, in the order of the one that is wanted."""
    for field in dict.fromkeys((*wanted, *stored)):
        if wanted.get(field) != stored.get(field):
            yield Difference(field, wanted.get(field), stored.get(field))


def _distance(differences: tuple[Difference, ...]) -> tuple[int, int]:
    """What was compiled counts before how: the same kernel of another version is nearer than another kernel."""
    subjects = sum(difference.field not in ENVIRONMENT_FIELDS for difference in differences)
    return subjects, len(differences)
