"""How new values get into variables at the end of a program: copies in an order in which none spoils another.

All writes of a program happen at once: a value that is copied is the one from before all copies. So a variable is
written when nobody needs its old value any more, and where variables go round in a circle (a swap), one is saved first.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import TypeVar

Place = TypeVar("Place", bound=Hashable)


def ordered_copies(sources: dict[Place, Place], new_place: Callable[[Place], Place]) -> Iterator[tuple[Place, Place]]:
    """The copies (from, to) that give each key of `sources` what its value holds at the beginning.

    `new_place` gives room for what another place holds.
    """
    pending = {target: source for target, source in sources.items() if target != source}
    while pending:
        needed = set(pending.values())
        target = next((target for target in pending if target not in needed), None)
        if target is None:  # all that is left are circles
            target = next(iter(pending))
            saved = new_place(target)
            yield target, saved
            pending = {other: saved if source == target else source for other, source in pending.items()}
        yield pending.pop(target), target
