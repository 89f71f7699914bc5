"""Gives every value a place in memory.

In: a program split into stages, and the sizes of one call as a guide. Out: for each value its home. A home is a
parameter, a constant, a variable, a slot of the arena, or memory found anew for each run (`Dynamic`: what the host
computes, what depends on sizes that only the run decides, and large results, which become the caller's own). Values
that are never alive together share a slot. The plan holds for all sizes: a slot is as large as its largest tenant at
the sizes of the binding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from sessile.compiler.kernel_call import KernelCall, Scratch
from sessile.compiler.stages import HostStage, Stage
from sessile.compiler.variable_moves import ordered_copies
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.sizes import Bindings, Size, evaluate, symbols_of
from sessile.ir.types import NUMPY_DTYPES, TensorType

LARGE_RESULT_BYTES = 1 << 16
_UPDATES = frozenset({"scatter", "dynamic_update"})
ALIGNMENT = 64


@dataclass(frozen=True)
class Parameter:  # no tuple, as variables and slots are: it equals neither
    """The array that is fed under `name`."""

    name: str


@dataclass(eq=False)
class ConstantArray:
    """An array that belongs to the program."""

    array: np.ndarray


@dataclass(eq=False)
class SizeArray:
    """Sizes as numbers, known at binding."""

    sizes: tuple[Size, ...]
    type: TensorType


class Variable(NamedTuple):
    """The session's own array of a variable."""

    name: str


class Slot(NamedTuple):
    """A part of the arena."""

    number: int


@dataclass(eq=False)
class Dynamic:
    """Memory of one run; `type` tells how much, None where the host makes the array."""

    type: TensorType | None


Home = Parameter | ConstantArray | SizeArray | Variable | Slot | Dynamic


class VariableCopy(NamedTuple):
    """After the program has run: the value moves into the variable."""

    value: Value
    name: str


class Move(NamedTuple):
    """A copy of so many bytes at the end of the last native stage, for the sake of an instruction."""

    source: Home
    target: Home
    bytes: Size
    instruction: Instruction


class MemoryPlan:
    """Where values live.

    Attributes:
      homes: of the values.
      scratch: of the memory that kernels need beside them.
      results: where the program's results are when it is done.
      slot_tenants: for each slot the types that share it.
      moves: the copies into variables at the end of the last native stage, in order.
      copies: values for variables that Python code has to assign instead; then there are no moves.
    """

    def __init__(self) -> None:
        self.homes: dict[Value, Home] = {}
        self.scratch: dict[Scratch, Home] = {}
        self.results: list[Home] = []
        self.slot_tenants: list[list[TensorType]] = []
        self.moves: list[Move] = []
        self.copies: list[VariableCopy] = []


def byte_size(type: TensorType, bindings: Bindings) -> int:
    """The memory that a value takes."""
    return evaluate(type.size, bindings) * NUMPY_DTYPES[type.dtype].itemsize


def large_results(program: Program, bindings: Bindings) -> tuple[bool, ...]:
    """Which results get memory of their own at some sizes: a plan serves the sizes for which these are the same."""
    return tuple(
        result.type.symbols() <= bindings.keys() and byte_size(result.type, bindings) >= LARGE_RESULT_BYTES
        for result in program.results
    )


def plan_memory(
    program: Program,
    stages: Sequence[Stage],
    bindings: Bindings,
    stored: Mapping[str, TensorType],
    large_result_bytes: int = LARGE_RESULT_BYTES,
) -> MemoryPlan:
    """Plans a program.

    Args:
      program, stages: what will run.
      bindings: the sizes of one call.
      stored: the types of the variables that have a value when it is planned.
      large_result_bytes: results from this size on get memory of their own.
    """
    return _Planner(program, stages, bindings, stored, large_result_bytes).plan()


