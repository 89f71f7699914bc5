"""Gives every value a place in memory.

In: a program split into stages, and the sizes of one call as a guide. Out: for each value its home. A home is a
parameter, a constant, a variable, a slot of the arena, or memory found anew for each run (`Dynamic`: what the host
computes, what depends on sizes that only the run decides, and large results, which become the caller's own). Values
that are never alive together share a slot. The plan holds for all sizes: a slot is as large as its largest tenant at
the sizes of the binding.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sessile.compiler.kernel_call import KernelCall, Workspace
from sessile.compiler.stages import HostStage, NativeStage, Stage
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.sizes import Bindings, Size, evaluate, symbols_of
from sessile.ir.types import NUMPY_DTYPES, TensorType

LARGE_RESULT_BYTES = 1 << 16
ALIGNMENT = 64


@dataclass(frozen=True)
class Parameter:
    """The array that is fed under `name`."""

    name: str


@dataclass(frozen=True, eq=False)
class ConstantArray:
    """An array that belongs to the program."""

    array: np.ndarray


@dataclass(frozen=True, eq=False)
class SizeArray:
    """Sizes as numbers, known at binding."""

    sizes: tuple[Size, ...]
    type: TensorType


@dataclass(frozen=True)
class Variable:
    """The session's own array of a variable."""

    name: str


@dataclass(frozen=True)
class Slot:
    """A part of the arena."""

    index: int


@dataclass(frozen=True, eq=False)
class Dynamic:
    """Memory of one run; `type` tells how much, None where the host makes the array."""

    type: TensorType | None


Home = Parameter | ConstantArray | SizeArray | Variable | Slot | Dynamic


@dataclass(frozen=True)
class VariableCopy:
    """After the program has run: the value moves into the variable."""

    value: Value
    name: str


@dataclass
class MemoryPlan:
    """Where values live. `slot_tenants` holds for each slot the types that share it."""

    homes: dict[Value, Home] = field(default_factory=dict)
    slot_tenants: list[list[TensorType]] = field(default_factory=list)
    workspaces: dict[str, list[Workspace]] = field(default_factory=dict)
    copies: list[VariableCopy] = field(default_factory=list)

    def slot_bytes(self, bindings: Bindings) -> list[int]:
        """The size of each slot at the sizes of a binding."""
        return [max(byte_size(tenant, bindings) for tenant in tenants) for tenants in self.slot_tenants]


def byte_size(type: TensorType, bindings: Bindings) -> int:
    """The memory that a value takes."""
    return evaluate(type.size, bindings) * NUMPY_DTYPES[type.dtype].itemsize


def plan_memory(
    program: Program, stages: Sequence[Stage], bindings: Bindings, stored: Mapping[str, TensorType]
) -> MemoryPlan:
    """Plans a program. `stored` holds the types of the variables that have a value when it is planned."""
    return _Planner(program, stages, bindings, stored).plan()


class _Planner:
    def __init__(
        self, program: Program, stages: Sequence[Stage], bindings: Bindings, stored: Mapping[str, TensorType]
    ) -> None:
        self.program = program
        self.stages = stages
        self.bindings = bindings
        self.stored = stored
        self.roots: dict[Value, Value] = {}
        self.result = MemoryPlan()
        self.free: list[int] = []

    def plan(self) -> MemoryPlan:
        self._find_roots()
        self.last_use = self._last_uses()
        self._place_sources()
        self._place_written_variables()
        position = 0
        for stage in self.stages:
            for instruction, calls in _instructions(stage):
                self._place_results(instruction, isinstance(stage, HostStage))
                self._note_workspaces(calls)
                self._release(position, instruction)
                position += 1
        for value, root in self.roots.items():
            self.result.homes[value] = self.result.homes[root]
        return self.result

    def root(self, value: Value) -> Value:
        return self.roots.get(value, value)

    def _find_roots(self) -> None:
        """Values that share a buffer have one root: reshapes, and results written over an operand."""
        for instruction in self.program.instructions:
            if instruction.name == "reshape":
                self.roots[instruction.result] = self.root(instruction.operands[0])
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
                    homes[instruction.result] = ConstantArray(np.ascontiguousarray(attributes["value"]))
                case "sizes":
                    homes[instruction.result] = SizeArray(attributes["values"], instruction.result.type)
                case "read_variable":
                    homes[instruction.result] = Variable(attributes["name"])

    def _place_written_variables(self) -> None:
        """A variable's new value is computed in the variable itself where nobody needs the old value any more."""
        reads = {i.attributes["name"]: i.result for i in self.program.instructions if i.name == "read_variable"}
        defined = self._definition_positions()
        for instruction in self.program.instructions:
            if instruction.name != "write_variable":
                continue
            name, value = instruction.attributes["name"], instruction.operands[0]
            root, old = self.root(value), reads.get(name)
            if old is not None and root is self.root(old):
                continue
            if (
                self.stored.get(name) == value.type
                and root is value
                and root in defined
                and root not in self.result.homes
                and (old is None or self.last_use.get(self.root(old), -1) < defined[root])
            ):
                self.result.homes[root] = Variable(name)
            else:
                self.result.copies.append(VariableCopy(value, name))

    def _definition_positions(self) -> dict[Value, int]:
        """Where values are computed by kernels that cannot fail half-way."""
        positions: dict[Value, int] = {}
        position = 0
        for stage in self.stages:
            for instruction, calls in _instructions(stage):
                if isinstance(stage, NativeStage) and not any(call.can_fail for call in calls):
                    positions.update(dict.fromkeys(instruction.results, position))
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
        return value in self.program.results and byte_size(value.type, self.bindings) >= LARGE_RESULT_BYTES

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
                self.free.append(home.index)

    def _note_workspaces(self, calls: Sequence[KernelCall]) -> None:
        for call in calls:
            for argument in call.arguments:
                if isinstance(argument, Workspace):
                    self.result.workspaces.setdefault(argument.dtype, []).append(argument)


def _instructions(stage: Stage) -> list[tuple[Instruction, Sequence[KernelCall]]]:
    if isinstance(stage, HostStage):
        return [(stage.instruction, ())]
    return [(native.instruction, native.calls) for native in stage.instructions]
