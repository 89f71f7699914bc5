"""The interface of a C library: its inputs, outputs and unknown sizes, and how the program's sizes follow from these.

In: a program and the arguments as the user names them, with names for unknown sizes. Out: an `Interface` whose sizes
are numbers or expressions over `n0`, `n1` ..., one for each name, in the order in which callers set them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from sessile.compiler.c_library.element_types import ELEMENT_TYPES
from sessile.graph.errors import UnimplementedError
from sessile.ir.program import Guard, Program
from sessile.ir.sizes import Size, evaluate, substitute, symbol
from sessile.ir.types import TensorType


class NamedArgument(Protocol):
    """What an input or output is called: its shape holds numbers, names of unknown sizes, and None for unnamed ones."""

    @property
    def name(self) -> str: ...
    @property
    def dtype(self) -> str: ...
    @property
    def shape(self) -> Sequence[int | str | None]: ...


@dataclass(frozen=True)
class Argument:
    """An input or output: its name, and its type over the sizes of the interface."""

    name: str
    type: TensorType


@dataclass(frozen=True)
class Interface:
    """What callers of the library see.

    Attributes:
      inputs, outputs: in order.
      parameters: for each parameter of the program, by name, the position of its input.
      sizes: the names of the unknown sizes; size k is the symbol `n<k>`.
      guards: what the sizes must satisfy.
      symbols: for each symbol of the program its size over those of the interface.
    """

    inputs: tuple[Argument, ...]
    outputs: tuple[Argument, ...]
    parameters: Mapping[str, int]
    sizes: tuple[str, ...]
    guards: tuple[Guard, ...]
    symbols: Mapping[str, Size]

    def size(self, size: Size) -> Size:
        """A size of the program over the sizes of the interface."""
        return substitute(size, self.symbols)

    def named(self, size: Size) -> str:
        """The text of a size, with the names that callers know."""
        return str(substitute(size, {f"n{k}": symbol(name) for k, name in enumerate(self.sizes)}))


def interface_of(program: Program, inputs: Sequence[NamedArgument], outputs: Sequence[NamedArgument]) -> Interface:
    """The interface of a program.

    Args:
      program: after all passes.
      inputs: one for each parameter, by name with or without `:0`, in the order that callers want; others are taken
        and ignored.
      outputs: one for each result, in order.

    Raises ValueError when names or counts do not fit, and UnimplementedError for elements that C cannot hold and for
    sizes that do not come from inputs.
    """
    return _InterfaceMaker(program, inputs, outputs).interface()


class _InterfaceMaker:
    def __init__(self, program: Program, inputs: Sequence[NamedArgument], outputs: Sequence[NamedArgument]) -> None:
        self.program, self.inputs, self.outputs = program, inputs, outputs
        self.types = {i.attributes["name"]: i.result.type for i in program.instructions if i.name == "parameter"}
        self.sizes: dict[str, int] = {}
        self.symbols: dict[str, Size] = {}
        self.guards: dict[Guard, None] = {}

    def interface(self) -> Interface:
        parameters = self._parameters()
        given = [self._given_shape(argument) for argument in self.inputs]
        self._bind_symbols(parameters, given)
        arguments = [self._input(argument, shape) for argument, shape in zip(self.inputs, given, strict=True)]
        for name, type in self.types.items():
            self._require_axes(type, given[parameters[name]])
        for guard in self.program.guards:
            left, right = substitute(guard.left, self.symbols), substitute(guard.right, self.symbols)
            self._require(Guard(left, guard.relation, right))
        return Interface(
            tuple(arguments), tuple(self._outputs()), parameters, tuple(self.sizes), tuple(self.guards), self.symbols
        )

    def _parameters(self) -> dict[str, int]:
        """The position of the input of each parameter, by both names that it may have."""
        positions: dict[str, int] = {}
        for position, argument in enumerate(self.inputs):
            positions[f"{argument.name}:0"] = positions[argument.name] = position
        missing = [name for name in self.types if name not in positions]
        if missing:
            raise ValueError(f"the program reads {missing[0]!r}, which is not among the inputs of the C library")
        return positions

    def _given_shape(self, argument: NamedArgument) -> list[Size]:
        """The shape of an input over the sizes of the interface, which grow by the names in it."""
        shape: list[Size] = []
        for axis, size in enumerate(argument.shape):
            if isinstance(size, int):
                shape.append(size)
                continue
            name = size or f"{argument.name.removesuffix(':0')}_{axis}"
            shape.append(symbol(f"n{self.sizes.setdefault(name, len(self.sizes))}"))
        return shape

    def _bind_symbols(self, parameters: Mapping[str, int], given: Sequence[Sequence[Size]]) -> None:
        for name, source in self.program.symbols.items():
            if source.kind != "parameter" or source.name not in parameters:
                raise UnimplementedError(
                    None, None, f"a C library whose sizes do not come from its inputs ({source.kind} {source.name!r})"
                )
            self.symbols[name] = given[parameters[source.name]][source.index]

    def _input(self, argument: NamedArgument, shape: Sequence[Size]) -> Argument:
        type = self.types.get(argument.name) or self.types.get(f"{argument.name}:0")
        element = type.dtype if type is not None else _element_named(argument.dtype)
        return _argument(argument.name, TensorType(element, shape))

    def _require_axes(self, type: TensorType, shape: Sequence[Size]) -> None:
        """The sizes that the program works with are those that the caller gives."""
        if type.rank != len(shape):
            raise ValueError(f"an input of the C library has shape {list(shape)}, the program reads {type}")
        for own, size in zip(type.shape, shape, strict=True):
            self._require(Guard(size, "==", substitute(own, self.symbols)))

    def _require(self, guard: Guard) -> None:
        if not (isinstance(guard.left, int) and isinstance(guard.right, int)):
            if guard.relation != "==" or guard.left != guard.right:
                self.guards[guard] = None
        elif not guard.holds({}):
            raise ValueError(f"the program was made for other sizes than those of the C library: {guard} does not hold")

    def _outputs(self) -> list[Argument]:
        results = self.program.results
        if len(results) != len(self.outputs):
            raise ValueError(f"the program has {len(results)} results, the C library {len(self.outputs)} outputs")
        return [
            _argument(argument.name, result.type.substitute(self.symbols))
            for argument, result in zip(self.outputs, results, strict=True)
        ]


def _argument(name: str, type: TensorType) -> Argument:
    if type.dtype not in ELEMENT_TYPES:
        raise UnimplementedError(None, None, f"elements of type {type.dtype} in a C library (tensor {name!r})")
    return Argument(name, type)


def _element_named(name: str) -> str:
    elements = [element for element, type in ELEMENT_TYPES.items() if type.name == name]
    return elements[0] if elements else name


def usual_bindings(interface: Interface, program: Program) -> dict[str, int]:
    """Numbers for the program's symbols that guide the memory plan, which holds for all others too."""
    usual = {f"n{k}": _USUAL_SIZE for k in range(len(interface.sizes))}
    return {name: evaluate(interface.symbols[name], usual) for name in program.symbols if name in interface.symbols}


_USUAL_SIZE = 64
