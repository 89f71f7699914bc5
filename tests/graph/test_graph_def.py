"""Graphs and operations as messages: what is written, and what comes back."""

import numpy as np
import pytest

import sessile as tf
from sessile.graph.attribute_values import from_message, to_message
from sessile.graph.proto.attr_value_pb2 import AttrValue, NameAttrList


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


def test_a_node_has_inputs_with_their_outputs_then_control_inputs():
    _, second = tf.split(tf.constant([1.0, 2.0], name="c"), 2, name="s")
    third = tf.constant([3.0], name="d")
    with tf.control_dependencies([tf.no_op(name="first"), third]):
        op = tf.add(second, third, name="n").op
    assert list(op.node_def.input) == ["s:1", "d", "^first"]
    assert (op.node_def.name, op.node_def.op, op.node_def.attr["T"].type) == ("n", "Add", 1)


def test_the_message_is_that_of_all_operations_in_order(graph):
    names = [tf.constant(k, name=f"c{k}").op.name for k in range(3)]
    assert [node.name for node in graph.as_graph_def().node] == names
    assert graph.as_graph_def().versions.producer == 134


def test_a_message_may_begin_at_a_version(graph):
    tf.no_op(name="a")
    version = graph.version
    tf.no_op(name="b")
    assert [node.name for node in graph.as_graph_def(from_version=version).node] == ["b"]


def test_devices_and_colocation_are_written(graph):
    with tf.device("/gpu:1"):
        a = tf.constant(1.0, name="a")
    with graph.colocate_with(a):
        tf.constant(1.0, name="b")
    placed, together = graph.as_graph_def().node
    assert placed.device == "/device:GPU:1" and list(together.attr["_class"].list.s) == [b"loc:@a"]


CONSTANTS = {
    "scalar": 3,
    "floats": [1.5, 2.5],
    "zeros": np.zeros([3, 2]),
    "negative zeros": np.array([-0.0, 0.0]),
    "nans": np.full([2], np.nan),
    "strings": ["one", b"two\0"],
    "equal strings": ["x", "x"],
    "truths": [True, False],
    "complex": [1 + 2j, 3j],
    "equal complex": [1 + 2j, 1 + 2j],
    "nothing": np.zeros([0, 3]),
    "half": np.array([1, 2], np.float16),
    "large": 2**40,
}


@pytest.mark.parametrize("value", CONSTANTS.values(), ids=CONSTANTS)
def test_a_constant_comes_back_to_the_bit(graph, value):
    original = tf.constant(value, name="c")
    (again,) = tf.import_graph_def(graph.as_graph_def(), return_elements=["c:0"])
    mine, theirs = (tensor.op.attributes["value"] for tensor in (original, again))
    assert mine.dtype == theirs.dtype and mine.shape == theirs.shape and again.dtype is original.dtype
    assert mine.tolist() == theirs.tolist() if mine.dtype == object else mine.tobytes() == theirs.tobytes()


def test_constants_of_equal_elements_are_written_once():
    zeros, mixed = tf.zeros([100]).op.node_def, tf.constant([0.0, -0.0]).op.node_def
    assert list(zeros.attr["value"].tensor.float_val) == [0.0] and zeros.ByteSize() < 100
    assert len(mixed.attr["value"].tensor.tensor_content) == 8


def test_a_constant_of_two_gigabytes_is_refused_only_when_it_is_written(graph):
    view = np.broadcast_to(np.arange(2, dtype=np.float32), (2**28, 2))  # takes no memory
    op = graph.create_op("Const", [], [tf.float32], attrs={"value": view, "dtype": tf.float32})
    assert op.outputs[0].shape == [2**28, 2]
    with pytest.raises(ValueError, match="larger than 2GB"):
        op.get_attr("value")


ATTRIBUTES = {
    "type": (tf.float32, "type"),
    "list(type)": ([tf.float32, tf.int64], "type"),
    "shape": (tf.TensorShape([None, 3]), "shape"),
    "list(shape)": ([tf.TensorShape(None), tf.TensorShape([])], "shape"),
    "int": (-3, "i"),
    "list(int)": ([1, 2], "i"),
    "float": (0.5, "f"),
    "list(float)": ([0.5, 1.5], "f"),
    "bool": (False, "b"),
    "list(bool)": ([True, False], "b"),
    "string": (b"\xff", "s"),
    "list(string)": ([b"a", b""], "s"),
    "func": (NameAttrList(name="f"), "func"),
}


@pytest.mark.parametrize("kind", ATTRIBUTES)
def test_an_attribute_comes_back_by_its_kind_and_without_it(kind):
    value, field = ATTRIBUTES[kind]
    message = to_message(value, kind)
    assert message.WhichOneof("value") == ("list" if kind.startswith("list") else field)
    assert repr(from_message(message, kind)) == repr(value) and to_message(value) == message
    empty = to_message([], kind) if kind.startswith("list") else None
    assert empty is None or (empty.WhichOneof("value") == "list" and from_message(empty, kind) == [])


