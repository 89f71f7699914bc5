"""Kernels of fused loops and contractions against the reference interpreter, over shapes and sizes; and their source.

A kernel with unknown sizes is compiled once and runs for several of them, empty ones too, as one part and as three.
"""

from __future__ import annotations

import re
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from support.golden import check_cases, read_cases
from support.kernel_harness import check_kernels, check_text, compiled, made_up, run_instruction
from support.program_cases import HERE, CaseContext, ProgramCase
from support.random_programs import program_cases

from sessile.compiler.cpu.codegen import streamed_loop
from sessile.compiler.kernel_call import KERNEL_RULES
from sessile.compiler.pass_pipeline import run_passes
from sessile.compiler.passes.fuse import fuse
from sessile.compiler.target import Target
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.parser import parse
from sessile.ir.primitive import RunFailure
from sessile.ir.program import Instruction
from sessile.ir.scalar_functions import SCALAR_FUNCTIONS
from sessile.ir.types import NUMPY_DTYPES

RANDOM = np.random.default_rng(5)
SIZES = (0, 1, 5, 40)


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
    parameters = {name: made_up(RANDOM, "f32", shape) for name, shape in shapes.items()}
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
        assert check_text(text, {"x": made_up(RANDOM, "f32", (n, 70, 2))}, n) == {"loop": 1}


def test_padding_between_elements() -> None:
    text = """
program @spread {
  size n = parameter "x" axis 0
  %0 = parameter "x" : f32[n, 3, 4]
  %1 = parameter "filling" : f32[]
  %2 = pad %0, %1 {high: [0, -1, 2], interior: [1, 2, 0], low: [2, -2, 1]} : f32[2*n + 1, 4, 7]
  return %2
}
"""
    for n in (1, 2, 5):
        parameters = {"x": made_up(RANDOM, "f32", (n, 3, 4)), "filling": np.array(0.5, "f4")}
        assert check_text(text, parameters, n) == {"pad": 1}


def test_parts_share_a_long_loop_inside_a_short_one() -> None:
    text = """
program @inner {
  %0 = parameter "x" : f32[3, 500]
  %1 = parameter "bias" : f32[3]
  %2 = broadcast %1 {axes: [0]} : f32[3, 500]
  %3 = map add %0, %2 : f32[3, 500]
  return %3
}
"""
    parameters = {"x": made_up(RANDOM, "f32", (3, 500)), "bias": made_up(RANDOM, "f32", (3,))}
    assert check_text(text, parameters) == {"loop": 1}
    (call,) = KERNEL_RULES["fused"](_fused(text), Target.host())
    assert re.search(r"for i0 in range\(n0\):\n.*\n *for i1 in range\(n1 \* part", call.source.source)


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


# --- failures and updates in place


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
    (call,) = KERNEL_RULES["fused"](fused, Target.host())
    assert len(call.source.argument_types) == 4
    w, g = RANDOM.random(50).astype("f4"), RANDOM.random(50).astype("f4")
    results = run_instruction(fused, [w, g], parts=3)
    np.testing.assert_array_equal(results[number], w - w * g)
    np.testing.assert_array_equal(results[1 - number], w * g)


# --- the code itself

GOLDEN = Path(__file__).parent / "kernels" / "fused.txt"


def test_kernels_have_the_expected_source(update_golden: bool) -> None:
    cases = read_cases(GOLDEN.read_text(encoding="utf-8"))
    check_cases(GOLDEN, "", cases, [kernels_of(case.program) for case in cases], update_golden)


def kernels_of(text: str) -> str:
    """The sources of the kernels of a program's fused instructions."""
    fused = [i for i in fuse(parse(text, location=HERE[0])).instructions if i.name == "fused"]
    calls = [call for instruction in fused for call in KERNEL_RULES["fused"](instruction, Target.host())]
    return "\n".join(call.source.source for call in calls)


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
    (first,), (second,) = (KERNEL_RULES["fused"](_fused(each), Target.host()) for each in (text, other))
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
    (call,) = KERNEL_RULES["fused"](_fused(text), Target.host())
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


@settings(max_examples=12, suppress_health_check=list(HealthCheck), phases=[Phase.explicit, Phase.generate])
@given(case=program_cases(max_steps=14, steps=STEPS))
def test_kernels_of_random_programs(case: ProgramCase) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        # what is dead may be inexact, and then depends on the order of additions
        fused = run_passes(case.program, ("dead-code", "fuse"))
        check_kernels(fused, CaseContext(ProgramCase(fused, case.parameters, case.variables, case.bindings)))


STREAMED = """
program @streamed {{
  size n = parameter "x" axis 0
  %0 = parameter "x" : {0}[n]
  %1 = parameter "y" : {0}[n]
  %2 = parameter "scalar" : {0}[]
  %3 = map add %0, %1 : {0}[n]
  %4 = map mul %3, %2 : {0}[n]
  %5 = iota {{axis: 0}} : {0}[n]
  %6 = map max %4, %5 : {0}[n]
  return %6
}}
"""


@pytest.mark.parametrize("dtype", ["f32", "f64", "i32", "i64"])
def test_large_results_are_stored_past_the_caches(dtype: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(streamed_loop, "LEAST_BYTES", 8 * 70)
    text = STREAMED.format(dtype)
    for n in (0, 1, 64, 69, 70, 127, 128, 140, 141, 1000):
        parameters = {name: made_up(RANDOM, dtype, (n,)) for name in "xy"} | {"scalar": made_up(RANDOM, dtype, ())}
        assert check_text(text, parameters, n) == {"loop": 1}
    (call,) = KERNEL_RULES["fused"](_fused(text), Target.host())
    assert "streams(out0" in call.source.source
    assert re.search(r"\bv?movnt", compiled(call.source).assembly) or "x86_64" not in Target.host().triple


@pytest.mark.parametrize(
    ("size", "streams"),
    [("n", True), ("n, k", True), ("n, 256", False), ("1000000", False), ("4194304", True), ("2048, 2048", True)],
)
def test_only_what_may_be_large_has_a_second_body(size: str, streams: bool) -> None:
    symbols = "".join(f'  size {name} = parameter "x" axis {k}\n' for k, name in enumerate("nk") if name in size)
    text = f"""
program @p {{
{symbols}
  %0 = parameter "x" : f32[{size}]
  %1 = map neg %0 : f32[{size}]
  %2 = map mul %1, %1 : f32[{size}]
  return %2
}}
"""
    (call,) = KERNEL_RULES["fused"](_fused(text), Target.host())
    assert ("streams(" in call.source.source) is streams
