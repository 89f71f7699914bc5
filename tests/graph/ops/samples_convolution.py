"""Samples of convolutions over one to three axes, transposed and depthwise ones, and of biases."""

from support.op_samples import FLOATS, error, normal, samples

_IMAGES, _FILTER = normal(2, 7, 6, 3), normal(3, 2, 3, 4)


def _conv2d(**options):
    return lambda tf, x, w: tf.nn.conv2d(x, w, **options)


SAMPLES = [
    *samples("conv2d same", _conv2d(strides=1, padding="SAME"), _IMAGES, _FILTER, dtypes=FLOATS, tolerance=1e-4),
    *samples("conv2d valid", _conv2d(strides=[1, 1, 1, 1], padding="VALID"), _IMAGES, _FILTER, tolerance=1e-4),
    *samples("conv2d with strides", _conv2d(strides=[2, 3], padding="SAME"), _IMAGES, _FILTER, tolerance=1e-4),
    *samples("conv2d valid with strides", _conv2d(strides=2, padding="VALID"), _IMAGES, _FILTER, tolerance=1e-4),
    *samples("conv2d of single taps", _conv2d(strides=2, padding="SAME"), _IMAGES, normal(1, 1, 3, 2), tolerance=1e-4),
    *samples(
        "conv2d with gaps", _conv2d(strides=1, padding="SAME", dilations=[1, 2, 2, 1]), _IMAGES, _FILTER, tolerance=1e-4
    ),
    *samples(
        "conv2d with given padding",
        _conv2d(strides=1, padding=[[0, 0], [1, 2], [0, 3], [0, 0]]),
        _IMAGES,
        _FILTER,
        tolerance=1e-4,
    ),
    *samples(
        "conv2d of a name", lambda tf, x, w: tf.nn.conv2d(x, w, 1, "SAME", name="c"), _IMAGES, _FILTER, tolerance=1e-4
    ),
    *samples(
        "conv2d transposed",
        lambda tf, x, w: tf.nn.conv2d_transpose(x, w, [2, 8, 6, 2], [1, 2, 2, 1]),
        normal(2, 4, 3, 5),
        normal(3, 3, 2, 5),
        tolerance=1e-4,
    ),
    *samples(
        "conv2d transposed valid",
        lambda tf, x, w: tf.nn.conv2d_transpose(x, w, [2, 9, 7, 2], 2, "VALID", name="up"),
        normal(2, 4, 3, 5),
        normal(3, 3, 2, 5),
        tolerance=1e-4,
    ),
    *samples(
        "conv1d",
        lambda tf, x, w: tf.nn.conv1d(x, w, 2, "SAME"),
        normal(2, 9, 3),
        normal(3, 3, 4),
        names=False,
        tolerance=1e-4,
    ),
    *samples(
        "conv3d",
        lambda tf, x, w: tf.nn.conv3d(x, w, [1, 2, 1, 2, 1], "SAME"),
        normal(2, 4, 5, 4, 2),
        normal(3, 2, 2, 2, 3),
        tolerance=1e-4,
    ),
    *samples(
        "conv3d transposed",
        lambda tf, x, w: tf.nn.conv3d_transpose(x, w, [1, 4, 4, 4, 2], [1, 2, 2, 2, 1]),
        normal(1, 2, 2, 2, 3),
        normal(3, 2, 2, 2, 3),
        names=False,
        tolerance=1e-4,
    ),
    *samples(
        "depthwise",
        lambda tf, x, w: tf.nn.depthwise_conv2d_native(x, w, [1, 1, 1, 1], "SAME"),
        normal(2, 6, 5, 3),
        normal(3, 2, 3, 2),
        tolerance=1e-4,
    ),
    *samples(
        "depthwise with strides",
        lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 2, 2, 1], "VALID"),
        normal(2, 6, 5, 3),
        normal(3, 3, 3, 1),
        names=False,
        tolerance=1e-4,
    ),
    *samples(
        "depthwise with gaps",
        lambda tf, x, w: tf.nn.depthwise_conv2d(x, w, [1, 1, 1, 1], "SAME", rate=[2, 2]),
        normal(2, 6, 5, 3),
        normal(3, 3, 3, 2),
        names=False,
        tolerance=1e-4,
    ),
    *samples(
        "separable",
        lambda tf, x, w, p: tf.nn.separable_conv2d(x, w, p, [1, 1, 1, 1], "SAME"),
        normal(2, 5, 4, 3),
        normal(3, 2, 3, 2),
        normal(1, 1, 6, 4),
        names=False,
        tolerance=1e-4,
    ),
    *samples(
        "atrous",
        lambda tf, x, w: tf.nn.atrous_conv2d(x, w, 2, "SAME"),
        _IMAGES,
        _FILTER,
        names=False,
        open=False,
        tolerance=1e-4,
    ),
    *samples(
        "convolution of a line",
        lambda tf, x, w: tf.nn.convolution(x, w, "VALID", strides=[2]),
        normal(2, 9, 3),
        normal(3, 3, 4),
        names=False,
        open=False,
        tolerance=1e-4,
    ),
    *samples(
        "second derivatives",
        lambda tf, x, w: tf.gradients(tf.nn.conv2d(x, w, 1, "SAME") ** 2.0, [x, w]),
        normal(1, 4, 4, 2),
        normal(3, 3, 2, 2),
        names=False,
        tolerance=1e-4,
    ),
    *samples("bias", lambda tf, x, b: tf.nn.bias_add(x, b), normal(2, 3, 4), normal(4), dtypes=FLOATS, names=False),
    *samples(
        "bias of channels that come second",
        lambda tf, x, b: tf.nn.bias_add(x, b, data_format="NCHW"),
        normal(2, 4, 3, 3),
        normal(4),
        names=False,
    ),
    *samples("product and bias", lambda tf, x, w, b: tf.nn.xw_plus_b(x, w, b), normal(2, 3), normal(3, 4), normal(4)),
    *samples("relu layer", lambda tf, x, w, b: tf.nn.relu_layer(x, w, b), normal(2, 3), normal(3, 4), normal(4)),
]


