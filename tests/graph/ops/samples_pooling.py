"""Samples of pooling over one to three axes."""

from support.op_samples import FLOATS, error, normal, samples

_IMAGES = normal(2, 7, 6, 3)


def _pooled(kind, window, strides, padding):
    return lambda tf, x: getattr(tf.nn, kind)(x, window, strides, padding)


_WINDOWS = {
    "of side by side windows": (2, 2, "VALID"),
    "of side by side windows with padding": (2, 2, "SAME"),
    "of overlapping windows": (3, 2, "SAME"),
    "of overlapping windows inside": (3, 1, "VALID"),
    "of wide windows": ([1, 3, 2, 1], [1, 1, 3, 1], "SAME"),
    "with elements between windows": (2, 3, "SAME"),
}

SAMPLES = [
    *(
        sample
        for kind in ("max_pool", "avg_pool")
        for name, arguments in _WINDOWS.items()
        for sample in samples(f"{kind} {name}", _pooled(kind, *arguments), _IMAGES, dtypes=FLOATS)
    ),
    *samples("max_pool3d", _pooled("max_pool3d", 2, 2, "SAME"), normal(1, 3, 4, 4, 2)),
    *samples("avg_pool3d", _pooled("avg_pool3d", [1, 2, 3, 2, 1], 2, "SAME"), normal(1, 3, 4, 4, 2)),
    *samples("max_pool1d", _pooled("max_pool1d", 2, 2, "SAME"), normal(2, 7, 3), names=False),
    *samples("avg_pool1d", _pooled("avg_pool1d", 3, 2, "VALID"), normal(2, 7, 3), names=False),
    *samples("pool", lambda tf, x: tf.nn.pool(x, [2, 3], "AVG", "VALID", strides=[2, 1]), _IMAGES, names=False),
    *samples(
        "pool with gaps",
        lambda tf, x: tf.nn.pool(x, [2, 2], "MAX", "VALID", dilation_rate=[2, 2]),
        _IMAGES,
        names=False,
        open=False,
    ),
    *samples(
        "second derivatives",
        lambda tf, x: [tf.gradients(f(x, 3, 1, "SAME") ** 2.0, x)[0] for f in (tf.nn.max_pool, tf.nn.avg_pool)],
        normal(1, 4, 4, 1),
        names=False,
    ),
    *samples(
        "second derivatives of volumes",
        lambda tf, x: [tf.gradients(f(x, 2, 1, "SAME") ** 2.0, x)[0] for f in (tf.nn.max_pool3d, tf.nn.avg_pool3d)],
        normal(1, 2, 3, 2, 1),
        names=False,
    ),
]

ERRORS = [
    error(
        "batch",
        lambda tf: tf.nn.max_pool(tf.ones([2, 4, 4, 1]), [2, 1, 1, 1], 1, "SAME"),
        "UnimplementedError",
        "not yet supported on the batch dimension",
    ),
    error("window", lambda tf: tf.nn.max_pool(tf.ones([1, 4, 4, 1]), 9, 1, "VALID"), ValueError, "Negative dimension"),
    error("zero", lambda tf: tf.nn.max_pool(tf.ones([1, 4, 4, 1]), 0, 1, "SAME"), ValueError, "ksize cannot be zero"),
    error("length", lambda tf: tf.nn.max_pool(tf.ones([1, 4, 4, 1]), [1, 2, 3], 1, "SAME"), ValueError, "but was 3"),
    error("rank", lambda tf: tf.nn.avg_pool(tf.ones([4, 4, 1]), 2, 1, "SAME"), ValueError, "must be rank 4"),
    error(
        "gaps",
        lambda tf: tf.nn.pool(tf.ones([1, 4, 4, 1]), [2, 2], "MAX", "SAME", [2, 2]),
        ValueError,
        "'SAME' padding",
    ),
]
