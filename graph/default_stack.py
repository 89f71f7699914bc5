"""The stacks of default graphs and default sessions, one of each for each thread."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
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

    @contextmanager
    def entered(self, item: Item) -> Iterator[Item]:
        """Makes `item` the default until the block is left. Raises AssertionError when blocks close out of order."""
        self.stack.append(item)
        try:
            yield item
        finally:
            if self.stack:
                if not self.enforce_nesting:
                    if item in self.stack:
                        self.stack.reverse()
                        self.stack.remove(item)
                        self.stack.reverse()
                else:
                    if self.stack[-1] is not item:
                        raise AssertionError(
                            f"Nesting violated for default stack of {type(item)} objects: blocks must close in "
                            f"the opposite order of opening"
                        )
                    self.stack.pop()
