"""Rules for parts of tensors: slice, pad, concat, gather, dynamic_slice."""

from __future__ import annotations

from sessile.compiler.passes.simplify.rule_table import rule, scalar_of
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter
from sessile.ir.sizes import Size


@rule("slice")
def slice_of_all(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A slice of all elements -> x."""
    x, starts, strides = instruction.operands[0], instruction.attributes["starts"], instruction.attributes["strides"]
    return x if x.type == instruction.result.type and _all_are(starts, 0) and _all_are(strides, 1) else None


@rule("slice")
def slice_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """slice(slice(x)) -> slice(x), if the inner one is known to stay inside x."""
    inner = rewriter.match(instruction.operands[0], "slice")
    if inner is None or not _stays_inside(inner):
        return None
    first, second = inner.attributes, instruction.attributes
    starts = tuple(a + b * s for a, b, s in zip(first["starts"], second["starts"], first["strides"], strict=True))
    strides = tuple(a * b for a, b in zip(first["strides"], second["strides"], strict=True))
    return rewriter.emit(
        "slice", inner.operands[0], starts=starts, shape=instruction.result.type.shape, strides=strides
    )


@rule("slice")
def slice_of_repeated_scalar(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """slice(broadcast(scalar)) -> broadcast(scalar), if the slice is known to stay inside."""
    inner = rewriter.match(instruction.operands[0], "broadcast")
    if inner is None or inner.operands[0].type.rank or not _stays_inside(instruction):
        return None
    return rewriter.emit("broadcast", inner.operands[0], shape=instruction.result.type.shape, axes=())


@rule("slice")
def slice_of_concat(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """slice(concat(x, y)) -> slice(x), where it takes nothing of y."""
    joined = rewriter.match(instruction.operands[0], "concat")
    if joined is None:
        return None
    axis, attributes = joined.attributes["axis"], instruction.attributes
    start, size, stride = (attributes[name][axis] for name in ("starts", "shape", "strides"))
    if not isinstance(start, int) or not isinstance(size, int) or size < 1:
        return None
    found = _operand_at(joined, axis, start, start + (size - 1) * stride)
    if found is None:
        return None
    operand, offset = found
    starts = (*attributes["starts"][:axis], start - offset, *attributes["starts"][axis + 1 :])
    return rewriter.emit("slice", operand, starts=starts, shape=attributes["shape"], strides=attributes["strides"])


def _operand_at(joined: Instruction, axis: int, first: int, last: int) -> tuple[Value, int] | None:
    """The operand of a concat that holds places `first` to `last` along its axis, and where it begins."""
    offset = 0
    for operand in joined.operands:
        size = operand.type.shape[axis]
        if not isinstance(size, int):
            return None
        if offset <= first and last < offset + size:
            return operand, offset
        offset += size
    return None


def _stays_inside(instruction: Instruction) -> bool:
    """Whether a slice is known never to fail."""
    starts, strides = instruction.attributes["starts"], instruction.attributes["strides"]
    limits, shape = instruction.operands[0].type.shape, instruction.result.type.shape
    for start, size, stride, limit in zip(starts, shape, strides, limits, strict=True):
        room = limit - start - (size - 1) * stride
        if not isinstance(start, int) or not isinstance(room, int) or room < 1:
            return False
    return True


@rule("pad")
def pad_with_nothing(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A pad of no elements -> x."""
    is_empty = all(_all_are(instruction.attributes[name], 0) for name in ("low", "high", "interior"))
    return instruction.operands[0] if is_empty else None


@rule("concat")
def concat_of_one(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """concat(x) -> x."""
    return instruction.operands[0] if len(instruction.operands) == 1 else None


@rule("concat")
def concat_with_empty(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """concat(x, y) -> concat(x), where y has no elements along the axis."""
    axis = instruction.attributes["axis"]
    kept = [operand for operand in instruction.operands if operand.type.shape[axis] != 0]
    if len(kept) == len(instruction.operands) or not kept:
        return None
    return rewriter.emit("concat", *kept, axis=axis)


@rule("concat")
def concat_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """concat(x, concat(y, z)) -> concat(x, y, z), along one axis."""
    axis = instruction.attributes["axis"]
    operands: list[Value] = []
    for operand in instruction.operands:
        inner = rewriter.match(operand, "concat")
        operands.extend(inner.operands if inner and inner.attributes["axis"] == axis else [operand])
    if len(operands) == len(instruction.operands):
        return None
    return rewriter.emit("concat", *operands, axis=axis)


@rule("gather")
def gather_all(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """gather(x, (0, 1, ..., n - 1)) -> x, where x has n places."""
    x, indices = instruction.operands
    counted = rewriter.match(indices, "iota")
    if counted is None or instruction.attributes["batch"] or indices.type.rank != 1:
        return None
    return x if x.type == instruction.result.type else None


@rule("gather")
def gather_one_place(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """gather(x, k) -> a slice of x, where the index is one known number in range."""
    x, indices = instruction.operands
    axis = instruction.attributes["axis"]
    place, limit = scalar_of(indices, rewriter) if indices.type.size == 1 else None, x.type.shape[axis]
    if place is None or instruction.attributes["batch"] or not isinstance(limit, int) or not 0 <= place < limit:
        return None
    starts: list[Size] = [0] * x.type.rank
    starts[axis] = int(place)
    shape = (*x.type.shape[:axis], 1, *x.type.shape[axis + 1 :])
    part = rewriter.emit("slice", x, starts=tuple(starts), shape=shape, strides=(1,) * x.type.rank)
    return rewriter.reshape(part, instruction.result.type.shape)


@rule("dynamic_slice")
def slice_at_known_place(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """dynamic_slice(x, starts) -> slice(x), where all numbers are known."""
    x, starts = instruction.operands
    known, limits, shape = rewriter.constant_of(starts), x.type.shape, instruction.result.type.shape
    if known is None or not all(isinstance(size, int) for size in (*limits, *shape)):
        return None
    inside = zip(known.tolist(), limits, shape, strict=True)
    clamped = tuple(max(0, min(start, int(limit) - int(size))) for start, limit, size in inside)  # type: ignore[arg-type]
    return rewriter.emit("slice", x, starts=clamped, shape=shape, strides=(1,) * x.type.rank)


def _all_are(sizes: tuple[Size, ...], number: int) -> bool:
    return all(size == number for size in sizes)
