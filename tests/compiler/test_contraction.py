"""Matrix products by generated kernels equal NumPy's, for all sizes, strides, element types, tiles and parts."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
from support.contraction_kernels import run_kernel, targets

from sessile.compiler.cpu.contraction.contraction_kernel import ContractionKernel
from sessile.compiler.cpu.contraction.epilogue import NO_EPILOGUE, Epilogue
from sessile.compiler.cpu.contraction.matrix_product import (
    matrix_product_flops,
    matrix_product_kernel,
    matrix_vector_kernel,
)
from sessile.compiler.cpu.contraction.tiling import tiling_for
from sessile.compiler.kernel_call import NoKernel
from sessile.compiler.target import Target
from sessile.ir.types import NUMPY_DTYPES

HOST = Target.host()
# batch, m, n, k: nothing, single elements, tiles with and without rests, several blocks of depth and of columns
SIZES = [
    (1, 1, 1, 1), (1, 2, 3, 0), (0, 2, 2, 2), (1, 0, 3, 3), (1, 3, 0, 3), (1, 6, 16, 4), (1, 7, 17, 5), (1, 14, 32, 33),
    (1, 15, 33, 16), (2, 13, 40, 129), (1, 100, 700, 5), (1, 5, 31, 1100), (3, 29, 10, 64), (1, 43, 65, 513),
    (5, 4, 4, 4), (1, 1, 50, 30), (1, 50, 1, 30), (3, 1, 9, 7), (4, 9, 1, 7),
]  # fmt: skip
VECTOR_SIZES = [
    (1, 1, 1, 1), (1, 1, 5, 0), (1, 5, 1, 0), (2, 0, 1, 3), (1, 1, 77, 33), (1, 77, 1, 33), (3, 1, 20, 100),
    (3, 19, 1, 100), (9, 1, 1, 40), (1, 1, 300, 9), (1, 300, 1, 1), (0, 1, 4, 4),
]  # fmt: skip
TOLERANCE = {"f16": 2e-3, "f32": 2e-6, "f64": 1e-14, "c64": 2e-6, "c128": 1e-14}


def random_array(shape: tuple[int, ...], dtype: str, seed: int = 0) -> np.ndarray:
    generator = np.random.default_rng([seed, *shape])
    kind = NUMPY_DTYPES[dtype]
    if kind.kind in "iu":
        return generator.integers(0, 200, shape).astype(kind)
    values = generator.standard_normal(shape)
    return (values + 1j * values[::-1] if kind.kind == "c" else values).astype(kind)


def multiply(
    kernel: ContractionKernel,
    a: np.ndarray,
    b: np.ndarray,
    parts: int = 1,
    target: Target | None = None,
    extra: dict[str, np.ndarray] | None = None,
) -> np.ndarray:
    """The kernel's product of two stacks of matrices, which may be views with any strides."""
    (batch, m, k), n = a.shape, b.shape[2]
    numbers = {"batch": batch, "m": m, "n": n, "k": k}
    for name, x in (("a", a), ("b", b)):
        for axis, step in zip(("batch", "row", "column"), x.strides, strict=True):
            numbers[f"{name}_{axis}"] = step // x.itemsize
    arrays = {"a": a, "b": b, **(extra or {})}
    return run_kernel(kernel, np.empty((batch, m, n), a.dtype), arrays, numbers, parts, target)


def assert_product(actual: np.ndarray, a: np.ndarray, b: np.ndarray, dtype: str) -> None:
    if dtype not in TOLERANCE:
        np.testing.assert_array_equal(actual, np.matmul(a, b))
        return
    wide = np.complex128 if dtype.startswith("c") else np.float64
    expected = np.matmul(a.astype(wide), b.astype(wide))
    scale = np.matmul(np.abs(a).astype(np.float64), np.abs(b).astype(np.float64))
    assert actual.shape == expected.shape
    assert np.all(np.abs(actual - expected) <= TOLERANCE[dtype] * (scale + 1e-30))


def transposed(x: np.ndarray) -> np.ndarray:
    """The same matrices, each column in adjacent memory."""
    return np.ascontiguousarray(x.swapaxes(1, 2)).swapaxes(1, 2)


