"""Programs that draw random numbers: the seeds and the numbers are those of TensorFlow 1.15, run after run."""

import numpy as np
from support.recorded_programs import evaluated


def compared(node):
    return "/eye/" not in node and "_grad/" not in node


def uniform(tf):
    tf.set_random_seed(5)
    draws = [
        tf.random_uniform([3, 2]),
        tf.random_uniform([2], -1, 1, seed=3),
        tf.random_uniform([2], maxval=10, dtype=tf.int32),
        tf.random_uniform([2], dtype=tf.float64),
        tf.random_uniform([2], 5, 100, tf.int64, name="q"),
    ]
    return evaluated(tf, draws, steps=2)


def normal(tf):
    tf.set_random_seed(5)
    draws = [
        tf.random_normal([3, 2]),
        tf.random_normal([5], 1.0, 2.0, seed=3),
        tf.random_normal([2], dtype=tf.float64),
        tf.truncated_normal([7]),
        tf.truncated_normal([3], dtype=tf.float64, seed=9),
        tf.random_normal([]),
    ]
    return evaluated(tf, draws, steps=2)


def half_floats(tf):
    tf.set_random_seed(5)
    return evaluated(tf, [tf.random_normal([3], dtype=tf.float16), tf.random_uniform([3], dtype=tf.float16)])


def without_a_seed_of_the_graph(tf):
    draws = [tf.random_uniform([2], seed=1), tf.random_normal([2], seed=1), tf.random_shuffle(tf.range(6), seed=3)]
    return evaluated(tf, draws, steps=2)


def shuffles(tf):
    tf.set_random_seed(5)
    rows = tf.reshape(tf.range(10), [5, 2])
    return evaluated(tf, [tf.random_shuffle(tf.range(10)), tf.random_shuffle(rows, seed=1)], steps=2)


def classes(tf):
    tf.set_random_seed(5)
    draws = [
        tf.multinomial([[1.0, 2.0, 3.0], [0.0, 0.0, 5.0]], 6),
        tf.random.categorical([[1.0, 2.0, 3.0]], 6, dtype=tf.int32, seed=1),
    ]
    return evaluated(tf, draws, steps=2)


def gamma(tf):
    tf.set_random_seed(5)
    draws = [
        tf.random_gamma([3], [0.5, 2.0]),
        tf.random_gamma([2], 3.0, [1.0, 2.0], seed=2),
        tf.random_gamma([2], 3.0, dtype=tf.float64),
    ]
    return evaluated(tf, draws, steps=2)


def poisson(tf):
    tf.set_random_seed(5)
    draws = [tf.random_poisson([0.5, 20.0], [3]), tf.random_poisson(2.0, [4], dtype=tf.int32, seed=2)]
    return evaluated(tf, draws, steps=2)


def stateless(tf):
    seed = tf.constant([3, 4], tf.int64)
    draws = [
        tf.random.stateless_uniform([3], [1, 2]),
        tf.random.stateless_normal([3, 2], [1, 2], 1.0, 2.0),
        tf.random.stateless_uniform([3], [1, 2], 0, 10, tf.int32),
        tf.random.stateless_truncated_normal([5], [7, 8]),
        tf.random.stateless_uniform([2], seed, dtype=tf.float64),
    ]
    return evaluated(tf, draws, steps=2)


def variables(tf):
    tf.set_random_seed(1)
    made = [
        tf.Variable(tf.random_normal([3])),
        tf.Variable(tf.truncated_normal([2, 2], stddev=0.1)),
        tf.Variable(tf.random_uniform([3], -1, 1), name="u"),
    ]
    return evaluated(tf, made)


def initializers(tf):
    tf.set_random_seed(1)
    made = [
        tf.get_variable("default", [3, 4]),
        tf.get_variable("glorot", [3, 4], initializer=tf.glorot_normal_initializer()),
        tf.get_variable("scaled", [3, 3, 2, 4], initializer=tf.variance_scaling_initializer()),
        tf.get_variable("wide", [2, 2], initializer=tf.variance_scaling_initializer(2.0, "fan_avg", "uniform")),
        tf.get_variable("even", [3, 4], initializer=tf.random_uniform_initializer(-1, 1)),
        tf.get_variable("cut", [3, 4], initializer=tf.truncated_normal_initializer(stddev=0.1, seed=4)),
        tf.get_variable("bell", [3, 4], initializer=tf.random_normal_initializer(1.0, 0.5)),
        tf.get_variable("unit", [3, 4], initializer=tf.uniform_unit_scaling_initializer()),
        tf.get_variable("he", [4], initializer=tf.initializers.he_normal()),
        tf.get_variable("lecun", [4, 2], initializer=tf.initializers.lecun_uniform()),
        tf.get_variable("xavier", [3, 4], initializer=tf.contrib.layers.xavier_initializer()),
        tf.get_variable("xavier_bell", [3, 3, 2, 4], initializer=tf.contrib.layers.xavier_initializer(uniform=False)),
        tf.get_variable("contrib", [3, 4], initializer=tf.contrib.layers.variance_scaling_initializer()),
    ]
    return evaluated(tf, made)


def orthogonal_matrices(tf):
    tf.set_random_seed(1)
    initializer = tf.orthogonal_initializer
    made = [
        tf.get_variable("a", [4, 3], initializer=initializer()),
        tf.get_variable("b", [2, 2, 3, 4], initializer=initializer(2.0, seed=1)),
        tf.get_variable("c", [2, 5], initializer=initializer(seed=3)),
    ]
    return evaluated(tf, made)