def _wrong(*shape, **options):
    arguments = {"strides": 1, "padding": "SAME", **options}
    return lambda tf: tf.nn.conv2d(tf.ones([1, 5, 5, 3]), tf.ones(shape), **arguments)


ERRORS = [
    error(
        "channels", _wrong(3, 3, 4, 2), ValueError, "Depth of input (3) is not a multiple of input depth of filter (4)"
    ),
    error("rank", _wrong(3, 3, 3), ValueError, "Shape must be rank 4 but is rank 3"),
    error("filter", _wrong(6, 6, 3, 2, padding="VALID"), ValueError, "Negative dimension size"),
    error("padding", _wrong(3, 3, 3, 2, padding="FOO"), ValueError, "FOO"),
    error(
        "strides", _wrong(3, 3, 3, 2, strides=[1, 1, 1]), ValueError, "strides should be of length 1, 2 or 4 but was 3"
    ),
    error("given padding", _wrong(3, 3, 3, 2, padding=[[0, 0], [1, 1]]), ValueError, "must be of size 4"),
    error("bias: size", lambda tf: tf.nn.bias_add(tf.ones([2, 3]), tf.ones([4])), ValueError, "must be equal"),
    error("bias: format", lambda tf: tf.nn.bias_add(tf.ones([2, 3]), [1.0] * 3, "C"), ValueError, "`N...C` or `NC...`"),
    error(
        "depthwise: channels",
        lambda tf: tf.nn.depthwise_conv2d(tf.ones([1, 5, 5, 3]), tf.ones([3, 3, 4, 1]), [1, 1, 1, 1], "SAME"),
        ValueError,
        "Dimensions must be equal, but are 3 and 4",
    ),
]
