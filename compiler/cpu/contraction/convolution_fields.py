"""The integers that describe a convolution: arguments of its kernel, and fields of its plan.

Known to those who write kernels' sources and to those who write their intrinsics; needs neither Numba nor LLVM.
"""

from __future__ import annotations

from sessile.compiler.cpu.contraction.tiling import ELEMENT_BYTES

AXES = (0, 1, 2)
_OF_AN_AXIS = (
    "input_size", "filter_size", "output_size", "stride", "padding", "input_dilation", "filter_dilation",
)  # fmt: skip
_LINES = (
    ("batch", "groups", "input_channels", "output_channels"),
    *(tuple(f"{name}{axis}" for name in _OF_AN_AXIS) for axis in AXES),
    ("x_batch", "x_group", "x_channel", "x_axis0", "x_axis1", "x_axis2"),
    ("w_start", "w_group", "w_input", "w_output", "w_axis0", "w_axis1", "w_axis2"),
    ("y_batch", "y_group", "y_channel", "y_axis0", "y_axis1", "y_axis2"),
)
GEOMETRY = tuple(name for line in _LINES for name in line)
"""The integer arguments of a convolution kernel, in order; `convolution_kernel` says what they mean."""


def geometry_text(indent: int) -> str:
    """The integer arguments as they stand in the source of kernels, in lines that begin at some column."""
    return (",\n" + " " * indent).join(", ".join(line) for line in _LINES)


_DERIVED = (
    "phases",
    # Of a phase. taps, places: how many there are of it; origin: the coordinate of the first tap at the first place;
    # gap: distance of neighbouring input elements, in coordinates; bound: one more than the last element's coordinate.
    *(f"{name}{axis}" for axis in AXES for name in ("taps", "places", "origin", "gap", "bound", "w_step", "y_step")),
    "gapped", "x_base", "w_base", "y_base", "depth", "block_depth",
    # Filter rows that lie `w_row` apart, `w_run` in a row.
    "w_run", "w_row",
    # Input elements that lie side by side for a place: taps of axis 2 together with all channels, or channels alone.
    "x_run", "x_run_taps",
    # Result rows that lie `y_row` apart, `line` of them in a row. A tile never crosses the end of a line.
    "line", "line_tiles", "y_row", "first_tile", "last_tile", "first_column", "last_column",
    # For interleaved panels. Neighbouring rows of a line read input elements `x_row` apart; `rows_per_place` of them
    # belong to one place of axis 2.
    "batch_inner", "x_row", "rows_per_place",
    # Of a tile: its rows; the image and the place of the first one; for interleaved panels how many rows of that place
    # come before it, and how many places further the last one is.
    "rows", "image", "place0", "place1", "place2", "y_start", "row_skip", "last_place",
)  # fmt: skip
FIELDS = (*GEOMETRY, *_DERIVED)


def plan_elements(dtype: str) -> int:
    """Elements of workspace that a plan takes."""
    return (len(FIELDS) * 8 // ELEMENT_BYTES[dtype] + 15) // 16 * 16
