"""Programs as JSON and arrays, and back: what stores and bundles keep.

In: a program. Out: plain lists and dictionaries, and the arrays of its constants. Types stand in a table, so that
reading makes each once. What belongs to the user (names of parameters, variables and random streams, and locations) is
written as numbers in a `NameTable`, so that a stored program serves other graphs that compute the same by other names.
"""

from __future__ import annotations

import base64
import functools
import importlib
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from sessile.ir import primitives as _registered
from sessile.ir.canonical_order import in_canonical_order
from sessile.ir.primitive import PRIMITIVES, ProgramError
from sessile.ir.program import Guard, Instruction, Location, Program, Region, SizeSource, Value
from sessile.ir.sizes import Size, SizeExpression, parse_size
from sessile.ir.types import NUMPY_DTYPES, TensorType
from sessile.ir.user_names import NAME_ATTRIBUTES, OUTER_SOURCES, name_kind

assert _registered

_PACKAGES = ("sessile.", "numpy.linalg")
"""Where functions may come from that stored programs call."""
_PLAIN = (bool, int, str, type(None))


class NotSerializable(Exception):
    """A program holds something that lives in this process alone, such as a function of the user's."""


class UserNames(NamedTuple):
    """What a program takes from the user's world, in an order that depends on what it computes alone.

    Attributes:
      names: of parameters, variables and random streams, each once, with their kind.
      operations: for each instruction the operation that it comes from.
    """

    names: tuple[tuple[str, str], ...]
    operations: tuple[str, ...]

    @staticmethod
    def of(program: Program) -> UserNames:
        """The names in a lowered program."""
        names: dict[tuple[str, str], None] = {}
        operations = []
        for instruction in in_canonical_order(program).all_instructions():
            for attribute in sorted(NAME_ATTRIBUTES & instruction.attributes.keys()):
                names[name_kind(instruction.name, attribute), instruction.attributes[attribute]] = None
            operations.append(instruction.locations[0].operation if instruction.locations else "")
        return UserNames(tuple(names), tuple(operations))


class NameTable:
    """The user's names in a program, by number.

    Args:
      user: the names.
      location: makes the location of an operation from its name; by default without a line.
    """

    def __init__(self, user: UserNames, location: Callable[[str], Location] = Location) -> None:
        self._names = list(user.names)
        self._operations = list(user.operations)
        self._numbers = {name: number for number, name in enumerate(self._names)}
        self._places = {operation: number for number, operation in reversed(list(enumerate(self._operations)))}
        self._make_location = location
        self._locations: dict[int, Location] = {}

    def number(self, kind: str, name: str) -> int:
        """The number of a name. Raises KeyError for one that the table was not made with."""
        return self._numbers[kind, name]

    def name(self, number: int) -> str:
        """The name with a number."""
        return self._names[number][1]

    def place(self, location: Location) -> int:
        """The number of a location. Raises KeyError for one that the table was not made with."""
        return self._places[location.operation]

    def location(self, place: int) -> Location:
        """The location with a number."""
        location = self._locations.get(place)
        if location is None:
            location = self._locations[place] = self._make_location(self._operations[place])
        return location


def encode(program: Program, table: NameTable) -> tuple[dict[str, Any], list[np.ndarray]]:
    """The program as what JSON can hold, and the arrays that it refers to by number.

    Raises NotSerializable for functions that are not part of this package.
    """
    encoder = Encoder(table)
    return encoder.program(program), encoder.arrays


def decode(encoded: Mapping[str, Any], arrays: Sequence[np.ndarray], table: NameTable) -> Program:
    """The program that `encode` took apart, with the names of `table`.

    Raises KeyError, IndexError, TypeError or ValueError for what no program was encoded as.
    """
    return Decoder(encoded, arrays, table).program()


class Encoder:
    """Takes one program apart.

    Attributes:
      arrays: the arrays met so far.
    """

    def __init__(self, table: NameTable) -> None:
        self.arrays: list[np.ndarray] = []
        self._table = table
        self._types: dict[TensorType, int] = {}

    def program(self, program: Program) -> dict[str, Any]:
        symbols = {name: [s.kind, self._source(s), s.index] for name, s in program.symbols.items()}
        guards = [[self.size(guard.left), guard.relation, self.size(guard.right)] for guard in program.guards]
        instructions = [self._instruction(instruction) for instruction in program.instructions]
        results = [value.id for value in program.results]
        types = [[type.dtype, [self.size(size) for size in type.shape]] for type in self._types]
        return {"types": types, "symbols": symbols, "guards": guards, "instructions": instructions, "results": results}

    def size(self, size: Size) -> int | str:
        """A size: a number, or the text of an expression."""
        return str(size) if isinstance(size, SizeExpression) else int(size)

    def _source(self, source: SizeSource) -> int | str:
        return self._table.number(source.kind, source.name) if source.kind in OUTER_SOURCES else source.name

    def _type(self, type: TensorType) -> int:
        return self._types.setdefault(type, len(self._types))

    def _values(self, values: Sequence[Value]) -> list[list[int]]:
        return [[value.id, self._type(value.type)] for value in values]

    def _instruction(self, instruction: Instruction) -> list[Any]:
        attributes = {
            key: self._table.number(name_kind(instruction.name, key), value)
            if key in NAME_ATTRIBUTES
            else self._attribute(value)
            for key, value in instruction.attributes.items()
        }
        locations = [self._table.place(location) for location in instruction.locations]
        operands = [operand.id for operand in instruction.operands]
        regions = [self._region(region) for region in instruction.regions]
        return [instruction.name, operands, attributes, self._values(instruction.results), locations, regions]

    def _region(self, region: Region) -> list[Any]:
        instructions = [self._instruction(instruction) for instruction in region.instructions]
        return [self._values(region.parameters), instructions, [value.id for value in region.results]]

    def _attribute(self, value: Any) -> Any:
        if isinstance(value, _PLAIN):
            return value
        match value:
            case np.bool_() | np.integer():
                return value.item()
            case float() | np.floating():
                return float(value) if math.isfinite(value) else {"float": str(value)}
            case tuple() | list():
                return [self._attribute(item) for item in value]
            case SizeExpression():
                return {"size": str(value)}
            case bytes():
                return {"bytes": base64.b64encode(value).decode()}
            case TensorType():
                return {"type": self._type(value)}
            case np.ndarray():
                return self._array(value)
        return self._function(value)

    def _function(self, value: Any) -> dict[str, Any]:
        """A function of this package, or one with some of its arguments given."""
        if not isinstance(value, functools.partial):
            return {"function": _function_name(value)}
        arguments = [self._attribute(item) for item in value.args]
        named = {name: self._attribute(item) for name, item in value.keywords.items()}
        return {**self._function(value.func), "arguments": arguments, "named": named}

    def _array(self, array: np.ndarray) -> dict[str, Any]:
        if array.dtype == object:
            return {"strings": [self._attribute(item) for item in array.ravel()], "shape": list(array.shape)}
        self.arrays.append(array)
        return {"array": len(self.arrays) - 1}


