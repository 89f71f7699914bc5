"""The plan of a convolution: its geometry and what follows from it, as integers in the workspace.

In: sizes, strides, paddings and dilations, the arguments of the kernel. Out: for each group and phase, how the
convolution is a matrix product: its rows are places of the result, its columns output channels, and the contracted axis
runs over the taps of the filter and the input channels. The functions that pack and multiply read the plan.

Phases: where the input is dilated, with gaps between its elements, and neither stride nor filter dilation are at
work, places that lie `input_dilation` apart see the same taps fall on elements, and all other taps on gaps. Each such
phase is a convolution of its own without gaps. Other dilated inputs are read element by element, with zeros for gaps.
"""

from __future__ import annotations

from llvmlite import ir

from sessile.compiler.cpu.contraction.convolution_fields import AXES, FIELDS, GEOMETRY
from sessile.compiler.cpu.contraction.emission import Emitter, Int, Pointer, Variable
from sessile.compiler.cpu.contraction.tiling import Tiling


class Plan:
    """Access to the fields of a plan by name."""

    def __init__(self, e: Emitter, place: Pointer) -> None:
        self._builder = e.builder
        self._place = place

    def _field(self, name: str) -> Variable:
        return Variable(self._builder, (self._place + FIELDS.index(name)).value)

    def __getitem__(self, name: str) -> Int:
        return self._field(name).get()

    def __setitem__(self, name: str, value: Int | int) -> None:
        self._field(name).set(value)


def emit_plan_convolution(caller: Emitter) -> ir.Function:
    """The function `(plan, *GEOMETRY)`: begins a plan."""

    def body(e: Emitter, place: Pointer, *geometry: Int) -> None:
        plan = Plan(e, place)
        for name, value in zip(GEOMETRY, geometry, strict=True):
            plan[name] = value
        plan["phases"] = _phases(e, plan, 0) * _phases(e, plan, 1) * _phases(e, plan, 2)

    return caller.function("plan_convolution", "q" + "i" * len(GEOMETRY), body, noalias=(0,))


def _phases(e: Emitter, plan: Plan, axis: int) -> Int:
    plain = plan[f"stride{axis}"].equals(1) & plan[f"filter_dilation{axis}"].equals(1)
    return e.select(plain, plan[f"input_dilation{axis}"], 1)


def emit_plan_phase(caller: Emitter, tiling: Tiling, interleaved: bool) -> ir.Function:
    """The function `(plan, group, phase, part, parts)`: plans a group and phase, and the share of a part in it."""

    def body(e: Emitter, place: Pointer, group: Int, phase: Int, part: Int, parts: Int) -> None:
        plan = Plan(e, place)
        for name in "xwy":
            plan[f"{name}_base"] = group * plan[f"{name}_group"]
        plan["w_base"] = plan["w_base"] + plan["w_start"]
        for axis in reversed(AXES):
            phases = _phases(e, plan, axis)
            _plan_axis(e, plan, axis, phase % phases, phases)
            phase = phase // phases
        plan["gapped"] = e.select(plan["gap0"] * plan["gap1"] * plan["gap2"] > 1, 1, 0)
        if interleaved:
            _plan_interleaved_lines(e, plan)
        else:
            _plan_lines(e, plan)
        _plan_depth(e, plan, tiling, interleaved)
        _plan_share(e, plan, tiling, part, parts)

    kind = "interleaved_phase" if interleaved else "phase"
    return caller.function(f"plan_{kind}_{tiling.name}", "qiiii", body, noalias=(0,))


def _plan_axis(e: Emitter, plan: Plan, axis: int, phase: Int, phases: Int) -> None:
    padding = plan[f"padding{axis}"]
    # The first tap that falls on an element is (padding - phase) modulo the number of phases.
    remainder = (padding - phase) % phases
    first_tap = e.select(remainder < 0, remainder + phases, remainder)
    gap = plan[f"input_dilation{axis}"] // phases
    size = plan[f"input_size{axis}"]
    plan[f"gap{axis}"] = gap
    plan[f"taps{axis}"] = e.ceiling(plan[f"filter_size{axis}"] - first_tap, phases)
    plan[f"places{axis}"] = e.ceiling(plan[f"output_size{axis}"] - phase, phases)
    plan[f"origin{axis}"] = (phase + first_tap - padding) // phases
    plan[f"bound{axis}"] = e.select(size > 0, (size - 1) * gap + 1, 0)
    plan[f"w_step{axis}"] = plan[f"w_axis{axis}"] * phases
    plan[f"y_step{axis}"] = plan[f"y_axis{axis}"] * phases
    plan["w_base"] = plan["w_base"] + first_tap * plan[f"w_axis{axis}"]
    plan["y_base"] = plan["y_base"] + phase * plan[f"y_axis{axis}"]


def _merged(e: Emitter, digits: list[tuple[Int, Int]]) -> tuple[Int, Int]:
    """How many positions of a multiple index, last digit fastest, have a constant distance, and that distance.

    `digits`: the size of each digit and the distance of its neighbours in memory.
    """
    *slower, (count, step) = digits
    together = None
    for size, distance in reversed(slower):
        continues = distance.equals(count * step)
        together = continues if together is None else together & continues
        count = e.select(together, count * size, count)
    return count, step


