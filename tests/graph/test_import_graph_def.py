"""What `tf.import_graph_def` takes, returns and refuses; after an error the graph is as it was."""

import pytest
from google.protobuf import text_format

import sessile as tf
from sessile.graph.proto.op_def_pb2 import OpList

PLACEHOLDER = 'node { name: "%s" op: "Placeholder" attr { key: "dtype" value { type: DT_FLOAT } } %s }'
CONSTANT = """node { name: "%s" op: "Const" attr { key: "dtype" value { type: DT_FLOAT } }
    attr { key: "value" value { tensor { dtype: DT_FLOAT tensor_shape { } float_val: 2 } } } %s }"""
FLOATS = 'attr { key: "T" value { type: DT_FLOAT } }'
A, B = CONSTANT % ("a", ""), CONSTANT % ("b", "")


def node(name, op, *inputs, attributes=FLOATS):
    listed = " ".join(f'input: "{source}"' for source in inputs)
    return f'node {{ name: "{name}" op: "{op}" {listed} {attributes} }}'


def total(*inputs, attributes=FLOATS):
    return node("s", "Add", *inputs, attributes=attributes)


def message(*parts):
    return text_format.Parse(" ".join(parts), tf.GraphDef())


def names():
    return [op.name for op in tf.get_default_graph().get_operations()]


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


# --- names and order


def test_names_get_the_prefix_import_and_then_another():
    tf.import_graph_def(message(A))
    tf.import_graph_def(message(A))
    assert names() == ["import/a", "import_1/a"]


def test_names_go_below_the_scope_around():
    with tf.name_scope("outer"):
        tf.import_graph_def(message(A), name="p/q")
    assert names() == ["outer/p/q/a"]


def test_no_prefix_for_an_empty_name_and_the_scope_itself_for_one_that_ends_in_a_slash():
    tf.import_graph_def(message(A), name="")
    tf.import_graph_def(message(A), name="given/")
    assert names() == ["a", "given/a"]


def test_names_that_are_taken_get_numbers_and_inputs_follow():
    tf.constant(1.0, name="a")
    tf.constant(1.0, name="a/s")
    tf.import_graph_def(message(A, B, total("a", "b:0", "^a")), name="")
    s = tf.get_default_graph().get_operation_by_name("s")
    assert names()[2:] == ["a_1", "b", "s"]
    assert [tensor.name for tensor in s.inputs] == ["a_1:0", "b:0"] and [op.name for op in s.control_inputs] == ["a_1"]


def test_names_of_what_was_imported_are_taken_whatever_their_case():
    tf.import_graph_def(message(A))
    assert tf.constant(1.0, name="IMPORT/A").op.name == "IMPORT/A_1"


def test_a_name_that_is_no_scope_is_an_error():
    with pytest.raises(ValueError, match="'a b' is not a valid scope name"):
        tf.import_graph_def(message(A), name="a b")


def test_nodes_may_come_in_any_order_and_keep_it_where_they_can():
    tf.import_graph_def(message(total("a", "b"), B, A))
    assert names() == ["import/b", "import/a", "import/s"]


# --- what is returned


def test_nothing_is_returned_unless_elements_are_asked_for():
    assert tf.import_graph_def(message(A)) is None


def test_elements_are_returned_by_their_names_in_the_message():
    found = tf.import_graph_def(message(A, B, total("a", "b")), return_elements=["s", b"b:0", "a"])
    assert [element.name for element in found] == ["import/s", "import/b:0", "import/a"]
    assert isinstance(found[1], tf.Tensor) and isinstance(found[0], tf.Operation)


@pytest.mark.parametrize(
    ("elements", "error", "text"),
    [
        (["far"], ValueError, "Requested return node 'far' not found in graph def"),
        (["far:0"], ValueError, "Requested return tensor 'far:0' not found in graph def"),
        (["a:3"], ValueError, r"Invalid return output 3 of node 'a', which has 1 output\(s\)"),
        (["a:x"], ValueError, "Cannot convert 'a:x' to a tensor name"),
        ([3], TypeError, "return_elements must be a list of strings"),
    ],
)
def test_elements_that_are_not_there_are_errors(elements, error, text):
    with pytest.raises(error, match=text):
        tf.import_graph_def(message(A), return_elements=elements)


# --- the input map


