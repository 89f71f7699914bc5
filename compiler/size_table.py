"""Many sizes at once: what a program needs to know of a new set of sizes, in a few NumPy operations.

In: sizes, each once. Out: their numbers for given symbols, as an array. All sizes of a program are sums of few
different products of symbols, so that only these products are computed one by one.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, TypeAlias

import numpy as np

from sessile.ir.sizes import Bindings, Monomial, Size, SizeExpression, symbols_of

if TYPE_CHECKING:
    import numpy.typing as npt

Numbers: TypeAlias = "npt.NDArray[np.int64]"


class SizeTable:
    """Sizes in rows. Rows can be added until the numbers are asked for."""

    def __init__(self) -> None:
        self._rows: dict[Size, int] = {}
        self._monomials: dict[Monomial, int] = {(): 0}
        self._starts: list[int] = []
        self._coefficients: list[int] = []
        self._columns: list[int] = []
        self._arrays: tuple[Numbers, Numbers, Numbers] | None = None

    def row(self, size: Size) -> int:
        """The row of a size, a new one if need be."""
        row = self._rows.get(size)
        if row is None:
            row = self._rows[size] = len(self._rows)
            terms = size.terms if isinstance(size, SizeExpression) else {(): size}
            self._starts.append(len(self._columns))
            self._coefficients += terms.values()
            self._columns += [self._monomials.setdefault(monomial, len(self._monomials)) for monomial in terms]
        return row

    def symbols(self) -> set[str]:
        """The symbols of all sizes."""
        return {name for size in self._rows for name in symbols_of(size)}

    def values(self, bindings: Bindings) -> Numbers:
        """The number of each row. Raises KeyError for a symbol that `bindings` lacks."""
        if self._arrays is None:
            starts, coefficients, columns = self._starts, self._coefficients, self._columns
            self._arrays = np.array(starts, np.int64), np.array(coefficients, np.int64), np.array(columns, np.int64)
        rows, factors, places = self._arrays
        if not len(rows):
            return np.zeros(0, np.int64)
        products = [math.prod(atom.evaluate(bindings) for atom in monomial) for monomial in self._monomials]
        return np.add.reduceat(factors * np.array(products, np.int64)[places], rows)
