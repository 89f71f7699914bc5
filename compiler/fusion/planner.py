"""Decides which instructions of a block are computed together.

The block is walked from its end to its beginning, so that all users of a value are placed before the instruction that
defines it. An instruction joins the group that uses its value; if several groups use it, they are made one group where
possible; if it is cheap, each group gets a copy. What cannot join begins a group of its own. An instruction whose value
others need too joins as a further result. `Schedule` keeps groups from depending on themselves.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sessile.compiler.fusion import matrix_epilogue, merging, reductions
from sessile.compiler.fusion.classification import CONTRACTIONS, ELEMENTWISE, is_fusible, is_repeated
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.group import MOST_STATEMENTS, Group, Node, Refused
from sessile.compiler.fusion.index_maps import axes_of
from sessile.compiler.fusion.schedule import Schedule
from sessile.ir.program import Instruction, Value

_PLACED = frozenset({"constant", "sizes", "reshape"})
"""Instructions that take no kernel where they stand alone."""


@dataclass
class Plan:
    """What is executed, in order: single instructions and groups; and why neighbours are not in one group."""

    order: list[Instruction | Group] = field(default_factory=list)
    reasons: dict[tuple[Value, Group], str] = field(default_factory=dict)


class Planner:
    """Plans one block of instructions."""

    def __init__(self, instructions: Sequence[Instruction], results: Iterable[Value]) -> None:
        results = tuple(results)
        self._instructions = instructions
        self._schedule = Schedule(instructions, results)
        self._definitions = {r: i for i in instructions for r in i.results}
        self._uses = Counter([*(operand for i in instructions for operand in i.operands), *results])
        self._updates = {i.operands[0] for i in instructions if i.name == "write_variable"}
        self._nodes: list[tuple[Node, Instruction | Group]] = []
        self._reasons: dict[tuple[Value, Group], str] = {}
        self._merged: dict[Instruction | Group, Group] = {}

    def plan(self) -> Plan:
        """The plan of the block."""
        for position in reversed(range(len(self._instructions))):
            self._place(position, self._instructions[position])
        order = [each for _, each in sorted(self._nodes, key=self._start) if each not in self._merged]
        return Plan(order, {(value, self._final(group)): reason for (value, group), reason in self._reasons.items()})

    def _start(self, node: tuple[Node, Instruction | Group]) -> tuple[float, bool]:
        """What comes first in the order of execution; at one label, what others need."""
        label, each = node[0].label, node[1]
        if isinstance(each, Group):
            return label, True
        return self._schedule.start(each, label), bool(each.operands)

    def _final(self, group: Group) -> Group:
        while group in self._merged:
            group = self._merged[group]
        return group

    def _readers(self, value: Value) -> list[Group]:
        """The groups that read a value, in order."""
        return sorted(self._schedule.readers.get(value, ()), key=lambda group: group.label)

    def _is_needed_outside(self, value: Value) -> bool:
        return bool(self._schedule.outside.get(value))

    # --- one instruction

    def _place(self, position: int, instruction: Instruction) -> None:
        is_used = any(map(self._schedule.is_used, instruction.results))
        name = instruction.name
        if name in CONTRACTIONS and is_used:
            self._place_contraction(position, instruction)
        elif not is_used or not is_fusible(instruction):
            self._place_alone(position, instruction)
        elif name == "reduce":
            self._place_reduction(position, instruction)
        elif is_repeated(instruction) and not self._is_computed_anyway(instruction):
            self._place_repeated(position, instruction)
        else:
            self._place_once(position, instruction)
        for result in instruction.results:
            self._merge_readers(result)

    def _is_computed_anyway(self, instruction: Instruction) -> bool:
        """Whether an array of the results is needed, and it takes work to make it."""
        return instruction.name in ELEMENTWISE and self._is_needed_outside(instruction.result)

    def _place_alone(self, position: int, instruction: Instruction) -> None:
        node = Node(float(position))
        self._nodes.append((node, instruction))
        self._schedule.add_outside(node, instruction.operands)

    def _place_repeated(self, position: int, instruction: Instruction) -> None:
        """Each group that can gets a copy; the rest read an array."""
        value = instruction.result
        for group in self._readers(value):
            self._join(group, position, instruction, is_result=False)
        if self._schedule.is_used(value):
            self._begin(position, instruction)

    def _place_once(self, position: int, instruction: Instruction) -> None:
        value = instruction.result
        groups = self._merge_all(value, self._readers(value))
        is_result = len(groups) > 1 or self._is_needed_outside(value)
        ends_contraction = is_result and self._ends_contraction(instruction)
        for group in groups:
            if ends_contraction and group.has_reduction:
                self._reasons[value, group] = "it is better computed where the contraction ends"
            elif self._join(group, position, instruction, is_result):
                return
        self._begin(position, instruction)

    def _ends_contraction(self, instruction: Instruction) -> bool:
        """Whether elementwise work leads from a contraction, which nothing else needs, to the instruction."""
        shape = instruction.result.type.shape
        for _ in range(MOST_STATEMENTS):
            if instruction.name not in ELEMENTWISE:
                return instruction.name in CONTRACTIONS
            operands = [o for o in instruction.operands if self._uses[o] == 1 and o.type.shape == shape]
            sources = [self._definitions[operand] for operand in operands if operand in self._definitions]
            chosen = [s for s in sources if s.name in CONTRACTIONS] or [s for s in sources if s.name in ELEMENTWISE]
            if not chosen:
                return False
            instruction = chosen[0]
        return False

    # --- beginning and joining

    def _begin(self, position: int, instruction: Instruction) -> None:
        """Begins a group with an instruction as its result, if that takes a kernel."""
        try:
            group = self._new_group(position, instruction)
        except Refused:
            self._place_alone(position, instruction)
            return
        group.restrict(self._schedule.window(position, instruction))
        self._schedule.add_member(group, instruction)
        self._nodes.append((group, group))

    def _new_group(self, position: int, instruction: Instruction) -> Group:
        if instruction.name in _PLACED:
            raise Refused(f"{instruction.name} takes no kernel")
        if instruction.name == "reduce":
            group = Group(float(position), reductions.reduced_domain(instruction))
            reductions.add_reduction(group, position, instruction, is_result=True)
        else:
            group = Group(float(position), Domain.over(instruction.result.type.shape))
            place = group.domain.identity
            group.reads[instruction.result] = {place: axes_of(place)}
            group.join(position, instruction, is_result=True)
        return group

    def _join(self, group: Group, position: int, instruction: Instruction, is_result: bool) -> bool:
        """Takes an instruction into a group that reads its result; False if it has to stay out."""
        try:
            label = self._schedule.label_with(group, position, instruction, is_result)
            if group.has_contraction:
                matrix_epilogue.require_joinable(group, instruction)
            group.join(position, instruction, is_result)
        except Refused as reason:
            self._reasons[instruction.result, group] = str(reason)
            return False
        self._joined(group, position, instruction, label)
        return True

    def _joined(self, group: Group, position: int, instruction: Instruction, label: float) -> None:
        group.label = label
        group.restrict(self._schedule.window(position, instruction))
        self._schedule.add_member(group, instruction)

    # --- reductions

    def _place_reduction(self, position: int, instruction: Instruction) -> None:
        value = instruction.result
        candidates = []
        for group in self._readers(value):
            if reductions.is_epilogue(group, instruction) or reductions.shares_loops(group, instruction):
                candidates.append(group)
            else:
                self._reasons[value, group] = "it runs over other loops than the reduction"
        for group in self._merge_rows(instruction, candidates):
            if self._join_reduction(group, position, instruction):
                return
        self._begin(position, instruction)

    def _merge_rows(self, instruction: Instruction, candidates: list[Group]) -> list[Group]:
        """The groups that use a reduction's result; those that use it in the same rows are made one."""
        sharing = [group for group in candidates if reductions.shares_loops(group, instruction)]
        if len(sharing) < 2:
            return candidates
        try:
            reductions.require_rows(reductions.reduced_domain(instruction))
        except Refused:
            return candidates
        self._merge_all(instruction.result, sharing, same_place=True)
        return [group for group in candidates if group not in self._merged]

    def _join_reduction(self, group: Group, position: int, instruction: Instruction) -> bool:
        value = instruction.result
        is_result = len(self._readers(value)) > 1 or self._is_needed_outside(value)
        try:
            reductions.require_joinable(group, instruction)
            label = self._schedule.label_with(group, position, instruction, is_result)
        except Refused as reason:
            self._reasons[value, group] = str(reason)
            return False
        reductions.join_reduction(group, position, instruction, is_result)
        self._joined(group, position, instruction, label)
        return True

    # --- contractions

    def _place_contraction(self, position: int, instruction: Instruction) -> None:
        value = instruction.result
        groups = self._readers(value)
        if len(groups) != 1 or self._is_needed_outside(value):
            self._place_alone(position, instruction)
            return
        (group,) = groups
        try:
            matrix_epilogue.require_epilogue(group, instruction)
            label = self._schedule.label_with(group, position, instruction, is_result=False)
        except Refused as reason:
            self._reasons[value, group] = str(reason)
            self._place_alone(position, instruction)
            return
        matrix_epilogue.join_contraction(group, position, instruction)
        group.label = label
        self._schedule.readers[value].remove(group)
        self._schedule.add_outside(group, instruction.operands)

    # --- making groups one

    def _merge_all(self, value: Value, groups: Iterable[Group], same_place: bool = False) -> list[Group]:
        """The groups that read a value, as few as can be; they read it in order, or at the same place at least."""
        kept: list[Group] = []
        for group in groups:
            if not any(self._merge(value, group, other, same_place) for other in kept):
                kept.append(group)
        return sorted(kept, key=lambda group: group.label)

    def _merge_readers(self, value: Value) -> None:
        """Lets groups that read the same array in the same order read it together; scalars, if that is all they do."""
        if len(self._schedule.readers.get(value, ())) < 2:
            return
        readers = [group for group in self._readers(value) if value.type.rank or not group.extents]
        self._merge_all(value, [group for group in readers if not group.has_reduction])
        self._merge_all(value, [group for group in readers if group.has_reduction])

    def _merge(self, value: Value, group: Group, other: Group, same_place: bool) -> bool:
        """Moves the members of `group` into `other` if nothing speaks against it."""
        try:
            if not same_place:
                merging.require_order(value, group, other)
            merging.require_mergeable(group, other, self._updates)
            label = self._schedule.joint_label(group, other)
        except Refused as reason:
            self._reasons[value, group] = str(reason)
            return False
        self._schedule.move_members(group, other)
        merging.unite(group, other)
        other.label = label
        self._merged[group] = other
        return True
