"""Convolutions by generated kernels equal the reference of `convolve`, whatever the axes, and compute gradients too."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from support.contraction_kernels import run_kernel, targets

from sessile.compiler.cpu.contraction.convolution import METHODS, convolution_kernel
from sessile.compiler.cpu.contraction.convolution_geometry import Convolution
from sessile.compiler.cpu.contraction.convolution_plan import GEOMETRY
from sessile.compiler.cpu.contraction.epilogue import NO_EPILOGUE, Epilogue
from sessile.compiler.target import Target
from sessile.ir.primitives.contraction import Convolve
from sessile.ir.types import NUMPY_DTYPES

HOST = Target.host()
CHANNELS_LAST = {
    1: ((0, 2, 1), (1, 2, 0), (0, 2, 1)),
    2: ((0, 3, 1, 2), (2, 3, 0, 1), (0, 3, 1, 2)),
    3: ((0, 4, 1, 2, 3), (3, 4, 0, 1, 2), (0, 4, 1, 2, 3)),
}
TOLERANCE = {"f16": 2e-3, "f32": 3e-6, "f64": 1e-14, "i32": 0, "c64": 3e-6}


def image_convolution(
    images: int, size: tuple[int, ...], channels: tuple[int, int], taps: tuple[int, ...], **attributes: object
) -> Convolution:
    """A convolution with channels last, of `channels` in and out; strides and dilations are 1 unless given."""
    ones = (1,) * len(size)
    plain = {"strides": ones, "padding": ((0, 0),) * len(size), "input_dilation": ones, "filter_dilation": ones}
    groups = int(str(attributes.get("groups", 1)))
    shapes = ((images, *size, channels[0]), (*taps, channels[0] // groups, channels[1]))
    return with_output(Convolution(*shapes, (), CHANNELS_LAST[len(size)], **{**plain, **attributes}))  # type: ignore[arg-type]


def with_output(c: Convolution) -> Convolution:
    """The convolution with the shape of its output, which its input, filter and attributes determine."""
    return replace(c, output=reference(c, np.zeros(c.input), np.zeros(c.filter)).shape)


def reference(c: Convolution, x: np.ndarray, w: np.ndarray) -> np.ndarray:
    """The interpreter's result."""
    return Convolve().reference(
        x, w, layout=c.layout, strides=c.strides, padding=c.padding, input_dilation=c.input_dilation,
        filter_dilation=c.filter_dilation, reverse=c.reverse, groups=c.groups,
    )  # fmt: skip


def random_array(shape: tuple[int, ...], dtype: str, seed: int) -> np.ndarray:
    generator = np.random.default_rng([seed, *shape])
    if dtype == "i32":
        return generator.integers(-99, 99, shape).astype(np.int32)
    values = generator.standard_normal(shape)
    return (values + 1j * values[::-1] if dtype == "c64" else values).astype(NUMPY_DTYPES[dtype])


def convolve(
    c: Convolution, x: np.ndarray, w: np.ndarray, dtype: str, method: str, parts: int = 1,
    epilogue: Epilogue = NO_EPILOGUE, extra: dict[str, np.ndarray] | None = None, target: Target = HOST,
) -> np.ndarray:  # fmt: skip
    kernel = convolution_kernel(dtype, target, epilogue, method=method, transpose_filter=c.transpose_filter)
    numbers = dict(zip(GEOMETRY, map(int, c.geometry), strict=True))
    arrays = {"x": x, "w": w, **(extra or {})}
    return run_kernel(kernel, np.empty(c.output, x.dtype), arrays, numbers, parts, target)


def assert_convolution(c: Convolution, dtype: str = "f32", methods: tuple[str, ...] = METHODS, parts: int = 1) -> None:
    x, w = random_array(tuple(c.input), dtype, 0), random_array(tuple(c.filter), dtype, 1)
    wide = np.complex128 if dtype == "c64" else np.float64
    expected = reference(c, x.astype(wide), w.astype(wide))
    scale = reference(c, np.abs(x).astype(np.float64), np.abs(w).astype(np.float64))
    for method in methods:
        actual = convolve(c, x, w, dtype, method, parts)
        excess = np.abs(actual - expected) - TOLERANCE[dtype] * (scale + 1e-30)
        assert np.all(excess <= 0), f"{method}, {parts} parts: {c}"