@pytest.mark.parametrize("dtype", ["f32", "f64"])
@pytest.mark.parametrize("transpose_b", [False, True])
@pytest.mark.parametrize("transpose_a", [False, True])
def test_products_with_blocks_and_rests(dtype: str, transpose_a: bool, transpose_b: bool) -> None:
    kernel = matrix_product_kernel(dtype, HOST, transpose_a=transpose_a, transpose_b=transpose_b)
    for batch, m, n, k in SIZES:
        a, b = random_array((batch, m, k), dtype), random_array((batch, k, n), dtype, 1)
        left = transposed(a) if transpose_a else a
        right = transposed(b) if transpose_b else b
        for parts in (1, 2, 5):
            assert_product(multiply(kernel, left, right, parts), a, b, dtype)


@pytest.mark.parametrize("transpose", [False, True])
def test_any_strides_give_the_same_product(transpose: bool) -> None:
    kernel = matrix_product_kernel("f32", HOST, transpose_a=transpose, transpose_b=transpose)
    a, b = random_array((2, 60, 80), "f32"), random_array((2, 80, 90), "f32", 1)
    for left in (a[:, ::2, ::3], transposed(a)[:, :30, :27], a[:, :30, 27:0:-1]):
        for right in (b[:, :54:2, ::4], transposed(b)[:, 3:30, :70], b[:, :27, ::-1]):
            assert_product(multiply(kernel, left, right), left, right, "f32")


@pytest.mark.parametrize("shared", ["a", "b"])
def test_an_operand_shared_by_all_items(shared: str) -> None:
    kernel = matrix_product_kernel("f32", HOST)
    a, b = random_array((5, 9, 20), "f32"), random_array((5, 20, 33), "f32", 1)
    a = np.broadcast_to(a[:1], a.shape) if shared == "a" else a
    b = np.broadcast_to(b[:1], b.shape) if shared == "b" else b
    for parts in (1, 3):
        assert_product(multiply(kernel, a, b, parts), a, b, "f32")


@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_products_with_one_row_or_column(dtype: str) -> None:
    kernel = matrix_vector_kernel(dtype, HOST)
    for batch, m, n, k in VECTOR_SIZES:
        a, b = random_array((batch, m, k), dtype), random_array((batch, k, n), dtype, 1)
        for left, right in ((a, b), (transposed(a), transposed(b)), (a[:, ::-1], b[:, :, ::-1])):
            for parts in (1, 2, 3):
                assert_product(multiply(kernel, left, right, parts), left, right, dtype)


@pytest.mark.parametrize("dtype", ["f16", "i8", "i32", "u64", "c64", "c128"])
def test_other_element_types(dtype: str) -> None:
    kernel = matrix_product_kernel(dtype, HOST)
    for batch, m, n, k in ((1, 1, 1, 1), (2, 5, 7, 9), (1, 3, 4, 0), (0, 1, 1, 1), (1, 2, 40, 30)):
        a, b = random_array((batch, m, k), dtype), random_array((batch, k, n), dtype, 1)
        for left, right in ((a, b), (transposed(a), b[:, :, ::-1])):
            assert_product(multiply(kernel, left, right, 2), left, right, dtype)


def test_element_types_without_products_are_refused() -> None:
    with pytest.raises(NoKernel, match="bool"):
        matrix_product_kernel("bool", HOST)


@pytest.mark.parametrize("target", targets(), ids=lambda target: target.cpu)
@pytest.mark.parametrize("dtype", ["f32", "f64"])
def test_tiles_of_other_processors(dtype: str, target: Target) -> None:
    kernel = matrix_product_kernel(dtype, target, transpose_a=dtype == "f64", transpose_b=dtype == "f64")
    assert tiling_for(dtype, target).name in kernel.source.source
    for batch, m, n, k in SIZES:
        a, b = random_array((batch, m, k), dtype), random_array((batch, k, n), dtype, 1)
        left, right = (a, b) if dtype == "f32" else (transposed(a), transposed(b))
        assert_product(multiply(kernel, left, right, 2, target), a, b, dtype)


