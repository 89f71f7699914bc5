"""Programs with tf.gradients: what TensorFlow 1.15 returns, and what it adds around the operations' own rules."""

from support.recorded_programs import evaluated, numbers


def compared(node):
    return node.startswith(("gradients", "g/")) and "_grad/" not in node


def _with_names(tf, grads):
    """Names and values of gradients."""
    known = [g for g in grads if g is not None]
    names = [None if g is None else g.name.split("/")[0] for g in grads]
    return [names, evaluated(tf, known) if known else None]


def a_chain(tf):
    a = tf.constant(numbers(0, 2))
    return _with_names(tf, tf.gradients(tf.sin(tf.exp(a)), a))


def calls_have_scopes_of_their_own(tf):
    a = tf.constant(numbers(0, 2))
    y = tf.exp(a)
    return _with_names(tf, tf.gradients(y, a, name="g") + tf.gradients(y, a) + tf.gradients(y, a))


def unconnected(tf):
    a, b = tf.constant(numbers(0, 2)), tf.constant(numbers(1, 2))
    return _with_names(tf, tf.gradients(tf.exp(a), [a, b]))


def unconnected_as_zeros(tf):
    a, b = tf.constant(numbers(0, 2)), tf.constant(numbers(1, 2))
    return _with_names(tf, tf.gradients(tf.exp(a), [a, b], unconnected_gradients="zero"))


def unconnected_as_nonsense(tf):
    a = tf.constant(numbers(0, 2))
    tf.gradients(a, a, unconnected_gradients="foo")


def with_respect_to_itself(tf):
    a = tf.constant(numbers(0, 2))
    b = tf.exp(a)
    return _with_names(tf, tf.gradients(a, a) + tf.gradients([a, b], [a, b]))


def several_ways(tf):
    a = tf.constant(numbers(0, 2))
    b = tf.exp(a)
    c = tf.sin(b) + a
    return _with_names(tf, tf.gradients([b, c], [a, b, c]))


def repeated_arguments(tf):
    a = tf.constant(numbers(0, 2))
    b = tf.exp(a)
    return _with_names(tf, tf.gradients([b, b], [a, a]))


def initial_gradients(tf):
    a = tf.constant(numbers(0, 2))
    b, c = tf.exp(a), tf.tanh(a)
    return _with_names(tf, tf.gradients([b, c], a, grad_ys=[None, tf.constant(numbers(1, 2))]))


def initial_gradients_as_numbers(tf):
    a = tf.constant(numbers(0, 2))
    return _with_names(tf, tf.gradients(tf.exp(a), a, grad_ys=[[1.0, 2.0]]))


def too_many_initial_gradients(tf):
    a = tf.constant(numbers(0, 2))
    tf.gradients(tf.exp(a), a, grad_ys=[None, None])


def initial_gradients_of_another_kind(tf):
    a = tf.constant(numbers(0, 2))
    tf.gradients(tf.exp(a), a, grad_ys=tf.constant([True, False]))


def complex_numbers_need_initial_gradients(tf):
    a = tf.constant([1 + 2j])
    tf.gradients(a * a, a)


def stops(tf):
    a = tf.constant(numbers(0, 2))
    b = tf.exp(a)
    return _with_names(tf, tf.gradients(b + a, [a, b], stop_gradients=[b]))


def stops_everywhere(tf):
    a = tf.constant(0.0)
    b = 2 * a
    return _with_names(tf, tf.gradients(a + b, [a, b], stop_gradients=[a, b]) + tf.gradients(a + b, [a, b]))


def stop_gradient_is_a_constant(tf):
    a = tf.constant(numbers(0, 2))
    return _with_names(tf, tf.gradients(tf.stop_gradient(tf.exp(a)) + a, a))


def whole_numbers_let_nothing_through(tf):
    a, whole = tf.constant(numbers(0, 2, 3)), tf.constant([1, 2])
    first = tf.gradients(tf.cast(tf.cast(a, tf.int32), tf.float32), a)
    second = tf.gradients(tf.cast(tf.argmax(a, 1), tf.float32), a)
    return [g is None for g in first + second + tf.gradients(whole + whole, whole)]


