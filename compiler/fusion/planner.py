"""Decides which instructions of a block are computed together.

The block is walked from its end to its beginning, so that all users of a value are placed before the instruction that
defines it. An instruction joins the group that uses its value; if several groups use it, they are made one group where
possible; if it is cheap, each group gets a copy. What cannot join begins a group of its own. An instruction whose value
others need too joins as a further result.

Each instruction and group has a label, and labels grow along every dependency: that is how cycles are kept out, and
how the groups are put in order at the end.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from sessile.compiler.fusion import matrix_epilogue as epilogue
from sessile.compiler.fusion import reductions
from sessile.compiler.fusion.classification import CONTRACTIONS, ELEMENTWISE, can_fail, is_fusible, is_repeated
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.group import MOST_ARRAYS, MOST_STATEMENTS, Group, Node, Refused
from sessile.compiler.fusion.index_maps import Map, axes_of
from sessile.ir.program import Instruction, Value
from sessile.ir.size_substitution import symbols_in

MOST_REDUCTIONS = 6
"""In a kernel that uses their results for the elements of the same row, which takes a pass for each."""
UNORDERED = frozenset({"parameter", "read_variable", "variable_is_initialized"})
"""Instructions that are not pure by name, but may run at any time."""
PLACED = frozenset({"constant", "sizes", "reshape"})
"""Instructions that take no kernel where they stand alone."""
_CYCLE = "another instruction between them would have to run before and after the kernel"


@dataclass
class Plan:
    """What is executed, in order: single instructions and groups; and why neighbours are not in one group."""

    order: list[Instruction | Group] = field(default_factory=list)
    reasons: dict[tuple[Value, Group], str] = field(default_factory=dict)


class Planner:
    """Plans one block of instructions."""

    def __init__(self, instructions: Sequence[Instruction], results: Iterable[Value]) -> None:
        self._instructions = instructions
        end = Node(float(len(instructions)))
        self._outside: dict[Value, list[Node]] = {result: [end] for result in results}
        self._readers: dict[Value, list[Group]] = {}
        self._owners: dict[Value, Node] = {}
        self._defined = {r: float(k) for k, i in enumerate(instructions) for r in i.results}
        self._definitions = {r: i for i in instructions for r in i.results}
        self._uses = Counter(operand for i in instructions for operand in i.operands)
        self._uses.update(list(self._outside))
        self._binders = {name: float(k) for k, i in enumerate(instructions) for name in i.primitive.binds(i.attributes)}
        self._written = {i.operands[0] for i in instructions if i.name == "write_variable"}
        self._effects = [k for k, i in enumerate(instructions) if not i.primitive.pure and i.name not in UNORDERED]
        self._nodes: list[tuple[Node, Instruction | Group]] = []
        self._reasons: dict[tuple[Value, Group], str] = {}
        self._merged: dict[Group, Group] = {}

    def plan(self) -> Plan:
        """The plan of the block."""
        for position in reversed(range(len(self._instructions))):
            self._place(position, self._instructions[position])
        self._nodes.reverse()
        self._nodes.sort(key=lambda node: node[0].label)
        order: list[Instruction | Group] = []
        for _, content in self._nodes:
            if not isinstance(content, Group) or content not in self._merged:
                order.append(content)
        reasons = {(value, self._final(group)): reason for (value, group), reason in self._reasons.items()}
        return Plan(order, reasons)

    def _final(self, group: Group) -> Group:
        while group in self._merged:
            group = self._merged[group]
        return group

    # --- one instruction

    def _place(self, position: int, instruction: Instruction) -> None:
        used = any(self._readers.get(r) or self._outside.get(r) for r in instruction.results)
        if instruction.name in CONTRACTIONS and used:
            self._place_contraction(position, instruction)
        elif not used or not is_fusible(instruction):
            self._place_alone(position, instruction)
        elif instruction.name == "reduce":
            self._place_reduction(position, instruction)
        elif is_repeated(instruction) and not self._is_computed_anyway(instruction):
            self._place_repeated(position, instruction)
        else:
            self._place_once(position, instruction)
        for result in instruction.results:
            self._merge_readers(result)

    def _place_alone(self, position: int, instruction: Instruction) -> None:
        node = Node(float(position))
        self._nodes.append((node, instruction))
        for operand in instruction.operands:
            self._outside.setdefault(operand, []).append(node)

    def _place_repeated(self, position: int, instruction: Instruction) -> None:
        """Each group that can gets a copy; the rest read an array."""
        value = instruction.result
        for group in list(self._readers.get(value, ())):
            self._join(group, position, instruction, is_result=False)
        if self._readers.get(value) or self._outside.get(value):
            self._begin(position, instruction)

    def _is_computed_anyway(self, instruction: Instruction) -> bool:
        """Whether an array of the results is needed, and it takes work to make it."""
        return instruction.name in ELEMENTWISE and bool(self._outside.get(instruction.result))

    def _place_once(self, position: int, instruction: Instruction) -> None:
        value = instruction.result
        groups = self._merge_all(value, self._readers.get(value, ()))
        is_result = len(groups) > 1 or bool(self._outside.get(value))
        ends_contraction = is_result and self._ends_contraction(instruction)
        for group in sorted(groups, key=lambda group: group.label):
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
            sources = [
                self._definitions[operand]
                for operand in instruction.operands
                if self._uses[operand] == 1 and operand.type.shape == shape and operand in self._definitions
            ]
            chosen = [s for s in sources if s.name in CONTRACTIONS] or [s for s in sources if s.name in ELEMENTWISE]
            if not chosen:
                return False
            instruction = chosen[0]
        return False

    def _begin(self, position: int, instruction: Instruction) -> None:
        """Begins a group with an instruction as its result, if that takes a kernel."""
        if instruction.name in PLACED:
            self._place_alone(position, instruction)
            return
        if instruction.name == "reduce":
            group = Group(float(position), reductions.reduced_domain(instruction))
            self._add_reduction(group, position, instruction, is_result=True)
        else:
            group = Group(float(position), Domain.over(instruction.result.type.shape))
            place = group.domain.identity
            group.reads[instruction.result] = {place: axes_of(place)}
            try:
                group.join(position, instruction, is_result=True)
            except Refused:
                self._place_alone(position, instruction)
                return
        group.window = self._window(position, instruction)
        self._own(group, instruction)
        self._nodes.append((group, group))

    def _own(self, group: Group, instruction: Instruction) -> None:
        for value in instruction.results:
            if value in group.results:
                self._owners[value] = group
        for operand in instruction.operands:
            readers = self._readers.setdefault(operand, [])
            if group not in readers:
                readers.append(group)

    # --- joining

    def _join(self, group: Group, position: int, instruction: Instruction, is_result: bool) -> bool:
        value = instruction.result
        try:
            label = self._label(group, instruction, position, is_result)
            if group.has_contraction:
                self._require_epilogue(group, instruction)
            group.join(position, instruction, is_result)
        except Refused as reason:
            self._reasons[value, group] = str(reason)
            return False
        self._joined(group, position, instruction, label)
        return True

    def _joined(self, group: Group, position: int, instruction: Instruction, label: float) -> None:
        group.label = label
        low, high = self._window(position, instruction)
        group.window = (max(group.window[0], low), min(group.window[1], high))
        for result in instruction.results:
            self._readers[result].remove(group)
        self._own(group, instruction)

    def _require_epilogue(self, group: Group, instruction: Instruction) -> None:
        """Raises Refused unless an instruction can join the epilogue of a contraction."""
        epilogue.require_simple(instruction)
        contraction = next(m for m in group.members.values() if m.name in CONTRACTIONS)
        trial = Group(group.label, group.domain, reads={instruction.result: group.reads[instruction.result]})
        trial.join(0, instruction, is_result=False)
        if trial.domain is not group.domain:
            raise Refused("a reshape would cut the rows or columns")
        for value, places in trial.reads.items():
            epilogue.require_matrix_places(group.domain, epilogue.column_axes(contraction), value, places)

    def _label(self, group: Group, instruction: Instruction, position: int, is_result: bool) -> float:
        """The label of a group with one more instruction. Raises Refused if there is none."""
        users: list[float] = []
        if is_result:
            users = [node.label for node in self._users(instruction.result) if node is not group]
        low, high = self._window(position, instruction)
        operands = [self._label_of(operand) for operand in instruction.operands]
        operands += [self._binders[name] for name in self._bound_sizes(instruction)]
        return self._between(group.label, [low, group.window[0], *operands], [high, group.window[1], *users], (group,))

    def _between(self, label: float, below: list[float], above: list[float], groups: tuple[Group, ...]) -> float:
        """A label between those that one node depends on and those that depend on it."""
        if len(groups) == 1 and max(below) < label < min(above):
            return label
        for group in groups:
            below += [self._label_of(value) for value in group.operands() if self._owners.get(value) not in groups]
            below += [self._binders[n] for member in group.members.values() for n in self._bound_sizes(member)]
            above += [node.label for value in group.results for node in self._users(value) if node not in groups]
        low, high = max(below), min(above)
        if not low < label < high:
            label = (low + high) / 2
        if not low < label < high:
            raise Refused(_CYCLE)
        return label

    def _users(self, value: Value) -> list[Node]:
        return [*self._outside.get(value, ()), *self._readers.get(value, ())]

    def _label_of(self, value: Value) -> float:
        owner = self._owners.get(value)
        return owner.label if owner is not None else self._defined.get(value, -1.0)

    def _bound_sizes(self, instruction: Instruction) -> Iterable[str]:
        return symbols_in(instruction) & self._binders.keys() if self._binders else ()

    def _window(self, position: int, instruction: Instruction) -> tuple[float, float]:
        """The effects that an instruction may not cross: none, unless it can fail."""
        if not can_fail(instruction):
            return float("-inf"), float("inf")
        low = max((k for k in self._effects if k < position), default=-1)
        high = min((k for k in self._effects if k > position), default=len(self._instructions))
        return float(low), float(high)

    # --- reductions

    def _place_reduction(self, position: int, instruction: Instruction) -> None:
        value = instruction.result
        candidates = []
        for group in self._readers.get(value, ()):
            if reductions.is_epilogue(group, instruction) or reductions.shares_loops(group, instruction):
                candidates.append(group)
            else:
                self._reasons[value, group] = "it runs over other loops than the reduction"
        for group in self._merge_rows(instruction, candidates):
            if self._join_reduction(group, position, instruction):
                return
        self._begin(position, instruction)

    def _merge_rows(self, instruction: Instruction, candidates: list[Group]) -> list[Group]:
        """The groups that use a reduction's result, in order; those that use it in the same rows made one."""
        candidates.sort(key=lambda group: group.label)
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
        is_result = len(self._readers[value]) > 1 or bool(self._outside.get(value))
        try:
            self._require_same_kind(group, instruction)
            label = self._label(group, instruction, position, is_result)
            domain = reductions.reduced_domain(instruction)
            if reductions.is_epilogue(group, instruction):
                reductions.lift(group, domain)
            elif not group.reduced:
                reductions.require_rows(domain)
                reductions.take_over_loops(group, instruction)
        except Refused as reason:
            self._reasons[value, group] = str(reason)
            return False
        if reductions.is_used_in_row(group, instruction):
            group.is_rows = True
        self._add_reduction(group, position, instruction, is_result)
        self._joined(group, position, instruction, label)
        return True

    def _require_same_kind(self, group: Group, instruction: Instruction) -> None:
        if group.statements + 1 > MOST_STATEMENTS or len(group.reads) + len(group.results) + 2 > MOST_ARRAYS:
            raise Refused("the kernel is full")
        others = {m.operands[0].type.dtype for m in group.members.values() if m.name == "reduce"}
        if others and others != {instruction.operands[0].type.dtype}:
            raise Refused("reductions of one kernel have one element type")
        if reductions.is_used_in_row(group, instruction):
            if group.reduced and not group.is_rows:
                reductions.require_rows(group.domain)
            if len(others) and sum(m.name == "reduce" for m in group.members.values()) >= MOST_REDUCTIONS:
                raise Refused("the kernel would pass over its rows too often")

    def _add_reduction(self, group: Group, position: int, instruction: Instruction, is_result: bool) -> None:
        group.reads.pop(instruction.result, None)
        group.has_reduction = True
        place = _input_place(group, instruction)
        axes = frozenset(group.domain.order)
        group.add(position, instruction, {instruction.operands[0]: {place: axes}}, is_result)

    # --- contractions

    def _place_contraction(self, position: int, instruction: Instruction) -> None:
        value = instruction.result
        groups = self._readers.get(value, ())
        if len(groups) == 1 and not self._outside.get(value):
            (group,) = groups
            try:
                epilogue.require_epilogue(group, instruction)
                label = self._label(group, instruction, position, is_result=False)
            except Refused as reason:
                self._reasons[value, group] = str(reason)
            else:
                group.has_contraction = True
                del group.reads[value]
                group.members[position] = instruction
                group.arrays += instruction.operands
                group.label = label
                self._readers[value].remove(group)
                for operand in instruction.operands:
                    self._outside.setdefault(operand, []).append(group)
                return
        self._place_alone(position, instruction)

    # --- making groups one

    def _merge_all(self, value: Value, groups: Iterable[Group], same_place: bool = False) -> list[Group]:
        """The groups that read a value, as few as can be; they read it in order, or at the same place at least."""
        kept: list[Group] = []
        for group in sorted(groups, key=lambda group: group.label):
            if not any(self._merge(value, group, other, same_place) for other in kept):
                kept.append(group)
        return kept

    def _merge_readers(self, value: Value) -> None:
        """Lets groups that read the same array in the same order read it together."""
        readers = self._readers.get(value, ())
        if len(readers) > 1 and value.type.rank:
            self._merge_all(value, [group for group in readers if not group.has_reduction])
            self._merge_all(value, [group for group in readers if group.has_reduction])

    def _merge(self, value: Value, group: Group, other: Group, same_place: bool) -> bool:
        """Moves the members of `group` into `other` if nothing speaks against it."""
        try:
            if not same_place:
                self._require_order(value, group, other)
            self._require_mergeable(group, other)
            below, above = [group.window[0], other.window[0]], [group.window[1], other.window[1]]
            label = self._between(other.label, below, above, (group, other))
        except Refused as reason:
            self._reasons[value, group] = str(reason)
            return False
        self._unite(group, other, label)
        return True

    def _require_order(self, value: Value, group: Group, other: Group) -> None:
        for each in (group, other):
            if not all(each.is_dense(value, place) for place in each.reads[value]):
                raise Refused("kernels that use it read it in different order")

    def _require_mergeable(self, group: Group, other: Group) -> None:
        if group.has_contraction or other.has_contraction:
            raise Refused("one of the kernels that use it is a contraction")
        both_reduce = group.has_reduction and other.has_reduction
        if group.extents != other.extents or (both_reduce and not _same_reduced(group, other)):
            raise Refused("kernels that use it run over different loops")
        if group.has_reduction or other.has_reduction:
            self._require_joint_reduction(group, other)
        arrays = len({**group.reads, **other.reads}) + len(group.results) + len(other.results)
        statements = (group.statements + other.statements) * group.pieces * other.pieces
        if arrays > MOST_ARRAYS or statements > MOST_STATEMENTS:
            raise Refused("one kernel for all that use it would be too large")
        if any(v in group.results for v in other.operands()) or any(v in other.results for v in group.operands()):
            raise Refused("one of the kernels that use it needs the other's result")
        dtypes = {m.operands[0].type.dtype for g in (group, other) for m in g.members.values() if m.name == "reduce"}
        if len(dtypes) > 1:
            raise Refused("reductions of one kernel have one element type")

    def _require_joint_reduction(self, group: Group, other: Group) -> None:
        if group.pieces * other.pieces > 1:
            raise Refused("a concat or pad would cut a reduction into pieces")
        loops = [each for each in (group, other) if not each.has_reduction]
        if any(result in self._written for each in loops for result in each.results):
            raise Refused("a variable is updated in place by a kernel that does nothing else")

    def _unite(self, group: Group, other: Group, label: float) -> None:
        if group.reduced and not other.reduced:
            _take_axes(other, group.domain)
        else:
            _take_axes(group, other.domain)
        for result in group.results:
            self._owners[result] = other
        for value in group.reads:
            readers = self._readers[value]
            readers.remove(group)
            if other not in readers:
                readers.append(other)
        for operand, places in group.reads.items():
            own = other.reads.setdefault(operand, {})
            for place, axes in places.items():
                own[place] = own.get(place, frozenset()) | axes
        other.members |= group.members
        other.results |= group.results
        other.statements += group.statements
        other.repeated_cost += group.repeated_cost
        other.pieces *= group.pieces
        other.is_rows |= group.is_rows
        other.has_reduction |= group.has_reduction
        other.window = max(group.window[0], other.window[0]), min(group.window[1], other.window[1])
        other.label = label
        self._merged[group] = other


def _same_reduced(group: Group, other: Group) -> bool:
    first = [axis in group.reduced for axis in group.domain.order]
    return first == [axis in other.reduced for axis in other.domain.order]


def _take_axes(group: Group, domain: Domain) -> None:
    renamed = dict(zip(group.domain.order, domain.order, strict=True))
    group.domain = domain
    group.rename(
        lambda place: reductions.rename(place, renamed), lambda axes: frozenset(renamed[axis] for axis in axes)
    )


def _input_place(group: Group, instruction: Instruction) -> Map:
    """Where a reduction reads its operand: all of it, in order."""
    domain = reductions.reduced_domain(instruction)
    renamed = dict(zip(domain.order, group.domain.order, strict=True))
    return reductions.rename(domain.identity, renamed)
