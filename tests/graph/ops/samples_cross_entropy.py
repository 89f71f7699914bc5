"""Samples of cross entropies and of other losses."""

from support.op_samples import FLOATS, error, fixed, normal, samples, uniform, whole

SAMPLES = [
    *samples(
        "softmax cross entropy",
        lambda tf, x, p: tf.nn.softmax_cross_entropy_with_logits_v2(labels=tf.nn.softmax(p), logits=x),
        normal(3, 4),
        uniform(0, 1, 3, 4),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "softmax cross entropy of an axis",
        lambda tf, x, p: tf.nn.softmax_cross_entropy_with_logits_v2(tf.nn.softmax(p, 1), x, axis=1),
        normal(2, 3, 4),
        uniform(0, 1, 2, 3, 4),
        names=False,
        open=False,
    ),
    *samples(
        "softmax cross entropy of fixed labels",
        lambda tf, x: tf.nn.softmax_cross_entropy_with_logits(labels=[[0.2, 0.8], [1.0, 0.0]], logits=x),
        normal(2, 2),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "second derivative of softmax cross entropy",
        lambda tf, x: tf.gradients(
            tf.nn.softmax_cross_entropy_with_logits_v2(labels=[[0.2, 0.8], [1.0, 0.0]], logits=tf.cast(x, "float32")),
            x,
        ),
        normal(2, 2),
        dtypes=("float32",),
        gradient=False,
        names=False,
    ),
    *samples(
        "sparse softmax cross entropy",
        lambda tf, x, c: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=c, logits=x),
        normal(3, 4),
        whole(0, 4, 3),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "sparse softmax cross entropy of stacks",
        lambda tf, x, c: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=c, logits=x),
        normal(2, 3, 4),
        whole(0, 4, 2, 3, dtype="int64"),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "sparse softmax cross entropy of half floats",
        lambda tf, x, c: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=c, logits=x),
        normal(3, 4),
        whole(0, 4, 3),
        dtypes=("float16",),
        gradient=False,
        names=False,
    ),
    *samples(
        "sigmoid cross entropy",
        lambda tf, x, p: tf.nn.sigmoid_cross_entropy_with_logits(labels=p, logits=x),
        fixed([-90.0, -2.0, 0.5, 90.0]),
        uniform(0, 1, 4),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "weighted cross entropy",
        lambda tf, x, p: tf.nn.weighted_cross_entropy_with_logits(p, x, 2.0),
        normal(3, 4),
        uniform(0, 1, 3, 4),
        dtypes=FLOATS,
        names=False,
    ),
    *samples("l2 loss", lambda tf, x: tf.nn.l2_loss(x), normal(3, 4), dtypes=FLOATS),
    *samples(
        "log poisson loss",
        lambda tf, x: tf.nn.log_poisson_loss(tf.cast([0.0, 1.0, 2.0, 5.0], x.dtype), x, compute_full_loss=True),
        normal(4),
        dtypes=FLOATS,
        names=False,
    ),
]


def _sparse(tf, labels, logits):
    return tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits)


ERRORS = [
    error("labels that do not exist", lambda tf: _sparse(tf, [0, 4], tf.ones([2, 4])), "InvalidArgumentError", "0 4"),
    error("labels of another rank", lambda tf: _sparse(tf, [[0]], tf.ones([1, 4])), ValueError, "Rank mismatch"),
    error("labels of another size", lambda tf: _sparse(tf, [0, 1, 2], tf.ones([2, 4])), ValueError, "Shape mismatch"),
    error("labels that float", lambda tf: _sparse(tf, [0.0], tf.ones([1, 4])), TypeError, "float32"),
    error("scalars", lambda tf: _sparse(tf, 0, tf.constant(1.0)), ValueError, "Logits cannot be scalars"),
    error(
        "no names",
        lambda tf: tf.nn.softmax_cross_entropy_with_logits(tf.ones([1, 2]), tf.ones([1, 2])),
        ValueError,
        "with named arguments",
    ),
    error(
        "no labels",
        lambda tf: tf.nn.sigmoid_cross_entropy_with_logits(logits=tf.ones([2])),
        ValueError,
        "Both labels and logits must be provided",
    ),
    error(
        "sigmoid: shapes",
        lambda tf: tf.nn.sigmoid_cross_entropy_with_logits(labels=tf.ones([2]), logits=tf.ones([3])),
        ValueError,
        "must have the same shape ((3,) vs (2,))",
    ),
]
