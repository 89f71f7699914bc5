"""Sizes computed by native code: whole-number arithmetic in LLVM IR that notices what it cannot compute.

In: sizes over symbols whose values are at hand. Out: 64-bit values, and whether any of the sums and products did not
fit into 64 bits or divided by zero. Equal products are computed once.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llvmlite import ir

from sessile.ir.program import Guard
from sessile.ir.sizes import Atom, Monomial, Size

I1, I64 = ir.IntType(1), ir.IntType(64)


class SizeCode:
    """Appends code for sizes to the block of a builder.

    Attributes:
      failed: whether something could not be computed so far (i1).
    """

    def __init__(self, builder: ir.IRBuilder, symbols: Mapping[str, Any]) -> None:
        self._builder = builder
        self._symbols = symbols
        self._products: dict[Monomial, Any] = {}
        self._atoms: dict[str, Any] = {}
        self.failed: Any = I1(0)

    def value(self, size: Size) -> Any:
        """A size as an i64."""
        if isinstance(size, int):
            return I64(size)
        total: Any = None
        for monomial, coefficient in size.terms.items():
            term = self._scaled(monomial, coefficient)
            total = term if total is None else self._checked(self._builder.sadd_with_overflow, total, term)
        return total

    def holds(self, guard: Guard) -> Any:
        """Whether a relation holds, as an i1."""
        return self._builder.icmp_signed(guard.relation, self.value(guard.left), self.value(guard.right))

    def _scaled(self, monomial: Monomial, coefficient: int) -> Any:
        if not monomial:
            return I64(coefficient)
        if monomial not in self._products:
            value = self._atom(monomial[0])
            for atom in monomial[1:]:
                value = self._checked(self._builder.smul_with_overflow, value, self._atom(atom))
            self._products[monomial] = value
        value = self._products[monomial]
        return value if coefficient == 1 else self._checked(self._builder.smul_with_overflow, value, I64(coefficient))

    def _atom(self, atom: Atom) -> Any:
        if not atom.operator:
            return self._symbols[atom.name]
        if atom.key not in self._atoms:
            left, right = self.value(atom.left), self.value(atom.right)
            self._atoms[atom.key] = self._operation(atom.operator, left, right)
        return self._atoms[atom.key]

    def _operation(self, operator: str, left: Any, right: Any) -> Any:
        builder = self._builder
        if operator in ("min", "max"):
            keeps_left = builder.icmp_signed("<" if operator == "min" else ">", left, right)
            return builder.select(keeps_left, left, right)
        quotient, remainder = self._divided(left, right)
        return quotient if operator == "//" else remainder

    def _divided(self, left: Any, right: Any) -> tuple[Any, Any]:
        """The quotient towards minus infinity, and its remainder, as Python has them."""
        builder = self._builder
        # the processor traps on zero, and on minus one with the lowest number; a size is never divided by minus one
        is_risky = builder.or_(builder.icmp_signed("==", right, I64(0)), builder.icmp_signed("==", right, I64(-1)))
        self._note(is_risky)
        divisor = builder.select(is_risky, I64(1), right)
        quotient, remainder = builder.sdiv(left, divisor), builder.srem(left, divisor)
        is_inexact = builder.icmp_signed("!=", remainder, I64(0))
        is_opposite = builder.icmp_signed("<", builder.xor(remainder, divisor), I64(0))
        is_below = builder.and_(is_inexact, is_opposite)
        quotient = builder.sub(quotient, builder.zext(is_below, I64))
        remainder = builder.add(remainder, builder.select(is_below, divisor, I64(0)))
        return quotient, remainder

    def _checked(self, operation: Any, left: Any, right: Any) -> Any:
        pair = operation(left, right)
        self._note(self._builder.extract_value(pair, 1))
        return self._builder.extract_value(pair, 0)

    def _note(self, failure: Any) -> None:
        self.failed = self._builder.or_(self.failed, failure)
