"""What `ConfigProto`, `RunOptions` and `RunMetadata` do, and where operations are placed."""

import logging
import time

import numpy as np
import pytest

import sessile as tf
from sessile.runtime.log_setup import set_up_logging
from sessile.runtime.session_options import options_from


@pytest.fixture(autouse=True)
def graph():
    with tf.Graph().as_default() as graph:
        yield graph


HOST = "/job:localhost/replica:0/task:0/device:"


def test_the_seeds_configurations_are_taken():
    config = tf.ConfigProto(gpu_options=tf.GPUOptions(allow_growth=True))
    assert tf.Session(config=config).run(tf.constant(1.0)) == 1.0
    config = tf.ConfigProto(allow_soft_placement=True)
    config.gpu_options.allow_growth = True
    config.gpu_options.per_process_gpu_memory_fraction = 0.4
    assert tf.Session(config=config).run(tf.constant(1.0)) == 1.0


def test_a_configuration_is_not_changed():
    config = tf.ConfigProto(log_device_placement=False)
    before = config.SerializeToString()
    tf.Session(config=config).run(tf.constant(1.0))
    tf.InteractiveSession(config=config).close()
    assert config.SerializeToString() == before


def test_threads_and_compilation_reach_the_executor():
    config = tf.ConfigProto(intra_op_parallelism_threads=3)
    assert tf.Session(config=config).options.execution().threads == 3
    config.graph_options.optimizer_options.global_jit_level = tf.OptimizerOptions.OFF
    assert tf.Session(config=config).options.execution().jit == "never"
    config.graph_options.optimizer_options.global_jit_level = tf.OptimizerOptions.ON_1
    assert tf.Session(config=config).options.execution().jit == "always"


def test_the_environment_decides_where_the_configuration_says_nothing(monkeypatch):
    monkeypatch.setenv("SESSILE_JIT", "never")
    assert tf.Session().options.execution().jit == "never"
    monkeypatch.setenv("SESSILE_JIT", "sometimes")
    with pytest.raises(ValueError, match="SESSILE_JIT is 'sometimes'"):
        tf.Session()


@pytest.mark.parametrize(
    "config",
    [{"intra_op_parallelism_threads": -1}, {"device_count": {"CPU": -2}}],
    ids=["threads", "devices"],
)
def test_negative_numbers_are_refused(config):
    with pytest.raises(ValueError, match="must not be negative"):
        tf.Session(config=tf.ConfigProto(**config))


# --- devices


def test_there_are_as_many_cpus_as_asked_for(graph):
    sess = tf.Session(config=tf.ConfigProto(device_count={"CPU": 2, "GPU": 0}))
    assert [device.name for device in sess.list_devices()] == [f"{HOST}CPU:0", f"{HOST}CPU:1"]
    with graph.device("/cpu:1"):
        x = tf.constant(1.0, name="x")
    assert sess.run(x) == 1.0
    with pytest.raises(tf.errors.InvalidArgumentError, match="explicitly assigned to /device:CPU:1") as raised:
        tf.Session().run(x)
    assert raised.value.op is x.op


def test_only_what_runs_is_placed(graph):
    with graph.device("/gpu:0"):
        x = tf.constant(1.0)
    y = tf.constant(2.0)
    sess = tf.Session()
    assert sess.run(y) == 2.0
    for _ in range(2):
        with pytest.raises(tf.errors.InvalidArgumentError, match="Cannot assign a device for operation"):
            sess.run(x)
    assert sess.run(x, {x: 3.0}) == 3.0


@pytest.mark.parametrize("device", ["/gpu:0", "/device:GPU:1", "/job:worker/task:3", "/device:TPU:0"])
def test_soft_placement_runs_on_the_cpu(graph, device):
    with graph.device(device):
        x = tf.constant(1.0)
    assert tf.Session(config=tf.ConfigProto(allow_soft_placement=True)).run(x + 1.0) == 2.0


def test_placements_are_logged_once(graph, capfd):
    with graph.device("/gpu:0"):
        x = tf.placeholder(tf.float32, [], name="x")
    y = tf.add(x, 1.0, name="y")
    z = tf.multiply(y, 2.0, name="z")
    sess = tf.Session(config=tf.ConfigProto(allow_soft_placement=True, log_device_placement=True))
    sess.run(y, {x: 1.0})
    placed = [f"{name}: {HOST}CPU:0" for name in ("y/y: (Const)", "y: (Add)")]
    assert capfd.readouterr().err.splitlines() == ["Device mapping: no known devices.", *placed]
    sess.run([y, z], {x: 1.0})
    assert capfd.readouterr().err.splitlines() == [f"z/y: (Const): {HOST}CPU:0", f"z: (Mul): {HOST}CPU:0"]
    sess.run([y, z], {x: 1.0})
    assert capfd.readouterr().err == ""


# --- traces and time-outs


def traced(sess, fetches, feed_dict=None, **options):
    metadata = tf.RunMetadata()
    started = time.time_ns()
    sess.run(fetches, feed_dict, tf.RunOptions(**options), metadata)
    return metadata, (started, time.time_ns())


