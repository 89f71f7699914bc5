"""Sums of elementwise products of rows: what a depthwise convolution is made of, channel by channel side by side.

In: rows of the input and of the filter that lie a constant distance apart. Out: a row of sums, held in registers
while all products are added.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from sessile.compiler.cpu.contraction.emission import Emitter, Int, Pointer

_VECTORS_AT_ONCE = 4


def emit_add_products(caller: Emitter) -> ir.Function:
    """The function `(y, y_step, x, x_step, x_tap, x_channel, w, w_step, w_tap, w_channel, taps, channels, count,
    accumulate)`.

    y[g * y_step] = (the same, if accumulate) + sum over channels c and taps t of
    x[g * x_step + t * x_tap + c * x_channel] * w[g * w_step + t * w_tap + c * w_channel], for g < count.
    """

    def body(
        e: Emitter, y: Pointer, y_step: Int, x: Pointer, x_step: Int, x_tap: Int, x_channel: Int, w: Pointer,
        w_step: Int, w_tap: Int, w_channel: Int, taps: Int, channels: Int, count: Int, accumulate: Int,
    ) -> None:  # fmt: skip
        steps = _Steps(x_tap, x_channel, w_tap, w_channel, taps, channels)
        with e.branch(y_step.equals(1) & x_step.equals(1) & w_step.equals(1)) as (adjacent, spread):
            with adjacent:
                stretch = _VECTORS_AT_ONCE * e.lanes
                whole = count & -stretch
                with e.loop(0, whole, stretch) as g:
                    _add_vectors(e, y + g, x + g, w + g, steps, accumulate, [None] * _VECTORS_AT_ONCE)
                with e.loop(whole, count, e.lanes) as g:
                    _add_vectors(e, y + g, x + g, w + g, steps, accumulate, [e.lanes_below(count - g)])
            with spread, e.loop(0, count) as g:
                _add_elements(e, y + g * y_step, x + g * x_step, w + g * w_step, steps, accumulate)

    name = f"add_products_{caller.dtype}_by_{caller.lanes}"
    return caller.function(name, "pipiiipiiiiiii", body, noalias=(0,))


class _Steps:
    """Which products are added: `taps` times `channels` of them, at constant distances in x and in w."""

    def __init__(self, x_tap: Int, x_channel: Int, w_tap: Int, w_channel: Int, taps: Int, channels: Int) -> None:
        self.x_tap, self.x_channel, self.w_tap, self.w_channel = x_tap, x_channel, w_tap, w_channel
        self.taps, self.channels = taps, channels


def _add_vectors(
    e: Emitter, y: Pointer, x: Pointer, w: Pointer, steps: _Steps, accumulate: Int, masks: list[Any]
) -> None:
    """Some vectors of sums; a mask is None for a whole vector."""

    def load(pointer: Pointer, mask: Any) -> Any:
        return e.load(pointer) if mask is None else e.load_masked(pointer, mask)

    sums = [e.array(e.lanes) for _ in masks]
    places = [y + v * e.lanes for v in range(len(masks))]
    fresh = accumulate.equals(0).value
    for total, place, mask in zip(sums, places, masks, strict=True):
        e.store(e.builder.select(fresh, e.zero(), load(place, mask)), total)
    with e.loop(0, steps.channels) as c, e.loop(0, steps.taps) as t:
        left = x + c * steps.x_channel + t * steps.x_tap
        right = w + c * steps.w_channel + t * steps.w_tap
        for v, (total, mask) in enumerate(zip(sums, masks, strict=True)):
            offset = v * e.lanes
            e.store(e.multiply_add(load(left + offset, mask), load(right + offset, mask), e.load(total)), total)
    for total, place, mask in zip(sums, places, masks, strict=True):
        if mask is None:
            e.store(e.load(total), place)
        else:
            e.store_masked(e.load(total), place, mask)


def _add_elements(e: Emitter, y: Pointer, x: Pointer, w: Pointer, steps: _Steps, accumulate: Int) -> None:
    total = e.array(1)
    total.store(e.builder.select(accumulate.equals(0).value, ir.Constant(e.element, 0.0), y.load()))
    with e.loop(0, steps.channels) as c, e.loop(0, steps.taps) as t:
        left = x + c * steps.x_channel + t * steps.x_tap
        right = w + c * steps.w_channel + t * steps.w_tap
        total.store(e.builder.fadd(total.load(), e.builder.fmul(left.load(), right.load())))
    y.store(total.load())
