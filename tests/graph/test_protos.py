"""The messages read and write what TensorFlow writes and reads (recorded by `record_protos.py`)."""

import subprocess
import sys
from pathlib import Path

import pytest
from google.protobuf.message import Message
from google.protobuf.unknown_fields import UnknownFieldSet

from sessile.graph import errors
from sessile.graph.data_type import as_dtype
from sessile.graph.proto import (
    config_pb2,
    control_flow_pb2,
    error_codes_pb2,
    example_pb2,
    graph_pb2,
    meta_graph_pb2,
    queue_runner_pb2,
    tensor_pb2,
    types_pb2,
    variable_pb2,
)

RECORDED = Path(__file__).resolve().parents[1] / "data" / "protos"
PROTOS = Path(graph_pb2.__file__).parent
CLASSES = {
    "graph": graph_pb2.GraphDef,
    "meta_graph": meta_graph_pb2.MetaGraphDef,
    "while_context": control_flow_pb2.WhileContextDef,
    "run_metadata": config_pb2.RunMetadata,
    "config": config_pb2.ConfigProto,
    "example": example_pb2.Example,
}


def recorded(name):
    message = CLASSES.get(name, tensor_pb2.TensorProto)()
    message.ParseFromString((RECORDED / f"{name}.pb").read_bytes())
    return message


def unknown_fields(message):
    """The fields that our messages do not have, as "Message.number"."""
    found = {f"{message.DESCRIPTOR.name}.{field.field_number}" for field in UnknownFieldSet(message)}
    for field, value in message.ListFields():
        if isinstance(value, Message):
            found |= unknown_fields(value)
        elif field.message_type is not None:
            values = value.values() if field.message_type.GetOptions().map_entry else value
            for item in values:
                found |= unknown_fields(item) if isinstance(item, Message) else set()
    return found


@pytest.mark.parametrize("name", sorted(path.stem for path in RECORDED.glob("*.pb")))
def test_reading_and_writing_keeps_every_byte(name):
    message = recorded(name)
    assert message.SerializeToString(deterministic=True) == (RECORDED / f"{name}.pb").read_bytes()
    # 21: is_distributed_communication of an operation's signature, which TensorFlow 1 did not have
    assert unknown_fields(message) <= ({"OpDef.21"} if name == "meta_graph" else set())


def test_graph():
    graph = recorded("graph")
    nodes = {node.name: node for node in graph.node}
    assert list(nodes["MatMul"].input) == ["x", "w/read"]
    assert nodes["x"].attr["dtype"].type == types_pb2.DT_FLOAT
    assert [dim.size for dim in nodes["x"].attr["shape"].shape.dim] == [-1, 3]
    assert nodes["y"].attr["T"].type == as_dtype("float32").as_datatype_enum
    assert list(nodes["words"].attr["value"].tensor.string_val) == [b"one", b"two"]
    assert any(name.startswith("^") for node in graph.node for name in node.input)
    assert graph.versions.producer > 0


def test_meta_graph():
    meta_graph = recorded("meta_graph")
    assert meta_graph.saver_def.version == meta_graph.saver_def.V2
    assert meta_graph.signature_def["serving_default"].inputs["x"].name == "x:0"
    assert "MatMul" in [op.name for op in meta_graph.meta_info_def.stripped_op_list.op]
    [serialized] = meta_graph.collection_def["trainable_variables"].bytes_list.value
    variable = variable_pb2.VariableDef.FromString(serialized)
    assert (variable.variable_name, variable.initializer_name, variable.trainable) == ("w:0", "w/Assign", True)
    [serialized] = meta_graph.collection_def["queue_runners"].bytes_list.value
    runner = queue_runner_pb2.QueueRunnerDef.FromString(serialized)
    assert runner.queue_name == "fifo_queue"
    assert list(runner.queue_closed_exception_types) == [error_codes_pb2.OUT_OF_RANGE]


def test_while_context():
    context = recorded("while_context")
    assert (context.context_name, context.parallel_iterations) == ("while/while_context", 10)
    assert {"while/Merge:0", "while/Switch:1"} <= set(context.values_def.values)


def test_run_metadata():
    stats = recorded("run_metadata").step_stats
    names = {node.node_name for device in stats.dev_stats for node in device.node_stats}
    assert any("MatMul" in name for name in names)
    assert all(node.all_start_micros > 0 for device in stats.dev_stats for node in device.node_stats)


def test_config_made_here_is_the_one_made_there():
    config = config_pb2.ConfigProto(
        allow_soft_placement=True,
        intra_op_parallelism_threads=2,
        device_count={"GPU": 0},
        gpu_options=config_pb2.GPUOptions(allow_growth=True, per_process_gpu_memory_fraction=0.25),
        graph_options=config_pb2.GraphOptions(
            optimizer_options=config_pb2.OptimizerOptions(
                opt_level=config_pb2.OptimizerOptions.L0, global_jit_level=config_pb2.OptimizerOptions.ON_1
            )
        ),
        session_inter_op_thread_pool=[config_pb2.ThreadPoolOptionProto(num_threads=1, global_name="one")],
    )
    config.graph_options.rewrite_options.constant_folding = config.graph_options.rewrite_options.OFF
    config.cluster_def.job.add(name="worker", tasks={0: "localhost:2222"})
    assert config == recorded("config")
    assert config.SerializeToString(deterministic=True) == (RECORDED / "config.pb").read_bytes()


def test_example():
    features = recorded("example").features.feature
    assert list(features["age"].int64_list.value) == [3, -1]
    assert list(features["name"].bytes_list.value) == [b"a"]


def test_numbers_agree_with_the_types_and_errors_of_the_graph():
    for name, number in types_pb2.DataType.items():
        if name != "DT_INVALID":
            word = name.removeprefix("DT_").lower()
            assert as_dtype(word.replace("_ref", "") + ("_ref" if "_REF" in name else "")).as_datatype_enum == number
    for name, number in error_codes_pb2.Code.items():
        assert getattr(errors, name) == number


def test_a_graph_is_read_without_loading_the_options_of_sessions():
    code = "import sys; from sessile.graph.proto import graph_pb2; print(*sys.modules)"
    modules = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.split()
    assert "sessile.graph.proto.graph_pb2" in modules
    assert "sessile.graph.proto.config_pb2" not in modules


def test_every_proto_file_is_generated():
    sources = {path.stem for path in PROTOS.glob("*.proto")}
    assert sources == {path.stem.removesuffix("_pb2") for path in PROTOS.glob("*_pb2.py")}
