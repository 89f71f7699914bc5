"""Convolutions of images and volumes, depthwise ones too, and their gradients.

What users call stands in `convolution_functions` and `separable_convolution`.
"""

from __future__ import annotations

from typing import Any

from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.dtypes import FLOATING, INDEX, int32
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import shapes
from sessile.graph.ops.convolution_geometry import ConvolutionGeometry, shared_attributes
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_PLANE = {"T": FLOATING, **shared_attributes("NHWC NCHW", with_explicit_padding=True), "use_cudnn_on_gpu": True}
_VOLUME = {"T": FLOATING, **shared_attributes("NDHWC NCDHW")}
_DEPTHWISE = {"T": FLOATING, **shared_attributes("NHWC NCHW")}


class Convolution(OpDefinition):
    """Base of convolutions of images with filters (spatial ..., input channels, output channels)."""

    inputs = {"input": "T", "filter": "T"}
    outputs = {"output": "T"}
    to_images: Any = None
    to_filter: Any = None

    def infer(self, input: Tensor, filter: Tensor, **attributes: Any) -> TensorShape:
        geometry = ConvolutionGeometry(attributes)
        return geometry.output_shape(input, of_rank(filter, len(geometry.data_format)))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        input, filter = op.inputs
        shared = shared_of(op)
        to_images = type(self).to_images(shapes.shape(input), filter, grad, **shared)
        return [to_images, type(self).to_filter(input, shapes.shape(filter), grad, **shared)]

    def lower(self, b: Any, input: Any, filter: Any, **attributes: Any) -> Any:
        return ConvolutionGeometry(attributes).convolve(b, input, filter)


class ConvolutionToImages(OpDefinition):
    """Base of gradients of convolutions with respect to the images; also called transposed convolutions."""

    inputs = {"input_sizes": int32, "filter": "T", "out_backprop": "T"}
    outputs = {"output": "T"}
    convolution: Any = None

    def infer(self, input_sizes: Tensor, filter: Tensor, out_backprop: Tensor, **attributes: Any) -> TensorShape:
        return TensorShape(of_rank(constant_value_as_shape(input_sizes), len(attributes["data_format"])))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        _, filter, out_backprop = op.inputs
        definition, shared = type(self).convolution, shared_of(op)
        to_filter = definition.to_filter(grad, shapes.shape(filter), out_backprop, **shared)
        return [None, to_filter, definition(grad, filter, **shared)]

    def lower(self, b: Any, input_sizes: Any, filter: Any, out_backprop: Any, **attributes: Any) -> Any:
        return ConvolutionGeometry(attributes).to_images(b, b.sizes_of(input_sizes), filter, out_backprop)


class ConvolutionToFilter(OpDefinition):
    """Base of gradients of convolutions with respect to the filter."""

    inputs = {"input": "T", "filter_sizes": int32, "out_backprop": "T"}
    outputs = {"output": "T"}
    convolution: Any = None

    def infer(self, input: Tensor, filter_sizes: Tensor, out_backprop: Tensor, **attributes: Any) -> TensorShape:
        return TensorShape(of_rank(constant_value_as_shape(filter_sizes), len(attributes["data_format"])))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        input, _, out_backprop = op.inputs
        definition, shared = type(self).convolution, shared_of(op)
        to_images = definition.to_images(shapes.shape(input), grad, out_backprop, **shared)
        return [to_images, None, definition(input, grad, **shared)]

    def lower(self, b: Any, input: Any, filter_sizes: Any, out_backprop: Any, **attributes: Any) -> Any:
        sizes = [b.number(size) for size in b.sizes_of(filter_sizes)]
        return ConvolutionGeometry(attributes).to_filter(b, input, sizes, out_backprop)


def shared_of(op: Any) -> dict[str, Any]:
    """The attributes that a convolution and its gradients have in common."""
    names = ("strides", "padding", "data_format", "dilations", "explicit_paddings", "use_cudnn_on_gpu")
    return {name: op.attributes[name] for name in names if name in op.attributes}


@operation("Conv2D")
class Conv2D(Convolution):
    """Convolution of images over two axes."""

    attributes = _PLANE

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        input, filter = op.inputs
        input_sizes, filter_sizes = shapes.shape_n([input, filter])
        to_images = Conv2DBackpropInput(input_sizes, filter, grad, **shared_of(op))
        return [to_images, Conv2DBackpropFilter(input, filter_sizes, grad, **shared_of(op))]