def gates(tf):
    a, b = tf.constant(numbers(0, 2)), tf.constant(numbers(1, 2))
    return _with_names(tf, tf.gradients(tf.maximum(a, b), [a, b], gate_gradients=True))


def sums_in_turn(tf):
    a = tf.constant(numbers(0, 2))
    y = tf.exp(a) + tf.sin(a) + tf.tanh(a)
    return _with_names(tf, tf.gradients(y, a, aggregation_method=tf.AggregationMethod.EXPERIMENTAL_TREE))


def sums_by_an_unknown_method(tf):
    a = tf.constant(numbers(0, 2))
    tf.gradients(tf.exp(a) + a, a, aggregation_method=7)


def colocated(tf):
    a = tf.constant(numbers(0, 2))
    return _with_names(tf, tf.gradients(tf.exp(a), a, colocate_gradients_with_ops=True))


def rows_of_variables(tf):
    p = tf.Variable(numbers(0, 5, 2))
    (grad,) = tf.gradients(tf.gather(p, [1, 3, 1]), p)
    return [type(grad).__name__, evaluated(tf, [grad.values, grad.indices, grad.dense_shape])]


def rows_from_several_places(tf):
    p = tf.Variable(numbers(0, 5, 2))
    y = tf.reduce_sum(tf.gather(p, [1, 3])) + tf.reduce_sum(tf.gather(p, [0])) * 2.0
    (grad,) = tf.gradients(y, p)
    return [grad.values.name, evaluated(tf, [grad.values, grad.indices])]


def rows_with_indices_of_two_types(tf):
    p = tf.Variable(numbers(0, 5, 2))
    y = tf.reduce_sum(tf.gather(p, [1, 3])) + tf.reduce_sum(tf.gather(p, tf.constant([0], tf.int64)))
    (grad,) = tf.gradients(y, p)
    return [grad.indices.dtype.name, evaluated(tf, [grad.values, grad.indices])]


def rows_and_whole_tensors(tf):
    p = tf.Variable(numbers(0, 5, 2))
    return evaluated(tf, tf.gradients(tf.reduce_sum(tf.gather(p, [1, 3])) + tf.reduce_sum(tf.exp(p)), p))


def rows_of_what_is_computed(tf):
    p = tf.Variable(numbers(0, 5, 2))
    return evaluated(tf, tf.gradients(tf.gather(tf.exp(p), [1, 3, 3]), p))


def nothing(tf):
    return tf.gradients([], [])


def operations_without_gradient(tf):
    a = tf.constant(numbers(0, 2))
    tf.gradients(tf.gradients(tf.nn.softsign(a), a), a)


def some_outputs_of_an_operation(tf):
    a = tf.constant(numbers(0, 4))
    first, _ = tf.split(a, 2)
    return _with_names(tf, tf.gradients(first, a))


def unknown_shapes(tf):
    a = tf.placeholder(tf.float32)
    return evaluated(tf, tf.gradients(tf.reduce_sum(tf.exp(a)), a), {a: [[1.0, 2.0]]})


_names = (f"Registered{k}" for k in range(1000))


def _registered(tf, function):
    name = next(_names)
    tf.RegisterGradient(name)(function)
    return tf.get_default_graph().gradient_override_map({"Exp": name})


def overridden_gradients(tf):
    a = tf.constant(numbers(0, 2))
    with _registered(tf, lambda op, grad: grad * 100.0):
        y = tf.exp(a)
    return evaluated(tf, tf.gradients(y, a) + tf.gradients(tf.exp(a), a))


def gradients_of_another_number(tf):
    a = tf.constant(numbers(0, 2))
    with _registered(tf, lambda op, grad: [grad, grad]):
        tf.gradients(tf.exp(a), a)


def gradients_of_another_shape(tf):
    a = tf.constant(numbers(0, 2))
    with _registered(tf, lambda op, grad: tf.ones([5])):
        tf.gradients(tf.exp(a), a)


def registered_twice(tf):
    tf.RegisterGradient("MatMul")(lambda op, grad: None)


def registered_for_a_number(tf):
    tf.RegisterGradient(3)


