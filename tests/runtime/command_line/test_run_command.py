"""`sessile run`: values in, results out."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from support.command_line import sessile

import sessile as tf

WEIGHTS = np.arange(12, dtype=np.float32).reshape(4, 3) / 10


def expected(x: np.ndarray) -> np.ndarray:
    hidden = np.maximum(x @ WEIGHTS - 1, 0)
    powers = np.exp(hidden - hidden.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def test_results_go_to_an_archive_by_name(folder: Path):
    result = sessile("run", "model.py:build", "--feed", "x=x.npy", "-o", "out.npz")
    assert result.exit_code == 0, result.output
    assert "probabilities: float32[2, 3]" in result.stdout
    with np.load("out.npz") as arrays:
        assert set(arrays.files) == {"probabilities", "digit"}
        np.testing.assert_allclose(arrays["probabilities"], expected(np.load("x.npy")), rtol=1e-6)
        assert arrays["digit"].dtype == np.int64


def test_a_single_result_goes_to_a_plain_file():
    assert sessile("run", "model.py:build", "--feed", "x=x.npy", "--fetch", "digit", "-o", "out.npy").exit_code == 0
    assert np.load("out.npy").shape == (2,)


def test_several_results_do_not_fit_a_plain_file(folder: Path):
    result = sessile("run", "model.py:build", "--feed", "x=x.npy", "-o", "out.npy")
    assert result.exit_code == 2
    assert "holds one array, and there are 2: probabilities, digit" in result.stderr
    assert not (folder / "out.npy").exists()


@pytest.mark.parametrize(
    ("value", "doubled"),
    [("3.5", 7.0), ("[1, 2]", [2.0, 4.0]), ("data.npz:first", [2.0, 4.0, 6.0]), ("one.npz", [10.0]), ("nan", np.nan)],
)
def test_values_are_written_out_or_taken_from_files(value, doubled):
    np.savez("data.npz", first=np.array([1.0, 2.0, 3.0]), second=np.array([0.0]))
    np.savez("one.npz", anything=np.array([5], np.int64))
    placeholder = "tf.placeholder(tf.float32, None, 'a')"
    Path("scalar.py").write_text(
        f"import sessile as tf\n\n\ndef build():\n    return tf.multiply({placeholder}, 2.0, name='y')\n"
    )
    result = sessile("run", "scalar.py:build", "--feed", f"a={value}", "-o", "out.npy")
    assert result.exit_code == 0, result.output
    np.testing.assert_array_equal(np.load("out.npy"), np.array(doubled, np.float32))


def test_json_holds_values_and_times():
    result = sessile("run", "model.py:two_inputs", "--feed", "a=[1,2]", "--feed", "b=[3,4]", "--repeat", "5", "--json")
    report = json.loads(result.stdout)
    assert report["outputs"] == [{"name": "total", "dtype": "float32", "shape": [2], "values": [5.0, 8.0]}]
    assert report["runs"] == 5
    assert set(report["later_ms"]) == {"min", "p50", "p90", "p99", "mean", "max"}


def test_the_session_of_the_model_brings_its_variables():
    result = sessile("run", "model.py:with_session", "--feed", "x=x.npy", "--json")
    assert json.loads(result.stdout)["outputs"][0]["values"] == (3 * np.load("x.npy")).tolist()


@pytest.mark.parametrize("as_text", [True, False])
def test_graph_defs_run(as_text):
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None], name="x")
        tf.add(tf.identity(x, name="unused_by_others") * 2.0, 1.0, name="y")
    name = "graph.pbtxt" if as_text else "graph.pb"
    tf.train.write_graph(graph, ".", name, as_text)
    result = sessile("run", name, "--feed", "x=[1,2]", "--json")
    assert json.loads(result.stdout)["outputs"][0] == {
        "name": "y",
        "dtype": "float32",
        "shape": [2],
        "values": [3.0, 5.0],
    }


def test_variables_of_a_graph_def_are_initialized_by_name():
    with tf.Graph().as_default() as graph:
        tf.identity(tf.Variable(4.0, name="v"), name="y")
        tf.group(tf.global_variables_initializer(), name="start")
    tf.train.write_graph(graph, ".", "graph.pb", as_text=False)
    assert "Attempting to use uninitialized value v" in sessile("run", "graph.pb", "--fetch", "y").stderr
    result = sessile("run", "graph.pb", "--fetch", "y", "--init", "start", "--json")
    assert json.loads(result.stdout)["outputs"][0]["values"] == 4.0


def test_a_step_is_run_for_its_effect():
    result = sessile("run", "model.py:train", "--feed", "x=x.npy", "--json")
    assert [output["name"] for output in json.loads(result.stdout)["outputs"]] == ["loss"]
