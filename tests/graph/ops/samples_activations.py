"""Samples of activations, and of softmax along all axes."""

from support.op_samples import FLOATS, error, fixed, normal, samples

_EDGES = fixed([-80.0, -7.0, -1.0, -0.25, 0.25, 1.0, 5.0, 7.0, 80.0])

SAMPLES = [
    *samples("relu", lambda tf, x: tf.nn.relu(x), normal(3, 4), dtypes=(*FLOATS, "int32")),
    *samples("relu6", lambda tf, x: tf.nn.relu6(x), _EDGES, dtypes=FLOATS),
    *samples("elu", lambda tf, x: tf.nn.elu(x), _EDGES, dtypes=FLOATS),
    *samples("selu", lambda tf, x: tf.nn.selu(x), _EDGES, dtypes=FLOATS),
    *samples("softplus", lambda tf, x: tf.nn.softplus(x), _EDGES, dtypes=FLOATS),
    *samples("softsign", lambda tf, x: tf.nn.softsign(x), _EDGES, dtypes=FLOATS),
    *samples("leaky relu", lambda tf, x: tf.nn.leaky_relu(x), normal(3, 4), dtypes=FLOATS),
    *samples("leaky relu of another slope", lambda tf, x: tf.nn.leaky_relu(x, 0.3, name="leaky"), normal(3, 4)),
    *samples("leaky relu of whole numbers", lambda tf, x: tf.nn.leaky_relu(x), normal(4), dtypes=("int32",)),
    *samples("crelu", lambda tf, x: tf.nn.crelu(x), normal(3, 4), dtypes=FLOATS, names=False),
    *samples("swish", lambda tf, x: tf.nn.swish(x), normal(3, 4), dtypes=FLOATS, names=False),
    *samples(
        "second derivatives",
        lambda tf, x: [tf.gradients(f(x), x)[0] for f in (tf.nn.elu, tf.nn.selu, tf.nn.softplus, tf.nn.leaky_relu)],
        normal(6),
        dtypes=FLOATS,
        names=False,
    ),
    *samples("softmax", lambda tf, x: tf.nn.softmax(x), normal(2, 3, 4), dtypes=FLOATS),
    *samples("softmax of large numbers", lambda tf, x: tf.nn.softmax(x), fixed([[1e4, 0.0], [-1e4, -1e4]])),
    *samples("softmax of the first axis", lambda tf, x: tf.nn.softmax(x, 0), normal(2, 3, 4), names=False, open=False),
    *samples("softmax of a middle axis", lambda tf, x: tf.nn.softmax(x, -2), normal(2, 3, 4), names=False, open=False),
    *samples("log softmax", lambda tf, x: tf.nn.log_softmax(x), normal(2, 3, 4), dtypes=FLOATS),
    *samples(
        "log softmax of an axis", lambda tf, x: tf.nn.log_softmax(x, axis=1), normal(2, 3, 4), names=False, open=False
    ),
]

ERRORS = [
    error("softmax: axis", lambda tf: tf.nn.softmax(tf.ones([2, 3]), axis=2), "InvalidArgumentError", "range [-2, 2)"),
    error("softmax: scalar", lambda tf: tf.nn.softmax(tf.constant(1.0)), ValueError, "at least rank 1"),
    error("softmax: axis of unknown rank", lambda tf: tf.nn.softmax(tf.placeholder("float"), 0), ValueError, "axis 0"),
    error("relu: strings", lambda tf: tf.nn.relu(tf.constant("a")), TypeError, "string"),
]
