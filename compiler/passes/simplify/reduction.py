"""Rules for reductions: fewer elements, fewer axes, fewer passes over memory.

A reduction has no order, so rules may change the order in which it meets elements, but not how often it rounds.
"""

from __future__ import annotations

from sessile.compiler.passes.simplify.rule_table import filled, map_of, rule
from sessile.ir.primitives.reduction import REDUCTIONS
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter
from sessile.ir.types import INTEGERS

_FUNCTIONS = tuple(REDUCTIONS)
_NEVER_ROUND = ("max", "min", "and", "or")


def _rounds(instruction: Instruction) -> bool:
    return instruction.attributes["function"] not in _NEVER_ROUND and instruction.result.type.dtype not in INTEGERS


def _reduce(x: Value, instruction: Instruction, axes: tuple[int, ...], rewriter: Rewriter) -> Value:
    return rewriter.emit("reduce", x, function=instruction.attributes["function"], axes=tuple(sorted(axes)))


@rule("reduce", *_FUNCTIONS)
def reduce_nothing(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A reduction over no axes -> x; a sum begins with 0.0, which turns -0.0 into 0.0."""
    if instruction.attributes["axes"]:
        return None
    x = instruction.operands[0]
    if instruction.attributes["function"] == "add" and _rounds(instruction):
        return map_of("add", rewriter, x, rewriter.constant(0, x.type.dtype))
    return x


@rule("reduce", *_FUNCTIONS)
def reduce_ones(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A reduction over axes of size 1 -> a reshape, and a reduction over the other axes."""
    x, axes = instruction.operands[0], instruction.attributes["axes"]
    ones = {axis for axis in axes if x.type.shape[axis] == 1}
    if not ones:
        return None
    kept = [axis for axis in range(x.type.rank) if axis not in ones]
    x = rewriter.reshape(x, (x.type.shape[axis] for axis in kept))
    return _reduce(x, instruction, tuple(k for k, axis in enumerate(kept) if axis in axes), rewriter)


@rule("reduce", *_FUNCTIONS)
def reduce_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """max(max(x)) -> max(x) over the axes of both, and so for all that do not round in between."""
    inner = rewriter.match(instruction.operands[0], "reduce", instruction.attributes["function"])
    if inner is None or _rounds(instruction):
        return None
    left = [axis for axis in range(inner.operands[0].type.rank) if axis not in inner.attributes["axes"]]
    axes = (*inner.attributes["axes"], *(left[axis] for axis in instruction.attributes["axes"]))
    return _reduce(inner.operands[0], instruction, axes, rewriter)


@rule("reduce", *_NEVER_ROUND)
def extreme_of_repeats(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """max over axes along which a broadcast repeats -> a smaller broadcast, where it repeats at least once."""
    repeated = rewriter.match(instruction.operands[0], "broadcast")
    if repeated is None:
        return None
    axes, kept = instruction.attributes["axes"], repeated.attributes["axes"]
    for axis in axes:
        size = repeated.result.type.shape[axis]
        if axis in kept or not isinstance(size, int) or size < 1:
            return None
    places = {axis: k for k, axis in enumerate(a for a in range(repeated.result.type.rank) if a not in axes)}
    shape = instruction.result.type.shape
    return rewriter.emit("broadcast", repeated.operands[0], shape=shape, axes=tuple(places[axis] for axis in kept))


@rule("reduce", *_FUNCTIONS)
def reduce_of_transpose(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """reduce(transpose(x)) -> transpose(reduce(x)): fewer elements to move, often none."""
    moved = rewriter.match(instruction.operands[0], "transpose")
    if moved is None:
        return None
    permutation = moved.attributes["permutation"]
    axes = {permutation[axis] for axis in instruction.attributes["axes"]}
    kept = [axis for axis in permutation if axis not in axes]
    order = {axis: k for k, axis in enumerate(sorted(kept))}
    result = _reduce(moved.operands[0], instruction, tuple(axes), rewriter)
    return rewriter.emit("transpose", result, permutation=tuple(order[axis] for axis in kept))


@rule("reduce", *_FUNCTIONS)
def reduce_all_of_reshape(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A reduction of all elements of reshape(x) -> of all elements of x."""
    reshaped = rewriter.match(instruction.operands[0], "reshape")
    if reshaped is None or instruction.result.type.rank:
        return None
    x = reshaped.operands[0]
    if x.type.size != reshaped.result.type.size or 1 in x.type.shape:
        return None  # axes of size 1 have gone into this reshape
    return _reduce(x, instruction, tuple(range(x.type.rank)), rewriter)


@rule("scan", "add", "mul")
def scan_of_one(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A running sum along an axis of size 1 -> x."""
    x, attributes = instruction.operands[0], instruction.attributes
    return x if x.type.shape[attributes["axis"]] == 1 and not attributes["exclusive"] else None


@rule("arg_reduce", "max", "min")
def place_of_one(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """The place of the largest along an axis of size 1 -> 0."""
    if instruction.operands[0].type.shape[instruction.attributes["axis"]] != 1:
        return None
    return filled(0, instruction.result.type, rewriter)


@rule("window_reduce", "max", "min", "add")
def windows_of_one(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """Windows of one element, one for each element -> x; a sum begins with 0.0, which turns -0.0 into 0.0."""
    attributes = instruction.attributes
    is_trivial = all(size == 1 for size in (*attributes["window"], *attributes["strides"]))
    x = instruction.operands[0]
    if not is_trivial or any(any(pair) for pair in attributes["padding"]) or x.type != instruction.result.type:
        return None
    if attributes["function"] == "add" and _rounds(instruction):
        return map_of("add", rewriter, x, rewriter.constant(0, x.type.dtype))
    return x
