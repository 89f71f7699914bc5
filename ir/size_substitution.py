"""Puts sizes in the place of symbols throughout a program, and finds which symbols a program's guards determine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sessile.ir.program import Guard, Instruction, Program, Region, SizeSource, Value
from sessile.ir.sizes import Size, SizeExpression, substitute, symbol, symbols_of
from sessile.ir.types import TensorType

Sizes = Mapping[str, Size]


def solved_symbols(symbols: Mapping[str, SizeSource], guards: Iterable[Guard]) -> dict[str, Size]:
    """The symbols that equality guards determine, each as a size over symbols that are known no later than it."""
    order = {name: (source.kind in ("value", "result"), k) for k, (name, source) in enumerate(symbols.items())}
    solved: dict[str, Size] = {}
    for guard in guards:
        if guard.relation != "==":
            continue
        solution = _solve(substitute(guard.left - guard.right, solved), order)
        if solution is not None:
            solved = {name: substitute(size, dict([solution])) for name, size in solved.items()}
            solved[solution[0]] = solution[1]
    return solved


def _solve(difference: Size, order: Mapping[str, tuple[bool, int]]) -> tuple[str, Size] | None:
    """The latest symbol of an expression that is zero, and what it must be; None if that is no whole expression."""
    names = symbols_of(difference)
    if not isinstance(difference, SizeExpression) or not names <= order.keys():
        return None
    latest = max(names, key=order.__getitem__)
    own = symbol(latest)
    ((monomial, _),) = own.terms.items()
    coefficient = difference.terms.get(monomial, 0)
    rest = difference - own * coefficient
    if coefficient not in (1, -1) or latest in symbols_of(rest):
        return None
    return latest, rest * -coefficient


def symbols_in(instruction: Instruction) -> set[str]:
    """The size symbols in an instruction's attributes and in the types of its results."""
    names = {name for result in instruction.results for name in result.type.symbols()}
    for value in instruction.attributes.values():
        names |= _symbols_in_attribute(value)
    return names


def _symbols_in_attribute(value: Any) -> set[str]:
    match value:
        case SizeExpression():
            return symbols_of(value)
        case TensorType():
            return value.symbols()
        case tuple():
            return {name for item in value for name in _symbols_in_attribute(item)}
    return set()


def substitute_attributes(attributes: Mapping[str, Any], sizes: Sizes) -> Mapping[str, Any]:
    """Attributes with symbols replaced; the same mapping if nothing changes."""
    changed = {name: new for name, value in attributes.items() if (new := _substituted(value, sizes)) is not value}
    return {**attributes, **changed} if changed else attributes


def _substituted(value: Any, sizes: Sizes) -> Any:
    match value:
        case SizeExpression() | TensorType():
            names = symbols_of(value) if isinstance(value, SizeExpression) else value.symbols()
            if names.isdisjoint(sizes):
                return value
            return substitute(value, sizes) if isinstance(value, SizeExpression) else value.substitute(sizes)
        case tuple():
            items = tuple(_substituted(item, sizes) for item in value)
            return value if all(a is b for a, b in zip(items, value, strict=True)) else items
    return value


def substitute_sizes(program: Program, sizes: Sizes) -> Program:
    """The program with symbols replaced in all types and attributes; its symbols and guards stay as they are."""
    substitution = _Substitution(sizes)
    instructions = substitution.block(program.instructions)
    if instructions is program.instructions:
        return program
    return program.with_instructions(instructions, substitution.values(program.results))


class _Substitution:
    """Values whose types change become new values with the same ids."""

    def __init__(self, sizes: Sizes) -> None:
        self._sizes = sizes
        self._replaced: dict[Value, Value] = {}

    def block(self, instructions: tuple[Instruction, ...]) -> tuple[Instruction, ...]:
        new = tuple(map(self._instruction, instructions))
        return instructions if all(a is b for a, b in zip(new, instructions, strict=True)) else new

    def values(self, values: tuple[Value, ...]) -> tuple[Value, ...]:
        return tuple(self._replaced.get(value, value) for value in values) if self._replaced else values

    def _define(self, value: Value) -> Value:
        type = _substituted(value.type, self._sizes)
        if type is value.type:
            return value
        self._replaced[value] = Value(value.id, type)
        return self._replaced[value]

    def _region(self, region: Region) -> Region:
        parameters = tuple(map(self._define, region.parameters))
        instructions = self.block(region.instructions)
        return Region(parameters, instructions, self.values(region.results))

    def _instruction(self, instruction: Instruction) -> Instruction:
        operands = self.values(instruction.operands)
        attributes = substitute_attributes(instruction.attributes, self._sizes)
        regions = tuple(map(self._region, instruction.regions))
        results = tuple(map(self._define, instruction.results))
        if (
            operands == instruction.operands
            and attributes is instruction.attributes
            and results == instruction.results
            and not regions
        ):
            return instruction
        return Instruction(instruction.primitive, operands, attributes, results, instruction.locations, regions)
