"""Variables in compiled programs: read and written in place, by moves at the end, by copies in Python; failing runs."""

from __future__ import annotations

import numpy as np
import pytest
from support.differential import grid
from support.execution import CompiledProgram, interpreted, store_of
from support.program_cases import Outcome, assert_same_array, assert_same_outcome

from sessile.compiler import bound_stage
from sessile.compiler.compile_program import NATIVE_PIPELINE
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.session_state import StaleBinding
from sessile.compiler.variable_moves import ordered_copies
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.parser import parse

X = np.array([1, 2, 3], np.float32)
VARIABLES = {"u": np.array([1, 2, 3], np.float32), "v": np.array([4, 5, 6], np.float32), "w": X * 7}
X_MATRIX, Y_MATRIX, W_MATRIX = (grid("f32", shape, 1) for shape in ((4, 8), (4, 16), (8, 16)))
HEADER = """
program @variables {
  %0 = read_variable "u" : f32[3]
  %1 = read_variable "v" : f32[3]
  %2 = read_variable "w" : f32[3]
  %3 = parameter "x" : f32[3]
"""


def check(body: str, variables: dict[str, np.ndarray] | None = None) -> NativeProgram:
    """Fails unless both tiers agree over three runs; returns the native program."""
    program = CompiledProgram(parse(HEADER + body + "}\n"), NATIVE_PIPELINE, allow_host=True)
    store = store_of(VARIABLES if variables is None else variables)
    feeds = {"x": X}
    for _ in range(3):
        before = {name: store.value(name).copy() for name in store.names()}
        expected, after = interpreted(program.program, feeds, before)
        results = program.run(program.executable(feeds, store), feeds, store)
        for left, right in zip(expected, results, strict=True):
            assert_same_array(left, right)
        assert after.keys() == set(store.names())
        for name, value in after.items():
            assert_same_array(value, store.value(name))
    (native, *_) = program._natives.values()
    return native


def test_a_variable_is_updated_in_place() -> None:
    native = check('%4 = map add %0, %3 : f32[3]\n write_variable "u" %4\n return\n')
    assert native.runs_in_one_go
    assert not native.plan.moves
    assert not native.plan.slot_tenants


def test_a_new_value_is_computed_in_the_variable() -> None:
    native = check('%4 = map add %1, %3 : f32[3]\n write_variable "u" %4\n return %4\n')
    assert not native.plan.moves


def test_a_variable_is_fetched_and_updated() -> None:
    native = check('%4 = map add %0, %3 : f32[3]\n write_variable "u" %4\n return %0, %4\n')
    assert native.runs_in_one_go
    assert len(native.plan.moves) == 2  # the old value to where it is fetched from, the new one to the variable


def test_two_variables_are_swapped() -> None:
    native = check('write_variable "u" %1\n write_variable "v" %0\n return %0\n')
    assert native.runs_in_one_go
    assert len(native.stages) == 1


def test_three_variables_go_round() -> None:
    native = check('write_variable "u" %1\n write_variable "v" %2\n write_variable "w" %0\n return\n')
    assert len(native.plan.moves) == 4


def test_a_chain_of_variables_needs_no_room() -> None:
    native = check('write_variable "v" %0\n write_variable "w" %1\n return\n')
    assert len(native.plan.moves) == 2
    assert not native.plan.slot_tenants


def test_values_of_all_homes_are_moved() -> None:
    check(
        """%4 = constant [7.0, 8.0, 9.0] : f32[3]
  write_variable "u" %4
  write_variable "v" %3
  write_variable "w" %0
  return %4, %1
"""
    )


def test_one_value_for_two_variables() -> None:
    check('%4 = map add %0, %3 : f32[3]\n write_variable "u" %4\n write_variable "v" %4\n return\n')


def test_a_variable_that_is_only_read_keeps_its_value() -> None:
    check(
        """%4 = map add %0, %3 : f32[3]
  %5 = map neg %4 : f32[3]
  %6 = constant [[0]] : i32[1, 1]
  %7 = constant [5.0] : f32[1]
  %8 = scatter add %1, %6, %7 : f32[3]
  write_variable "w" %5
  return %8
"""
    )


@pytest.mark.parametrize("update", ["map add %0, %3", "map add %1, %3"])
def test_the_host_reads_a_variable_before_it_is_updated(update: str) -> None:
    check(
        f"""%4 = {update} : f32[3]
  %5 = map is_finite %4 : bool[3]
  check %5 {{message: "not finite"}}
  %6 = map neg %4 : f32[3]
  %7 = initialized_value "u" %6 : f32[3]
  write_variable "u" %4
  return %7
"""
    )


def test_another_shape_for_a_variable() -> None:
    native = check('%4 = reshape %0 : f32[3, 1]\n write_variable "t" %4\n return\n')
    assert native.plan.copies
    program = CompiledProgram(parse(HEADER + '%4 = reshape %0 : f32[3, 1]\n write_variable "u" %4\n return\n}\n'))
    assert program.outcome({"x": X}, VARIABLES)[1]["u"].shape == (3, 1)


def test_the_first_value_of_a_variable() -> None:
    body = '%4 = map add %0, %3 : f32[3]\n write_variable "new" %4\n write_variable "u" %3\n return %0\n'
    assert check(body).plan.copies


def test_a_variable_of_another_type_is_noticed() -> None:
    program = CompiledProgram(parse(HEADER + '%4 = map add %0, %3 : f32[3]\n write_variable "u" %4\n return %1\n}\n'))
    store = store_of(VARIABLES)
    executable = program.executable({"x": X}, store)
    program.run(executable, {"x": X}, store)
    store.assign("v", np.zeros(100, np.float32))
    with pytest.raises(StaleBinding):
        program.run(executable, {"x": X}, store)


