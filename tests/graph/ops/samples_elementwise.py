"""Samples of functions of one operand: algebra, transcendental and special functions, casts, complex numbers."""

import numpy as np
from support.op_samples import ANALYTIC, FLOATS, NUMBERS, REALS, error, fixed, normal, samples, uniform, whole

INF, NAN = float("inf"), float("nan")

SAMPLES = [
    *samples("negative", lambda tf, x: [tf.negative(x), -x], normal(2, 3), dtypes=NUMBERS),
    *samples("abs", lambda tf, x: [tf.abs(x), abs(x)], normal(2, 3), dtypes=NUMBERS),
    *samples("sign", lambda tf, x: tf.sign(x), normal(2, 3), dtypes=REALS, gradient=False),
    *samples("sign of complex", lambda tf, x: tf.sign(x), normal(3), dtypes=("complex64",), names=False),
    *samples("square", lambda tf, x: tf.square(x), normal(2, 3), dtypes=NUMBERS),
    *samples("sqrt", lambda tf, x: tf.sqrt(x), uniform(1, 4, 5), dtypes=ANALYTIC),
    *samples("rsqrt", lambda tf, x: tf.rsqrt(x), uniform(1, 4, 5), dtypes=ANALYTIC),
    *samples("reciprocal", lambda tf, x: tf.reciprocal(x), uniform(1, 4, 5), dtypes=ANALYTIC),
    *samples("floor ceil", lambda tf, x: [tf.floor(x), tf.ceil(x)], normal(6), dtypes=FLOATS, gradient=False),
    *samples("round", lambda tf, x: [tf.round(x), tf.rint(x)], fixed([-1.5, -0.5, 0.5, 1.5, 2.3]), gradient=False),
    *samples(
        "is_nan",
        lambda tf, x: [tf.is_nan(x), tf.is_inf(x), tf.is_finite(x)],
        fixed([1.0, INF, -INF, NAN]),
        dtypes=FLOATS,
        gradient=False,
    ),
    *samples("exp", lambda tf, x: tf.exp(x), normal(5), dtypes=ANALYTIC),
    *samples("expm1", lambda tf, x: tf.expm1(x), normal(5), dtypes=FLOATS),
    *samples("log", lambda tf, x: tf.log(x), uniform(0.5, 4, 5), dtypes=ANALYTIC),
    *samples("log1p", lambda tf, x: tf.log1p(x), uniform(0, 4, 5), dtypes=FLOATS),
    *samples("log of edges", lambda tf, x: tf.log(x), fixed([0.0, INF, -1.0, NAN]), gradient=False),
    *samples("sin", lambda tf, x: tf.sin(x), normal(5), dtypes=ANALYTIC),
    *samples("cos", lambda tf, x: tf.cos(x), normal(5), dtypes=ANALYTIC),
    *samples("tan", lambda tf, x: tf.tan(x), uniform(-1, 1, 5), dtypes=FLOATS),
    *samples("asin", lambda tf, x: tf.asin(x), uniform(-0.9, 0.9, 5), dtypes=FLOATS),
    *samples("acos", lambda tf, x: tf.acos(x), uniform(-0.9, 0.9, 5), dtypes=FLOATS),
    *samples("atan", lambda tf, x: tf.atan(x), normal(5), dtypes=FLOATS),
    *samples("sinh", lambda tf, x: tf.sinh(x), normal(5), dtypes=FLOATS),
    *samples("cosh", lambda tf, x: tf.cosh(x), normal(5), dtypes=FLOATS),
    *samples("tanh", lambda tf, x: tf.tanh(x), normal(5), dtypes=ANALYTIC),
    *samples("asinh", lambda tf, x: tf.asinh(x), normal(5), dtypes=FLOATS),
    *samples("acosh", lambda tf, x: tf.acosh(x), uniform(1.5, 4, 5), dtypes=FLOATS),
    *samples("atanh", lambda tf, x: tf.atanh(x), uniform(-0.9, 0.9, 5), dtypes=FLOATS),
    *samples("sigmoid", lambda tf, x: tf.sigmoid(x), normal(5), dtypes=ANALYTIC),
    *samples("sigmoid of edges", lambda tf, x: tf.nn.sigmoid(x), fixed([-200.0, 200.0, INF, -INF]), gradient=False),
    *samples("log_sigmoid", lambda tf, x: tf.log_sigmoid(x), fixed([-30.0, -1.0, 2.0, 30.0])),
    *samples("erf", lambda tf, x: tf.erf(x), normal(5), dtypes=FLOATS),
    *samples("erfc", lambda tf, x: tf.erfc(x), normal(5), dtypes=FLOATS),
    *samples("lgamma", lambda tf, x: tf.lgamma(x), uniform(0.5, 6, 6), dtypes=FLOATS),
    *samples("lgamma below 0", lambda tf, x: tf.lgamma(x), fixed([-0.5, -1.5, 0.0]), gradient=False),
    *samples("digamma", lambda tf, x: tf.digamma(x), uniform(0.5, 6, 6), dtypes=FLOATS, gradient=False, tolerance=1e-5),
    *samples("lbeta", lambda tf, x: tf.lbeta(x), uniform(0.5, 3, 2, 3), dtypes=FLOATS),
    *samples("cast", lambda tf, x: [tf.cast(x, tf.int32), tf.cast(x, tf.float64)], fixed([-1.7, 0.2, 3.9])),
    *samples("cast of truth", lambda tf, x: tf.cast(x > 0, tf.float32), normal(4), gradient=False),
    *samples("cast to truth", lambda tf, x: tf.cast(x, tf.bool), whole(0, 2, 4)),
    *samples("cast to the same", lambda tf, x: tf.cast(x, "float32") + 1, normal(2), gradient=False),
    *samples(
        "to functions", lambda tf, x: [tf.to_int32(x), tf.to_int64(x), tf.to_double(x)], normal(3), gradient=False
    ),
    *samples("to_float", lambda tf, x: tf.to_float(x), whole(0, 9, 3)),
    *samples("saturate_cast", lambda tf, x: tf.saturate_cast(x, tf.uint8), fixed([-5, 3, 300]), names=False),
    *samples("bitcast", lambda tf, x: tf.bitcast(x, tf.int32), normal(3), gradient=False),
    *samples("bitcast to narrower", lambda tf, x: tf.bitcast(x, tf.uint8), whole(-9, 9, 2)),
    *samples("bitcast to wider", lambda tf, x: tf.bitcast(x, tf.int64), whole(-9, 9, 3, 2)),
    *samples("complex", lambda tf, x, y: tf.complex(x, y), normal(3), normal(3), dtypes=FLOATS, gradient=False),
    *samples(
        "parts of complex",
        lambda tf, z: [tf.real(z), tf.imag(z), tf.conj(z), tf.angle(z)],
        normal(2, 3),
        dtypes=("complex64", "complex128"),
    ),
    *samples(
        "gradient through complex", lambda tf, x, y: tf.abs(tf.complex(x, y)), normal(3), normal(3), dtypes=FLOATS
    ),
    *samples(
        "real of products",
        lambda tf, x, y: [tf.real(tf.complex(x, y) * tf.complex(y, x)), tf.imag(tf.exp(tf.complex(x, y)))],
        normal(3),
        normal(3),
    ),
    *samples(
        "angle of real", lambda tf, x: tf.angle(x), fixed([-1.5, 2.0]), names=False, expected=np.zeros(2, np.float32)
    ),
    *samples("angle of complex", lambda tf, x, y: tf.angle(tf.complex(x, y)), normal(3), normal(3)),
    *samples(
        "parts of real", lambda tf, x: [tf.real(x), tf.conj(x), tf.imag(x)], normal(3), names=False, gradient=False
    ),
    *samples("stop_gradient", lambda tf, x: tf.stop_gradient(x) * x, normal(3), gradient=False),
    *samples("identity", lambda tf, x: tf.identity(x, name="same"), normal(3), dtypes=REALS),
    *samples("identity_n", lambda tf, x, y: tf.identity_n([x, y]), normal(3), whole(0, 3, 2)),
    *samples("clip_by_value", lambda tf, x: tf.clip_by_value(x, -0.5, 0.5), normal(2, 3), dtypes=FLOATS),
    *samples("clip_by_norm", lambda tf, x: tf.clip_by_norm(x, 1.0), normal(2, 3), names=False),
    *samples("clip_by_norm of axes", lambda tf, x: tf.clip_by_norm(x, 1.0, [1]), normal(2, 3), names=False),
    *samples("clip_by_average_norm", lambda tf, x: tf.clip_by_average_norm(x, 0.1), normal(2, 3), names=False),
    *samples("check_numerics", lambda tf, x: tf.check_numerics(x, "bad"), normal(2, 3)),
    *samples("second gradient of tanh", lambda tf, x: tf.gradients(tf.tanh(x), x)[0], normal(4), names=False),
    *samples("second gradient of sigmoid", lambda tf, x: tf.gradients(tf.sigmoid(x), x)[0], normal(4), names=False),
    *samples("second gradient of sqrt", lambda tf, x: tf.gradients(tf.sqrt(x), x)[0], uniform(1, 2, 4), names=False),
    *samples("second gradient of rsqrt", lambda tf, x: tf.gradients(tf.rsqrt(x), x)[0], uniform(1, 2, 4), names=False),
    *samples(
        "second gradient of 1/x", lambda tf, x: tf.gradients(tf.reciprocal(x), x)[0], uniform(1, 2, 4), names=False
    ),
    *samples("second gradient of log", lambda tf, x: tf.gradients(tf.log(x), x)[0], uniform(1, 2, 4), names=False),
]

ERRORS = [
    error("sqrt of int", lambda tf: tf.sqrt(tf.constant([1, 2])), TypeError, "int32"),
    error("cast to nothing", lambda tf: tf.cast(tf.ones([2]), "float31"), TypeError, "float31"),
    error("complex types", lambda tf: tf.complex(tf.ones([2]), tf.ones([2], tf.float64)), TypeError, "incorrect types"),
    error(
        "NaN", lambda tf: tf.check_numerics(tf.log(-1.0), "bad"), "InvalidArgumentError", "bad : Tensor had NaN values"
    ),
    error("infinity", lambda tf: tf.check_numerics(1 / tf.zeros([2]), "bad"), "InvalidArgumentError", "Tensor had Inf"),
]
