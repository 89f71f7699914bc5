"""`tf.name_scope`: the names of operations made inside, and its arguments."""

from __future__ import annotations

from typing import Any

import pytest

import sessile as tf


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default() as graph:
        yield graph


def test_names_are_nested_and_numbered() -> None:
    with tf.name_scope("outer") as scope:
        assert scope == "outer/"
        assert tf.constant(1.0, name="c").name == "outer/c:0"
        with tf.name_scope("inner"):
            assert (tf.constant(1.0) + 1.0).name == "outer/inner/add:0"
    with tf.name_scope("outer"):
        assert tf.constant(1.0, name="c").name == "outer_1/c:0"


def test_helper_constants_stand_under_their_operation() -> None:
    tf.reduce_sum(tf.placeholder(tf.float32, [2, 3], name="x"), 1, name="total")
    names = [op.name for op in tf.get_default_graph().get_operations()]
    assert names == ["x", "total/reduction_indices", "total"]


def test_scope_is_entered_again_by_its_full_name() -> None:
    with tf.name_scope("a") as scope:
        pass
    with tf.name_scope("b"), tf.name_scope(scope):
        assert tf.constant(1.0, name="c").op.name == "a/c"


def test_none_and_empty_go_back_to_the_root() -> None:
    with tf.name_scope("a"):
        with tf.name_scope(None):
            assert tf.constant(1.0, name="c").op.name == "c"
        with tf.name_scope(""):
            assert tf.constant(1.0, name="c").op.name == "c_1"


def test_default_name_is_taken_where_there_is_none() -> None:
    with tf.name_scope(None, "layer", [tf.constant(1.0)]) as scope:
        assert scope == "layer/"
    with tf.name_scope("mine", "layer") as scope:
        assert scope == "mine/"


def test_graph_of_the_values_becomes_the_default() -> None:
    x = tf.constant(1.0)
    with tf.Graph().as_default(), tf.name_scope("scope", values=[x]):
        assert tf.get_default_graph() is x.graph


def test_scope_is_left_when_the_block_fails() -> None:
    with pytest.raises(RuntimeError), tf.name_scope("a"):
        raise RuntimeError
    assert tf.constant(1.0, name="c").op.name == "c"


def test_wrong_arguments_are_refused() -> None:
    with pytest.raises(TypeError, match=r"not a string type\. You likely meant to pass this into the `values` kwarg"):
        tf.name_scope("a", [tf.constant(1.0)])  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="At least one of name"):
        tf.name_scope(None, None, [tf.constant(1.0)])
    with pytest.raises(ValueError, match="is not a valid scope name"), tf.name_scope("a b"):
        pass
    with tf.Graph().as_default():
        other = tf.constant(1.0)
    scope = tf.name_scope("a", values=[tf.constant(1.0), other])
    with pytest.raises(ValueError, match="must be from the same graph as"), scope:
        pass
