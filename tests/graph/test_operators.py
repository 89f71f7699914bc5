"""Python's operators on tensors: the operations that they add, their names, and how other operands are converted."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sessile as tf


@pytest.fixture
def graph() -> Any:
    with tf.Graph().as_default() as graph:
        yield graph


def floats() -> Any:
    return tf.placeholder(tf.float32, [2], name="x")


@pytest.mark.parametrize(
    ("apply", "name", "kind"),
    [
        (lambda x: x + 1, "add", "AddV2"),
        (lambda x: 1 + x, "add", "AddV2"),
        (lambda x: x - 1, "sub", "Sub"),
        (lambda x: x * 2, "mul", "Mul"),
        (lambda x: x / 2, "truediv", "RealDiv"),
        (lambda x: x // 2, "floordiv", "FloorDiv"),
        (lambda x: x % 2, "mod", "FloorMod"),
        (lambda x: x**2, "pow", "Pow"),
        (lambda x: -x, "Neg", "Neg"),
        (lambda x: abs(x), "Abs", "Abs"),
        (lambda x: x < 1, "Less", "Less"),
        (lambda x: x <= 1, "LessEqual", "LessEqual"),
        (lambda x: x > 1, "Greater", "Greater"),
        (lambda x: x >= 1, "GreaterEqual", "GreaterEqual"),
        (lambda x: x[0], "strided_slice", "StridedSlice"),
    ],
)
def test_operator_adds_the_operation_that_tensorflow_adds(graph: Any, apply: Any, name: str, kind: str) -> None:
    op = apply(floats()).op
    assert (op.name, op.type) == (name, kind)


def test_logic_of_truth_values(graph: Any) -> None:
    x = tf.placeholder(tf.bool, [2], name="x")
    assert [(x & True).op.name, (x | x).op.name, (~x).op.name, (x ^ x).op.name] == ["and", "or", "LogicalNot", "xor"]


def test_numbers_take_the_type_of_the_tensor(graph: Any) -> None:
    x = tf.placeholder(tf.float64, [2])
    assert (x + 1).dtype == tf.float64
    assert (1 / x).dtype == tf.float64
    assert (np.float32(2) * tf.placeholder(tf.float32, [])).dtype == tf.float32


def test_arrays_on_the_left_do_not_take_over(graph: Any) -> None:
    result = np.ones(2, np.float32) + floats()
    assert isinstance(result, tf.Tensor)
    assert result.op.name == "add"


def test_division_of_whole_numbers_is_true_division(graph: Any) -> None:
    x = tf.constant([7, -7])
    values = tf.Session().run([x / 2, x // 2, x % 2, tf.div(x, 2)])
    assert values[0].dtype == np.float64
    assert [value.tolist() for value in values] == [[3.5, -3.5], [3, -4], [1, 1], [3, -4]]


def test_equality_is_identity(graph: Any) -> None:
    x = floats()
    assert (x == x) is True
    assert (x == 1.0) is False
    assert x != tf.identity(x)


def test_other_objects_may_take_the_operator(graph: Any) -> None:
    class Matrix:
        def __radd__(self, other: Any) -> str:
            return "taken"

    assert floats() + Matrix() == "taken"


@pytest.mark.parametrize(
    ("apply", "message"),
    [
        (lambda x: x + "a", "Input 'y' of 'AddV2' Op has type string that does not match type float32"),
        (
            lambda x: tf.cast(x, tf.int32) + 1.5,
            "Input 'y' of 'AddV2' Op has type float32 that does not match type int32",
        ),
        (lambda x: x & True, "Input 'x' of 'LogicalAnd' Op has type float32 that does not match expected type of bool"),
        (lambda x: x + tf.ones([2], tf.float64), "has type float64 that does not match type float32 of argument 'x'"),
    ],
)
def test_types_that_do_not_fit(graph: Any, apply: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        apply(floats())


def test_tensors_of_two_graphs_do_not_mix(graph: Any) -> None:
    x = floats()
    with tf.Graph().as_default(), pytest.raises(ValueError, match="must be from the same graph as"):
        x + tf.ones([2])