# --- kernels of products and reductions that write over their operands

MOMENTUM = """
program @momentum {{
  %0 = read_variable "w" : {dtype}[{m}, {n}]
  %1 = read_variable "a" : {dtype}[{m}, {n}]
  %2 = read_variable "b" : {dtype}[{n}]
  %3 = parameter "x" : {dtype}[{k}, {m}]
  %4 = parameter "y" : {dtype}[{k}, {n}]
  %5 = contract %3, %4 {{batch: [[], []], contracting: [[0], [0]]}} : {dtype}[{m}, {n}]
  %6 = map add %1, %5 : {dtype}[{m}, {n}]
  %7 = map sub %0, %6 : {dtype}[{m}, {n}]
  %8 = reduce add %4 {{axes: [0]}} : {dtype}[{n}]
  %9 = map sub %2, %8 : {dtype}[{n}]
  write_variable "w" %7
  write_variable "a" %6
  write_variable "b" %9
  return %5
}}
"""


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("dtype", ["f16", "f32", "f64", "i32"])
@pytest.mark.parametrize(("m", "n", "k"), [(33, 40, 7), (1, 20, 5), (20, 1, 600), (3, 2, 0)])
def test_momentum_in_the_epilogue_of_a_product(
    m: int, n: int, k: int, dtype: str, threads: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bound_stage, "WORK_PER_THREAD", 1)
    for fetched in ("%5", ""):
        text = MOMENTUM.format(dtype=dtype, m=m, n=n, k=k).replace("return %5", f"return {fetched}")
        program = CompiledProgram(parse(text), NATIVE_PIPELINE)
        feeds = {"x": grid(dtype, (k, m), 1), "y": grid(dtype, (k, n), 2)}
        shapes = {"w": (m, n), "a": (m, n), "b": (n,)}
        variables = {name: grid(dtype, shape, 3) for name, shape in shapes.items()}
        expected = interpreted(program.program, feeds, variables)
        actual = program.outcome(feeds, variables, threads)
        assert_same_outcome(Outcome(*expected), Outcome(*actual))
        (native,) = program._natives.values()
        assert native.plan.moves == []


def test_sums_that_no_result_keeps_are_added_in_scratch_memory() -> None:
    text = MOMENTUM.format(dtype="f32", m=8, n=16, k=4).replace("return %5", "return")
    program = CompiledProgram(parse(text), NATIVE_PIPELINE)
    program.outcome({"x": X_MATRIX, "y": Y_MATRIX}, {"w": W_MATRIX, "a": W_MATRIX, "b": W_MATRIX[0]})
    (native,) = program._natives.values()
    assert len(native.plan.scratch) == 1
    assert len(native.plan.slot_tenants) == 1


# --- runs that fail

FAILING = """
program @failing {
  %0 = read_variable "u" : f32[3]
  %1 = read_variable "v" : f32[3]
  %2 = parameter "x" : f32[3]
  %3 = parameter "index" : i32[3]
  %4 = map add %0, %2 : f32[3]
  write_variable "u" %4
  %5 = gather %1, %3 {axis: 0, batch: 0} : f32[3]
  %6 = map sub %1, %5 : f32[3]
  write_variable "v" %6
  %7 = parameter "divisor" : i32[]
  %8 = map floor_div %3, %7 : i32[3]
  return %8
}
"""


@pytest.mark.parametrize(
    ("bad", "words"),
    [
        ({"index": [0, 3, 1]}, r"indices\[1\] = 3 is not in \[0, 3\)"),
        ({"divisor": 0}, "Integer division by zero"),
    ],
)
def test_a_run_that_fails_leaves_variables_as_they_were(bad: dict[str, object], words: str) -> None:
    program = CompiledProgram(parse(FAILING), NATIVE_PIPELINE)
    store = store_of({"u": VARIABLES["u"], "v": VARIABLES["v"]})
    good = {"x": X, "index": np.array([2, 1, 0], np.int32), "divisor": np.array(2, np.int32)}
    executable = program.executable(good, store)
    feeds = {**good, **{name: np.array(value, np.int32) for name, value in bad.items()}}
    with pytest.raises(LocatedFailure, match=words):
        program.run(executable, feeds, store)
    for name in ("u", "v"):
        assert store.value(name).tolist() == VARIABLES[name].tolist()
    results = program.run(executable, good, store)  # the next run is none the worse
    assert results[0].tolist() == [1, 0, 0]
    new = {"u": VARIABLES["u"] + X, "v": VARIABLES["v"] - VARIABLES["v"][[2, 1, 0]]}
    for name, value in new.items():
        assert store.value(name).tolist() == value.tolist()


# --- the order of copies


@pytest.mark.parametrize(
    "sources",
    [
        {},
        {1: 1},
        {1: 2, 2: 1},
        {1: 2, 2: 3, 3: 1, 4: 1, 5: 4},
        {1: 10, 2: 10, 3: 1},
        {1: 2, 2: 1, 3: 4, 4: 3, 5: 5, 6: 1},
    ],
)
def test_ordered_copies_give_each_place_what_its_source_held(sources: dict[int, int]) -> None:
    held = {place: f"what {place} held" for place in (*sources, *sources.values())}
    expected = {target: held[source] for target, source in sources.items()}
    rooms = iter(range(100, 200))
    for source, target in ordered_copies(sources, lambda place: next(rooms)):
        held[target] = held[source]
    assert {target: held[target] for target in sources} == expected
