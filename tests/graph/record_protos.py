"""Records messages as TensorFlow writes them into `tests/data/protos/`, for `test_protos.py`.

Run it in an environment with TensorFlow; the recorded files are committed, so that the tests need none.

    python tests/graph/record_protos.py
"""

import os
import tempfile
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow.compat.v1 as tf

FOLDER = Path(__file__).resolve().parents[1] / "data" / "protos"

TENSORS = {
    "float32": np.array([[1.5, -2.0], [3.25, 0.0]], np.float32),
    "float64": np.array([1e300, -0.0]),
    "float16": np.array([1.5, -2.5], np.float16),
    "int8": np.array([-1, 2], np.int8),
    "int16": np.array([-300, 2], np.int16),
    "int32": np.array([[1, 2, 3]], np.int32),
    "int64": np.array([2**40, -1]),
    "uint8": np.array([255, 0], np.uint8),
    "uint16": np.array([65535, 1], np.uint16),
    "uint32": np.array([2**32 - 1, 1], np.uint32),
    "uint64": np.array([2**64 - 1, 1], np.uint64),
    "bool": np.array([True, False]),
    "complex64": np.array([1 + 2j, 3 - 4j], np.complex64),
    "complex128": np.array([1 + 2j, 3 - 4j]),
    "string": np.array([b"a\0", b"", "é".encode()], object),
    "scalar_int32": np.array(7, np.int32),
    "scalar_string": np.array(b"text", object),
    "scalar_float16": np.array(1.5, np.float16),
    "empty": np.zeros((2, 0), np.float32),
}


def record(name: str, message: object) -> None:
    """Writes the message; the order of map entries is fixed, so that recording again changes little."""
    (FOLDER / f"{name}.pb").write_bytes(message.SerializeToString(deterministic=True))


def build_graph() -> tf.Graph:
    """A graph with a loop, a cond, a variable, a saver, a queue runner: what collections and attributes hold."""
    graph = tf.Graph()
    with graph.as_default():
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.get_variable("w", [3, 2], initializer=tf.ones_initializer(), use_resource=False)
        y = tf.nn.relu(tf.matmul(x, w), name="y")
        with tf.device("/cpu:0"):
            tf.cond(tf.reduce_sum(y) > 0, lambda: y + 1.0, lambda: y - 1.0)
        tf.while_loop(lambda i: i < 3, lambda i: i + 1, [tf.constant(0)])
        tf.constant(["one", "two"], name="words")
        queue = tf.FIFOQueue(4, [tf.float32], shapes=[[]])
        tf.train.add_queue_runner(tf.train.QueueRunner(queue, [queue.enqueue(1.0)]))
    return graph


def record_graph(graph: tf.Graph) -> None:
    with graph.as_default():
        record("graph", graph.as_graph_def())
        saver = tf.train.Saver()
        with tempfile.TemporaryDirectory() as folder:
            meta_graph = saver.export_meta_graph(os.path.join(folder, "model.meta"))
    signature = tf.saved_model.build_signature_def(
        {"x": tf.saved_model.build_tensor_info(graph.get_tensor_by_name("x:0"))},
        {"y": tf.saved_model.build_tensor_info(graph.get_tensor_by_name("y:0"))},
        "predict",
    )
    meta_graph.signature_def["serving_default"].CopyFrom(signature)
    record("meta_graph", meta_graph)
    loops = meta_graph.collection_def["while_context"].bytes_list.value
    (FOLDER / "while_context.pb").write_bytes(loops[0])


def record_run(graph: tf.Graph) -> None:
    metadata = tf.RunMetadata()
    options = tf.RunOptions(trace_level=tf.RunOptions.FULL_TRACE)
    with tf.Session(graph=graph) as session:
        session.run(graph.get_operation_by_name("w/Assign"))
        session.run("y:0", {"x:0": np.ones([4, 3])}, options=options, run_metadata=metadata)
    record("run_metadata", metadata)


def record_options() -> None:
    config = tf.ConfigProto(
        allow_soft_placement=True,
        intra_op_parallelism_threads=2,
        device_count={"GPU": 0},
        gpu_options=tf.GPUOptions(allow_growth=True, per_process_gpu_memory_fraction=0.25),
        graph_options=tf.GraphOptions(
            optimizer_options=tf.OptimizerOptions(
                opt_level=tf.OptimizerOptions.L0, global_jit_level=tf.OptimizerOptions.ON_1
            )
        ),
        cluster_def=tf.train.ClusterSpec({"worker": ["localhost:2222"]}).as_cluster_def(),
    )
    config.session_inter_op_thread_pool.add(num_threads=1, global_name="one")
    config.graph_options.rewrite_options.constant_folding = 2
    record("config", config)
    features = tf.train.Features(
        feature={
            "age": tf.train.Feature(int64_list=tf.train.Int64List(value=[3, -1])),
            "name": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"a"])),
        }
    )
    record("example", tf.train.Example(features=features))


def main() -> None:
    tf.disable_v2_behavior()
    FOLDER.mkdir(parents=True, exist_ok=True)
    for name, value in TENSORS.items():
        record(f"tensor_{name}", tf.make_tensor_proto(value))
    record("tensor_repeated", tf.make_tensor_proto([1.0, 2.0], shape=[2, 3]))
    record("tensor_qint8", tf.make_tensor_proto([(5,), (-6,)], tf.qint8))
    graph = build_graph()
    record_graph(graph)
    record_run(graph)
    record_options()


if __name__ == "__main__":
    main()
