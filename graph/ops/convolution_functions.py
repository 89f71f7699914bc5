"""`nn.conv2d` and its kin: plain and transposed convolutions over one to three axes (TensorFlow 1.15's signatures)."""

from __future__ import annotations

from typing import Any

from sessile.graph.name_scope import name_scope
from sessile.graph.ops import shapes
from sessile.graph.ops.convolution import (
    Conv2D,
    Conv2DBackpropFilter,
    Conv2DBackpropInput,
    Conv3D,
    Conv3DBackpropFilterV2,
    Conv3DBackpropInputV2,
)
from sessile.graph.ops.window_geometry import as_strides
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.tensor import Tensor


def geometry_attributes(data_format: str, strides: Any, padding: Any, dilations: Any) -> dict[str, Any]:
    """The attributes of a convolution; strides and dilations for all axes, the spatial ones, or as one number."""
    rank = len(data_format)
    attributes = {
        "data_format": data_format,
        "strides": as_strides(strides, rank, data_format, "strides"),
        "dilations": as_strides(dilations, rank, data_format, "dilations"),
    }
    if not isinstance(padding, (list, tuple)):
        return {**attributes, "padding": padding}
    return {**attributes, "padding": "EXPLICIT", "explicit_paddings": _explicit_paddings(padding, rank)}


def _explicit_paddings(padding: Any, rank: int) -> list[int]:
    for place, pair in enumerate(padding):
        if not isinstance(pair, (list, tuple)):
            raise ValueError(
                f"When padding is a list, each element of padding must be a list/tuple of size 2. "
                f"Element with index {place} of padding is not a list/tuple"
            )
        if len(pair) != 2:
            raise ValueError(
                f"When padding is a list, each element of padding must be a list/tuple of size 2. "
                f"Element with index {place} of padding has size {len(pair)}"
            )
    if len(padding) != rank:
        raise ValueError(f"When padding is a list, it must be of size {rank}. Got padding of size: {len(padding)}")
    return [int(size) for pair in padding for size in pair]


@public("nn.conv2d")
def conv2d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str | None = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Convolution of images (the filter is not turned over, as is the habit for neural networks).

    Args:
        input: images, [batch, height, width, channels] (or by `data_format`), floating.
        filter: [height, width, input channels, output channels].
        strides: how far the filter moves: one number, two, or four.
        padding: "SAME", "VALID", or a list of four pairs: the zeros before and after each axis.
        use_cudnn_on_gpu: accepted without effect.
        data_format: "NHWC" or "NCHW".
        dilations: the distance between the filter's taps, in the form of `strides`.
        name: a name for the operation.
        filters: the newer name of `filter`.

    Raises ValueError for shapes, strides or padding that do not fit.
    """
    taps = renamed_argument("filter", filter, "filters", filters)
    attributes = geometry_attributes(data_format or "NHWC", strides, padding, dilations)
    return Conv2D(input, taps, use_cudnn_on_gpu=use_cudnn_on_gpu, **attributes, name=name)


@public("nn.conv2d_backprop_input")
def conv2d_backprop_input(
    input_sizes: Any,
    filter: Any = None,
    out_backprop: Any = None,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """The gradient of `conv2d` with respect to its input.

    Args:
        input_sizes: the shape of the input, a vector of int32.
        filter: the filter of the convolution.
        out_backprop: the gradient with respect to the convolution's result.
        strides, padding, data_format, dilations: those of the convolution.
        use_cudnn_on_gpu: accepted without effect.
        name: a name for the operation.
        filters: the newer name of `filter`.
    """
    taps = renamed_argument("filter", filter, "filters", filters)
    attributes = geometry_attributes(data_format, strides, padding, dilations)
    return Conv2DBackpropInput(
        input_sizes, taps, out_backprop, use_cudnn_on_gpu=use_cudnn_on_gpu, **attributes, name=name
    )


@public("nn.conv2d_backprop_filter")
def conv2d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool = True,
    data_format: str = "NHWC",
    dilations: Any = (1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `conv2d` with respect to its filter.

    Args:
        input: the images of the convolution.
        filter_sizes: the shape of the filter, a vector of int32.
        out_backprop: the gradient with respect to the convolution's result.
        strides, padding, data_format, dilations: those of the convolution.
        use_cudnn_on_gpu: accepted without effect.
        name: a name for the operation.
    """
    attributes = geometry_attributes(data_format, strides, padding, dilations)
    return Conv2DBackpropFilter(
        input, filter_sizes, out_backprop, use_cudnn_on_gpu=use_cudnn_on_gpu, **attributes, name=name
    )


