"""Kernels with reductions (kinds "reduce" and "rows") against the reference interpreter, over axes, types and sizes.

A kernel with unknown sizes is compiled once and runs for several of them, empty ones too, as one part and as three.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from support.kernel_harness import check_text, run_instruction
from support.program_cases import HERE

from sessile.compiler.kernel_call import KERNEL_RULES
from sessile.compiler.passes.fuse import fuse
from sessile.compiler.target import Target
from sessile.ir.parser import parse
from sessile.ir.types import FLOATS, NUMPY_DTYPES

RANDOM = np.random.default_rng(5)
SIZES = (0, 1, 5, 40)
TOLERANCES = {"f16": 2e-3, "f32": 2e-5, "f64": 1e-12, "c64": 2e-5, "c128": 1e-12}


REDUCTIONS = """
program @reductions {{
  size n = parameter "x" axis 0
  %0 = parameter "x" : {dtype}[n, 4, 3]
  %1 = reduce {function} %0 {{axes: [0]}} : {dtype}[4, 3]
  %2 = reduce {function} %0 {{axes: [1]}} : {dtype}[n, 3]
  %3 = reduce {function} %0 {{axes: [2]}} : {dtype}[n, 4]
  %4 = reduce {function} %0 {{axes: [0, 2]}} : {dtype}[4]
  %5 = reduce {function} %0 {{axes: [0, 1, 2]}} : {dtype}[]
  return %1, %2, %3, %4, %5
}}
"""


@pytest.mark.parametrize("dtype", ["f16", "f32", "f64", "i8", "i64", "u32", "bool", "c64"])
def test_reductions_over_any_axes(dtype: str) -> None:
    function = {"bool": "or", "i8": "mul", "f16": "max", "u32": "min"}.get(dtype, "add")
    text = REDUCTIONS.format(dtype=dtype, function=function)
    for n in SIZES:
        x = RANDOM.integers(-4, 5, (n, 4, 3)).astype(NUMPY_DTYPES[dtype])
        if dtype in FLOATS:
            x = np.where(RANDOM.random(x.shape) < 0.02, np.array(np.nan, x.dtype), x)
        assert check_text(text, {"x": x}, n) == {"reduce": 5}


MOMENTS = """
program @moments {
  size n = parameter "x" axis 0
  %0 = parameter "x" : f32[n, 5, 6]
  %1 = parameter "scale" : f32[5]
  %2 = broadcast %1 {axes: [1]} : f32[n, 5, 6]
  %3 = map mul %0, %2 : f32[n, 5, 6]
  %4 = map mul %3, %3 : f32[n, 5, 6]
  %5 = reduce add %3 {axes: [0, 2]} : f32[5]
  %6 = reduce add %4 {axes: [0, 2]} : f32[5]
  %7 = reduce max %3 {axes: [0, 2]} : f32[5]
  %8 = map sub %6, %5 : f32[5]
  %9 = map mul %8, %1 : f32[5]
  return %9, %7, %3
}
"""


def test_several_reductions_and_a_result_for_each_element() -> None:
    for n in SIZES:
        parameters = {"x": RANDOM.normal(0, 1, (n, 5, 6)).astype("f4"), "scale": RANDOM.random(5).astype("f4")}
        assert check_text(MOMENTS, parameters, n, tolerance=1e-4) == {"reduce": 1}


@pytest.mark.parametrize(("axes", "kept"), [("[0, 1, 2]", "[]"), ("[0, 1]", "[512]"), ("[0, 2]", "[64]")])
def test_large_reductions_to_few_results_share_stretches(axes: str, kept: str) -> None:
    text = f"""
