"""The pass `update-in-place`: a kernel that computes a variable's new value writes it over the old one.

In: a program after fusion. Out: the same, with the attribute `in_place` on instructions whose result may take the
memory of an operand. For a kernel of elements that is the variable that the result is written to, where nobody needs
the old value afterwards, the kernel reads it at no other place than the one that it writes, and nothing that follows
may end the run with an error, but for other updates. Scatters and updates of a part may do so with any value of the
program that nobody needs afterwards. An elementwise instruction by itself becomes a fused one.
"""

from __future__ import annotations

from collections.abc import Iterator

from sessile.compiler.cpu.codegen.overwriting import overwritable
from sessile.compiler.pass_pipeline import program_pass
from sessile.compiler.passes.update_last import may_fail
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Instruction, Program, Region, Value

# Instructions that read each place of an operand before they write it, whatever the other operands say.
_UPDATES = {"scatter": 0, "dynamic_update": 0}
_ELEMENTWISE = ("map", "select")


@program_pass("update-in-place")
def update_in_place(program: Program) -> Program:
    """Every kernel that may write a variable's new value over the old one, or a part over the whole, does so."""
    memory = _Memory(program)
    next_id = program.next_id()
    instructions = []
    for index, instruction in enumerate(program.instructions):
        if instruction.name in _ELEMENTWISE and memory.has_own_variable(index, instruction):
            instruction = _fused(instruction, next_id)
            next_id += len(instruction.operands) + 1
        pairs = tuple(memory.pairs(index, instruction))
        instructions.append(_with_pairs(instruction, pairs) if pairs else instruction)
    return program.with_instructions(tuple(instructions))


class _Memory:
    """What of a program's values shares memory, and until when it is needed."""

    def __init__(self, program: Program) -> None:
        self._origins: dict[Value, Value] = {}
        self._last_uses: dict[Value, int] = {}
        self._reads: dict[str, Value] = {}
        self._host_reads: dict[str, int] = {}
        self._writes: dict[str, Instruction] = {}
        self._computed: set[Value] = set()
        self._end = len(program.instructions)
        self._last_risk = max((k for k, i in enumerate(program.instructions) if _is_risk(i)), default=-1)
        for index, instruction in enumerate(program.instructions):
            self._note(index, instruction)
        for result in program.results:
            self._last_uses[self._origin(result)] = self._end
        self._written: dict[Value, list[Instruction]] = {}
        for write in self._writes.values():
            self._written.setdefault(self._origin(write.operands[0]), []).append(write)

    def _note(self, index: int, instruction: Instruction) -> None:
        for operand in instruction.operands:
            used = self._end if instruction.name == "write_variable" else index  # writes take effect when all is done
            self._last_uses[self._origin(operand)] = max(self._last_uses.get(self._origin(operand), -1), used)
        match instruction.name:
            case "reshape":
                self._origins[instruction.result] = self._origin(instruction.operands[0])
            case "read_variable":
                first = self._reads.setdefault(instruction.attributes["name"], instruction.result)
                self._origins[instruction.result] = first
            case "initialized_value":
                self._host_reads[instruction.attributes["name"]] = index
            case "write_variable":
                self._writes[instruction.attributes["name"]] = instruction
            case "fused" | "scatter" | "dynamic_update":
                self._computed.update(instruction.results)

    def _origin(self, value: Value) -> Value:
        """The value whose memory a value has."""
        return self._origins.get(value, value)

    def _dies(self, index: int, value: Value) -> bool:
        return self._last_uses[self._origin(value)] == index

    def has_own_variable(self, index: int, instruction: Instruction) -> bool:
        """Whether an instruction with one result computes a variable's new value and needs the old one as the last."""
        return bool(self._variable_operands(index, instruction, instruction.result))

    def pairs(self, index: int, instruction: Instruction) -> Iterator[tuple[int, int]]:
        """The pairs (result, operand) of an instruction that are to share memory."""
        if instruction.name in _UPDATES:
            position = _UPDATES[instruction.name]
            variables = self._variable_operands(index, instruction, instruction.result)
            if position in variables or self._may_take(index, instruction, position):
                yield 0, position
        elif instruction.name == "fused":
            allowed: frozenset[tuple[int, int]] | None = None
            for number, result in enumerate(instruction.results):
                for position in self._variable_operands(index, instruction, result):
                    allowed = overwritable(instruction) if allowed is None else allowed
                    if (number, position) in allowed:
                        yield number, position

    def _variable_operands(self, index: int, instruction: Instruction, result: Value) -> list[int]:
        """The operands that are the old value of the variable that a result is written to, if that may go."""
        if index < self._last_risk:
            return []
        for write in self._written.get(result, ()):
            old = self._reads.get(write.attributes["name"])
            if old is None or old.type != write.operands[0].type or not self._dies(index, old):
                continue
            if self._host_reads.get(write.attributes["name"], -1) > index:
                continue
            found = [k for k, operand in enumerate(instruction.operands) if self._origin(operand) is old]
            if len(found) == 1:
                return found
        return []

    def _may_take(self, index: int, instruction: Instruction, position: int) -> bool:
        """Whether an operand is a value of the program that only this instruction still needs, once."""
        origin = self._origin(instruction.operands[position])
        uses = sum(self._origin(operand) is origin for operand in instruction.operands)
        return origin in self._computed and self._dies(index, origin) and uses == 1


def _is_risk(instruction: Instruction) -> bool:
    """Whether an instruction may end the run after others have updated variables."""
    return instruction.name not in _UPDATES and may_fail(instruction)


def _with_pairs(instruction: Instruction, pairs: tuple[tuple[int, int], ...]) -> Instruction:
    return Instruction(
        instruction.primitive,
        instruction.operands,
        {**instruction.attributes, "in_place": pairs},
        instruction.results,
        instruction.locations,
        instruction.regions,
    )


def _fused(instruction: Instruction, next_id: int) -> Instruction:
    """A fused instruction that holds one elementwise instruction."""
    operands = tuple(dict.fromkeys(instruction.operands))
    parameters = {operand: Value(next_id + k, operand.type) for k, operand in enumerate(operands)}
    result = Value(next_id + len(operands), instruction.result.type)
    inner = Instruction(
        instruction.primitive,
        tuple(parameters[operand] for operand in instruction.operands),
        instruction.attributes,
        (result,),
        instruction.locations,
    )
    region = Region(tuple(parameters.values()), (inner,), (result,))
    return Instruction(
        PRIMITIVES["fused"], operands, {"kind": "loop"}, instruction.results, instruction.locations, (region,)
    )
