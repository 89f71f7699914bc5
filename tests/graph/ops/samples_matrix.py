"""Samples of products and of diagonals of matrices."""

from support.op_samples import ANALYTIC, FLOATS, NUMBERS, error, fixed, normal, samples

SAMPLES = [
    *samples("matmul", lambda tf, a, b: tf.matmul(a, b), normal(2, 3), normal(3, 4), dtypes=NUMBERS),
    *samples("matmul operator", lambda tf, a, b: a @ b, normal(2, 3), normal(3, 4)),
    *samples("matmul transposed", lambda tf, a, b: tf.matmul(a, b, transpose_a=True), normal(3, 2), normal(3, 4)),
    *samples("matmul both transposed", lambda tf, a, b: tf.matmul(a, b, True, True), normal(3, 2), normal(4, 3)),
    *samples(
        "matmul second transposed", lambda tf, a, b: tf.matmul(a, b, transpose_b=True), normal(2, 3), normal(4, 3)
    ),
    *samples(
        "matmul adjoint",
        lambda tf, a, b: tf.matmul(a, b, adjoint_a=True, transpose_b=True),
        normal(3, 2),
        normal(4, 3),
        dtypes=ANALYTIC,
    ),
    *samples("matmul of a list", lambda tf, a: tf.matmul(a, [[1.0], [2.0], [3.0]]), normal(2, 3)),
    *samples(
        "matmul of sparse",
        lambda tf, a, b: tf.matmul(a, b, a_is_sparse=True),
        normal(2, 3),
        normal(3, 2),
        gradient=False,
    ),
    *samples("matmul of stacks", lambda tf, a, b: tf.matmul(a, b), normal(2, 3, 4), normal(2, 4, 2), dtypes=NUMBERS),
    *samples("matmul of broadcast stacks", lambda tf, a, b: tf.matmul(a, b), normal(2, 1, 3, 4), normal(3, 4, 2)),
    *samples("matmul of a stack and a matrix", lambda tf, a, b: tf.matmul(a, b), normal(2, 3, 4), normal(4, 2)),
    *samples("matmul of a matrix and a stack", lambda tf, a, b: tf.matmul(a, b), normal(3, 4), normal(2, 4, 2)),
    *samples(
        "matmul of transposed stacks",
        lambda tf, a, b: tf.matmul(a, b, transpose_a=True, adjoint_b=True),
        normal(2, 4, 3),
        normal(2, 2, 4),
        dtypes=ANALYTIC,
    ),
    *samples(
        "matmul of adjoint stacks", lambda tf, a, b: tf.matmul(a, b, adjoint_b=True), normal(2, 3, 4), normal(2, 2, 4)
    ),
    *samples("matvec", lambda tf, a, b: tf.linalg.matvec(a, b), normal(2, 3), normal(3), names=False),
    *samples("tensordot", lambda tf, a, b: tf.tensordot(a, b, 1), normal(2, 3), normal(3, 4), names=False),
    *samples(
        "tensordot of axes",
        lambda tf, a, b: tf.tensordot(a, b, [[0, 2], [1, 0]]),
        normal(2, 3, 4),
        normal(4, 2, 2),
        names=False,
    ),
    *samples(
        "tensordot of two", lambda tf, a, b: tf.tensordot(a, b, axes=2), normal(2, 3, 4), normal(3, 4), names=False
    ),
    *samples("outer product", lambda tf, a, b: tf.tensordot(a, b, 0), normal(2), normal(3), names=False),
    *samples("einsum", lambda tf, a, b: tf.einsum("ij,jk->ik", a, b), normal(2, 3), normal(3, 4), names=False),
    *samples(
        "einsum of stacks",
        lambda tf, a, b: tf.einsum("bij,bkj->bik", a, b),
        normal(2, 3, 4),
        normal(2, 5, 4),
        names=False,
    ),
    *samples(
        "einsum with sums", lambda tf, a, b: tf.einsum("ijk,lk->lj", a, b), normal(2, 3, 4), normal(2, 4), names=False
    ),
    *samples(
        "einsum of three",
        lambda tf, a, b, c: tf.einsum("ij,jk,kl->il", a, b, c),
        normal(2, 3),
        normal(3, 2),
        normal(2, 2),
        names=False,
    ),
    *samples(
        "einsum of one", lambda tf, a: [tf.einsum("ijk->kj", a), tf.einsum("ijk->", a)], normal(2, 3, 4), names=False
    ),
    *samples("einsum implicit", lambda tf, a, b: tf.einsum("ij,jk", a, b), normal(2, 3), normal(3, 4), names=False),
    *samples(
        "einsum of groups",
        lambda tf, a, b: tf.einsum("abcd,cdef->abef", a, b),
        normal(2, 2, 2, 2),
        normal(2, 2, 2, 2),
        names=False,
    ),
    *samples(
        "einsum elementwise", lambda tf, a, b: tf.einsum("ij,ij->ij", a, b), normal(2, 3), normal(2, 3), names=False
    ),
    *samples("diag", lambda tf, x: [tf.diag(x), tf.diag_part(tf.diag(x))], normal(3), dtypes=FLOATS),
    *samples("diag of matrix", lambda tf, x: tf.diag(x), normal(2, 2)),
    *samples("diag_part", lambda tf, x: tf.diag_part(x), normal(2, 3, 2, 3)),
    *samples("matrix_diag", lambda tf, x: tf.matrix_diag(x), normal(2, 3), names=False),
    *samples("matrix_diag_part", lambda tf, x: tf.matrix_diag_part(x), normal(2, 3, 4), names=False),
    *samples("matrix_diag_part of tall", lambda tf, x: tf.matrix_diag_part(x), normal(2, 4, 3), names=False),
    *samples("matrix_set_diag", lambda tf, x, d: tf.matrix_set_diag(x, d), normal(2, 3, 4), normal(2, 3), names=False),
    *samples(
        "matrix_band_part", lambda tf, x: [tf.matrix_band_part(x, 1, 0), tf.matrix_band_part(x, -1, 1)], normal(2, 4, 4)
    ),
    *samples("eye", lambda tf: [tf.eye(3), tf.eye(2, 3), tf.eye(2, batch_shape=[2])], names=False),
    *samples("eye of fed", lambda tf, n: tf.eye(n), fixed(3), names=False),
    *samples("trace", lambda tf, x: tf.trace(x), normal(2, 3, 3), names=False),
    *samples("cross", lambda tf, a, b: tf.cross(a, b), normal(2, 3), normal(2, 3)),
]