@operation("Conv2DBackpropInput")
class Conv2DBackpropInput(ConvolutionToImages):
    """The gradient of Conv2D with respect to its images."""

    attributes = _PLANE


@operation("Conv2DBackpropFilter")
class Conv2DBackpropFilter(ConvolutionToFilter):
    """The gradient of Conv2D with respect to its filter."""

    attributes = _PLANE


@operation("Conv3D")
class Conv3D(Convolution):
    """Convolution of volumes over three axes."""

    attributes = _VOLUME


@operation("Conv3DBackpropInputV2")
class Conv3DBackpropInputV2(ConvolutionToImages):
    """The gradient of Conv3D with respect to its volumes."""

    inputs = {"input_sizes": "Tshape", "filter": "T", "out_backprop": "T"}
    attributes = {**_VOLUME, "Tshape": Attribute("type", default=int32, allowed=INDEX)}


@operation("Conv3DBackpropFilterV2")
class Conv3DBackpropFilterV2(ConvolutionToFilter):
    """The gradient of Conv3D with respect to its filter."""

    attributes = _VOLUME


def _as_grouped(sizes: Any) -> list[Any]:
    """The sizes of the filter [height, width, channels, multiplier] as one for groups of a single channel."""
    *taps, channels, multiplier = sizes
    outputs = None if channels is None or multiplier is None else channels * multiplier
    return [*taps, 1, outputs]


@operation("DepthwiseConv2dNative")
class DepthwiseConv2dNative(Convolution):
    """Convolution of each channel on its own with `multiplier` filters."""

    attributes = _DEPTHWISE

    def infer(self, input: Tensor, filter: Tensor, **attributes: Any) -> TensorShape:
        geometry = ConvolutionGeometry(attributes)
        sizes = of_rank(filter, 4)
        depth = of_rank(input, 4)[geometry.channel]
        if depth is not None and sizes[2] is not None and depth != sizes[2]:
            raise ValueError(f"Dimensions must be equal, but are {depth} and {sizes[2]}")
        return geometry.output_shape(
            input, _as_grouped([*sizes[:2], depth if sizes[2] is None else sizes[2], sizes[3]])
        )

    def lower(self, b: Any, input: Any, filter: Any, **attributes: Any) -> Any:
        geometry = ConvolutionGeometry(attributes)
        channels = input.type.shape[geometry.channel]
        filter = b.exactly(filter, [*filter.type.shape[:2], channels, filter.type.shape[3]])
        return geometry.convolve(b, input, b.reshape(filter, _as_grouped(filter.type.shape)))


@operation("DepthwiseConv2dNativeBackpropInput")
class DepthwiseConv2dNativeBackpropInput(ConvolutionToImages):
    """The gradient of DepthwiseConv2dNative with respect to its images."""

    attributes = _DEPTHWISE

    def lower(self, b: Any, input_sizes: Any, filter: Any, out_backprop: Any, **attributes: Any) -> Any:
        grouped = b.reshape(filter, _as_grouped(filter.type.shape))
        return super().lower(b, input_sizes, grouped, out_backprop, **attributes)


@operation("DepthwiseConv2dNativeBackpropFilter")
class DepthwiseConv2dNativeBackpropFilter(ConvolutionToFilter):
    """The gradient of DepthwiseConv2dNative with respect to its filter."""

    attributes = _DEPTHWISE

    def lower(self, b: Any, input: Any, filter_sizes: Any, out_backprop: Any, **attributes: Any) -> Any:
        sizes = [b.number(size) for size in b.sizes_of(filter_sizes)]
        grad = ConvolutionGeometry(attributes).to_filter(b, input, _as_grouped(sizes), out_backprop)
        return b.reshape(grad, sizes)


for _convolution, _to_images, _to_filter in (
    (Conv2D, Conv2DBackpropInput, Conv2DBackpropFilter),
    (Conv3D, Conv3DBackpropInputV2, Conv3DBackpropFilterV2),
    (DepthwiseConv2dNative, DepthwiseConv2dNativeBackpropInput, DepthwiseConv2dNativeBackpropFilter),
):
    _convolution.to_images, _convolution.to_filter = _to_images, _to_filter
    _to_images.convolution = _to_filter.convolution = _convolution
