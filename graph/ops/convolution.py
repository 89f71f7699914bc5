"""Convolutions and their gradients: all are one primitive, with axes in other roles."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.convert import convert_to_tensor
from sessile.graph.errors import UnimplementedError
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops.window_geometry import (
    Padding,
    as_strides,
    axes_of,
    explicit,
    spatial,
    window_padding,
    windowed_shape,
)
from sessile.graph.public_names import PUBLIC, public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

FLOATS = frozenset({dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64})


def _attributes(rank: int, formats: tuple[bytes, ...], with_explicit: bool = True) -> dict[str, Any]:
    paddings = {b"SAME", b"VALID", b"EXPLICIT"} if with_explicit else {b"SAME", b"VALID"}
    table: dict[str, Any] = {
        "T": FLOATS,
        "strides": Attribute("list(int)"),
        "padding": Attribute("string", allowed=frozenset(paddings)),
        "data_format": Attribute("string", default=formats[0].decode(), allowed=frozenset(formats)),
        "dilations": Attribute("list(int)", default=[1] * rank),
    }
    if with_explicit:
        table["use_cudnn_on_gpu"] = True
        table["explicit_paddings"] = Attribute("list(int)", default=[])
    return table


_PLANE = _attributes(4, (b"NHWC", b"NCHW"))
_VOLUME = _attributes(5, (b"NDHWC", b"NCDHW"), with_explicit=False)


class _Geometry:
    """The roles of the axes of one convolution, and its padding for given sizes."""

    def __init__(
        self, data_format: bytes, strides: Sequence[int], dilations: Sequence[int], padding: bytes, explicit_paddings: Sequence[int]
    ) -> None:
        self.batch, self.channel, self.axes = axes_of(data_format)
        self.strides = spatial(strides, self.axes)
        self.dilations = spatial(dilations, self.axes)
        self.padding = padding
        self.explicit = explicit(padding, explicit_paddings, self.axes)
        count = len(self.axes)
        self.taps = tuple(range(count))
        self.inputs, self.outputs = count, count + 1

    @property
    def image(self) -> tuple[int, ...]:
        """(batch, channel, spatial ...) of images."""
        return (self.batch, self.channel, *self.axes)

    def pads(self, b: Any, image: Any, window: Sequence[int]) -> Padding:
        """The padding of the spatial axes of an image."""
        if self.explicit is not None:
            return self.explicit
        sizes = [b.number(image[axis]) for axis in self.axes]
        return tuple(
            window_padding(n, k, s, d, self.padding)
            for n, k, s, d in zip(sizes, window, self.strides, self.dilations, strict=True)
        )


def _numbers(b: Any, x: Any, axes: Sequence[int]) -> list[int]:
    return [b.number(x.type.shape[axis]) for axis in axes]


def _with_numbers(b: Any, x: Any, axes: Sequence[int]) -> Any:
    """`x` with the sizes of some axes as plain numbers."""
    shape = [b.number(size) if axis in axes else size for axis, size in enumerate(x.type.shape)]
    return b.retype(x, shape)


class Convolution(OpDefinition):
    """Base of convolutions of images with filters (spatial ..., input channels, output channels)."""

    inputs = {"input": "T", "filter": "T"}
    outputs = {"output": "T"}
    input_gradient: Any = None
    filter_gradient: Any = None

    def infer_convolution(
        self,
        input: Tensor,
        filter: Tensor,
        data_format: bytes,
        strides: Sequence[int],
        dilations: Sequence[int],
        padding: bytes,
        explicit_paddings: Sequence[int] = (),
    ) -> TensorShape:
        rank = len(data_format)
        shape, taps = input.shape.with_rank(rank), filter.shape.with_rank(rank)
        batch, channel, axes = axes_of(data_format)
        if strides[batch] != 1 or strides[channel] != 1:
            raise ValueError("Current implementation does not yet support strides in the batch and depth dimensions.")
        depth, per_group = shape[channel].value, taps[rank - 2].value
        if depth is not None and per_group is not None and (per_group == 0 or depth % per_group):
            raise ValueError(f"Depth of input ({depth}) is not a multiple of input depth of filter ({per_group})")
        window = [size.value for size in taps][: rank - 2]
        sizes = windowed_shape(
            shape,
            axes,
            window,
            spatial(strides, axes),
            spatial(dilations, axes),
            padding,
            explicit(padding, explicit_paddings, axes),
        )
        sizes[channel] = taps[rank - 1].value
        return TensorShape(sizes)

    def lower_convolution(self, b: Any, input: Any, filter: Any, geometry: _Geometry) -> Any:
        input = _with_numbers(b, input, geometry.axes)
        filter = _with_numbers(b, filter, (*geometry.taps, geometry.inputs))
        window = _numbers(b, filter, geometry.taps)
        channels = b.number(input.type.shape[geometry.channel])
        return b.emit(
            "convolve",
            b.retype(input, [channels if a == geometry.channel else s for a, s in enumerate(input.type.shape)]),
            filter,
            layout=(geometry.image, (geometry.inputs, geometry.outputs, *geometry.taps), geometry.image),
            strides=geometry.strides,
            padding=geometry.pads(b, input.type.shape, window),
            input_dilation=(1,) * len(window),
            filter_dilation=geometry.dilations,
            reverse=False,
            groups=channels // b.number(filter.type.shape[geometry.inputs]),
        )

    def convolution_gradients(self, op: Any, grad: Tensor) -> list[Any]:
        input, filter = op.inputs
        shared = {name: op._attributes[name] for name in self.attribute_table if name != "T"}
        shapes = PUBLIC["shape_n"]([input, filter])
        return [
            self.input_gradient(shapes[0], filter, grad, **shared),
            self.filter_gradient(input, shapes[1], grad, **shared),
        ]


def input_gradient(b: Any, sizes: Sequence[Any], filter: Any, grad: Any, geometry: _Geometry) -> Any:
    """What flows back into the images: the gradient, spread by the strides, convolved with the reversed filter."""
    filter = _with_numbers(b, filter, range(filter.type.rank))
    grad = _with_numbers(b, grad, (geometry.channel, *geometry.axes))
    window = _numbers(b, filter, geometry.taps)
    counts = _numbers(b, grad, geometry.axes)
    pads = geometry.pads(b, sizes, window)
    channels = b.number(sizes[geometry.channel])
    groups = channels // filter.type.shape[geometry.inputs]
    if groups != 1:
        raise UnimplementedError(None, None, "the gradient of a convolution with grouped channels")
    padding = []
    for n, k, s, d, o, (low, _) in zip(
        [b.number(sizes[a]) for a in geometry.axes], window, geometry.strides, geometry.dilations, counts, pads, strict=True
    ):
        before = (k - 1) * d - low
        padding.append((before, n + (k - 1) * d - (o - 1) * s - 1 - before))
    return b.emit(
        "convolve",
        grad,
        filter,
        layout=(geometry.image, (geometry.outputs, geometry.inputs, *geometry.taps), geometry.image),
        strides=(1,) * len(window),
        padding=tuple(padding),
        input_dilation=geometry.strides,
        filter_dilation=geometry.dilations,
        reverse=True,
        groups=1,
    )


def filter_gradient(b: Any, input: Any, window: Sequence[int], depth: int, grad: Any, geometry: _Geometry) -> Any:
    """What flows back into the filter: images convolved with the gradient, the batch taking the part of the channels."""
    input = _with_numbers(b, input, (geometry.channel, *geometry.axes))
    grad = _with_numbers(b, grad, (geometry.channel, *geometry.axes))
    grad = b.retype(grad, [input.type.shape[a] if a == geometry.batch else s for a, s in enumerate(grad.type.shape)])
    if input.type.shape[geometry.channel] != depth:
        raise UnimplementedError(None, None, "the gradient of a convolution with grouped channels")
    sizes, counts = _numbers(b, input, geometry.axes), _numbers(b, grad, geometry.axes)
    pads = geometry.pads(b, input.type.shape, window)
    padding = tuple(
        (low, (k - 1) * d + (o - 1) * s + 1 - n - low)
        for n, k, s, d, o, (low, _) in zip(sizes, window, geometry.strides, geometry.dilations, counts, pads, strict=True)
    )
    swapped = (geometry.channel, geometry.batch, *geometry.axes)
    return b.emit(
        "convolve",
        input,
        grad,
        layout=(swapped, geometry.image, (geometry.inputs, geometry.outputs, *geometry.taps)),
        strides=geometry.dilations,
        padding=padding,
        input_dilation=(1,) * len(sizes),
        filter_dilation=geometry.strides,
        reverse=False,
        groups=1,
    )


@operation("Conv2D")
class Conv2D(Convolution):
    """Convolution of images over two axes."""

    attributes = _PLANE

    def infer(
        self,
        input: Tensor,
        filter: Tensor,
        *,
        data_format: bytes,
        strides: Any,
        dilations: Any,
        padding: bytes,
        explicit_paddings: Any,
    ) -> TensorShape:
        return self.infer_convolution(input, filter, data_format, strides, dilations, padding, explicit_paddings)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return self.convolution_gradients(op, grad)

    def lower(
        self,
        b: Any,
        input: Any,
        filter: Any,
        *,
        data_format: bytes,
        strides: Any,
        dilations: Any,
        padding: bytes,
        explicit_paddings: Any,
    ) -> Any:
        geometry = _Geometry(data_format, strides, dilations, padding, explicit_paddings)
        return self.lower_convolution(b, input, filter, geometry)


@operation("Conv2DBackpropInput")
class Conv2DBackpropInput(OpDefinition):
    """The gradient of Conv2D with respect to its images; also the transposed convolution."""

    inputs = {"input_sizes": dtypes.int32, "filter": "T", "out_backprop": "T"}
    attributes = _PLANE
    outputs = {"output": "T"}

    def infer(self, input_sizes: Tensor, filter: Tensor, out_backprop: Tensor) -> TensorShape:
        return constant_value_as_shape(input_sizes).merge_with(TensorShape([None] * 4))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        _, filter, out_backprop = op.inputs
        shared = {name: op._attributes[name] for name in self.attribute_table if name != "T"}
        return [
            None,
            Conv2DBackpropFilter(grad, PUBLIC["shape"](filter), out_backprop, **shared),
            Conv2D(grad, filter, **shared),
        ]

    def lower(
        self,
        b: Any,
        input_sizes: Any,
        filter: Any,
        out_backprop: Any,
        *,
        data_format: bytes,
        strides: Any,
        dilations: Any,
        padding: bytes,
        explicit_paddings: Any,
    ) -> Any:
        geometry = _Geometry(data_format, strides, dilations, padding, explicit_paddings)
        sizes = b.sizes_of(input_sizes)
        result = input_gradient(b, sizes, filter, out_backprop, geometry)
        return b.exactly(result, sizes)


@operation("Conv2DBackpropFilter")
class Conv2DBackpropFilter(OpDefinition):
    """The gradient of Conv2D with respect to its filter."""

    inputs = {"input": "T", "filter_sizes": dtypes.int32, "out_backprop": "T"}
    attributes = _PLANE
    outputs = {"output": "T"}

    def infer(self, input: Tensor, filter_sizes: Tensor, out_backprop: Tensor) -> TensorShape:
        return constant_value_as_shape(filter_sizes).merge_with(TensorShape([None] * 4))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        input, _, out_backprop = op.inputs
        shared = {name: op._attributes[name] for name in self.attribute_table if name != "T"}
        return [
            Conv2DBackpropInput(PUBLIC["shape"](input), grad, out_backprop, **shared),
            None,
            Conv2D(input, grad, **shared),
        ]

    def lower(
        self,
        b: Any,
        input: Any,
        filter_sizes: Any,
        out_backprop: Any,
        *,
        data_format: bytes,
        strides: Any,
        dilations: Any,
        padding: bytes,
        explicit_paddings: Any,
    ) -> Any:
        geometry = _Geometry(data_format, strides, dilations, padding, explicit_paddings)
        sizes = [b.number(size) for size in b.sizes_of(filter_sizes)]
        window = [sizes[k] for k in geometry.taps]
        return filter_gradient(b, input, window, sizes[geometry.inputs], out_backprop, geometry)


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
    """Convolution of images over two axes (without turning the filter over, as is the habit for neural networks).

    Args:
        input: images, [batch, height, width, channels] (or by `data_format`), floating.
        filter: [height, width, input channels, output channels]; `filters` is its newer name.
        strides: one number, two, or four.
        padding: "SAME", "VALID", or a list of four pairs.
        data_format: "NHWC" or "NCHW".
        dilations: the distance between the filter's taps, like `strides`.

    Raises ValueError for shapes, strides or padding that do not fit.
    """
    taps = filter if filters is None else filters
    data_format = data_format or "NHWC"
    mode, explicit_paddings = _padding_attribute(padding, data_format)
    return Conv2D(
        input,
        taps,
        strides=as_strides(strides, 4, data_format, "strides"),
        padding=mode,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit_paddings,
        data_format=data_format,
        dilations=as_strides(dilations, 4, data_format, "dilations"),
        name=name,
    )


def _padding_attribute(padding: Any, data_format: str) -> tuple[Any, list[int]]:
    if not isinstance(padding, (list, tuple)):
        return padding, []
    if len(padding) != len(data_format) or any(len(pair) != 2 for pair in padding):
        raise ValueError(f"padding must be a list of {len(data_format)} pairs, got {padding}")
    return "EXPLICIT", [int(size) for pair in padding for size in pair]


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
    """The gradient of `conv2d` with respect to its input of shape `input_sizes`."""
    mode, explicit_paddings = _padding_attribute(padding, data_format)
    return Conv2DBackpropInput(
        input_sizes,
        filter if filters is None else filters,
        out_backprop,
        strides=as_strides(strides, 4, data_format, "strides"),
        padding=mode,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit_paddings,
        data_format=data_format,
        dilations=list(dilations),
        name=name,
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
    """The gradient of `conv2d` with respect to its filter of shape `filter_sizes`."""
    mode, explicit_paddings = _padding_attribute(padding, data_format)
    return Conv2DBackpropFilter(
        input,
        filter_sizes,
        out_backprop,
        strides=as_strides(strides, 4, data_format, "strides"),
        padding=mode,
        use_cudnn_on_gpu=use_cudnn_on_gpu,
        explicit_paddings=explicit_paddings,
        data_format=data_format,
        dilations=list(dilations),
        name=name,
    )


@public("nn.conv2d_transpose")
def conv2d_transpose(
    value: Any = None,
    filter: Any = None,
    output_shape: Any = None,
    strides: Any = None,
    padding: str = "SAME",
    data_format: str = "NHWC",
    name: str | None = None,
    input: Any = None,
    filters: Any = None,
    dilations: Any = None,
) -> Tensor:
    """The transpose of `conv2d`: what its gradient does to images.

    Args:
        value: [batch, height, width, channels]; `input` is its newer name.
        filter: [height, width, output channels, input channels].
        output_shape: the shape of the result.
    """
    value = value if input is None else input
    filter = filter if filters is None else filters
    with name_scope(name, "conv2d_transpose", [value, filter, output_shape]) as scope:
        return conv2d_backprop_input(
            convert_to_tensor(output_shape, name="output_shape"),
            convert_to_tensor(filter, name="filter"),
            convert_to_tensor(value, name="value"),
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilations=as_strides(dilations, 4, data_format, "dilations"),
            name=scope,
        )


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
    """Convolution of sequences [batch, length, channels] with filters [width, input channels, output channels]."""
    value = value if input is None else input
    with name_scope(name, "conv1d", [value, filters]):
        value, filters = convert_to_tensor(value), convert_to_tensor(filters)
        channels_last = data_format in (None, "NHWC", "NWC")
        axis, plane = (1, "NHWC") if channels_last else (2, "NCHW")
        steps = as_strides(stride, 3, "NWC" if channels_last else "NCW", "stride")
        gaps = as_strides(dilations, 3, "NWC" if channels_last else "NCW", "dilations")
        expand = PUBLIC["expand_dims"]
        result = Conv2D(
            expand(value, axis),
            expand(filters, 0),
            strides=[*steps[:1], 1, *steps[1:]] if channels_last else [*steps[:2], 1, *steps[2:]],
            padding=padding,
            data_format=plane,
            dilations=[*gaps[:1], 1, *gaps[1:]] if channels_last else [*gaps[:2], 1, *gaps[2:]],
        )
        return PUBLIC["squeeze"](result, [axis])
