"""Seed 001: the operations of a small graph by name, and how a tensor is shown."""

import sessile as tf


def test_names_of_operations_and_the_tensor_that_is_shown(capsys):
    tf.reset_default_graph()

    a = tf.constant(5)
    b = tf.constant(6)
    c = tf.constant(7)
    d = (a + b) * c

    for i in tf.get_default_graph().get_operations():
        print(i.name + "\n")

    assert capsys.readouterr().out == "Const\n\nConst_1\n\nConst_2\n\nadd\n\nmul\n\n"
    assert repr(d) == "<tf.Tensor 'mul:0' shape=() dtype=int32>"
    assert tf.Session().run(d) == 77
