"""Padding: constants around a tensor, or its own elements mirrored at the edges."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.constant_value import constant_value
from sessile.graph.dtypes import INDEX, int32
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import joining, shapes, slicing
from sessile.graph.ops.bases import numbers_of, part
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, unknown_shape

INDEX_TYPE = Attribute("type", default=int32, allowed=INDEX)


class Padding(OpDefinition):
    """Base of operations that put elements around a tensor."""

    inputs = {"input": "T", "paddings": "Tpaddings"}
    attributes = {"T": Attribute("type"), "Tpaddings": INDEX_TYPE}
    outputs = {"output": "T"}

    def padded_shape(self, input: Tensor, paddings: Tensor) -> TensorShape:
        """The shape with the padding added."""
        rows, columns = of_rank(paddings, 2)
        if columns not in (None, 2):
            raise ValueError(f"Dimension must be 2 but is {columns}")
        if input.shape.sizes is None:
            return UNKNOWN if rows is None else unknown_shape(rows)
        if rows is not None and rows != len(input.shape.sizes):
            raise ValueError(f"Shape must be rank {rows} but is rank {len(input.shape.sizes)}")
        widths = constant_value(paddings)
        if widths is None:
            return unknown_shape(len(input.shape.sizes))
        if (widths < 0).any():
            raise ValueError(f"Paddings must be non-negative: {widths.tolist()}")
        totals = widths.sum(1).tolist()
        return TensorShape([None if s is None else s + w for s, w in zip(input.shape.sizes, totals, strict=True)])


class ConstantPadding(Padding):
    """Base of padding with one value."""

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        source, paddings = op.inputs[:2]
        before = slicing.Slice(paddings, [0, 0], joining.stack([shapes.rank(source), 1]))
        begin = shapes.reshape(before, [-1])
        back = slicing.Slice(grad, begin, shapes.shape(source, out_type=paddings.dtype.base_dtype))
        return [back, *[None] * (len(op.inputs) - 1)]

    def padded(self, b: Any, x: Any, paddings: Any, value: Any) -> Any:
        """`x` with `value` around it."""
        widths = b.sizes_of(paddings)
        rank = x.type.rank
        b.require(len(widths) == 2 * rank, f"The first dimension of paddings must be the rank of inputs {rank}")
        are_widths = all(b.decide(width, ">=", 0) for width in widths)
        b.require(are_widths, f"Paddings must be non-negative: {[b.shown(width) for width in widths]}")
        return b.pad(x, widths[::2], widths[1::2], value)


@operation("Pad")
class Pad(ConstantPadding):
    """The input with zeros around it."""

    def infer(self, input: Tensor, paddings: Tensor) -> TensorShape:
        return self.padded_shape(input, paddings)

    def lower(self, b: Any, input: Any, paddings: Any) -> Any:
        return self.padded(b, input, paddings, input.type.numpy_dtype.type(0))


@operation("PadV2")
class PadV2(ConstantPadding):
    """The input with copies of a value around it."""

    inputs = {"input": "T", "paddings": "Tpaddings", "constant_values": "T"}

    def infer(self, input: Tensor, paddings: Tensor, constant_values: Tensor) -> TensorShape:
        return self.padded_shape(input, paddings)

    def lower(self, b: Any, input: Any, paddings: Any, constant_values: Any) -> Any:
        return self.padded(b, input, paddings, b.reshape(constant_values, ()))


class MirrorPadding(Padding):
    """Base of padding with the tensor's own elements."""

    attributes = {
        "T": Attribute("type"),
        "Tpaddings": INDEX_TYPE,
        "mode": Attribute("string", allowed=frozenset({b"REFLECT", b"SYMMETRIC"})),
    }


