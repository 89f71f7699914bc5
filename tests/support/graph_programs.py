"""Small programs about graphs, each a function of the library that returns what it saw.

`tests/graph/record_graph_programs.py` runs them with TensorFlow and keeps what they return; `test_graph_programs.py`
compares. Programs end with values that JSON can hold.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Enters a function among the programs; it runs with an empty default graph."""
    PROGRAMS[function.__name__] = function
    return function


def run(tf: Any, name: str) -> Any:
    """What a program returns with the library `tf`."""
    with tf.Graph().as_default():
        return PROGRAMS[name](tf)


def error(function: Callable[[], Any]) -> list[str]:
    """The class that Python itself has for the exception of a call, and the first line of its text."""
    try:
        function()
    except Exception as raised:
        builtin = next(c.__name__ for c in type(raised).__mro__ if c.__module__ == "builtins")
        return ["error", builtin, (str(raised.args[0]) if raised.args else "").partition("\n")[0]]
    return ["no error"]


def error_class(function: Callable[[], Any]) -> str:
    """The class alone, where the texts differ."""
    return error(function)[1]


def entered(block: Any) -> Any:
    """What a block binds; the block is left at once."""
    with block as value:
        return value


def nodes(tf: Any) -> list[str]:
    return [op.name for op in tf.get_default_graph().get_operations()]


def waits(op: Any) -> list[str]:
    return [other.name for other in getattr(op, "op", op).control_inputs]


def placed(tf: Any, *requests: Any) -> str:
    """The device of an operation inside nested requests."""
    if not requests:
        return tf.no_op().device
    with tf.get_default_graph().device(requests[0]):
        return placed(tf, *requests[1:])


# --- names


@program
def names_are_made_unique_without_regard_to_case(tf):
    given = ["a", "A", "a_1", "a", "Const", "const", "B", "b", "b"]
    return [tf.constant(1, name=name).name for name in given]


@program
def unique_name_counts_and_may_leave_the_name_free(tf):
    graph = tf.get_default_graph()
    marks = [True, True, False, False, True]
    return [graph.unique_name("n", mark_as_used=mark) for mark in marks] + [graph.unique_name("N")]


