"""Rules for `cond` and `while`: known conditions, and values that every branch or turn of a loop hands on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from sessile.compiler.passes.simplify.rule_table import rule, scalar_of
from sessile.ir.literals import SHOWN_ELEMENTS
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Instruction, Region, Value
from sessile.ir.rewrite import Rewriter

Values = Sequence[Value]


@rule("cond")
def known_branch(instruction: Instruction, rewriter: Rewriter) -> Values | None:
    """cond(true, ...) -> what the first branch computes."""
    truth = scalar_of(instruction.operands[0], rewriter)
    if truth is None:
        return None
    return rewriter.inline(instruction.regions[0 if truth else 1], instruction.operands[1:])


@rule("while")
def loop_without_turns(instruction: Instruction, rewriter: Rewriter) -> Values | None:
    """while(false, x) -> x."""
    condition = instruction.regions[0]
    for inner in condition.instructions:
        if condition.results[0] in inner.results and inner.name == "constant" and not inner.attributes["value"]:
            return instruction.operands
    return None


@rule("cond")
def constants_in_branches(instruction: Instruction, rewriter: Rewriter) -> Values | None:
    """A small constant that goes into the branches -> constants inside, where other rules see them."""
    known = _constants(instruction.operands[1:], range(len(instruction.operands) - 1), rewriter)
    if not known:
        return None
    regions = tuple(_with_constants(region, known, rewriter) for region in instruction.regions)
    operands = [operand for k, operand in enumerate(instruction.operands) if k - 1 not in known]
    return rewriter.structured(instruction, operands, regions)


@rule("while")
def constants_in_loop(instruction: Instruction, rewriter: Rewriter) -> Values | None:
    """A small constant that a loop hands on unchanged -> constants inside, where other rules see them."""
    condition, body = instruction.regions
    known = _constants(instruction.operands, _unchanged(body), rewriter)
    if not known or len(known) == len(instruction.operands):
        return None
    results = [result for k, result in enumerate(body.results) if k not in known]
    inside = _with_constants(Region(body.parameters, body.instructions, tuple(results)), known, rewriter)
    operands = [operand for k, operand in enumerate(instruction.operands) if k not in known]
    changed = iter(rewriter.structured(instruction, operands, (_with_constants(condition, known, rewriter), inside)))
    return [operand if k in known else next(changed) for k, operand in enumerate(instruction.operands)]


def _unchanged(body: Region) -> list[int]:
    """The places of the loop's values that a turn hands on as they are."""
    pairs = zip(body.parameters, body.results, strict=True)
    return [k for k, (parameter, result) in enumerate(pairs) if parameter is result]


def _constants(operands: Values, places: Sequence[int], rewriter: Rewriter) -> dict[int, np.ndarray]:
    """The small constants among the operands at these places."""
    arrays = {k: rewriter.constant_of(operands[k]) for k in places}
    return {k: array for k, array in arrays.items() if array is not None and array.size <= SHOWN_ELEMENTS}


def _with_constants(region: Region, known: Mapping[int, np.ndarray], rewriter: Rewriter) -> Region:
    """The region with constants in the place of parameters."""
    constants: list[Instruction] = []
    stands_for: dict[Value, Value] = {}
    for k, array in known.items():
        parameter = region.parameters[k]
        value = stands_for[parameter] = rewriter.new_value(parameter.type)
        constants.append(Instruction(PRIMITIVES["constant"], (), {"value": array}, (value,), rewriter.locations))
    instructions = [
        instruction.with_operands(tuple(stands_for.get(operand, operand) for operand in instruction.operands))
        for instruction in region.instructions
    ]
    parameters = tuple(parameter for k, parameter in enumerate(region.parameters) if k not in known)
    results = tuple(stands_for.get(result, result) for result in region.results)
    return Region(parameters, (*constants, *instructions), results)
