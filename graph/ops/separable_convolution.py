"""Convolutions of channels on their own, with a product across channels after it, and with gaps between the taps."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import int32
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import convolution_functions, shapes
from sessile.graph.ops.convolution import (
    Conv2D,
    Conv3D,
    DepthwiseConv2dNative,
    DepthwiseConv2dNativeBackpropFilter,
    DepthwiseConv2dNativeBackpropInput,
)
from sessile.graph.ops.convolution_functions import geometry_attributes
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.tensor import Tensor


@public("nn.depthwise_conv2d_native")
def depthwise_conv2d_native(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    data_format: str | None = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """Convolution of each channel of images on its own.

    Args:
        input: images, [batch, height, width, channels] (or by `data_format`), floating.
        filter: [height, width, channels, multiplier]; the result has channels * multiplier channels.
        strides: how far the filter moves, four numbers.
        padding: "SAME" or "VALID".
        data_format: "NHWC" or "NCHW".
        dilations: the distance between the filter's taps, four numbers.
        name: a name for the operation.
    """
    attributes = geometry_attributes(data_format or "NHWC", strides, padding, dilations)
    return DepthwiseConv2dNative(input, filter, **attributes, name=name)


@public("nn.depthwise_conv2d_native_backprop_input", "nn.depthwise_conv2d_backprop_input")
def depthwise_conv2d_native_backprop_input(
    input_sizes: Any,
    filter: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `depthwise_conv2d_native` with respect to its input of shape `input_sizes`."""
    attributes = geometry_attributes(data_format, strides, padding, dilations)
    return DepthwiseConv2dNativeBackpropInput(input_sizes, filter, out_backprop, **attributes, name=name)