def test_mapped_tensors_take_the_place_of_outputs():
    w = tf.constant(5.0, name="w")
    mapped = {"a": w, "b:0": w}
    s, a = tf.import_graph_def(message(A, B, total("a", "b")), input_map=mapped, return_elements=["s:0", "a:0"])
    assert list(s.op.inputs) == [w, w] and a is w
    with tf.Session() as session:
        assert session.run(s) == 10.0


def test_a_mapped_node_need_not_be_there():
    (s,) = tf.import_graph_def(message(B, total("a", "b")), {"a:0": tf.constant(5.0)}, ["s:0"])
    assert tf.Session().run(s) == 7.0


def test_values_in_the_map_become_constants():
    (s,) = tf.import_graph_def(message(A, B, total("a", "b")), input_map={"a": 3.0}, return_elements=["s:0"])
    assert names()[0] == "import/_inputs/Const" and tf.Session().run(s) == 5.0


def test_control_inputs_are_mapped_apart():
    w = tf.constant(3.0, name="w")
    (s,) = tf.import_graph_def(message(A, B, total("a", "b", "^a")), {"^a": w}, ["s"])
    assert [tensor.op.name for tensor in s.inputs] == ["import/a", "import/b"] and s.control_inputs == [w.op]


@pytest.mark.parametrize(
    ("mapped", "arguments", "error", "text"),
    [
        ({"far:0": 1.0}, {}, ValueError, r"Attempted to map inputs that were not found in graph_def: \[far:0\]"),
        ({"s:4": 1.0}, {}, ValueError, r"not found in graph_def: \[s:4\]"),
        (
            {"a": 1},
            {},
            ValueError,
            "Input 0 of node import/s was passed int32 from import/_inputs/Const:0 incompatible",
        ),
        ({"a": 1.0}, {"name": ""}, ValueError, "requires a non-empty `name` if `input_map` contains non-Tensor values"),
        ({"a:x": 1.0}, {}, ValueError, "Cannot convert 'a:x' to a tensor name"),
        ({3: 1.0}, {}, TypeError, "input_map must be a dictionary mapping strings to Tensor objects"),
        ([3], {}, TypeError, "input_map must be a dictionary"),
    ],
)
def test_maps_that_do_not_fit_are_errors(graph, mapped, arguments, error, text):
    with pytest.raises(error, match=text):
        tf.import_graph_def(message(A, B, total("a", "b")), input_map=mapped, **arguments)
    assert names() == [] and graph.unique_name("import") == "import"


def test_a_map_entry_of_a_node_that_nobody_uses_is_no_error():
    tf.import_graph_def(message(A, B, total("a", "b")), input_map={"s:0": tf.constant(1.0)})


def test_tensors_of_another_graph_in_the_map_are_an_error():
    with tf.Graph().as_default():
        foreign = tf.constant(1.0)
    for mapped in ({"a": tf.constant(1.0), "b": foreign}, {"a": foreign}):
        with pytest.raises(ValueError, match="must be from the default graph"):
            tf.import_graph_def(message(A, B, total("a", "b")), input_map=mapped)


# --- scopes around


def test_devices_and_control_dependencies_around_hold_for_imported_operations():
    c = tf.constant(1.0, name="c")
    placed = B.replace('op: "Const"', 'op: "Const" device: "/job:w/cpu:0"')
    with tf.control_dependencies([c]), tf.device("/gpu:1"):
        a, b = tf.import_graph_def(message(A, placed), return_elements=["a", "b"])
    assert a.device == "/device:GPU:1" and b.device == "/job:w/device:CPU:0"
    assert a.control_inputs == [c.op] and b.control_inputs == [c.op]


def test_a_device_function_around_decides_last():
    with tf.device(lambda op: "/task:3"):
        (a,) = tf.import_graph_def(message(A.replace("op:", 'device: "/cpu:0" op:')), return_elements=["a"])
    assert a.device == "/task:3"


def test_colocation_follows_new_names_and_takes_devices():
    together = CONSTANT % ("a", 'attr { key: "_class" value { list { s: "loc:@b" s: "other" } } }')
    placed = B.replace("op:", 'device: "/gpu:0" op:')
    (a,) = tf.import_graph_def(message(together, placed), return_elements=["a"])
    assert a.get_attr("_class") == [b"loc:@import/b", b"other"] and a.device == "/device:GPU:0"


# --- attributes


def test_missing_attributes_take_their_defaults():
    (s,) = tf.import_graph_def(message(A, node("c", "Cast", "a", attributes=CAST)), return_elements=["c"])
    assert s.get_attr("Truncate") is False


