"""The builder that lowering rules see: a ProgramBuilder that also knows variables and the operation being lowered.

Semantics of state: a program is pure between its reads, which come first, and its writes, which come last. A read sees
the newest write among the ancestors of the operation that reads, or the value from before the run; what takes
`Variable.value()` reads itself, so its own ancestors count. An operation that updates a variable starts from the newest
write of all.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from sessile.compiler.locations import location_of
from sessile.graph.data_type import DType
from sessile.graph.errors import UnimplementedError
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.builder import ProgramBuilder
from sessile.ir.primitive import require
from sessile.ir.program import SizeSource, Value
from sessile.ir.sizes import Size, symbol
from sessile.ir.types import TensorType

_ELEMENT_TYPES = {
    "float16": "f16",
    "float32": "f32",
    "float64": "f64",
    "int8": "i8",
    "int16": "i16",
    "int32": "i32",
    "int64": "i64",
    "uint8": "u8",
    "uint16": "u16",
    "uint32": "u32",
    "uint64": "u64",
    "bool": "bool",
    "complex64": "c64",
    "complex128": "c128",
    "string": "string",
    "resource": "resource",
}


def element_type(dtype: DType) -> str:
    """The program's name for an element type of the graph. Raises UnimplementedError for types that cannot be computed
    with.
    """
    name = _ELEMENT_TYPES.get(dtype.base_dtype.name)
    if name is None:
        raise UnimplementedError(None, None, f"computing with elements of type {dtype.base_dtype.name}")
    return name


@dataclass(frozen=True)
class VariableReference:
    """What a lowering rule gets for an input that refers to a variable: which one, by the name of its operation."""

    name: str
    dtype: str
    operation: Operation


class VariableTypes(Protocol):
    """What lowering asks the session about variables."""

    def shape_of(self, name: str) -> tuple[int, ...] | None:
        """The shape of a variable's value, or None while it has none."""