def custom_gradients(tf):
    @tf.custom_gradient
    def log1pexp(x):
        return tf.log(1 + tf.exp(x)), lambda dy: dy * 7.0

    a = tf.constant(numbers(0, 2))
    return evaluated(tf, [log1pexp(a), *tf.gradients(log1pexp(a) * 2.0, a)])


def custom_gradients_of_several(tf):
    @tf.custom_gradient
    def both(x, w):
        return (x + w, x * w), lambda a, b: (a * 2.0, b * 3.0)

    a, b = tf.constant(numbers(0, 2)), tf.constant(numbers(1, 2))
    y, z = both(a, b)
    return evaluated(tf, [y, z, *tf.gradients([y, z], [a, b])])


def custom_gradients_take_no_names(tf):
    @tf.custom_gradient
    def same(x):
        return x, lambda dy: dy

    same(x=tf.constant(1.0))


def second_derivatives(tf):
    a = tf.constant(numbers(0, 3))
    (first,) = tf.gradients(tf.sin(a) * a, a)
    return evaluated(tf, tf.gradients(first, a))


def hessian(tf):
    a = tf.constant(numbers(0, 3))
    with tf.name_scope("h"):  # TensorFlow makes a loop
        return evaluated(tf, tf.hessians(tf.reduce_sum(tf.exp(a)) + a[0] * a[1] * a[2], a))


def cross_entropy_has_no_second_derivative(tf):
    a = tf.constant(numbers(0, 3, 4))
    loss = tf.nn.sparse_softmax_cross_entropy_with_logits(labels=[0, 3, 1], logits=a)
    tf.gradients(tf.gradients(loss, a), a)


def of_analytic_functions(tf):
    a = tf.constant([0.1 + 0.2j, 1.5 - 1.0j], tf.complex64)
    seeds = tf.constant([1 + 1j, 2 - 1j], tf.complex64)
    firsts = [
        tf.gradients(function(a), a, seeds)[0]
        for function in (tf.tanh, tf.sigmoid, tf.sqrt, tf.rsqrt, tf.math.reciprocal, tf.exp)
    ]
    seconds = [tf.gradients(first, a, seeds)[0] for first in firsts]
    parts = tf.stack([[tf.real(g), tf.imag(g)] for g in firsts + seconds])
    return evaluated(tf, [parts])


def of_reductions_over_axes_of_the_run(tf):
    a = tf.placeholder(tf.float32)
    axes = tf.placeholder_with_default([0, -1], [None])
    found = []
    for reduce in (tf.reduce_sum, tf.reduce_mean, tf.reduce_max, tf.reduce_logsumexp):
        found += tf.gradients(reduce(a, axes), a) + tf.gradients(reduce(a, axes, keepdims=True), a)
    with tf.Session() as session:
        return session.run(tf.stack(found), {a: numbers(2, 3, 2), axes: [2, 0]}).tolist()


def of_a_product_of_unknown_rank(tf):
    a = tf.placeholder(tf.float32)
    grad = tf.gradients(tf.reduce_prod(a) * 2.0, a)[0]
    with tf.Session() as session:
        return [session.run(grad, {a: value}).tolist() for value in (numbers(2, 3), 3.0, [[0.0], [4.0]])]


def of_gather_along_axes_of_the_run(tf):
    a = tf.placeholder(tf.float32)
    axis = tf.placeholder(tf.int32, [])
    y = tf.gather(a, [[0, 1], [1, 1]], axis=axis)
    grad = tf.gradients(y * y, a)[0]
    known = tf.gradients(tf.square(tf.gather(a, [1, 1], axis=-2)), a)[0]
    with tf.Session() as session:
        return [session.run([grad, known], {a: numbers(5, 2, 3, 2), axis: k}) for k in (0, 1, -1)]


def there_is_no_gradient_of_unique(tf):
    x = tf.constant([1.0, 2.0])
    return tf.gradients(tf.unique(x).y, x)


def there_is_no_gradient_of_an_assignment_to_a_part(tf):
    v = tf.Variable([1.0, 2.0])
    return tf.gradients(v[:1].assign([2.0]), v._ref())
