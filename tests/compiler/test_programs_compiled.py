"""Whole programs through the native pipeline, against the reference interpreter: random ones, with many sizes, with
variables, with stages on the host, with several threads.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from support import execution
from support.execution import CompiledProgram, store_of
from support.other_sizes import with_other_sizes
from support.program_cases import Outcome, ProgramCase, assert_same_array, assert_same_outcome, interpreted
from support.random_programs import program_cases
from support.variable_programs import variable_cases

from sessile.compiler import bound_stage
from sessile.compiler.compile_program import NATIVE_PIPELINE
from sessile.compiler.cpu.load_kernels import kernel_store
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.parser import parse
from sessile.ir.program import Program

SETTINGS = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


def compile_case(program: Program) -> CompiledProgram:
    return CompiledProgram(program, NATIVE_PIPELINE, allow_host=True)


def assert_compiled_equals_interpreted(case: ProgramCase, threads: int = 1) -> None:
    actual = compile_case(case.program).outcome(case.parameters, case.variables, threads)
    assert_same_outcome(interpreted(case), Outcome(*actual))


@SETTINGS
@given(case=program_cases(max_steps=14))
def test_random_programs(case: ProgramCase) -> None:
    assert_compiled_equals_interpreted(case)


@SETTINGS
@given(case=program_cases(max_steps=10))
def test_random_programs_whose_steps_are_all_shared(case: ProgramCase) -> None:
    with every_step_shared():
        assert_compiled_equals_interpreted(case, threads=3)


@contextmanager
def every_step_shared() -> Iterator[None]:
    """Threads share each step that they can, however small."""
    usual = bound_stage.WORK_PER_THREAD
    bound_stage.WORK_PER_THREAD = 1
    try:
        yield
    finally:
        bound_stage.WORK_PER_THREAD = usual


@SETTINGS
@given(case=variable_cases())
def test_random_programs_with_variables(case: ProgramCase) -> None:
    assert_compiled_equals_interpreted(case)


# --- one native program, many sizes


@SETTINGS
@given(case=program_cases(max_steps=10), data=st.data())
def test_new_sizes_call_no_compiler(case: ProgramCase, data: Any) -> None:
    program = compile_case(case.program)
    program.outcome(case.parameters, case.variables)
    compiled_before = kernel_store.compiled
    for _ in range(3):
        other = with_other_sizes(case, data)
        if other is not None:
            assert_same_end(program, other)
    assert kernel_store.compiled == compiled_before


def assert_same_end(program: CompiledProgram, case: ProgramCase) -> None:
    """Both tiers give the same, or fail with the same words."""
    try:
        expected = interpreted(case)
    except LocatedFailure as failure:
        with pytest.raises(LocatedFailure, match=re.escape(str(failure))):
            program.outcome(case.parameters, case.variables)
    else:
        assert_same_outcome(expected, Outcome(*program.outcome(case.parameters, case.variables)))


def test_memory_of_other_sizes_is_found_anew() -> None:
    program = compile_case(parse(GROWING))
    store = store_of({})
    executables = {}
    for n in (3, 1000, 0, 3, 70_000, 5):
        feeds = {"x": np.arange(3 * n, dtype=np.float32).reshape(n, 3)}
        executables[n] = program.executable(feeds, store)
    for n, executable in executables.items():
        feeds = {"x": np.arange(3 * n, dtype=np.float32).reshape(n, 3)}
        product, sums = program.run(executable, feeds, store)
        expected, _ = execution.interpreted(program.program, feeds)
        assert_same_array(expected[0], product)
        assert_same_array(expected[1], sums)


GROWING = """
program @growing {
  size n0 = parameter "x" axis 0
  %0 = parameter "x" : f32[n0, 3]
  %1 = transpose %0 {permutation: [1, 0]} : f32[3, n0]
  %2 = scan add %0 {axis: 0, exclusive: false, reverse: false} : f32[n0, 3]
  %3 = window_reduce max %2 {padding: [[0, 0], [0, 0]], strides: [1, 1], window: [1, 1]} : f32[n0, 3]
  %4 = reduce max %3 {axes: [1]} : f32[n0]
  return %1, %4
}
"""


# --- host stages


HOST_BETWEEN = """
program @chosen {
  size n0 = parameter "x" axis 0
  size s1 = result %2 axis 0
  %0 = parameter "x" : f32[n0]
  %1 = map mul %0, %0 : f32[n0]
  %2 = nonzero %1 {count: "s1"} : i64[s1, 1]
  %3 = reshape %2 {} : i64[s1]
  %4 = gather %1, %3 {axis: 0, batch: 0} : f32[s1]
  %5 = map add %4, %4 : f32[s1]
  %6 = reduce add %5 {axes: [0]} : f32[]
  return %3, %5, %6, %1
}
"""


def test_sizes_that_a_stage_on_the_host_decides() -> None:
    program = compile_case(parse(HOST_BETWEEN.replace(" {} :", " :")))
    store = store_of({})
    executable = program.executable({"x": np.zeros(6, np.float32)}, store)
    for x in ([0, 1, 0, 2, 3, 0], [0] * 6, [1, 2, 3, 4, 5, 6], [0, 0, 0, 0, 0, 7]):
        feeds = {"x": np.array(x, np.float32)}
        results = program.run(executable, feeds, store)
        expected, _ = execution.interpreted(program.program, feeds)
        for left, right in zip(expected, results, strict=True):
            assert_same_array(left, right)


def test_strings_pass_through_the_host() -> None:
    text = """
