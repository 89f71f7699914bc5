"""Samples of arithmetic on two operands, division, and sums of several tensors."""

from support.op_samples import ANALYTIC, FLOATS, NUMBERS, REALS, error, fixed, normal, samples, truth, uniform, whole

STEPS = [[-7, 7, 5], [4, -4, 9]]
DIVISORS = [[2, -2, 3], [3, 3, -5]]

SAMPLES = [
    *samples("add", lambda tf, x, y: tf.add(x, y), normal(2, 3), normal(2, 3), dtypes=NUMBERS, names=False),
    *samples("add rows", lambda tf, x, y: x + y, normal(2, 3), normal(3), dtypes=REALS),
    *samples("add columns", lambda tf, x, y: x + y, normal(2, 1), normal(1, 3)),
    *samples("add number", lambda tf, x: 1 + x + 2, normal(2, 3), dtypes=NUMBERS),
    *samples("add strings", lambda tf: tf.add(["a", "b"], "c"), names=False),
    *samples("subtract", lambda tf, x, y: tf.subtract(x, y), normal(2, 3), normal(3), dtypes=NUMBERS),
    *samples("reflected subtract", lambda tf, x: 1.5 - x, normal(2, 3)),
    *samples("multiply", lambda tf, x, y: tf.multiply(x, y), normal(2, 3), normal(2, 1), dtypes=NUMBERS),
    *samples("multiply scalar", lambda tf, x, y: x * y, normal(), normal(2, 3), dtypes=NUMBERS),
    *samples("square of a tensor", lambda tf, x: x * x, normal(4)),
    *samples("divide", lambda tf, x, y: tf.divide(x, y), normal(2, 3), uniform(1, 3, 3), dtypes=ANALYTIC),
    *samples("divide named", lambda tf, x: tf.divide(x, 2.0, name="half"), normal(2)),
    *samples("truediv of int", lambda tf, x, y: x / y, whole(-9, 9, 5), whole(1, 5, 5)),
    *samples("truediv of int8", lambda tf, x: tf.truediv(x, tf.cast(4, tf.int8)), whole(-9, 9, 5, dtype="int8")),
    *samples("reflected truediv", lambda tf, x: 1 / x, uniform(1, 3, 4)),
    *samples("div of int", lambda tf, x, y: tf.div(x, y), fixed(STEPS), fixed(DIVISORS)),
    *samples("div of float", lambda tf, x, y: tf.div(x, y), normal(3), uniform(1, 2, 3)),
    *samples("floordiv", lambda tf, x, y: x // y, fixed(STEPS), fixed(DIVISORS)),
    *samples(
        "floordiv of float", lambda tf, x: tf.floordiv(x, 0.3), uniform(0.35, 0.55, 4), dtypes=FLOATS, gradient=False
    ),
    *samples("mod", lambda tf, x, y: x % y, fixed(STEPS), fixed(DIVISORS)),
    *samples("mod of float", lambda tf, x, y: tf.mod(x, y), fixed([1.3, -1.3, 5.2]), fixed([0.7, 0.7, -2.0])),
    *samples("truncatediv", lambda tf, x, y: tf.truncatediv(x, y), fixed(STEPS), fixed(DIVISORS)),
    *samples("truncatemod", lambda tf, x, y: tf.truncatemod(x, y), fixed(STEPS), fixed(DIVISORS)),
    *samples("realdiv", lambda tf, x, y: tf.realdiv(x, y), normal(3), uniform(1, 2, 3)),
    *samples("pow", lambda tf, x, y: tf.pow(x, y), uniform(0.5, 2, 2, 3), normal(3), dtypes=FLOATS),
    *samples("pow operator", lambda tf, x: x**3, normal(4)),
    *samples("pow of int", lambda tf, x: x**3 + 2**x, fixed([0, 1, 2, 5])),
    *samples("pow with zeros", lambda tf, x: tf.pow(x, 2.0), fixed([0.0, -1.5, 2.0])),
    *samples("maximum", lambda tf, x, y: tf.maximum(x, y), normal(2, 3), normal(3), dtypes=REALS),
    *samples("minimum", lambda tf, x, y: tf.minimum(x, y), normal(2, 3), normal(3), dtypes=REALS),
    *samples("maximum number", lambda tf, x: tf.maximum(x, 0.0), normal(5)),
    *samples("squared_difference", lambda tf, x, y: tf.squared_difference(x, y), normal(2, 3), normal(3), dtypes=REALS),
    *samples("atan2", lambda tf, y, x: tf.atan2(y, x), normal(2, 3), normal(3), dtypes=FLOATS),
    *samples("div_no_nan", lambda tf, x, y: tf.div_no_nan(x, y), normal(3), fixed([2.0, 0.0, -1.0]), gradient=False),
    *samples("div_no_nan gradient", lambda tf, x, y: tf.div_no_nan(x, y), normal(3), uniform(1, 2, 3)),
    *samples(
        "multiply_no_nan",
        lambda tf, x, y: tf.math.multiply_no_nan(x, y),
        fixed([1.0, float("inf")]),
        fixed([2.0, 0.0]),
        gradient=False,
        names=False,
    ),
    *samples(
        "xlogy", lambda tf, x, y: tf.math.xlogy(x, y), fixed([0.0, 2.0]), fixed([0.0, 3.0]), gradient=False, names=False
    ),
    *samples("xlogy gradient", lambda tf, x, y: tf.math.xlogy(x, y), uniform(1, 2, 3), uniform(1, 2, 3), names=False),
    *samples("xdivy", lambda tf, x, y: tf.math.xdivy(x, y), uniform(1, 2, 3), uniform(1, 2, 3), names=False),
    *samples("polyval", lambda tf, x: tf.math.polyval([2.0, x, -1.0], x), normal(3), names=False, gradient=False),
    *samples(
        "reciprocal_no_nan", lambda tf, x: tf.math.reciprocal_no_nan(x), fixed([2.0, 0.0]), names=False, gradient=False
    ),
    *samples("add_n", lambda tf, x, y, z: tf.add_n([x, y, z]), normal(2, 3), normal(2, 3), normal(2, 3), dtypes=REALS),
    *samples("add_n of one", lambda tf, x: tf.add_n([x]), normal(2)),
    *samples("accumulate_n", lambda tf, x, y: tf.accumulate_n([x, y]), normal(2, 3), normal(2, 3), names=False),
    *samples("scalar_mul", lambda tf, x: tf.scalar_mul(3.0, x), normal(2, 3)),
    *samples("and or xor", lambda tf, x, y: [x & y, x | y, x ^ y, ~x], truth(5), truth(5), names=False),
    *samples(
        "logical functions",
        lambda tf, x, y: [tf.logical_and(x, y), tf.logical_or(x, y), tf.logical_not(x)],
        truth(5),
        truth(5),
    ),
    *samples("logical_xor", lambda tf, x, y: tf.logical_xor(x, y), truth(5), truth(5)),
    *samples(
        "bitwise",
        lambda tf, x, y: [
            tf.bitwise.bitwise_and(x, y),
            tf.bitwise.bitwise_or(x, y),
            tf.bitwise.bitwise_xor(x, y),
            tf.bitwise.invert(x),
        ],
        whole(-99, 99, 6),
        whole(-99, 99, 6),
    ),
    *samples(
        "shifts",
        lambda tf, x, y: [tf.bitwise.left_shift(x, y), tf.bitwise.right_shift(x, y)],
        whole(-99, 99, 6),
        whole(0, 8, 6),
    ),
    *samples(
        "comparisons",
        lambda tf, x, y: [x < y, x <= y, x > y, x >= y, tf.equal(x, y), tf.not_equal(x, y)],
        uniform(0, 3, 2, 3),
        uniform(0, 3, 3),
        dtypes=REALS,
        gradient=False,
    ),
    *samples("equal strings", lambda tf: tf.equal(["a", "b"], "b"), names=False),
]

ERRORS = [
    error("shapes", lambda tf: tf.ones([2]) + tf.ones([3]), ValueError, "Dimensions must be equal, but are 2 and 3"),
    error("input shapes", lambda tf: tf.ones([2, 4]) * tf.ones([3, 4]), ValueError, "with input shapes: [2,4], [3,4]."),
    error(
        "types",
        lambda tf: tf.add(tf.ones([2]), tf.ones([2], tf.int32)),
        TypeError,
        "Input 'y' of 'Add' Op has type int32 that does not match type float32 of argument 'x'.",
    ),
    error("number", lambda tf: tf.ones([2], tf.int32) + 1.5, TypeError, "int32"),
    error("string", lambda tf: tf.ones([2]) + "a", TypeError, "float32"),
    error(
        "truediv types",
        lambda tf: tf.truediv(tf.ones([2]), tf.ones([2], tf.float64)),
        TypeError,
        "x and y must have the same dtype",
    ),
    error(
        "division by zero",
        lambda tf: tf.constant([1, 2]) // tf.constant([1, 0]),
        "InvalidArgumentError",
        "division by zero",
    ),
    error("add_n of nothing", lambda tf: tf.add_n([]), ValueError, "inputs must be a list of at least one Tensor"),
    error(
        "add_n shapes",
        lambda tf: tf.add_n([tf.ones([2]), tf.ones([3])]),
        ValueError,
        "Dimension 0 in both shapes must be equal",
    ),
    error("logical types", lambda tf: tf.logical_and(tf.ones([2]), True), TypeError, "bool"),
]
