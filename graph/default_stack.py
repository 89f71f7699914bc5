"""The stacks of default graphs and default sessions, one of each for each thread."""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

Item = TypeVar("Item")


class DefaultStack(threading.local, Generic[Item]):
    """A thread's stack of defaults; the innermost is current. Nesting must close in order."""

    def __init__(self, enforce_nesting: bool = True) -> None:
        self.enforce_nesting = enforce_nesting
        self.stack: list[Item] = []

    def get(self) -> Item | None:
        """The current default, or None."""
        return self.stack[-1] if self.stack else None

    @property
    def is_empty(self) -> bool:
        return not self.stack

    def entered(self, item: Item) -> Entered[Item]:
        """Makes `item` the default until the block is left. Raises AssertionError when blocks close out of order."""
        return Entered(self, item)

    def leave(self, item: Item) -> None:
        """Ends the innermost block of `item`. Raises AssertionError when another block inside it is still open."""
        if not self.stack:
            return
        if self.stack[-1] is item:
            self.stack.pop()
        elif self.enforce_nesting:
            raise AssertionError(
                f"Nesting violated for default stack of {type(item)} objects: blocks must close in the opposite order "
                f"of opening"
            )
        elif item in self.stack:
            del self.stack[len(self.stack) - 1 - self.stack[::-1].index(item)]


class Entered(Generic[Item]):
    """The block in which something is the default."""

    __slots__ = ("_item", "_stack")

    def __init__(self, stack: DefaultStack[Item], item: Item) -> None:
        self._stack = stack
        self._item = item

    def __enter__(self) -> Item:
        self._stack.stack.append(self._item)
        return self._item

    def __exit__(self, *exception: object) -> None:
        self._stack.leave(self._item)
