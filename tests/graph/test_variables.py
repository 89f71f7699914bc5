"""Variables are made, read, changed and initialised as in TensorFlow 1.15."""

from __future__ import annotations

import pytest
from support.recorded_programs import Family, check

import sessile as tf

FAMILY = Family("variables")
RECORDED = FAMILY.recorded()


@pytest.mark.parametrize("name", sorted(FAMILY.programs))
def test_variables_behave_as_in_tensorflow(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSILE_JIT", "never")
    check(FAMILY, name, RECORDED[name], tf)


def test_one_operation_initialises_variables_that_depend_on_each_other() -> None:
    with tf.Graph().as_default():
        u = tf.Variable(2.0, name="u")
        w = tf.Variable(u * 3.0 + 1.0, name="w")
        x = tf.Variable(w + u, name="x")
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            assert session.run([u, w, x]) == [2.0, 7.0, 9.0]
            session.run(u.assign(5.0))
            session.run(w.initializer)
            assert session.run(w) == 16.0  # u has a value, so that is what counts


def test_a_random_initial_value_is_drawn_once_for_all_that_use_it() -> None:
    with tf.Graph().as_default():
        u = tf.Variable(tf.random_normal([3]))
        w = tf.Variable(u.initialized_value())
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            first, second = session.run([u, w])
    assert (first == second).all()


def test_partitioned_variables_are_refused() -> None:
    with tf.Graph().as_default(), pytest.raises(tf.errors.UnimplementedError, match="partitioned variables"):
        tf.get_variable("v", [4, 2], partitioner=lambda shape, dtype: [2, 1])