@program
def operators_name_their_operations(tf):
    a = tf.constant(1.0)
    made = [a + 1.0, a - a, 1.0 - a, a * a, a / a, a // a, a % a, a**a, -a, abs(a), a > a, a >= a, a < a, a <= a]
    return [[tensor.name, tensor.op.type] for tensor in made]


@program
def name_scopes_nest_reenter_and_reset(tf):
    graph = tf.get_default_graph()
    seen = []
    with tf.name_scope("A") as outer:
        for name in ("B", "b", None, "A/", "", "_x", "-y", "x//", "p/q"):
            with tf.name_scope(name) as scope:
                seen.append([scope, graph.get_name_scope(), tf.constant(1).name])
        seen.append(graph.get_name_scope())
    for name in ("A", "a", outer, b"bytes"):
        with tf.name_scope(name) as scope:
            seen.append([scope, tf.constant(1, name="k").name, tf.constant(1, name="k").name])
    return [seen, graph.get_name_scope()]


@program
def a_name_scope_takes_its_default_and_its_values(tf):
    a = tf.constant(1.0)
    scopes = [
        tf.name_scope(None, "d", [a]),
        tf.name_scope(None, "d"),
        tf.name_scope(name="q", default_name="z", values=[a, 3, None]),
        tf.name_scope(None, None, None),
    ]
    other = tf.Graph()
    with other.as_default():
        entered_elsewhere = entered(tf.name_scope("there", values=[a]))
        empty = nodes(tf)
    return [[entered(scope) for scope in scopes], entered_elsewhere, empty, nodes(tf)]


@program
def name_scopes_refuse_wrong_arguments(tf):
    a = tf.constant(1.0)
    with tf.Graph().as_default():
        b = tf.constant(1.0)
    return [
        error(lambda: entered(tf.name_scope(None, None, [a]))),
        error(lambda: entered(tf.name_scope(None, [a]))),
        error(lambda: entered(tf.name_scope(None, 3))),
        error_class(lambda: entered(tf.name_scope("k", values=[a, b]))),
        error_class(lambda: entered(tf.name_scope(3))),
        *(error_class(lambda name=name: entered(tf.name_scope(name))) for name in ("_x", "a b", "/", "-a", "é")),
        error_class(lambda: entered_twice(tf, "ok", "a b")),
    ]


def entered_twice(tf, outer, inner):
    with tf.name_scope(outer):
        return entered(tf.name_scope(inner))


@program
def op_scope_takes_the_values_first(tf):
    a = tf.constant(1.0)
    return [
        entered(tf.op_scope([a], "given")),
        entered(tf.op_scope([a], None, "default")),
        error(lambda: entered(tf.op_scope([a], None, None))),
    ]


@program
def operations_refuse_wrong_names(tf):
    tf.constant(1, name="taken")
    return [
        *(error_class(lambda name=name: tf.constant(1, name=name)) for name in ("_x", "a b", "", "é")),
        tf.constant(1, name="exact/").name,
        error(lambda: tf.constant(1, name="exact/")),
        error(lambda: tf.constant(1, name="taken/")),
        tf.constant(1, name="x>y").name,
    ]


# --- finding elements


@program
def elements_are_found_by_name(tf):
    graph = tf.get_default_graph()
    a = tf.constant(1.0, name="a")
    return [
        graph.get_operation_by_name("a") is a.op,
        graph.get_tensor_by_name("a:0") is a,
        graph.as_graph_element("a") is a.op,
        graph.as_graph_element("a:0") is a,
        graph.as_graph_element(a) is a,
        graph.as_graph_element(a.op) is a.op,
        graph.as_graph_element("a:0", allow_operation=False) is a,
    ]


@program
def names_of_no_element_are_errors(tf):
    graph = tf.get_default_graph()
    a = tf.constant(1.0, name="a")
    return [
        error(lambda: graph.get_operation_by_name("far")),
        error(lambda: graph.get_operation_by_name("a:0")),
        error(lambda: graph.get_operation_by_name(3)),
        error(lambda: graph.get_tensor_by_name(3)),
        error(lambda: graph.get_tensor_by_name("a")),
        error(lambda: graph.get_tensor_by_name("far")),
        error(lambda: graph.get_tensor_by_name("far:0")),
        error(lambda: graph.get_tensor_by_name("a:1")),
        error(lambda: graph.get_tensor_by_name("a:x")),
        error(lambda: graph.as_graph_element("a:0:0")),
        error(lambda: graph.as_graph_element(3)),
        error(lambda: graph.as_graph_element(None)),
        error(lambda: graph.as_graph_element(a, False, False)),
        error(lambda: graph.as_graph_element(a.op, True, False)),
        error(lambda: tf.Graph().as_graph_element(a)),
    ]


# --- control dependencies


@program
def control_dependencies_wait_unless_an_input_does(tf):
    graph = tf.get_default_graph()
    a, b = tf.constant(1.0, name="a"), tf.constant(2.0, name="b")
    seen = {}
    with graph.control_dependencies([a]):
        c = tf.constant(3.0, name="c")
        f = tf.identity(b, name="f")
        seen |= {"c": waits(c), "of c": waits(tf.identity(c)), "of a": waits(tf.identity(a)), "of b": waits(f)}
        with tf.control_dependencies([b, a, f]):
            i = tf.identity(c)
            seen |= {"inner": waits(tf.no_op()), "inner of c": waits(i), "inner of i": waits(tf.identity(i))}
            with tf.control_dependencies(None):
                seen["cleared"] = waits(tf.no_op())
                with tf.control_dependencies([b]):
                    seen["after cleared"] = waits(tf.no_op())
        with tf.control_dependencies([]):
            seen["empty"] = waits(tf.no_op())
    seen["outside"] = waits(tf.no_op())
    return seen


@program
def control_dependencies_take_many_kinds_of_elements(tf):
    a = tf.constant(1.0, name="a")
    tf.constant(2.0, name="b")
    v = tf.Variable(1.0, name="v", use_resource=False)
    slices = tf.IndexedSlices(tf.constant([1.0], name="values"), tf.constant([0]))
    seen = []
    for items in ([a.op], ["a", "b:0"], [v], [a, a, "a"], [slices]):
        with tf.control_dependencies(items):
            seen.append(waits(tf.no_op()))
    with tf.control_dependencies([v.assign(2.0)]):
        seen.append(waits(tf.identity(v)))
    return seen


@program
def control_dependencies_refuse_what_is_no_element(tf):
    with tf.Graph().as_default():
        foreign = tf.no_op(name="foreign")
    return [
        error(lambda: entered(tf.control_dependencies([3]))),
        error(lambda: entered(tf.control_dependencies([None]))),
        error(lambda: entered(tf.control_dependencies([foreign]))),
        error_class(lambda: entered(tf.control_dependencies(tf.constant(1)))),
    ]


@program
def control_inputs_keep_their_order_in_the_node_and_are_sorted_in_the_graph(tf):
    a, b = tf.constant(1.0, name="a"), tf.constant(2.0, name="b")
    with tf.control_dependencies([b, a]):
        op = tf.no_op(name="n")
    exported = [list(node.input) for node in tf.get_default_graph().as_graph_def().node if node.name == "n"]
    return [waits(op), list(op.node_def.input), exported]


# --- devices


@program
def device_requests_merge(tf):
    requests = [
        ["/cpu:0"],
        ["cpu:0"],
        ["/GPU:1", "/cpu:0"],
        ["/job:w/task:1", "/gpu:0"],
        ["/gpu:0", "/job:w/task:1"],
        ["/gpu:0", "/gpu"],
        ["/device:gpu:0"],
        ["/gpu:*"],
        ["/device:XLA_CPU:0"],
        ["/job:a/gpu:0", None, "/task:1"],
        ["/job:a", ""],
        ["/job:a/job:b"],
        ["/replica:1"],
        [tf.DeviceSpec(job="j", device_type="gpu", device_index=2)],
    ]
    return [placed(tf, *request) for request in requests]


@program
def device_functions_see_the_operation(tf):
    def shown(op):
        return f"/job:{op.type}-{op.name}-{op.node_def.op}"

    return [
        placed(tf, lambda op: "/cpu:0", "/gpu:1"),
        placed(tf, "/gpu:1", lambda op: "/cpu:0"),
        placed(tf, "/job:q/gpu:1", lambda op: "/cpu:0"),
        placed(tf, lambda op: op.device + "/task:4", "/job:e"),
        placed(tf, shown),
        placed(tf, lambda op: tf.DeviceSpec(task=3)),
        error_class(lambda: placed(tf, "/job:q", lambda op: None)),
    ]


@program
def wrong_device_names_are_errors(tf):
    return [
        error_class(lambda name=name: placed(tf, name)) for name in ("foo", "/task:x", "/cpu:0/gpu:1", "/device:cpu")
    ]


@program
def device_specs_are_parsed_merged_and_compared(tf):
    spec = tf.DeviceSpec.from_string("/job:ps/replica:1/task:2/device:CPU:0")
    parts = [spec.job, spec.replica, spec.task, spec.device_type, spec.device_index]
    equal = spec == tf.DeviceSpec.from_string(spec.to_string())
    spec.merge_from(tf.DeviceSpec(device_type="GPU"))
    merged = spec.make_merged_spec(tf.DeviceSpec(task=9)).to_string()
    return [parts, equal, spec.to_string(), merged, spec.replace(job="x").to_string(), tf.DeviceSpec().to_string()]


@program
def colocation_goes_before_devices(tf):
    graph = tf.get_default_graph()

    def seen():
        op = tf.no_op()
        groups = [group.decode() for group in op.get_attr("_class")] if "_class" in op.node_def.attr else None
        return [groups, op.device]

    with tf.device("/gpu:0"):
        a = tf.constant(1.0, name="a")
    b = tf.constant(1.0, name="b")
    found = []
    with graph.colocate_with(a):
        found.append(seen())
        with tf.device("/cpu:3"):
            found.append(seen())
        with graph.colocate_with(b):
            found.append(seen())
        with graph.colocate_with(b, ignore_existing=True):
            found.append(seen())
        with graph.colocate_with(None, ignore_existing=True):
            found.append(seen())
    with tf.device("/cpu:3"), graph.colocate_with(b):
        found.append(seen())
    found.append([group.decode() for group in a.op.colocation_groups()])
    return [found, error(lambda: entered(graph.colocate_with(None)))]


@program
def updates_of_variables_are_placed_with_them(tf):
    with tf.device("/gpu:0"):
        v = tf.Variable([1.0, 2.0], name="v", use_resource=False)
    with tf.device("/cpu:0"):
        ops = [v.initializer, v.assign([1.0, 1.0]).op, tf.assign_add(v, [1.0, 1.0]).op, tf.identity(v).op]
        w = tf.get_variable("w", [2], initializer=tf.zeros_initializer(), use_resource=False)
    ops += [w.op, w.initializer, w.initial_value.op]
    classes = [[g.decode() for g in op.get_attr("_class")] if "_class" in op.node_def.attr else None for op in ops]
    return [[op.name, op.device, groups] for op, groups in zip(ops, classes, strict=True)]


# --- the rest of a graph


@program
def containers_name_the_resources_of_variables(tf):
    graph = tf.get_default_graph()
    found = []
    with graph.container("outer"):
        for name in ("inner", "", None):
            found.append(tf.Variable(1.0, use_resource=False).op.get_attr("container").decode())
            with graph.container(name):
                found.append(tf.Variable(1.0, use_resource=False).op.get_attr("container").decode())
    return [*found, tf.Variable(1.0, use_resource=False).op.get_attr("container").decode()]


@program
def gradient_overrides_are_written_on_the_operations(tf):
    graph = tf.get_default_graph()
    with graph.gradient_override_map({"Identity": "Other"}):
        op = tf.identity(1.0).op
    wrong = [error(lambda w=w: entered(graph.gradient_override_map(w))) for w in (3, {3: "a"}, {"a": 3})]
    return [op.get_attr("_gradient_op_type").decode(), "_gradient_op_type" in tf.identity(1.0).op.node_def.attr, wrong]


@program
def collections_keep_values_under_names(tf):
    graph = tf.get_default_graph()
    x = tf.identity(1.0, name="scope_x")
    graph.add_to_collection("c", 1)
    graph.add_to_collections(["c", "d", "c"], 2)
    graph.add_to_collections("e", 3)
    graph.get_collection_ref("f").append(4)
    graph.get_collection("unknown")
    tf.add_to_collection("t", x)
    found = {key: graph.get_collection(key) for key in "cdef"}
    scoped = [len(graph.get_collection("t", scope)) for scope in ("scope", "x", "s.*x", "scope_x:0", None)]
    scoped.append(len(graph.get_collection("c", "x")))
    copied = graph.get_collection("c")
    copied.append(5)
    same = graph.get_collection_ref("c") is graph.get_collection_ref("c")
    graph.clear_collection("d")
    graph.add_to_collection(("key",), 1)
    return [found, scoped, graph.get_collection("c"), same, sorted(graph.get_all_collection_keys())]


@program
def a_finalized_graph_refuses_additions(tf):
    graph = tf.get_default_graph()
    x = tf.constant(1.0, name="x")
    before = graph.finalized
    graph.finalize()
    return [
        before,
        graph.finalized,
        error(lambda: tf.constant(1.0)),
        error(lambda: tf.add(x, x)),
        error(lambda: graph.add_to_collection("c", 1)),
        error(lambda: graph.clear_collection("c")),
        error(lambda: tf.import_graph_def(tf.GraphDef())),
        graph.unique_name("free"),
        graph.get_collection("none"),
        nodes(tf),
    ]


@program
def feeding_and_fetching_can_be_forbidden(tf):
    graph = tf.get_default_graph()
    x, y = tf.identity(1.0), tf.identity(2.0)
    before = [graph.is_feedable(x), graph.is_fetchable(x), graph.is_fetchable(x.op)]
    graph.prevent_feeding(x)
    graph.prevent_fetching(x.op)
    after = [graph.is_feedable(x), graph.is_fetchable(x), graph.is_fetchable(x.op)]
    return [before, after, graph.is_feedable(y), graph.is_fetchable(y)]


@program
def the_version_grows_with_operations(tf):
    graph = tf.get_default_graph()
    seen = [graph.version]
    for _ in range(3):
        tf.no_op()
        seen.append(graph.version)
    return [seen, graph.seed, graph.building_function]


@program
def default_graphs_nest(tf):
    outer = tf.get_default_graph()
    inner = tf.Graph()
    with inner.as_default() as bound:
        within = [bound is inner, tf.get_default_graph() is inner]
        refused = error(tf.reset_default_graph)
    crossed = []

    def cross():
        first, second = tf.Graph().as_default(), tf.Graph().as_default()
        first.__enter__()
        second.__enter__()
        crossed.append(error_class(lambda: first.__exit__(None, None, None)))

    in_thread(cross)
    return [within, refused, crossed, tf.get_default_graph() is outer]


def in_thread(function):
    """Runs a function in a thread of its own, whose default graphs and scopes end with it."""
    thread = threading.Thread(target=function)
    thread.start()
    thread.join()


@program
def each_thread_has_its_own_default_graph_and_scopes(tf):
    graph = tf.get_default_graph()
    found = []

    def work():
        found.append(tf.get_default_graph() is graph)
        with graph.as_default():
            found.append(graph.get_name_scope())
            with tf.name_scope("t"):
                found.append(tf.constant(1).name)

    with tf.name_scope("main"):
        in_thread(work)
        found.append(tf.constant(1).name)
    return found


# --- tensors and operations


@program
def tensors_and_operations_show_what_they_are(tf):
    known = tf.placeholder(tf.float32, [None, 3], name="known")
    unknown = tf.placeholder(tf.string, name="unknown")
    v = tf.Variable(3, name="v", use_resource=False)
    with tf.device("/cpu:0"):
        placed_there = tf.constant([1, 2], name="placed")
    tensors = [known, unknown, tf.constant(1.0, name="scalar"), v._ref(), placed_there]
    shown = [[str(tensor), repr(tensor), tensor.device] for tensor in tensors]
    return [shown, repr(known.op), repr(v), str(tf.no_op(name="n").node_def), repr(tf.no_op(name="n"))]


@program
def tensors_know_their_place(tf):
    first, second = tf.split(tf.constant([1.0, 2.0], name="c"), 2, name="s")
    total = tf.add(second, second, name="total")
    return [
        [first.name, first.value_index, second.name, second.value_index, second.op.type],
        [tensor.name for tensor in second.op.inputs],
        [[op.name for op in tensor.consumers()] for tensor in (first, second, total)],
        [tensor.name for tensor in second.op.outputs],
        [tensor.name for tensor in second.op.values()],
        second.graph is tf.get_default_graph(),
        second.dtype.name,
        second.shape.as_list(),
        second.get_shape().as_list(),
    ]


@program
def static_shapes_take_additions(tf):
    x = tf.placeholder(tf.float32, [None, 3])
    x.set_shape([2, None])
    y = tf.placeholder(tf.float32)
    y.set_shape([None, 4])
    y.set_shape(None)
    wrong = [error_class(lambda s=s: x.set_shape(s)) for s in ([2], [3, 3], [2, 4])]
    return [x.shape.as_list(), y.shape.as_list(), wrong]


@program
def tensors_are_no_python_values(tf):
    a, b = tf.constant(1.0), tf.constant([1.0, 2.0])
    return [
        *(error_class(f) for f in (lambda: bool(a), lambda: iter(b), lambda: list(b), lambda: len(b))),
        *(error_class(f) for f in (lambda: int(a), lambda: float(a), lambda: range(a), lambda: a.__array__())),
        [a == 1, a == a, a != b, a in [b, a], a in {a: 1}],
        error_class(lambda: a.nothing),
    ]


@program
def evaluation_needs_a_session_of_the_graph(tf):
    a = tf.constant(1.0, name="a")
    without = [error(a.eval), error(a.op.run)]
    with tf.Session(graph=tf.Graph()) as other:
        default = [error(a.eval), error(a.op.run)]
        given = [error(lambda: a.eval(session=other)), error(lambda: a.op.run(session=other))]
    with tf.Session() as sess:
        values = [float(a.eval()), a.op.run(), float(a.eval({a: 5.0})), float(a.eval(session=sess))]
    return [without, default, given, values]


@program
def attributes_are_given_as_tensorflow_gives_them(tf):
    p = tf.placeholder(tf.float32, [None, 3], name="p")
    c = tf.constant([[1, 2]], name="c")
    conv = tf.nn.conv2d(tf.ones([1, 4, 4, 1]), tf.ones([2, 2, 1, 1]), [1, 2, 2, 1], "VALID", name="conv").op
    cast = tf.cast(p, tf.int32).op
    return [
        str(p.op.get_attr("shape")),
        p.op.get_attr("dtype").name,
        str(c.op.get_attr("value").tensor_shape),
        [conv.get_attr("padding").decode(), list(conv.get_attr("strides")), conv.get_attr("use_cudnn_on_gpu")],
        [cast.get_attr("SrcT").name, cast.get_attr("DstT").name, cast.get_attr("Truncate")],
        error(lambda: p.op.get_attr("nothing")),
    ]


@program
def operations_can_be_changed_afterwards(tf):
    a, b, c = (tf.constant(float(k), name=name) for k, name in enumerate("abc"))
    total = tf.add(a, b, name="total")
    total.op._add_control_input(c.op)
    total.op._add_control_inputs([c.op, a.op])
    total.op._update_input(1, c)
    total.op._set_device("/cpu:0")
    changed = [tensor.name for tensor in total.op.inputs]
    return [changed, sorted(waits(total)), total.device, [len(t.consumers()) for t in (a, b, c)]]


@program
def a_graph_is_written_from_a_version_on_and_with_shapes(tf):
    graph = tf.get_default_graph()
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    tf.split(x, 3, axis=1, name="s")
    tf.no_op(name="n")
    message = graph.as_graph_def(add_shapes=True)
    shapes = {
        node.name: [[dim.size for dim in shape.dim] for shape in node.attr["_output_shapes"].list.shape]
        for node in message.node
        if "_output_shapes" in node.attr
    }
    return [shapes, [node.name for node in message.node], "_output_shapes" in x.op.node_def.attr]
