"""Programs that train: each optimizer on a dense and on a sparse problem, as TensorFlow 1.15 does."""

from support.recorded_programs import evaluated, numbers


def compared(node):
    # constraints read the variable after the step, by an operation that TensorFlow does not need
    return "gradients" not in node and "clip_by_value" not in node and not node.endswith("update_Variable/read")


def _dense(tf):
    """Least squares with a matrix and a bias: both gradients are dense."""
    w, b = tf.Variable(numbers(0, 4, 3), name="w"), tf.Variable(numbers(1, 3), name="b")
    residual = tf.matmul(tf.constant(numbers(2, 5, 4)), w) + b - tf.constant(numbers(3, 5, 3))
    return tf.reduce_sum(tf.square(residual)), [w, b]


def _sparse(tf):
    """A sum over rows, one of them twice: the gradient is an IndexedSlices."""
    w = tf.Variable(numbers(0, 6, 3), name="w")
    rows = tf.gather(w, [1, 3, 1, 5])
    return tf.reduce_sum(rows * rows * tf.constant(abs(numbers(1, 4, 3)))), [w]


def _trained(make, problem):
    """A program that takes four steps and returns the names of all it made, and all values after each step."""

    def program(tf):
        loss, variables = problem(tf)
        optimizer = make(tf)
        train = optimizer.minimize(loss)
        slots = [optimizer.get_slot(v, name) for v in variables for name in optimizer.get_slot_names()]
        with tf.Session() as session:
            session.run(tf.global_variables_initializer())
            values = []
            for _ in range(4):
                session.run(train)
                values.append(session.run(variables + slots))
        return {
            "names": [optimizer.get_name(), train.name, optimizer.get_slot_names()],
            "slots": [slot.name for slot in slots],
            "variables": [v.name for v in optimizer.variables()],
            "train_op": [op.name for op in tf.get_collection("train_op")],
            "values": values,
        }

    return program


_OPTIMIZERS = {
    "gradient_descent": lambda tf: tf.train.GradientDescentOptimizer(0.05),
    "gradient_descent_by_a_tensor": lambda tf: tf.train.GradientDescentOptimizer(tf.constant(0.05), name="SGD"),
    "momentum": lambda tf: tf.train.MomentumOptimizer(0.05, 0.9),
    "nesterov": lambda tf: tf.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True),
    "adam": lambda tf: tf.train.AdamOptimizer(0.05),
    "adam_with_other_numbers": lambda tf: tf.train.AdamOptimizer(0.05, 0.8, 0.95, 1e-3, name="MyAdam"),
    "adam_by_a_function": lambda tf: tf.train.AdamOptimizer(lambda: 0.05),
    "rms_prop": lambda tf: tf.train.RMSPropOptimizer(0.05),
    "rms_prop_with_momentum": lambda tf: tf.train.RMSPropOptimizer(0.05, 0.8, 0.5, 1e-3),
    "centered_rms_prop": lambda tf: tf.train.RMSPropOptimizer(0.05, momentum=0.3, centered=True),
    "adagrad": lambda tf: tf.train.AdagradOptimizer(0.5),
    "adadelta": lambda tf: tf.train.AdadeltaOptimizer(0.5),
    "ftrl": lambda tf: tf.train.FtrlOptimizer(0.5),
    "ftrl_with_penalties": lambda tf: tf.train.FtrlOptimizer(0.5, -0.3, 0.2, 0.01, 0.02),
    "ftrl_with_shrinkage": lambda tf: tf.train.FtrlOptimizer(0.5, l2_shrinkage_regularization_strength=0.1),
    "proximal_gradient_descent": lambda tf: tf.train.ProximalGradientDescentOptimizer(0.05, 0.01, 0.02),
    "proximal_adagrad": lambda tf: tf.train.ProximalAdagradOptimizer(0.5, 0.1, 0.01, 0.02),
}
PROGRAMS = {
    f"{name}_{kind}": _trained(make, problem)
    for name, make in _OPTIMIZERS.items()
    for kind, problem in (("dense", _dense), ("sparse", _sparse))
}