CAST = 'attr { key: "SrcT" value { type: DT_FLOAT } } attr { key: "DstT" value { type: DT_INT32 } }'
OFF = FLOATS + ' attr { key: "later" value { b: false } } attr { key: "_own" value { i: 3 } }'


def test_attributes_that_are_not_known_are_kept_when_they_switch_nothing_on():
    (s,) = tf.import_graph_def(message(A, node("i", "Identity", "a", attributes=OFF)), return_elements=["i"])
    assert s.get_attr("later") is False and s.get_attr("_own") == 3


def test_attributes_that_are_not_known_and_ask_for_something_are_refused():
    attributes = FLOATS + ' attr { key: "later" value { b: true } }'
    with pytest.raises(ValueError, match="Node 'i': NodeDef mentions attr 'later' not in Op Identity"):
        tf.import_graph_def(message(A, node("i", "Identity", "a", attributes=attributes)))


def test_new_attributes_of_the_producer_are_left_out_where_they_have_its_default():
    attributes = FLOATS + ' attr { key: "later" value { b: true } }'
    producer = 'op { name: "Identity" attr { name: "later" type: "bool" default_value { b: true } } }'
    given = message(A, node("i", "Identity", "a", attributes=attributes))
    op_list = text_format.Parse(producer, OpList())
    (s,) = tf.import_graph_def(given, return_elements=["i"], producer_op_list=op_list)
    assert "later" not in s.node_def.attr and "later" in given.node[1].attr


def test_shapes_in_the_message_add_to_those_that_are_inferred():
    told = 'attr { key: "_output_shapes" value { list { shape { dim { size: 2 } } } } }'
    (p,) = tf.import_graph_def(message(PLACEHOLDER % ("p", told)), return_elements=["p:0"])
    assert p.shape == [2] and "_output_shapes" not in p.op.node_def.attr


def test_an_overridden_gradient_is_kept():
    attributes = FLOATS + ' attr { key: "_gradient_op_type" value { s: "Other" } }'
    (s,) = tf.import_graph_def(message(A, node("i", "Identity", "a", attributes=attributes)), return_elements=["i"])
    assert s.get_attr("_gradient_op_type") == b"Other"


# --- types of operations that are not known


def test_an_unknown_type_is_kept_with_all_its_attributes(graph):
    attributes = 'attr { key: "list" value { list { i: 1 i: 2 } } } attr { key: "f" value { func { name: "g" } } }'
    given = message(A, node("u", "Frobnicate", "a", attributes=attributes), total("u:1", "a"))
    u, s = tf.import_graph_def(given, return_elements=["u", "s:0"], name="")
    assert [tensor.dtype for tensor in u.outputs][1] == tf.float32
    assert graph.as_graph_def().node[1] == given.node[1]
    with pytest.raises(tf.errors.UnimplementedError, match="Frobnicate"), tf.Session() as session:
        session.run(s)
    assert u.op_def.name == "Frobnicate" and len(u.op_def.output_arg) == 2


def test_functions_of_the_message_tell_the_outputs_of_their_calls_and_are_written_again(graph):
    library = """library { function { signature { name: "Half"
        input_arg { name: "x" type: DT_FLOAT }
        output_arg { name: "y" type: DT_FLOAT } output_arg { name: "n" type: DT_INT32 } } } }"""
    given = message(A, node("h", "Half", "a", attributes=""), library)
    (h,) = tf.import_graph_def(given, return_elements=["h"])
    assert [tensor.dtype for tensor in h.outputs] == [tf.float32, tf.int32]
    assert graph.as_graph_def().library == given.library
    changed = message(A, library.replace("DT_INT32", "DT_INT64"))
    with pytest.raises(ValueError, match="Cannot add function 'Half'"):
        tf.import_graph_def(changed)


# --- messages that contradict themselves

INTEGERS, TRUTHS = FLOATS.replace("FLOAT", "INT32"), FLOATS.replace("FLOAT", "BOOL")
SHAPE = 'attr { key: "shape" value { shape { dim { size: %d } } } }'
TOLD = 'attr { key: "_output_shapes" value { list { shape { dim { size: 2 } } } } }'
P, Q = PLACEHOLDER % ("p", SHAPE % 2), PLACEHOLDER % ("q", SHAPE % 3)
FAR_GROUP = 'attr { key: "_class" value { list { s: "loc:@far" } } }'
SHORT = A.replace("float_val: 2", 'tensor_content: "abc"')
LARGE = A.replace("tensor_shape { }", f"tensor_shape {{ dim {{ size: {2**40} }} }}")

