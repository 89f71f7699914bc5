"""Rules for what only moves elements: broadcast, reshape, transpose, reverse."""

from __future__ import annotations

from sessile.compiler.passes.simplify.rule_table import rule
from sessile.ir.program import Instruction, Value
from sessile.ir.rewrite import Rewriter
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS
from sessile.ir.sizes import Size, product
from sessile.ir.types import TensorType


@rule("broadcast")
def broadcast_without_repeats(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A broadcast that adds at most axes of size 1 -> a reshape."""
    x, shape, axes = instruction.operands[0], instruction.result.type.shape, instruction.attributes["axes"]
    adds_only_ones = all(size == 1 for axis, size in enumerate(shape) if axis not in axes)
    if not adds_only_ones or any(size != shape[axis] for size, axis in zip(x.type.shape, axes, strict=True)):
        return None
    return rewriter.reshape(x, shape)


@rule("broadcast")
def broadcast_of_ones(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """Axes of size 1 of what is broadcast -> none: they say nothing."""
    x, axes = instruction.operands[0], instruction.attributes["axes"]
    if 1 not in x.type.shape:
        return None
    kept = tuple(axis for size, axis in zip(x.type.shape, axes, strict=True) if size != 1)
    x = rewriter.reshape(x, (size for size in x.type.shape if size != 1))
    return rewriter.emit("broadcast", x, shape=instruction.result.type.shape, axes=kept)


@rule("broadcast")
def broadcast_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """broadcast(broadcast(x)) -> broadcast(x)."""
    inner = rewriter.match(instruction.operands[0], "broadcast")
    if inner is None:
        return None
    axes = tuple(instruction.attributes["axes"][axis] for axis in inner.attributes["axes"])
    return rewriter.emit("broadcast", inner.operands[0], shape=instruction.result.type.shape, axes=axes)


@rule("reshape")
def reshape_to_same(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A reshape to the own shape -> x."""
    x = instruction.operands[0]
    return x if x.type == instruction.result.type else None


@rule("reshape")
def reshape_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """reshape(reshape(x)) -> reshape(x), if the one reshape still fails whenever one of the two would."""
    inner = rewriter.match(instruction.operands[0], "reshape")
    if inner is None:
        return None
    x, middle = inner.operands[0], inner.result.type
    if not _have_equal_sizes(middle, x.type) and not _have_equal_sizes(middle, instruction.result.type):
        return None
    return rewriter.reshape(x, instruction.result.type.shape)


@rule("reshape")
def reshape_of_broadcast(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """reshape(broadcast(x)) -> broadcast(x), where the reshape only adds or drops axes of size 1."""
    inner, shape = rewriter.match(instruction.operands[0], "broadcast"), instruction.result.type.shape
    if inner is None or 1 in inner.operands[0].type.shape or _long(inner.result.type.shape) != _long(shape):
        return None
    before, after = ([axis for axis, size in enumerate(s) if size != 1] for s in (inner.result.type.shape, shape))
    place = dict(zip(before, after, strict=True))
    axes = tuple(place[axis] for axis in inner.attributes["axes"])
    return rewriter.emit("broadcast", inner.operands[0], shape=shape, axes=axes)


@rule("reshape")
def reshape_of_repeated_scalar(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """reshape(broadcast(scalar)) -> broadcast(scalar)."""
    inner, type = rewriter.match(instruction.operands[0], "broadcast"), instruction.result.type
    if inner is None or inner.operands[0].type.rank or not _have_equal_sizes(inner.result.type, type):
        return None
    return rewriter.emit("broadcast", inner.operands[0], shape=type.shape, axes=())


@rule("reshape")
def reshape_of_constant(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """reshape(constant) -> constant, of any size."""
    array, type = rewriter.constant_of(instruction.operands[0]), instruction.result.type
    if array is None or type.symbols() or product(array.shape) != type.size:
        return None
    return rewriter.constant(array.reshape(type.bound({})))


def elementwise_of_reshaped(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """f(reshape(x)) -> reshape(f(x)), where the reshapes only add axes of size 1: they meet, and cancel, further on."""
    shapes = set()
    operands = []
    for operand in instruction.operands:
        if operand.type.rank:
            reshaped = rewriter.definition(operand)
            if reshaped is None or reshaped.primitive.name != "reshape":
                return None
            operand = reshaped.operands[0]
            shapes.add(operand.type.shape)
        operands.append(operand)
    result_shape = instruction.result.type.shape
    if len(shapes) != 1 or _long(shape := shapes.pop()) != _long(result_shape) or len(shape) >= len(result_shape):
        return None
    return rewriter.reshape(rewriter.emit(instruction.name, *operands, **instruction.attributes), result_shape)


def _long(shape: tuple[Size, ...]) -> list[Size]:
    return [size for size in shape if size != 1]


def _have_equal_sizes(a: TensorType, b: TensorType) -> bool:
    """Whether two types are known to have as many elements."""
    return _long(a.shape) == _long(b.shape) or a.size == b.size


for _function in SCALAR_FUNCTIONS:
    rule("map", _function)(elementwise_of_reshaped)
for _name in ("select", "convert", "bitcast", "make_complex"):
    rule(_name)(elementwise_of_reshaped)


@rule("transpose")
def transpose_of_ones(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """A transpose that keeps the order of all axes but those of size 1 -> a reshape."""
    x = instruction.operands[0]
    long = [axis for axis in instruction.attributes["permutation"] if x.type.shape[axis] != 1]
    return rewriter.reshape(x, instruction.result.type.shape) if long == sorted(long) else None


@rule("transpose")
def transpose_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """transpose(transpose(x)) -> transpose(x)."""
    inner = rewriter.match(instruction.operands[0], "transpose")
    if inner is None:
        return None
    permutation = tuple(inner.attributes["permutation"][axis] for axis in instruction.attributes["permutation"])
    return rewriter.emit("transpose", inner.operands[0], permutation=permutation)


@rule("transpose")
def transpose_of_broadcast(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """transpose(broadcast(x)) -> broadcast(transpose(x)): fewer elements to move, often none."""
    inner = rewriter.match(instruction.operands[0], "broadcast")
    if inner is None:
        return None
    place = {axis: k for k, axis in enumerate(instruction.attributes["permutation"])}
    targets = [place[axis] for axis in inner.attributes["axes"]]
    order = sorted(range(len(targets)), key=targets.__getitem__)
    x = rewriter.emit("transpose", inner.operands[0], permutation=tuple(order))
    return rewriter.emit("broadcast", x, shape=instruction.result.type.shape, axes=tuple(sorted(targets)))


@rule("reverse")
def reverse_of_short_axes(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """Axes of at most one element need no reversing."""
    x, axes = instruction.operands[0], instruction.attributes["axes"]
    long = tuple(axis for axis in axes if not _is_short(x.type.shape[axis]))
    if len(long) == len(axes) and axes:
        return None
    return rewriter.emit("reverse", x, axes=long) if long else x


@rule("reverse")
def reverse_twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
    """reverse(reverse(x)) -> a reverse along the axes that only one of them names."""
    inner = rewriter.match(instruction.operands[0], "reverse")
    if inner is None:
        return None
    axes = set(instruction.attributes["axes"]) ^ set(inner.attributes["axes"])
    return rewriter.emit("reverse", inner.operands[0], axes=tuple(sorted(axes)))


def _is_short(size: Size) -> bool:
    return isinstance(size, int) and size <= 1
