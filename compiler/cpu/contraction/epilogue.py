"""What a contraction does with each sum before it is stored: a bias, an activation, a residual.

In: lines of kernel source from the fusion of elementwise work. Out: the same lines inside the contraction's own loops,
so that the result is not written and read once more.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Epilogue:
    """Elementwise work on the result of a contraction.

    Attributes:
      words: what it does, for the kernel's name, as ("add", "max").
      arguments: name and type of each additional argument, as ("e0", "*f32") or ("rows", "i64"). The names must not be
        those of the contraction's own arguments; names that begin with `e` followed by a digit never are.
      lines: statements, one a line, indented relative to each other. They may use `acc`, the finished sum, of the
        element type in which the contraction adds (f32 for f16); `i`, the row of the result, counted over the batch and
        all row axes; `j`, its column; and `o`, the position of the element in the result's memory, `i * n + j` for a
        dense result. They may define names that begin with `t`, and may store to arguments at positions of their own.
      result: the expression that is stored, in the element type of `acc`.
    """

    words: tuple[str, ...]
    arguments: tuple[tuple[str, str], ...]
    lines: tuple[str, ...]
    result: str

    @property
    def parameters(self) -> str:
        """The additional arguments as they stand in the kernel's list of arguments."""
        return "".join(f"{name}, " for name, _ in self.arguments)

    @property
    def types(self) -> tuple[str, ...]:
        return tuple(kind for _, kind in self.arguments)

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(name for name, _ in self.arguments)


NO_EPILOGUE = Epilogue((), (), (), "acc")
"""Stores the sums as they are."""