def fixed_initializers(tf):
    made = [
        tf.get_variable("zeros", [2], initializer=tf.zeros_initializer()),
        tf.get_variable("ones", [2], tf.int32, initializer=tf.ones_initializer()),
        tf.get_variable("number", [2], initializer=tf.constant_initializer(3.0)),
        tf.get_variable("list", [3, 2], initializer=tf.constant_initializer([1.0, 2.0, 3.0])),
        tf.get_variable("array", [2, 2], initializer=tf.constant_initializer(np.arange(4.0).reshape(2, 2))),
        tf.get_variable("identity", [2, 3], initializer=tf.initializers.identity(2.0)),
    ]
    return evaluated(tf, made)


def configurations_of_initializers(tf):
    made = [
        tf.zeros_initializer(),
        tf.constant_initializer(3.0),
        tf.random_uniform_initializer(-1, 1, 4),
        tf.truncated_normal_initializer(1.0, 2.0, 3),
        tf.variance_scaling_initializer(2.0, "fan_out"),
        tf.glorot_uniform_initializer(),
        tf.orthogonal_initializer(),
    ]
    return [sorted(initializer.get_config().items()) for initializer in made]


def scales_are_positive(tf):
    tf.variance_scaling_initializer(-1.0)


def modes_of_scaling(tf):
    tf.variance_scaling_initializer(mode="fan")


def whole_numbers_are_not_normal(tf):
    tf.random_normal_initializer(dtype=tf.int32)


def orthogonal_vectors(tf):
    tf.get_variable("v", [3], initializer=tf.orthogonal_initializer())


def dictionaries_as_constants(tf):
    tf.constant_initializer({})


def dropouts(tf):
    tf.set_random_seed(4)
    x = tf.reshape(tf.range(24.0), [4, 6])
    made = [
        tf.nn.dropout(x, 0.7),
        tf.nn.dropout(x, rate=0.3),
        tf.nn.dropout(x, rate=0.6, noise_shape=[None, 1]),
        tf.nn.dropout(x, rate=0.4, seed=5),
        tf.nn.dropout(x, rate=0.4, noise_shape=[4, 1], name="dd"),
        tf.nn.dropout(x, 1.0),
    ]
    return evaluated(tf, made + tf.gradients(made[0], x), steps=2)


def dropout_with_a_tensor(tf):
    tf.set_random_seed(4)
    keep, x = tf.placeholder(tf.float32, []), tf.placeholder(tf.float32, [None, 3])
    return evaluated(tf, tf.nn.dropout(x, keep), {keep: 0.5, x: np.ones((3, 3))})


def dropout_of_whole_numbers(tf):
    tf.nn.dropout(tf.constant([1, 2]), 0.5)


def dropout_of_more_than_all(tf):
    tf.nn.dropout(tf.constant([1.0, 2.0]), rate=1.5)


def dropout_of_nothing_in_particular(tf):
    tf.nn.dropout(tf.constant([1.0, 2.0]))


def dropout_by_two_names(tf):
    tf.nn.dropout(tf.constant([1.0, 2.0]), 0.5, rate=0.5)


def seeds(tf):
    found = [tf.get_seed(None), tf.get_seed(3)]
    tf.set_random_seed(0)
    found += [tf.get_seed(None), tf.get_seed(0)]
    tf.set_random_seed(7)
    tf.constant(1)
    return [*found, tf.get_seed(None), tf.get_seed(3)]


def whole_numbers_need_a_bound(tf):
    tf.random_uniform([2], dtype=tf.int32)


def bounds_in_the_wrong_order(tf):
    evaluated(tf, tf.random_uniform([2], 5, 5, dtype=tf.int32))


def complex_random_numbers(tf):
    tf.random_uniform([2], dtype=tf.complex64)


def shapes_are_vectors(tf):
    tf.random_normal([[2]])


def computed_shapes(tf):
    tf.set_random_seed(1)
    n = tf.placeholder(tf.int32, [])
    return evaluated(tf, tf.random_normal([n, 2]), {n: 3})


def crops_and_what_follows(tf):
    tf.set_random_seed(5)
    image = tf.constant(np.arange(20, dtype=np.float32).reshape(5, 4))
    return evaluated(tf, [tf.random_crop(image, [2, 2]), tf.random_uniform([2])], steps=2)


def single_samples(tf):
    tf.set_random_seed(5)
    return evaluated(tf, [tf.random_gamma([], 0.5, 2.0), tf.random_poisson(3.0, []), tf.random_gamma([], [0.5, 2.0])])


def negative_sizes(tf):
    return evaluated(tf, tf.random_uniform([2, -1]))


def seeds_are_cut_to_whole_numbers(tf):
    tf.set_random_seed(3.7)
    return evaluated(tf, tf.random_uniform([2], seed=5.2))


def initializers_come_back_from_their_configuration(tf):
    made = [
        tf.zeros_initializer(tf.int32),
        tf.constant_initializer(2.5, dtype=tf.float64),
        tf.random_uniform_initializer(0, 10, seed=1, dtype=tf.int32),
        tf.random_normal_initializer(1.0, 2.0, seed=1, dtype=tf.float64),
        tf.initializers.identity(2.0),
    ]
    return [type(i).from_config(i.get_config()).get_config() for i in made]
