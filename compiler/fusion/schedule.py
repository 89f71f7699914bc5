"""Who uses which value, and when things can run: the labels of instructions and groups.

Labels grow along every dependency, so that no group ever depends on itself, and sorting by label gives an order of
execution. A single instruction has its position for a label. A group may move between what it depends on and what
depends on it; an instruction that can fail keeps it between the effects around.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sessile.compiler.fusion.classification import can_fail
from sessile.compiler.fusion.group import Group, Node, Refused
from sessile.ir.program import Instruction, Value
from sessile.ir.size_substitution import symbols_in

UNORDERED = frozenset({"parameter", "read_variable", "variable_is_initialized"})
"""Instructions that are not pure by name, but may run at any time."""
_SOURCES = frozenset({"read_variable", "constant", "sizes"})
"""Instructions that wait for nothing; they go before the first of their users."""
_ALWAYS = float("-inf"), float("inf")


class Schedule:
    """The uses of a block's values, and the labels that they allow.

    Attributes:
      outside: for each value the instructions that use it without being in a group, and contractions' groups.
      readers: for each value the groups that read it.
      owners: for each result of a group that group.
    """

    def __init__(self, instructions: Sequence[Instruction], results: Iterable[Value]) -> None:
        self._end = float(len(instructions))
        end = Node(self._end)
        self.outside: dict[Value, list[Node]] = {result: [end] for result in results}
        self.readers: dict[Value, list[Group]] = {}
        self.owners: dict[Value, Node] = {}
        self._positions: dict[Value, float] = {}
        self._binders: dict[str, float] = {}
        self._effects: list[float] = []
        for position, instruction in enumerate(instructions):
            if instruction.name not in _SOURCES or (self._binders and self._bound_before(instruction)):
                self._positions.update(dict.fromkeys(instruction.results, float(position)))
            self._binders.update(dict.fromkeys(instruction.primitive.binds(instruction.attributes), float(position)))
            if not instruction.primitive.pure and instruction.name not in UNORDERED:
                self._effects.append(float(position))

    # --- uses

    def is_used(self, value: Value) -> bool:
        return bool(self.outside.get(value) or self.readers.get(value))

    def add_outside(self, node: Node, values: Iterable[Value]) -> None:
        """Notes that something uses values as arrays."""
        for value in values:
            self.outside.setdefault(value, []).append(node)

    def add_member(self, group: Group, instruction: Instruction) -> None:
        """Notes that a group reads an instruction's operands, and gives those of its results that others need."""
        for value in instruction.results:
            readers = self.readers.get(value)
            if readers and group in readers:
                readers.remove(group)
            if value in group.results:
                self.owners[value] = group
        for operand in instruction.operands:
            self._add_reader(group, operand)

    def move_members(self, group: Group, other: Group) -> None:
        """Notes that another group now computes and reads what a group did."""
        for value in group.results:
            self.owners[value] = other
        for value in group.reads:
            self.readers[value].remove(group)
            self._add_reader(other, value)

    def _add_reader(self, group: Group, value: Value) -> None:
        readers = self.readers.setdefault(value, [])
        if group not in readers:
            readers.append(group)

    # --- labels

    def start(self, instruction: Instruction, label: float) -> float:
        """The label with which an instruction outside of groups is executed, not later than with the given one."""
        if any(value in self._positions for value in instruction.results):
            return label
        return min([label, *(node.label for value in instruction.results for node in self._users(value))])

    def window(self, position: int, instruction: Instruction) -> tuple[float, float]:
        """The effects that an instruction may not cross: none, unless it can fail."""
        if not can_fail(instruction):
            return _ALWAYS
        before = (effect for effect in self._effects if effect < position)
        after = (effect for effect in self._effects if effect > position)
        return max(before, default=-1.0), min(after, default=self._end)

    def label_with(self, group: Group, position: int, instruction: Instruction, is_result: bool) -> float:
        """The label of a group after an instruction has joined. Raises Refused if there is none."""
        low, high = self.window(position, instruction)
        below = [low, group.window[0], *map(self._label_of, instruction.operands), *self._bound_before(instruction)]
        above = [high, group.window[1]]
        if is_result:
            above += [node.label for node in self._users(instruction.result) if node is not group]
        if max(below) < group.label < min(above):
            return group.label
        return self._between(group.label, below, above, (group,))

    def joint_label(self, group: Group, other: Group) -> float:
        """The label of two groups as one. Raises Refused if there is none."""
        below = [group.window[0], other.window[0]]
        return self._between(other.label, below, [group.window[1], other.window[1]], (group, other))

    def _between(self, label: float, below: list[float], above: list[float], groups: tuple[Group, ...]) -> float:
        """A label above those of all that groups depend on, and below those of all that depend on them."""
        for group in groups:
            below += [self._label_of(value) for value in group.operands() if self.owners.get(value) not in groups]
            for member in group.members.values():
                below += self._bound_before(member)
            above += [node.label for value in group.results for node in self._users(value) if node not in groups]
        low, high = max(below), min(above)
        if not low < label < high:
            label = (low + high) / 2
        if not low < label < high:
            raise Refused("another instruction between them would have to run before and after the kernel")
        return label

    def _users(self, value: Value) -> list[Node]:
        return [*self.outside.get(value, ()), *self.readers.get(value, ())]

    def _label_of(self, value: Value) -> float:
        owner = self.owners.get(value)
        return owner.label if owner is not None else self._positions.get(value, -1.0)

    def _bound_before(self, instruction: Instruction) -> list[float]:
        """When the sizes are bound that an instruction names."""
        if not self._binders:
            return []
        return [self._binders[name] for name in symbols_in(instruction) if name in self._binders]
