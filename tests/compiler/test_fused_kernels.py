"""Kernels of fused instructions against the reference interpreter, over element types, shapes and sizes.

A kernel with unknown sizes is compiled once and runs for several of them, empty ones too, as one part and as three.
"""

from __future__ import annotations

import math
import re
import warnings

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from support.kernel_harness import assert_agrees, check_kernels, compiled, run_instruction
from support.program_cases import HERE, CaseContext, ProgramCase
from support.random_programs import program_cases

from sessile.compiler.cpu.codegen.scalar_code import scalar_code
from sessile.compiler.kernel_call import KERNEL_RULES, NoKernel
from sessile.compiler.pass_pipeline import run_passes
from sessile.compiler.passes.fuse import fuse
from sessile.ir.builder import ProgramBuilder
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.parser import parse
from sessile.ir.primitive import PRIMITIVES, RunFailure
from sessile.ir.program import Instruction, Region, Value
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS
from sessile.ir.types import COMPLEX, FLOATS, INTEGERS, NUMPY_DTYPES

RANDOM = np.random.default_rng(5)
SIZES = (0, 1, 5, 40)
ELEMENT_TYPES = ("f16", "f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "bool", "c64", "c128")
TOLERANCES = {"f16": 2e-3, "f32": 2e-5, "f64": 1e-12, "c64": 2e-5, "c128": 1e-12}


def made_up(dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers with some special values among them."""
    held = NUMPY_DTYPES[dtype]
    if held.kind == "b":
        return RANDOM.random(shape) < 0.5
    if held.kind == "c":
        return (RANDOM.normal(0, 2, shape) + 1j * RANDOM.normal(0, 2, shape)).astype(held)
    if held.kind == "f":
        special = RANDOM.choice([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, 0.5, -2.5], shape)
        return np.where(RANDOM.random(shape) < 0.3, special, RANDOM.normal(0, 2, shape)).astype(held)
    limits = np.iinfo(held)
    numbers = RANDOM.integers(max(limits.min, -50), 50, shape).astype(held)
    extremes = np.array([limits.min, limits.max], held)
    return np.where(RANDOM.random(shape) < 0.1, RANDOM.choice(extremes, shape), numbers)


def check_text(text: str, parameters: dict[str, np.ndarray], n: int = 0, tolerance: float = 0.0) -> dict[str, int]:
    """Fuses the program of a text and compares its kernels with the interpreter; `n` is its only symbol."""
    case = ProgramCase(fuse(parse(text, location=HERE[0])), parameters, {}, {"n": n})
    return check_kernels(case.program, CaseContext(case), tolerance=tolerance)


# --- scalar functions


def fused_of(builder: ProgramBuilder, results: list[Value], parameters: list[Value]) -> Instruction:
    """All that a builder has made, as one fused instruction of kind "loop"."""
    program = builder.finish(results)
    body = tuple(i for i in program.instructions if i.name != "parameter")
    outside = tuple(Value(1000 + k, value.type) for k, value in enumerate(parameters))
    given = tuple(Value(2000 + k, value.type) for k, value in enumerate(results))
    region = Region(tuple(parameters), body, tuple(results))
    return Instruction(PRIMITIVES["fused"], outside, {"kind": "loop"}, given, HERE, (region,))


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_scalar_functions(dtype: str) -> None:
    builder = ProgramBuilder("functions")
    builder.locations = HERE
    x, y = (builder.emit("parameter", name=name, dtype=dtype, shape=(100,)) for name in "xy")
    names = [f.name for f in SCALAR_FUNCTIONS.values() if dtype in f.types and _has_text(f.name, dtype)]
    results = [builder.map(name, *(x, y)[: SCALAR_FUNCTIONS[name].arity]) for name in names]
    instruction = fused_of(builder, results, [x, y])
    operands = [made_up(dtype, (100,)), made_up(dtype, (100,))]
    if dtype in INTEGERS:
        operands[1] = np.where(operands[1] == 0, 3, np.minimum(np.abs(operands[1]), 9)).astype(operands[1].dtype)
        operands[1] = np.maximum(operands[1], 1)
    for name, result in zip(names, run_instruction(instruction, operands), strict=True):
        with np.errstate(all="ignore"):
            expected = SCALAR_FUNCTIONS[name].reference(*operands[: SCALAR_FUNCTIONS[name].arity])
        try:
            _assert_close(np.asarray(expected), result, dtype)
        except AssertionError as error:
            error.add_note(f"{name} of {dtype}")
            raise


def _has_text(name: str, dtype: str) -> bool:
    try:
        return bool(scalar_code(name, dtype, ["x", "y"]))
    except NoKernel:
        assert dtype in COMPLEX
        return False


def _assert_close(expected: np.ndarray, actual: np.ndarray, dtype: str) -> None:
    """Zeros may have either sign where NumPy's own code decides it by the processor's."""
    assert actual.dtype == expected.dtype
    tolerance = TOLERANCES.get(dtype, 0.0) if expected.dtype.kind in "fc" else 0.0
    np.testing.assert_allclose(actual, expected, rtol=tolerance, atol=tolerance)


@pytest.mark.parametrize("source", ELEMENT_TYPES)
def test_conversions(source: str) -> None:
    builder = ProgramBuilder("conversions")
    builder.locations = HERE
    x = builder.emit("parameter", name="x", dtype=source, shape=(50,))
    targets = [t for t in ELEMENT_TYPES if t != source]
    results = [builder.convert(x, target) for target in targets]
    values = RANDOM.normal(0, 20, 50) if source not in INTEGERS else RANDOM.integers(0, 100, 50)
    operand = values.astype(NUMPY_DTYPES[source])
    for target, result in zip(targets, run_instruction(fused_of(builder, results, [x]), [operand]), strict=True):
        wanted = PRIMITIVES["convert"].reference(operand, dtype=target)
        assert_agrees(wanted, result, TOLERANCES["f16"] if target == "f16" else 0.0)


def test_bits_and_parts_of_complex_numbers() -> None:
    builder = ProgramBuilder("bits")
    builder.locations = HERE
    x = builder.emit("parameter", name="x", dtype="f32", shape=(20,))
    whole = builder.emit("make_complex", x, builder.neg(x))
    results = [builder.emit("bitcast", x, dtype="i32"), whole, builder.map("imag", whole)]
    operand = made_up("f32", (20,))
    bits, complex_numbers, imaginary = run_instruction(fused_of(builder, results, [x]), [operand])
    np.testing.assert_array_equal(bits, operand.view(np.int32))
    np.testing.assert_array_equal(complex_numbers.real, operand)
    np.testing.assert_array_equal(complex_numbers.imag, -operand)
    np.testing.assert_array_equal(imaginary, -operand)


def test_constants_are_exact() -> None:
    builder = ProgramBuilder("constants")
    builder.locations = HERE
    numbers = [
        np.float32(0.1), np.float32(-0.0), np.float32(np.inf), np.float32(np.nan), np.float32(1e-45), np.float32(3e38),
        np.float64(0.1), np.float64(5e-324), np.float16(0.1), np.int64(-(2**63)), np.uint64(2**64 - 1), np.int8(-128),
        np.complex64(0.1 - 0.5j), np.bool_(True),
    ]  # fmt: skip
    condition = builder.emit("parameter", name="condition", dtype="bool", shape=(3,))
    constants = [builder.constant(number) for number in numbers]
    results = [builder.emit("select", condition, constant, constant) for constant in constants]
    found = run_instruction(fused_of(builder, results, [condition]), [np.array([True, False, True])])
    for number, result in zip(numbers, found, strict=True):
        assert_agrees(np.full(3, number), result)


# --- loops

LOOPS = """
program @loops {
  size n = parameter "x" axis 0
  %0 = parameter "x" : f32[n, 2, 3]
  %1 = parameter "bias" : f32[3]
  %2 = parameter "rows" : f32[n, 1, 1]
  %3 = parameter "scalar" : f32[]
  %4 = broadcast %1 {axes: [2]} : f32[n, 2, 3]
  %5 = map add %0, %4 : f32[n, 2, 3]
  %6 = broadcast %2 {axes: [0, 1, 2]} : f32[n, 2, 3]
  %7 = map mul %5, %6 : f32[n, 2, 3]
  %8 = map sub %7, %3 : f32[n, 2, 3]
  %9 = iota {axis: 1} : f32[n, 2, 3]
  %10 = map gt %8, %9 : bool[n, 2, 3]
  %11 = select %10, %8, %3 : f32[n, 2, 3]
  %12 = reverse %11 {axes: [0, 2]} : f32[n, 2, 3]
  %13 = transpose %12 {permutation: [2, 0, 1]} : f32[3, n, 2]
  %14 = map neg %13 : f32[3, n, 2]
  %15 = reshape %8 : f32[n, 6]
  %16 = pad %15, %3 {high: [0, 2], interior: [0, 0], low: [1, 0]} : f32[n + 1, 8]
  %17 = concat %16, %16 {axis: 0} : f32[2*n + 2, 8]
  %18 = map abs %17 : f32[2*n + 2, 8]
  %19 = slice %0 {starts: [0, 1, 0], strides: [1, 1, 2]} : f32[n, 1, 2]
  %20 = map neg %19 : f32[n, 1, 2]
  return %10, %11, %14, %18, %20
}
"""


@pytest.mark.parametrize("n", SIZES)
def test_loops_with_movement(n: int) -> None:
    shapes = {"x": (n, 2, 3), "bias": (3,), "rows": (n, 1, 1), "scalar": ()}
    parameters = {name: made_up("f32", shape) for name, shape in shapes.items()}
    assert check_text(LOOPS, parameters, n)["loop"] >= 3


def test_scalars_alone() -> None:
    text = """
program @scalars {
  %0 = parameter "x" : f64[]
  %1 = constant 2.0 : f64[]
  %2 = map mul %0, %1 : f64[]
  %3 = map sqrt %2 : f64[]
  return %3, %2
}
"""
    assert check_text(text, {"x": np.array(8.0)}) == {"loop": 1}


def test_wide_transposes_go_by_tiles() -> None:
    text = """
program @transposed {
  size n = parameter "x" axis 0
  %0 = parameter "x" : f32[n, 70, 2]
  %1 = transpose %0 {permutation: [1, 2, 0]} : f32[70, 2, n]
  %2 = map neg %1 : f32[70, 2, n]
  return %2
}
"""
    for n in (0, 1, 100):
        assert check_text(text, {"x": made_up("f32", (n, 70, 2))}, n) == {"loop": 1}


# --- reductions

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
    assert len(KERNEL_RULES["fused"](fused)) == 2
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


# --- contractions


@pytest.mark.parametrize("dtype", ["f32", "f16", "i32"])
def test_contractions_with_an_epilogue(dtype: str) -> None:
    text = f"""
program @dense {{
  size n = parameter "x" axis 0
  %0 = parameter "x" : {dtype}[n, 7]
  %1 = parameter "w" : {dtype}[7, 20]
  %2 = parameter "b" : {dtype}[20]
  %3 = parameter "r" : {dtype}[n, 20]
  %4 = parameter "s" : {dtype}[n]
  %5 = contract %0, %1 {{batch: [[], []], contracting: [[1], [0]]}} : {dtype}[n, 20]
  %6 = broadcast %2 {{axes: [1]}} : {dtype}[n, 20]
  %7 = map add %5, %6 : {dtype}[n, 20]
  %8 = map max %7, %3 : {dtype}[n, 20]
  %9 = broadcast %4 {{axes: [0]}} : {dtype}[n, 20]
  %10 = map mul %8, %9 : {dtype}[n, 20]
  %11 = map gt %7, %3 : bool[n, 20]
  return %10, %11
}}
"""
    for n in (0, 1, 40):
        shapes = {"x": (n, 7), "w": (7, 20), "b": (20,), "r": (n, 20), "s": (n,)}
        parameters = {name: RANDOM.integers(-3, 4, s).astype(NUMPY_DTYPES[dtype]) for name, s in shapes.items()}
        assert check_text(text, parameters, n) == {"contraction": 1}


# --- failures, updates in place, the code itself


def failing(function: str, dtype: str = "i32") -> Instruction:
    text = f"""
program @failing {{
  %0 = parameter "x" : {dtype}[20]
  %1 = parameter "y" : {dtype}[20]
  %2 = map {function} %0, %1 : {dtype}[20]
  %3 = map neg %2 : {dtype}[20]
  return %3
}}
"""
    return fuse(parse(text, location=HERE[0])).instructions[-1]


@pytest.mark.parametrize("function", ["floor_div", "truncated_mod", "pow"])
def test_integers_report_what_has_no_result(function: str) -> None:
    x, y = np.full(20, 7, np.int32), np.full(20, 2, np.int32)
    (fine,) = run_instruction(failing(function), [x, y], parts=3)
    np.testing.assert_array_equal(fine, -SCALAR_FUNCTIONS[function].reference(x, y))
    y[13] = -1 if function == "pow" else 0
    with pytest.raises(RunFailure) as expected:
        SCALAR_FUNCTIONS[function].reference(x, y)
    with pytest.raises(LocatedFailure, match=re.escape(str(expected.value))):
        run_instruction(failing(function), [x, y], parts=3)


def test_a_slice_that_leaves_its_operand_is_reported() -> None:
    text = """
program @slice {
  size n = parameter "x" axis 0
  size m = parameter "y" axis 0
  %0 = parameter "x" : f32[n]
  %1 = parameter "y" : f32[m]
  %2 = slice %0 {starts: [1], strides: [1]} : f32[m]
  %3 = map add %2, %1 : f32[m]
  return %3
}
"""
    fused = fuse(parse(text, location=HERE[0])).instructions[-1]
    x = np.arange(5, dtype="f4")
    (result,) = run_instruction(fused, [x, np.ones(4, "f4")], {"n": 5, "m": 4})
    np.testing.assert_array_equal(result, x[1:] + 1)
    with pytest.raises(LocatedFailure, match=re.escape("slice [1, 6) leaves an axis of size 5")):
        run_instruction(fused, [x, np.ones(5, "f4")], {"n": 5, "m": 5}, parts=2)


def test_an_update_in_place_has_one_array() -> None:
    text = """
program @update {
  %0 = parameter "w" : f32[50]
  %1 = parameter "g" : f32[50]
  %2 = map mul %0, %1 : f32[50]
  %3 = map sub %0, %2 : f32[50]
  return %2, %3
}
"""
    fused = fuse(parse(text, location=HERE[0])).instructions[-1]
    number = fused.regions[0].results.index(fused.regions[0].instructions[-1].result)
    attributes = {**fused.attributes, "in_place": ((number, 0),)}
    fused = Instruction(fused.primitive, fused.operands, attributes, fused.results, fused.locations, fused.regions)
    (call,) = KERNEL_RULES["fused"](fused)
    assert len(call.source.argument_types) == 4
    w, g = RANDOM.random(50).astype("f4"), RANDOM.random(50).astype("f4")
    results = run_instruction(fused, [w, g], parts=3)
    np.testing.assert_array_equal(results[number], w - w * g)
    np.testing.assert_array_equal(results[1 - number], w * g)


def _fused(text: str) -> Instruction:
    return fuse(parse(text, location=HERE[0])).instructions[-1]


def test_equal_kernels_of_different_programs_are_equal_text() -> None:
    text = """
program @one {
  %0 = parameter "x" : f32[7, 3]
  %1 = parameter "b" : f32[3]
  %2 = broadcast %1 {axes: [1]} : f32[7, 3]
  %3 = map add %0, %2 : f32[7, 3]
  return %3
}
"""
    header = 'program @two {\n  size n = parameter "x" axis 0'
    other = text.replace("7", "n").replace("%", "%1").replace("program @one {", header)
    (first,), (second,) = (KERNEL_RULES["fused"](_fused(each)) for each in (text, other))
    assert first.source.name == second.source.name


@pytest.mark.parametrize("function", ["add", "exp", "max"])
def test_loops_are_vectorised(function: str) -> None:
    operands = "%0, %0" if SCALAR_FUNCTIONS[function].arity == 2 else "%0"
    text = f"""
program @vectors {{
  %0 = parameter "x" : f32[1000, 300]
  %1 = map {function} {operands} : f32[1000, 300]
  %2 = map neg %1 : f32[1000, 300]
  %3 = reduce add %2 {{axes: [1]}} : f32[1000]
  return %3
}}
"""
    (call,) = KERNEL_RULES["fused"](_fused(text))
    assembly = compiled(call.source).assembly
    if "x86_64" not in compiled(call.source).target.triple:
        pytest.skip("looks for vector instructions of x86")
    assert re.search(r"\bv?(add|sub)ps\b.*[xyz]mm", assembly)


# --- random programs


STEPS = (
    "arithmetic", "unary", "halve", "power", "whole_quotient", "compare", "negate_truth", "select", "convert",
    "broadcast", "expand", "reshape", "transpose", "slice_part", "pad", "concat", "reverse", "reduce",
    "less_reduced", "contract",
)  # fmt: skip


@settings(
    max_examples=12, deadline=None, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate]
)
@given(case=program_cases(max_steps=14, steps=STEPS))
def test_kernels_of_random_programs(case: ProgramCase) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # what is dead may be inexact, and then depends on the order of additions
        fused = run_passes(case.program, ("dead-code", "fuse"))
        check_kernels(fused, CaseContext(ProgramCase(fused, case.parameters, case.variables, case.bindings)))
