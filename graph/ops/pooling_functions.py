"""`nn.max_pool`, `nn.avg_pool`, `nn.pool` and their kin for sequences and volumes (TensorFlow 1.15's signatures)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sessile.graph.convert import convert_to_tensor
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import shapes, spaces
from sessile.graph.ops.pooling import AvgPool, AvgPool3D, MaxPool, MaxPool3D
from sessile.graph.ops.separable_convolution import noted_rate
from sessile.graph.ops.window_geometry import as_strides
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.tensor import Tensor


def _pooled(
    definition: Any,
    default_name: str,
    value: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str,
    name: str | None,
) -> Tensor:
    """Pools images or volumes; window and strides for all axes, for the spatial ones, or as one number."""
    with name_scope(name, default_name, [value]) as scope:
        rank = len(data_format)
        return definition(
            value,
            ksize=_over_axes(ksize, rank, data_format, "ksize"),
            strides=_over_axes(strides, rank, data_format, "strides"),
            padding=padding,
            data_format=data_format,
            name=scope,
        )


def _over_axes(value: Any, rank: int, data_format: str, name: str) -> list[int]:
    if value is None:
        raise ValueError(f"{name} cannot be None")
    sizes = as_strides(list(value) if isinstance(value, np.ndarray) else value, rank, data_format, name)
    if 0 in sizes:
        raise ValueError(f"{name} cannot be zero.")
    return sizes


@public("nn.max_pool", "nn.max_pool2d")
def max_pool(
    value: Any = None,
    ksize: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """The largest element of each window of images.

    Args:
        value: images, [batch, height, width, channels] (or by `data_format`).
        ksize: the size of the window: one number, two, or four.
        strides: how far the window moves, in the same form.
        padding: "VALID" keeps windows inside, "SAME" lets them reach beyond the edge, where nothing counts.
        data_format: "NHWC" or "NCHW".
        name: a name for the operation.
        input: the newer name of `value`.

    Raises ValueError for windows that do not fit.
    """
    value = renamed_argument("value", value, "input", input)
    return _pooled(MaxPool, "MaxPool", value, ksize, strides, padding, data_format or "NHWC", name)


@public("nn.avg_pool", "nn.avg_pool2d")
def avg_pool(
    value: Any = None,
    ksize: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
) -> Tensor:
    """The average of each window of images, over the elements that lie inside the image.

    Args:
        value: images, [batch, height, width, channels] (or by `data_format`), floating.
        ksize: the size of the window: one number, two, or four.
        strides: how far the window moves, in the same form.
        padding: "VALID" keeps windows inside, "SAME" lets them reach beyond the edge.
        data_format: "NHWC" or "NCHW".
        name: a name for the operation.
        input: the newer name of `value`.

    Raises ValueError for windows that do not fit.
    """
    value = renamed_argument("value", value, "input", input)
    return _pooled(AvgPool, "AvgPool", value, ksize, strides, padding, data_format or "NHWC", name)


@public("nn.max_pool3d")
def max_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NDHWC", name: str | None = None
) -> Tensor:
    """The largest element of each window of volumes [batch, depth, height, width, channels]; see `max_pool`."""
    return _pooled(MaxPool3D, "MaxPool3D", input, ksize, strides, padding, data_format or "NDHWC", name)


@public("nn.avg_pool3d")
def avg_pool3d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str | None = "NDHWC", name: str | None = None
) -> Tensor:
    """The average of each window of volumes [batch, depth, height, width, channels]; see `avg_pool`."""
    return _pooled(AvgPool3D, "AvgPool3D", input, ksize, strides, padding, data_format or "NDHWC", name)


@public("nn.max_pool1d")
def max_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """The largest element of each window of sequences [batch, width, channels]; see `max_pool`."""
    return _pooled_sequence(MaxPool, "MaxPool1d", input, ksize, strides, padding, data_format, name)


@public("nn.avg_pool1d")
def avg_pool1d(
    input: Any, ksize: Any, strides: Any, padding: Any, data_format: str = "NWC", name: str | None = None
) -> Tensor:
    """The average of each window of sequences [batch, width, channels]; see `avg_pool`."""
    return _pooled_sequence(AvgPool, "AvgPool1D", input, ksize, strides, padding, data_format, name)


def _pooled_sequence(
    definition: Any,
    default_name: str,
    input: Any,
    ksize: Any,
    strides: Any,
    padding: Any,
    data_format: str,
    name: str | None,
) -> Tensor:
    """Sequences are images of height 1."""
    with name_scope(name, default_name, [input]) as scope:
        axis, plane = (1, "NHWC") if data_format in (None, "NWC") else (2, "NCHW")
        window, steps = ([*_over_axes(v, 3, data_format, n)] for v, n in ((ksize, "ksize"), (strides, "strides")))
        for sizes in (window, steps):
            sizes.insert(axis, 1)
        image = shapes.expand_dims(input, axis)
        pooled = definition(image, ksize=window, strides=steps, padding=padding, data_format=plane, name=scope)
        return shapes.squeeze(pooled, axis)


@public("nn.pool")
def pool(
    input: Any,
    window_shape: Any,
    pooling_type: str,
    padding: str,
    dilation_rate: Any = None,
    strides: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Pools over one, two or three spatial axes.

    Args:
        input: [batch, spatial axes ..., channels], or channels second for a `data_format` that begins with "NC".
        window_shape: the size of the window along each spatial axis.
        pooling_type: "MAX" or "AVG".
        padding: "VALID" or "SAME"; with gaps, "VALID" alone.
        dilation_rate: the distance between the elements of a window along each spatial axis.
        strides: how far the window moves along each spatial axis; not together with gaps.
        name: a name for the operations.
        data_format: "NWC", "NHWC", "NDHWC" (the default), or those that begin with "NC".
        dilations: the newer name of `dilation_rate`.

    Raises ValueError for other arguments.
    """
    rate = renamed_argument("dilation_rate", dilation_rate, "dilations", dilations)
    with name_scope(name, f"{pooling_type.lower()}_pool", [input]) as scope:
        input = convert_to_tensor(input, name="input")
        count = len(window_shape)
        if not 1 <= count <= 3 or input.shape.ndims not in (None, count + 2):
            raise ValueError(f"{count} spatial axes do not go with an input of shape {input.shape}")
        if pooling_type not in ("MAX", "AVG"):
            raise ValueError(f"pooling_type must be MAX or AVG, not {pooling_type!r}")
        strides = [1] * count if strides is None else list(strides)
        gaps = noted_rate(1 if rate is None else rate, count)
        layout = _layout(data_format, count)

        def pooled(x: Tensor, mode: str) -> Tensor:
            return _pooled_by_rank(pooling_type, x, list(window_shape), strides, mode, layout, scope)

        if max(gaps) == 1:
            return pooled(input, padding)
        if padding == "SAME":
            raise ValueError("pooling with 'SAME' padding is not implemented for dilation_rate > 1")
        if max(strides) > 1:
            raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
        return _with_gaps(input, gaps, layout, lambda x: pooled(x, "VALID"))


