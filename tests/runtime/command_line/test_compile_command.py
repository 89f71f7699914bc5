"""`sessile compile` and what comes of it: bundles that run, libraries for C."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from support.command_line import sessile

import sessile as tf


def test_a_bundle_gives_what_the_model_gives(folder: Path):
    result = sessile("compile", "model.py:build", "--feed", "x:float32[batch,4]", "-o", "model.sessile", "--json")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    assert report["files"] == {"bundle": "model.sessile"}
    assert report["inputs"] == {"x": {"dtype": "float32", "shape": ["batch", 4]}}
    assert report["notes"] == ["the variables have their initial values: the function returns no session with others"]
    for source, output in (("model.py:build", "a.npz"), ("model.sessile", "b.npz")):
        assert sessile("run", source, "--feed", "x=x.npy", "-o", output).exit_code == 0
    with np.load("a.npz") as a, np.load("b.npz") as b:
        assert a.files == b.files
        np.testing.assert_allclose(a["probabilities"], b["probabilities"], rtol=1e-5)
        np.testing.assert_array_equal(a["digit"], b["digit"])


def test_values_of_the_session_are_frozen_in():
    result = sessile("compile", "model.py:with_session", "-o", "scaled.sessile")
    assert result.exit_code == 0 and result.stderr == ""
    np.testing.assert_array_equal(tf.load("scaled.sessile").run(["scaled"], {"x": np.ones([1, 4])})[0], [[3, 3, 3, 3]])


def test_the_bundle_is_named_after_the_function_or_file():
    assert sessile("compile", "model.py:two_inputs").exit_code == 0
    assert Path("two_inputs.sessile").is_file()
    with tf.Graph().as_default() as graph:
        tf.negative(tf.placeholder(tf.float32, [2], name="x"), name="y")
    tf.train.write_graph(graph, ".", "my-graph.pb", as_text=False)
    assert sessile("compile", "my-graph.pb").exit_code == 0
    assert Path("my_graph.sessile").is_file()


def test_outputs_of_a_bundle_can_be_chosen():
    sessile("compile", "model.py:build", "-o", "model.sessile")
    result = sessile("run", "model.sessile", "--feed", "x=x.npy", "--fetch", "digit", "--repeat", "3", "--json")
    report = json.loads(result.stdout)
    assert [output["name"] for output in report["outputs"]] == ["digit"] and report["runs"] == 3
    unknown = sessile("run", "model.sessile", "--feed", "x=x.npy", "--fetch", "digits")
    assert unknown.exit_code == 2 and "no output 'digits'. Did you mean 'digit'?" in unknown.stderr
    unknown = sessile("run", "model.sessile", "--feed", "y=x.npy")
    assert unknown.exit_code == 2 and "no input 'y'. It has x." in unknown.stderr
    wrong = sessile("run", "model.sessile", "--feed", "x=[[1,2]]")
    assert wrong.exit_code == 1 and "shape [1,2]" in wrong.stderr


def test_a_truncated_bundle_is_refused(folder: Path):
    sessile("compile", "model.py:two_inputs", "-o", "whole.sessile")
    content = Path("whole.sessile").read_bytes()
    Path("half.sessile").write_bytes(content[: len(content) // 2])
    Path("flipped.sessile").write_bytes(content[:-100] + bytes([content[-100] ^ 1]) + content[-99:])
    for name in ("half.sessile", "flipped.sessile"):
        result = sessile("run", name, "--feed", "a=[1]", "--feed", "b=[1]")
        assert result.exit_code == 1 and f"{name} is not a whole bundle" in result.stderr


def test_a_bundle_for_another_processor_is_made_and_refused_here():
    other = "x86-64" if tf_machine() == "aarch64" else "aarch64"
    assert sessile("compile", "model.py:two_inputs", "--target", other, "-o", "other.sessile").exit_code == 0
    result = sessile("run", "other.sessile", "--feed", "a=[1]", "--feed", "b=[1]")
    assert result.exit_code == 1 and "cannot run here: it was compiled for" in result.stderr


def tf_machine() -> str:
    import platform

    return platform.machine()


def test_parts_of_a_c_library(folder: Path):
    result = sessile(
        "compile", "model.py:two_inputs", "--emit", "header", "--emit", "object", "--name", "sum", "-o", "lib"
    )
    assert result.exit_code == 0, result.stderr
    assert {path.name for path in (folder / "lib").iterdir()} == {"sum.h", "sum.o"}
    assert "sum_run" in (folder / "lib" / "sum.h").read_text()


@pytest.mark.skipif(shutil.which("cc") is None or shutil.which("ar") is None, reason="needs a C compiler")
def test_a_whole_c_library_beside_a_bundle(folder: Path):
    result = sessile("compile", "model.py:two_inputs", "--emit", "c", "--emit", "bundle", "-o", "lib", "--json")
    assert result.exit_code == 0, result.stderr
    files = json.loads(result.stdout)["files"]
    assert set(files) == {"bundle", "header", "object", "static", "shared"}
    assert all(Path(path).is_file() and Path(path).parent == Path("lib") for path in files.values())


def test_nothing_is_left_of_a_compilation_that_fails(folder: Path, monkeypatch: pytest.MonkeyPatch):
    before = set(folder.rglob("*"))
    assert sessile("compile", "model.py:two_inputs", "-o", "missing/model.sessile").exit_code == 1
    from sessile.compiler.aot import build

    def interrupted(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(build, "compile_kernel", interrupted)
    result = sessile("compile", "model.py:two_inputs", "-o", "model.sessile")
    assert result.exit_code == 130 and result.stderr == "sessile: interrupted\n"
    result = sessile("compile", "model.py:two_inputs", "--emit", "c", "--emit", "bundle")
    assert result.exit_code == 130
    after = {path for path in folder.rglob("*") if "store" not in path.parts and path.suffix != ".pyc"}
    assert {path for path in after - before if path.name != "__pycache__"} == set()
