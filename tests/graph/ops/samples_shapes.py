"""Samples of shapes as values, changes of shape, filling, ranges, and transposition."""

from support.op_samples import FLOATS, NUMBERS, REALS, error, fixed, normal, samples, truth, whole

SAMPLES = [
    *samples(
        "shape",
        lambda tf, x: [tf.shape(x), tf.shape(x, out_type=tf.int64), tf.size(x), tf.rank(x)],
        normal(2, 3),
        gradient=False,
    ),
    *samples("shape_n", lambda tf, x, y: tf.shape_n([x, y]), normal(2, 3), normal(4), gradient=False, names=False),
    *samples("sizes of a list", lambda tf: [tf.shape([[1, 2]]), tf.size([1, 2]), tf.rank(3.0)], names=False),
    *samples("reshape", lambda tf, x: tf.reshape(x, [3, 2]), normal(2, 3), dtypes=NUMBERS),
    *samples("reshape with -1", lambda tf, x: tf.reshape(x, [-1, 2, 1]), normal(2, 3)),
    *samples("reshape to vector", lambda tf, x: tf.reshape(x, (-1,)), normal(2, 3, 2)),
    *samples("reshape to scalar", lambda tf, x: tf.reshape(x, []), normal(1, 1), names=False),
    *samples("reshape by shape", lambda tf, x: tf.reshape(x, [tf.shape(x)[1], -1]), normal(2, 3)),
    *samples("reshape by fed shape", lambda tf, x, s: tf.reshape(x, s), normal(2, 3), fixed([3, -1])),
    *samples("reshape of empty", lambda tf: tf.reshape(tf.zeros([0, 3]), [0, 5])),
    *samples(
        "expand_dims",
        lambda tf, x: [tf.expand_dims(x, 0), tf.expand_dims(x, axis=-1), tf.expand_dims(x, dim=1)],
        normal(2, 3),
    ),
    *samples("squeeze", lambda tf, x: tf.squeeze(x), normal(2, 1, 3, 1)),
    *samples(
        "squeeze axes",
        lambda tf, x: [tf.squeeze(x, [1]), tf.squeeze(x, squeeze_dims=[-1]), tf.squeeze(x, 1)],
        normal(2, 1, 3, 1),
    ),
    *samples("ensure_shape", lambda tf, x: tf.ensure_shape(x, [None, 3]), normal(2, 3)),
    *samples("transpose", lambda tf, x: tf.transpose(x), normal(2, 3, 4), dtypes=NUMBERS),
    *samples("transpose by perm", lambda tf, x: tf.transpose(x, [1, 2, 0]), normal(2, 3, 4)),
    *samples(
        "transpose conjugate",
        lambda tf, x: tf.transpose(x, conjugate=True),
        normal(2, 3),
        dtypes=("complex64", "float32"),
    ),
    *samples("matrix_transpose", lambda tf, x: tf.matrix_transpose(x), normal(2, 3, 4)),
    *samples("invert_permutation", lambda tf, x: tf.invert_permutation(x), fixed([2, 0, 3, 1])),
    *samples("fill", lambda tf, x: tf.fill([2, 3], x), normal(), dtypes=REALS),
    *samples("fill by shape", lambda tf, x, y: tf.fill(tf.shape(x), y), normal(2, 3), normal()),
    *samples("zeros", lambda tf: [tf.zeros([2, 3]), tf.zeros((2,), tf.int32), tf.zeros([], tf.bool), tf.zeros(2)]),
    *samples("zeros of strings", lambda tf: tf.zeros([2], tf.string)),
    *samples("ones", lambda tf: [tf.ones([2, 3]), tf.ones([2], dtype=tf.bool), tf.ones([2], tf.complex64)]),
    *samples("large zeros", lambda tf: tf.zeros([40, 30])),
    *samples("zeros by shape", lambda tf, x: tf.zeros(tf.shape(x)), normal(2, 3), gradient=False),
    *samples("zeros by sizes", lambda tf, x: tf.ones([tf.shape(x)[0], 2]), normal(3, 1), gradient=False),
    *samples(
        "zeros_like",
        lambda tf, x: [tf.zeros_like(x), tf.ones_like(x), tf.zeros_like(x, tf.int32)],
        normal(2, 3),
        names=False,
        gradient=False,
    ),
    *samples("ones_like of truth", lambda tf, x: [tf.zeros_like(x), tf.ones_like(x)], truth(3), names=False),
    *samples("one_hot", lambda tf, x: tf.one_hot(x, 4), whole(0, 4, 5)),
    *samples("one_hot values", lambda tf, x: tf.one_hot(x, 3, 5.0, -1.0, axis=0), whole(-1, 4, 2, 2), names=False),
    *samples("one_hot of type", lambda tf, x: tf.one_hot(x, depth=3, dtype=tf.int32, axis=1), whole(0, 3, 2, 2)),
    *samples("range", lambda tf: [tf.range(5), tf.range(2, 9, 3), tf.range(5, 0, -2), tf.range(0.0, 1.0, 0.25)]),
    *samples("range of types", lambda tf: [tf.range(3, dtype=tf.float64), tf.range(1, 2.5), tf.range(0)], names=False),
    *samples("range to size", lambda tf, x: tf.range(tf.shape(x)[0]), normal(4, 2), gradient=False),
    *samples("range of fed", lambda tf, n, d: tf.range(0, n, d), fixed(7), fixed(3)),
    *samples("linspace", lambda tf: [tf.linspace(0.0, 1.0, 5), tf.lin_space(2.0, 3.0, 1)], names=False),
    *samples(
        "linspace of fed", lambda tf, a, b: tf.linspace(a, b, 4), fixed(-1.0), fixed(2.0), names=False, gradient=False
    ),
    *samples("broadcast_to", lambda tf, x: tf.broadcast_to(x, [2, 2, 3]), normal(2, 1), dtypes=FLOATS),
    *samples(
        "broadcast_dynamic_shape", lambda tf, x, y: tf.broadcast_dynamic_shape(x, y), fixed([2, 1, 3]), fixed([4, 1])
    ),
    *samples("tile", lambda tf, x: tf.tile(x, [2, 3]), normal(2, 1), dtypes=REALS),
    *samples("tile larger", lambda tf, x: tf.tile(x, [2, 1, 2]), normal(1, 2, 3)),
    *samples("tile by fed", lambda tf, x, m: tf.tile(x, m), normal(2, 2), fixed([1, 2])),
    *samples("pad", lambda tf, x: tf.pad(x, [[1, 0], [0, 2]]), normal(2, 3), dtypes=REALS),
    *samples("pad value", lambda tf, x: tf.pad(x, [[1, 0], [0, 2]], constant_values=7.0), normal(2, 3)),
    *samples("pad reflect", lambda tf, x: tf.pad(x, [[1, 1], [2, 0]], "REFLECT"), normal(2, 3)),
    *samples("pad symmetric", lambda tf, x: tf.pad(x, [[1, 2], [3, 1]], "symmetric"), normal(2, 3)),
    *samples("static shape as values", lambda tf, x: tf.reshape(x, x.shape), normal(2, 3), open=False),
]

