"""Operations that only graphs of others hold: the functions of the library add newer ones."""

import numpy as np
import pytest
from support.recorded_programs import numbers

import sessile as tf
from sessile.graph.ops import activations, fused_batch_norm

_IMAGES = numbers(0, 2, 3, 4, 2)
_SCALE, _OFFSET, _MEAN, _VARIANCE = (np.float32(x) for x in ([1, 2], [0, 1], [0.5, -0.5], [2, 3]))


def _normalised(definition, data_format, is_training):
    """The results of one definition of batch normalisation, and its derivatives."""
    images = _IMAGES if data_format == "NHWC" else _IMAGES.transpose(0, 3, 1, 2)
    moments = [[], []] if is_training else [_MEAN, _VARIANCE]
    with tf.Graph().as_default(), tf.Session() as session:
        inputs = [tf.constant(x, tf.float32) for x in (images, _SCALE, _OFFSET, *moments)]
        results = definition(*inputs, epsilon=0.01, data_format=data_format, is_training=is_training)
        return session.run([*results[:5], *tf.gradients(results[0] ** 2.0, inputs[:3])])


@pytest.mark.parametrize("is_training", [True, False])
@pytest.mark.parametrize("data_format", ["NHWC", "NCHW"])
@pytest.mark.parametrize("older", [fused_batch_norm.FusedBatchNorm, fused_batch_norm.FusedBatchNormV2])
def test_older_batch_normalisations_do_what_the_newest_does(older, data_format, is_training):
    newest = _normalised(fused_batch_norm.FusedBatchNormV3, data_format, is_training)
    for one, other in zip(_normalised(older, data_format, is_training), newest, strict=True):
        np.testing.assert_array_equal(one, other)


def test_half_precision_images_are_normalised_in_single_precision():
    with tf.Graph().as_default(), tf.Session() as session:
        half = tf.constant(_IMAGES, tf.float16)
        y, mean, variance = fused_batch_norm.FusedBatchNormV2(half, _SCALE, _OFFSET, _MEAN, _VARIANCE)[:3]
        wide = tf.nn.fused_batch_norm(tf.cast(half, tf.float32), _SCALE, _OFFSET, epsilon=0.0101)
        assert (y.dtype, mean.dtype, variance.dtype) == (tf.float16, tf.float32, tf.float32)
        same, other = session.run([mean, wide[1]])
    np.testing.assert_allclose(same, other, rtol=1e-6)


def test_softplus_grad_is_a_sigmoid():
    features = np.float32([-80, -1, 0, 2, 80])
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.constant(features)
        first = activations.SoftplusGrad(tf.constant(2.0, shape=[5]), x)
        assert first.op.type == "SoftplusGrad"
        values, slopes = session.run([first, *tf.gradients(first, x)])
    sigmoid = 1 / (1 + np.exp(-features.astype(np.float64)))
    np.testing.assert_allclose(values, 2 * sigmoid, rtol=1e-6)
    np.testing.assert_allclose(slopes, 2 * sigmoid * (1 - sigmoid), rtol=1e-5, atol=1e-30)
