"""Samples of parts of tensors: indexing, slice, split, concat, stack, gather, scatter, reverse."""

from support.op_samples import FLOATS, NUMBERS, REALS, error, fixed, normal, samples, truth, uniform, whole

SAMPLES = [
    *samples("index", lambda tf, x: [x[0], x[-1], x[1, 2], x[..., 0], x[:, 1]], normal(3, 4), dtypes=REALS),
    *samples(
        "slices", lambda tf, x: [x[1:], x[:-1, 1:3], x[::2], x[::-1], x[2:0:-1, ::-2]], normal(3, 4), dtypes=FLOATS
    ),
    *samples("new axes", lambda tf, x: [x[None], x[:, tf.newaxis], x[..., None], x[0, None, 1:]], normal(3, 4)),
    *samples("ellipsis", lambda tf, x: [x[..., 1], x[0, ..., 1], x[..., 1:, 0], x[...]], normal(2, 3, 4)),
    *samples(
        "out of range slices", lambda tf, x: [x[:9], x[5:], x[-9:2], x[2:1], x[1:-9:-1]], normal(3, 4), gradient=False
    ),
    *samples("index by tensor", lambda tf, x, i: [x[i], x[:, i], x[i, 1]], normal(3, 4), fixed(2)),
    *samples("negative index by tensor", lambda tf, x, i: x[i], normal(3, 4), fixed(-2)),
    *samples("slice by tensors", lambda tf, x, i, j: x[i:j, 1:], normal(4, 4), fixed(1), fixed(3), names=False),
    *samples("slice by negative tensor", lambda tf, x, i: [x[i:], x[:i]], normal(4, 2), fixed(-1), names=False),
    *samples(
        "slice by computed",
        lambda tf, x, v: x[tf.reduce_min(v) : tf.reduce_max(v)],
        normal(5, 2),
        fixed([3, 1, 4]),
        names=False,
    ),
    *samples(
        "index by computed", lambda tf, x, v: x[tf.reduce_max(v), 1:], normal(5, 2), fixed([3, 1, 2]), names=False
    ),
    *samples("last", lambda tf, x: x[tf.shape(x)[0] - 1], normal(3, 4)),
    *samples("index by mask", lambda tf, x: x[tf.constant([True, False, True])], normal(3, 2), names=False),
    *samples(
        "strided_slice",
        lambda tf, x: tf.strided_slice(x, [1, 0], [3, 4], [1, 2], end_mask=2),
        normal(3, 4),
    ),
    *samples(
        "slice", lambda tf, x: [tf.slice(x, [1, 0], [2, -1]), tf.slice(x, [0, 1], [1, 2])], normal(3, 4), dtypes=REALS
    ),
    *samples("slice by fed", lambda tf, x, b: tf.slice(x, b, [1, 2]), normal(3, 4), fixed([1, 2])),
    *samples(
        "slice by computed begin",
        lambda tf, x, v: tf.slice(x, [tf.reduce_max(v), 0], [2, 2]),
        normal(4, 2),
        fixed([1, 2]),
    ),
    *samples(
        "concat",
        lambda tf, x, y: [tf.concat([x, y], 0), tf.concat([x, y, x], axis=-1)],
        normal(2, 3),
        normal(2, 3),
        dtypes=NUMBERS,
    ),
    *samples("concat of sizes", lambda tf, x, y: tf.concat([x, y], 1), normal(2, 3), normal(2, 1)),
    *samples("concat of one", lambda tf, x: tf.concat([x], 0), normal(2, 3), names=False),
    *samples("concat along tensor", lambda tf, x, y: tf.concat([x, y], tf.rank(x) - 1), normal(2, 3), normal(2, 3)),
    *samples(
        "stack",
        lambda tf, x, y: [tf.stack([x, y]), tf.stack([x, y], axis=1), tf.stack([x, y], -1)],
        normal(2, 3),
        normal(2, 3),
        dtypes=REALS,
    ),
    *samples("stack of numbers", lambda tf, x: tf.stack([x, 1.0, 2.0]), normal()),
    *samples("list of tensors", lambda tf, x: tf.convert_to_tensor([[x, 1.0], [2.0, x]]), normal(), names=False),
    *samples(
        "parallel_stack",
        lambda tf, x, y: tf.parallel_stack([x, y]),
        normal(2),
        normal(2),
        open=False,
        gradient=False,
        names=False,
    ),
    *samples("unstack", lambda tf, x: tf.unstack(x), normal(3, 2), open=False),
    *samples("unstack of axis", lambda tf, x: tf.unstack(x, 2, axis=-1), normal(3, 2)),
    *samples("split", lambda tf, x: [*tf.split(x, 2, 1), *tf.split(x, 3)], normal(3, 4), dtypes=REALS),
    *samples("split by sizes", lambda tf, x: tf.split(x, [1, 2, -1], axis=1), normal(2, 5)),
    *samples("meshgrid", lambda tf, x, y: tf.meshgrid(x, y), normal(3), normal(2), names=False),
    *samples("meshgrid ij", lambda tf, x, y: tf.meshgrid(x, y, indexing="ij"), normal(3), normal(2), names=False),
    *samples("gather", lambda tf, x, i: tf.gather(x, i), normal(4, 3), whole(0, 4, 5), dtypes=REALS),
    *samples("gather of axis", lambda tf, x, i: tf.gather(x, i, axis=1), normal(2, 4, 3), whole(0, 4, 2, 2)),
    *samples(
        "gather of last axis", lambda tf, x, i: tf.gather(x, i, axis=-1), normal(2, 4), whole(0, 4, 3), open=False
    ),
    *samples("gather with batch", lambda tf, x, i: tf.gather(x, i, batch_dims=1), normal(2, 4, 3), whole(0, 4, 2, 2)),
    *samples(
        "gather of batch axis",
        lambda tf, x, i: tf.gather(x, i, axis=2, batch_dims=1),
        normal(2, 3, 4),
        whole(0, 4, 2, 2),
        names=False,
    ),
    *samples("batch_gather", lambda tf, x, i: tf.batch_gather(x, i), normal(2, 4), whole(0, 4, 2, 3), names=False),
    *samples("gather_nd", lambda tf, x, i: tf.gather_nd(x, i), normal(3, 4, 2), fixed([[0, 1], [2, 3], [0, 1]])),
    *samples("gather_nd of elements", lambda tf, x: tf.gather_nd(x, [[[0, 1]], [[1, 0]]]), normal(2, 2)),
    *samples("gather_nd of rows", lambda tf, x, i: tf.gather_nd(x, i), normal(3, 4), fixed([[0], [2]])),
    *samples(
        "scatter_nd", lambda tf, i, u: tf.scatter_nd(i, u, [4, 2]), fixed([[1], [3], [1]]), normal(3, 2), dtypes=REALS
    ),
    *samples(
        "tensor_scatter_update",
        lambda tf, x, i, u: tf.tensor_scatter_update(x, i, u),
        normal(4, 2),
        fixed([[1], [3]]),
        normal(2, 2),
    ),
    *samples(
        "tensor_scatter_add",
        lambda tf, x, i, u: tf.tensor_scatter_add(x, i, u),
        normal(4, 2),
        fixed([[1], [1]]),
        normal(2, 2),
    ),
    *samples(
        "tensor_scatter_sub",
        lambda tf, x, i, u: tf.tensor_scatter_sub(x, i, u),
        normal(4),
        fixed([[1], [1]]),
        normal(2),
    ),
    *samples("boolean_mask", lambda tf, x: tf.boolean_mask(x, [True, False, True]), normal(3, 2), names=False),
    *samples(
        "boolean_mask of axis", lambda tf, x, m: tf.boolean_mask(x, m, axis=1), normal(2, 3, 2), truth(3), names=False
    ),
    *samples(
        "boolean_mask of elements", lambda tf, x, m: tf.boolean_mask(x, m), normal(2, 3), truth(2, 3), names=False
    ),
    *samples("where", lambda tf, m: tf.where(m), truth(2, 3)),
    *samples(
        "where of values", lambda tf, m, x, y: tf.where(m, x, y), truth(2, 3), normal(2, 3), normal(2, 3), dtypes=REALS
    ),
    *samples("where of rows", lambda tf, m, x, y: tf.where(m, x, y), truth(3), normal(3, 2), normal(3, 2)),
    *samples("where_v2", lambda tf, m, x, y: tf.where_v2(m, x, y), truth(3, 1), normal(2), normal(3, 2)),
    *samples("reverse", lambda tf, x: [tf.reverse(x, [0]), tf.reverse(x, axis=[-1, 0])], normal(2, 3), dtypes=REALS),
    *samples(
        "reverse_sequence", lambda tf, x: tf.reverse_sequence(x, [2, 3, 0], seq_axis=1, batch_axis=0), normal(3, 4, 2)
    ),
    *samples(
        "reverse_sequence of time",
        lambda tf, x, n: tf.reverse_sequence(x, n, seq_dim=0, batch_dim=1),
        normal(4, 2, 3),
        fixed([3, 1]),
    ),
    *samples("roll", lambda tf, x: [tf.roll(x, 1, 0), tf.roll(x, [-1, 2], [0, 1])], normal(3, 4), names=False),
    *samples("dynamic_partition", lambda tf, x, p: tf.dynamic_partition(x, p, 2), normal(4, 2), fixed([0, 1, 1, 0])),
    *samples(
        "dynamic_stitch", lambda tf, x, y: tf.dynamic_stitch([[0, 2], [1, 3]], [x, y]), normal(2, 3), normal(2, 3)
    ),
    *samples("unique", lambda tf, x: tf.unique(x), fixed([4, 2, 4, 1, 2])),
    *samples("unique_with_counts", lambda tf, x: tf.unique_with_counts(x), fixed([4, 2, 4, 1, 2])),
    *samples("setdiff1d", lambda tf, x, y: tf.setdiff1d(x, y), fixed([1, 2, 3, 4]), fixed([2, 4, 9])),
    *samples("top_k", lambda tf, x: tf.nn.top_k(x, 2), normal(3, 5), dtypes=REALS),
    *samples("top_k of one", lambda tf, x: tf.nn.top_k(x).values, normal(5)),
    *samples("top_k of equals", lambda tf, x: tf.nn.top_k(x, 3), fixed([1, 3, 3, 2, 3])),
    *samples(
        "in_top_k", lambda tf, x, t: tf.nn.in_top_k(x, t, 2), normal(4, 5), whole(0, 5, 4), names=False, gradient=False
    ),
    *samples(
        "sort",
        lambda tf, x: [tf.sort(x), tf.sort(x, axis=0, direction="DESCENDING")],
        normal(3, 4),
        names=False,
        dtypes=REALS,
    ),
    *samples(
        "argsort",
        lambda tf, x: [tf.argsort(x), tf.argsort(x, 0, "DESCENDING")],
        normal(3, 4),
        names=False,
        gradient=False,
    ),
    *samples(
        "searchsorted",
        lambda tf, x: [tf.searchsorted([1.0, 2.0, 2.0, 3.0], x, s) for s in ("left", "right")],
        fixed([0.0, 2.0, 2.5, 9.0]),
        names=False,
        gradient=False,
    ),
    *samples("segment_sum", lambda tf, x: tf.segment_sum(x, [0, 0, 2, 2]), normal(4, 2), dtypes=REALS),
    *samples("segment_mean", lambda tf, x: tf.segment_mean(x, [0, 0, 1, 3]), normal(4, 2), open=False),
    *samples("segment_prod", lambda tf, x: tf.segment_prod(x, [0, 0, 1, 1]), normal(4, 2), gradient=False),
    *samples(
        "segment_extremes",
        lambda tf, x: [tf.segment_max(x, [0, 0, 1, 3]), tf.segment_min(x, [0, 0, 1, 3])],
        normal(4, 2),
        dtypes=REALS,
    ),
    *samples(
        "unsorted_segment_sum", lambda tf, x: tf.unsorted_segment_sum(x, [2, -1, 0, 2], 3), normal(4, 2), dtypes=REALS
    ),
    *samples(
        "unsorted_segment_sum of elements",
        lambda tf, x, i: tf.unsorted_segment_sum(x, i, 3),
        normal(2, 2),
        whole(0, 3, 2, 2),
    ),
    *samples("unsorted_segment_prod", lambda tf, x: tf.unsorted_segment_prod(x, [2, 1, 0, 2], 4), uniform(1, 2, 4, 2)),
    *samples(
        "unsorted_segment_extremes",
        lambda tf, x: [tf.unsorted_segment_max(x, [2, 1, 0, 2], 4), tf.unsorted_segment_min(x, [2, 1, 0, 2], 3)],
        normal(4, 2),
        gradient=False,
        dtypes=REALS,
    ),
    *samples("unsorted_segment_max", lambda tf, x: tf.unsorted_segment_max(x, [2, 1, 0, 2], 3), normal(4, 2)),
    *samples(
        "unsorted_segment_mean", lambda tf, x: tf.unsorted_segment_mean(x, [1, 1, 0, 1], 3), normal(4, 2), names=False
    ),
    *samples(
        "unsorted_segment_sqrt_n",
        lambda tf, x: tf.unsorted_segment_sqrt_n(x, [1, 1, 0, 1], 3),
        normal(4, 2),
        names=False,
    ),
]