DENSE = Epilogue(
    ("add", "max", "add"),
    (("e0", "*f32"), ("e1", "*f32")),
    ("t0 = acc + e0[j]", "t1 = max(t0, f32(0))", "if i % 2 == 1:", "    t1 = -t1"),
    "t1 + e1[o]",
)


def dense_layer(product: np.ndarray, bias: np.ndarray, residual: np.ndarray) -> np.ndarray:
    """What the epilogue DENSE makes of a product."""
    batch, m, n = product.shape
    active = np.maximum(product + bias, 0)
    odd = (np.arange(batch * m) % 2 == 1).reshape(batch, m, 1)
    return np.where(odd, -active, active) + residual.reshape(batch, m, n)


@pytest.mark.parametrize("single", [False, True])
def test_the_epilogue_sees_each_finished_sum_once(single: bool) -> None:
    kernel = matrix_vector_kernel("f32", HOST, DENSE) if single else matrix_product_kernel("f32", HOST, DENSE)
    for batch, m, n, k in VECTOR_SIZES if single else SIZES:
        a, b = random_array((batch, m, k), "f32"), random_array((batch, k, n), "f32", 1)
        extra = {"e0": random_array((n,), "f32", 2), "e1": random_array((batch * m * n,), "f32", 3)}
        expected = dense_layer(np.matmul(a.astype("f8"), b.astype("f8")), extra["e0"], extra["e1"])
        for parts in (1, 2):
            np.testing.assert_allclose(multiply(kernel, a, b, parts, extra=extra), expected, rtol=1e-4, atol=1e-4)


def test_the_epilogue_of_plain_loops_adds_f16_in_f32() -> None:
    half = Epilogue(("scale",), (("e0", "*f32"),), ("t0 = acc * e0[j]",), "t0")
    kernel = matrix_product_kernel("f16", HOST, half)
    a, b, scale = np.full((1, 2, 4000), 8, "f2"), np.full((1, 4000, 3), 8, "f2"), np.full(3, 2.0**-10, "f4")
    # The sum, 256000, is more than f16 can hold.
    np.testing.assert_array_equal(multiply(kernel, a, b, extra={"e0": scale}), np.full((1, 2, 3), 250, "f2"))


@pytest.mark.parametrize("transpose", [False, True])
def test_nan_and_infinity_reach_their_own_elements_only(transpose: bool) -> None:
    kernel = matrix_product_kernel("f32", HOST, transpose_a=transpose, transpose_b=transpose)
    a, b = random_array((1, 17, 21), "f32"), random_array((1, 21, 19), "f32", 1)
    a[0, 2, 3], a[0, 5, 7], b[0, 4, 18], a[0, 16, 4] = np.nan, np.inf, -np.inf, 0
    left, right = (transposed(a), transposed(b)) if transpose else (a, b)
    with np.errstate(invalid="ignore"):
        expected = np.matmul(a.astype("f8"), b.astype("f8"))
    assert np.isnan(expected[0, 16, 18])  # 0 * -inf
    np.testing.assert_allclose(multiply(kernel, left, right), expected, rtol=1e-4, atol=1e-5)


def test_equal_requests_give_equal_kernels() -> None:
    assert matrix_product_kernel("f32", HOST) == matrix_product_kernel("f32", HOST, NO_EPILOGUE)
    names = {
        matrix_product_kernel(dtype, HOST, epilogue, transpose_a=transpose).source.name
        for dtype in ("f32", "f64", "i32")
        for epilogue in (NO_EPILOGUE, DENSE)
        for transpose in (False, True)
    }
    assert len(names) == 10  # plain loops take any order of axes


def test_flops_count_a_multiplication_and_an_addition_for_each_product() -> None:
    assert matrix_product_flops(2, 3, 4, 5) == 240


def test_sources_are_written_without_numba() -> None:
    program = "import sys, sessile.compiler.cpu.contraction.{}; sys.exit('numba' in sys.modules)"
    for module in ("matrix_product", "convolution", "convolution_geometry"):
        subprocess.run([sys.executable, "-c", program.format(module)], check=True)