def minimize_counts_the_global_step(tf):
    loss, _ = _dense(tf)
    step = tf.train.get_or_create_global_step()
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss, global_step=step, name="train")
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        seen = []
        for _ in range(3):
            session.run(train)
            seen.append(tf.train.global_step(session, step))
    return [seen, train.name, step.name, step.dtype.name]


def halves_of_minimize(tf):
    loss, variables = _dense(tf)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    pairs = optimizer.compute_gradients(loss, [variables[1]])
    train = optimizer.apply_gradients([(tf.clip_by_value(g, -1.0, 1.0), v) for g, v in pairs])
    return [[v.name for _, v in pairs], train.name]


def gradients_of_a_given_loss_gradient(tf):
    loss, _variables = _dense(tf)
    pairs = tf.train.GradientDescentOptimizer(0.1).compute_gradients(loss, grad_loss=tf.constant(2.0))
    return evaluated(tf, [g for g, _ in pairs])


def gate_graph(tf):
    loss, _ = _dense(tf)
    optimizer = tf.train.GradientDescentOptimizer(0.1)
    return [g.name for g, _ in optimizer.compute_gradients(loss, gate_gradients=optimizer.GATE_GRAPH)]


def variables_without_gradient_stay(tf):
    loss, _variables = _dense(tf)
    other = tf.Variable(1.0, name="other")
    train = tf.train.AdamOptimizer(0.1).minimize(loss)
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        return [session.run(other), [v.name for v in tf.global_variables()]]


def constraints_hold_after_each_step(tf):
    v = tf.Variable([1.0, -1.0], constraint=lambda x: tf.clip_by_value(x, -0.5, 0.5))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(v * v))
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(train)
        return session.run(v)


def nothing_to_train(tf):
    tf.train.GradientDescentOptimizer(0.1).minimize(tf.constant(1.0))


def no_gradient_for_any_variable(tf):
    tf.Variable(1.0, name="v")
    tf.train.GradientDescentOptimizer(0.1).minimize(tf.constant(1.0))


def no_pairs(tf):
    tf.train.GradientDescentOptimizer(0.1).apply_gradients([])


def whole_numbers_are_not_trained(tf):
    v = tf.Variable(1)
    tf.train.GradientDescentOptimizer(0.1).minimize(v * 2, var_list=[v])


def bad_gate(tf):
    tf.train.GradientDescentOptimizer(0.1).compute_gradients(tf.Variable(1.0) * 2.0, gate_gradients=9)


def no_name(tf):
    tf.train.GradientDescentOptimizer(0.1, name="")


def sparse_with_constraint(tf):
    v = tf.Variable(numbers(0, 4, 2), constraint=lambda x: x)
    tf.train.GradientDescentOptimizer(0.1).minimize(tf.reduce_sum(tf.gather(v, [0])))


def negative_accumulator(tf):
    tf.train.AdagradOptimizer(0.1, initial_accumulator_value=-1.0)


def negative_penalty(tf):
    tf.train.FtrlOptimizer(0.1, l1_regularization_strength=-1.0)


def two_optimizers_of_one_variable(tf):
    loss, _ = _dense(tf)
    tf.train.AdamOptimizer(0.1).minimize(loss)
    tf.train.AdamOptimizer(0.1, name="Second").minimize(loss)
    return [v.name for v in tf.global_variables()]


def slots_in_a_scope(tf):
    with tf.variable_scope("net"):
        w = tf.get_variable("w", [2], initializer=tf.ones_initializer())
        with tf.name_scope("training"):
            tf.train.MomentumOptimizer(0.1, 0.9).minimize(tf.reduce_sum(w * w))
    return [v.name for v in tf.global_variables()]
