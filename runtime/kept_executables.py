"""The executables that a call keeps, with their memory, for what it was bound to: a program and the sizes of feeds.

Each binding has executables of its own, as many as threads have run at once. The memory that they take together is
bounded: where it is too much, those of the bindings that were not met for longest go, and one leaves its memory to the
next.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Hashable
from typing import Any

from sessile.runtime.fork_safety import renew_locks_in_children

MOST_BINDINGS = 32
MOST_BYTES = 1 << 27


class KeptExecutables:
    """Executables by what they are bound to. Safe to use from several threads."""

    def __init__(self) -> None:
        self._free: OrderedDict[Hashable, list[Any]] = OrderedDict()
        renew_locks_in_children(self)

    def renew_locks(self) -> None:
        """See `fork_safety`."""
        self._lock = threading.Lock()

    def take(self, binding: Hashable) -> tuple[list[Any], Any]:
        """The list of free executables for a binding, to give one back to, and one of them if there is any."""
        with self._lock:
            free = self._free.setdefault(binding, [])
            self._free.move_to_end(binding)
        try:
            return free, free.pop()
        except IndexError:
            return free, None

    def spare(self, native: Any) -> Any:
        """An executable of `native` that is kept no longer, if there are too many; None otherwise."""
        spare = None
        with self._lock:
            while len(self._free) > 1 and self._is_full():
                _, executables = self._free.popitem(last=False)
                spare = next((e for e in executables if e.native is native), spare)
        return spare

    def _is_full(self) -> bool:
        taken = sum(executable.arena.nbytes for executables in self._free.values() for executable in executables)
        return len(self._free) > MOST_BINDINGS or taken > MOST_BYTES
