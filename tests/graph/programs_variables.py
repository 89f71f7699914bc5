"""Programs with variables: making, reading, changing, initialising them, as TensorFlow 1.15 does."""

import numpy as np
from support.recorded_programs import evaluated


def compared(node):
    # TensorFlow makes conditionals of an initialised value
    return "report_uninitialized" not in node and "cond" not in node and "nitialized" not in node and "mul" not in node


def _matrix(tf):
    return tf.Variable(np.arange(1.0, 9.0).reshape(4, 2).astype(np.float32))


def _changing(name, indices, updates):
    def program(tf):
        return evaluated(tf, getattr(tf, name)(_matrix(tf), indices, updates), steps=2)

    return program


_KINDS = ("update", "add", "sub", "mul", "div", "min", "max")
_ROWS = [[1.0, 5.0], [3.0, 4.0], [5.0, 2.0]]
PROGRAMS = {"scatter_" + kind: _changing("scatter_" + kind, [0, 2, 1], _ROWS) for kind in _KINDS}
PROGRAMS.update({"scatter_" + k + "_number": _changing("scatter_" + k, [1, 3], 2.0) for k in _KINDS})
PROGRAMS.update(
    {"scatter_nd_" + k: _changing("scatter_nd_" + k, [[0, 1], [2, 0]], [1.0, 5.0]) for k in ("update", "add", "sub")}
)
PROGRAMS.update({k + "_of_a_row_twice": _changing(k, [0, 2, 0], _ROWS) for k in ("scatter_add", "scatter_sub")})


def a_variable_shows_its_name_shape_and_type(tf):
    v = tf.Variable([1.0, 2.0], name="v")
    names = [v.name, v.op.name, v.op.type, v.initializer.name, v.initial_value.name, v.value().name]
    return [*names, repr(v), str(v.dtype), str(v.get_shape()), v.device, str(v.read_value()), v.trainable]


def types_of_initial_values(tf):
    values = [3, 3.0, [1, 2], True, np.float64(2), np.arange(3), "abc"]
    made = [tf.Variable(value) for value in values] + [tf.Variable(3, dtype=tf.float32)]
    return [v.dtype.name for v in made], evaluated(tf, made)


def no_initial_value(tf):
    tf.Variable()


def an_initial_value_of_unknown_shape(tf):
    tf.Variable(tf.placeholder(tf.float32), name="mul")


def unknown_shapes_without_validation(tf):
    v = tf.Variable(tf.placeholder(tf.float32), validate_shape=False)
    before = str(v.shape)
    v.set_shape([2])
    return [before, str(v.shape), str(v.value().shape)]


def collections_are_lists(tf):
    tf.Variable(1, collections="x")


def constraints_are_functions(tf):
    tf.Variable(1, constraint=3)


def wrong_types(tf):
    tf.Variable([1.5], dtype=tf.int32)


def functions_as_initial_values(tf):
    a = tf.Variable(lambda: tf.ones([2]), dtype=tf.float32, name="a")
    b = tf.Variable(lambda: [1, 2], name="b")
    return evaluated(tf, [a, b])


def collections(tf):
    tf.Variable(1, collections=["a"])
    tf.Variable(1.0, collections=["a"], trainable=False)
    tf.Variable(1, trainable=False)
    return [len(found) for found in (tf.trainable_variables(), tf.global_variables(), tf.get_collection("a"))]


def assignments(tf):
    v = tf.Variable([1.0, 2.0])
    return [
        evaluated(tf, v.assign([3.0, 4.0])),
        evaluated(tf, v.assign_add([1.0, 1.0]), steps=2),
        evaluated(tf, tf.assign_sub(v, [1.0, 1.0], name="less"), steps=2),
    ]


def names_of_assignments(tf):
    v = tf.Variable([1.0, 2.0])
    made = [tf.assign(v, [3.0, 4.0]), tf.assign_add(v, [1.0, 1.0]), v.assign_sub([1.0, 1.0]), v.assign([1.0, 1.0])]
    return [[t.name, t.op.type, str(t)] for t in made]


def assigning_another_shape(tf):
    tf.Variable([1.0, 2.0]).assign([1.0, 2.0, 3.0])


def assigning_another_type(tf):
    tf.Variable([1.0, 2.0]).assign(tf.constant([1, 2]))


def assigning_another_shape_without_validation(tf):
    v = tf.Variable([1.0, 2.0], validate_shape=False)
    return evaluated(tf, tf.assign(v, [1.0, 2.0, 3.0], validate_shape=False))


