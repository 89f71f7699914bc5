"""Packing for convolutions: patches of the input that lie under the filter become left panels, the filter a block.

In: a planned phase and tile, a stretch of the contracted axis. Out: panels for the micro-kernel, as if the patches had
been written out as a matrix. Places outside the input and gaps of a dilated one are zeros.
"""

from __future__ import annotations

from llvmlite import ir

from sessile.compiler.cpu.contraction.convolution_fields import AXES
from sessile.compiler.cpu.contraction.convolution_plan import Plan, emit_plan_tile, filter_digits
from sessile.compiler.cpu.contraction.emission import Emitter, Int, Pointer, Variable
from sessile.compiler.cpu.contraction.microkernel import emit_multiply_panels
from sessile.compiler.cpu.contraction.packing import (
    emit_copy_elements,
    emit_copy_narrow_rows,
    emit_copy_rows,
    emit_pack_right,
)
from sessile.compiler.cpu.contraction.tiling import Tiling


def emit_pack_filter(caller: Emitter, tiling: Tiling, interleaved: bool, transposed: bool) -> ir.Function:
    """The function `(block, w, plan, first, depth, column, columns)`.

    Packs `depth` rows of the filter, as a matrix, from `first` on, and `columns` columns from `column` on.
    """

    def body(
        e: Emitter, block: Pointer, w: Pointer, place: Pointer, first: Int, depth: Int, column: Int, columns: Int
    ) -> None:  # fmt: skip
        plan = Plan(e, place)
        digits = filter_digits(plan, interleaved)
        run, row, output = plan["w_run"], plan["w_row"], plan["w_output"]
        start = w + plan["w_base"] + column * output
        panel = depth * tiling.columns
        written = e.variable(0)
        with e.repeat(lambda: written.get() < depth):
            done = written.get()
            position = first + done
            rows = e.minimum(run - position % run, depth - done)
            source = start
            for size, distance in reversed(digits[1:]):
                source = source + position % size * distance
                position = position // size
            source = source + position * digits[0][1]
            e.call(emit_pack_right(e, tiling, transposed), block, panel, done, source, row, output, rows, columns)
            written.set(done + rows)

    kind = ("transposed_" if transposed else "") + ("interleaved_filter" if interleaved else "filter")
    return caller.function(f"pack_{kind}_{tiling.name}", "ppqiiii", body, noalias=(0,))


