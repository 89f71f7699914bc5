"""Programs with schedules of the learning rate, the global step and moving averages, as in TensorFlow 1.15."""


def compared(node):
    hidden = ("Const", "Piecewise", "cond", "Initialized", "LinearCosine", "Cycle")
    return not any(part in node for part in hidden)


def _scheduled(rate):
    def program(tf):
        steps = tf.placeholder(tf.int64, [], name="step")
        value = rate(tf, steps)
        with tf.Session() as session:
            return [session.run(value, {steps: step}) for step in (0, 3, 10, 25)]

    return program


PROGRAMS = {
    "exponential": _scheduled(lambda tf, s: tf.train.exponential_decay(0.1, s, 10, 0.5)),
    "exponential_stairs": _scheduled(lambda tf, s: tf.train.exponential_decay(0.1, s, 10, 0.5, True, "lr")),
    "natural_exponential": _scheduled(lambda tf, s: tf.train.natural_exp_decay(0.1, s, 10, 0.5)),
    "inverse_time": _scheduled(lambda tf, s: tf.train.inverse_time_decay(0.1, s, 10, 0.5)),
    "inverse_time_stairs": _scheduled(lambda tf, s: tf.train.inverse_time_decay(0.1, s, 10, 0.5, staircase=True)),
    "polynomial": _scheduled(lambda tf, s: tf.train.polynomial_decay(0.1, s, 20, 0.01, 2.0)),
    "polynomial_again": _scheduled(lambda tf, s: tf.train.polynomial_decay(0.1, s, 20, cycle=True, name="Cycle")),
    "piecewise": _scheduled(lambda tf, s: tf.train.piecewise_constant(s, [3, 20], [1.0, 0.5, 0.1])),
    "cosine": _scheduled(lambda tf, s: tf.train.cosine_decay(0.1, s, 20, 0.1)),
    "linear_cosine": _scheduled(lambda tf, s: tf.train.linear_cosine_decay(0.1, s, 20)),
}


def boundaries_of_another_type(tf):
    tf.train.piecewise_constant(tf.constant(1.0), [1, 2], [1.0, 2.0, 3.0])


def boundaries_of_another_number(tf):
    tf.train.piecewise_constant(tf.constant(1), [1, 2], [1.0, 2.0])


def global_step(tf):
    step = tf.train.create_global_step()
    names = [step.name, step.dtype.name, tf.train.get_global_step().name]
    counts = [len(tf.get_collection("global_step")), len(tf.trainable_variables())]
    with tf.Session() as session:
        session.run(step.initializer)
        return names + counts + [tf.train.global_step(session, step)]


def two_global_steps(tf):
    tf.train.create_global_step()
    tf.train.create_global_step()


def global_step_by_name(tf):
    before = tf.train.get_global_step()
    tf.Variable(3, name="global_step")
    return [before, tf.train.get_global_step().name, tf.train.get_or_create_global_step().name]


def global_step_that_is_no_whole_number(tf):
    tf.Variable(3.0, name="global_step")
    tf.train.get_global_step()


def averages_of_variables(tf):
    v, w = tf.Variable([1.0, 2.0], name="v"), tf.Variable(3.0, name="w", trainable=False)
    averages = tf.train.ExponentialMovingAverage(0.9)
    with tf.control_dependencies([tf.assign_add(v, [1.0, 1.0])]):
        update = averages.apply([v, w])
    names = [update.name, averages.average(v).name, averages.average_name(w), sorted(averages.variables_to_restore())]
    others = [[x.name for x in tf.moving_average_variables()], averages.average(tf.constant(1.0))]
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return names + others + [session.run(averages.average(v))]


def averages_that_forget_their_beginning(tf):
    v, n = tf.Variable([1.0, 2.0], name="v"), tf.Variable(2.0, trainable=False, name="n")
    averages = tf.train.ExponentialMovingAverage(0.9, n, name="avg")
    update = averages.apply()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        session.run(v.assign([5.0, 5.0]))
        session.run(update)
        return [session.run(averages.average(v)), averages.average(v).name]


def averages_of_tensors(tf):
    t = tf.constant([1.0, 3.0]) * 2.0
    averages = tf.train.ExponentialMovingAverage(0.9)
    update = averages.apply([t])
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        seen = []
        for _ in range(3):
            session.run(update)
            seen.append(session.run(averages.average(t)))
        return [seen, [v.name for v in tf.global_variables()]]


def averages_of_whole_numbers(tf):
    tf.train.ExponentialMovingAverage(0.9).apply([tf.Variable(1)])
