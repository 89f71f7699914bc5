"""The integer arguments of a convolution kernel, from shapes and axis orders as the primitive `convolve` has them.

In: shapes and attributes of one convolution; sizes may be unknown. Out: the kernel's arguments `GEOMETRY`, as sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessile.compiler.cpu.contraction.convolution_fields import AXES, GEOMETRY
from sessile.ir.sizes import Size, floor_divide, product

Axes = tuple[int, ...]


@dataclass(frozen=True)
class Convolution:
    """One convolution; the attributes are those of the primitive `convolve`.

    Attributes:
      input, filter, output: shapes of dense row-major arrays.
      layout: for each of them the order of its axes: (batch, channel, spatial ...), (input channel, output channel,
        spatial ...), (batch, channel, spatial ...).
      strides, input_dilation, filter_dilation: one number for each spatial axis, at least 1.
      padding: (low, high) for each spatial axis; may be negative.
      reverse: whether the filter is turned over in space.
      groups: into how many groups the channels are split.
    """

    input: Sequence[Size]
    filter: Sequence[Size]
    output: Sequence[Size]
    layout: tuple[Axes, Axes, Axes]
    strides: Axes
    padding: tuple[tuple[int, int], ...]
    input_dilation: Axes
    filter_dilation: Axes
    reverse: bool = False
    groups: int = 1

    @property
    def geometry(self) -> tuple[Size, ...]:
        """The arguments `GEOMETRY` in their order. Missing spatial axes have size 1 and come first."""
        x, w, y = self.layout
        x_steps, w_steps, y_steps = (_dense_steps(shape) for shape in (self.input, self.filter, self.output))
        input_channels = self.filter[w[0]]
        output_channels = floor_divide(self.filter[w[1]], self.groups)
        values: dict[str, Size] = {
            "batch": self.input[x[0]], "groups": self.groups,
            "input_channels": input_channels, "output_channels": output_channels,
            "x_batch": x_steps[x[0]], "x_channel": x_steps[x[1]], "x_group": input_channels * x_steps[x[1]],
            "w_input": w_steps[w[0]], "w_output": w_steps[w[1]], "w_group": output_channels * w_steps[w[1]],
            "y_batch": y_steps[y[0]], "y_channel": y_steps[y[1]], "y_group": output_channels * y_steps[y[1]],
            "w_start": 0,
        }  # fmt: skip
        missing = len(AXES) - len(self.strides)
        for axis in AXES:
            if axis < missing:
                values.update(_no_axis(axis))
                continue
            k = axis - missing
            size, step = self.filter[w[2 + k]], w_steps[w[2 + k]]
            if self.reverse:
                values["w_start"] = values["w_start"] + (size - 1) * step
            values.update(
                {
                    f"input_size{axis}": self.input[x[2 + k]],
                    f"filter_size{axis}": size,
                    f"output_size{axis}": self.output[y[2 + k]],
                    f"stride{axis}": self.strides[k],
                    f"padding{axis}": self.padding[k][0],
                    f"input_dilation{axis}": self.input_dilation[k],
                    f"filter_dilation{axis}": self.filter_dilation[k],
                    f"x_axis{axis}": x_steps[x[2 + k]],
                    f"w_axis{axis}": -step if self.reverse else step,
                    f"y_axis{axis}": y_steps[y[2 + k]],
                }
            )
        return tuple(values[name] for name in GEOMETRY)

    @property
    def flops(self) -> Size:
        """Additions and multiplications, for deciding how many threads share the work; products with padding count."""
        return (
            2 * product(self.output) * product(self.filter[axis] for axis in (self.layout[1][0], *self.layout[1][2:]))
        )

    @property
    def method(self) -> str:
        """The kind of kernel that suits the shapes; see `convolution_kernel`."""
        x, w, _ = self.layout
        channels = self.filter[w[0]]
        if self.groups > 1 and floor_divide(self.filter[w[1]], self.groups) == 1:
            return "depthwise"
        few_channels = isinstance(channels, int) and channels < 8
        return "interleaved" if few_channels or x[1] != len(self.input) - 1 else "patches"

    @property
    def transpose_filter(self) -> bool:
        """Whether the filter's input channels, not its output channels, are adjacent."""
        return self.layout[1][0] == len(self.filter) - 1


def _no_axis(axis: int) -> dict[str, Size]:
    ones = ("input_size", "filter_size", "output_size", "stride", "input_dilation", "filter_dilation")
    zeros = ("padding", "x_axis", "w_axis", "y_axis")
    return {**{f"{name}{axis}": 1 for name in ones}, **{f"{name}{axis}": 0 for name in zeros}}


def _dense_steps(shape: Sequence[Size]) -> list[Size]:
    """How far neighbours along each axis are apart in a dense row-major array."""
    return [product(shape[axis + 1 :]) for axis in range(len(shape))]
