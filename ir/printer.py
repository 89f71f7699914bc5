"""Programs as text: for people, for tests, and in a canonical form for hashing.

`docs/program-text.md` holds the grammar; `sessile.ir.parser` reads what is printed here. The attributes `function`,
`name` and `value` stand after the primitive's name, `shape`, `dtype` and `types` are left out where the result's type
says the same, and all others stand in braces.
"""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sessile.ir.canonical_order import in_canonical_order
from sessile.ir.literals import SHOWN_ELEMENTS, array_hash, array_text, float_text, string_text
from sessile.ir.program import Guard, Instruction, Location, Program, Region, SizeSource, Value
from sessile.ir.sizes import SizeExpression
from sessile.ir.types import TensorType
from sessile.ir.user_names import NAME_ATTRIBUTES, name_kind

WIDEST_COLUMN = 64
_WORD = re.compile(r"[\w.$/-]+")
_SOURCE_INDEX = {"parameter": "axis", "variable": "axis", "value": "element", "result": "axis"}


class Line(NamedTuple):
    """One line of a program's text, and what it shows: an instruction, a guard, a symbol's name, the results of a
    region or of the program, or nothing."""

    text: str
    subject: Instruction | Guard | str | Region | Program | None = None


def text(program: Program, locations: str = "short") -> str:
    """A program as text that `parse` reads back.

    `locations` is "short" (`model.py:12`), "full" (nothing is lost), or "none".
    """
    return "\n".join(line.text for line in program_lines(program, locations)) + "\n"


def program_lines(program: Program, locations: str = "short") -> list[Line]:
    """The lines of `text(program)`, each with what it shows."""
    return _Printer(Names(), _LOCATIONS[locations]).program(program)


def canonical_text(program: Program) -> str:
    """The text without what two equal computations may differ in: order, ids, user's names, locations, alignment."""
    program = in_canonical_order(program)
    lines = _Printer(_CanonicalNames(program), _no_location, aligned=False).program(program)
    return "\n".join(line.text for line in lines) + "\n"


def large_constants(program: Program) -> dict[str, np.ndarray]:
    """The arrays that the text names by hash alone; `parse` takes this table."""
    arrays = (i.attributes.get("value") for i in program.all_instructions())
    return {array_hash(a): a for a in arrays if isinstance(a, np.ndarray) and a.size > SHOWN_ELEMENTS}


def host_functions(program: Program) -> dict[str, Callable[..., Any]]:
    """The Python functions that the text names; `parse` takes this table."""
    names = Names()
    called = (i.attributes.get("function") for i in program.all_instructions())
    return {names.function(function): function for function in called if callable(function)}


class Names:
    """How values, host functions, and the user's names are written."""

    def __init__(self) -> None:
        self._functions: dict[int, str] = {}

    def value(self, value: Value) -> str:
        return f"%{value.id}"

    def program(self, name: str) -> str:
        return f" @{name if _WORD.fullmatch(name) else json.dumps(name)}"

    def source(self, source: SizeSource) -> str:
        return source.name if source.kind in ("value", "result") else json.dumps(source.name)

    def attribute(self, primitive: str, attribute: str, value: str) -> str:
        """A text attribute, which may be a name that the user gave."""
        return json.dumps(value)

    def function(self, function: Callable[..., Any]) -> str:
        """A name for a host function, its own with a number added where two share it."""
        known = self._functions.get(id(function))
        if known is None:
            named = function.func if isinstance(function, functools.partial) else function
            own = re.sub(r"\W+", "_", getattr(named, "__qualname__", type(named).__name__)).strip("_")
            taken = sum(re.fullmatch(rf"{own}(_\d+)?", other) is not None for other in self._functions.values())
            known = self._functions[id(function)] = f"{own}_{taken}" if taken else own
        return known


class _CanonicalNames(Names):
    """Numbers in the order of first occurrence instead of ids and names."""

    def __init__(self, program: Program) -> None:
        super().__init__()
        self._values: dict[int, str] = {}
        self._names: dict[tuple[str, str], str] = {}
        self._counts: dict[str, int] = {}
        for value in program.values():
            self._values[value.id] = f"%{len(self._values)}"
        for instruction in program.all_instructions():
            for attribute in sorted(NAME_ATTRIBUTES & instruction.attributes.keys()):
                self.attribute(instruction.name, attribute, instruction.attributes[attribute])

    def value(self, value: Value) -> str:
        return self._values[value.id]

    def program(self, name: str) -> str:
        return ""

    def source(self, source: SizeSource) -> str:
        if source.kind in ("value", "result"):
            return self._values[int(source.name[1:])]
        return self._numbered(source.kind, source.name)

    def attribute(self, primitive: str, attribute: str, value: str) -> str:
        return (
            self._numbered(name_kind(primitive, attribute), value)
            if attribute in NAME_ATTRIBUTES
            else json.dumps(value)
        )

    def function(self, function: Callable[..., Any]) -> str:
        """The module and name of a host function, with the arguments that it is given."""
        if isinstance(function, functools.partial):
            arguments = [*map(self._argument, function.args)]
            arguments += [f"{name}={self._argument(value)}" for name, value in sorted(function.keywords.items())]
            return f"{self.function(function.func)}({', '.join(arguments)})"
        return f"{getattr(function, '__module__', '')}:{getattr(function, '__qualname__', type(function).__name__)}"

    def _argument(self, value: Any) -> str:
        return self.function(value) if callable(value) else repr(value)

    def _numbered(self, kind: str, name: str) -> str:
        known = self._names.get((kind, name))
        if known is None:
            self._counts[kind] = self._counts.get(kind, -1) + 1
            known = self._names[kind, name] = f'"{kind[0]}{self._counts[kind]}"'
        return known


