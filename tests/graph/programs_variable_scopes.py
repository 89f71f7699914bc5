"""Programs with variable scopes and name scopes, nested in many ways: what TensorFlow 1.15 calls things."""

from support.recorded_programs import evaluated, numbers


def scopes_nest(tf):
    with tf.variable_scope("a") as scope:
        v = tf.get_variable("v", [1])
        with tf.variable_scope("b"):
            w = tf.get_variable("w", [1])
            x = tf.add(v, w)
    return [v.name, w.name, x.name, scope.name, scope.original_name_scope]


def name_scopes_do_not_name_variables_of_get_variable(tf):
    with tf.name_scope("n"):
        with tf.variable_scope("a"):
            v = tf.get_variable("v", [1])
            x = v + 1
        u = tf.Variable(1.0, name="u")
    return [v.name, u.name, x.name]


def reuse_shares(tf):
    with tf.variable_scope("a"):
        v = tf.get_variable("v", [1])
        x = v + 1
    with tf.variable_scope("a", reuse=True):
        w = tf.get_variable("v", [1])
        y = w + 1
    return [v.name, x.name, y.name, v is w]


def a_scope_entered_twice_has_a_new_name_scope(tf):
    with tf.variable_scope("a"):
        v = tf.get_variable("v", [1])
        x = v + 1
    with tf.variable_scope("a"):
        w = tf.get_variable("w", [1])
        y = w + 1
    return [v.name, w.name, x.name, y.name]


def default_names_are_made_unique(tf):
    names = []
    for _ in range(2):
        with tf.variable_scope(None, "d"):
            v = tf.get_variable("v", [1])
            names += [v.name, (v + 1).name]
    with tf.variable_scope("d"):
        u = tf.get_variable("w", [1])
        names += [u.name, (u + 1).name]
    with tf.variable_scope(None, "d"):
        q = tf.get_variable("v", [1])
        names += [q.name, (q + 1).name]
    return names


def default_names_inside_scopes_that_are_entered_again(tf):
    scopes = []
    with tf.variable_scope("a") as first:
        for _ in range(2):
            with tf.variable_scope(None, "d") as inner:
                scopes.append(inner.name)
    with tf.variable_scope("a"), tf.variable_scope(None, "d") as inner:
        scopes.append(inner.name)
    with tf.variable_scope(first), tf.variable_scope(None, "d") as inner:
        scopes.append(inner.name)
    return scopes


def a_scope_object_brings_its_name_along(tf):
    with tf.variable_scope("a") as scope:
        v = tf.get_variable("v", [1])
    with tf.variable_scope("b"):
        with tf.variable_scope(scope):
            w = tf.get_variable("w", [1])
            y = w + 1
        u = tf.get_variable("u", [1])
    return [v.name, w.name, u.name, y.name]


def a_scope_object_and_its_original_name_scope(tf):
    with tf.variable_scope("a") as scope:
        tf.get_variable("v", [1])
    with tf.variable_scope(scope, reuse=True) as shared:
        y = tf.get_variable("v", [1]) + 1
    with tf.variable_scope(scope, auxiliary_name_scope=False) as again, tf.name_scope(scope.original_name_scope):
        z = tf.constant(2)
    return [y.name, z.name, shared.reuse, scope.reuse, again.original_name_scope]


def scopes_without_name_scope(tf):
    with tf.variable_scope("a", auxiliary_name_scope=False) as first:
        x = tf.get_variable("v", [1]) + 1
    with tf.name_scope("q"), tf.variable_scope("b", auxiliary_name_scope=False) as second:
        v = tf.get_variable("v", [1])
        y = v + 1
    return [v.name, x.name, y.name, first.original_name_scope, second.original_name_scope]


def auto_reuse_makes_or_shares(tf):
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
        v, w = tf.get_variable("v", [1]), tf.get_variable("v", [1])
    with tf.variable_scope("a", reuse=tf.AUTO_REUSE):
        u, x = tf.get_variable("v", [1]), tf.get_variable("x", [1])
    return [v.name, x.name, v is w, v is u]


def reuse_variables_from_here_on(tf):
    with tf.variable_scope("a"):
        v = tf.get_variable("v", [1])
        tf.get_variable_scope().reuse_variables()
        return v is tf.get_variable("v")