class Decoder:
    """Puts one program together.

    Attributes:
      values: the values of the program, those inside regions too, by id.
    """

    def __init__(self, encoded: Mapping[str, Any], arrays: Sequence[np.ndarray], table: NameTable) -> None:
        self.values: dict[int, Value] = {}
        self._encoded = encoded
        self._arrays = arrays
        self._table = table
        self._types = [TensorType(_dtype(dtype), map(self.size, sizes)) for dtype, sizes in encoded["types"]]

    def program(self) -> Program:
        encoded = self._encoded
        symbols = {name: self._source(*source) for name, source in encoded["symbols"].items()}
        guards = tuple(
            Guard(self.size(left), relation, self.size(right)) for left, relation, right in encoded["guards"]
        )
        instructions = tuple(self._instruction(*row) for row in encoded["instructions"])
        return Program("", instructions, self._known(encoded["results"]), symbols, guards)

    @staticmethod
    def size(encoded: int | str) -> Size:
        """What `Encoder.size` wrote."""
        return parse_size(encoded) if isinstance(encoded, str) else encoded

    def _source(self, kind: str, name: int | str, index: int) -> SizeSource:
        return SizeSource(kind, name if isinstance(name, str) else self._table.name(name), index)

    def _known(self, ids: Iterable[int]) -> tuple[Value, ...]:
        return tuple([self.values[id] for id in ids])

    def _new(self, rows: Iterable[Sequence[int]]) -> tuple[Value, ...]:
        values = tuple([Value(id, self._types[type]) for id, type in rows])
        self.values.update((value.id, value) for value in values)
        return values

    def _instruction(
        self, name: str, operands: Any, attributes: Any, results: Any, locations: Any, regions: Any
    ) -> Instruction:
        decoded = {
            key: self._table.name(value) if key in NAME_ATTRIBUTES else self._attribute(value)
            for key, value in attributes.items()
        }
        inner = tuple([self._region(*region) for region in regions])
        places = tuple([self._table.location(number) for number in locations])
        return Instruction(PRIMITIVES[name], self._known(operands), decoded, self._new(results), places, inner)

    def _region(self, parameters: Any, instructions: Any, results: Any) -> Region:
        own = self._new(parameters)
        return Region(own, tuple([self._instruction(*row) for row in instructions]), self._known(results))

    def _attribute(self, encoded: Any) -> Any:
        if encoded.__class__ is list:
            return tuple([self._attribute(item) for item in encoded])
        if encoded.__class__ is not dict:
            return encoded
        match encoded:
            case {"size": str(text)}:
                return parse_size(text)
            case {"float": str(text)}:
                return float(text)
            case {"bytes": str(text)}:
                return base64.b64decode(text)
            case {"type": int(number)}:
                return self._types[number]
            case {"array": int(number)}:
                return self._arrays[number]
            case {"strings": items, "shape": shape}:
                return _object_array([self._attribute(item) for item in items], shape)
            case {"function": str(name), "arguments": arguments, "named": named}:
                given = {name: self._attribute(item) for name, item in named.items()}
                return functools.partial(_function(name), *map(self._attribute, arguments), **given)
            case {"function": str(name)}:
                return _function(name)
        raise ValueError(f"no attribute is written as {sorted(encoded)}")


def _dtype(name: str) -> str:
    if name not in NUMPY_DTYPES:
        raise ValueError(f"no element type is called {name!r}")
    return name


def _object_array(items: list[Any], shape: Sequence[int]) -> np.ndarray:
    array = np.empty(len(items), object)
    array[:] = items
    return array.reshape(shape)


def _function_name(function: Any) -> str:
    """Module and name of a function of this package."""
    module, name = getattr(function, "__module__", ""), getattr(function, "__qualname__", "")
    if not module.startswith(_PACKAGES) or _find(module, name) is not function:
        raise NotSerializable(f"{function!r} exists in this process alone")
    return f"{module}:{name}"


def _function(text: str) -> Any:
    module, _, name = text.partition(":")
    function = _find(module, name) if module.startswith(_PACKAGES) else None
    if not callable(function):
        raise ProgramError(f"no function of this package is called {text!r}")
    return function


def _find(module: str, name: str) -> Any:
    found: Any = importlib.import_module(module)
    for part in name.split("."):
        found = getattr(found, part, None)
    return found