def operators(tf):
    v, x = tf.Variable([1.0, 2.0], name="v"), tf.constant([3.0, 4.0])
    results = [v + x, x + v, v * 2, 2 / v, -v, v[0], v > x, abs(v), v**2, v - 1, 1 - v, tf.add(v, v), tf.shape(v)]
    return evaluated(tf, results)


def counting(tf):
    return evaluated(tf, tf.count_up_to(tf.Variable(0), 3), steps=3)


def counting_too_far(tf):
    return evaluated(tf, tf.Variable(0).count_up_to(2), steps=3)


def scattering_outside(tf):
    try:
        evaluated(tf, tf.scatter_add(_matrix(tf), [4], [[1.0, 1.0]]))
    except tf.errors.InvalidArgumentError:
        return "refused"


def scattering_rows_of_another_size(tf):
    tf.scatter_add(_matrix(tf), [1], [[1.0, 1.0, 2.0]])


def scattering_indexed_slices(tf):
    return evaluated(tf, _matrix(tf).scatter_sub(tf.IndexedSlices(tf.ones([2, 2]), tf.constant([0, 0]))))


def iteration(tf):
    list(tf.Variable([1, 2]))


def initialisers(tf):
    v = tf.Variable(1.0)
    made = [tf.global_variables_initializer(), tf.variables_initializer([v], name="q"), tf.initialize_all_variables()]
    return [op.name for op in [*made, tf.local_variables_initializer()]]


def whether_there_is_a_value(tf):
    v, w = tf.Variable(1.0, name="a"), tf.Variable(2.0, name="b")
    has_value, missing = tf.is_variable_initialized(v), tf.report_uninitialized_variables()
    with tf.Session() as session:
        before = [session.run(has_value), session.run(missing)]
        session.run(v.initializer)
        between = [session.run(has_value), session.run(missing)]
        session.run(w.initializer)
        return before + between + [session.run(missing)]


def nothing_to_report(tf):
    return evaluated(tf, tf.report_uninitialized_variables())


def initial_values_that_depend_on_others(tf):
    u = tf.Variable(2.0, name="u")
    w = tf.Variable(u.initialized_value() * 3.0, name="w")
    return evaluated(tf, [u, w])


def serialised(tf):
    message = tf.Variable(1.0, name="a", trainable=False).to_proto()
    again = tf.Variable.from_proto(message)
    names = [message.variable_name, message.initializer_name, message.snapshot_name, message.initial_value_name]
    return [*names, message.trainable, again.name, again.initializer.name]


def references_and_tensors(tf):
    v = tf.Variable(1.0, name="a")
    return [v._ref().name, str(v._ref().dtype), tf.convert_to_tensor(v).name, v.op.outputs[0].name]


def names_in_scopes(tf):
    with tf.name_scope("s"):
        return [tf.Variable(tf.zeros([2]), name="v").name for _ in range(2)]


def reads_after_control_dependencies(tf):
    v = tf.Variable(0.0)
    with tf.control_dependencies([tf.assign(v, 5.0)]):
        return evaluated(tf, v.read_value())


def identity_of_variables(tf):
    v, w = tf.Variable(1), tf.Variable(1)
    return [v == w, v == v, len({v, w})]


def gradients_with_respect_to_variables(tf):
    v = tf.Variable([1.0, 2.0])
    return evaluated(tf, tf.gradients(tf.exp(v), [v, v.value()]))


def loading(tf):
    v = tf.Variable([1.0, 2.0])
    with tf.Session() as session:
        session.run(v.initializer)
        v.load([5.0, 6.0], session)
        return session.run(v)


def parts_of_variables_can_be_assigned_to(tf):
    v = tf.Variable([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]], name="v")
    column = v[:, 1].assign([9.0, 8.0])
    corner = v[1:, ::-2].assign([[-1.0, -2.0]], name="corner")
    names = [column.name, corner.name, column.op.type, str(column.dtype)]
    with tf.Session() as session:
        session.run(v.initializer)
        return [names, session.run(column), session.run(corner), session.run(v[0, 1].assign(0.5)), session.run(v)]


def parts_of_variables_of_strings_and_of_known_begin_only_at_run_time(tf):
    v = tf.Variable(["a", "b", "c"])
    w = tf.Variable([True, False, True])
    place = tf.placeholder(tf.int32, [])
    with tf.Session() as session:
        session.run([v.initializer, w.initializer])
        strings = session.run(v[1:].assign(["d", "e"]))
        return [strings, session.run(w[place : place + 1].assign([True]), {place: 1})]


