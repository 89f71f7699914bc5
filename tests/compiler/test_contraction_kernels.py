"""Contractions and convolutions of programs: compiled against interpreted."""

from __future__ import annotations

import numpy as np
import pytest

from sessile.ir.builder import ProgramBuilder
from sessile.ir.program import Location
from tests.support.execution import compiled, interpreted

RANDOM = np.random.default_rng(3)


def check(primitive: str, shapes: list[tuple[int, ...]], dtype: str = "f32", **attributes: object) -> None:
    builder = ProgramBuilder("test")
    builder.locations = (Location("test"),)
    feeds = {
        f"p{k}": RANDOM.integers(-3, 4, shape).astype(np.dtype({"f32": "f4", "i32": "i4", "f64": "f8"}[dtype]))
        for k, shape in enumerate(shapes)
    }
    values = [builder.emit("parameter", name=n, dtype=dtype, shape=v.shape) for n, v in feeds.items()]
    program = builder.finish([builder.emit(primitive, *values, **attributes)])
    expected, _ = interpreted(program, feeds)
    actual, _ = compiled(program, feeds, passes=("arrange-contractions",), allow_host=False)
    np.testing.assert_array_equal(actual[0], expected[0])  # whole numbers: sums are exact


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32"])
def test_matrix_products_with_all_transposes(dtype: str) -> None:
    for a_axis in (0, 1):
        for b_axis in (0, 1):
            a = (5, 7) if a_axis else (7, 5)
            b = (3, 7) if b_axis else (7, 3)
            check("contract", [a, b], dtype, contracting=((a_axis,), (b_axis,)), batch=((), ()))


@pytest.mark.parametrize(
    ("shapes", "contracting", "batch"),
    [
        ([(4, 2, 3), (4, 3, 5)], ((2,), (1,)), ((0,), (0,))),
        ([(2, 4, 5, 3), (2, 4, 3, 6)], ((3,), (2,)), ((0, 1), (0, 1))),
        ([(4, 5), (5,)], ((1,), (0,)), ((), ())),
        ([(5,), (5,)], ((0,), (0,)), ((), ())),
        ([(3,), (4,)], ((), ()), ((), ())),
        ([(2, 3, 4, 5), (3, 5, 6)], ((1, 3), (0, 1)), ((), ())),
        ([(0, 3), (3, 2)], ((1,), (0,)), ((), ())),
        ([(2, 0), (0, 3)], ((1,), (0,)), ((), ())),
    ],
)
def test_contractions_of_other_ranks(shapes: list, contracting: tuple, batch: tuple) -> None:
    check("contract", shapes, contracting=contracting, batch=batch)


NHWC = ((0, 3, 1, 2), (2, 3, 0, 1), (0, 3, 1, 2))


@pytest.mark.parametrize(
    ("shapes", "changes"),
    [
        ([(2, 6, 7, 3), (3, 3, 3, 5)], {}),
        ([(2, 6, 7, 3), (3, 2, 3, 5)], {"strides": (2, 1), "padding": ((1, 1), (0, 2))}),
        ([(2, 6, 7, 8), (3, 3, 8, 5)], {"filter_dilation": (2, 2), "padding": ((1, 1), (0, 2))}),
        ([(2, 3, 4, 3), (3, 3, 3, 5)], {"input_dilation": (2, 2), "padding": ((2, 1), (2, 2)), "reverse": True}),
        ([(2, 6, 6, 4), (3, 3, 1, 8)], {"groups": 4}),
    ],
)
def test_convolutions(shapes: list, changes: dict) -> None:
    attributes = {
        "layout": NHWC,
        "strides": (1, 1),
        "padding": ((0, 0), (0, 0)),
        "input_dilation": (1, 1),
        "filter_dilation": (1, 1),
        "reverse": False,
        "groups": 1,
    }
    check("convolve", shapes, **{**attributes, **changes})
