"""Kernels of convolutions with all that XLA's have: strides, padding, dilations of input and filter, groups.

In: an element type, a target, an epilogue. Out: a `ContractionKernel` for all sizes and strides, with one to three
spatial axes. A convolution is computed as the product of the matrix of patches, which is packed a panel at a time and
never written out, with the filter. Since axes are given by strides, the same kernels compute the gradients.
"""

from __future__ import annotations

import textwrap
from string import Template

from sessile.compiler.cpu.contraction.contraction_kernel import ContractionKernel
from sessile.compiler.cpu.contraction.convolution_fields import GEOMETRY, geometry_text, plan_elements
from sessile.compiler.cpu.contraction.direct_convolution import depthwise_code, loop_convolution_code
from sessile.compiler.cpu.contraction.epilogue import NO_EPILOGUE, Epilogue
from sessile.compiler.cpu.contraction.tiling import Tiling, tiling_for
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target

METHODS = ("patches", "interleaved", "depthwise")


def convolution_kernel(
    dtype: str,
    target: Target,
    epilogue: Epilogue = NO_EPILOGUE,
    *,
    method: str = "patches",
    transpose_filter: bool = False,
) -> ContractionKernel:
    """The kernel of a convolution for one element type.

    Its arguments, in order:
      x, w, y: pointers to elements of input, filter, and output; the output overlaps nothing else.
      batch, groups: images; groups of channels.
      input_channels, output_channels: of one group.
      for axis = 0, 1, 2 (of fewer spatial axes the missing ones come first, all sizes 1, padding and strides 0):
        input_size, filter_size, output_size; stride: of the windows; padding: before the first element, may be
        negative; input_dilation, filter_dilation: distance of neighbouring elements and taps, 1 without gaps.
      x_batch, x_group, x_channel, x_axis0, x_axis1, x_axis2: distances of neighbours in the input.
      w_start, w_group, w_input, w_output, w_axis0, w_axis1, w_axis2: where the filter's first tap lies; distances of
        groups, input channels, output channels and taps. Those of taps are negative for a reversed filter.
      y_batch, y_group, y_channel, y_axis0, y_axis1, y_axis2: distances of neighbours in the output.
      workspace, workspace_stride: memory of the element type, elements for each part.
      the epilogue's arguments.

    An output element is the sum over taps t and input channels c of w[t, c, output channel] times the input element
    with the coordinate (place * stride + t * filter_dilation - padding) / input_dilation on each axis. Where there is
    none, outside or between elements, a zero takes its place; infinite filter elements may or may not make a NaN of
    it. `Convolution.geometry` makes the integers from shapes.

    Gradients are convolutions too: with respect to the input, of the output's gradient with the reversed filter, its
    channel axes exchanged and the strides as input dilation; with respect to the filter, of the input with the
    output's gradient, batch and channels exchanged in both and the strides as filter dilation.

    Args:
      dtype: the element type of input, filter and output.
      target: the machine; it decides the tile.
      epilogue: work on each element before it is stored; `i` is the row image * places + place, for an output whose
        channels are adjacent; for others use `o`.
      method: `patches` suits input channels that are adjacent and not few; `interleaved` few of them or others, with
        images adjacent or not; `depthwise` many groups of one output channel. Each computes all convolutions.
        `Convolution.method` chooses. Only f32 and f64 know methods, the other element types use plain loops.
      transpose_filter: expect adjacent input channels in the filter, w_input = 1, instead of output channels.

    Raises ValueError for a method that does not exist.
    """
    if method not in METHODS:
        raise ValueError(f"{method!r} is no method of convolution, those are {', '.join(METHODS)}")
    workspace = 0
    if dtype not in ("f32", "f64"):
        code = loop_convolution_code(dtype, epilogue)
    elif method == "depthwise":
        code = depthwise_code(tiling_for(dtype, target), epilogue)
    else:
        tiling = tiling_for(dtype, target)
        code = _blocked_code(tiling, epilogue, method == "interleaved", transpose_filter)
        workspace = plan_elements(dtype) + tiling.workspace
    element = f"*{dtype}"
    types = (element,) * 3 + ("i64",) * len(GEOMETRY) + (element, "i64", *epilogue.types)
    arguments = ("x", "w", "y", *GEOMETRY, "workspace", "workspace_stride", *epilogue.names)
    source = kernel_source(("convolution", dtype, *epilogue.words), code, types)
    return ContractionKernel(source, arguments, workspace)


def _blocked_code(tiling: Tiling, epilogue: Epilogue, interleaved: bool, transpose_filter: bool) -> str:
    middle = "_interleaved" if interleaved else ""
    body = textwrap.indent("\n".join((*epilogue.lines, f"y[o] = {epilogue.result}")), " " * 36)
    return Template(_BLOCKED if epilogue == NO_EPILOGUE else _BLOCKED + _FINISH).substitute(
        geometry=geometry_text(4),
        plan_arguments=geometry_text(8),
        parameters=epilogue.parameters,
        plan_phase=f"plan{middle}_phase_{tiling.name}",
        pack_filter=f"pack{'_transposed' if transpose_filter else ''}{middle}_filter_{tiling.name}",
        convolve_tile=f"convolve{middle}_tile_{tiling.name}",
        tile=tiling.name,
        block_columns=tiling.block_columns,
        plan_size=plan_elements(tiling.dtype),
        left_panel=tiling.left_panel,
        epilogue=body,
    )


_BLOCKED = """\
# y[image, place, output channel] = epilogue(sum over taps and input channels of x[...] * w[tap, input, output channel])
# A part takes a share of the tiles of places or of output channels; it packs a block of the filter and then, panel by
# panel, the patches of the input that lie under it.
def kernel(
    x, w, y,
    $geometry,
    workspace, workspace_stride, ${parameters}part, parts
):
    plan = part * workspace_stride
    left = plan + $plan_size
    right = left + $left_panel
    plan_convolution_$tile(
        workspace, plan,
        $plan_arguments
    )
    for group in range(groups):
        for phase in range(planned_phases_$tile(workspace, plan)):
            $plan_phase(workspace, plan, group, phase, part, parts)
            k = planned_depth_$tile(workspace, plan)
            block_depth = planned_block_depth_$tile(workspace, plan)
            first_column = planned_first_column_$tile(workspace, plan)
            last_column = planned_last_column_$tile(workspace, plan)
            for column in range(first_column, last_column, $block_columns):
                columns = min($block_columns, last_column - column)
                for p in range(0, max(k, 1), block_depth):
                    depth = min(block_depth, k - p)
                    $pack_filter(workspace, right, w, 0, workspace, plan, p, depth, column, columns)
                    first_tile = planned_first_tile_$tile(workspace, plan)
                    for tile in range(first_tile, planned_last_tile_$tile(workspace, plan)):
                        $convolve_tile(
                            workspace, left, workspace, right, x, 0, y, 0, workspace, plan, tile, p, depth,
                            column, columns
                        )
"""

_FINISH = """\
                        if p + depth == k:
                            row = planned_y_start_$tile(workspace, plan) + column * y_channel
                            for r in range(planned_rows_$tile(workspace, plan)):
                                i = row // (groups * output_channels)
                                for q in range(columns):
                                    j = group * output_channels + column + q
                                    o = row + q * y_channel
                                    acc = y[o]
$epilogue
                                row += planned_y_row_$tile(workspace, plan)
"""