def _layout(data_format: str | None, count: int) -> str:
    letters = "DHW"[3 - count :]
    return f"NC{letters}" if data_format is not None and data_format.startswith("NC") else f"N{letters}C"


def _pooled_by_rank(
    kind: str, x: Tensor, window: list[int], strides: list[int], padding: str, layout: str, name: str
) -> Tensor:
    if len(window) == 1:
        function = max_pool1d if kind == "MAX" else avg_pool1d
        return function(x, window, strides, padding, layout, name)
    definition = {("MAX", 2): MaxPool, ("AVG", 2): AvgPool, ("MAX", 3): MaxPool3D, ("AVG", 3): AvgPool3D}[
        kind, len(window)
    ]
    return _pooled(definition, "pool", x, window, strides, padding, layout, name)


def _with_gaps(x: Tensor, gaps: list[int], layout: str, pooled: Callable[[Tensor], Tensor]) -> Tensor:
    """Deals elements that lie `gaps` apart to different images, where they are neighbours, and puts results back."""
    first = layout.index("C") + 1 if layout.startswith("NC") else 1
    block = [1] * (first - 1) + gaps
    sizes = shapes.shape(x)[1 : 1 + len(block)]
    paddings, crops = spaces.required_space_to_batch_paddings(sizes, block)
    dealt = spaces.SpaceToBatchND(x, block, paddings)
    return spaces.BatchToSpaceND(pooled(dealt), block, crops)
