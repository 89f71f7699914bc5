"""Operations that print or check while a graph runs, and operations that only order others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import sessile as tf
from sessile.graph.ops.checks import summary


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.mark.parametrize(
    ("value", "limit", "text"),
    [
        (np.array(5), 3, "5"),
        (np.array([1, 2, 3, 4]), 3, "1 2 3..."),
        (np.array([[1, 2], [3, 4]]), 10, "[1 2][3 4]"),
        (np.array([[1, 2], [3, 4]]), 3, "[1 2][3...]..."),
        (np.array([[1, 2], [3, 4]]), -1, "[1 2][3 4]"),
        (np.array([1.5, 2.0], np.float32), 3, "1.5 2"),
        (np.array([True, False]), 3, "1 0"),
        (np.array([b"a", b"b"], object), 3, "a b"),
        (np.zeros((0,)), 3, ""),
    ],
)
def test_summary_shows_the_first_elements(value: Any, limit: int, text: str) -> None:
    assert summary(value, limit) == text


def test_print_gives_its_input_on_and_writes_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    x = tf.constant([1.0, 2.0, 3.0, 4.0])
    y = tf.Print(x * 2, [x, tf.shape(x), "text"], "values: ", first_n=2)
    session = tf.Session()
    for _ in range(3):
        assert session.run(y).tolist() == [2.0, 4.0, 6.0, 8.0]
    assert capsys.readouterr().err == "values: [1 2 3...][4][text]\n" * 2


def test_gradient_passes_through_print() -> None:
    x = tf.placeholder(tf.float32, [2])
    (grad,) = tf.gradients(tf.Print(x * 3, [x]), x)
    assert tf.Session().run(grad, {x: [1.0, 2.0]}).tolist() == [3.0, 3.0]


def test_assert_stops_what_waits_for_it() -> None:
    x = tf.placeholder(tf.float32, [None])
    with tf.control_dependencies([tf.assert_positive(x, message="wrong sign")]):
        y = tf.identity(x)
    session = tf.Session()
    assert session.run(y, {x: [1.0]}).tolist() == [1.0]
    with pytest.raises(tf.errors.InvalidArgumentError, match="assertion failed: \\[wrong sign\\]"):
        session.run(y, {x: [1.0, -1.0]})


def test_assert_shows_computed_strings() -> None:
    text = tf.placeholder(tf.string, [])
    op = tf.Assert(tf.placeholder_with_default(False, []), [text, tf.constant([1, 2, 3, 4])])
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"assertion failed: \[why\] \[1 2 3\.\.\.\]"):
        tf.Session().run(op, {text: "why"})


def test_group_and_tuple_wait_for_all() -> None:
    x, y = tf.constant(1.0), tf.constant(2.0)
    group = tf.group(x, [y])
    assert (group.type, group.name) == ("NoOp", "group_deps")
    assert {op.name for op in group.control_inputs} == {"Const", "Const_1"}
    first, none, second = tf.tuple([x, None, y])
    assert none is None
    assert first.op.control_inputs[0].name == "tuple/group_deps"
    assert tf.Session().run([first, second]) == [1.0, 2.0]


def test_group_and_tuple_refuse_other_arguments() -> None:
    with pytest.raises(TypeError, match=r"Expected tf\.Tensor or tf\.Operation"):
        tf.group(3)
    with pytest.raises(ValueError, match="at least one Tensor"):
        tf.tuple([None])


def test_prevented_gradients_are_errors() -> None:
    from sessile.graph.ops.identity import PreventGradient

    x = tf.placeholder(tf.float32, [])
    with pytest.raises(LookupError, match=r"Gradient explicitly disabled\. Reason: 'not yet'"):
        tf.gradients(PreventGradient(x, message="not yet"), x)


def test_clipping_by_an_infinite_norm_gives_nan() -> None:
    (clipped,), norm = tf.clip_by_global_norm([tf.constant([1.0, float("inf")])], 1.0)
    values = tf.Session().run([clipped, norm])
    assert np.isnan(values[0]).all() and np.isinf(values[1])