def reuse_is_inherited(tf):
    kinds = []
    with tf.variable_scope("a", reuse=True):
        for reuse in (False, None, tf.AUTO_REUSE):
            with tf.variable_scope("b", reuse=reuse) as scope:
                kinds.append(str(scope.reuse))
    return kinds


def a_variable_that_exists(tf):
    with tf.variable_scope("a"):
        tf.get_variable("v", [1])
        tf.get_variable("v", [1])


def a_variable_that_does_not_exist(tf):
    with tf.variable_scope("a", reuse=True):
        tf.get_variable("v", [1])


def sharing_with_another_shape(tf):
    tf.get_variable("v", [1])
    with tf.variable_scope("", reuse=True):
        tf.get_variable("v", [2])


def sharing_with_another_type(tf):
    tf.get_variable("v", [1])
    with tf.variable_scope("", reuse=True):
        tf.get_variable("v", [1], tf.int32)


def no_shape(tf):
    tf.get_variable("v")


def a_shape_with_holes(tf):
    tf.get_variable("v", [None, 2])


def a_constant_and_a_shape(tf):
    tf.get_variable("v", [2], initializer=tf.constant([1.0, 2.0]))


def no_default_for_complex_numbers(tf):
    tf.get_variable("v", [2], tf.complex64)


def no_name_at_all(tf):
    tf.variable_scope(None)


def a_number_for_a_name(tf):
    with tf.variable_scope(3):
        pass


def reuse_of_a_default_name(tf):
    with tf.variable_scope(None, "x", reuse=True):
        pass


def constants_as_initializers(tf):
    a = tf.get_variable("a", initializer=tf.constant([1.0, 2.0]))
    b = tf.get_variable("b", initializer=[1, 2])
    c = tf.get_variable("c", initializer=numbers(0, 2, 2))
    return evaluated(tf, [a, b, c])


def initializers_by_type_and_function(tf):
    a, b = tf.get_variable("a", [2], tf.int32), tf.get_variable("b", [2], tf.bool)
    c = tf.get_variable("c", [2], initializer=tf.ones_initializer)
    d = tf.get_variable("d", initializer=lambda: tf.ones([3]))
    return evaluated(tf, [a, b, c, d])


def defaults_of_scopes(tf):
    def total(x):
        return tf.reduce_sum(x)

    with tf.variable_scope("a", initializer=tf.constant_initializer(3.0), regularizer=total, dtype=tf.float64):
        v = tf.get_variable("v", [2])
        with tf.variable_scope("b"):
            w = tf.get_variable("w", [2])
            zeros = tf.zeros_initializer()
            u = tf.get_variable("u", [2], initializer=zeros, regularizer=tf.no_regularizer)
    losses = tf.get_collection(tf.GraphKeys.REGULARIZATION_LOSSES)
    return [v.dtype.name, [loss.name for loss in losses], evaluated(tf, [v, w, u, *losses])]


def the_root_scope_has_defaults_too(tf):
    tf.get_variable_scope().set_initializer(tf.constant_initializer(2.0))
    return evaluated(tf, tf.get_variable("v", [2]))


def custom_getters(tf):
    def renamed(getter, name, *args, **kwargs):
        return tf.identity(getter(name + "_x", *args, **kwargs), name="got")

    with tf.variable_scope("a", custom_getter=renamed):
        return tf.get_variable("v", [1]).name


def custom_getters_of_nested_scopes(tf):
    calls = []

    def outer(getter, name, **kwargs):
        calls.append("outer " + name)
        return getter(name, **kwargs)

    def inner(getter, name, **kwargs):
        calls.append("inner " + name)
        return getter(name, **kwargs)

    with tf.variable_scope("a", custom_getter=outer), tf.variable_scope("b", custom_getter=inner):
        tf.get_variable("v", [1])
    tf.get_variable("w", [1], custom_getter=outer)
    return calls


def an_empty_name_stays_in_the_scope(tf):
    with tf.variable_scope("a"), tf.variable_scope(""):
        v = tf.get_variable("v", [1])
        x = v + 1
    return [v.name, x.name]


def names_with_slashes(tf):
    with tf.variable_scope("a/b"):
        x = tf.get_variable("v", [1]) + 1
    with tf.variable_scope("a"), tf.variable_scope("b", reuse=True):
        y = tf.get_variable("v") + 1
    return [x.name, y.name]


