"""Sums of products: `contract` (matrix products of all kinds) and `convolve`."""

from __future__ import annotations

import numpy as np

from sessile.ir.primitive import Primitive, primitive, require
from sessile.ir.primitives.movement import check_axes
from sessile.ir.primitives.windows import padded, sliding_windows, window_count
from sessile.ir.sizes import Size
from sessile.ir.types import NUMBERS, TensorType

Axes = tuple[int, ...]


@primitive("contract")
class Contract(Primitive):
    """Sums products over the axes `contracting` (one tuple for each operand), side by side over the axes `batch`.

    Half floats are added in single precision.

    The result's axes: those of `batch`, then what is left of `a`, then what is left of `b`.
    """

    def infer(
        self, a: TensorType, b: TensorType, *, contracting: tuple[Axes, Axes], batch: tuple[Axes, Axes]
    ) -> TensorType:
        require(a.dtype == b.dtype and a.dtype in NUMBERS, f"no products of {a} and {b}")
        check_axes(a, (*contracting[0], *batch[0]))
        check_axes(b, (*contracting[1], *batch[1]))
        for (left, right), what in ((contracting, "contracted"), (batch, "batch")):
            require(len(left) == len(right), f"{what} axes {left} and {right}")
            for i, j in zip(left, right, strict=True):
                require(a.shape[i] == b.shape[j], f"{what} sizes differ, {a.shape[i]} and {b.shape[j]}")
        shape = [a.shape[axis] for axis in batch[0]]
        shape += a.without((*contracting[0], *batch[0])).shape
        shape += b.without((*contracting[1], *batch[1])).shape
        return a.with_shape(shape)

    def reference(
        self, a: np.ndarray, b: np.ndarray, *, contracting: tuple[Axes, Axes], batch: tuple[Axes, Axes]
    ) -> np.ndarray:
        left, kept_left = _as_matrices(a, batch[0], contracting[0], contract_last=True)
        right, kept_right = _as_matrices(b, batch[1], contracting[1], contract_last=False)
        wide = np.float32 if a.dtype == np.float16 else a.dtype
        with np.errstate(all="ignore"):
            product = np.matmul(left.astype(wide), right.astype(wide)).astype(a.dtype)
        return product.reshape([a.shape[axis] for axis in batch[0]] + kept_left + kept_right)


def _as_matrices(x: np.ndarray, batch: Axes, contracting: Axes, contract_last: bool) -> tuple[np.ndarray, list[int]]:
    """`x` as a stack of matrices: batch axes first, contracted ones merged last or second; and the sizes kept."""
    kept = [axis for axis in range(x.ndim) if axis not in batch and axis not in contracting]
    order = [*batch, *kept, *contracting] if contract_last else [*batch, *contracting, *kept]
    sizes = [x.shape[axis] for axis in kept]
    rows, depth = int(np.prod(sizes)), int(np.prod([x.shape[axis] for axis in contracting]))
    shape = [x.shape[axis] for axis in batch] + ([rows, depth] if contract_last else [depth, rows])
    return np.transpose(x, order).reshape(shape), sizes


@primitive("convolve")
class Convolve(Primitive):
    """Slides a filter over the spatial axes of an input.

    `layout` holds for input, filter and output the axis order: (batch, channel, spatial ...), (input channel, output
    channel, spatial ...), (batch, channel, spatial ...). `padding` is (low, high) for each spatial axis and may be
    negative. `input_dilation` puts gaps between input elements, `filter_dilation` between filter taps. `reverse` turns
    the filter over in space. `groups` splits the channels; the filter then holds input channels / groups.
    """

    def infer(
        self,
        x: TensorType,
        w: TensorType,
        *,
        layout: tuple[Axes, Axes, Axes],
        strides: Axes,
        padding: tuple[tuple[int, int], ...],
        input_dilation: Axes,
        filter_dilation: Axes,
        reverse: bool,
        groups: int,
    ) -> TensorType:
        require(x.dtype == w.dtype and x.dtype in NUMBERS, f"no products of {x} and {w}")
        source, kernel, result = layout
        require(x.rank == w.rank == len(source) == len(kernel) == len(result), f"ranks of {x} and {w}")
        channels, per_group = x.shape[source[1]], w.shape[kernel[0]]
        require(
            channels == per_group * groups,
            f"{x} has {channels} channels, the filter {w} takes {per_group * groups}",
        )
        require(w.shape[kernel[1]] % groups == 0, f"the filters of {w} do not divide into {groups} groups")
        shape: list[Size] = [0] * x.rank
        shape[result[0]], shape[result[1]] = x.shape[source[0]], w.shape[kernel[1]]
        for k, axis in enumerate(result[2:]):
            size = padded(x.shape[source[2 + k]], padding[k], input_dilation[k])
            shape[axis] = window_count(size, w.shape[kernel[2 + k]], strides[k], filter_dilation[k])
        return x.with_shape(shape)

    def reference(
        self,
        x: np.ndarray,
        w: np.ndarray,
        *,
        layout: tuple[Axes, Axes, Axes],
        strides: Axes,
        padding: tuple[tuple[int, int], ...],
        input_dilation: Axes,
        filter_dilation: Axes,
        reverse: bool,
        groups: int,
    ) -> np.ndarray:
        source, kernel, result = layout
        wide = np.float32 if x.dtype == np.float16 else x.dtype
        images, taps = np.transpose(x, source).astype(wide), np.transpose(w, kernel).astype(wide)
        taps = np.flip(taps, tuple(range(2, taps.ndim))) if reverse else taps
        images = _spread(images, padding, input_dilation)
        windows = sliding_windows(images, (1, 1, *taps.shape[2:]), (1, 1, *strides), (1, 1, *filter_dilation))
        spatial = taps.ndim - 2
        n, channels, *places = windows.shape[: 2 + spatial]
        per_group, filters = channels // groups, taps.shape[1] // groups
        patches = windows.reshape(n, groups, per_group, *places, *taps.shape[2:])
        weights = taps.reshape(per_group, groups, filters, *taps.shape[2:])
        outputs = [
            np.tensordot(
                patches[:, g],
                weights[:, g],
                ([1, *range(2 + spatial, 2 + 2 * spatial)], [0, *range(2, 2 + spatial)]),
            )
            for g in range(groups)
        ]
        channels_last = np.concatenate(outputs, -1).astype(x.dtype)
        return np.transpose(np.moveaxis(channels_last, -1, 1), np.argsort(result))


def _spread(images: np.ndarray, padding: tuple[tuple[int, int], ...], dilation: Axes) -> np.ndarray:
    """Images (batch, channel, spatial ...) with gaps between elements, zeros around, cut where padding is negative."""
    sizes = [max((n - 1) * d + 1, 0) if n else 0 for n, d in zip(images.shape[2:], dilation, strict=True)]
    wide = np.zeros((*images.shape[:2], *sizes), images.dtype)
    wide[(slice(None), slice(None), *(slice(None, None, d) for d in dilation))] = images
    wide = np.pad(wide, [(0, 0), (0, 0), *((max(a, 0), max(b, 0)) for a, b in padding)])
    cut = (slice(-min(a, 0), n + min(b, 0)) for (a, b), n in zip(padding, wide.shape[2:], strict=True))
    return wide[(slice(None), slice(None), *cut)]
