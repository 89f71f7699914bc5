"""Graphs that TensorFlow wrote are imported and compute what they computed there, and graphs written here are the same.

`record_graph_defs.py` records. Some differences between the versions of TensorFlow remain; `LATER` names them.
"""

from pathlib import Path

import numpy as np
import pytest
from support.graph_models import MODELS, first_steps, graph_of

import sessile as tf

FOLDER = Path(__file__).parents[1] / "data" / "graph_defs"

# What TensorFlow 2.21 writes and 1.15 does not: hints on operands that are gradients, a mark on nodes that got their
# control inputs from the user, paddings of poolings, AddV2 where 1.15's functions still add by Add, and other gradients
# of means and biases.
LATER_ATTRIBUTES = {"grad_a", "grad_b", "_has_manual_control_dependencies"}
LATER_ATTRIBUTES_OF = {"MaxPool": {"explicit_paddings"}}
LATER_TYPES = {"AddV2": "Add"}
LATER_SCOPE = "gradients/"


def recorded(name):
    return tf.GraphDef.FromString((FOLDER / name).read_bytes())


def imported(message):
    graph = tf.Graph()
    with graph.as_default():
        tf.import_graph_def(message, name="")
    return graph


@pytest.mark.parametrize("model", MODELS)
def test_an_imported_graph_computes_what_it_computed_in_tensorflow(model):
    found, expected = first_steps(tf, imported(recorded(f"{model}.pb"))), np.load(FOLDER / f"{model}.npz")
    for key, value in found.items():
        np.testing.assert_allclose(value, expected[key], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_a_graph_built_here_computes_the_same(model):
    found, expected = first_steps(tf, graph_of(tf, model)), np.load(FOLDER / f"{model}.npz")
    for key, value in found.items():
        np.testing.assert_allclose(value, expected[key], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("model", MODELS)
def test_an_imported_graph_has_the_static_shapes_that_tensorflow_inferred(model):
    message = recorded(f"{model}.pb")
    shapes = {node.name: node.attr["_output_shapes"].list.shape for node in message.node}
    for node in message.node:
        del node.attr["_output_shapes"]
    for op in imported(message).get_operations():
        theirs = [tf.TensorShape(shape) for shape in shapes[op.name]]
        ours = [tensor.shape for tensor in op.outputs]
        assert all(map(tf.TensorShape.is_compatible_with, ours, theirs)), (op.name, ours, theirs)
        if op.type != "BroadcastGradientArgs":  # whose sizes depend on values
            assert [s.is_fully_defined() for s in ours] == [s.is_fully_defined() for s in theirs], op.name


@pytest.mark.parametrize("model", MODELS)
def test_a_graph_built_here_is_the_graph_that_tensorflow_builds(model):
    ours = {node.name: node for node in graph_of(tf, model).as_graph_def().node}
    theirs = {node.name: node for node in recorded(f"{model}.pb").node}
    compared = [name for name in theirs if not name.startswith(LATER_SCOPE)]
    assert [name for name in ours if not name.startswith(LATER_SCOPE)] == compared
    for name in compared:
        assert described(ours[name]) == described(theirs[name])


def described(node):
    ignored = {"_output_shapes"} | LATER_ATTRIBUTES | LATER_ATTRIBUTES_OF.get(node.op, set())
    attributes = {key: str(value) for key, value in node.attr.items() if key not in ignored}
    return {
        "name": node.name,
        "op": LATER_TYPES.get(node.op, node.op),
        "inputs": sorted(node.input, key=lambda text: text.startswith("^")),
        "device": node.device,
        "attributes": attributes,
    }


@pytest.mark.parametrize("model", MODELS)
def test_tensorflow_runs_what_is_written_here(model, update_golden):
    path = FOLDER / f"{model}.ours.pb"
    message = graph_of(tf, model).as_graph_def()
    if update_golden:
        path.write_bytes(message.SerializeToString(deterministic=True))
        return
    assert message == recorded(path.name)
    values = np.load(FOLDER / f"{model}.npz")
    for key in ("losses", "logits"):
        np.testing.assert_allclose(values[f"ours_{key}"], values[key], rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", [*(f"{model}.pb" for model in MODELS), "loop.pb"])
def test_an_imported_graph_is_written_as_it_came(name):
    message = recorded(name)
    for node in message.node:
        node.attr.pop("_output_shapes", None)
    again = imported(message).as_graph_def()
    came = {node.name: described_wholly(node) for node in message.node}
    assert {node.name: described_wholly(node) for node in again.node} == came
    assert again.versions.producer == min(message.versions.producer, tf.Graph().graph_def_versions.producer)


def described_wholly(node):
    values = {key: value for key, value in node.attr.items() if key != "value"}
    constant = tf.make_ndarray(node.attr["value"].tensor).tolist() if "value" in node.attr else None
    return [node.op, list(node.input), node.device, {key: str(value) for key, value in values.items()}, constant]


def test_a_loop_is_imported_with_its_circle_and_the_shapes_that_it_was_written_with():
    graph = imported(recorded("loop.pb"))
    merge = graph.get_operation_by_name("loop/Merge")
    assert [tensor.op.type for tensor in merge.inputs] == ["Enter", "NextIteration"]
    assert merge in graph.get_operation_by_name("loop/NextIteration").outputs[0].consumers()
    assert all(tensor.shape == [] for op in graph.get_operations() for tensor in op.outputs)