def _plan_lines(e: Emitter, plan: Plan) -> None:
    """Rows in the order (image, place0, place1, place2)."""
    digits = [(plan["batch"], plan["y_batch"]), *((plan[f"places{axis}"], plan[f"y_step{axis}"]) for axis in AXES)]
    plan["line"], plan["y_row"] = _merged(e, digits)
    plan["batch_inner"] = 0
    channels = plan["input_channels"]
    side_by_side = plan["gap2"].equals(1) & plan["x_channel"].equals(1)
    side_by_side = side_by_side & (plan["filter_dilation2"] * plan["x_axis2"]).equals(channels)
    taps = e.select(side_by_side, plan["taps2"], 1)
    plan["x_run_taps"] = taps
    plan["x_run"] = taps * channels


def _plan_interleaved_lines(e: Emitter, plan: Plan) -> None:
    """Rows in the order (place0, place1, place2, image) where images lie side by side, else (image, places).

    A line is a row of places, with the images of each, or the images of one place.
    """
    batch, places = plan["batch"], plan["places2"]
    inner = plan["x_batch"].equals(1) & (batch > 1)
    side_by_side = plan["gap2"].equals(1) & plan["stride2"].equals(1) & plan["x_axis2"].equals(batch)
    side_by_side = side_by_side & plan["y_step2"].equals(batch * plan["y_batch"])
    plan["batch_inner"] = e.select(inner, 1, 0)
    plan["line"] = e.select(inner, e.select(side_by_side, places * batch, batch), places)
    plan["y_row"] = e.select(inner, plan["y_batch"], plan["y_step2"])
    plan["x_row"] = e.select(inner, plan["x_batch"], plan["stride2"] * plan["x_axis2"])
    plan["rows_per_place"] = e.select(inner, batch, 1)


def _plan_depth(e: Emitter, plan: Plan, tiling: Tiling, interleaved: bool) -> None:
    """The contracted axis: (tap0, tap1, tap2, channel), or for interleaved panels (channel, tap0, tap1, tap2)."""
    digits = filter_digits(plan, interleaved)
    depth = plan["input_channels"] * plan["taps0"] * plan["taps1"] * plan["taps2"]
    blocks = e.maximum(e.ceiling(depth, tiling.depth), 1)
    plan["depth"] = depth
    plan["block_depth"] = e.maximum(e.ceiling(depth, blocks), 1)
    plan["w_run"], plan["w_row"] = _merged(e, digits)


def filter_digits(plan: Plan, interleaved: bool) -> list[tuple[Int, Int]]:
    """Size and distance in the filter of each digit of the contracted axis."""
    taps = [(plan[f"taps{axis}"], plan[f"w_step{axis}"]) for axis in AXES]
    channels = (plan["input_channels"], plan["w_input"])
    return [channels, *taps] if interleaved else [*taps, channels]


def _plan_share(e: Emitter, plan: Plan, tiling: Tiling, part: Int, parts: Int) -> None:
    """A share of the tiles of rows or, if there are more of them, of the tiles of columns."""
    line = e.maximum(plan["line"], 1)
    line_tiles = e.ceiling(line, tiling.rows)
    rows = plan["batch"] * plan["places0"] * plan["places1"] * plan["places2"]
    tiles = rows // line * line_tiles
    columns = plan["output_channels"]
    column_tiles = e.ceiling(columns, tiling.columns)
    by_rows = tiles >= column_tiles
    units = e.select(by_rows, tiles, column_tiles)
    first, last = units * part // parts, units * (part + 1) // parts
    plan["line_tiles"] = line_tiles
    plan["first_tile"] = e.select(by_rows, first, 0)
    plan["last_tile"] = e.select(by_rows, last, tiles)
    plan["first_column"] = e.select(by_rows, 0, first * tiling.columns)
    plan["last_column"] = e.select(by_rows, columns, e.minimum(last * tiling.columns, columns))


def emit_plan_tile(caller: Emitter, tiling: Tiling, interleaved: bool) -> ir.Function:
    """The function `(plan, tile)`: where a tile's rows begin, as places and in the result."""

    def body(e: Emitter, place: Pointer, tile: Int) -> None:
        plan = Plan(e, place)
        line = plan["line"]
        line_row = tile % plan["line_tiles"] * tiling.rows
        inner = plan["batch_inner"].equals(1)
        row = tile // plan["line_tiles"] * line + line_row
        # With images side by side, the row is (places, image), else (image, places).
        all_places = plan["places0"] * plan["places1"] * plan["places2"]
        position = e.select(inner, row // plan["batch"], row % all_places)
        image = e.select(inner, row % plan["batch"], row // all_places)
        rows = e.minimum(line - line_row, tiling.rows)
        plan["rows"] = rows
        plan["image"] = image
        plan["place2"] = position % plan["places2"]
        plan["place1"] = position // plan["places2"] % plan["places1"]
        plan["place0"] = position // plan["places2"] // plan["places1"]
        start = plan["y_base"] + image * plan["y_batch"]
        for axis in AXES:
            start = start + plan[f"place{axis}"] * plan[f"y_step{axis}"]
        plan["y_start"] = start
        if interleaved:
            group = plan["rows_per_place"]
            plan["row_skip"] = line_row % group
            plan["last_place"] = (line_row % group + rows - 1) // group

    kind = "interleaved_tile" if interleaved else "tile"
    return caller.function(f"plan_{kind}_{tiling.name}", "qi", body, noalias=(0,))
