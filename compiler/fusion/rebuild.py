"""Puts a plan into effect: a program in which each group of several instructions is one `fused` instruction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import count

from sessile.compiler.fusion.classification import CONTRACTIONS, is_fusible
from sessile.compiler.fusion.group import Group
from sessile.compiler.fusion.planner import Plan, Planner
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Instruction, Program, Region, Value
from sessile.ir.rewrite import follow_sources, merge_locations


def kind_of(group: Group) -> str:
    """How the loops of the group's kernel are laid."""
    if group.has_contraction:
        return "contraction"
    if not group.has_reduction:
        return "loop"
    return "rows" if group.is_rows else "reduce"


class Rebuilder:
    """Makes fused instructions; numbers new values."""

    def __init__(self, program: Program) -> None:
        self._ids = count(program.next_id())
        self._used: set[int] = set()
        self.replaced: dict[Value, Value] = {}

    def program(self, program: Program) -> Program:
        """The program with each of its blocks fused."""
        instructions = self.block(program.instructions, program.results)
        results = self._current(program.results)
        symbols = follow_sources(program.symbols, self.replaced)
        return replace(program, instructions=instructions, results=results, symbols=symbols)

    def block(self, instructions: Sequence[Instruction], results: Iterable[Value]) -> tuple[Instruction, ...]:
        """The instructions of a block after fusion; `replaced` says what stands for the values that it defines."""
        plan = Planner(instructions, results).plan()
        for each in plan.order:
            if not isinstance(each, Group) or len(each.members) == 1:
                self._used.update(result.id for member in members_of(each) for result in member.results)
        return tuple(self._fused(each) if isinstance(each, Group) else self._single(each) for each in plan.order)

    def _single(self, instruction: Instruction) -> Instruction:
        instruction = instruction.with_operands(self._current(instruction.operands))
        if instruction.name in ("cond", "while"):
            return instruction.with_regions(tuple(map(self._region, instruction.regions)))
        return instruction

    def _region(self, region: Region) -> Region:
        instructions = self.block(region.instructions, region.results)
        return Region(region.parameters, instructions, self._current(region.results))

    def _fused(self, group: Group) -> Instruction:
        members = ordered_members(group)
        if len(members) == 1:
            return self._single(members[0])
        outside = self._outside_values(members)
        inner = {value: self._new_value(value) for value in outside}
        copies = tuple(self._copy(member, inner) for member in members)
        region = Region(
            tuple(inner[value] for value in outside), copies, tuple(inner[value] for value in group.results)
        )
        results = tuple(self._new_value(value) for value in group.results)
        self.replaced.update(zip(group.results, results, strict=True))
        return Instruction(
            PRIMITIVES["fused"],
            self._current(outside),
            {"kind": kind_of(group)},
            results,
            merge_locations(*(member.locations for member in members)),
            (region,),
        )

    def _outside_values(self, members: Sequence[Instruction]) -> tuple[Value, ...]:
        own = {result for member in members for result in member.results}
        return tuple(dict.fromkeys(v for member in members for v in member.operands if v not in own))

    def _copy(self, member: Instruction, inner: dict[Value, Value]) -> Instruction:
        """A member inside the region; the first copy of an instruction keeps the ids of its results."""
        operands = tuple(inner[operand] for operand in member.operands)
        results = tuple(self._inner_result(result) for result in member.results)
        inner.update(zip(member.results, results, strict=True))
        return Instruction(member.primitive, operands, member.attributes, results, member.locations)

    def _inner_result(self, result: Value) -> Value:
        if result.id in self._used:
            return self._new_value(result)
        self._used.add(result.id)
        return result

    def _new_value(self, like: Value) -> Value:
        return Value(next(self._ids), like.type)

    def _current(self, values: Sequence[Value]) -> tuple[Value, ...]:
        return tuple(self.replaced.get(value, value) for value in values)


def members_of(each: Instruction | Group) -> Iterable[Instruction]:
    """What one entry of a plan computes."""
    return each.members.values() if isinstance(each, Group) else (each,)


def ordered_members(group: Group) -> list[Instruction]:
    """The members in order of execution, a contraction first."""
    in_order = [group.members[position] for position in sorted(group.members)]
    return sorted(in_order, key=lambda member: member.name not in CONTRACTIONS)


# --- why not


_NEVER_COMPUTED = frozenset({"parameter", "read_variable", "write_variable", "constant", "sizes"})


def explanations(program: Program) -> Iterator[str]:
    """A line for each pair of neighbours that are not computed together."""
    plan = Planner(program.instructions, program.results).plan()
    homes = _homes(plan)
    definitions = program.definitions()
    for user in program.instructions:
        for operand in dict.fromkeys(user.operands):
            definition = definitions.get(operand)
            if definition is None or definition.name in _NEVER_COMPUTED or user.name in _NEVER_COMPUTED:
                continue
            if not homes[definition].issuperset(homes[user]):
                yield _explanation(operand, definition, user, plan, homes)


_Homes = Mapping[Instruction, frozenset[int]]


def _homes(plan: Plan) -> dict[Instruction, frozenset[int]]:
    """The places in the plan's order at which each instruction is computed."""
    homes: dict[Instruction, frozenset[int]] = {}
    for place, each in enumerate(plan.order):
        for instruction in members_of(each):
            homes[instruction] = homes.get(instruction, frozenset()) | {place}
    return homes


def _explanation(operand: Value, definition: Instruction, user: Instruction, plan: Plan, homes: _Homes) -> str:
    reason = ""
    for place in sorted(homes[user] - homes[definition]):
        group = plan.order[place]
        if isinstance(group, Group):
            reason = reason or plan.reasons.get((operand, group), "")
    pair = f"{_shown(definition)} -> {_shown(user)}"
    return f"{pair}: {reason or _own_kernel(definition, user)}"


def _own_kernel(definition: Instruction, user: Instruction) -> str:
    for instruction in (definition, user):
        if not is_fusible(instruction):
            return f"{instruction.name} is executed by itself"
    return "it is computed once, in another kernel"


def _shown(instruction: Instruction) -> str:
    function = instruction.attributes.get("function")
    words = [instruction.name, function] if isinstance(function, str) else [instruction.name]
    results = ", ".join(map(repr, instruction.results)) or "-"
    return f"{results} {' '.join(words)}"