def a_strided_slice_knows_its_variable(tf):
    v = tf.Variable([1, 2, 3])
    return evaluated(tf, tf.strided_slice(v, [0], [2], var=v, name="s").assign([5, 6]))


def parts_take_values_of_their_shape(tf):
    v = tf.Variable([1, 2, 3])
    try:
        evaluated(tf, v[1:].assign([5, 6, 7]))
    except (tf.errors.UnimplementedError, tf.errors.InvalidArgumentError) as error:
        return str(error)[:58]


def _rows_changed_by_a_method(name):
    def program(tf):
        v = tf.Variable([1.0, 2.0, 3.0])
        return evaluated(tf, getattr(v, name)(tf.IndexedSlices(tf.constant([5.0, 0.5]), tf.constant([0, 2]))))

    return program


PROGRAMS.update({f"rows_{k}_by_a_method": _rows_changed_by_a_method("scatter_" + k) for k in _KINDS})


def rows_to_change_are_indexed_slices(tf):
    return tf.Variable([1.0]).scatter_add([0])


def only_scalars_are_counted_up(tf):
    return tf.Variable([1]).count_up_to(3)


def updates_fit_their_coordinates(tf):
    v = tf.Variable([1.0, 2.0, 3.0])
    try:
        return tf.scatter_nd_update(v, [[0], [2]], [5.0])
    except ValueError:
        return "refused"


def values_fit_their_variable_when_they_are_assigned(tf):
    v = tf.Variable(1.0)
    try:
        evaluated(tf, tf.assign(v, tf.placeholder_with_default([1.0, 2.0], None)))
    except tf.errors.InvalidArgumentError as error:
        return error.message.split("\n")[0]


def a_caching_device_is_where_the_variable_is_read(tf):
    with tf.device("/job:a"):
        v = tf.Variable(1.0, caching_device="/job:b", name="v")
    return [[op.name, op.device] for op in v.graph.get_operations()]


def a_group_gathers_on_each_device(tf):
    with tf.device("/gpu:0"):
        a = tf.constant(1, name="a")
    with tf.device("/cpu:0"):
        b = tf.constant(2, name="b")
    tf.group(a, b, name="both")
    tf.group(a, name="one")
    with tf.device("/cpu:1"):
        tf.group(b, tf.constant(3, name="c"), a)
        tf.group(name="none")
    return [[op.name, op.device] for op in a.graph.get_operations()]


def what_waits_for_a_change_sees_it(tf):
    v, w = tf.Variable([1.0, 2.0, 3.0]), tf.Variable(3.0)
    with tf.control_dependencies([v.assign([5.0, 6.0, 7.0]), w.assign_add(1.0)]):
        fetches = [tf.identity(v), v * w, tf.gather(v, [0, 1]), v[0], tf.stack([w, w]), tf.reduce_sum(v) + w]
    return evaluated(tf, fetches, steps=2)


def a_loss_after_a_step_of_training_is_that_of_the_new_weights(tf):
    w, x = tf.Variable([[1.0], [2.0]]), tf.constant([[3.0, 4.0]])
    loss = tf.reduce_sum(tf.square(tf.matmul(x, w)))
    train = w.assign_sub(tf.matmul(x, tf.matmul(x, w), transpose_a=True) / 50.0)
    with tf.control_dependencies([train]):
        after = tf.reduce_sum(tf.square(tf.matmul(x, w)))
    return evaluated(tf, [loss, after], steps=3)


def an_operand_from_a_change_orders_the_other_operand(tf):
    v = tf.Variable(1.0)
    return evaluated(tf, v.assign_add(1.0) + v, steps=2)


def values_computed_before_a_change_stay(tf):
    v = tf.Variable(1.0)
    old = v + 0.0
    with tf.control_dependencies([old]):
        change = v.assign(old * 3.0)
    with tf.control_dependencies([change]):
        difference = v - old
    return evaluated(tf, difference, steps=2)


def changes_one_after_the_other(tf):
    v, w = tf.Variable(1.0), tf.Variable(2.0)
    with tf.control_dependencies([v.assign(w * 10.0)]):
        first = w.assign(v + 1.0)
    with tf.control_dependencies([first]):
        between = v + 0.0
    with tf.control_dependencies([between]):
        last = v.assign_add(10.0)
    with tf.control_dependencies([last]):
        end = tf.identity(v)
    return evaluated(tf, [first, between, end], steps=2)