@operation("MirrorPad")
class MirrorPad(MirrorPadding):
    """The input mirrored at its edges: the edge itself appears once (REFLECT) or twice (SYMMETRIC)."""

    def infer(self, input: Tensor, paddings: Tensor) -> TensorShape:
        return self.padded_shape(input, paddings)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [MirrorPadGrad(grad, op.inputs[1], op._attributes["mode"]), None]

    def lower(self, b: Any, input: Any, paddings: Any, *, mode: bytes) -> Any:
        widths = numbers_of(b, paddings)
        skipped = int(mode == b"REFLECT")
        for axis, (low, high) in enumerate(zip(widths[::2], widths[1::2], strict=True)):
            size = input.type.shape[axis]
            fits = b.decide(size, ">=", low + skipped) and b.decide(size, ">=", high + skipped)
            b.require(
                low == high == 0 or fits,
                f"paddings must be no greater than the dimension size: {low}, {high} greater than {b.shown(size)}",
            )
            input = _mirrored(b, input, axis, low, high, skipped)
        return input


def _mirrored(b: Any, x: Any, axis: int, low: int, high: int, skipped: int) -> Any:
    """`x` with its first `low` and last `high` elements along `axis` in opposite order before and after it."""
    size = x.type.shape[axis]
    parts = [x]
    if low:
        parts.insert(0, _flipped_part(b, x, axis, skipped, low))
    if high:
        parts.append(_flipped_part(b, x, axis, size - skipped - high, high))
    return b.concat(parts, axis)


def _flipped_part(b: Any, x: Any, axis: int, start: Any, count: int) -> Any:
    return b.emit("reverse", part(b, x, axis, start, count), axes=(axis,))


@operation("MirrorPadGrad")
class MirrorPadGrad(MirrorPadding):
    """The gradient of MirrorPad: what was put around goes back to where it was copied from."""

    def infer(self, input: Tensor, paddings: Tensor) -> TensorShape:
        widths = constant_value(paddings)
        if input.shape.sizes is None or widths is None:
            return unknown_shape(input.shape.ndims)
        totals = widths.sum(1).tolist()
        return TensorShape([None if s is None else s - w for s, w in zip(input.shape.sizes, totals, strict=True)])

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [MirrorPad(grad, op.inputs[1], op._attributes["mode"]), None]

    def lower(self, b: Any, input: Any, paddings: Any, *, mode: bytes) -> Any:
        widths = numbers_of(b, paddings)
        skipped = int(mode == b"REFLECT")
        for axis, (low, high) in enumerate(zip(widths[::2], widths[1::2], strict=True)):
            input = _folded_back(b, input, axis, low, high, skipped)
        return input


def _folded_back(b: Any, x: Any, axis: int, low: int, high: int, skipped: int) -> Any:
    size = x.type.shape[axis] - low - high
    result = part(b, x, axis, low, size)
    for width, start, before in ((low, 0, skipped), (high, size + low, size - skipped - high)):
        if width:
            lows, highs = [0] * x.type.rank, [0] * x.type.rank
            lows[axis], highs[axis] = before, size - before - width
            result = b.add(result, b.pad(_flipped_part(b, x, axis, start, width), lows, highs))
    return result


@public("pad")
def pad(
    tensor: Any, paddings: Any, mode: str = "CONSTANT", name: str | None = None, constant_values: Any = 0
) -> Tensor:
    """A tensor with elements around it.

    Args:
        tensor: a tensor of rank n.
        paddings: how many elements before and after each axis, a matrix of whole numbers of shape [n, 2].
        mode: "CONSTANT" adds `constant_values`, "REFLECT" the tensor mirrored at its edges, which are not repeated,
            "SYMMETRIC" the tensor mirrored with its edges.
        name: a name for the operation.
        constant_values: a scalar.

    Raises ValueError for another mode.
    """
    kind = mode.upper()
    if kind == "CONSTANT":
        is_zero = not isinstance(constant_values, Tensor) and np.ndim(constant_values) == 0 and constant_values == 0
        result = Pad(tensor, paddings, name=name) if is_zero else PadV2(tensor, paddings, constant_values, name=name)
    elif kind in ("REFLECT", "SYMMETRIC"):
        result = MirrorPad(tensor, paddings, mode=kind, name=name)
    else:
        raise ValueError(f"Unknown padding mode: {mode}")
    return result
