"""The interpreter: control flow, state, host functions, sizes from data, and failures that know their instruction."""

from __future__ import annotations

import numpy as np
import pytest
from support.program_cases import HERE, CaseContext, ProgramCase, interpreted

from sessile.ir.builder import ProgramBuilder
from sessile.ir.interpreter import LocatedFailure, interpret
from sessile.ir.program import SizeSource, Value
from sessile.ir.sizes import symbol
from sessile.ir.types import TensorType
from sessile.ir.verifier import verify


def new_builder() -> ProgramBuilder:
    builder = ProgramBuilder("test")
    builder.locations = HERE
    return builder


def outcome(builder: ProgramBuilder, results: list[Value], **parameters: object) -> list[np.ndarray]:
    program = builder.finish(results)
    verify(program)
    arrays = {name: np.array(value) for name, value in parameters.items()}
    return interpreted(ProgramCase(program, arrays)).results


@pytest.mark.parametrize(("truth", "expected"), [(True, -3.0), (False, 9.0)])
def test_cond_runs_one_branch(truth: bool, expected: float) -> None:
    builder = new_builder()
    p = builder.emit("parameter", name="p", dtype="bool", shape=())
    x = builder.emit("parameter", name="x", dtype="f64", shape=())
    with builder.region([x.type]) as first:
        first.results = [builder.neg(first.parameters[0])]
    with builder.region([x.type]) as second:
        second.results = [builder.mul(second.parameters[0], second.parameters[0])]
    results = builder.emit_structured("cond", (p, x), (first.region, second.region))
    assert outcome(builder, list(results), p=truth, x=3.0) == [expected]


@pytest.mark.parametrize(("limit", "expected"), [(0, 1), (1, 2), (10, 1024)])
def test_while_repeats(limit: int, expected: int) -> None:
    builder = new_builder()
    k = builder.emit("parameter", name="k", dtype="i32", shape=())
    operands = [builder.constant(0, "i32"), k, builder.constant(1, "i32")]
    types = [operand.type for operand in operands]
    with builder.region(types) as condition:
        condition.results = [builder.map("lt", condition.parameters[0], condition.parameters[1])]
    with builder.region(types) as body:
        count, last, power = body.parameters
        body.results = [builder.add(count, 1), last, builder.add(power, power)]
    results = builder.emit_structured("while", operands, (condition.region, body.region))
    assert outcome(builder, list(results), k=np.int32(limit)) == [limit, limit, expected]


def test_fused_runs_its_region() -> None:
    builder = new_builder()
    x = builder.emit("parameter", name="x", dtype="f64", shape=(2,))
    with builder.region([x.type]) as body:
        body.results = [builder.exp(body.parameters[0]), body.parameters[0]]
    results = builder.emit_structured("fused", (x,), (body.region,), kind="loop")
    np.testing.assert_array_equal(outcome(builder, list(results), x=[0.0, 1.0])[0], np.exp([0.0, 1.0]))


def test_writes_reach_the_context_and_not_the_reads_of_a_run() -> None:
    builder = new_builder()
    v = builder.emit("read_variable", name="v", dtype="f32", shape=(2,))
    builder.emit("write_variable", builder.add(v, 1.0), name="v")
    again = builder.emit("read_variable", name="v", dtype="f32", shape=(2,))
    known, unknown = (builder.emit("variable_is_initialized", name=name) for name in ("v", "w"))
    case = ProgramCase(builder.finish([again, known, unknown]), {}, {"v": np.zeros(2, np.float32)})
    verify(case.program)
    result = interpreted(case)
    np.testing.assert_array_equal(result.results[0], [0, 0])
    assert [bool(flag) for flag in result.results[1:]] == [True, False]
    np.testing.assert_array_equal(result.variables["v"], [1, 1])


def test_samples_come_from_the_context() -> None:
    builder = new_builder()
    attributes = {"kind": "uniform", "stream": "r", "seed": 1, "seed2": 2, "dtype": "f32", "shape": (3,)}
    first, second = builder.emit("random", **attributes), builder.emit("random", **attributes)
    a, b = outcome(builder, [first, second])
    assert a.shape == (3,) and ((a >= 0) & (a < 1)).all()
    assert not np.array_equal(a, b)


def test_host_functions_decide_sizes() -> None:
    builder = new_builder()
    x = builder.emit("parameter", name="x", dtype="f32", shape=(4,))
    name = builder.new_symbol(SizeSource("result", "%1", 0))

    def positive(values: np.ndarray) -> tuple[np.ndarray]:
        return (values[values > 0],)

    types = (TensorType("f32", (symbol(name),)),)
    chosen = builder.emit("call_host", x, function=positive, types=types, unknown=((name, 0, 0),))
    counted = builder.convert(builder.sizes([symbol(name)]), "i64")
    results = outcome(builder, [chosen, counted], x=np.array([1, -1, 2, 0], np.float32))
    np.testing.assert_array_equal(results[0], [1, 2])
    np.testing.assert_array_equal(results[1], [2])


def test_strings_stay_whole_as_scalars() -> None:
    builder = new_builder()
    texts = builder.constant(np.array([b"a", b"bc"], object))
    one = builder.emit("gather", texts, builder.constant(1, "i32"), axis=0, batch=0)
    (result,) = outcome(builder, [builder.reshape(one, (1,))])
    assert result.tolist() == [b"bc"]


def test_a_failure_knows_its_instruction() -> None:
    builder = new_builder()
    x = builder.emit("parameter", name="x", dtype="i32", shape=(2,))
    quotient = builder.map("floor_div", 7, x)
    program = builder.finish([quotient])
    with pytest.raises(LocatedFailure, match="Integer division by zero") as caught:
        interpret(program, CaseContext(ProgramCase(program, {"x": np.array([1, 0], np.int32)})))
    assert caught.value.instruction is program.instructions[-1]
    assert caught.value.failure.kind == "invalid_argument"


def test_a_check_ends_the_run_with_its_values() -> None:
    builder = new_builder()
    x = builder.emit("parameter", name="x", dtype="f32", shape=(2,))
    builder.emit("check", builder.map("ge", x, 0.0), x, message="negative:", kind="failed_precondition")
    assert outcome(builder, [x], x=np.ones(2, np.float32))[0].tolist() == [1, 1]
    with pytest.raises(LocatedFailure, match=r"negative: \[ 1. -1.\]") as caught:
        outcome(builder, [x], x=np.array([1, -1], np.float32))
    assert caught.value.failure.kind == "failed_precondition"


def test_a_reshape_that_does_not_fit_fails() -> None:
    builder = new_builder()
    (count,) = builder.sizes_of(builder.emit("parameter", name="k", dtype="i32", shape=()))
    program_input = builder.emit("parameter", name="x", dtype="f32", shape=(6,))
    reshaped = builder.reshape(program_input, (count, 2))
    x = np.zeros(6, np.float32)
    assert outcome(builder, [reshaped], k=np.int32(3), x=x)[0].shape == (3, 2)
    with pytest.raises(LocatedFailure, match="a tensor with 6 values, but the requested shape has 8"):
        outcome(builder, [reshaped], k=np.int32(4), x=x)