def _element(e: Emitter, plan: Plan, axis: int, coordinate: Int) -> tuple[Int, Int]:
    """How far the input element at a coordinate is from the one at 0, and whether there is one."""
    index, gap = e.variable(coordinate), plan[f"gap{axis}"]
    with e.builder.if_then(plan["gapped"].equals(1).value):  # spares a division
        index.set(coordinate // gap)
    inside = (coordinate >= 0) & (coordinate < plan[f"bound{axis}"]) & (index.get() * gap).equals(coordinate)
    return index.get() * plan[f"x_axis{axis}"], inside


def _step(e: Emitter, digits: list[tuple[Variable, Int]]) -> None:
    """Advance a multiple index by one, last digit fastest; each digit comes with its size, the first one is open."""
    ((fastest, size), *slower) = reversed(digits)
    fastest.set(fastest.get() + 1)
    for digit, following_size in slower:
        carry = fastest.get() >= size
        digit.set(digit.get() + e.select(carry, 1, 0))
        fastest.set(e.select(carry, 0, fastest.get()))
        fastest, size = digit, following_size


def emit_pack_patches(caller: Emitter, tiling: Tiling) -> ir.Function:
    """The function `(panel, x, plan, first, depth)`: packs the patches of a tile one after another.

    Takes the elements from `first` on of each patch, in the order (tap0, tap1, tap2, channel). They come in runs that
    are adjacent in memory: the channels of one tap, or of all taps of axis 2.
    """

    def body(e: Emitter, panel: Pointer, x: Pointer, place: Pointer, first: Int, depth: Int) -> None:
        plan = Plan(e, place)
        run = plan["x_run"]
        run_count = e.select(plan["x_run_taps"].equals(1), plan["taps2"], 1)
        number = first // e.maximum(run, 1)
        image = e.variable(plan["image"])
        places = [e.variable(plan[f"place{axis}"]) for axis in AXES]
        rows = plan["rows"]
        with e.loop(0, e.select(rows > tiling.short_rows, tiling.rows, tiling.short_rows)) as row:
            corner = [places[axis].get() * plan[f"stride{axis}"] + plan[f"origin{axis}"] for axis in AXES]
            taps = [e.variable(0) for _ in range(3)]
            taps[2].set(number % run_count)
            taps[1].set(number // run_count % plan["taps1"])
            taps[0].set(number // run_count // plan["taps1"])
            start = x + plan["x_base"] + image.get() * plan["x_batch"]
            _pack_patch(e, plan, panel + row * tiling.row_stride, start, corner, taps, run_count, first, depth)
            with e.builder.if_then((row + 1 < rows).value):  # rows beyond the last are copies of it
                sizes = (e.integer(0), plan["places0"], plan["places1"], plan["places2"])
                _step(e, list(zip((image, *places), sizes, strict=True)))

    return caller.function(f"pack_patches_{tiling.name}", "ppqii", body, noalias=(0,))


def _pack_patch(
    e: Emitter, plan: Plan, target: Pointer, start: Pointer, corner: list[Int], taps: list[Variable], run_count: Int,
    first: Int, depth: Int,
) -> None:  # fmt: skip
    run, run_taps, channels, channel_step = (plan[n] for n in ("x_run", "x_run_taps", "input_channels", "x_channel"))
    written, skipped = e.variable(0), e.variable(first % e.maximum(run, 1))
    with e.repeat(lambda: written.get() < depth):
        done, skip = written.get(), skipped.get()
        length = e.minimum(run - skip, depth - done)
        coordinates = [corner[axis] + taps[axis].get() * plan[f"filter_dilation{axis}"] for axis in AXES]
        offsets, inside = zip(*(_element(e, plan, axis, coordinates[axis]) for axis in AXES), strict=True)
        # A run over all taps of axis 2 may begin before the input and end after it.
        single = run_taps.equals(1)
        low = e.select(single, 0, -coordinates[2] * channels)
        high = e.select(single, e.select(inside[2], run, 0), (plan["bound2"] - coordinates[2]) * channels)
        high = e.select(inside[0] & inside[1], high, 0)
        source = start + offsets[0] + offsets[1] + offsets[2] + skip * channel_step
        e.call(_emit_copy_window(e), target + done, source, channel_step, length, low - skip, high - skip)
        written.set(done + length)
        skipped.set(0)
        _step(e, list(zip(taps, (e.integer(0), plan["taps1"], run_count), strict=True)))


def _emit_copy_window(caller: Emitter) -> ir.Function:
    """The function `(target, source, step, count, low, high)`: target[i] = source[i * step] if low <= i < high, else 0.

    Elements outside the window are not read. May write up to one vector less one element past `count`.
    """

    def body(e: Emitter, target: Pointer, source: Pointer, step: Int, count: Int, low: Int, high: Int) -> None:
        with e.branch(step.equals(1)) as (adjacent, spread):
            with adjacent, e.branch((low <= 0) & (high >= count) & (count > 2 * e.lanes)) as (whole, part):
                with whole:
                    e.call(emit_copy_rows(e), target, 0, source, 0, 1, 0, count, count)
                with part, e.loop(0, count, e.lanes) as i:
                    before = e.builder.not_(e.lanes_below(low - i))
                    mask = e.builder.and_(before, e.lanes_below(e.minimum(high, count) - i))
                    e.store(e.load_masked(source + i, mask), target + i)
            with spread, e.loop(0, count) as i, e.branch((i >= low) & (i < high)) as (inside, outside):
                with inside:
                    (target + i).store((source + i * step).load())
                with outside:
                    (target + i).store(ir.Constant(e.element, 0.0))

    return caller.function(f"copy_window_{caller.dtype}_by_{caller.lanes}", "ppiiii", body, noalias=(0,))


def emit_pack_interleaved_patches(caller: Emitter, tiling: Tiling) -> ir.Function:
    """The function `(panel, x, plan, first, depth)`: packs the patches of a tile side by side.

    Takes the elements from `first` on of each patch, in the order (channel, tap0, tap1, tap2), one line of taps of
    axis 2 after another.
    """

    def body(e: Emitter, panel: Pointer, x: Pointer, place: Pointer, first: Int, depth: Int) -> None:
        plan = Plan(e, place)
        height = e.select(plan["rows"] > tiling.short_rows, tiling.rows, tiling.short_rows)
        pack_line = _emit_pack_line(e, tiling)
        corner = [plan[f"place{axis}"] * plan[f"stride{axis}"] + plan[f"origin{axis}"] for axis in AXES]
        start = x + plan["x_base"]
        start = start + e.select(plan["batch_inner"].equals(1), 0, plan["image"] * plan["x_batch"])
        low, high = _common_taps(e, plan, corner[2])
        written, tap2, taps2 = e.variable(0), e.variable(first % plan["taps2"]), plan["taps2"]
        line = first // taps2
        tap1 = e.variable(line % plan["taps1"])
        tap0 = e.variable(line // plan["taps1"] % plan["taps0"])
        channel = e.variable(line // plan["taps1"] // plan["taps0"])
        with e.repeat(lambda: written.get() < depth):
            done, begin = written.get(), tap2.get()
            count = e.minimum(taps2 - begin, depth - done)
            target = panel + done * height
            offset0, inside0 = _element(e, plan, 0, corner[0] + tap0.get() * plan["filter_dilation0"])
            offset1, inside1 = _element(e, plan, 1, corner[1] + tap1.get() * plan["filter_dilation1"])
            with e.branch(inside0 & inside1) as (inside, outside):
                with inside:
                    source = start + channel.get() * plan["x_channel"] + offset0 + offset1
                    e.call(pack_line, target, source, place, corner[2], begin, begin + count, low, high)
                with outside:
                    e.call(_emit_copy_window(e), target, start, 1, count * height, 0, 0)
            written.set(done + count)
            tap2.set(0)
            sizes = (e.integer(0), plan["taps0"], plan["taps1"])
            _step(e, list(zip((channel, tap0, tap1), sizes, strict=True)))

    return caller.function(f"pack_interleaved_patches_{tiling.name}", "ppqii", body, noalias=(0,))


def _common_taps(e: Emitter, plan: Plan, corner: Int) -> tuple[Int, Int]:
    """The taps of axis 2, from the first to before the second, that fall on elements for all rows of a tile.

    `corner`: the coordinate of the first tap at the tile's first place.
    """
    dilation, taps = plan["filter_dilation2"], plan["taps2"]
    last_corner = corner + plan["last_place"] * plan["stride2"]
    low = e.select(plan["gap2"].equals(1), e.ceiling(-corner, dilation), taps)
    return low, e.ceiling(plan["bound2"] - last_corner, dilation)


def _emit_pack_line(caller: Emitter, tiling: Tiling) -> ir.Function:
    """The function `(target, source, plan, corner, first, end, low, high)`.

    Packs the taps of axis 2 from `first` to before `end` for the rows of a tile. `source`: the element at coordinate 0
    of axis 2; `corner`: the coordinate of the first tap at the tile's first place. Taps from `low` to before `high`
    fall on elements for all rows and are copied at once, those before and after them one by one.
    """

    def body(
        e: Emitter, target: Pointer, source: Pointer, place: Pointer, corner: Int, first: Int, end: Int, low: Int,
        high: Int,
    ) -> None:  # fmt: skip
        plan = Plan(e, place)
        rows, dilation = plan["rows"], plan["filter_dilation2"]
        height = e.select(rows > tiling.short_rows, tiling.rows, tiling.short_rows)
        low = e.minimum(e.maximum(low, first), end)
        high = e.maximum(e.minimum(high, end), low)

        def one_by_one(start: Int, stop: Int) -> None:
            with e.loop(start, stop) as tap:
                e.call(_emit_pack_tap(e), target + (tap - first) * height, source, place, corner + tap * dilation)

        one_by_one(first, low)
        with e.builder.if_then((low < high).value):
            begin = target + (low - first) * height
            origin = source + (corner + low * dilation) * plan["x_axis2"] + plan["row_skip"]
            step = dilation * plan["x_axis2"]
            with e.branch(plan["x_row"].equals(1)) as (adjacent, spread):
                with adjacent:
                    copy = emit_copy_narrow_rows(e, -(-tiling.rows // e.lanes))
                    e.call(copy, begin, height, origin, step, high - low, high - low, rows)
                with spread:
                    arguments = (begin, height, origin, step, plan["x_row"], high - low, height, high - low, rows - 1)
                    e.call(emit_copy_elements(e), *arguments)
        one_by_one(high, end)

    return caller.function(f"pack_line_{tiling.name}", "ppqiiiii", body, noalias=(0,))


def _emit_pack_tap(caller: Emitter) -> ir.Function:
    """The function `(target, source, plan, coordinate)`: one tap of axis 2 for the rows of a tile.

    `coordinate`: that of the tap at the tile's first place.
    """

    def body(e: Emitter, target: Pointer, source: Pointer, place: Pointer, coordinate: Int) -> None:
        plan = Plan(e, place)
        rows, group, stride = plan["rows"], plan["rows_per_place"], plan["stride2"]
        skipped = plan["row_skip"]
        with e.branch(plan["gap2"].equals(1)) as (plain, gapped):
            with plain:
                # Rows whose place has a coordinate from 0 to the bound.
                low = e.ceiling(-coordinate, stride) * group - skipped
                high = e.ceiling(plan["bound2"] - coordinate, stride) * group - skipped
                begin = source + coordinate * plan["x_axis2"] + skipped
                e.call(_emit_copy_window(e), target, begin, plan["x_row"], rows, low, high)
            with gapped, e.loop(0, rows) as row:
                number = row + skipped
                offset, inside = _element(e, plan, 2, coordinate + number // group * stride)
                with e.branch(inside) as (element, gap):
                    with element:
                        (target + row).store((source + offset + number % group).load())
                    with gap:
                        (target + row).store(ir.Constant(e.element, 0.0))

    return caller.function(f"pack_tap_{caller.dtype}_by_{caller.lanes}", "ppqi", body, noalias=(0,))


def emit_convolve_tile(caller: Emitter, tiling: Tiling, interleaved: bool) -> ir.Function:
    """The function `(left, right, x, y, plan, tile, first, depth, column, columns)`.

    Packs the patches of a tile into `left` and multiplies them with the filter block in `right`; adds to what y holds
    unless `first`, the position in the contracted axis, is 0.
    """

    def body(
        e: Emitter, left: Pointer, right: Pointer, x: Pointer, y: Pointer, place: Pointer, tile: Int, first: Int,
        depth: Int, column: Int, columns: Int,
    ) -> None:  # fmt: skip
        plan = Plan(e, place)
        e.call(emit_plan_tile(e, tiling, interleaved), place, tile)
        pack = emit_pack_interleaved_patches(e, tiling) if interleaved else emit_pack_patches(e, tiling)
        with e.builder.if_then((depth > 0).value):
            e.call(pack, left, x, place, first, depth)
        width, rows = tiling.columns, plan["rows"]
        height = e.select(rows > tiling.short_rows, tiling.rows, tiling.short_rows)
        result = y + plan["y_start"] + column * plan["y_channel"]
        strides = (plan["y_row"], plan["y_channel"])
        multiply = emit_multiply_panels(e, tiling, interleaved)
        e.call(multiply, left, height, right, width, depth * width, result, *strides, depth, rows, columns, first)

    kind = "interleaved_tile" if interleaved else "tile"
    return caller.function(f"convolve_{kind}_{tiling.name}", "ppppqiiiii", body, noalias=(0, 3))
