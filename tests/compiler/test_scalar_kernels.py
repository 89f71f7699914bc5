"""Elementwise kernels against the reference: every scalar function, conversion and constant of every element type."""

from __future__ import annotations

import numpy as np
import pytest
from support.kernel_harness import assert_agrees, made_up, run_instruction
from support.program_cases import HERE

from sessile.compiler.cpu.codegen.scalar_code import scalar_code
from sessile.compiler.kernel_call import NoKernel
from sessile.ir.builder import ProgramBuilder
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Instruction, Region, Value
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS
from sessile.ir.types import COMPLEX, INTEGERS, NUMPY_DTYPES

RANDOM = np.random.default_rng(5)
ELEMENT_TYPES = ("f16", "f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "bool", "c64", "c128")
TOLERANCES = {"f16": 2e-3, "f32": 2e-5, "f64": 1e-12, "c64": 2e-5, "c128": 1e-12}


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
    operands = [made_up(RANDOM, dtype, (100,)), made_up(RANDOM, dtype, (100,))]
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
    operand = made_up(RANDOM, "f32", (20,))
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
