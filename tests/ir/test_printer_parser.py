"""Program text: what is printed is read back, nothing is lost, and errors say where."""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support.program_cases import HERE, ProgramCase, assert_same_outcome, interpreted
from support.random_programs import program_cases

from sessile.ir.builder import ProgramBuilder
from sessile.ir.parser import ProgramSyntaxError, parse
from sessile.ir.printer import canonical_text, host_functions, large_constants, text
from sessile.ir.program import Location, Program, SizeSource
from sessile.ir.sizes import symbol
from sessile.ir.types import NUMPY_DTYPES, TensorType


def constant_program(value: Any, dtype: str | None = None) -> Program:
    builder = ProgramBuilder("constant")
    builder.locations = HERE
    return builder.finish([builder.constant(value, dtype)])


def read_back(program: Program) -> Program:
    return parse(text(program), large_constants(program), host_functions(program))


def test_text_shows_a_program_line_by_line() -> None:
    builder = ProgramBuilder("loss")
    builder.locations = (Location("dense/MatMul", "/home/me/model.py", 12, "build"),)
    n = symbol(builder.new_symbol(SizeSource("parameter", "images", 0), 8))
    x = builder.emit("parameter", name="images", dtype="f32", shape=(n, 784))
    w = builder.emit("read_variable", name="dense/w", dtype="f32", shape=(784, 10))
    product = builder.contract(x, w, ((1,), (0,)))
    builder.locations = (Location("Max"), Location("Max"), Location("dense/MatMul", "/home/me/model.py", 12))
    total = builder.reduce("add", builder.max(product, 0.5), [1])
    builder.decide(n, ">=", 2)
    assert text(builder.finish([total])) == (
        "program @loss {\n"
        '  size n0 = parameter "images" axis 0\n'
        "  guard n0 >= 2\n"
        '  %0 = parameter "images"                                         : f32[n0, 784]  # model.py:12\n'
        '  %1 = read_variable "dense/w"                                    : f32[784, 10]  # model.py:12\n'
        "  %2 = contract %0, %1 {batch: [[], []], contracting: [[1], [0]]} : f32[n0, 10]   # model.py:12\n"
        "  %3 = constant 0.5                                               : f32[]         # Max; model.py:12\n"
        "  %4 = map max %2, %3                                             : f32[n0, 10]   # Max; model.py:12\n"
        "  %5 = reduce add %4 {axes: [1]}                                  : f32[n0]       # Max; model.py:12\n"
        "  return %5\n"
        "}\n"
    )


@settings(max_examples=80, suppress_health_check=[HealthCheck.too_slow])
@given(case=program_cases(max_steps=20))
def test_what_is_printed_is_read_back(case: ProgramCase) -> None:
    for locations in ("short", "full"):
        printed = text(case.program, locations)
        program = parse(printed, large_constants(case.program))
        assert text(program, locations) == printed
        assert canonical_text(program) == canonical_text(case.program)
    assert_same_outcome(interpreted(case), interpreted(case, program))


@given(bits=st.integers(0, 2**32 - 1))
def test_every_f32_keeps_its_bits(bits: int) -> None:
    value = np.array(bits, np.uint32).view(np.float32)
    (instruction,) = read_back(constant_program(value)).instructions
    assert instruction.attributes["value"].tobytes() == value.tobytes()


@given(bits=st.integers(0, 2**16 - 1))
def test_every_f16_keeps_its_bits(bits: int) -> None:
    value = np.array(bits, np.uint16).view(np.float16)
    (instruction,) = read_back(constant_program(value)).instructions
    assert instruction.attributes["value"].tobytes() == value.tobytes()


@given(value=st.floats(allow_nan=True, allow_infinity=True))
def test_every_f64_keeps_its_bits(value: float) -> None:
    (instruction,) = read_back(constant_program(value, "f64")).instructions
    assert instruction.attributes["value"].tobytes() == struct.pack("d", value)