CONTRADICTIONS = {
    "no operation": ("does not specify an operation", 'node { name: "a" }'),
    "unknown input": ("Node 's': Unknown input node 'far'", A, total("a", "far")),
    "unknown control input": (r"Node 's': Unknown input node '\^far'", A, total("a", "a", "^far")),
    "no such output": ("Connecting to invalid output 1 of source node a which has 1 outputs", A, total("a", "a:1")),
    "no name": ("Node '': Node name contains invalid characters", CONSTANT % ("", "")),
    "bad name": ("Node 'a b': Node name contains invalid characters", CONSTANT % ("a b", "")),
    "one name twice": ("Node 'a': the name is not unique", A, A),
    "too few inputs": ("expected inputs 'float32, float32' do not match 1 inputs", A, total("a")),
    "too many inputs": ("do not match 3 inputs", A, total("a", "a", "a")),
    "order of inputs": ("Control dependencies must come after regular dependencies", A, total("^a", "a", "a")),
    "a circle": ("2 nodes are in a cycle", node("x", "Identity", "y"), node("y", "Identity", "x")),
    "a small circle": ("1 nodes are in a cycle or depend on one: 'x'", node("x", "Identity", "x")),
    "other type": ("incompatible with expected int32", A, total("a", "a", attributes=INTEGERS)),
    "type not allowed": ("bool not in list of allowed", A, total("a", "a", attributes=TRUTHS)),
    "no type": ("NodeDef missing attr 'T' from Op Add", A, total("a", "a", attributes="")),
    "no such type": ("attr 'T': .*999", A, total("a", "a", attributes=FLOATS.replace("DT_FLOAT", "999"))),
    "another kind": (
        "type 'int' when 'type' expected",
        A,
        total("a", "a", attributes=FLOATS.replace("type: DT_FLOAT", "i: 1")),
    ),
    "shapes": ("Dimensions must be equal, but are 2 and 3", P, Q, total("p", "q")),
    "negative size": ("negative dimensions", PLACEHOLDER % ("p", SHAPE % -5)),
    "shapes told and inferred": ("_output_shapes is inconsistent", PLACEHOLDER % ("p", SHAPE % 3 + TOLD)),
    "bytes of a tensor": ("needs 4 bytes, not 3", SHORT),
    "size of a tensor": ("larger than 2GB", LARGE),
    "unknown group": ("Node 'a' expects to be colocated with unknown node 'far'", CONSTANT % ("a", FAR_GROUP)),
    "device": ("Node 'a': Unknown attribute: 'nowhere'", A.replace("op:", 'device: "nowhere" op:')),
    "later consumer": ("min consumer version 2000 above current", A, "versions { min_consumer: 2000 }"),
    "bad consumer": ("disallows consumer version 134", A, "versions { bad_consumers: 134 }"),
    "producer": ("producer version -1", A, "versions { producer: -1 }"),
}


@pytest.mark.parametrize("case", CONTRADICTIONS)
def test_a_message_that_contradicts_itself_is_an_error_and_changes_nothing(graph, case):
    text, *parts = CONTRADICTIONS[case]
    kept = tf.constant(1.0, name="kept")
    before = graph.version, graph.as_graph_def()
    with pytest.raises(ValueError, match=text):
        tf.import_graph_def(message(*parts))
    assert (graph.version, graph.as_graph_def()) == before and kept.consumers() == []
    assert graph.unique_name("import") == "import"


@pytest.mark.parametrize("argument", [None, 3, "text", b"bytes"])
def test_what_is_no_message_is_an_error(argument):
    with pytest.raises(TypeError, match="graph_def must be a GraphDef proto"):
        tf.import_graph_def(argument)


def test_versions_of_both_graphs_are_kept(graph):
    tf.import_graph_def(message(A, "versions { producer: 20 min_consumer: 5 bad_consumers: 3 }"))
    assert graph.graph_def_versions == type(graph.graph_def_versions)(producer=20, min_consumer=5, bad_consumers=[3])


def test_a_long_chain_is_imported_without_recursion():
    chain = [A, *(node(f"n{k}", "Identity", f"n{k + 1}" if k < 1999 else "a") for k in range(2000))]
    (end,) = tf.import_graph_def(message(*chain), return_elements=["n0:0"])
    assert tf.Session().run(end) == 2.0