class _Row(NamedTuple):
    """The columns of an instruction's line."""

    left: str
    types: str
    location: str
    subject: Instruction
    regions: tuple[Region, ...] = ()


class _Printer:
    def __init__(self, names: Names, location: Callable[[Sequence[Location]], str], aligned: bool = True) -> None:
        self._names = names
        self._location = location
        self._aligned = aligned

    def program(self, program: Program) -> list[Line]:
        lines = [Line(f"program{self._names.program(program.name)} {{")]
        for name, source in program.symbols.items():
            where = f"{source.kind} {self._names.source(source)} {_SOURCE_INDEX[source.kind]} {source.index}"
            lines.append(Line(f"  size {name} = {where}", name))
        lines.extend(Line(f"  guard {guard}", guard) for guard in program.guards)
        lines.extend(self._block(program.instructions, "  "))
        lines.append(Line(_with_operands("  return", self._values(program.results)), program))
        return [*lines, Line("}")]

    def _block(self, instructions: Sequence[Instruction], indent: str) -> Iterator[Line]:
        rows = [self._row(instruction) for instruction in instructions]
        left = self._column([row.left for row in rows])
        types = self._column([row.types for row in rows if row.location])
        for row in rows:
            line = f"{row.left:<{left}} : {row.types:<{types}}" if row.types else row.left
            if row.location:
                line = f"{line:<{left + 3 + types}}  # {row.location}"
            yield Line(indent + line.rstrip(), row.subject)
            for region in row.regions:
                yield from self._region(region, indent + "  ")

    def _column(self, texts: list[str]) -> int:
        if not self._aligned:
            return 0
        return max((len(text) for text in texts if len(text) <= WIDEST_COLUMN), default=0)

    def _region(self, region: Region, indent: str) -> Iterator[Line]:
        parameters = ", ".join(f"{self._names.value(p)} : {p.type}" for p in region.parameters)
        yield Line(f"{indent}({parameters}) {{")
        yield from self._block(region.instructions, indent + "  ")
        yield Line(_with_operands(f"{indent}  yield", self._values(region.results)), region)
        yield Line(indent + "}")

    def _values(self, values: Sequence[Value]) -> str:
        return ", ".join(map(self._names.value, values))

    def _row(self, instruction: Instruction) -> _Row:
        results = self._values(instruction.results)
        attributes = dict(instruction.attributes)
        words = [f"{results} = {instruction.name}" if results else instruction.name]
        words.extend(self._leading(instruction.name, attributes))
        if instruction.operands:
            words.append(self._values(instruction.operands))
        _drop_inferred(attributes, instruction.results)
        if attributes:
            written = (f"{k}: {self._literal(instruction.name, k, attributes[k])}" for k in sorted(attributes))
            words.append(f"{{{', '.join(written)}}}")
        types = ", ".join(str(result.type) for result in instruction.results)
        return _Row(" ".join(words), types, self._location(instruction.locations), instruction, instruction.regions)

    def _leading(self, primitive: str, attributes: dict[str, Any]) -> Iterator[str]:
        """Takes out and writes the attributes that stand after the primitive's name."""
        function = attributes.get("function")
        if isinstance(function, str) and _WORD.fullmatch(function):
            yield attributes.pop("function")
        elif callable(function):
            yield f"@{self._names.function(attributes.pop('function'))}"
        if isinstance(attributes.get("name"), str):
            yield self._names.attribute(primitive, "name", attributes.pop("name"))
        if isinstance(attributes.get("value"), np.ndarray):
            yield array_text(attributes.pop("value"))

    def _literal(self, primitive: str, attribute: str, value: Any) -> str:
        match value:
            case bool() | np.bool_():
                return "true" if value else "false"
            case None:
                return "none"
            case int() | np.integer() | SizeExpression():
                return str(value)
            case float() | np.floating():
                return float_text(np.float64(value))
            case str():
                return self._names.attribute(primitive, attribute, value)
            case bytes():
                return string_text(value)
            case TensorType():
                return str(value)
            case tuple() | list():
                return f"[{', '.join(self._literal(primitive, attribute, item) for item in value)}]"
        raise TypeError(f"{primitive}: program text has no form for the attribute {attribute}={value!r}")


def _with_operands(word: str, operands: str) -> str:
    return f"{word} {operands}" if operands else word


def _drop_inferred(attributes: dict[str, Any], results: tuple[Value, ...]) -> None:
    """Removes the attributes that repeat what the types of the results say."""
    for name, stated in stated_by_types(tuple(result.type for result in results)).items():
        if name in attributes and attributes[name] == stated:
            del attributes[name]


def stated_by_types(types: tuple[TensorType, ...]) -> Mapping[str, Any]:
    """The attributes that results of these types state: `dtype` and `shape` of a single one, `types` of all."""
    if len(types) == 1:
        return {"dtype": types[0].dtype, "shape": types[0].shape, "types": types}
    return {"types": types}


def _no_location(locations: Sequence[Location]) -> str:
    return ""


def _short_locations(locations: Sequence[Location]) -> str:
    return "; ".join(dict.fromkeys(map(str, locations)))


def _full_locations(locations: Sequence[Location]) -> str:
    return "; ".join(f"{each.operation} ({each.file}:{each.line}, {each.function})" for each in locations)


_LOCATIONS = {"short": _short_locations, "full": _full_locations, "none": _no_location}