ERRORS = [
    error(
        "reshape",
        lambda tf: tf.reshape(tf.ones([2, 3]), [4]),
        ValueError,
        "Cannot reshape a tensor with 6 elements to shape [4] (4 elements)",
    ),
    error(
        "reshape with -1", lambda tf: tf.reshape(tf.ones([2, 3]), [4, -1]), ValueError, "evenly divisible by 4 but is 6"
    ),
    error(
        "squeeze",
        lambda tf: tf.squeeze(tf.ones([2, 3]), [0]),
        ValueError,
        "Can not squeeze dim[0], expected a dimension of 1, got 2",
    ),
    error("expand_dims", lambda tf: tf.expand_dims(tf.ones([2]), 3), ValueError, "dim 3 not in the interval [-2, 1]"),
    error(
        "reverse of an unknown rank",
        lambda tf: tf.reverse(tf.placeholder_with_default([1, 2], None), tf.placeholder_with_default([2], [1])),
        "InvalidArgumentError",
        "'axis'[0] = 2 is out of valid range [0, 0]",
    ),
    error(
        "bitcast of an unknown shape",
        lambda tf: tf.bitcast(tf.placeholder_with_default([1, 2, 3], None), tf.int64),
        "InvalidArgumentError",
        "Cannot bitcast from 3 to 2",
    ),
    error(
        "matrix_diag of an unknown rank",
        lambda tf: tf.matrix_diag(tf.placeholder_with_default(1.0, None)),
        "InvalidArgumentError",
        "diagonal must be at least 1-dim",
    ),
    error(
        "where of unknown shapes",
        lambda tf: tf.where(
            tf.placeholder_with_default([True], None), *[tf.placeholder_with_default([1, 2], None)] * 2
        ),
        "InvalidArgumentError",
        "shapes differ",
    ),
    error(
        "random_uniform of a negative size",
        lambda tf: tf.random_uniform(tf.placeholder_with_default([-1], [1])),
        "InvalidArgumentError",
        "Dimension -1 must be >= 0",
    ),
    error("expand_dims without axis", lambda tf: tf.expand_dims(tf.ones([2])), ValueError, "Must specify an axis"),
    error("transpose", lambda tf: tf.transpose(tf.ones([2, 3]), [0]), ValueError, "Dimension must be 2 but is 1"),
    error(
        "unknown shape",
        lambda tf: tf.zeros(tf.placeholder(tf.float32, [None, 3]).shape),
        (ValueError),
        "partially known TensorShape",
    ),
    error("concat of nothing", lambda tf: tf.concat([], 0), ValueError, "shorter than minimum length 2"),
    error("concat axes", lambda tf: tf.concat([[1], [2]], [0]), ValueError, "must be rank 0 but is rank 1"),
    error("fill", lambda tf: tf.zeros([-1]), ValueError, "Fill dimensions must be >= 0"),
    error(
        "fill with a vector",
        lambda tf: tf.fill([2], tf.placeholder_with_default([1.0], None)),
        "InvalidArgumentError",
        "value must be a scalar, got shape [1]",
    ),
    error("one_hot axis", lambda tf: tf.one_hot([1], 2, axis=-2), ValueError, "axis must be >= -1"),
    error(
        "one_hot depth",
        lambda tf: tf.one_hot([1], tf.placeholder_with_default(-1, [])),
        "InvalidArgumentError",
        "depth must be non-negative, got: -1",
    ),
    error(
        "tile by a negative number",
        lambda tf: tf.tile([1], tf.placeholder_with_default([-1], [1])),
        "InvalidArgumentError",
        "Expected multiples[0] >= 0, but got -1",
    ),
    error(
        "negative padding",
        lambda tf: tf.pad([1, 2], tf.placeholder_with_default([[-1, 0]], [1, 2])),
        "InvalidArgumentError",
        "Paddings must be non-negative: -1 0",
    ),
    error("slice by numbers", lambda tf: tf.slice([1, 2], 1, 1), ValueError, "must be rank 1 but is rank 0"),
    error(
        "indices of unknown rank",
        lambda tf: tf.placeholder_with_default([1.0], None)[0, 0],
        "InvalidArgumentError",
        "Index out of range using input dim 1",
    ),
    error("bias_add", lambda tf: tf.nn.bias_add(tf.ones([2, 3]), [1.0] * 3, "NCHW"), ValueError, "at least rank 3"),
    error(
        "cast of strings",
        lambda tf: tf.cast(["1"], tf.int32),
        "UnimplementedError",
        "Cast string to int32 is not supported",
    ),
    error("split", lambda tf: tf.split(tf.ones([6]), [1, -1, -1]), ValueError, "size_splits can only have one -1"),
    error("linspace", lambda tf: tf.linspace([0.0], 1.0, 3), ValueError, "must be rank 0 but is rank 1"),
    error("range", lambda tf: tf.range(0, 5, 0), ValueError, "Requires delta != 0"),
    error("range direction", lambda tf: tf.range(5, 0), ValueError, "Requires start <= limit when delta > 0: 5/0"),
    error("one_hot types", lambda tf: tf.one_hot([1], 2, 1.0, 0), TypeError, "does not match"),
    error("pad mode", lambda tf: tf.pad(tf.ones([2]), [[1, 1]], "EDGE"), ValueError, "Unknown padding mode: EDGE"),
    error(
        "pad shape", lambda tf: tf.pad(tf.ones([2]), [[1, 1], [2, 2]]), ValueError, "Shape must be rank 2 but is rank 1"
    ),
    error("tile", lambda tf: tf.tile(tf.ones([2]), [1, 1]), ValueError, "Shape must be rank 2 but is rank 1"),
    error(
        "ensure_shape",
        lambda tf: tf.ensure_shape(tf.placeholder_with_default([1.0], [None]), [2]),
        "InvalidArgumentError",
        "is not compatible with expected shape",
    ),
]