@public("nn.depthwise_conv2d_native_backprop_filter", "nn.depthwise_conv2d_backprop_filter")
def depthwise_conv2d_native_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: str,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `depthwise_conv2d_native` with respect to its filter of shape `filter_sizes`."""
    attributes = geometry_attributes(data_format, strides, padding, dilations)
    return DepthwiseConv2dNativeBackpropFilter(input, filter_sizes, out_backprop, **attributes, name=name)


@public("nn.depthwise_conv2d")
def depthwise_conv2d(
    input: Any,
    filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """Convolution of each channel of images on its own.

    Args:
        input: images, [batch, height, width, channels] (or by `data_format`), floating.
        filter: [height, width, channels, multiplier]; the result has channels * multiplier channels.
        strides: how far the filter moves, four numbers.
        padding: "SAME" or "VALID".
        rate: the distance between the filter's taps, two numbers.
        name: a name for the operations.
        data_format: "NHWC" or "NCHW".
        dilations: the newer name of `rate`.
    """
    rate = renamed_argument("rate", rate, "dilations", dilations)
    with name_scope(name, "depthwise", [input, filter]) as scope:
        input = convert_to_tensor(input, name="tensor_in")
        filter = convert_to_tensor(filter, name="filter_in")
        return _depthwise(input, filter, strides, padding, rate, data_format, scope)


def _depthwise(
    input: Tensor, filter: Tensor, strides: Any, padding: str, rate: Any, data_format: str | None, name: str
) -> Tensor:
    shapes.shape(filter)
    gaps = noted_rate([1, 1] if rate is None else rate, 2)
    attributes = geometry_attributes(data_format or "NHWC", strides, padding, gaps)
    return DepthwiseConv2dNative(input, filter, **attributes, name=name)


def noted_rate(rate: Any, count: int) -> list[int]:
    """The gaps as numbers, noted in the graph as TensorFlow does. Raises ValueError for another number of them."""
    sizes = np.broadcast_to(np.asarray(rate), (count,))
    if (sizes < 1).any():
        raise ValueError("dilation_rate must be positive")
    convert_to_tensor(sizes, dtype=int32, name="dilation_rate")
    return sizes.tolist()


@public("nn.separable_conv2d")
def separable_conv2d(
    input: Any,
    depthwise_filter: Any,
    pointwise_filter: Any,
    strides: Any,
    padding: str,
    rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    dilations: Any = None,
) -> Tensor:
    """`depthwise_conv2d` followed by a product across the channels of each place.

    Args:
        input: images, [batch, height, width, channels] (or by `data_format`), floating.
        depthwise_filter: [height, width, channels, multiplier].
        pointwise_filter: [1, 1, channels * multiplier, output channels].
        strides: how far the depthwise filter moves, four numbers.
        padding: "SAME" or "VALID".
        rate: the distance between the depthwise filter's taps, two numbers.
        name: a name for the operations.
        data_format: "NHWC" or "NCHW".
        dilations: the newer name of `rate`.

    Raises ValueError where the shapes do not fit.
    """
    rate = renamed_argument("rate", rate, "dilations", dilations)
    with name_scope(name, "separable_conv2d", [input, depthwise_filter, pointwise_filter]) as scope:
        input = convert_to_tensor(input, name="tensor_in")
        depthwise_filter = convert_to_tensor(depthwise_filter, name="depthwise_filter")
        pointwise_filter = convert_to_tensor(pointwise_filter, name="pointwise_filter")
        sizes = pointwise_filter.shape.with_rank(4)
        sizes[0].assert_is_compatible_with(1)
        sizes[1].assert_is_compatible_with(1)
        depthwise = _depthwise(input, depthwise_filter, strides, padding, rate, data_format, "depthwise")
        return convolution_functions.conv2d(
            depthwise, pointwise_filter, [1, 1, 1, 1], padding="VALID", data_format=data_format, name=scope
        )


@public("nn.atrous_conv2d")
def atrous_conv2d(value: Any, filters: Any, rate: int, padding: str, name: str | None = None) -> Tensor:
    """Convolution of images with `rate` - 1 gaps between the filter's taps (Chen et al., 2015).

    Args:
        value: images, [batch, height, width, channels], floating.
        filters: [height, width, input channels, output channels].
        rate: the distance between taps along both axes.
        padding: "SAME" or "VALID".
        name: a name for the operations.
    """
    return convolution(value, filters, padding, dilation_rate=np.broadcast_to(rate, (2,)), name=name)


@public("nn.convolution")
def convolution(
    input: Any,
    filter: Any = None,
    padding: str | None = None,
    strides: Any = None,
    dilation_rate: Any = None,
    name: str | None = None,
    data_format: str | None = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Convolution over one, two or three axes.

    Args:
        input: [batch, spatial axes ..., channels], or channels second for a `data_format` that begins with "NC".
        filter: [spatial axes ..., input channels, output channels].
        padding: "SAME" or "VALID".
        strides: how far the filter moves along each spatial axis.
        dilation_rate: the distance between the filter's taps along each spatial axis; not together with strides.
        name: a name for the operations.
        data_format: "NWC", "NHWC", "NDHWC" (the default), or those that begin with "NC".
        filters, dilations: newer names of `filter` and `dilation_rate`.

    Raises ValueError for ranks and sizes that do not fit.
    """
    filter = renamed_argument("filter", filter, "filters", filters)
    rate = renamed_argument("dilation_rate", dilation_rate, "dilations", dilations)
    with name_scope(name, "convolution", [input, filter]) as scope:
        input, filter = convert_to_tensor(input, name="input"), convert_to_tensor(filter, name="filter")
        rank = input.shape.ndims or filter.shape.ndims
        if rank is None:
            raise ValueError("Cannot compute convolution when input and filter have unknown rank")
        count = rank - 2
        if not 1 <= count <= 3:
            raise ValueError("num_spatial_dims must be one of 1, 2 or 3.")
        strides = [1] * count if strides is None else list(np.broadcast_to(strides, (count,)).tolist())
        gaps = noted_rate(1 if rate is None else rate, count)
        if max(strides) > 1 and max(gaps) > 1:
            raise ValueError("strides > 1 not supported in conjunction with dilation_rate > 1")
        return _convolved(input, filter, padding, strides, gaps, data_format, count, scope)


def _convolved(
    input: Tensor, filter: Tensor, padding: Any, strides: Any, gaps: Any, data_format: str | None, count: int, name: str
) -> Tensor:
    channels_first = data_format is not None and data_format.startswith("NC")
    if count == 1:
        return convolution_functions.conv1d(
            input, filter, strides, padding, data_format="NCW" if channels_first else "NWC", dilations=gaps, name=name
        )
    letters = "DHW"[3 - count :]
    layout = f"NC{letters}" if channels_first else f"N{letters}C"
    definition = {2: Conv2D, 3: Conv3D}[count]
    return definition(input, filter, **geometry_attributes(layout, strides, padding, gaps), name=name)