@pytest.mark.parametrize(
    ("value", "dtype", "shown"),
    [
        (0.1, "f32", "0.1"),
        (-0.0, "f32", "-0.0"),
        (math.inf, "f64", "inf"),
        (np.array(0xFFC00001, np.uint32).view(np.float32), "f32", "nan(0xffc00001)"),
        ([True, False], "bool", "[true, false]"),
        ([[1, -2], [3, 4]], "i8", "[[1, -2], [3, 4]]"),
        (2**64 - 1, "u64", "18446744073709551615"),
        (complex(-0.0, math.nan), "c64", "(-0.0, nan)"),
        (np.zeros((2, 0)), "f64", "[[], []]"),
        (np.zeros((2, 0, 3)), "f64", "[[], []]"),
        (np.zeros((2**20, 2**20, 0)), "f64", "[]"),
        ([b"a\xff\n", 'b"\u2028'], "string", r'[b"a\u00ff\n", "b\"\u2028"]'),
    ],
)
def test_small_constants_are_shown(value: Any, dtype: str, shown: str) -> None:
    program = constant_program(np.array(value, NUMPY_DTYPES[dtype]), dtype)
    assert f"constant {shown} : {dtype}[" in text(program)
    (instruction,) = read_back(program).instructions
    read, written = instruction.attributes["value"], program.instructions[0].attributes["value"]
    assert (read.dtype, read.shape) == (written.dtype, written.shape)
    assert read.tolist() == written.tolist() if dtype == "string" else read.tobytes() == written.tobytes()


def test_large_constants_are_kept_aside() -> None:
    program = constant_program(np.arange(65.0))
    ((key, array),) = large_constants(program).items()
    assert f"constant dense<{key}> : f64[65]" in text(program)
    assert read_back(program).instructions[0].attributes["value"] is array
    with pytest.raises(ProgramSyntaxError, match="no large constant has the hash"):
        parse(text(program))


def test_host_functions_are_named_and_found_again() -> None:
    def first(x: np.ndarray) -> tuple[np.ndarray]:
        return (x,)

    def other(name: str) -> Callable[..., Any]:
        def first(x: np.ndarray) -> tuple[np.ndarray]:
            return (x + 1,)

        first.__qualname__ = name
        return first

    functions = [first, other(first.__qualname__)]
    builder = ProgramBuilder("calls")
    x = builder.emit("parameter", name="x", dtype="f32", shape=(2,))
    results = [builder.emit("call_host", x, function=f, types=(TensorType("f32", (2,)),)) for f in functions]
    program = builder.finish(results)
    names = list(host_functions(program))
    assert names[1] == f"{names[0]}_1"
    calls = [i for i in read_back(program).instructions if i.name == "call_host"]
    assert [call.attributes["function"] for call in calls] == functions
    assert calls[0].attributes["types"] == (TensorType("f32", (2,)),)
    with pytest.raises(ProgramSyntaxError, match="no host function is called"):
        parse(text(program))


def test_full_locations_lose_nothing() -> None:
    builder = ProgramBuilder("located")
    builder.locations = (Location("a/b", "/tmp/x y.py", 3, "<module>"), Location("c"))
    program = builder.finish([builder.constant(1.0)])
    assert parse(text(program, "full")).instructions[0].locations == builder.locations


def test_canonical_text_forgets_names_ids_and_places() -> None:
    def build(prefix: str, skipped: int, line: int) -> Program:
        builder = ProgramBuilder(prefix)
        builder.locations = (Location(prefix, "m.py", line),)
        for _ in range(skipped):
            builder.new_value(TensorType("f32"))
        n = symbol(builder.new_symbol(SizeSource("parameter", f"{prefix}/x", 0), 3))
        x = builder.emit("parameter", name=f"{prefix}/x", dtype="f32", shape=(n,))
        v = builder.emit("read_variable", name=f"{prefix}/v", dtype="f32", shape=())
        builder.emit("write_variable", builder.add(v, 1.0), name=f"{prefix}/v")
        return builder.finish([builder.mul(x, v)])

    assert canonical_text(build("a", 0, 1)) == canonical_text(build("b", 5, 9))
    assert text(build("a", 0, 1)) != text(build("b", 0, 1))


