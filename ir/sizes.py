"""Sizes of axes: whole numbers, or expressions over named unknowns.

A `Size` is an `int` or a `SizeExpression`: a polynomial with integer coefficients over atoms. An atom is a symbol
(`n0`), or an opaque operation on sizes (`n0 // 2`, `min(n0, 5)`). Expressions are kept in one normal form, so equal
text means provably equal sizes, and a size can be evaluated once its symbols are bound. Symbols whose names begin with
`n` are sizes of axes, never negative; others, which data decides, may be any whole number.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable, Mapping
from functools import lru_cache
from typing import Union

Size = Union[int, "SizeExpression"]
Bindings = Mapping[str, int]
AXIS_PREFIX = "n"

_OPAQUE: dict[str, Callable[[int, int], int]] = {
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "min": min,
    "max": max,
}


class Atom:
    """A symbol (`operator` is empty), or an opaque operation on two sizes."""

    __slots__ = ("_hash", "key", "left", "name", "operator", "right")

    def __init__(self, name: str, operator: str = "", left: Size = 0, right: Size = 0) -> None:
        self.name, self.operator, self.left, self.right = name, operator, left, right
        self.key = name if not operator else _opaque_text(operator, left, right)
        self._hash = hash(self.key)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Atom) and self.key == other.key

    def __lt__(self, other: Atom) -> bool:
        return self.key < other.key

    def evaluate(self, bindings: Bindings) -> int:
        if not self.operator:
            return bindings[self.name]
        return _OPAQUE[self.operator](evaluate(self.left, bindings), evaluate(self.right, bindings))

    @property
    def is_never_negative(self) -> bool:
        match self.operator:
            case "":
                return self.name.startswith(AXIS_PREFIX)
            case "max":
                return is_never_negative(self.left) or is_never_negative(self.right)
            case "min":
                return is_never_negative(self.left) and is_never_negative(self.right)
            case "//":
                return is_never_negative(self.left) and isinstance(self.right, int) and self.right > 0
            case _:
                return isinstance(self.right, int) and self.right > 0

    def symbols(self) -> Iterable[str]:
        if not self.operator:
            yield self.name
        else:
            yield from symbols_of(self.left)
            yield from symbols_of(self.right)


Monomial = tuple[Atom, ...]


class SizeExpression:
    """An unknown size: a sum of monomials with integer coefficients, never a plain constant."""

    __slots__ = ("_hash", "_text", "terms")

    def __init__(self, terms: dict[Monomial, int]) -> None:
        self.terms = terms
        self._text = _polynomial_text(terms)
        self._hash = hash(self._text)

    def __hash__(self) -> int:
        return self._hash

    def __eq__(self, other: object) -> bool:
        return isinstance(other, SizeExpression) and self._text == other._text

    def __repr__(self) -> str:
        return self._text

    def __add__(self, other: Size) -> Size:
        terms = dict(self.terms)
        for monomial, coefficient in _terms(other).items():
            terms[monomial] = terms.get(monomial, 0) + coefficient
        return _normal(terms)

    __radd__ = __add__

    def __neg__(self) -> Size:
        return _normal({monomial: -coefficient for monomial, coefficient in self.terms.items()})

    def __sub__(self, other: Size) -> Size:
        return self + -other

    def __rsub__(self, other: Size) -> Size:
        return -self + other

    def __mul__(self, other: Size) -> Size:
        terms: dict[Monomial, int] = {}
        right = _terms(other)
        for a, x in self.terms.items():
            for b, y in right.items():
                product = tuple(sorted(a + b))
                terms[product] = terms.get(product, 0) + x * y
        return _normal(terms)

    __rmul__ = __mul__

    def __floordiv__(self, other: Size) -> Size:
        return floor_divide(self, other)

    def __rfloordiv__(self, other: Size) -> Size:
        return floor_divide(other, self)

    def __mod__(self, other: Size) -> Size:
        return modulo(self, other)

    def __rmod__(self, other: Size) -> Size:
        return modulo(other, self)


def symbol(name: str) -> SizeExpression:
    """The unknown size called `name`."""
    return SizeExpression({(Atom(name),): 1})


def floor_divide(a: Size, b: Size) -> Size:
    """`a // b`; a polynomial where the division is exact, otherwise an opaque atom."""
    if isinstance(a, int) and isinstance(b, int):
        return a // b
    if a == b:
        return 1
    exact = _divide_exactly(a, b)
    return exact if exact is not None else _opaque("//", a, b)


def modulo(a: Size, b: Size) -> Size:
    """`a % b`."""
    if isinstance(a, int) and isinstance(b, int):
        return a % b
    if _divide_exactly(a, b) is not None:
        return 0
    return _opaque("%", a, b)


def minimum(a: Size, b: Size) -> Size:
    """The smaller of two sizes."""
    return _ordered("min", a, b)


def maximum(a: Size, b: Size) -> Size:
    """The larger of two sizes."""
    return _ordered("max", a, b)


def product(sizes: Iterable[Size]) -> Size:
    """The product of sizes: the number of elements of a shape."""
    result: Size = 1
    for size in sizes:
        result = result * size
    return result


def ceiling_divide(a: Size, b: Size) -> Size:
    """`a / b`, rounded up."""
    return floor_divide(a + b - 1, b)


def is_never_negative(size: Size) -> bool:
    """Whether a size is known to be at least 0 for all values of its symbols."""
    if isinstance(size, int):
        return size >= 0
    return all(
        coefficient > 0 and all(atom.is_never_negative for atom in monomial)
        for monomial, coefficient in size.terms.items()
    )


def evaluate(size: Size, bindings: Bindings) -> int:
    """The value of `size`. Raises KeyError for a symbol that `bindings` lacks."""
    if isinstance(size, int):
        return size
    total = 0
    for monomial, coefficient in size.terms.items():
        for atom in monomial:
            coefficient *= atom.evaluate(bindings)
        total += coefficient
    return total


def substitute(size: Size, values: Mapping[str, Size]) -> Size:
    """`size` with symbols replaced by sizes."""
    if isinstance(size, int):
        return size
    total: Size = 0
    for monomial, coefficient in size.terms.items():
        term: Size = coefficient
        for atom in monomial:
            term = term * _substitute_atom(atom, values)
        total = total + term
    return total


def symbols_of(size: Size) -> set[str]:
    """The names of the symbols in `size`."""
    if isinstance(size, int):
        return set()
    return {name for monomial in size.terms for atom in monomial for name in atom.symbols()}


@lru_cache(4096)
def parse_size(text: str) -> Size:
    """Reads what `str(size)` printed. Raises ValueError for anything else."""
    try:
        return _parse_node(ast.parse(text, mode="eval").body)
    except SyntaxError:
        raise ValueError(f"not a size: {text!r}") from None


_BINARY_NODES: dict[type[ast.operator], Callable[[Size, Size], Size]] = {
    ast.Add: lambda a, b: a + b,
    ast.Sub: lambda a, b: a - b,
    ast.Mult: lambda a, b: a * b,
    ast.FloorDiv: floor_divide,
    ast.Mod: modulo,
}


def _parse_node(node: ast.expr) -> Size:
    match node:
        case ast.Constant(value=int(value)):
            return value
        case ast.Name(id=name):
            return symbol(name)
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return -_parse_node(operand)
        case ast.BinOp(left=left, op=operator, right=right) if type(operator) in _BINARY_NODES:
            return _BINARY_NODES[type(operator)](_parse_node(left), _parse_node(right))
        case ast.Call(func=ast.Name(id="min" | "max" as name), args=[left, right]):
            return _ordered(name, _parse_node(left), _parse_node(right))
    raise ValueError(f"not a size: {ast.unparse(node)!r}")


def _terms(size: Size) -> dict[Monomial, int]:
    return {(): int(size)} if not isinstance(size, SizeExpression) else size.terms


def _normal(terms: dict[Monomial, int]) -> Size:
    terms = {monomial: coefficient for monomial, coefficient in terms.items() if coefficient}
    if not terms:
        return 0
    if len(terms) == 1 and () in terms:
        return terms[()]
    return SizeExpression(terms)


def _divide_exactly(a: Size, b: Size) -> Size | None:
    divisor = _terms(b)
    if len(divisor) != 1:
        return None
    ((factors, scale),) = divisor.items()
    quotient: dict[Monomial, int] = {}
    for monomial, coefficient in _terms(a).items():
        rest = _without(monomial, factors)
        if rest is None or scale == 0 or coefficient % scale:
            return None
        quotient[rest] = coefficient // scale
    return _normal(quotient)


def _without(monomial: Monomial, factors: Monomial) -> Monomial | None:
    rest = list(monomial)
    for factor in factors:
        if factor not in rest:
            return None
        rest.remove(factor)
    return tuple(rest)


def _opaque(operator: str, a: Size, b: Size) -> Size:
    return SizeExpression({(Atom("", operator, a, b),): 1})


def _ordered(name: str, a: Size, b: Size) -> Size:
    if isinstance(a, int) and isinstance(b, int):
        return _OPAQUE[name](a, b)
    difference = a - b
    if is_never_negative(difference):
        return a if name == "max" else b
    if is_never_negative(-difference):
        return b if name == "max" else a
    left, right = sorted((a, b), key=str)
    return _opaque(name, left, right)


def _substitute_atom(atom: Atom, values: Mapping[str, Size]) -> Size:
    if not atom.operator:
        return values.get(atom.name, symbol(atom.name))
    left, right = substitute(atom.left, values), substitute(atom.right, values)
    if atom.operator == "//":
        return floor_divide(left, right)
    if atom.operator == "%":
        return modulo(left, right)
    return _ordered(atom.operator, left, right)


def _opaque_text(operator: str, left: Size, right: Size) -> str:
    if operator in ("min", "max"):
        return f"{operator}({left}, {right})"
    divisor = str(right) if isinstance(right, int) or _is_atom(right) else f"({right})"
    return f"({_dividend_text(left)} {operator} {divisor})"


def _dividend_text(size: Size) -> str:
    return f"({size})" if isinstance(size, SizeExpression) and len(size.terms) > 1 else str(size)


def _is_atom(size: SizeExpression) -> bool:
    ((monomial, coefficient), *others) = size.terms.items()
    return not others and coefficient == 1 and len(monomial) == 1


def _polynomial_text(terms: dict[Monomial, int]) -> str:
    ordered = sorted(terms.items(), key=lambda term: (-len(term[0]), [atom.key for atom in term[0]]))
    text = ""
    for monomial, coefficient in ordered:
        factors = "*".join(atom.key for atom in monomial)
        size = abs(coefficient)
        body = str(size) if not factors else factors if size == 1 else f"{size}*{factors}"
        if not text:
            text = body if coefficient > 0 else f"-{body}"
        else:
            text += f" {'+' if coefficient > 0 else '-'} {body}"
    return text
