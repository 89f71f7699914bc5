"""Kernels of convolutions with all that XLA's have: strides, padding, dilations of input and filter, groups.

In: an element type, a target, an epilogue. Out: a `ContractionKernel` for all sizes and strides, with one to three
spatial axes. A convolution is computed as the product of the matrix of patches, which is packed a panel at a time and
never written out, with the filter. Since axes are given by strides, the same kernels compute the gradients.
"""

from __future__ import annotations

import textwrap

from sessile.compiler.cpu.contraction.contraction_kernel import ContractionKernel
from sessile.compiler.cpu.contraction.convolution_plan import GEOMETRY, plan_elements
from sessile.compiler.cpu.contraction.epilogue import NO_EPILOGUE, Epilogue
from sessile.compiler.cpu.contraction.tiling import Tiling, tiling_for
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target


def convolution_kernel(
    dtype: str, target: Target, epilogue: Epilogue = NO_EPILOGUE, *, interleaved: bool = False, transpose_filter: bool = False
) -> ContractionKernel:
    """The kernel of a convolution."""
    tiling = tiling_for(dtype, target)
    code = _blocked_code(tiling, epilogue, interleaved, transpose_filter)
    element = f"*{dtype}"
    types = (element,) * 3 + ("i64",) * len(GEOMETRY) + (element, "i64", *epilogue.types)
    arguments = ("x", "w", "y", *GEOMETRY, "workspace", "workspace_stride", *epilogue.names)
    source = kernel_source(("convolution", dtype, *epilogue.words), code, types)
    return ContractionKernel(source, arguments, plan_elements(dtype) + tiling.workspace)


def _blocked_code(tiling: Tiling, epilogue: Epilogue, interleaved: bool, transpose_filter: bool) -> str:
    middle = "_interleaved" if interleaved else ""
    code = _BLOCKED
    if epilogue is not NO_EPILOGUE:
        body = "\n".join((*epilogue.lines, f"y[o] = {epilogue.result}"))
        code += _FINISH.replace("EPILOGUE", textwrap.indent(body, " " * 32))
    values = {
        "GEOMETRY": textwrap.fill(", ".join(GEOMETRY), 110, subsequent_indent="    "),
        "PARAMETERS": epilogue.parameters,
        "PLAN_PHASE": f"plan{middle}_phase_{tiling.name}",
        "PACK_FILTER": f"pack{'_transposed' if transpose_filter else ''}{middle}_filter_{tiling.name}",
        "CONVOLVE_TILE": f"convolve{middle}_tile_{tiling.name}",
        "TILE": tiling.name,
        "BLOCK_COLUMNS": str(tiling.block_columns),
        "PLAN": str(plan_elements(tiling.dtype)),
        "LEFT_PANEL": str(tiling.left_panel),
    }
    for name, value in values.items():
        code = code.replace(name, value)
    return code


_BLOCKED = """\
# y[image, place, output channel] = epilogue(sum over taps and input channels of x[...] * w[tap, input, output channel])
# A part takes a share of the tiles of places or of output channels; it packs a block of the filter and then, panel by
# panel, the patches of the input that lie under it.
def kernel(
    x, w, y, GEOMETRY,
    workspace, workspace_stride, PARAMETERSpart, parts
):
    plan = part * workspace_stride
    left = plan + PLAN
    right = left + LEFT_PANEL
    plan_convolution_TILE(
        workspace, plan, GEOMETRY
    )
    for group in range(groups):
        for phase in range(planned_phases_TILE(workspace, plan)):
            PLAN_PHASE(workspace, plan, group, phase, part, parts)
            k = planned_depth_TILE(workspace, plan)
            block_depth = planned_block_depth_TILE(workspace, plan)
            first_column = planned_first_column_TILE(workspace, plan)
            last_column = planned_last_column_TILE(workspace, plan)
            for column in range(first_column, last_column, BLOCK_COLUMNS):
                columns = min(BLOCK_COLUMNS, last_column - column)
                for p in range(0, max(k, 1), block_depth):
                    depth = min(block_depth, k - p)
                    PACK_FILTER(workspace, right, w, 0, workspace, plan, p, depth, column, columns)
                    first_tile = planned_first_tile_TILE(workspace, plan)
                    for tile in range(first_tile, planned_last_tile_TILE(workspace, plan)):
                        CONVOLVE_TILE(
                            workspace, left, workspace, right, x, 0, y, 0, workspace, plan, tile, p, depth, column, columns
                        )
"""

_FINISH = """\
                        if p + depth == k:
                            row = planned_y_start_TILE(workspace, plan) + column * y_channel
                            for r in range(planned_rows_TILE(workspace, plan)):
                                i = row // (groups * output_channels)
                                for q in range(columns):
                                    j = group * output_channels + column + q
                                    o = row + q * y_channel
                                    acc = y[o]
EPILOGUE
                                row += planned_y_row_TILE(workspace, plan)
"""
