"""Compiled elementwise primitives against the reference interpreter: all functions, element types and kinds of numbers.

Exact but for elementary functions: those stay within their stated errors of NumPy's, which have errors of their own.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Sequence

import numpy as np
import pytest
from hypothesis import given, settings
from support.differential import (
    DTYPES,
    Compare,
    Differential,
    SymbolicProgram,
    array,
    named,
    one_primitive,
    seeds,
    sizes,
    within_error,
    within_ulps,
)
from support.execution import compiled, interpreted
from support.program_cases import assert_same_array

from sessile.compiler.cpu.elementary import ERROR_BOUNDS
from sessile.compiler.kernel_call import KERNEL_RULES
from sessile.compiler.split_stages import split_into_stages
from sessile.compiler.stages import PLACED, HostStage
from sessile.compiler.target import Target
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.primitives.elementwise import COMPLEX_OF
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS, ScalarFunction
from sessile.ir.types import COMPLEX, FLOATS, INTEGERS, NUMPY_DTYPES, SIGNED

SETTINGS = settings(max_examples=25)
NUMPY_ULPS = 4.0
"""The largest error of NumPy's own elementary functions."""
HOST_FUNCTIONS = {
    "abs", "sign", "sqrt", "rsqrt", "angle", "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos",
    "atan", "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "sigmoid", "div", "pow",
}  # fmt: skip
"""The functions that the host computes for complex numbers."""
GAMMA_FUNCTIONS = ("lgamma", "digamma")
"""Of these the reference itself is no better than f64 allows beside their poles and zeros."""


def functions_of(dtype: str, arity: int) -> list[ScalarFunction]:
    """The functions that have a kernel for an element type, but for those with a test of their own."""
    left_out = {*HOST_FUNCTIONS, "mul"} if dtype in COMPLEX else GAMMA_FUNCTIONS if dtype == "f64" else ()
    functions = [f for f in SCALAR_FUNCTIONS.values() if f.arity == arity and dtype in f.types]
    return [f for f in functions if f.name not in left_out]


def comparison(function: str, dtype: str) -> Compare:
    """How far a kernel's results may be from the reference's."""
    if function in ("max", "min"):
        return assert_same_but_zeros
    held = "f32" if dtype == "f16" else dtype
    bound = ERROR_BOUNDS.get(f"{function}_{held}")
    if bound is None or dtype not in FLOATS:
        return assert_same_array
    return within_ulps(1 if dtype == "f16" else bound + NUMPY_ULPS)


def assert_same_but_zeros(expected: np.ndarray, actual: np.ndarray) -> None:
    """Which of two zeros of different sign is the larger is open."""
    assert_same_array(expected + expected.dtype.type(0), actual + actual.dtype.type(0))


@functools.cache
def all_functions(dtype: str, shapes: tuple[tuple[str, ...], ...]) -> tuple[Differential, list[Compare]] | None:
    """A program that applies all functions of an element type to operands of some shapes, in few kernels."""
    functions = functions_of(dtype, len(shapes))
    if not functions:
        return None
    program = SymbolicProgram()
    operands = [program.parameter(f"p{k}", dtype, shape) for k, shape in enumerate(shapes)]
    results = [program.apply("map", *operands, function=f.name)[0] for f in functions]
    return program.compile(results, ["fuse"]), [comparison(f.name, dtype) for f in functions]


def check_all_functions(dtype: str, shapes: tuple[tuple[str, ...], ...], operands: Sequence[np.ndarray]) -> None:
    made = all_functions(dtype, shapes)
    if made is not None:
        differential, compares = made
        differential.check(named(*operands), compares)