@public("nn.conv2d_transpose")
def conv2d_transpose(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: str = "SAME",
    data_format: str | None = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transpose of `conv2d`: what its gradient does to images (sometimes called deconvolution).

    Args:
        value: [batch, height, width, channels] (or by `data_format`), floating.
        filter: [height, width, output channels, input channels].
        output_shape: the shape of the result, a vector of int32.
        strides, padding, data_format, dilations: those of the convolution that would undo the change of shape.
        name: a name for the operation.
        input, filters: the newer names of `value` and `filter`.
    """
    value = renamed_argument("value", value, "input", input)
    taps = renamed_argument("filter", filter, "filters", filters)
    attributes = geometry_attributes(data_format or "NHWC", strides, padding, dilations)
    with name_scope(name, "conv2d_transpose", [value, taps, output_shape]) as scope:
        return Conv2DBackpropInput(output_shape, taps, value, **attributes, name=scope)


@public("nn.conv1d")
def conv1d(
    value: Any = None,
    filters: Any = None,
    stride: Any = None,
    padding: Any = None,
    use_cudnn_on_gpu: bool | None = None,
    data_format: str | None = None,
    name: str | None = None,
    input: Any = None,
    dilations: Any = None,
) -> Tensor:
    """Convolution of sequences, as images of height 1.

    Args:
        value: [batch, length, channels], or [batch, channels, length] for "NCW".
        filters: [width, input channels, output channels].
        stride: how far the filter moves.
        padding: "SAME" or "VALID".
        use_cudnn_on_gpu: accepted without effect.
        data_format: "NWC" or "NCW".
        name: a name for the operations.
        input: the newer name of `value`.
        dilations: the distance between the filter's taps.

    Raises ValueError for another `data_format` and for sizes that do not fit.
    """
    value = renamed_argument("value", value, "input", input)
    with name_scope(name, "conv1d", [value, filters]) as scope:
        axis, line, plane = _line_format(data_format)
        attributes = geometry_attributes(line, stride, padding, dilations)
        for sizes in (attributes["strides"], attributes["dilations"]):
            sizes.insert(axis, 1)
        attributes["data_format"] = plane
        image, taps = shapes.expand_dims(value, axis), shapes.expand_dims(filters, 0)
        return shapes.squeeze(Conv2D(image, taps, **attributes, name=scope), [axis])


def _line_format(data_format: str | None) -> tuple[int, str, str]:
    """Where the height comes in, and the formats of sequences and images."""
    if data_format in (None, "NHWC", "NWC"):
        return 1, "NWC", "NHWC"
    if data_format in ("NCHW", "NCW"):
        return 2, "NCW", "NCHW"
    raise ValueError('data_format must be "NWC" or "NCW".')


@public("nn.conv3d")
def conv3d(
    input: Any,
    filter: Any = None,
    strides: Any = None,
    padding: Any = None,
    data_format: str = "NDHWC",
    dilations: Any = (1, 1, 1, 1, 1),
    name: str | None = None,
    filters: Any = None,
) -> Tensor:
    """Convolution of volumes [batch, depth, height, width, channels] over three spatial axes; see `conv2d`."""
    taps = renamed_argument("filter", filter, "filters", filters)
    return Conv3D(input, taps, **geometry_attributes(data_format, strides, padding, dilations), name=name)


@public("nn.conv3d_backprop_filter", "nn.conv3d_backprop_filter_v2")
def conv3d_backprop_filter(
    input: Any,
    filter_sizes: Any,
    out_backprop: Any,
    strides: Any,
    padding: Any,
    data_format: str = "NDHWC",
    dilations: Any = (1, 1, 1, 1, 1),
    name: str | None = None,
) -> Tensor:
    """The gradient of `conv3d` with respect to its filter of shape `filter_sizes`."""
    attributes = geometry_attributes(data_format, strides, padding, dilations)
    return Conv3DBackpropFilterV2(input, filter_sizes, out_backprop, **attributes, name=name)


@public("nn.conv3d_transpose")
def conv3d_transpose(
    value: Any,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: str = "SAME",
    data_format: str | None = "NDHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transpose of `conv3d`; the arguments are those of `conv2d_transpose`."""
    value = renamed_argument("value", value, "input", input)
    taps = renamed_argument("filter", filter, "filters", filters)
    attributes = geometry_attributes(data_format or "NDHWC", strides, padding, dilations)
    with name_scope(name, "conv3d_transpose", [value, taps, output_shape]) as scope:
        return Conv3DBackpropInputV2(output_shape, taps, value, **attributes, name=scope)