def random_convolution(seed: int) -> Convolution:
    """Anything that `convolve` can be asked for, small; axes in any order two times of three."""
    generator = np.random.default_rng(seed)

    def choose(*options: int) -> int:
        return int(generator.choice(options))

    axes, groups = choose(1, 2, 2, 3), choose(1, 1, 1, 2, 3)
    sizes = [choose(2, 3, 16), groups * choose(1, 2, 3, 9), *(choose(0, 1, 2, 5, 8) for _ in range(axes))]
    taps = [sizes[1] // groups, groups * choose(1, 2, 7, 33), *(choose(1, 2, 3, 4) for _ in range(axes))]
    orders = [generator.permutation(axes + 2) if seed % 3 else np.array(CHANNELS_LAST[axes][k]) for k in range(3)]
    shapes = [[0] * (axes + 2), [0] * (axes + 2)]
    for shape, order, row in zip(shapes, orders, (sizes, taps), strict=False):
        for axis, size in zip(order, row, strict=True):
            shape[axis] = size
    draw = {
        "strides": tuple(choose(1, 1, 2, 3) for _ in range(axes)),
        "padding": tuple((choose(-1, 0, 1, 3), choose(-1, 0, 2, 3)) for _ in range(axes)),
        "input_dilation": tuple(choose(1, 1, 2, 3) for _ in range(axes)),
        "filter_dilation": tuple(choose(1, 1, 2) for _ in range(axes)),
    }
    layout = tuple(tuple(map(int, order)) for order in orders)
    c = Convolution(*shapes, (), layout, **draw, reverse=bool(choose(0, 1)), groups=groups)  # type: ignore[arg-type]
    fits = all(
        (size - 1) * gap + 1 + low + high >= (count - 1) * distance + 1 and size > 0
        for size, count, gap, distance, (low, high) in zip(
            sizes[2:], taps[2:], c.input_dilation, c.filter_dilation, c.padding, strict=True
        )
    )
    return with_output(c) if fits else random_convolution(seed + 1000)


@pytest.mark.parametrize("seed", range(60))
def test_random_convolutions(seed: int) -> None:
    assert_convolution(random_convolution(seed), parts=1 + seed % 3)


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("target", targets()[1:], ids=lambda target: target.cpu)
def test_tiles_of_other_processors(target: Target, seed: int) -> None:
    c = random_convolution(3 * seed)
    x, w = random_array(tuple(c.input), "f32", 0), random_array(tuple(c.filter), "f32", 1)
    expected = reference(c, x.astype(np.float64), w.astype(np.float64))
    for method in METHODS:
        actual = convolve(c, x, w, "f32", method, 2, target=target)
        np.testing.assert_allclose(actual, expected, rtol=1e-4, atol=1e-4)


LAYERS = {
    "first layer": image_convolution(3, (28, 28), (1, 32), (5, 5), padding=((2, 2), (2, 2))),
    "second layer": image_convolution(2, (14, 14), (32, 64), (5, 5), padding=((2, 2), (2, 2))),
    "deep and narrow": image_convolution(1, (5, 5), (130, 40), (3, 3), padding=((1, 1), (1, 1))),
    "strided": image_convolution(2, (15, 16), (8, 24), (3, 3), padding=((0, 1), (1, 1)), strides=(2, 2)),
    "pointwise": image_convolution(2, (9, 9), (70, 33), (1, 1), strides=(2, 2)),
    "atrous": image_convolution(1, (12, 20), (16, 5), (3, 3), padding=((4, 4), (2, 2)), filter_dilation=(4, 2)),
    "wide": image_convolution(1, (2, 3), (4, 700), (2, 2)),
    "cropped": image_convolution(1, (9, 9), (10, 10), (2, 2), padding=((-2, -1), (-3, 0))),
    "groups": image_convolution(2, (8, 8), (12, 30), (3, 3), groups=3),
    "sequence": image_convolution(3, (50,), (20, 30), (7,), padding=((3, 3),), strides=(2,)),
    "volume": image_convolution(2, (5, 6, 7), (9, 11), (3, 2, 3), padding=((1, 1), (0, 1), (1, 1))),
    "no images": image_convolution(0, (8, 8), (3, 4), (3, 3)),
    "no places": image_convolution(2, (2, 2), (3, 4), (3, 3)),
    "no channels": image_convolution(2, (4, 4), (0, 4), (3, 3)),
    "depthwise": image_convolution(2, (9, 9), (70, 70), (3, 3), padding=((1, 1), (1, 1)), groups=70),
    "depthwise, strided": image_convolution(2, (9, 9), (40, 80), (3, 3), strides=(2, 2), groups=40),
}


@pytest.mark.parametrize("name", LAYERS)
def test_layers_of_networks(name: str) -> None:
    for parts in (1, 2):
        assert_convolution(LAYERS[name], parts=parts)


@pytest.mark.parametrize("method", METHODS)
def test_double_precision(method: str) -> None:
    for name in ("second layer", "strided", "cropped", "volume", "depthwise"):
        assert_convolution(LAYERS[name], "f64", (method,))


@pytest.mark.parametrize("dtype", ["f16", "i32", "c64"])
def test_other_element_types(dtype: str) -> None:
    for name in ("strided", "cropped", "groups", "no places", "sequence"):
        assert_convolution(LAYERS[name], dtype, ("patches",), parts=2)
    assert_convolution(random_convolution(4), dtype, ("patches",))


def input_gradient(c: Convolution) -> Convolution:
    """The convolution of the output's gradient with the filter that gives the input's gradient."""
    x, w, y = c.layout
    padding, spatial = [], range(len(c.strides))
    for k in spatial:
        extent = (c.filter[w[2 + k]] - 1) * c.filter_dilation[k]
        low = extent - c.padding[k][0]
        spread = (c.output[y[2 + k]] - 1) * c.strides[k] + 1
        padding.append((low, c.input[x[2 + k]] - spread - low + extent))
    return Convolution(
        c.output, c.filter, c.input, (y, (w[1], w[0], *w[2:]), x), c.input_dilation, tuple(padding), c.strides,
        c.filter_dilation, True,
    )  # fmt: skip


def filter_gradient(c: Convolution) -> Convolution:
    """The convolution of the input with the output's gradient, both with batch and channels exchanged."""
    x, w, y = c.layout
    padding = tuple(
        (low, (taps - 1) * step + (places - 1) * stride + 1 - size - low)
        for (low, _), taps, places, size, stride, step in zip(
            c.padding, [c.filter[axis] for axis in w[2:]], [c.output[axis] for axis in y[2:]],
            [c.input[axis] for axis in x[2:]], c.strides, c.filter_dilation, strict=True,
        )
    )  # fmt: skip
    exchanged = ((x[1], x[0], *x[2:]), (y[0], y[1], *y[2:]), (w[0], w[1], *w[2:]))
    return Convolution(
        c.input, c.output, c.filter, exchanged, c.filter_dilation, padding, c.input_dilation, c.strides
    )  # fmt: skip


@pytest.mark.parametrize(
    "name", ["first layer", "second layer", "strided", "pointwise", "atrous", "cropped", "sequence", "volume"]
)
def test_gradients_are_the_adjoints_of_the_convolution(name: str) -> None:
    c = LAYERS[name]
    x, w = random_array(tuple(c.input), "f64", 0), random_array(tuple(c.filter), "f64", 1)
    dy = random_array(tuple(c.output), "f64", 2)
    value = np.vdot(dy, reference(c, x, w))
    by_input, by_filter = input_gradient(c), filter_gradient(c)
    for method in ("patches", "interleaved"):
        for parts in (1, 2):
            dx = convolve(by_input, dy, w, "f64", method, parts)
            dw = convolve(by_filter, x, dy, "f64", method, parts)
            np.testing.assert_allclose([np.vdot(dx, x), np.vdot(dw, w)], [value, value], rtol=1e-9)


def test_the_method_follows_the_shapes() -> None:
    assert LAYERS["second layer"].method == "patches"
    assert LAYERS["first layer"].method == "interleaved"
    assert LAYERS["depthwise"].method == "depthwise"
    assert filter_gradient(LAYERS["second layer"]).method == "interleaved"
    assert input_gradient(LAYERS["second layer"]).method == "patches"
    assert input_gradient(LAYERS["second layer"]).transpose_filter
    with pytest.raises(ValueError, match="winograd"):
        convolution_kernel("f32", HOST, method="winograd")


BIASED = Epilogue(
    ("add", "max"),
    (("e0", "*f32"), ("e1", "*f32"), ("e2", "*f32")),
    ("t0 = max(acc + e0[j], f32(0))",),
    "t0 * e1[i] + e2[o]",
)


@pytest.mark.parametrize("method", METHODS)
def test_the_epilogue_sees_each_finished_sum_once(method: str) -> None:
    for name in ("first layer", "deep and narrow", "strided", "wide", "groups", "depthwise, strided", "no channels"):
        c = LAYERS[name]
        x, w = random_array(tuple(c.input), "f32", 0), random_array(tuple(c.filter), "f32", 1)
        rows = int(np.prod(c.output[:-1]))
        extra = {"e0": random_array((c.output[-1],), "f32", 2), "e1": random_array((rows,), "f32", 3)}  # type: ignore[arg-type]
        extra["e2"] = random_array(tuple(c.output), "f32", 4)
        plain = reference(c, x.astype(np.float64), w.astype(np.float64))
        expected = np.maximum(plain + extra["e0"], 0) * extra["e1"].reshape(*c.output[:-1], 1) + extra["e2"]
        for parts in (1, 2):
            actual = convolve(c, x, w, "f32", method, parts, BIASED, extra)
            np.testing.assert_allclose(actual, expected, rtol=1e-3, atol=1e-3)


@pytest.mark.parametrize("method", METHODS)
def test_nan_and_infinity_reach_only_the_places_that_see_them(method: str) -> None:
    c = image_convolution(2, (9, 9), (3, 5), (3, 3), padding=((1, 1), (1, 1)))
    x, w = random_array(tuple(c.input), "f32", 0), random_array(tuple(c.filter), "f32", 1)
    x[0, 4, 4, 1], x[1, 0, 8, 2] = np.nan, np.inf
    with np.errstate(invalid="ignore"):
        expected = reference(c, x, w)
    np.testing.assert_allclose(convolve(c, x, w, "f32", method), expected, rtol=1e-3, atol=1e-4)


def test_flops_count_products_with_padding_too() -> None:
    assert image_convolution(2, (4, 4), (3, 5), (2, 2)).flops == 2 * (2 * 3 * 3 * 5) * (2 * 2 * 3)