def second_operand(dtype: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """What integers may be divided by and raised to."""
    y = array(dtype, shape, seed + 1)
    return np.where(y == 0, 1, np.where(y < 0, 3, y)).astype(y.dtype) if dtype in INTEGERS else y


@pytest.mark.parametrize("dtype", DTYPES)
@SETTINGS
@given(seed=seeds, size=sizes)
def test_functions_of_one_operand(dtype: str, seed: int, size: int) -> None:
    check_all_functions(dtype, (("n",),), [array(dtype, (size,), seed)])


@pytest.mark.parametrize("dtype", DTYPES)
@SETTINGS
@given(seed=seeds, size=sizes)
def test_functions_of_two_operands(dtype: str, seed: int, size: int) -> None:
    operands = [array(dtype, (size,), seed), second_operand(dtype, (size,), seed)]
    check_all_functions(dtype, (("n",), ("n",)), operands)


@pytest.mark.parametrize("function", GAMMA_FUNCTIONS)
@SETTINGS
@given(seed=seeds, size=sizes)
def test_gamma_functions_of_positive_numbers(function: str, seed: int, size: int) -> None:
    differential = one_primitive("map", [("f64", ["n"])], {"function": function})
    x = np.abs(array("f64", (size,), seed))
    differential.check(named(x), within_ulps(ERROR_BOUNDS[f"{function}_f64"] + NUMPY_ULPS, absolute=1e-14))


@pytest.mark.parametrize("dtype", sorted(COMPLEX))
@SETTINGS
@given(seed=seeds, size=sizes)
def test_complex_products(dtype: str, seed: int, size: int) -> None:
    x, y = (array(dtype, (size,), seed + k, special=False) for k in range(2))
    rounding = 4 * np.finfo(dtype.replace("c64", "f4").replace("c128", "f8")).eps * np.abs(x) * np.abs(y)
    one_primitive("map", [(dtype, ["n"])] * 2, {"function": "mul"}).check(named(x, y), within_error(rounding))


@pytest.mark.parametrize("dtype", ["f16", "f32", "i64"])
@pytest.mark.parametrize("shapes", [(("n",), ()), ((), ("n", "m")), ((), ())])
@SETTINGS
@given(seed=seeds, size=sizes)
def test_scalars_go_with_any_shape(dtype: str, shapes: tuple[tuple[str, ...], ...], seed: int, size: int) -> None:
    bound = [tuple(size if name == "n" else 3 for name in shape) for shape in shapes]
    check_all_functions(dtype, shapes, [array(dtype, bound[0], seed), second_operand(dtype, bound[1], seed)])


@pytest.mark.parametrize("dtype", sorted(SIGNED))
def test_negative_divisors(dtype: str) -> None:
    limits = np.iinfo(NUMPY_DTYPES[dtype])
    numbers = np.array([limits.min, limits.min + 1, -7, -6, -1, 0, 1, 5, 6, limits.max], NUMPY_DTYPES[dtype])
    pairs = np.array([(a, b) for a, b in itertools.product(numbers, numbers) if b and (a, b) != (limits.min, -1)])
    for function in ("truncated_div", "floor_div", "truncated_mod", "floor_mod"):
        differential = one_primitive("map", [(dtype, ["n"])] * 2, {"function": function})
        differential.check(named(*np.ascontiguousarray(pairs.T.astype(NUMPY_DTYPES[dtype]))))


@pytest.mark.parametrize(
    ("function", "words"),
    [
        ("truncated_div", "Integer division by zero"),
        ("floor_mod", "Integer division by zero"),
        ("pow", "Integers to negative integer powers are not allowed"),
    ],
)
def test_a_failing_element_fails_the_run_in_the_words_of_the_reference(function: str, words: str) -> None:
    differential = one_primitive("map", [("i32", ["n"])] * 2, {"function": function})
    feeds = named(np.arange(40, dtype=np.int32), np.where(np.arange(40) == 37, -1 if function == "pow" else 0, 2))
    feeds["p1"] = feeds["p1"].astype(np.int32)
    for run in (interpreted, compiled):
        with pytest.raises(LocatedFailure, match=words):
            run(differential.program, feeds)


def test_which_functions_have_no_kernel() -> None:
    on_host = set()
    for function in SCALAR_FUNCTIONS.values():
        for dtype in function.types:
            program = SymbolicProgram()
            operands = [program.parameter(f"p{k}", dtype, ["n"]) for k in range(function.arity)]
            results = program.apply("map", *operands, function=function.name)
            stages = split_into_stages(program.builder.finish(results), Target.host())
            on_host |= {(function.name, dtype) for stage in stages if isinstance(stage, HostStage)}
    assert on_host == {(name, dtype) for name in HOST_FUNCTIONS for dtype in COMPLEX}


# --- other elementwise primitives


@pytest.mark.parametrize("source", DTYPES)
@SETTINGS
@given(seed=seeds, size=sizes)
def test_conversions(source: str, seed: int, size: int) -> None:
    x = array(source, (size,), seed)
    conversions(source).check(named(x), [same_where(is_representable(x, target)) for target in DTYPES])


@functools.cache
def conversions(source: str) -> Differential:
    program = SymbolicProgram()
    x = program.parameter("p0", source, ["n"])
    return program.compile([program.apply("convert", x, dtype=target)[0] for target in DTYPES], ["fuse"])


def is_representable(x: np.ndarray, target: str) -> np.ndarray:
    """Whether an element type has the number, but for a fraction; for i32 and i64 all have a meaning."""
    if target not in INTEGERS - {"i32", "i64"} or x.dtype.kind not in "fc":
        return np.ones(x.shape, bool)
    limits = np.iinfo(NUMPY_DTYPES[target])
    with np.errstate(invalid="ignore"):
        return (np.trunc(x.real) >= limits.min) & (np.trunc(x.real) < float(limits.max) + 1)


def same_where(chosen: np.ndarray) -> Compare:
    """The elements that are chosen are the same."""
    return lambda expected, actual: assert_same_array(expected[chosen], actual[chosen])


@pytest.mark.parametrize("source", [dtype for dtype in DTYPES if dtype not in COMPLEX and dtype != "bool"])
@SETTINGS
@given(seed=seeds, size=sizes)
def test_bits_read_as_another_type(source: str, seed: int, size: int) -> None:
    bits_as_other_types(source).check(named(array(source, (size,), seed)))


@functools.cache
def bits_as_other_types(source: str) -> Differential:
    width = NUMPY_DTYPES[source].itemsize
    targets = [d for d in sorted(FLOATS | INTEGERS) if NUMPY_DTYPES[d].itemsize == width]
    program = SymbolicProgram()
    x = program.parameter("p0", source, ["n"])
    return program.compile([program.apply("bitcast", x, dtype=target)[0] for target in targets], ["fuse"])


@pytest.mark.parametrize("dtype", DTYPES)
@SETTINGS
@given(seed=seeds, size=sizes)
def test_selections(dtype: str, seed: int, size: int) -> None:
    condition, x, y = array("bool", (size,), seed), array(dtype, (size,), seed), array(dtype, (size,), seed + 1)
    selections(dtype).check({"c": condition, "x": x, "y": y, "s": array("bool", (), seed), "z": array(dtype, (), seed)})


@functools.cache
def selections(dtype: str) -> Differential:
    program = SymbolicProgram()
    condition, s = program.parameter("c", "bool", ["n"]), program.parameter("s", "bool", [])
    x, y, z = (program.parameter(name, dtype, shape) for name, shape in (("x", ["n"]), ("y", ["n"]), ("z", [])))
    operands = [(condition, x, y), (condition, x, z), (condition, z, y), (s, x, y), (s, z, z), (condition, z, z)]
    return program.compile([program.apply("select", *each)[0] for each in operands], ["fuse"])


@pytest.mark.parametrize("dtype", sorted(COMPLEX_OF))
@SETTINGS
@given(seed=seeds, size=sizes)
def test_complex_numbers_from_parts(dtype: str, seed: int, size: int) -> None:
    differential = one_primitive("make_complex", [(dtype, ["n"]), (dtype, ["n"])])
    differential.check(named(array(dtype, (size,), seed), array(dtype, (size,), seed + 1)))


HOST_PRIMITIVES = {
    "bind_sizes", "call_host", "cond", "dynamic_slice", "dynamic_update", "initialized_value", "nonzero", "sort",
    "stateless_random", "variable_is_initialized", "while",
}  # fmt: skip
"""The primitives that the reference interpreter computes, between native stages."""


def test_which_primitives_have_no_kernel() -> None:
    assert set(PRIMITIVES) - set(KERNEL_RULES) - PLACED == HOST_PRIMITIVES
