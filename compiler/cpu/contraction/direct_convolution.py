"""Convolutions tap by tap: depthwise ones, side by side for all channels, and those of types without a micro-kernel.

In: an element type and an epilogue. Out: the code of kernels with the arguments of `convolution_kernel`.
"""

from __future__ import annotations

import textwrap
from string import Template

from sessile.compiler.cpu.contraction.convolution_fields import geometry_text
from sessile.compiler.cpu.contraction.epilogue import NO_EPILOGUE, Epilogue
from sessile.compiler.cpu.contraction.scalar_types import scalar_type
from sessile.compiler.cpu.contraction.tiling import Tiling


def depthwise_code(tiling: Tiling, epilogue: Epilogue) -> str:
    """Source of the kernel for many groups of few channels; a part takes a share of the places of all images."""
    body = textwrap.indent("\n".join((*epilogue.lines, f"y[o] = {epilogue.result}")), " " * 16)
    finish = "" if epilogue == NO_EPILOGUE else _DEPTHWISE_FINISH
    return Template(_HEAD + _DEPTHWISE + finish).substitute(
        geometry=geometry_text(4),
        parameters=epilogue.parameters,
        add_products=f"add_products_{tiling.name}",
        epilogue=body,
    )


def loop_convolution_code(dtype: str, epilogue: Epilogue) -> str:
    """Source of the kernel that adds one product after another; a part takes a share of the places of all images."""
    scalar = scalar_type(dtype)
    return Template(_HEAD + _LOOP).substitute(
        geometry=geometry_text(4),
        parameters=epilogue.parameters,
        zero=scalar.zero,
        sum=scalar.sum,
        left=scalar.load.format("x[x_tap + c * x_channel]"),
        right=scalar.load.format("w[w_tap + c * w_input]"),
        epilogue=textwrap.indent("".join(f"{line}\n" for line in epilogue.lines), " " * 16),
        store=scalar.store.format(epilogue.result),
    )


_HEAD = """\
# y[image, place, output channel] = epilogue(sum over taps and input channels of x[...] * w[tap, input, output channel])
# A part takes a share of the places of all images.
def kernel(
    x, w, y,
    $geometry,
    workspace, workspace_stride, ${parameters}part, parts
):
    plane = output_size1 * output_size2
    places = output_size0 * plane
    bound0 = (input_size0 - 1) * input_dilation0 + 1
    bound1 = (input_size1 - 1) * input_dilation1 + 1
    bound2 = (input_size2 - 1) * input_dilation2 + 1
    for i in range(batch * places * part // parts, batch * places * (part + 1) // parts):
        place0 = i % places // plane
        place1 = i % plane // output_size2
        place2 = i % output_size2
        corner0 = place0 * stride0 - padding0
        corner1 = place1 * stride1 - padding1
        corner2 = place2 * stride2 - padding2
        x_start = i // places * x_batch
        y_start = i // places * y_batch + place0 * y_axis0 + place1 * y_axis1 + place2 * y_axis2
"""

_DEPTHWISE = """\
        # taps of axis 2 that lie within the input; all at once if it has no gaps
        low2 = max((max(-corner2, 0) + filter_dilation2 - 1) // filter_dilation2, 0)
        high2 = min((max(bound2 - corner2, 0) + filter_dilation2 - 1) // filter_dilation2, filter_size2)
        length2 = max(high2 - low2, 1) if input_dilation2 == 1 else 1
        for q in range(output_channels):
            y_row = y_start + q * y_channel
            w_row = w_start + q * w_output
            $add_products(y, y_row, y_group, x, 0, x_group, 0, 0, w, 0, w_group, 0, 0, 0, 0, groups, 0)
            for tap0 in range(filter_size0):
                row0 = corner0 + tap0 * filter_dilation0
                if row0 >= 0 and row0 < bound0 and row0 % input_dilation0 == 0:
                    for tap1 in range(filter_size1):
                        row1 = corner1 + tap1 * filter_dilation1
                        if row1 >= 0 and row1 < bound1 and row1 % input_dilation1 == 0:
                            x_row = x_start + row0 // input_dilation0 * x_axis0 + row1 // input_dilation1 * x_axis1
                            w_tap = w_row + tap0 * w_axis0 + tap1 * w_axis1
                            for tap2 in range(low2, high2, length2):
                                row2 = corner2 + tap2 * filter_dilation2
                                if row2 % input_dilation2 == 0:
                                    $add_products(
                                        y, y_row, y_group,
                                        x, x_row + row2 // input_dilation2 * x_axis2,
                                        x_group, filter_dilation2 * x_axis2, x_channel,
                                        w, w_tap + tap2 * w_axis2, w_group, w_axis2, w_input,
                                        length2, input_channels, groups, 1
                                    )
"""

_DEPTHWISE_FINISH = """\
            for g in range(groups):
                j = g * output_channels + q
                o = y_row + g * y_group
                acc = y[o]
${epilogue}
"""

_LOOP = """\
        for group in range(groups):
            for q in range(output_channels):
                acc = $zero
                for tap0 in range(filter_size0):
                    row0 = corner0 + tap0 * filter_dilation0
                    if row0 >= 0 and row0 < bound0 and row0 % input_dilation0 == 0:
                        for tap1 in range(filter_size1):
                            row1 = corner1 + tap1 * filter_dilation1
                            if row1 >= 0 and row1 < bound1 and row1 % input_dilation1 == 0:
                                for tap2 in range(filter_size2):
                                    row2 = corner2 + tap2 * filter_dilation2
                                    if row2 >= 0 and row2 < bound2 and row2 % input_dilation2 == 0:
                                        x_tap = (
                                            x_start + group * x_group + row0 // input_dilation0 * x_axis0
                                            + row1 // input_dilation1 * x_axis1 + row2 // input_dilation2 * x_axis2
                                        )
                                        w_tap = (
                                            w_start + group * w_group + q * w_output
                                            + tap0 * w_axis0 + tap1 * w_axis1 + tap2 * w_axis2
                                        )
                                        for c in range(input_channels):
                                            acc = $sum(acc + $left * $right)
                j = group * output_channels + q
                o = y_start + group * y_group + q * y_channel
${epilogue}                y[o] = $store
"""
