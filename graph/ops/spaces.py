"""Blocks of space moved to the batch or to the channels, and back."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.graph.constant_value import constant_value
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import INDEX, int32
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import constants, joining
from sessile.graph.ops.bases import numbers_of
from sessile.graph.public_names import public
from sessile.graph.shape_rules import UNKNOWN, of_rank, of_rank_at_least
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import Sizes, TensorShape, unknown_shape

_INDEX = Attribute("type", default=int32, allowed=INDEX)
_FORMATS = Attribute("string", default=b"NHWC", allowed=frozenset({b"NHWC", b"NCHW"}))


def _to_batch(b: Any, x: Any, block: Sequence[int], pads: Sequence[Sequence[int]]) -> Any:
    """Pads the axes after the batch, then moves the places inside blocks to the front of the batch."""
    count, rank = len(block), x.type.rank
    rest = [0] * (rank - 1 - count)
    x = b.pad(x, [0, *(low for low, _ in pads), *rest], [0, *(high for _, high in pads), *rest], _zero(x))
    sizes, split = x.type.shape, [x.type.shape[0]]
    for size, width in zip(sizes[1 : 1 + count], block, strict=True):
        each = size // width
        fits = b.decide(each * width, "==", size)
        b.require(fits, f"padded_shape={b.shown(size)} is not divisible by block_shape={width}")
        split += [each, width]
    x = b.reshape(x, [*split, *sizes[1 + count :]])
    inner, outer = [2 + 2 * k for k in range(count)], [1 + 2 * k for k in range(count)]
    x = b.transpose(x, [*inner, 0, *outer, *range(1 + 2 * count, rank + count)])
    batch = sizes[0] * int(np.prod(block, dtype=np.int64))
    return b.reshape(x, [batch, *split[1::2], *sizes[1 + count :]])


def _to_space(b: Any, x: Any, block: Sequence[int], crops: Sequence[Sequence[int]]) -> Any:
    """The way back: places at the front of the batch go into blocks, then the axes are cropped."""
    count, rank, sizes = len(block), x.type.rank, x.type.shape
    total = int(np.prod(block, dtype=np.int64))
    batch = sizes[0] // total
    fits = b.decide(batch * total, "==", sizes[0])
    b.require(fits, f"batch size {b.shown(sizes[0])} is not divisible by the product of block sizes {total}")
    x = b.reshape(x, [*block, batch, *sizes[1:]])
    pairs = [axis for k in range(count) for axis in (count + 1 + k, k)]
    x = b.transpose(x, [count, *pairs, *range(2 * count + 1, rank + count)])
    wide = [size * width for size, width in zip(sizes[1 : 1 + count], block, strict=True)]
    x = b.reshape(x, [batch, *wide, *sizes[1 + count :]])
    left = [size - low - high for size, (low, high) in zip(wide, crops, strict=True)]
    rest = sizes[1 + count :]
    return b.slice(x, [0, *(low for low, _ in crops), *[0] * len(rest)], [batch, *left, *rest])


def _zero(x: Any) -> Any:
    return False if x.type.dtype == "bool" else x.type.numpy_dtype.type(0)


def _pairs(numbers: Sequence[int]) -> list[tuple[int, int]]:
    return list(zip(numbers[::2], numbers[1::2], strict=True))


def _moved_shape(input: Tensor, block: Any, margins: Any, to_batch: bool) -> TensorShape:
    """The shape with space moved to the batch, or back, as far as it is known."""
    sizes = of_rank_at_least(input, 2)
    if sizes is None:
        return UNKNOWN
    if block is None or margins is None:
        return unknown_shape(len(sizes))
    total, space = int(np.prod(block)), []
    for size, width, (low, high) in zip(sizes[1:], block.tolist(), margins.reshape(-1, 2).tolist(), strict=False):
        space.append(None if size is None else _moved_size(size, width, low + high, to_batch))
    batch = sizes[0]
    if batch is not None:
        if not to_batch and batch % total:
            raise ValueError(f"Dimension size must be evenly divisible by {total} but is {batch}")
        batch = batch * total if to_batch else batch // total
    return TensorShape([batch, *space, *sizes[1 + len(block) :]])


def _moved_size(size: int, width: int, margin: int, to_batch: bool) -> int:
    if not to_batch:
        return size * width - margin
    if (size + margin) % width:
        raise ValueError(f"Dimension size must be evenly divisible by {width} but is {size + margin}")
    return (size + margin) // width


@operation("SpaceToBatchND", public=("space_to_batch_nd", "manip.space_to_batch_nd"))
class SpaceToBatchND(OpDefinition):
    """Moves the places inside blocks of space to the batch: cuts the padded input into grids of every n-th place.

    Args:
        input: a tensor of shape [batch, space ..., other sizes].
        block_shape: the sizes of a block, a vector with an element for each axis of space.
        paddings: zeros to add before and after each axis of space, a matrix with two columns.
        name: a name for the operation.
    """

    inputs = {"input": "T", "block_shape": "Tblock_shape", "paddings": "Tpaddings"}
    attributes = {"T": Attribute("type"), "Tblock_shape": _INDEX, "Tpaddings": _INDEX}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, block_shape: Tensor, paddings: Tensor) -> TensorShape:
        return _moved_shape(input, constant_value(block_shape), constant_value(paddings), to_batch=True)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [BatchToSpaceND(grad, op.inputs[1], op.inputs[2]), None, None]

    def lower(self, b: Any, input: Any, block_shape: Any, paddings: Any) -> Any:
        return _to_batch(b, input, numbers_of(b, block_shape), _pairs(numbers_of(b, paddings)))


@operation("BatchToSpaceND", public=("batch_to_space_nd", "manip.batch_to_space_nd"))
class BatchToSpaceND(OpDefinition):
    """Moves places from the batch into blocks of space: what undoes space_to_batch_nd.

    Args:
        input: a tensor of shape [batch, space ..., other sizes].
        block_shape: the sizes of a block, a vector with an element for each axis of space.
        crops: how many places to cut off before and after each axis of space, a matrix with two columns.
        name: a name for the operation.
    """

    inputs = {"input": "T", "block_shape": "Tblock_shape", "crops": "Tcrops"}
    attributes = {"T": Attribute("type"), "Tblock_shape": _INDEX, "Tcrops": _INDEX}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, block_shape: Tensor, crops: Tensor) -> TensorShape:
        return _moved_shape(input, constant_value(block_shape), constant_value(crops), to_batch=False)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [SpaceToBatchND(grad, op.inputs[1], op.inputs[2]), None, None]

    def lower(self, b: Any, input: Any, block_shape: Any, crops: Any) -> Any:
        return _to_space(b, input, numbers_of(b, block_shape), _pairs(numbers_of(b, crops)))


@operation("SpaceToBatch")
class SpaceToBatch(OpDefinition):
    """Moves the places inside square blocks of images to the batch."""

    inputs = {"input": "T", "paddings": "Tpaddings"}
    attributes = {"T": Attribute("type"), "Tpaddings": _INDEX, "block_size": Attribute("int", minimum=2)}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, paddings: Tensor, *, block_size: int) -> TensorShape:
        of_rank(input, 4)
        return _moved_shape(input, np.array([block_size] * 2), constant_value(paddings), to_batch=True)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [BatchToSpace(grad, op.inputs[1], block_size=op._attributes["block_size"]), None]

    def lower(self, b: Any, input: Any, paddings: Any, *, block_size: int) -> Any:
        return _to_batch(b, input, [block_size] * 2, _pairs(numbers_of(b, paddings)))


@operation("BatchToSpace")
class BatchToSpace(OpDefinition):
    """Moves places from the batch into square blocks of images."""

    inputs = {"input": "T", "crops": "Tidx"}
    attributes = {"T": Attribute("type"), "block_size": Attribute("int", minimum=2), "Tidx": _INDEX}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, crops: Tensor, *, block_size: int) -> TensorShape:
        of_rank(input, 4)
        return _moved_shape(input, np.array([block_size] * 2), constant_value(crops), to_batch=False)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [SpaceToBatch(grad, op.inputs[1], block_size=op._attributes["block_size"]), None]

    def lower(self, b: Any, input: Any, crops: Any, *, block_size: int) -> Any:
        return _to_space(b, input, [block_size] * 2, _pairs(numbers_of(b, crops)))


@public("space_to_batch")
def space_to_batch(
    input: Any, paddings: Any, block_size: int | None = None, name: str | None = None, block_shape: Any = None
) -> Tensor:
    """Moves the places inside square blocks of images to the batch.

    Args:
        input: a tensor of shape [batch, height, width, channels].
        paddings: zeros to add before and after height and width, a matrix of shape [2, 2].
        block_size: the height and width of a block.
        name: a name for the operation.
        block_shape: another name of `block_size`.
    """
    block = internal_convert([block_size] * 2 if block_shape is None else block_shape)
    result = SpaceToBatchND(input, block, paddings, name=name)
    result.set_shape(result.shape.with_rank(4))
    return result


@public("batch_to_space")
def batch_to_space(input: Any, crops: Any, block_size: int, name: str | None = None, block_shape: Any = None) -> Tensor:
    """Moves places from the batch into square blocks of images: what undoes space_to_batch.

    Args:
        input: a tensor of shape [batch, height, width, channels].
        crops: how many places to cut off before and after height and width, a matrix of shape [2, 2].
        block_size: the height and width of a block.
        name: a name for the operation.
        block_shape: another name of `block_size`.
    """
    block = np.array([block_size] * 2, np.int32) if block_shape is None else block_shape
    result = BatchToSpaceND(input, block, crops, name=name)
    result.set_shape(result.shape.with_rank(4))
    return result


@public("required_space_to_batch_paddings")
def required_space_to_batch_paddings(
    input_shape: Any, block_shape: Any, base_paddings: Any = None, name: str | None = None
) -> tuple[Tensor, Tensor]:
    """The paddings that make the axes of space divisible by the sizes of blocks, and the crops that undo them.

    Args:
        input_shape: the sizes of the axes of space, a vector of int32.
        block_shape: the sizes of a block, a vector of int32.
        base_paddings: the least padding, a matrix of int32 with two columns; by default none.
        name: a name for the operations.

    Returns the paddings and the crops, matrices with two columns.
    """
    with name_scope(name, "required_space_to_batch_paddings", [input_shape, block_shape]):
        sizes = internal_convert(input_shape, int32, "input_shape")
        block = internal_convert(block_shape, int32, "block_shape")
        if base_paddings is None:
            base_paddings = constants.constant(0, int32, shape=[block.shape.as_list()[0], 2])
        base = internal_convert(base_paddings, int32, "base_paddings")
        low, high = base[:, 0], base[:, 1]
        extra = (block - (sizes + low + high) % block) % block
        paddings = joining.stack([low, high + extra], axis=1, name="paddings")
        return paddings, joining.stack([extra * 0, extra], axis=1, name="crops")


class BlockMove(OpDefinition):
    """Base of moves between space and channels."""

    inputs = {"input": "T"}
    attributes = {"T": Attribute("type"), "block_size": Attribute("int", minimum=2), "data_format": _FORMATS}
    outputs = {"output": "T"}


def _image_sizes(input: Tensor, data_format: bytes) -> Sizes:
    """Batch, height, width, channels."""
    n, *rest = of_rank(input, 4)
    return (n, rest[1], rest[2], rest[0]) if data_format == b"NCHW" else (n, *rest)


def _image_shape(sizes: Sequence[int | None], data_format: bytes) -> TensorShape:
    n, height, width, channels = sizes
    return TensorShape([n, channels, height, width] if data_format == b"NCHW" else list(sizes))


def _divided(size: int | None, by: int) -> int | None:
    if size is not None and size % by:
        raise ValueError(f"Dimension size must be evenly divisible by {by} but is {size}")
    return None if size is None else size // by


def _times(size: int | None, by: int) -> int | None:
    return None if size is None else size * by


@operation("SpaceToDepth")
class SpaceToDepth(BlockMove):
    """Moves the places inside square blocks of images to the channels."""

    def infer(self, input: Tensor, *, block_size: int, data_format: bytes) -> TensorShape:
        n, height, width, channels = _image_sizes(input, data_format)
        sizes = (n, _divided(height, block_size), _divided(width, block_size), _times(channels, block_size**2))
        return _image_shape(sizes, data_format)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [DepthToSpace(grad, op._attributes["block_size"], data_format=op._attributes["data_format"])]

    def lower(self, b: Any, input: Any, *, block_size: int, data_format: bytes) -> Any:
        x = b.transpose(input, [0, 2, 3, 1]) if data_format == b"NCHW" else input
        n, height, width, channels = x.type.shape
        rows, columns = height // block_size, width // block_size
        fits = b.decide(rows * block_size, "==", height) and b.decide(columns * block_size, "==", width)
        b.require(
            fits, f"Image height {b.shown(height)} and width {b.shown(width)} should be divisible by {block_size}"
        )
        x = b.reshape(x, [n, rows, block_size, columns, block_size, channels])
        x = b.reshape(b.transpose(x, [0, 1, 3, 2, 4, 5]), [n, rows, columns, channels * block_size**2])
        return b.transpose(x, [0, 3, 1, 2]) if data_format == b"NCHW" else x


@operation("DepthToSpace")
class DepthToSpace(BlockMove):
    """Moves channels into square blocks of images."""

    def infer(self, input: Tensor, *, block_size: int, data_format: bytes) -> TensorShape:
        n, height, width, channels = _image_sizes(input, data_format)
        sizes = (n, _times(height, block_size), _times(width, block_size), _divided(channels, block_size**2))
        return _image_shape(sizes, data_format)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [SpaceToDepth(grad, op._attributes["block_size"], data_format=op._attributes["data_format"])]

    def lower(self, b: Any, input: Any, *, block_size: int, data_format: bytes) -> Any:
        x = b.transpose(input, [0, 2, 3, 1]) if data_format == b"NCHW" else input
        n, height, width, channels = x.type.shape
        left = channels // block_size**2
        fits = b.decide(left * block_size**2, "==", channels)
        b.require(fits, f"Input depth dimension {b.shown(channels)} should be divisible by {block_size**2}")
        x = b.reshape(x, [n, height, width, block_size, block_size, left])
        x = b.reshape(b.transpose(x, [0, 1, 3, 2, 4, 5]), [n, height * block_size, width * block_size, left])
        return b.transpose(x, [0, 3, 1, 2]) if data_format == b"NCHW" else x


@public("space_to_depth", "nn.space_to_depth")
def space_to_depth(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """Moves the places inside square blocks of images to the channels.

    Args:
        input: a tensor of shape [batch, height, width, channels] (or as `data_format` says).
        block_size: the height and width of a block.
        name: a name for the operation.
        data_format: "NHWC" or "NCHW".
    """
    return SpaceToDepth(input, block_size, data_format=data_format, name=name)


@public("depth_to_space", "nn.depth_to_space")
def depth_to_space(input: Any, block_size: int, name: str | None = None, data_format: str = "NHWC") -> Tensor:
    """Moves channels into square blocks of images: what undoes space_to_depth.

    Args:
        input: a tensor of shape [batch, height, width, channels] (or as `data_format` says).
        block_size: the height and width of a block.
        name: a name for the operation.
        data_format: "NHWC" or "NCHW".
    """
    return DepthToSpace(input, block_size, data_format=data_format, name=name)