def variables_made_directly_are_uniquely_named(tf):
    with tf.variable_scope("a"):
        made = [tf.Variable(1.0), tf.Variable(2.0), tf.Variable(1.0, name="w")]
    made.append(tf.Variable(1.0, name="a/w"))
    return [v.name for v in made]


def variables_of_both_kinds_in_one_scope(tf):
    with tf.variable_scope("x"):
        v = tf.get_variable("x", [1])
        a = tf.identity(v)
        b = tf.Variable(0.0, name="x")
    with tf.variable_scope("x"):
        c = tf.Variable(0.0, name="x")
        d = tf.get_variable("y", [1])
    return [v.name, a.name, b.name, c.name, d.name]


def the_root_name_scope(tf):
    with tf.name_scope("n"):
        with tf.name_scope(None):
            v = tf.Variable(1.0, name="v")
        u = tf.get_variable("u", [1])
    return [v.name, u.name]


def local_variables_are_neither_saved_nor_trained(tf):
    v = tf.get_local_variable("v", [2], initializer=tf.zeros_initializer())
    with tf.variable_scope("s"):
        w = tf.get_local_variable("w", initializer=tf.constant(3.0))
    kinds = [tf.local_variables(), tf.global_variables(), tf.trainable_variables()]
    return [[x.name for x in kind] for kind in kinds] + evaluated(tf, [v, w])


def collections_of_a_scope(tf):
    with tf.variable_scope("a") as scope:
        tf.get_variable("v", [1])
        tf.get_variable("w", [1], trainable=False)
    tf.get_variable("z", [1])
    found = [
        scope.global_variables(),
        scope.trainable_variables(),
        tf.trainable_variables("a"),
        tf.global_variables("z"),
    ]
    return [[v.name for v in variables] for variables in found]


def a_scope_inside_a_scope_object(tf):
    with tf.variable_scope("a"), tf.variable_scope("b") as b:
        pass
    with tf.variable_scope(b), tf.variable_scope("c"):
        v = tf.get_variable("v", [1])
        x = v + 1
    return [v.name, x.name, b.name]


def layers(tf):
    for k in range(3):
        with tf.variable_scope(f"l{k}"):
            w, b = tf.get_variable("w", [2, 2]), tf.get_variable("b", [2])
            h = tf.nn.relu(tf.matmul(tf.ones([1, 2]), w) + b)
    return [v.name for v in tf.global_variables()] + [h.name]


def the_older_form(tf):
    with tf.variable_op_scope([tf.constant(1.0)], None, "op") as scope:
        return [tf.get_variable("v", [1]).name, scope.name]


def shapes_may_be_numbers_and_empty(tf):
    a = tf.get_variable("a", shape=3, initializer=tf.ones_initializer())
    b = tf.get_variable("b", shape=(), initializer=tf.zeros_initializer())
    c = tf.get_variable("c", shape=tf.TensorShape([2]), initializer=tf.zeros_initializer())
    return evaluated(tf, [a, b, c])


def constants_have_the_type_that_is_asked_for(tf):
    with tf.name_scope("n"):
        v = tf.get_variable("v", dtype=tf.float32, initializer=[1.0, 2.0])
    try:
        tf.get_variable("w", dtype=tf.float64, initializer=[1.0, 2.0])
    except ValueError as error:
        return [v.name, str(error)]


def types_are_compared_before_shapes(tf):
    return tf.get_variable("v", [2], tf.float32, initializer=tf.constant([1, 2]))


def getters_are_told_everything(tf):
    def getter(getter, name, shape, partitioner, caching_device, collections, **others):
        told = [name, shape, partitioner, caching_device, collections, sorted(others)]
        return getter(name, shape=shape, **others), told

    with tf.variable_scope("a", custom_getter=getter):
        v, told = tf.get_variable("v", [3])
    return [v.name, told]


def getters_are_functions(tf):
    with tf.variable_scope("a", custom_getter=3):
        tf.get_variable("v", [1])


def reuse_is_a_truth_value(tf):
    with tf.variable_scope("a", reuse=1):
        pass


def the_switch_for_name_scopes_is_a_truth_value(tf):
    with tf.variable_scope("a", auxiliary_name_scope=3):
        pass
