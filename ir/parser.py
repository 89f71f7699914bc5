"""Reads program text, as `sessile.ir.printer` writes it; the grammar is in `docs/program-text.md`.

What is read is well-formed, not yet well-typed: that is the verifier's work.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy as np

from sessile.ir import primitives as _registered
from sessile.ir.literals import read_array
from sessile.ir.primitive import PRIMITIVES, Primitive
from sessile.ir.printer import stated_by_types
from sessile.ir.program import RELATIONS, Guard, Instruction, Location, Program, Region, SizeSource, Value
from sessile.ir.text_reader import VALUE, ProgramSyntaxError, TextReader
from sessile.ir.types import TensorType

__all__ = ["ProgramSyntaxError", "parse"]
assert _registered

_DENSE = re.compile(r"dense<([0-9a-f]+)>")
_RELATION = re.compile(r"==|!=|>=|<=")
_FULL_LOCATION = re.compile(r"(.*?) \((.*):(\d+), (.*)\)")
_SHORT_LOCATION = re.compile(r"(.+):(\d+)")
_INDEX_WORDS = {"parameter": "axis", "variable": "axis", "value": "element", "result": "axis"}

Functions = Mapping[str, Callable[..., Any]]
Scope = dict[int, Value]


def parse(
    text: str,
    constants: Mapping[str, np.ndarray] | None = None,
    functions: Functions | None = None,
    location: Location | None = None,
) -> Program:
    """The program that a text shows.

    `constants` holds the arrays of large constants by hash (`large_constants`), `functions` the host functions by name
    (`host_functions`). Instructions without a location get `location`. Raises ProgramSyntaxError.
    """
    return _Parser(TextReader(text), constants or {}, functions or {}, location).program()


class _Constant(NamedTuple):
    """A constant whose type is not read yet."""

    elements: list[str]
    hash: str
    column: int


class _Parser:
    def __init__(
        self,
        reader: TextReader,
        constants: Mapping[str, np.ndarray],
        functions: Functions,
        location: Location | None,
    ) -> None:
        self._reader = reader
        self._constants = constants
        self._functions = functions
        self._default = (location,) if location else ()
        self._ids: set[int] = set()

    # --- the whole

    def program(self) -> Program:
        reader = self._reader
        reader.skip_empty_lines()
        reader.expect("program")
        name = self._program_name()
        self._end_line("{")
        symbols: dict[str, SizeSource] = {}
        while reader.take("size "):
            self._size_source(symbols)
        guards = []
        while reader.take("guard "):
            guards.append(self._guard())
        instructions, results = self._block("return", {})
        if not reader.at_end:
            raise reader.error("nothing may follow the program")
        return Program(name, instructions, results, symbols, tuple(guards))

    def _program_name(self) -> str:
        if not self._reader.take("@"):
            return "program"
        return self._reader.string() if self._reader.peek('"') else self._reader.word("a name")

    def _end_line(self, mark: str = "") -> str:
        """Reads `mark` and the end of the line; returns the comment there."""
        if mark:
            self._reader.expect(mark)
        comment = self._reader.comment()
        self._reader.next_line()
        return comment

    def _size_source(self, symbols: dict[str, SizeSource]) -> None:
        reader = self._reader
        symbol = reader.word("the name of a size")
        if symbol in symbols:
            raise reader.error(f"the size {symbol} is defined twice")
        reader.expect("=")
        kind = reader.word("where the size comes from")
        if kind not in _INDEX_WORDS:
            raise reader.error(f"a size comes from a {', '.join(_INDEX_WORDS)}, not from {kind!r}")
        name = reader.string() if kind in ("parameter", "variable") else f"%{self._id()}"
        reader.expect(_INDEX_WORDS[kind])
        symbols[symbol] = SizeSource(kind, name, reader.integer())
        self._end_line()

    def _guard(self) -> Guard:
        left = self._reader.size("=!<>")
        relation = self._reader.match(_RELATION, f"one of {' '.join(RELATIONS)}")
        assert relation is not None
        right = self._reader.last_size()
        self._end_line()
        return Guard(left, relation[0], right)

    # --- instructions

    def _block(self, last: str, scope: Scope) -> tuple[tuple[Instruction, ...], tuple[Value, ...]]:
        """Instructions up to the line that begins with `last`, its values, and the bracket that closes the block."""
        instructions = []
        while not self._reader.take_word(last):
            if self._reader.at_end:
                raise self._reader.error(f"expected {last!r}")
            instructions.append(self._instruction(scope))
        results = () if self._reader.at_line_end else self._operands(scope)
        self._end_line()
        self._end_line("}")
        return tuple(instructions), results

    def _instruction(self, scope: Scope) -> Instruction:
        reader = self._reader
        ids = reader.separated(self._new_id) if reader.peek("%") else []
        if ids:
            reader.expect("=")
        primitive = self._primitive()
        attributes = self._leading(primitive)
        operands = self._operands(scope) if reader.peek("%") else ()
        if reader.take("{"):
            attributes |= {} if reader.peek("}") else dict(reader.separated(self._attribute))
            reader.expect("}")
        types = self._types(len(ids))
        constant = attributes.get("value")
        if isinstance(constant, _Constant):
            attributes["value"] = self._constant_array(constant, types)
        locations = _locations(self._end_line()) or self._default
        results = tuple(Value(id, type) for id, type in zip(ids, types, strict=True))
        _add_stated(primitive, attributes, types)
        regions = self._regions()
        scope.update(zip(ids, results, strict=True))
        return Instruction(primitive, operands, attributes, results, locations, regions)

    def _primitive(self) -> Primitive:
        name = self._reader.word("a primitive")
        if name not in PRIMITIVES:
            raise self._reader.error(f"no primitive is called {name!r}", back=len(name))
        return PRIMITIVES[name]

    def _types(self, count: int) -> tuple[TensorType, ...]:
        types = tuple(self._reader.separated(self._reader.type)) if self._reader.take(":") else ()
        if len(types) != count:
            raise self._reader.error(f"{len(types)} types for {count} results")
        return types

    def _regions(self) -> tuple[Region, ...]:
        regions = []
        while self._reader.take("("):
            parameters = [] if self._reader.peek(")") else self._reader.separated(self._parameter)
            self._reader.expect(")")
            self._end_line("{")
            instructions, results = self._block("yield", {parameter.id: parameter for parameter in parameters})
            regions.append(Region(tuple(parameters), instructions, results))
        return tuple(regions)

    def _parameter(self) -> Value:
        id = self._new_id()
        self._reader.expect(":")
        return Value(id, self._reader.type())

    # --- parts of an instruction

    def _id(self) -> int:
        found = self._reader.match(VALUE, "a value")
        assert found is not None
        return int(found[1])

    def _new_id(self) -> int:
        id = self._id()
        if id in self._ids:
            raise self._reader.error(f"%{id} is defined twice", back=len(str(id)) + 1)
        self._ids.add(id)
        return id

    def _operands(self, scope: Scope) -> tuple[Value, ...]:
        return tuple(self._reader.separated(lambda: self._operand(scope)))

    def _operand(self, scope: Scope) -> Value:
        id = self._id()
        if id not in scope:
            raise self._reader.error(f"%{id} is not defined here", back=len(str(id)) + 1)
        return scope[id]

    def _leading(self, primitive: Primitive) -> dict[str, Any]:
        """The attributes that stand before the operands."""
        reader, stated = self._reader, _attribute_names(primitive)
        attributes: dict[str, Any] = {}
        if "value" in stated:
            attributes["value"] = self._constant()
            return attributes
        if "function" in stated and not reader.peek("%") and not reader.peek("{"):
            is_host = reader.peek("@")
            attributes["function"] = reader.host_function(self._functions) if is_host else reader.word("a function")
        if "name" in stated and reader.peek('"'):
            attributes["name"] = reader.string()
        return attributes

    def _attribute(self) -> tuple[str, Any]:
        name = self._reader.word("the name of an attribute")
        self._reader.expect(":")
        return name, self._reader.attribute(self._functions)

    def _constant(self) -> _Constant:
        column = self._reader.column
        found = self._reader.match(_DENSE)
        if found:
            return _Constant([], found[1], column)
        return _Constant(self._reader.elements(), "", column)

    def _constant_array(self, constant: _Constant, types: tuple[TensorType, ...]) -> np.ndarray:
        if constant.hash:
            if constant.hash not in self._constants:
                raise self._reader.error(
                    f"no large constant has the hash {constant.hash}; pass it in `constants`", constant.column
                )
            return self._constants[constant.hash]
        try:
            return read_array(constant.elements, types[0].dtype, types[0].bound({}))
        except (ValueError, KeyError, IndexError) as error:
            raise self._reader.error(f"not a constant of type {types}: {error}", constant.column) from None


@cache
def _attribute_names(primitive: Primitive) -> frozenset[str]:
    """The attributes that a primitive's typing rule names."""
    parameters = inspect.signature(primitive.infer).parameters.values()
    return frozenset(p.name for p in parameters if p.kind is inspect.Parameter.KEYWORD_ONLY)


def _add_stated(primitive: Primitive, attributes: dict[str, Any], types: tuple[TensorType, ...]) -> None:
    """Adds the attributes that the types of the results state, where the primitive has them."""
    for name, value in stated_by_types(types).items():
        if name in _attribute_names(primitive):
            attributes.setdefault(name, value)


def _locations(comment: str) -> tuple[Location, ...]:
    return tuple(map(_location, comment.split("; "))) if comment else ()


def _location(text: str) -> Location:
    if found := _FULL_LOCATION.fullmatch(text):
        return Location(found[1], found[2], int(found[3]), found[4])
    if found := _SHORT_LOCATION.fullmatch(text):
        return Location("", found[1], int(found[2]))
    return Location(text)
