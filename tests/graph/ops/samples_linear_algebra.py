"""Samples of decompositions, inverses and solutions of matrices."""

from support.op_samples import FLOATS, error, normal, samples


def _definite(tf, x):
    """A positive definite matrix."""
    return tf.matmul(x, x, adjoint_b=True) + 3 * tf.eye(3, dtype=x.dtype)


def _options(**more):
    return {"dtypes": FLOATS, "names": False, "tolerance": 2e-4, "open": False, **more}


SAMPLES = [
    *samples("cholesky", lambda tf, x: tf.cholesky(_definite(tf, x)), normal(2, 3, 3), **_options()),
    *samples("inverse", lambda tf, x: tf.matrix_inverse(_definite(tf, x)), normal(2, 3, 3), **_options()),
    *samples("adjoint inverse", lambda tf, x: tf.matrix_inverse(x, adjoint=True), normal(3, 3), **_options()),
    *samples("determinant", lambda tf, x: tf.matrix_determinant(x), normal(2, 3, 3), **_options()),
    *samples("log determinant", lambda tf, x: tf.linalg.slogdet(x), normal(2, 3, 3), **_options()),
    *samples("solve", lambda tf, a, b: tf.matrix_solve(a, b), normal(2, 3, 3), normal(2, 3, 2), **_options()),
    *samples(
        "adjoint solve", lambda tf, a, b: tf.matrix_solve(a, b, adjoint=True), normal(3, 3), normal(3, 2), **_options()
    ),
    *samples(
        "triangular solve",
        lambda tf, a, b: tf.matrix_triangular_solve(_definite(tf, a), b),
        normal(3, 3),
        normal(3, 2),
        **_options(),
    ),
    *samples(
        "upper adjoint triangular solve",
        lambda tf, a, b: tf.matrix_triangular_solve(_definite(tf, a), b, lower=False, adjoint=True),
        normal(3, 3),
        normal(3, 2),
        **_options(),
    ),
    *samples("qr", lambda tf, x: list(tf.qr(x)), normal(2, 4, 3), **_options()),
    *samples("full qr", lambda tf, x: list(tf.qr(x, full_matrices=True)), normal(4, 3), **_options(gradient=False)),
    *samples("qr of wide matrices", lambda tf, x: list(tf.qr(x)), normal(2, 4), **_options(gradient=False)),
    *samples("eigenvalues", lambda tf, x: tf.self_adjoint_eigvals(_definite(tf, x)), normal(2, 3, 3), **_options()),
    *samples(
        "eigenvectors", lambda tf, x: [v * v for v in tf.self_adjoint_eig(_definite(tf, x))], normal(3, 3), **_options()
    ),
    *samples("singular values", lambda tf, x: tf.svd(x, compute_uv=False), normal(4, 3), **_options(gradient=False)),
    *samples(
        "singular vectors",
        lambda tf, x: [tf.abs(part) for part in tf.svd(x)],
        normal(2, 4, 3),
        **_options(gradient=False),
    ),
    *samples(
        "adjoint", lambda tf, x: tf.linalg.adjoint(x), normal(2, 4, 3), dtypes=("float32", "complex64"), names=False
    ),
]

ERRORS = [
    error("singular", lambda tf: tf.matrix_inverse(tf.zeros([2, 2])), "InvalidArgumentError", "is not invertible"),
    error("not square", lambda tf: tf.matrix_inverse(tf.zeros([2, 3])), ValueError, "must be equal, but are 2 and 3"),
    error("vector", lambda tf: tf.cholesky(tf.zeros([3])), ValueError, "at least rank 2"),
    error("not definite", lambda tf: tf.cholesky(-tf.eye(2)), "InvalidArgumentError", "was not successful"),
    error(
        "gradient of a wide qr",
        lambda tf: tf.gradients(tf.qr(tf.ones([2, 3]))[0], tf.get_default_graph().get_operations()[0].outputs),
        NotImplementedError,
        "QR decomposition",
    ),
]