ERRORS = [
    error(
        "sizes",
        lambda tf: tf.matmul(tf.ones([2, 3]), tf.ones([4, 5])),
        ValueError,
        "Dimensions must be equal, but are 3 and 4 for 'MatMul' (op: 'MatMul') with input shapes: [2,3], [4,5].",
    ),
    error(
        "rank",
        lambda tf: tf.matmul(tf.ones([3]), tf.ones([3])),
        ValueError,
        "Shape must be rank 2 but is rank 1 for 'MatMul' (op: 'MatMul') with input shapes: [3], [3].",
    ),
    error(
        "types",
        lambda tf: tf.matmul(tf.ones([2, 2]), tf.ones([2, 2], tf.float64)),
        TypeError,
        "that does not match type float32 of argument 'a'.",
    ),
    error(
        "both",
        lambda tf: tf.matmul(tf.ones([2, 2]), tf.ones([2, 2]), transpose_a=True, adjoint_a=True),
        ValueError,
        "Only one of transpose_a and adjoint_a can be True.",
    ),
    error("einsum", lambda tf: tf.einsum("ii->i", tf.ones([2, 2])), ValueError, "an axis appears more than once"),
    error(
        "einsum arguments",
        lambda tf: tf.einsum("ij,jk->ik", tf.ones([2, 2])),
        ValueError,
        "Incorrect number of arguments",
    ),
    error("tensordot", lambda tf: tf.tensordot(tf.ones([2, 2]), tf.ones([2, 2]), 3), ValueError, "must not be larger"),
]