@pytest.mark.parametrize(
    ("kind", "message"), [("int", AttrValue(f=1)), ("list(int)", to_message([1.0])), ("type", AttrValue())]
)
def test_a_message_of_another_kind_is_an_error(kind, message):
    with pytest.raises(ValueError, match=r"AttrValue had .* expected"):
        from_message(message, kind)


def test_what_no_attribute_can_be_is_an_error():
    with pytest.raises(TypeError, match="cannot be the value of an attribute"):
        to_message(object())


def test_attributes_can_be_set_as_messages_and_as_values():
    op = tf.identity(1.0).op
    op._set_attr("_kernel", AttrValue(s=b"special"))
    op._set_attr("_number", 3)
    op._set_attr("_class", AttrValue(list=AttrValue.ListValue(s=[b"loc:@x"])))
    assert (op.get_attr("_kernel"), op.get_attr("_number"), op.get_attr("_class")) == (b"special", 3, [b"loc:@x"])
    assert op.colocation_groups() == [b"loc:@x"]


def test_an_operation_can_be_made_from_messages(graph):
    x = tf.placeholder(tf.float32, [2, 3])
    attributes = {"SrcT": AttrValue(type=1), "DstT": AttrValue(type=3), "Truncate": AttrValue(b=False)}
    op = graph.create_op("Cast", [x], name="c", attrs=attributes)
    assert op.outputs[0].dtype is tf.int32 and op.outputs[0].shape == [2, 3]
    with tf.Session() as session:
        assert session.run(op.outputs[0], {x: np.full([2, 3], 1.5)}).tolist() == [[1, 1, 1], [1, 1, 1]]


def test_an_operation_of_an_unknown_type_needs_its_output_types(graph):
    with pytest.raises(ValueError, match="output types of 'Frobnicate' must be given"):
        graph.create_op("Frobnicate", [])
    assert graph.create_op("Frobnicate", [], [tf.int32]).outputs[0].dtype is tf.int32


def test_tensors_of_another_graph_are_refused(graph):
    with tf.Graph().as_default():
        foreign = tf.constant(1.0)
    with pytest.raises(ValueError, match="must be from the same graph as the new operation 'mine'"):
        graph.create_op("Identity", [foreign], [tf.float32], name="mine", attrs={"T": tf.float32})
    with pytest.raises(ValueError, match="must be from the same graph"):
        tf.identity(1.0).op._update_input(0, foreign)
    with pytest.raises(TypeError, match="tensor must be a Tensor"):
        tf.identity(1.0).op._update_input(0, 3)


def test_a_finalized_graph_cannot_be_changed_afterwards(graph):
    x, op = tf.constant(1.0), tf.identity(1.0).op
    graph.finalize()
    for change in (
        lambda: op._update_input(0, x),
        lambda: op._add_control_input(x.op),
        lambda: op._set_attr("_a", 1),
        lambda: graph.create_op("NoOp", []),
    ):
        with pytest.raises(RuntimeError, match="Graph is finalized and cannot be modified"):
            change()


def test_a_failed_creation_leaves_its_inputs_unused(graph):
    a, b = tf.placeholder(tf.float32, [2]), tf.placeholder(tf.float32, [3])
    with pytest.raises(ValueError, match="Dimensions must be equal, but are 2 and 3"):
        tf.add(a, b)
    assert a.consumers() == [] and len(graph.get_operations()) == 2


def test_the_definition_of_an_operation_is_a_message():
    op_def = tf.cast(1.0, tf.int32).op.op_def
    assert [arg.name for arg in op_def.input_arg] == ["x"] and [arg.type_attr for arg in op_def.output_arg] == ["DstT"]
    assert {attr.name: attr.type for attr in op_def.attr} == {"SrcT": "type", "DstT": "type", "Truncate": "bool"}


def test_an_operation_learns_what_its_inputs_tell(graph):
    x = tf.constant([1.0])
    pack = graph.create_op("Pack", [x, x, x], name="p")
    assert [pack.get_attr(name) for name in ("T", "N", "axis")] == [tf.float32, 3, 0]
    assert pack.outputs[0].shape.as_list() == [3, 1]
    with pytest.raises(ValueError, match="NodeDef missing attr 'dtype' from Op Placeholder"):
        graph.create_op("Placeholder", [], [tf.float32])
    with pytest.raises(TypeError, match="Input #0 is not a tensor: 3"):
        graph.create_op("Neg", [3], [tf.float32])


def test_the_text_of_an_operation_has_its_attributes_in_order():
    text = str(tf.matmul([[1.0]], [[2.0]], name="m").op)
    keys = [line.strip() for line in text.splitlines() if "key:" in line]
    assert text.startswith('name: "m"\nop: "MatMul"\n') and len(keys) == 3 and keys == sorted(keys)
    assert "float_val: 1.0" in str(tf.constant(1.0).op)


def test_names_may_be_bytes():
    assert tf.constant(1, name=b"c").name == "c:0" and tf.add(1, 2, name=b"a").name == "a:0"
    with pytest.raises(TypeError, match="Expected binary or unicode string, got 3"):
        tf.constant(1, name=3)