class _Planner:
    def __init__(
        self,
        program: Program,
        stages: Sequence[Stage],
        bindings: Bindings,
        stored: Mapping[str, TensorType],
        large_result_bytes: int,
    ) -> None:
        self.large_result_bytes = large_result_bytes
        self.program = program
        self.stages = stages
        self.bindings = bindings
        self.stored = stored
        self.roots: dict[Value, Value] = {}
        self.result = MemoryPlan()
        self.fetched: frozenset[Value] = frozenset()
        self.free: list[int] = []

    def plan(self) -> MemoryPlan:
        self._find_roots()
        self.fetched = frozenset(map(self.root, self.program.results))
        self.last_use = self._last_uses()
        self._place_sources()
        self._place_written_variables()
        position = 0
        for stage in self.stages:
            for instruction, calls in _instructions(stage):
                self._place_results(instruction, isinstance(stage, HostStage))
                self._place_scratch(calls)
                self._release(position, instruction)
                position += 1
        for value, root in self.roots.items():
            self.result.homes[value] = self.result.homes[root]
        self.result.results = [self.result.homes[result] for result in self.program.results]
        self._plan_moves()
        return self.result

    def root(self, value: Value) -> Value:
        return self.roots.get(value, value)

    def _find_roots(self) -> None:
        """Values that share a buffer have one root: reshapes, and results that kernels write over an operand."""
        on_host = {stage.instruction for stage in self.stages if isinstance(stage, HostStage)}
        for instruction in self.program.instructions:
            if instruction.name == "reshape":
                self.roots[instruction.result] = self.root(instruction.operands[0])
            if instruction in on_host:
                continue
            for result, operand in instruction.attributes.get("in_place", ()):
                self.roots[instruction.results[result]] = self.root(instruction.operands[operand])

    def _last_uses(self) -> dict[Value, int]:
        last: dict[Value, int] = {}
        position = 0
        for stage in self.stages:
            for instruction, _ in _instructions(stage):
                for operand in instruction.operands:
                    last[self.root(operand)] = position
                position += 1
        for value in self.program.results:
            last[self.root(value)] = position
        for instruction in self.program.instructions:
            if instruction.name == "write_variable":
                last[self.root(instruction.operands[0])] = position
        return last

    def _place_sources(self) -> None:
        homes = self.result.homes
        for instruction in self.program.instructions:
            attributes = instruction.attributes
            match instruction.name:
                case "parameter":
                    homes[instruction.result] = Parameter(attributes["name"])
                case "constant":
                    homes[instruction.result] = ConstantArray(np.require(attributes["value"], requirements=("C", "A")))
                case "sizes":
                    homes[instruction.result] = SizeArray(attributes["values"], instruction.result.type)
                case "read_variable":
                    homes[instruction.result] = Variable(attributes["name"])

    def _place_written_variables(self) -> None:
        """A variable's new value is computed in the variable itself where nobody needs the old value any more."""
        reads: dict[str, list[Value]] = {}
        for instruction in self.program.instructions:
            if instruction.name == "read_variable":
                reads.setdefault(instruction.attributes["name"], []).append(instruction.result)
        host_reads = self._reads_by_host()
        defined = self._definition_positions()
        for name, write in self._writes().items():
            (value,) = write.operands
            root, olds = self.root(value), reads.get(name, [])
            if any(root is self.root(old) and value.type == old.type for old in olds):
                continue
            if (
                self.stored.get(name) == value.type
                and root is value
                and root in defined
                and root not in self.result.homes
                and all(self.last_use.get(self.root(old), -1) < defined[root] for old in olds)
                and host_reads.get(name, -1) < defined[root]
            ):
                self.result.homes[root] = Variable(name)
            else:
                self.result.copies.append(VariableCopy(value, name))

    def _writes(self) -> dict[str, Instruction]:
        """The last write to each variable."""
        return {i.attributes["name"]: i for i in self.program.instructions if i.name == "write_variable"}

    def _reads_by_host(self) -> dict[str, int]:
        """Where instructions on the host read variables, which no operand of theirs tells, for the last time."""
        instructions = [instruction for stage in self.stages for instruction, _ in _instructions(stage)]
        return {i.attributes["name"]: k for k, i in enumerate(instructions) if i.name == "initialized_value"}

    def _definition_positions(self) -> dict[Value, int]:
        """Where values are computed by kernels that cannot fail half-way, and after which only updates may fail."""
        positions: dict[Value, int] = {}
        position = 0
        for stage in self.stages:
            for instruction, calls in _instructions(stage):
                may_fail = isinstance(stage, HostStage) or any(call.can_fail for call in calls)
                if not may_fail:
                    positions.update(dict.fromkeys(instruction.results, position))
                elif instruction.name not in _UPDATES:
                    positions.clear()
                position += 1
        return positions

    def _place_results(self, instruction: Instruction, on_host: bool) -> None:
        for value in instruction.results:
            if self.root(value) is not value or value in self.result.homes:
                continue
            if on_host:
                self.result.homes[value] = Dynamic(None)
            elif self._is_late(value.type) or self._is_large_result(value):
                self.result.homes[value] = Dynamic(value.type)
            else:
                self.result.homes[value] = Slot(self._take_slot(value.type))

    def _is_late(self, type: TensorType) -> bool:
        return any(name not in self.bindings for size in type.shape for name in symbols_of(size))

    def _is_large_result(self, value: Value) -> bool:
        return value in self.fetched and byte_size(value.type, self.bindings) >= self.large_result_bytes

    def _take_slot(self, type: TensorType) -> int:
        wanted = byte_size(type, self.bindings)
        best: int | None = None
        for index in self.free:
            size = max(byte_size(t, self.bindings) for t in self.result.slot_tenants[index])
            if size == wanted:
                best = index
                break
        if best is None and self.free:
            best = self.free[-1]
        if best is None:
            self.result.slot_tenants.append([type])
            return len(self.result.slot_tenants) - 1
        self.free.remove(best)
        if type not in self.result.slot_tenants[best]:
            self.result.slot_tenants[best].append(type)
        return best

    def _release(self, position: int, instruction: Instruction) -> None:
        for value in {self.root(v) for v in (*instruction.operands, *instruction.results)}:
            home = self.result.homes.get(value)
            if isinstance(home, Slot) and self.last_use.get(value, position) <= position:
                self.free.append(home.number)

    def _place_scratch(self, calls: Sequence[KernelCall]) -> None:
        # several calls of an instruction may share one
        scratch = dict.fromkeys(a for call in calls for a in call.arguments if isinstance(a, Scratch))
        for argument in scratch:
            type = TensorType(argument.dtype, (argument.elements,))
            self.result.scratch[argument] = Dynamic(type) if self._is_late(type) else Slot(self._take_slot(type))
        homes = (self.result.scratch[argument] for argument in scratch)
        self.free += [home.number for home in homes if isinstance(home, Slot)]

    def _plan_moves(self) -> None:
        """Turns the copies into moves if all variables can take them as they are."""
        homes = self.result.homes
        if not all(self.stored.get(c.name) == c.value.type and _is_plain(c.value.type) for c in self.result.copies):
            return
        writes = self._writes()
        targets: dict[Home, Home] = {Variable(copy.name): homes[copy.value] for copy in self.result.copies}
        types: dict[Home, TensorType] = {Variable(copy.name): copy.value.type for copy in self.result.copies}

        def move(source: Home, target: Home, variable: Variable) -> None:
            size = types[variable].size * NUMPY_DTYPES[types[variable].dtype].itemsize
            self.result.moves.append(Move(source, target, size, writes[variable.name]))

        for home in dict.fromkeys(home for home in self.result.results if home in types and home in targets):
            assert isinstance(home, Variable)
            saved = self._new_result_home(types[home])
            move(home, saved, home)
            self.result.results = [saved if own == home else own for own in self.result.results]
        for source, target in ordered_copies(targets, lambda home: Slot(self._take_slot(types[home]))):
            own = target if isinstance(target, Variable) else source
            assert isinstance(own, Variable)
            move(source, target, own)
        self.result.copies = []

    def _new_result_home(self, type: TensorType) -> Home:
        """Room for a result that has to be saved from its variable."""
        if byte_size(type, self.bindings) >= self.large_result_bytes:
            return Dynamic(type)
        return Slot(self._take_slot(type))


def _is_plain(type: TensorType) -> bool:
    """Whether elements may be copied as bytes."""
    return type.dtype not in ("string", "resource")


def _instructions(stage: Stage) -> list[tuple[Instruction, Sequence[KernelCall]]]:
    if isinstance(stage, HostStage):
        return [(stage.instruction, ())]
    return [(native.instruction, native.calls) for native in stage.instructions]
