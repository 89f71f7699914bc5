"""The builder: broadcasting, sizes that stay symbolic, guards, constants, regions."""

from __future__ import annotations

import numpy as np
import pytest
from support.program_cases import HERE, ProgramCase, interpreted

from sessile.ir.builder import ProgramBuilder
from sessile.ir.primitive import ProgramError
from sessile.ir.program import Guard, SizeSource, Value
from sessile.ir.sizes import Size, symbol
from sessile.ir.types import TensorType
from sessile.ir.verifier import verify


def new_builder() -> ProgramBuilder:
    builder = ProgramBuilder("test")
    builder.locations = HERE
    return builder


def parameter(builder: ProgramBuilder, name: str, *shape: Size, dtype: str = "f32") -> Value:
    return builder.emit("parameter", name=name, dtype=dtype, shape=shape)


def size(builder: ProgramBuilder, name: str, axis: int, number: int | None) -> Size:
    return symbol(builder.new_symbol(SizeSource("parameter", name, axis), number))


def names(builder: ProgramBuilder) -> list[str]:
    return [instruction.name for instruction in builder.finish([]).instructions]


# --- broadcasting


def test_operands_broadcast_as_in_numpy() -> None:
    builder = new_builder()
    x, y = parameter(builder, "x", 3, 1), parameter(builder, "y", 4)
    result = builder.add(x, y)
    assert result.type == TensorType("f32", (3, 4))
    program = builder.finish([result])
    verify(program)
    case = ProgramCase(program, {"x": np.ones((3, 1), np.float32), "y": np.arange(4, dtype=np.float32)})
    np.testing.assert_array_equal(interpreted(case).results[0], np.ones((3, 1)) + np.arange(4))


def test_scalars_need_no_broadcast() -> None:
    builder = new_builder()
    x = parameter(builder, "x", 3)
    assert builder.mul(x, 2).type == x.type
    assert names(builder) == ["parameter", "constant", "map"]


def test_numbers_take_the_type_of_the_other_operand() -> None:
    builder = new_builder()
    x = parameter(builder, "x", 3, dtype="f64")
    assert builder.sub(1, x).type == x.type


