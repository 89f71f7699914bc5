"""Kernel source as nested blocks of lines, with comments that stand in one column."""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from contextlib import contextmanager

_INDENT = "    "
_WIDEST_CODE = 72


class Block:
    """The body of a function, loop, or branch.

    Attributes:
      axes: the loops around the block.
      names: what has been computed so far, and the expression that stands for it; inner blocks see it too.
    """

    def __init__(self, header: str = "", axes: frozenset[int] = frozenset(), parent: Block | None = None) -> None:
        self.header = header
        self.axes = axes
        self.parent = parent
        self.names: dict[Hashable, str] = {}
        self._items: list[tuple[str, str] | Block] = []

    @property
    def is_empty(self) -> bool:
        return not self._items

    def line(self, code: str, comment: str = "") -> None:
        """Appends a line."""
        self._items.append((code, comment))

    def line_before(self, code: str) -> None:
        """Puts a line before all others."""
        self._items.insert(0, (code, ""))

    @contextmanager
    def inside(self, header: str, *axes: int) -> Iterator[Block]:
        """A block under a loop over `axes`, or a branch; appended when it is left, after what it hoisted to here."""
        inner = Block(header, self.axes.union(axes), self)
        yield inner
        if not inner.is_empty:
            self._items.append(inner)

    def find(self, key: Hashable) -> str | None:
        """The expression of something computed here or in a block around."""
        block: Block | None = self
        while block is not None:
            if key in block.names:
                return block.names[key]
            block = block.parent
        return None

    def outermost(self, axes: frozenset[int]) -> Block:
        """The outermost block around this one, or itself, inside loops over all of `axes` and in the same branch."""
        block = self
        while block.parent is not None and axes <= block.parent.axes and not block.header.startswith("if "):
            block = block.parent
        return block

    def lines(self, depth: int = 0) -> Iterator[tuple[str, str]]:
        """The lines with indentation, and their comments."""
        if self.header:
            yield _INDENT * (depth - 1) + self.header, ""
        for item in self._items:
            if isinstance(item, Block):
                yield from item.lines(depth + 1)
            else:
                yield _INDENT * depth + item[0], item[1]


def source_text(block: Block) -> str:
    """The text of a function's block."""
    lines = list(block.lines(1))
    widest = max((len(code) for code, comment in lines if comment and len(code) <= _WIDEST_CODE), default=0)
    return "\n".join(f"{code:<{widest}}  # {comment}" if comment else code for code, comment in lines) + "\n"