ERRORS = [
    error("index", lambda tf: tf.ones([2, 3])[2], ValueError, "slice index 2 of dimension 0 out of bounds."),
    error(
        "too many indices",
        lambda tf: tf.ones([2])[0, 0],
        ValueError,
        "Index out of range using input dim 1; input has only 1 dims",
    ),
    error("index type", lambda tf: tf.ones([2])[0.5], TypeError, "Only integers, slices"),
    error("index by text", lambda tf: tf.ones([2])["a"], TypeError, "Only integers, slices"),
    error(
        "computed index", lambda tf: tf.ones([2])[tf.placeholder_with_default(5, []) + 0], "InvalidArgumentError", "5"
    ),
    error("stride", lambda tf: tf.ones([2])[::0], ValueError, "must be non-zero"),
    error(
        "slice",
        lambda tf: tf.slice(tf.ones([2, 3]), [1, 0], [2, 1]),
        ValueError,
        "Expected size[0] in [0, 1], but got 2",
    ),
    error(
        "concat",
        lambda tf: tf.concat([tf.ones([2, 3]), tf.ones([3, 3])], 1),
        ValueError,
        "Dimension 0 in both shapes must be equal, but are 2 and 3",
    ),
    error(
        "concat ranks",
        lambda tf: tf.concat([tf.ones([2]), tf.ones([2, 3])], 0),
        ValueError,
        "Shapes must be equal rank, but are 1 and 2",
    ),
    error(
        "concat types",
        lambda tf: tf.concat([tf.ones([2]), tf.ones([2], tf.int32)], 0),
        TypeError,
        "[float32, int32] that don't all match.",
    ),
    error(
        "stack",
        lambda tf: tf.stack([tf.ones([2]), tf.ones([3])]),
        ValueError,
        "Dimension 0 in both shapes must be equal",
    ),
    error(
        "stack axis", lambda tf: tf.stack([tf.ones([2]), tf.ones([2])], axis=3), ValueError, "axis = 3 not in [-2, 2)"
    ),
    error(
        "stack types",
        lambda tf: tf.stack([tf.ones([2]), tf.ones([2], tf.int32)]),
        TypeError,
        "types [float32, int32] that don't all match.",
    ),
    error(
        "split",
        lambda tf: tf.split(tf.ones([5]), 2),
        ValueError,
        "Dimension size must be evenly divisible by 2 but is 5",
    ),
    error(
        "split sizes",
        lambda tf: tf.split(tf.ones([5]), [2, 2]),
        ValueError,
        "can't split axis of size 5 into pieces of size [2,2]",
    ),
    error(
        "unstack",
        lambda tf: tf.unstack(tf.placeholder(tf.float32, [None])),
        ValueError,
        "Cannot infer num from shape (?,)",
    ),
    error("gather", lambda tf: tf.gather(tf.ones([2]), [2]), "InvalidArgumentError", "indices[0] = 2 is not in [0, 2)"),
    error(
        "gather_nd",
        lambda tf: tf.gather_nd(tf.ones([2, 2]), [[0, 2]]),
        "InvalidArgumentError",
        "does not index into param shape [2",
    ),
    error("where", lambda tf: tf.where([True], [1.0]), ValueError, "x and y must both be non-None or both be None."),
    error(
        "top_k",
        lambda tf: tf.nn.top_k(tf.ones([2]), 3)[0],
        ValueError,
        "input must have last dimension >= k = 3 but is 2",
    ),
    error(
        "segment_sum",
        lambda tf: tf.segment_sum(tf.ones([2]), [1, 0]),
        "InvalidArgumentError",
        "segment ids are not increasing",
    ),
    error("mask", lambda tf: tf.boolean_mask(tf.ones([2]), True), ValueError, "mask cannot be scalar."),
    error(
        "partition",
        lambda tf: tf.dynamic_partition(tf.ones([2]), [0, 2], 2),
        "InvalidArgumentError",
        "partitions are not all in [0, 2)",
    ),
    error("reverse", lambda tf: tf.reverse(tf.ones([2]), [1]), ValueError, "is out of valid range"),
]
