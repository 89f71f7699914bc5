"""What the inputs and masks of a strided slice mean: for each axis of the tensor, which part of it is taken.

In: begins, ends and strides (numbers; None or values of a program where they are not known) and five bit masks, whose
bit k says something about element k: that the begin or end is left open, that it is `...`, a new axis, or an index
whose axis vanishes. Out: a list of entries, one for each axis of the tensor and for each new axis.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

OPEN: Any = object()


class Masks(NamedTuple):
    """The five bit masks of a strided slice."""

    begin_mask: int = 0
    end_mask: int = 0
    ellipsis_mask: int = 0
    new_axis_mask: int = 0
    shrink_axis_mask: int = 0


class Entry(NamedTuple):
    """What happens to one axis: it is "new", an "index" (which takes it away), or a "slice", perhaps with OPEN ends."""

    kind: str
    begin: Any = OPEN
    end: Any = OPEN
    stride: Any = 1


WHOLE = Entry("slice")


def entries_of(
    begins: Sequence[Any], ends: Sequence[Any], strides: Sequence[Any], masks: Masks, rank: int
) -> list[Entry]:
    """The entries for a tensor of `rank` axes. Raises ValueError when there are too many, or several `...`."""
    if masks.ellipsis_mask & (masks.ellipsis_mask - 1):
        raise ValueError("Multiple ellipses in slice spec not allowed")
    entries: list[Entry] = []
    taken = sum(1 for k in range(len(begins)) if not _bit(masks.ellipsis_mask | masks.new_axis_mask, k))
    for k, (begin, end, stride) in enumerate(zip(begins, ends, strides, strict=True)):
        if _bit(masks.ellipsis_mask, k):
            entries += [WHOLE] * max(rank - taken, 0)
        elif _bit(masks.new_axis_mask, k):
            entries.append(Entry("new"))
        elif _bit(masks.shrink_axis_mask, k):
            entries.append(Entry("index", begin))
        else:
            begin = OPEN if _bit(masks.begin_mask, k) else begin
            end = OPEN if _bit(masks.end_mask, k) else end
            entries.append(Entry("slice", begin, end, stride))
    if taken > rank:
        raise ValueError(f"Index out of range using input dim {rank}; input has only {rank} dims")
    return entries if masks.ellipsis_mask else [*entries, *[WHOLE] * (rank - taken)]


def numpy_index(entries: Sequence[Entry]) -> tuple[Any, ...]:
    """The entries as NumPy writes them."""
    return tuple(
        None if e.kind == "new" else e.begin if e.kind == "index" else slice(*_ends(e), e.stride) for e in entries
    )


def _ends(entry: Entry) -> tuple[Any, Any]:
    return tuple(None if end is OPEN else end for end in (entry.begin, entry.end))  # type: ignore[return-value]


def result_size(entry: Entry, size: int | None, axis: int) -> int | None:
    """How many elements a slice takes of an axis; None where that is not known. Raises ValueError for a stride of 0."""
    if entry.stride == 0:
        raise ValueError(f"strides[{axis}] must be non-zero")
    if entry == WHOLE:
        return size
    if entry.begin is None or entry.end is None or entry.stride is None:
        return None
    if size is not None:
        return len(range(*slice(*_ends(entry), entry.stride).indices(size)))
    return _size_without(entry)


def _size_without(entry: Entry) -> int | None:
    """What a slice of an axis of unknown size is known to be: nothing, or [0, 0)."""
    begin, end = (0 if entry.begin is OPEN else entry.begin), entry.end
    same_side = end is not OPEN and (begin < 0) == (end < 0)
    return 0 if same_side and (end - begin) * entry.stride <= 0 else None


def _bit(mask: int, place: int) -> bool:
    return bool(mask >> place & 1)
