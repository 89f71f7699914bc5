"""Networks trained for 20 steps from the seeds of the graph: the losses are those of TensorFlow 1.15."""

import numpy as np
from support.recorded_programs import numbers


def compared(node):
    return "_grad/" not in node and node != "init"


def _data(features, classes, count=32):
    return np.abs(numbers(0, count, features)), np.random.RandomState(1).randint(0, classes, count)


def _losses(tf, loss, train, feeds):
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        return [session.run([loss, train], feeds)[0] for _ in range(20)]


def logistic_regression(tf):
    tf.set_random_seed(1)
    images, digits = _data(20, 2)
    x, y = tf.placeholder(tf.float32, [None, 20]), tf.placeholder(tf.float32, [None])
    w, b = tf.Variable(tf.random_normal([20, 1], stddev=0.1)), tf.Variable(tf.zeros([1]))
    logits = tf.squeeze(tf.matmul(x, w) + b, 1)
    loss = tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=y, logits=logits))
    train = tf.train.GradientDescentOptimizer(0.1).minimize(loss)
    return _losses(tf, loss, train, {x: images, y: digits})


def softmax_regression_by_hand(tf):
    tf.set_random_seed(2)
    images, digits = _data(20, 5)
    x, y = tf.placeholder("float", [None, 20]), tf.placeholder("float", [None, 5])
    w, b = tf.Variable(tf.truncated_normal([20, 5], stddev=0.1)), tf.Variable(tf.constant(0.1, shape=[5]))
    p = tf.nn.softmax(tf.matmul(x, w) + b)
    loss = -tf.reduce_sum(y * tf.log(p))
    train = tf.train.MomentumOptimizer(0.001, 0.9, use_nesterov=True).minimize(loss)
    return _losses(tf, loss, train, {x: images, y: np.eye(5)[digits]})


def multilayer_perceptron(tf):
    tf.set_random_seed(7)
    images, digits = _data(20, 5, 64)
    x, y = tf.placeholder(tf.float32, [None, 20], name="x"), tf.placeholder(tf.int64, [None], name="y")
    h = x
    for k, size in enumerate([32, 16]):
        with tf.variable_scope(f"layer{k}"):
            w = tf.get_variable("w", [h.shape[1].value, size])
            b = tf.get_variable("b", [size], initializer=tf.zeros_initializer())
            h = tf.nn.relu(tf.matmul(h, w) + b)
            h = tf.nn.dropout(h, keep_prob=0.8)
    with tf.variable_scope("logits"):
        logits = tf.matmul(h, tf.get_variable("w", [16, 5]))
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=y, logits=logits))
    step = tf.Variable(0, trainable=False, name="step")
    rate = tf.train.exponential_decay(0.01, step, 5, 0.9)
    train = tf.train.AdamOptimizer(rate).minimize(loss, global_step=step)
    return _losses(tf, loss, train, {x: images, y: digits})


def _convolved(tf, h, filters, name):
    with tf.variable_scope(name):
        initializer = tf.truncated_normal_initializer(stddev=0.1)
        w = tf.get_variable("w", [3, 3, h.shape[-1].value, filters], initializer=initializer)
        b = tf.get_variable("b", [filters], initializer=tf.constant_initializer(0.1))
        h = tf.nn.relu(tf.nn.bias_add(tf.nn.conv2d(h, w, [1, 1, 1, 1], "SAME"), b))
        return tf.nn.max_pool(h, [1, 2, 2, 1], [1, 2, 2, 1], "SAME")


def convolutional_network(tf):
    tf.set_random_seed(3)
    images, digits = _data(64, 10)
    x, y = tf.placeholder(tf.float32, [None, 64]), tf.placeholder(tf.int32, [None])
    h = _convolved(tf, _convolved(tf, tf.reshape(x, [-1, 8, 8, 1]), 8, "c1"), 16, "c2")
    h = tf.nn.dropout(tf.reshape(h, [-1, 64]), 0.8)
    w, b = tf.Variable(tf.truncated_normal([64, 10], stddev=0.1)), tf.Variable(tf.zeros([10]))
    logits = tf.nn.xw_plus_b(h, w, b)
    loss = tf.reduce_mean(tf.nn.softmax_cross_entropy_with_logits(labels=tf.one_hot(y, 10), logits=logits))
    loss += 1e-3 * tf.nn.l2_loss(w)
    train = tf.train.AdamOptimizer(1e-2).minimize(loss)
    return _losses(tf, loss, train, {x: images, y: digits})


def embeddings_and_batch_normalisation(tf):
    tf.set_random_seed(4)
    words = np.random.RandomState(0).randint(0, 50, (16, 6))
    ids, y = tf.placeholder(tf.int32, [None, 6]), tf.placeholder(tf.float32, [None])
    table = tf.get_variable("table", [50, 8], initializer=tf.random_uniform_initializer(-1, 1))
    h = tf.reduce_mean(tf.nn.embedding_lookup(table, ids), 1)
    mean, variance = tf.nn.moments(h, [0])
    scale, offset = tf.Variable(tf.ones([8])), tf.Variable(tf.zeros([8]))
    h = tf.nn.batch_normalization(h, mean, variance, offset, scale, 1e-3)
    w = tf.get_variable("w", [8, 1], initializer=tf.orthogonal_initializer())
    loss = tf.reduce_mean(tf.square(tf.squeeze(tf.matmul(tf.nn.tanh(h), w), 1) - y))
    train = tf.train.RMSPropOptimizer(0.01, momentum=0.9).minimize(loss)
    return _losses(tf, loss, train, {ids: words, y: words[:, 0] / 50.0})
