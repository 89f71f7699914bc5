"""GraphDefs made of GraphDefs, and graphs as files."""

import pytest
from google.protobuf import text_format

import sessile as tf


@pytest.fixture
def message():
    """c and d feed e; v is a variable, f reads it, and g checks numbers on the way."""
    with tf.Graph().as_default() as graph:
        c, d = tf.constant([1.0, 2.0], name="c"), tf.constant([3.0, 4.0], name="d")
        v = tf.Variable([5.0, 6.0], name="v")
        e = tf.add(tf.identity(c, name="i"), d, name="e")
        with tf.control_dependencies([d]):
            waiting = tf.identity(e, name="w")
        tf.multiply(tf.check_numerics(waiting, "numbers", name="g"), v, name="f")
        tf.no_op(name="alone")
    return graph


def names(message):
    return [node.name for node in message.node]


def test_a_sub_graph_has_what_its_ends_depend_on(message):
    part = tf.graph_util.extract_sub_graph(message.as_graph_def(), ["w"])
    assert names(part) == ["c", "d", "i", "e", "w"] and part.versions == message.as_graph_def().versions


def test_sub_graphs_of_what_is_not_there_are_errors(message):
    with pytest.raises(AssertionError, match="far is not in graph"):
        tf.graph_util.extract_sub_graph(message.as_graph_def(), ["far"])
    with pytest.raises(TypeError, match="dest_nodes must be a list"):
        tf.graph_util.extract_sub_graph(message.as_graph_def(), "w")
    with pytest.raises(TypeError, match=r"graph_def must be a graph_pb2\.GraphDef proto"):
        tf.graph_util.extract_sub_graph(message, ["w"])


def test_variables_become_constants(message):
    with tf.Session(graph=message) as session:
        session.run("v/Assign")
        frozen = tf.graph_util.convert_variables_to_constants(session, message.as_graph_def(), ["f"])
    assert "v/Assign" not in names(frozen) and {n.op for n in frozen.node if n.name == "v"} == {"Const"}
    with tf.Graph().as_default():
        (f,) = tf.import_graph_def(frozen, return_elements=["f:0"])
        assert tf.Session().run(f).tolist() == [20.0, 36.0]


@pytest.mark.parametrize("chosen", [{"variable_names_whitelist": ["other"]}, {"variable_names_blacklist": ["v"]}])
def test_variables_can_be_left_as_they_are(message, chosen):
    with tf.Session(graph=message) as session:
        session.run("v/Assign")
        part = tf.graph_util.convert_variables_to_constants(session, message.as_graph_def(), ["f"], **chosen)
    assert {n.op for n in part.node if n.name == "v"} == {"VariableV2"}


def test_variables_without_a_value_cannot_become_constants(message):
    with tf.Session(graph=message) as session, pytest.raises(tf.errors.FailedPreconditionError):
        tf.graph_util.convert_variables_to_constants(session, message.as_graph_def(), ["f"])


def test_nodes_of_training_are_removed_unless_others_wait_or_they_wait_or_are_protected(message):
    smaller = tf.graph_util.remove_training_nodes(message.as_graph_def(), protected_nodes=["v/read"])
    inputs = {node.name: list(node.input) for node in smaller.node}
    assert "i" not in inputs and inputs["e"] == ["c", "d"]
    assert "g" not in inputs and inputs["f"] == ["w", "v/read"] and inputs["w"] == ["e", "^d"]
    assert "i" in names(message.as_graph_def())


def test_the_shape_of_an_input_is_found_by_its_name(message):
    shapes = [tf.graph_util.tensor_shape_from_node_def_name(message, name) for name in ("e", "e:0")]
    assert shapes == [[2], [2]]


@pytest.mark.parametrize("as_text", [True, False])
def test_a_graph_is_written_to_a_file_in_a_new_folder(message, tmp_path, as_text):
    path = tf.train.write_graph(message, str(tmp_path / "new"), "g.pb", as_text=as_text)
    content = (tmp_path / "new" / "g.pb").read_bytes()
    assert path == str(tmp_path / "new" / "g.pb") and [p.name for p in (tmp_path / "new").iterdir()] == ["g.pb"]
    read = text_format.Parse(content, tf.GraphDef()) if as_text else tf.GraphDef.FromString(content)
    assert read == message.as_graph_def()
    tf.train.write_graph(message.as_graph_def(), str(tmp_path / "new"), "g.pb", as_text)
    assert (tmp_path / "new" / "g.pb").read_bytes() == content