@pytest.mark.parametrize(("left", "right"), [((2, 3), (4,)), ((2,), (3,)), ((2, 1, 3), (5, 2))])
def test_shapes_that_do_not_broadcast_are_refused(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    builder = new_builder()
    x, y = parameter(builder, "x", *left), parameter(builder, "y", *right)
    with pytest.raises(ProgramError, match="Incompatible shapes"):
        builder.add(x, y)


def test_an_unknown_size_meets_one_without_a_guard() -> None:
    builder = new_builder()
    n = size(builder, "x", 0, 1)
    x, y = parameter(builder, "x", n, 4), parameter(builder, "y", 1, 4)
    assert builder.add(x, y).type.shape == (n, 4)
    assert builder.broadcast_to(y, (n, 4)).type.shape == (n, 4)
    assert not builder.guards


def test_equal_unknown_sizes_are_guarded() -> None:
    builder = new_builder()
    n, m = size(builder, "x", 0, 5), size(builder, "y", 0, 5)
    result = builder.add(parameter(builder, "x", n), parameter(builder, "y", m))
    program = builder.finish([result])
    verify(program)
    (guard,) = program.guards
    assert guard.holds({"n0": 7, "n1": 7})
    assert not guard.holds({"n0": 7, "n1": 5})


def test_an_unknown_size_of_one_is_repeated() -> None:
    builder = new_builder()
    n, m = size(builder, "x", 0, 1), size(builder, "y", 0, 5)
    result = builder.add(parameter(builder, "x", n), parameter(builder, "y", m))
    program = builder.finish([result])
    verify(program)
    assert result.type.shape == (m,)
    assert set(program.guards) == {Guard(n, "!=", m), Guard(n, "==", 1)}
    case = ProgramCase(program, {"x": np.ones(1, np.float32), "y": np.ones(3, np.float32)}, {}, {"n0": 1, "n1": 3})
    np.testing.assert_array_equal(interpreted(case).results[0], [2, 2, 2])


# --- questions about sizes


@pytest.mark.parametrize(
    ("relation", "right", "holds", "guard"),
    [
        ("==", 4, True, "n0 == 4"),
        ("==", 5, False, "n0 != 5"),
        ("!=", 5, True, "n0 != 5"),
        (">=", 3, True, "n0 >= 3"),
        (">=", 5, False, "n0 + 1 <= 5"),
        ("<=", 3, False, "n0 >= 4"),
    ],
)
def test_the_call_at_hand_answers_and_a_guard_remembers(relation: str, right: int, holds: bool, guard: str) -> None:
    builder = new_builder()
    n = size(builder, "x", 0, 4)
    assert builder.decide(n, relation, right) is holds
    assert [str(each) for each in builder.guards] == [guard]
    assert all(each.holds({"n0": 4}) for each in builder.guards)


def test_what_holds_for_all_sizes_needs_no_guard() -> None:
    builder = new_builder()
    n = size(builder, "x", 0, 4)
    assert builder.decide(n, ">=", 0)
    assert builder.decide(n + 2, ">=", 1)
    assert not builder.decide(n + 1, "==", 0)
    assert builder.decide(2 * n, "==", n + n)
    assert not builder.guards


def test_a_size_as_a_number_binds_the_program_to_it() -> None:
    builder = new_builder()
    n = size(builder, "x", 0, 4)
    assert builder.number(n * 2) == 8
    assert [str(guard) for guard in builder.guards] == ["2*n0 == 8"]


def test_a_size_that_data_decides_is_no_number() -> None:
    builder = new_builder()
    (s,) = builder.sizes_of(parameter(builder, "k", dtype="i32"))
    with pytest.raises(ProgramError, match="depends on data"):
        builder.number(s)


# --- computing with sizes


def test_shape_arithmetic_stays_symbolic() -> None:
    builder = new_builder()
    n = size(builder, "x", 0, 4)
    shape = builder.sizes([n, 3])
    first = builder.emit("slice", shape, starts=(0,), shape=(1,), strides=(1,))
    doubled = builder.mul(first, builder.constant(2, "i32"))
    flat = builder.emit("concat", doubled, builder.constant([5], "i32"), axis=0)
    assert builder.sizes_of(flat) == [2 * n, 5]
    assert not builder.guards


def test_whole_numbers_wrap_as_those_of_the_machine() -> None:
    builder = new_builder()
    largest = builder.constant(2**31 - 1, "i32")
    assert builder.known_numbers(builder.add(largest, 1)) == -(2**31)
    assert builder.known_numbers(builder.mul(largest, largest)) == 1


def test_division_by_a_known_zero_is_left_to_the_run() -> None:
    builder = new_builder()
    quotient = builder.map("floor_div", builder.constant(1, "i32"), builder.constant(0, "i32"))
    assert builder.known(quotient) is None


def test_a_gather_out_of_range_is_left_to_the_run() -> None:
    builder = new_builder()
    values, index = builder.constant([1, 2], "i32"), builder.constant(7, "i32")
    assert builder.known(builder.emit("gather", values, index, axis=0, batch=0)) is None


def test_sizes_from_data_are_bound_while_running() -> None:
    builder = new_builder()
    (count,) = builder.sizes_of(parameter(builder, "k", dtype="i32"))
    program = builder.finish([builder.fill((count, 2), 1.0, "f32")])
    verify(program)
    case = ProgramCase(program, {"k": np.array(3, np.int32)})
    assert interpreted(case).results[0].shape == (3, 2)


def test_asking_twice_for_sizes_binds_once() -> None:
    builder = new_builder()
    k = parameter(builder, "k", 2, dtype="i64")
    assert builder.sizes_of(k) == builder.sizes_of(k)
    assert names(builder).count("bind_sizes") == 1


def test_counting_elements() -> None:
    builder = new_builder()
    n = size(builder, "x", 0, 4)
    x = parameter(builder, "x", n, 3)
    assert builder.known_numbers(builder.count(x, [1], "i32")) == 3
    program = builder.finish([builder.count(x, [0, 1], "f32")])
    case = ProgramCase(program, {"x": np.zeros((4, 3), np.float32)}, {}, {"n0": 4})
    assert interpreted(case).results[0] == np.float32(12)


# --- constants


def test_equal_constants_are_one_value() -> None:
    builder = new_builder()
    assert builder.constant(1.0, "f32") is builder.constant(1.0, "f32")
    assert builder.constant(0.0, "f32") is not builder.constant(-0.0, "f32")
    assert builder.constant(1, "i32") is not builder.constant(1, "i64")


def test_a_constant_does_not_share_memory_with_the_caller() -> None:
    builder = new_builder()
    array = np.zeros(3)
    program = builder.finish([builder.constant(array)])
    array[0] = 7
    np.testing.assert_array_equal(interpreted(ProgramCase(program)).results[0], [0, 0, 0])


def test_foreign_byte_order_and_strings_are_held_as_usual() -> None:
    builder = new_builder()
    swapped = builder.constant(np.array([1, 2], ">i4"))
    text = builder.constant("abc")
    assert swapped.type == TensorType("i32", (2,))
    assert text.type == TensorType("string")
    verify(builder.finish([swapped, text]))


# --- movement and regions


def test_nothing_is_emitted_where_nothing_moves() -> None:
    builder = new_builder()
    x = parameter(builder, "x", 2, 3)
    assert builder.reshape(x, (2, 3)) is x
    assert builder.transpose(x, (0, 1)) is x
    assert builder.slice(x, (0, 0), (2, 3)) is x
    assert builder.concat([x], 0) is x
    assert builder.convert(x, "f32") is x
    assert builder.reduce("add", x, []) is x


def test_a_reduction_can_keep_its_axes() -> None:
    builder = new_builder()
    x = parameter(builder, "x", 2, 3, 4)
    assert builder.reduce("add", x, [2, 0], keep=True).type.shape == (1, 3, 1)


def test_unequal_inner_sizes_are_refused() -> None:
    builder = new_builder()
    a, b = parameter(builder, "a", 2, 784), parameter(builder, "b", 748, 10)
    with pytest.raises(ProgramError, match=r"In\[0\]: \[2, 784\], In\[1\]: \[748, 10\]"):
        builder.contract(a, b, ((1,), (0,)))


def test_regions_share_no_constants_with_what_is_around() -> None:
    builder = new_builder()
    x = parameter(builder, "x")
    outer = builder.add(x, 1.0)
    with builder.region([x.type]) as body:
        body.results = [builder.add(body.parameters[0], 1.0)]
    condition = builder.map("lt", outer, 0.0)
    (result,) = builder.emit_structured("cond", (condition, x), (body.region, body.region))
    with builder.region([x.type]) as other:
        other.results = [builder.add(other.parameters[0], 1.0)]
    program = builder.finish([result])
    assert [inner.name for inner in body.region.instructions] == ["constant", "map"]
    assert [inner.name for inner in other.region.instructions] == ["constant", "map"]
    assert len(program.instructions) == 6


def test_a_region_that_does_not_fit_is_refused() -> None:
    builder = new_builder()
    x = parameter(builder, "x")
    with builder.region([x.type]) as body:
        body.results = [body.parameters[0]]
    with pytest.raises(ProgramError, match="the condition is"):
        builder.emit_structured("cond", (x, x), (body.region, body.region))