class LoweringBuilder(ProgramBuilder):
    """Builds the program of one call."""

    def __init__(
        self,
        name: str,
        variables: VariableTypes,
        fed: tuple[Tensor, ...] = (),
        observed: Mapping[str, int] | None = None,
    ) -> None:
        super().__init__(name)
        self._observed = observed or {}
        self.operation: Operation
        self.fed = fed
        self.uninitialized: dict[str, Operation] = {}
        self._variables = variables
        self._initial: dict[str, Value] = {}
        self._writes: dict[str, list[tuple[int, Value]]] = {}
        self._elements: dict[Value, list[Size | Value]] = {}
        self._write_count = 0
        self._reach: dict[Operation, int] = {}
        self._symbol_of_number: dict[int, str] = {}

    def enter(self, op: Operation) -> None:
        """Everything emitted from now on belongs to `op`."""
        self.operation = op
        self.locations = (location_of(op),)
        reach = 0
        for tensor in op._inputs:
            reach |= self._reach.get(tensor.op, 0)
        for control in op._control_inputs:
            reach |= self._reach.get(control, 0)
        self._reach[op] = reach

    # --- what rules need of the graph's world

    def element_type(self, dtype: DType) -> str:
        """The program's name for an element type of the graph."""
        return element_type(dtype)

    def require(self, condition: bool, message: str) -> None:
        """Ends the run as an invalid argument, with `message`, unless the condition holds."""
        require(condition, message)

    def shown(self, size: Size) -> Size:
        """The size as messages show it: the number in this call where that is known."""
        known = self.hint(size)
        return size if known is None else known

    def new_symbol(self, source: SizeSource, hint: int | None = None) -> str:
        """The name of a new unknown size; one that nothing hints at is taken for what a run has computed for it."""
        name = super().new_symbol(source, hint)
        if hint is None and name in self._observed:
            self.hints[name] = self._observed[name]
        return name

    # --- vectors of sizes and computed numbers

    def remember_elements(self, vector: Value, elements: Sequence[Size | Value]) -> Value:
        """Notes what a vector was made of, so that rules can ask for its elements one by one; returns the vector."""
        self._elements[vector] = list(elements)
        return vector

    def elements_of(self, vector: Value) -> list[Size | Value]:
        """The elements of a vector of whole numbers: as sizes where they are known or fed, otherwise as scalars."""
        if self.known(vector) is not None or vector in self.value_hints:
            return list(self.sizes_of(vector))
        elements = self._elements.get(vector)
        if elements is None:
            length = self.number(vector.type.shape[0])
            elements = [self.reshape(self.slice(vector, [k], [1]), ()) for k in range(length)]
        return [self.sizes_of(e)[0] if isinstance(e, Value) and self.known(e) is not None else e for e in elements]

    def has_known_elements(self, vector: Value) -> bool:
        """Whether something is known of single elements of a vector."""
        return self.known(vector) is not None or vector in self._elements

    def sizes_of(self, value: Value) -> list[Size]:
        """The elements of a tensor of whole numbers as sizes; those that are not known become symbols."""
        elements = self._elements.get(value)
        if elements is None or self.known(value) is not None:
            return super().sizes_of(value)
        sizes = [super(LoweringBuilder, self).sizes_of(e)[0] if isinstance(e, Value) else e for e in elements]
        self._known[value] = np.array(sizes, object)
        return sizes

    def vector(self, elements: Sequence[Size | Value], dtype: str = "i64") -> Value:
        """A vector of sizes and scalar values."""
        parts = [
            self.reshape(self.convert(element, dtype), (1,))
            if isinstance(element, Value)
            else self.sizes([element], dtype)
            for element in elements
        ]
        return self.concat(parts, 0)

    # --- results whose sizes only the run knows

    def nonzero(self, x: Value) -> Value:
        """The coordinates of the elements that are not zero, one row each, as i64."""
        return self.emit("nonzero", x, count=self._result_symbol(0, 0))

    def call_host(
        self, function: Callable[..., Any], *operands: Value, results: Sequence[tuple[str, Sequence[Size | None]]]
    ) -> tuple[Value, ...]:
        """Calls Python on arrays: `results` are their element types and sizes, None for those that the call decides."""
        types, unknown = [], []
        for place, (dtype, sizes) in enumerate(results):
            shape: list[Size] = []
            for axis, size in enumerate(sizes):
                if size is None:
                    name = self._result_symbol(place, axis)
                    unknown.append((name, place, axis))
                    size = symbol(name)
                shape.append(size)
            types.append(TensorType(dtype, shape))
        values = self.emit("call_host", *operands, function=function, types=tuple(types), unknown=tuple(unknown))
        return values if isinstance(values, tuple) else (values,)

    def _result_symbol(self, place: int, axis: int) -> str:
        """The name of a size that the next instruction's result will have."""
        return self.new_symbol(SizeSource("result", f"%{self._next_id + place}", axis))

    # --- inputs

    def unknown_size(self, source: SizeSource, number: int) -> Size:
        """A symbol for a size that is `number` in this call; sizes that are equal now are taken for equal always."""
        name = self._symbol_of_number.get(number)
        if name is not None:
            other = self.new_symbol(source, number)
            self.decide(symbol(other), "==", symbol(name))
            return symbol(name)
        name = self.new_symbol(source, number)
        self._symbol_of_number[number] = name
        return symbol(name)

    def feed(
        self, name: str, dtype: str, shape: tuple[int, ...], static: tuple[int | None, ...] | None, value: Any
    ) -> Value:
        """A parameter for a fed tensor: sizes that the graph leaves open become symbols."""
        sizes = tuple(
            size
            if static is not None and static[axis] is not None
            else self.unknown_size(SizeSource("parameter", name, axis), size)
            for axis, size in enumerate(shape)
        )
        parameter = self.emit("parameter", name=name, dtype=dtype, shape=sizes)
        self._hint_value(parameter, value)
        return parameter

    def _hint_value(self, parameter: Value, value: Any) -> None:
        if isinstance(value, np.ndarray) and parameter.type.dtype in ("i32", "i64") and value.size <= 64:
            self.value_hints[parameter] = value

    # --- random numbers

    def random(
        self, kind: str, parameters: Sequence[Value], shape: tuple[Size, ...], dtype: DType, seed: int, seed2: int
    ) -> Value:
        """The next samples of the stream that belongs to the operation being lowered."""
        return self.emit(
            "random",
            *parameters,
            kind=kind,
            stream=self.operation.name,
            seed=seed,
            seed2=seed2,
            dtype=element_type(dtype),
            shape=shape,
        )

    # --- variables

    def variable(self, op: Operation) -> VariableReference:
        """The reference that a variable's operation produces."""
        return VariableReference(op.name, element_type(op.outputs[0].dtype), op)

    def read(self, reference: VariableReference) -> Value:
        """The variable's value as the operation being lowered sees it."""
        return self.read_as(reference, self.operation)

    def read_as(self, reference: VariableReference, op: Operation) -> Value:
        """The variable's value as `op` sees it."""
        reach = self._reach.get(op, 0)
        for bit, value in reversed(self._writes.get(reference.name, [])):
            if reach >> bit & 1:
                return value
        return self._initial_value(reference)

    def read_newest(self, reference: VariableReference) -> Value:
        """The variable's newest value, whoever wrote it: what an update starts from."""
        writes = self._writes.get(reference.name)
        return writes[-1][1] if writes else self._initial_value(reference)

    def write(self, reference: VariableReference, value: Value) -> Value:
        """Gives the variable a new value, for operations after the one being lowered and for later runs."""
        self._writes.setdefault(reference.name, []).append((self._write_count, value))
        self._reach[self.operation] |= 1 << self._write_count
        self._write_count += 1
        return value

    def is_initialized(self, reference: VariableReference) -> Value:
        """Whether the variable has a value as the operation being lowered sees it."""
        reach = self._reach.get(self.operation, 0)
        if any(reach >> bit & 1 for bit, _ in self._writes.get(reference.name, [])):
            return self.constant(True, "bool")
        return self.emit("variable_is_initialized", name=reference.name)

    def initialized_value(self, reference: VariableReference, default: Value) -> Value:
        """The variable's value as the operation being lowered sees it, or `default` where it has none."""
        reach = self._reach.get(self.operation, 0)
        if any(reach >> bit & 1 for bit, _ in self._writes.get(reference.name, [])):
            return self.read(reference)
        return self.emit("initialized_value", default, name=reference.name)

    def _initial_value(self, reference: VariableReference) -> Value:
        known = self._initial.get(reference.name)
        if known is not None:
            return known
        shape = self._variables.shape_of(reference.name)
        static = reference.operation.outputs[0].shape
        if shape is None:
            self.uninitialized[reference.name] = reference.operation
            if not static.is_fully_defined():
                raise UninitializedRead
            sizes: tuple[Size, ...] = tuple(size for size in static.as_list() if size is not None)
        else:
            declared = static.as_list() if static.ndims == len(shape) else [None] * len(shape)
            sizes = tuple(
                size if fixed is not None else self.unknown_size(SizeSource("variable", reference.name, axis), size)
                for axis, (size, fixed) in enumerate(zip(shape, declared, strict=True))
            )
        value = self._append(
            "read_variable",
            (),
            {"name": reference.name, "dtype": reference.dtype, "shape": sizes},
            (TensorType(reference.dtype, sizes),),
        )
        self._initial[reference.name] = value
        return value

    def emit_writes(self) -> None:
        """Appends the writes that outlive the run: the newest value of each written variable."""
        for name, writes in self._writes.items():
            self._append("write_variable", (writes[-1][1],), {"name": name}, ())


class UninitializedRead(Exception):
    """Lowering cannot go on: a variable without a value has no known shape either."""