def test_canonical_text_tells_different_programs_apart() -> None:
    def build(first: str, second: str) -> Program:
        builder = ProgramBuilder("p")
        x = builder.emit("parameter", name="x", dtype="f32", shape=())
        y = builder.emit("parameter", name="y", dtype="f32", shape=())
        values = {"x": x, "y": y}
        return builder.finish([builder.sub(values[first], values[second])])

    assert canonical_text(build("x", "y")) != canonical_text(build("y", "x"))


def test_canonical_text_forgets_the_order_of_independent_instructions() -> None:
    def build(first: str, second: str) -> Program:
        builder = ProgramBuilder("p")
        x = builder.emit("parameter", name="x", dtype="f32", shape=())
        reads = {name: builder.emit("read_variable", name=name, dtype="f32", shape=()) for name in (first, second)}
        products = {name: builder.mul(x, read) for name, read in reads.items()}
        return builder.finish([builder.sub(products["v"], products["w"])])

    assert canonical_text(build("v", "w")) == canonical_text(build("w", "v"))


GOOD = """program @f {
  %0 = parameter "x" : f32[2]  # here
  %1 = map neg %0 : f32[2]
  return %1
}
"""


def test_attributes_that_the_type_states_are_added() -> None:
    parameter = parse(GOOD).instructions[0]
    assert parameter.attributes == {"name": "x", "dtype": "f32", "shape": (2,)}
    assert parse(GOOD, location=Location("test")).instructions[1].locations == (Location("test"),)


def test_an_attribute_against_the_type_is_shown() -> None:
    odd = GOOD.replace(": f32[2]  # here", "{shape: [3]} : f32[2]  # here")
    assert parse(odd).instructions[0].attributes["shape"] == (3,)
    assert "{shape: [3]}" in text(parse(odd))


@pytest.mark.parametrize(
    ("old", "new", "line", "column", "message"),
    [
        ("program @f", "programme @f", 1, 8, "expected '{'"),
        ("map neg", "mapp neg", 3, 8, "no primitive is called 'mapp'"),
        ("neg %0", "neg %7", 3, 16, "%7 is not defined here"),
        ("neg %0", "neg %1", 3, 16, "%1 is not defined here"),
        ("%1 = map", "%0 = map", 3, 3, "%0 is defined twice"),
        ("%1 = map", "%1, %2 = map", 3, 31, "1 types for 2 results"),
        ("%0 : f32[2]\n", "%0 : f31[2]\n", 3, 21, "no element type is called 'f31'"),
        ("%0 : f32[2]\n", "%0 : f32[n0 +]\n", 3, 25, "not a size: 'n0 +'"),
        ("%0 : f32[2]\n", "%0 {axis 3} : f32[2]\n", 3, 25, "expected ':'"),
        ("return %1\n}", "}", 4, 3, "expected a primitive"),
        ("return %1\n}", "return %1", 5, 1, "expected '}'"),
        ('"x" :', '"x :', 2, 18, "expected a string"),
        ("return %1\n}\n", "return %1\n}\nreturn\n", 6, 1, "nothing may follow the program"),
        ("  %0", '  size n0 = guess "x" axis 0\n  %0', 2, 18, "a size comes from a parameter, variable, value, result"),
        ("  %0", "  guard n0 << 3\n  %0", 2, 12, "expected one of == != >= <="),
    ],
)
def test_errors_say_where(old: str, new: str, line: int, column: int, message: str) -> None:
    with pytest.raises(ProgramSyntaxError) as caught:
        parse(GOOD.replace(old, new))
    assert message in str(caught.value)
    assert (caught.value.line, caught.value.column) == (line, column)


def test_constants_must_fit_their_type() -> None:
    with pytest.raises(ProgramSyntaxError, match="300 is out of range"):
        parse("program @f {\n  %0 = constant 300 : u8[]\n  return %0\n}\n")
    with pytest.raises(ProgramSyntaxError, match="not a constant of type"):
        parse("program @f {\n  %0 = constant [1, 2] : i32[3]\n  return %0\n}\n")
