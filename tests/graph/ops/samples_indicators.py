"""Samples of tensors made of indices, of space moved to batch or channels, and of sparse segments."""

from support.op_samples import FLOATS, error, fixed, normal, samples, whole

SAMPLES = [
    *samples("sequence_mask", lambda tf, n: tf.sequence_mask(n), fixed([1, 3, 0]), names=False),
    *samples(
        "sequence_mask of type", lambda tf, n: tf.sequence_mask(n, 4, tf.float32), fixed([[1, 3], [0, 2]]), names=False
    ),
    *samples(
        "confusion_matrix", lambda tf, x, y: tf.confusion_matrix(x, y, 4), whole(0, 4, 9), whole(0, 4, 9), names=False
    ),
    *samples(
        "confusion_matrix of all",
        lambda tf, x, y: tf.confusion_matrix(x, y),
        fixed([0, 2, 1]),
        fixed([0, 1, 1]),
        names=False,
    ),
    *samples("sparse_to_dense", lambda tf, v: tf.sparse_to_dense([[0, 1], [2, 0]], [3, 2], v, -1.0), normal(2)),
    *samples("sparse_to_dense of vector", lambda tf: tf.sparse_to_dense([1, 3], [5], 1)),
    *samples(
        "histogram",
        lambda tf, x: tf.histogram_fixed_width(x, [-1.0, 1.0], nbins=5),
        normal(9),
        names=False,
        gradient=False,
    ),
    *samples(
        "bins",
        lambda tf, x: tf.histogram_fixed_width_bins(x, [-1.0, 1.0], nbins=5),
        normal(3, 3),
        names=False,
        gradient=False,
    ),
    *samples("unravel_index", lambda tf, i: tf.unravel_index(i, [3, 4]), fixed([0, 5, 11])),
    *samples("repeat", lambda tf, x: [tf.repeat(x, 2), tf.repeat(x, 3, axis=1)], normal(2, 2), names=False),
    *samples("repeat by counts", lambda tf, x: tf.repeat(x, [1, 0, 2], axis=0), normal(3, 2), names=False, open=False),
    *samples(
        "zero_fraction", lambda tf, x: tf.nn.zero_fraction(x), fixed([0.0, 1.0, 0.0, 2.0]), names=False, gradient=False
    ),
    *samples(
        "space_to_batch", lambda tf, x: tf.space_to_batch(x, [[0, 0], [1, 1]], 2), normal(1, 4, 2, 3), names=False
    ),
    *samples(
        "batch_to_space", lambda tf, x: tf.batch_to_space(x, [[0, 0], [1, 0]], 2), normal(4, 2, 2, 1), names=False
    ),
    *samples("space_to_batch_nd", lambda tf, x: tf.space_to_batch_nd(x, [2, 3], [[1, 1], [0, 1]]), normal(2, 4, 5, 2)),
    *samples("batch_to_space_nd", lambda tf, x: tf.batch_to_space_nd(x, [3], [[1, 0]]), normal(6, 2, 2)),
    *samples("space_to_depth", lambda tf, x: tf.space_to_depth(x, 2), normal(1, 4, 2, 3), names=False),
    *samples("depth_to_space", lambda tf, x: tf.depth_to_space(x, 2), normal(1, 2, 2, 8), names=False),
    *samples(
        "sparse_segment_sum",
        lambda tf, x: tf.sparse_segment_sum(x, [0, 2, 2, 1], [0, 0, 1, 3]),
        normal(3, 2),
        dtypes=FLOATS,
        names=False,
    ),
    *samples(
        "sparse_segment_mean",
        lambda tf, x: tf.sparse_segment_mean(x, [0, 2, 2, 1], [0, 0, 1, 3]),
        normal(3, 2),
        names=False,
    ),
    *samples(
        "sparse_segment_sqrt_n",
        lambda tf, x: tf.sparse_segment_sqrt_n(x, [0, 2, 2], [0, 0, 1], num_segments=3),
        normal(3, 2),
        names=False,
    ),
    *samples(
        "is_non_decreasing",
        lambda tf, x: [tf.is_non_decreasing(x), tf.is_strictly_increasing(x)],
        fixed([1, 2, 2]),
        names=False,
    ),
]

ERRORS = [
    error(
        "space_to_batch",
        lambda tf: tf.space_to_batch(tf.ones([1, 3, 2, 1]), [[0, 0], [0, 0]], 2),
        ValueError,
        "evenly divisible by 2 but is 3",
    ),
    error(
        "depth_to_space",
        lambda tf: tf.depth_to_space(tf.ones([1, 1, 1, 3]), 2),
        ValueError,
        "evenly divisible by 4 but is 3",
    ),
    error("sequence_mask", lambda tf: tf.sequence_mask([1], [2, 3]), ValueError, "maxlen must be scalar"),
    error(
        "unravel_index",
        lambda tf: tf.unravel_index([12], [3, 4]),
        "InvalidArgumentError",
        "index is out of bound as with dims",
    ),
    error("assert_equal", lambda tf: tf.assert_equal(1, 2), "InvalidArgumentError", "Condition x == y did not hold"),
    error(
        "assert_less",
        lambda tf: tf.assert_less(tf.placeholder_with_default([1, 5], [2]), [3, 3], message="too large"),
        "InvalidArgumentError",
        "assertion failed: [too large] [Condition x < y did not hold element-wise:]",
    ),
    error(
        "assert_rank",
        lambda tf: tf.assert_rank(tf.ones([2]), 2, message="mine"),
        ValueError,
        "must have rank 2.  Received rank 1",
    ),
    error("assert_rank_in", lambda tf: tf.assert_rank_in(tf.ones([2]), [2, 3]), ValueError, "must have rank in (2, 3)"),
    error("assert_integer", lambda tf: tf.assert_integer(tf.ones([2])), TypeError, 'Expected "x" to be integer type'),
    error(
        "assert_near",
        lambda tf: tf.assert_near(tf.ones([2]), [1.0, 1.1]),
        "InvalidArgumentError",
        "not equal to tolerance",
    ),
    error(
        "Assert",
        lambda tf: tf.Assert(tf.placeholder_with_default(False, []), ["no", tf.constant([1, 2])]),
        "InvalidArgumentError",
        "assertion failed: [no] [1 2]",
    ),
    error(
        "all finite",
        lambda tf: tf.verify_tensor_all_finite(tf.log([0.0]), "not finite"),
        "InvalidArgumentError",
        "not finite : Tensor had Inf",
    ),
]
