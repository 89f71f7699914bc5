"""Puts sizes in the place of symbols throughout a program, and finds which symbols a program's guards determine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from sessile.ir.program import Guard, Instruction, Program, Region, SizeSource, Value
from sessile.ir.sizes import Size, SizeExpression, substitute, symbol, symbols_of
from sessile.ir.types import TensorType

Sizes = Mapping[str, Size]
_WITHOUT_SIZES = frozenset({int, str, bool, float, bytes, np.ndarray})


def solved_symbols(symbols: Mapping[str, SizeSource], guards: Iterable[Guard]) -> dict[str, Size]:
    """The symbols that equality guards determine, each as a size over symbols that are known no later than it."""
    order = {name: k if source.kind in ("value", "result") else -1 for k, (name, source) in enumerate(symbols.items())}
    solved: dict[str, Size] = {}
    for guard in guards:
        if guard.relation != "==":
            continue
        solution = _solve(substitute(guard.left - guard.right, solved), order)
        if solution is not None:
            solved = {name: substitute(size, dict([solution])) for name, size in solved.items()}
            solved[solution[0]] = solution[1]
    return solved


def _solve(difference: Size, order: Mapping[str, int]) -> tuple[str, Size] | None:
    """The latest symbol of an expression that is zero, and what it must be; None if no symbol is a whole expression.

    `order` says when a symbol is known: -1 from the beginning, others one after the other.
    """
    names = symbols_of(difference)
    if not isinstance(difference, SizeExpression) or not names <= order.keys():
        return None
    last = max(order[name] for name in names)
    for name in sorted((name for name in names if order[name] == last), reverse=True):
        own = symbol(name)
        ((monomial, _),) = own.terms.items()
        coefficient = difference.terms.get(monomial, 0)
        rest = difference - own * coefficient
        if coefficient in (1, -1) and name not in symbols_of(rest):
            return name, rest * -coefficient
    return None


def symbols_in(instruction: Instruction) -> set[str]:
    """The size symbols in an instruction's attributes and in the types of its results."""
    names: set[str] = set()
    for result in instruction.results:
        names |= result.type.symbols()
    for value in instruction.attributes.values():
        if value.__class__ not in _WITHOUT_SIZES:
            names |= _symbols_in_attribute(value)
    return names


def _symbols_in_attribute(value: Any) -> set[str]:
    if isinstance(value, SizeExpression):
        return symbols_of(value)
    if isinstance(value, TensorType):
        return value.symbols()
    if isinstance(value, tuple):
        return {name for item in value for name in _symbols_in_attribute(item)}
    return set()


def substitute_sizes(program: Program, sizes: Sizes) -> Program:
    """The program with symbols replaced in all types and attributes; its symbols and guards stay as they are."""
    substitution = _ProgramSubstitution(SizeSubstitution(sizes))
    instructions = substitution.block(program.instructions)
    if instructions is program.instructions:
        return program
    return program.with_instructions(instructions, substitution.values(program.results))


class SizeSubstitution:
    """Replaces symbols in types and attributes; gives back the same object where nothing changes."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._changed: dict[TensorType, TensorType | None] = {}
        self._changed_sizes: dict[SizeExpression, Size | None] = {}

    def type(self, type: TensorType) -> TensorType:
        if type.is_static:
            return type
        if type not in self._changed:
            changes = not type.symbols().isdisjoint(self._sizes)
            self._changed[type] = type.substitute(self._sizes) if changes else None
        return self._changed[type] or type

    def attributes(self, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
        changed = {}
        for name, value in attributes.items():
            if value.__class__ not in _WITHOUT_SIZES:
                new = self._value(value)
                if new is not value:
                    changed[name] = new
        return {**attributes, **changed} if changed else attributes

    def _size(self, size: SizeExpression) -> Size:
        if size not in self._changed_sizes:
            changes = not symbols_of(size).isdisjoint(self._sizes)
            self._changed_sizes[size] = substitute(size, self._sizes) if changes else None
        new = self._changed_sizes[size]
        return size if new is None else new

    def _value(self, value: Any) -> Any:
        if isinstance(value, SizeExpression):
            return self._size(value)
        if isinstance(value, TensorType):
            return self.type(value)
        if not isinstance(value, tuple):
            return value
        items = tuple([item if item.__class__ in _WITHOUT_SIZES else self._value(item) for item in value])
        return value if all(map(_is, items, value)) else items


class _ProgramSubstitution:
    """Values whose types change become new values with the same ids."""

    def __init__(self, sizes: SizeSubstitution) -> None:
        self._sizes = sizes
        self._replaced: dict[Value, Value] = {}

    def block(self, instructions: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
        new = tuple(map(self._instruction, instructions))
        return instructions if all(map(_is, new, instructions)) else new

    def values(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        replaced = self._replaced
        for value in values:
            if value in replaced:
                return tuple([replaced.get(value, value) for value in values])
        return values

    def _define(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        is_changed = False
        for value in values:
            type = self._sizes.type(value.type)
            if type is not value.type:
                self._replaced[value] = Value(value.id, type)
                is_changed = True
        return self.values(values) if is_changed else values

    def _region(self, region: Region) -> Region:
        parameters = self._define(region.parameters)
        instructions = self.block(region.instructions)
        results = self.values(region.results)
        if instructions is region.instructions and parameters is region.parameters and results is region.results:
            return region
        return Region(parameters, instructions, results)

    def _instruction(self, instruction: Instruction) -> Instruction:
        operands = self.values(instruction.operands)
        attributes = self._sizes.attributes(instruction.attributes)
        regions = tuple(map(self._region, instruction.regions)) if instruction.regions else ()
        results = self._define(instruction.results)
        if (
            operands is instruction.operands
            and attributes is instruction.attributes
            and results is instruction.results
            and all(map(_is, regions, instruction.regions))
        ):
            return instruction
        return Instruction(instruction.primitive, operands, attributes, results, instruction.locations, regions)


def _is(a: object, b: object) -> bool:
    return a is b