program @large {{
  size n = parameter "x" axis 0
  %0 = parameter "x" : f64[n, 64, 512]
  %1 = map neg %0 : f64[n, 64, 512]
  %2 = reduce add %1 {{axes: {axes}}} : f64{kept}
  %3 = map mul %2, %2 : f64{kept}
  %4 = reduce max %1 {{axes: {axes}}} : f64{kept}
  return %3, %4, %1
}}
"""
    (fused,) = (i for i in fuse(parse(text, location=HERE[0])).instructions if i.name == "fused")
    assert len(KERNEL_RULES["fused"](fused, Target.host())) == 2
    for n in (0, 1, 40):
        x = RANDOM.integers(-9, 9, (n, 64, 512)).astype("f8")
        assert check_text(text, {"x": x}, n) == {"reduce": 1}


SUM = """
program @sum {{
  size n = parameter "x" axis 0
  %0 = parameter "x" : {dtype}[n]
  %1 = reduce add %0 {{axes: [0]}} : {dtype}[]
  return %1
}}
"""


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_a_long_sum_is_as_exact_as_by_pairs(dtype: str) -> None:
    x = RANDOM.random(1_000_000).astype(NUMPY_DTYPES[dtype])
    reduce = parse(SUM.format(dtype=dtype), location=HERE[0]).instructions[-1]
    exact = math.fsum(x.tolist())
    ((result,), by_pairs) = run_instruction(reduce, [x], {"n": x.size}), x.sum()
    assert abs(float(result) - exact) <= max(abs(float(by_pairs) - exact), float(np.spacing(result)))


def test_infinities_and_nan_in_long_sums() -> None:
    reduce = parse(SUM.format(dtype="f64"), location=HERE[0]).instructions[-1]
    for special, expected in (((np.inf,), np.inf), ((np.nan,), np.nan), ((np.inf, -np.inf), np.nan)):
        x = np.ones(10_000)
        x[[100, 9_000][: len(special)]] = special
        (result,) = run_instruction(reduce, [x], {"n": x.size})
        np.testing.assert_array_equal(result, expected)


# --- rows

SOFTMAX = """
program @softmax {{
  size n = parameter "x" axis 0
  %0 = parameter "x" : {dtype}[n, {m}]
  %1 = parameter "labels" : {dtype}[n, {m}]
  %2 = reduce max %0 {{axes: [1]}} : {dtype}[n]
  %3 = broadcast %2 {{axes: [0]}} : {dtype}[n, {m}]
  %4 = map sub %0, %3 : {dtype}[n, {m}]
  %5 = map exp %4 : {dtype}[n, {m}]
  %6 = reduce add %5 {{axes: [1]}} : {dtype}[n]
  %7 = map log %6 : {dtype}[n]
  %8 = broadcast %7 {{axes: [0]}} : {dtype}[n, {m}]
  %9 = map sub %8, %4 : {dtype}[n, {m}]
  %10 = map mul %1, %9 : {dtype}[n, {m}]
  %11 = reduce add %10 {{axes: [1]}} : {dtype}[n]
  %12 = broadcast %6 {{axes: [0]}} : {dtype}[n, {m}]
  %13 = map div %5, %12 : {dtype}[n, {m}]
  %14 = map sub %13, %1 : {dtype}[n, {m}]
  return %11, %14
}}
"""


@pytest.mark.parametrize(("dtype", "m"), [("f32", 10), ("f32", 5000), ("f64", 130), ("f16", 10)])
def test_cross_entropy_and_its_gradient(dtype: str, m: int) -> None:
    text = SOFTMAX.format(dtype=dtype, m=m)
    for n in (0, 1, 7):
        x = RANDOM.normal(0, 3, (n, m)).astype(NUMPY_DTYPES[dtype])
        labels = np.eye(m, dtype=NUMPY_DTYPES[dtype])[RANDOM.integers(0, m, n)]
        tolerance = 10 * TOLERANCES[dtype]
        assert check_text(text, {"x": x, "labels": labels}, n, tolerance=tolerance) == {"rows": 1}


def test_nan_and_infinity_stay_in_their_row() -> None:
    x = RANDOM.normal(0, 3, (4, 10)).astype("f4")
    x[1, 3], x[2, 5] = np.nan, np.inf
    labels = np.eye(10, dtype="f4")[:4]
    assert check_text(SOFTMAX.format(dtype="f32", m=10), {"x": x, "labels": labels}, 4, tolerance=1e-4) == {"rows": 1}


LAYER_NORM = """
program @layer_norm {
  size n = parameter "x" axis 0
  %0 = parameter "x" : f32[n, 3, 4, 5]
  %1 = parameter "gamma" : f32[5]
  %2 = constant 0.05 : f32[]
  %3 = reduce add %0 {axes: [2, 3]} : f32[n, 3]
  %4 = map mul %3, %2 : f32[n, 3]
  %5 = reshape %4 : f32[n, 3, 1, 1]
  %6 = broadcast %5 {axes: [0, 1, 2, 3]} : f32[n, 3, 4, 5]
  %7 = map sub %0, %6 : f32[n, 3, 4, 5]
  %8 = map mul %7, %7 : f32[n, 3, 4, 5]
  %9 = reduce add %8 {axes: [2, 3]} : f32[n, 3]
  %10 = map mul %9, %2 : f32[n, 3]
  %11 = map rsqrt %10 : f32[n, 3]
  %12 = broadcast %11 {axes: [0, 1]} : f32[n, 3, 4, 5]
  %13 = map mul %7, %12 : f32[n, 3, 4, 5]
  %14 = broadcast %1 {axes: [3]} : f32[n, 3, 4, 5]
  %15 = map mul %13, %14 : f32[n, 3, 4, 5]
  return %15, %4
}
"""


def test_normalisation_of_rows_of_two_axes() -> None:
    for n in (0, 1, 5):
        parameters = {"x": RANDOM.normal(1, 2, (n, 3, 4, 5)).astype("f4"), "gamma": RANDOM.random(5).astype("f4")}
        assert check_text(LAYER_NORM, parameters, n, tolerance=1e-4) == {"rows": 1}
