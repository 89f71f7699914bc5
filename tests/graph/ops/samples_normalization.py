"""Samples of moments, of normalisations, and of looking up rows."""

import numpy as np
from support.op_samples import FLOATS, error, fixed, normal, samples, uniform

_CHANNELS = [normal(5), normal(5)]


def _normalised(tf, x, scale, offset):
    return list(tf.nn.fused_batch_norm(x, scale, offset))


SAMPLES = [
    *samples("moments", lambda tf, x: tf.nn.moments(x, [0, 1]), normal(3, 4, 2), dtypes=FLOATS, names=False),
    *samples("moments keeping axes", lambda tf, x: tf.nn.moments(x, [0], keep_dims=True), normal(3, 4), names=False),
    *samples(
        "weighted moments",
        lambda tf, x: tf.nn.weighted_moments(x, [0], tf.cast([[1.0], [2.0], [3.0]], x.dtype)),
        normal(3, 4),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "moments in two steps",
        lambda tf, x: tf.nn.normalize_moments(*tf.nn.sufficient_statistics(x, [0])),
        normal(3, 4),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "shifted moments in two steps",
        lambda tf, x: tf.nn.normalize_moments(*tf.nn.sufficient_statistics(x, [0], shift=tf.cast(1.0, x.dtype))),
        normal(3, 4),
        names=False,
    ),
    *samples(
        "batch normalization",
        lambda tf, x, m, v, o, s: tf.nn.batch_normalization(x, m, v, o, s, 1e-3),
        normal(3, 4),
        normal(4),
        uniform(1, 2, 4),
        normal(4),
        normal(4),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "batch normalization alone",
        lambda tf, x, m, v: tf.nn.batch_normalization(x, m, v, None, None, 1e-3),
        normal(3, 4),
        normal(4),
        uniform(1, 2, 4),
        names=False,
    ),
    *samples(
        "fused batch norm", _normalised, normal(2, 3, 4, 5), *_CHANNELS, gradient=False, names=False, tolerance=1e-4
    ),
    *samples(
        "gradient of fused batch norm",
        lambda tf, x, s, o, g: tf.gradients(_normalised(tf, x, s, o)[0], [x, s, o], g),
        normal(2, 3, 4, 5),
        *_CHANNELS,
        normal(2, 3, 4, 5),
        gradient=False,
        names=False,
        tolerance=2e-4,
    ),
    *samples(
        "fused batch norm by given moments",
        lambda tf, x, s, o, m, v: tf.nn.fused_batch_norm(x, s, o, m, v, is_training=False, epsilon=0.1)[0],
        normal(2, 3, 4, 5),
        *_CHANNELS,
        normal(5),
        uniform(1, 2, 5),
        gradient=False,
        names=False,
        tolerance=1e-4,
    ),
    *samples(
        "gradient of fused batch norm by given moments",
        lambda tf, x, s, o, m, v, g: tf.gradients(
            tf.nn.fused_batch_norm(x, s, o, m, v, is_training=False, epsilon=0.1)[0], [x, s, o], g
        ),
        normal(2, 3, 4, 5),
        *_CHANNELS,
        normal(5),
        uniform(1, 2, 5),
        normal(2, 3, 4, 5),
        gradient=False,
        names=False,
        tolerance=2e-4,
    ),
    *samples("l2 normalize", lambda tf, x: tf.nn.l2_normalize(x, 1), normal(3, 4), dtypes=FLOATS, names=False),
    *samples("l2 normalize axes", lambda tf, x: tf.nn.l2_normalize(x, dim=[0, 1]), normal(3, 4), names=False),
    *samples("l2 normalize zeros", lambda tf, x: tf.nn.l2_normalize(x, 0), fixed([0.0, 0.0]), gradient=False),
    *samples("lrn", lambda tf, x: tf.nn.lrn(x, 2, 1.0, 0.5, 0.75), normal(2, 2, 2, 8), gradient=False),
    *samples(
        "gradient of lrn",
        lambda tf, x, g: tf.gradients(tf.nn.lrn(x, 2, 1.0, 0.5, 0.75), x, g),
        normal(2, 2, 2, 8),
        normal(2, 2, 2, 8),
        gradient=False,
        names=False,
    ),
    *samples("embedding", lambda tf, p: tf.nn.embedding_lookup(p, [[1, 3], [0, 1]]), normal(5, 2), names=False),
    *samples(
        "embedding in parts",
        lambda tf, p, q: tf.nn.embedding_lookup([p, q], [1, 3, 0, 2]),
        normal(2, 3),
        normal(2, 3),
        names=False,
        open=False,
    ),
    *samples(
        "embedding in blocks",
        lambda tf, p, q: tf.nn.embedding_lookup([p, q], [[1, 3], [4, 2]], partition_strategy="div"),
        normal(3, 3),
        normal(2, 3),
        names=False,
        open=False,
    ),
    *samples(
        "embedding of short rows",
        lambda tf, p: tf.nn.embedding_lookup(p, [1, 3], max_norm=1.0),
        normal(5, 2),
        names=False,
        open=False,
    ),
]

ERRORS = [
    error(
        "fused batch norm: moments",
        lambda tf: tf.nn.fused_batch_norm(tf.ones([1, 1, 1, 1]), [1.0], [0.0], [0.0], [1.0]),
        ValueError,
        "must be None if is_training is True",
    ),
    error("embedding: none", lambda tf: tf.nn.embedding_lookup([], [0]), ValueError, "Need at least one param"),
    error(
        "embedding: strategy",
        lambda tf: tf.nn.embedding_lookup([np.ones((2, 2)), np.ones((2, 2))], [0], "foo"),
        ValueError,
        "Unrecognized partition strategy: foo",
    ),
    error(
        "embedding: rows",
        lambda tf: tf.nn.embedding_lookup(np.ones((2, 2)), [2]),
        "InvalidArgumentError",
        "indices[0] = 2 is not in [0, 2)",
    ),
]
