"""Damaged GraphDefs end as the errors that are documented, whatever the damage, and leave the graph as it was."""

import random

import numpy as np
import pytest
from google.protobuf.message import DecodeError

import sessile as tf


def whole():
    """A graph with lists of tensors, constants of several types, variables, gradients and devices."""
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None, 4], name="x")
        w = tf.Variable(tf.random_normal([4, 3], seed=1), name="w")
        parts = tf.split(tf.nn.relu(tf.matmul(x, w)), 3, axis=1)
        stacked = tf.stack([tf.concat(parts, 0), tf.concat(parts, 0)])[0, 1:, ::-1]
        loss = tf.reduce_mean(tf.square(tf.reshape(stacked, [-1, 1])))
        images = tf.reshape(x, [-1, 2, 2, 1])
        tf.nn.conv2d(images, tf.constant(np.arange(4.0).reshape(2, 2, 1, 1), tf.float32), [1, 1, 1, 1], "SAME")
        tf.pad(tf.tile(tf.transpose(tf.one_hot([1, 2], 3)), [2, 1]), [[1, 1], [0, 0]])
        tf.constant(["text", "more"])
        with tf.control_dependencies([loss]), tf.device("/gpu:1"):
            tf.no_op(name="end")
        tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    return graph.as_graph_def(add_shapes=True)


def flip_bytes(message, chance):
    damaged = bytearray(message.SerializeToString())
    for _ in range(chance.choice([1, 1, 2, 5, 20])):
        damaged[chance.randrange(len(damaged))] = chance.randrange(256)
    return tf.GraphDef.FromString(bytes(damaged))


def change_parts(message, chance):
    damaged = tf.GraphDef()
    damaged.CopyFrom(message)
    for _ in range(chance.choice([1, 1, 2, 4])):
        chance.choice(CHANGES)(damaged, chance.choice(damaged.node), chance)
    return damaged


def drop_input(message, node, chance):
    if node.input:
        del node.input[chance.randrange(len(node.input))]


def insert_input(message, node, chance):
    other = chance.choice(message.node).name
    node.input.insert(
        chance.randrange(len(node.input) + 1), chance.choice([other, f"^{other}", f"{other}:1", "far", ""])
    )


def exchange_input(message, node, chance):
    if node.input:
        node.input[chance.randrange(len(node.input))] = chance.choice(message.node).name


def drop_attribute(message, node, chance):
    if node.attr:
        del node.attr[chance.choice(sorted(node.attr))]


def exchange_attribute(message, node, chance):
    other = chance.choice(message.node)
    if node.attr and other.attr:
        node.attr[chance.choice(sorted(node.attr))].CopyFrom(other.attr[chance.choice(sorted(other.attr))])


def spoil_attribute(message, node, chance):
    if not node.attr:
        return
    value = node.attr[chance.choice(sorted(node.attr))]
    match value.WhichOneof("value"):
        case "i":
            value.i = chance.choice([-1, 0, 2**31, 2**62, -(2**63), 5])
        case "type":
            value.type = chance.choice([0, 1, 3, 7, 9, 10, 20, 21, 101, 999])
        case "s":
            value.s = chance.choice([b"", b"\xff\xfe", b"VALID", b"x" * 100])
        case "shape":
            value.shape.dim.add(size=chance.choice([-2, -1, 0, 7, 2**62]))
        case "list" if value.list.i:
            value.list.i[0] = chance.choice([-1, 0, 2**40])
        case "list" if value.list.shape:
            value.list.shape[0].dim.add(size=chance.choice([-5, 3, 2**63 - 1]))
        case "tensor":
            spoil_tensor(value.tensor, chance)


def spoil_tensor(tensor, chance):
    match chance.randrange(4):
        case 0:
            tensor.dtype = chance.choice([0, 1, 3, 7, 10, 14, 20, 21, 99])
        case 1:
            tensor.tensor_shape.dim.add(size=chance.choice([0, 2, -1, 2**40, 2**62]))
        case 2:
            tensor.tensor_content = tensor.tensor_content[:-1]
        case 3:
            tensor.float_val.append(3.0)


def exchange_type(message, node, chance):
    node.op = chance.choice([chance.choice(message.node).op, "Unknown", ""])


def rename(message, node, chance):
    node.name = chance.choice([chance.choice(message.node).name, "", "a b", "/x", "é", "x" * 1000])


def move(message, node, chance):
    node.device = chance.choice(["/cpu:0", "x", "/job:", "/device:GPU:99999999999999", "//", "é"])


def drop_node(message, node, chance):
    message.node.remove(node)


CHANGES = [
    *(drop_input, insert_input, exchange_input, drop_attribute, exchange_attribute),
    *(spoil_attribute, spoil_attribute, exchange_type, rename, move, drop_node),
]
WHOLE = whole()


@pytest.mark.parametrize("damage", [flip_bytes, change_parts])
@pytest.mark.parametrize("seed", range(4))
def test_damage_is_an_error_or_no_matter_and_never_half_an_import(damage, seed):
    chance = random.Random(seed)
    for _ in range(40):
        try:
            message = damage(WHOLE, chance)
        except (DecodeError, UnicodeDecodeError):  # the bytes are no message at all
            continue
        with tf.Graph().as_default() as graph:
            kept = tf.constant(1.0, name="kept")
            before = graph.version, graph.get_operations(), graph.graph_def_versions
            try:
                tf.import_graph_def(message, name=chance.choice([None, "", "z/"]))
            except (ValueError, TypeError, tf.errors.InvalidArgumentError):
                assert (graph.version, graph.get_operations(), graph.graph_def_versions) == before
                assert kept.consumers() == [] and graph.unique_name("import") == "import"
            else:
                graph.as_graph_def()
