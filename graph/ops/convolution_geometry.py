"""One convolution: the roles of its axes, its static shape, and its three directions as the primitive `convolve`.

The gradients of a convolution are convolutions again, with axes in other roles: that of the images spreads the
gradient by the strides and slides the filter backwards over it; that of the filter slides the gradient over the
images, the batch taking the part of the channels. Channels in groups ("depthwise" is one channel for each) are moved
so that they stay apart.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sessile.graph.op_definition import Attribute
from sessile.graph.ops.window_geometry import (
    Padding,
    axes_of,
    explicit,
    spatial,
    window_padding,
    windowed_shape,
)
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


def shared_attributes(formats: str, with_explicit_padding: bool = False) -> dict[str, Any]:
    """The attributes of convolutions of images in one of two formats, such as "NHWC NCHW"."""
    first, second = formats.split()
    paddings = {b"SAME", b"VALID"} | ({b"EXPLICIT"} if with_explicit_padding else set())
    table: dict[str, Any] = {
        "strides": Attribute("list(int)"),
        "padding": Attribute("string", allowed=frozenset(paddings)),
        "data_format": Attribute("string", default=first, allowed=frozenset({first.encode(), second.encode()})),
        "dilations": Attribute("list(int)", default=[1] * len(first)),
    }
    return {**table, "explicit_paddings": Attribute("list(int)", default=[])} if with_explicit_padding else table


class ConvolutionGeometry:
    """The roles of the axes of images (by `data_format`) and filters (spatial ..., input channels, output channels)."""

    def __init__(self, attributes: Mapping[str, Any]) -> None:
        self.data_format = attributes["data_format"].decode()
        self.batch, self.channel, self.axes = axes_of(attributes["data_format"])
        self.all_strides, self.all_dilations = attributes["strides"], attributes["dilations"]
        self.strides, self.dilations = spatial(self.all_strides, self.axes), spatial(self.all_dilations, self.axes)
        self.padding = attributes["padding"]
        self.explicit = explicit(self.padding, attributes.get("explicit_paddings", ()), self.axes)
        self.taps = tuple(range(len(self.axes)))
        self.inputs, self.outputs = len(self.axes), len(self.axes) + 1

    # --- static shapes

    def output_shape(self, images: Tensor, filter_sizes: Sequence[int | None]) -> TensorShape:
        """The shape of convolved images. Raises ValueError where images, filter and strides do not fit."""
        self._check()
        shape = TensorShape(of_rank(images, len(self.data_format)))
        depth, per_group = shape.as_list()[self.channel], filter_sizes[self.inputs]
        if depth is not None and per_group is not None and (per_group == 0 or depth % per_group):
            raise ValueError(f"Depth of input ({depth}) is not a multiple of input depth of filter ({per_group})")
        window = [filter_sizes[tap] for tap in self.taps]
        sizes = windowed_shape(shape, self.axes, window, self.strides, self.dilations, self.padding, self.explicit)
        sizes[self.channel] = filter_sizes[self.outputs]
        return TensorShape(sizes)

    def _check(self) -> None:
        rank = len(self.data_format)
        for name, values in (("strides", self.all_strides), ("dilations", self.all_dilations)):
            if len(values) != rank:
                raise ValueError(f"requires the {name} attribute to contain {rank} values, but got: {len(values)}")
            if min(values) < 1:
                raise ValueError(f"{name} must be positive, got {values}")
            if values[self.batch] != 1 or values[self.channel] != 1:
                raise ValueError(f"{name} in the batch and depth dimensions must be 1, got {values}")

    # --- programs

    def convolve(self, b: Any, images: Any, filter: Any) -> Any:
        """The images convolved with the filter."""
        filter = _with_numbers(b, filter, range(filter.type.rank))
        images = _with_numbers(b, images, (self.channel, *self.axes))
        window = [filter.type.shape[tap] for tap in self.taps]
        groups = self._groups(b, images.type.shape[self.channel], filter.type.shape)
        return b.emit(
            "convolve",
            images,
            filter,
            layout=(self._image, (self.inputs, self.outputs, *self.taps), self._image),
            strides=self.strides,
            padding=self._pads(images.type.shape, window),
            input_dilation=(1,) * len(window),
            filter_dilation=self.dilations,
            reverse=False,
            groups=groups,
        )

    def to_images(self, b: Any, sizes: Sequence[Any], filter: Any, grad: Any) -> Any:
        """What a gradient of the result gives for images of `sizes`."""
        filter = _with_numbers(b, filter, range(filter.type.rank))
        grad = _with_numbers(b, grad, (self.channel, *self.axes))
        numbers = [size if axis == self.batch else b.number(size) for axis, size in enumerate(sizes)]
        window = [filter.type.shape[tap] for tap in self.taps]
        groups = self._groups(b, numbers[self.channel], filter.type.shape)
        inputs, outputs = self.outputs, self.inputs
        if groups > 1:
            filter, inputs, outputs = self._transposed(b, filter, groups), self.inputs, self.outputs
        result = b.emit(
            "convolve",
            grad,
            filter,
            layout=(self._image, (inputs, outputs, *self.taps), self._image),
            strides=(1,) * len(window),
            padding=self._pads_to_images(numbers, window, grad.type.shape),
            input_dilation=self.strides,
            filter_dilation=self.dilations,
            reverse=True,
            groups=groups,
        )
        return b.exactly(result, sizes)

    def to_filter(self, b: Any, images: Any, sizes: Sequence[int], grad: Any) -> Any:
        """What a gradient of the result gives for a filter of `sizes`."""
        images = _with_numbers(b, images, (self.channel, *self.axes))
        grad = _with_numbers(b, grad, (self.channel, *self.axes))
        batch = images.type.shape[self.batch]
        grad = b.exactly(grad, [batch if axis == self.batch else n for axis, n in enumerate(grad.type.shape)])
        window = [sizes[tap] for tap in self.taps]
        groups = self._groups(b, images.type.shape[self.channel], sizes)
        padding = self._pads_to_filter(images.type.shape, window, grad.type.shape)
        if groups > 1:
            images = self._groups_to_batch(b, images, groups)
        result = b.emit(
            "convolve",
            images,
            grad,
            layout=((self.channel, self.batch, *self.axes), self._image, (self.inputs, self.outputs, *self.taps)),
            strides=self.dilations,
            padding=padding,
            input_dilation=(1,) * len(window),
            filter_dilation=self.strides,
            reverse=False,
            groups=groups,
        )
        return b.exactly(result, sizes)

    @property
    def _image(self) -> tuple[int, ...]:
        """The axes of images: batch, channel, spatial ones."""
        return (self.batch, self.channel, *self.axes)

    def _groups(self, b: Any, channels: int, filter_sizes: Sequence[Any]) -> int:
        per_group = filter_sizes[self.inputs]
        b.require(
            per_group > 0 and channels % per_group == 0,
            f"input depth must be evenly divisible by filter depth: {channels} vs {per_group}",
        )
        return max(channels // per_group, 1)

    def _pads(self, image: Sequence[Any], window: Sequence[int]) -> Padding:
        """The padding of the spatial axes of images of known size."""
        if self.explicit is not None:
            return self.explicit
        return tuple(
            window_padding(image[axis], k, s, d, self.padding)
            for axis, k, s, d in zip(self.axes, window, self.strides, self.dilations, strict=True)
        )

    def _pads_to_images(self, image: Sequence[int], window: Sequence[int], grad: Sequence[int]) -> Padding:
        """The padding that makes windows over the spread gradient as many as the images have elements."""
        pads = []
        low_pads = [low for low, _ in self._pads(image, window)]
        for axis, k, s, d, low in zip(self.axes, window, self.strides, self.dilations, low_pads, strict=True):
            reach, spread = (k - 1) * d, (grad[axis] - 1) * s + 1
            pads.append((reach - low, image[axis] - spread + low))
        return tuple(pads)

    def _pads_to_filter(self, image: Sequence[int], window: Sequence[int], grad: Sequence[int]) -> Padding:
        """The padding that makes places of the spread gradient over the images as many as the filter has taps."""
        pads = []
        low_pads = [low for low, _ in self._pads(image, window)]
        for axis, k, s, d, low in zip(self.axes, window, self.strides, self.dilations, low_pads, strict=True):
            reach, spread = (k - 1) * d, (grad[axis] - 1) * s + 1
            pads.append((low, reach + spread - image[axis] - low))
        return tuple(pads)

    def _transposed(self, b: Any, filter: Any, groups: int) -> Any:
        """The filter with the channels of each group in exchanged roles: [..., outputs of a group, all inputs]."""
        *taps, inputs, outputs = filter.type.shape
        count = len(taps)
        split = b.reshape(filter, [*taps, inputs, groups, outputs // groups])
        swapped = b.transpose(split, [*range(count), count + 2, count + 1, count])
        return b.reshape(swapped, [*taps, outputs // groups, groups * inputs])

    def _groups_to_batch(self, b: Any, images: Any, groups: int) -> Any:
        """Images whose channels are those of one group, and whose batch holds the groups one after the other."""
        shape = list(images.type.shape)
        per_group = shape[self.channel] // groups
        split = b.reshape(images, [*shape[: self.channel], groups, per_group, *shape[self.channel + 1 :]])
        order = [axis for axis in range(len(shape) + 1) if axis != self.channel]
        moved = b.transpose(split, [self.channel, *order])
        shape[self.channel], shape[self.batch] = per_group, groups * shape[self.batch]
        return b.reshape(moved, shape)


def _with_numbers(b: Any, x: Any, axes: Sequence[int]) -> Any:
    """`x` with the sizes of some axes as plain numbers."""
    return b.retype(x, [b.number(size) if axis in axes else size for axis, size in enumerate(x.type.shape)])