program @strings {
  size n0 = parameter "s" axis 0
  %0 = parameter "s" : string[n0]
  %1 = parameter "x" : f32[n0]
  %2 = map add %1, %1 : f32[n0]
  %3, %4 = call_host %0, %2 {function: @label, types: [string[n0], f32[n0]]} : string[n0], f32[n0]
  %5 = map sub %4, %1 : f32[n0]
  return %3, %5, %0
}
"""

    def label(s: np.ndarray, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        return np.array([a + b"!" for a in s], object), x

    program = compile_case(parse(text, functions={"label": label}))
    feeds = {"s": np.array([b"one", b"two"], object), "x": np.array([1, 2], np.float32)}
    for _ in range(2):
        labels, difference, strings = program.outcome(feeds)[0]
        assert labels.tolist() == [b"one!", b"two!"]
        assert strings.tolist() == [b"one", b"two"]
        assert difference.tolist() == [1, 2]


def test_what_the_host_computes_may_be_a_view_of_its_operand() -> None:
    text = """
program @view {
  size n0 = parameter "x" axis 0
  %0 = parameter "x" : f32[n0]
  %1 = read_variable "v" : f32[4]
  %2 = call_host %1 {function: @first, types: [f32[2]]} : f32[2]
  %3 = map add %0, %0 : f32[n0]
  %4 = call_host %3 {function: @same, types: [f32[n0]]} : f32[n0]
  %5 = map sub %0, %4 : f32[n0]
  %6 = map mul %1, %1 : f32[4]
  write_variable "v" %6
  return %2, %4, %5
}
"""
    kept: list[np.ndarray] = []

    def same(x: np.ndarray) -> tuple[np.ndarray]:
        kept.append(x)
        return (x,)

    program = compile_case(parse(text, functions={"first": lambda x: (x[:2],), "same": same}))
    feeds, variables = {"x": np.array([1, 2], np.float32)}, {"v": np.array([1, 2, 3, 4], np.float32)}
    results, after = program.outcome(feeds, variables)
    assert [result.tolist() for result in results] == [[1, 2], [2, 4], [-1, -2]]
    assert after["v"].tolist() == [1, 4, 9, 16]
    results[1][:] = 0
    assert kept[0].tolist() == [2, 4]


def test_a_host_function_that_breaks_its_promise_fails_the_run() -> None:
    text = """
program @broken {
  %0 = parameter "x" : f32[2]
  %1 = call_host %0 {function: @longer, types: [f32[2]]} : f32[2]
  %2 = map add %1, %1 : f32[2]
  return %2
}
"""
    program = compile_case(parse(text, functions={"longer": lambda x: (np.zeros(3, np.float32),)}))
    with pytest.raises(LocatedFailure, match=r"call_host gives float32\[3\], not f32\[2\]"):
        program.outcome({"x": np.zeros(2, np.float32)})


# --- memory of feeds and results


LARGE = 1 << 16  # bytes from which a result has memory of its own


MIXED_RESULTS = """
program @mixed {
  size n0 = parameter "x" axis 0
  %0 = parameter "x" : f32[n0]
  %1 = read_variable "v" : f32[n0]
  %2 = constant [1.0, 2.0] : f32[2]
  %3 = map add %0, %1 : f32[n0]
  %4 = reshape %3 {shape: [1, n0]} : f32[1, n0]
  %5 = reshape %0 {shape: [n0, 1]} : f32[n0, 1]
  %6 = reshape %1 {shape: [1, n0]} : f32[1, n0]
  %7 = sizes {values: [n0], dtype: "i32", scalar: true} : i32[]
  return %0, %1, %2, %3, %4, %5, %6, %7, %3, %0, %1
}
"""


@pytest.mark.parametrize("size", [3, LARGE])
def test_results_are_the_callers_own_whatever_they_are(size: int) -> None:
    program = compile_case(parse(MIXED_RESULTS))
    feeds, variables = {"x": np.arange(size, dtype=np.float32)}, {"v": np.full(size, 2, np.float32)}
    expected, _ = execution.interpreted(program.program, feeds, variables)
    store = store_of(variables)
    executable = program.executable(feeds, store)
    for _ in range(2):
        results = program.run(executable, feeds, store)
        for left, right in zip(expected, results, strict=True):
            assert_same_array(left, right)
        for result in results:
            if result.ndim:
                result[...] = -1
    assert not np.may_share_memory(results[3], results[8])
    assert (feeds["x"] == np.arange(size)).all()
    assert (store.value("v") == 2).all()


def test_results_keep_their_values_after_later_runs() -> None:
    program = compile_case(parse(MIXED_RESULTS))
    store = store_of({"v": np.zeros(LARGE, np.float32)})
    kept = []
    executable = program.executable({"x": np.zeros(LARGE, np.float32)}, store)
    for k in range(6):
        results = program.run(executable, {"x": np.full(LARGE, k, np.float32)}, store)
        kept.append(results[3][100:].view() if k % 2 else results[4])
        del results
    for k, result in enumerate(kept):
        assert (result == k).all()


def test_large_feeds_of_all_layouts_are_read_and_let_go() -> None:
    program = compile_case(parse(MIXED_RESULTS))
    store = store_of({"v": np.ones(LARGE, np.float32)})
    wide = np.arange(2 * LARGE, dtype=np.float32)
    raw = np.zeros(4 * LARGE + 1, np.uint8)
    unaligned = raw[1:].view(np.float32)
    unaligned[:] = wide[:LARGE]
    executable = program.executable({"x": wide[:LARGE]}, store)
    for feed in (wide[::2], wide[::-2], unaligned, wide[:LARGE]):
        results = program.run(executable, {"x": feed}, store)
        np.testing.assert_array_equal(results[3], feed + 1)
    references = np.zeros(LARGE, np.float32)
    view = references[:]
    program.run(executable, {"x": view}, store)
    assert view.base is references
    assert all(array is not view for array in executable._memory.arrays.values())