def test_a_trace_names_operations_and_times():
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    y = tf.matmul(x, tf.ones([3, 2]), name="product")
    sess = tf.Session()
    for _ in range(3):
        metadata, (started, ended) = traced(sess, y, {x: np.ones([4, 3])}, trace_level=tf.RunOptions.FULL_TRACE)
    (device,) = metadata.step_stats.dev_stats
    assert device.device == f"{HOST}CPU:0"
    nodes = {node.node_name: node for node in device.node_stats}
    product = nodes["product"]
    assert product.timeline_label == "product = MatMul(x, ones)"
    assert [size.size for size in product.output[0].tensor_description.shape.dim] == [4, 2]
    assert product.output[0].tensor_description.allocation_description.requested_bytes == 32
    assert started - 10**6 < product.all_start_nanos
    assert product.all_start_nanos + product.all_end_rel_nanos < ended + 10**6
    assert all(node.all_end_rel_nanos > 0 for node in device.node_stats)


def test_without_a_trace_level_nothing_is_traced():
    x = tf.constant(1.0) + 1.0
    sess = tf.Session()
    metadata, _ = traced(sess, x)
    assert metadata == tf.RunMetadata()
    metadata.step_stats.dev_stats.add(device="left from an earlier run")
    assert sess.run(x, run_metadata=metadata) == 2.0
    assert metadata == tf.RunMetadata()


def test_a_traced_run_has_the_same_result():
    x = tf.placeholder(tf.float32, [])
    v = tf.Variable(1.0)
    sess = tf.Session()
    sess.run(v.initializer)
    fetches = {"sum": x + v, "op": v.assign_add(1.0).op}
    options = tf.RunOptions(trace_level=tf.RunOptions.SOFTWARE_TRACE)
    assert sess.run(fetches, {x: 1}, options, tf.RunMetadata()) == {"sum": 2.0, "op": None}
    assert sess.run(fetches, {x: 1}, options=options) == {"sum": 3.0, "op": None}
    assert sess.run(fetches, {x: 1}) == {"sum": 4.0, "op": None}


def test_the_part_of_the_graph_that_ran():
    x = tf.constant(1.0, name="x")
    tf.multiply(x, 2.0, name="unused")
    y = tf.add(x, 3.0, name="y")
    metadata, _ = traced(tf.Session(), y, output_partition_graphs=True)
    (partition,) = metadata.partition_graphs
    assert [(node.name, node.op, node.device) for node in partition.node] == [
        ("x", "Const", f"{HOST}CPU:0"),
        ("y/y", "Const", f"{HOST}CPU:0"),
        ("y", "Add", f"{HOST}CPU:0"),
    ]


def test_options_of_a_run_win_over_those_of_the_session():
    x = tf.constant(1.0) + 1.0
    sess = tf.Session(config=tf.ConfigProto(operation_timeout_in_ms=60_000))
    assert options_from(tf.ConfigProto(operation_timeout_in_ms=1500)).timeout == 1.5
    assert sess.run(x) == 2.0
    assert sess.run(x, options=tf.RunOptions(timeout_in_ms=30_000)) == 2.0
    assert sess.make_callable(x)() == 2.0


def test_a_run_ends_when_its_time_is_up(monkeypatch):
    x = tf.constant(1.0)
    v = tf.Variable(0.0)
    sess = tf.Session()
    sess.run(v.initializer)
    slow = v.assign_add(tf.exp(x, name="slow"))
    clock = iter(np.arange(0.0, 100.0, 1.1))
    monkeypatch.setattr("sessile.runtime.run_monitor.time.monotonic", lambda: float(next(clock)))
    with pytest.raises(tf.errors.DeadlineExceededError, match="the run did not end within 1 seconds"):
        options = tf.RunOptions(timeout_in_ms=1000, trace_level=tf.RunOptions.FULL_TRACE)
        sess.run(slow, options=options, run_metadata=tf.RunMetadata())
    monkeypatch.undo()
    assert sess.run(v) == 0.0
    assert sess.run(slow) == np.float32(np.exp(np.float32(1.0)))


# --- log lines


@pytest.fixture
def run_logger():
    logger = logging.getLogger("sessile.run")
    handlers, level = list(logger.handlers), logger.level
    yield logger
    logger.handlers[:] = handlers
    logger.setLevel(level)


def test_each_run_is_a_log_line(run_logger, caplog):
    x = tf.placeholder(tf.float32, [], name="x")
    y = tf.add(x, 1.0, name="y")
    with caplog.at_level(logging.INFO, "sessile.run"):
        sess = tf.Session()
        for _ in range(2):
            sess.run([y, y.op], {x: 1.0})
    assert [record.getMessage().rpartition(": ")[0] for record in caplog.records] == ["y:0, y fed x:0"] * 2
    assert all(record.getMessage().endswith(" us") for record in caplog.records)


def test_the_environment_switches_log_lines_on(run_logger, capsys):
    set_up_logging("compile, run")
    x = tf.constant(1.0, name="x")
    tf.Session().run(x)
    assert capsys.readouterr().err.startswith("sessile.run: x:0: ")
    with pytest.warns(UserWarning, match="SESSILE_LOG names rum; it can name compile, run"):
        set_up_logging("rum")
