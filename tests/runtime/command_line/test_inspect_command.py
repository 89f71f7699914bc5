"""`sessile inspect`: what a model is made of."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from support.command_line import sessile

from sessile.ir.parser import parse


def report(*arguments: object) -> dict:
    result = sessile("inspect", *arguments, "--json")
    assert result.exit_code == 0, result.stderr
    return json.loads(result.stdout)


@pytest.fixture
def bundle(folder: Path) -> str:
    assert sessile("compile", "model.py:build", "-o", "model.sessile").exit_code == 0
    return "model.sessile"


def test_the_summary_counts():
    summary = report("model.py:build")["summary"]
    assert summary["inputs"] == [{"name": "x", "dtype": "float32", "shape": [None, 4]}]
    assert [each["name"] for each in summary["outputs"]] == ["probabilities", "digit"]
    assert summary["graph"]["types"]["MatMul"] == 1
    assert summary["variables"] == {"count": 1, "bytes": 48}
    assert summary["program"]["on_host"] == []
    assert 0 < summary["program"]["steps"] <= summary["program"]["after_passes"] < summary["program"]["instructions"]


def test_a_training_step_is_described():
    summary = report("model.py:train")["summary"]
    assert summary["outputs"][1] == {"name": "step", "operation": "NoOp"}
    result = sessile("inspect", "model.py:train")
    assert "operation NoOp" in result.stdout


def test_operations_tell_inputs_and_lines():
    operations = {each["name"]: each for each in report("model.py:build", "--operations")["operations"]}
    assert operations["hidden/MatMul"]["inputs"] == ["x", "hidden/weights/read"]
    assert operations["hidden/MatMul"]["outputs"] == ["float32[?,3]"]
    assert operations["hidden/MatMul"]["line"].startswith("model.py:")


@pytest.mark.parametrize("name", ["lowered", "simplify", "fuse"])
def test_the_program_is_shown_after_any_pass(name):
    result = sessile("inspect", "model.py:build", "--after", name)
    program = parse(result.stdout)
    assert any(i.name == "fused" for i in program.instructions) == (name == "fuse")


def test_sizes_can_be_chosen():
    memory = report("model.py:build", "--memory", "--size", "?=5")["memory"]
    assert memory["sizes"] == {"n0": 5}
    homes = {each["home"] for each in memory["values"]}
    assert {"input x:0", "variable hidden/weights"} <= homes
    named = report("model.py:build", "--memory", "--feed", "x:float32[rows,4]", "--size", "rows=7")["memory"]
    assert named["sizes"] == {"n0": 7}


def test_cost_and_times_of_steps():
    steps = report("model.py:build", "--profile", "3", "--size", "?=5")["cost"]
    product = next(step for step in steps if "hidden/MatMul" in step["operations"])
    assert product["bytes_read"] >= 4 * (5 * 4 + 4 * 3) and product["bytes_written"] == 4 * 5 * 3
    assert all(step["milliseconds"] > 0 for step in steps)
    assert all(step["work"] > 0 for step in steps)
    assert "milliseconds" not in report("model.py:build", "--cost")["cost"][0]


def test_kernels_in_each_language():
    python = sessile("inspect", "model.py:build", "--kernels", "python").stdout
    assert "def kernel_" in python
    assert "define " in sessile("inspect", "model.py:build", "--fetch", "digit", "--kernels", "llvm").stdout


def test_tables_name_kernels_and_homes():
    result = sessile("inspect", "model.py:build", "--memory", "--cost", "--operations")
    assert result.exit_code == 0
    assert "variable hidden/weights" in result.stdout
    assert "hidden/MatMul" in result.stdout
    assert "kernel_" in result.stdout


def test_bundles_are_inspected(bundle: str):
    summary = report(bundle)["summary"]
    assert [each["name"] for each in summary["inputs"]] == ["x"]
    assert [each["name"] for each in summary["outputs"]] == ["probabilities", "digit"]
    assert summary["variables"]["count"] == 0 and summary["memory"]["constants"] > 0
    assert report(bundle, "--profile", "2")["cost"][0]["milliseconds"] > 0
    assert parse(sessile("inspect", bundle, "--after", "update-in-place").stdout).results
    early = sessile("inspect", bundle, "--after", "fuse")
    assert early.exit_code == 1 and "holds the program after all passes alone" in early.stderr


def test_everything_is_there_as_json():
    everything = report("model.py:build", "--after", "fuse", "--kernels", "python", "--html", "page.html", "--cost")
    assert set(everything) == {"program", "kernels", "cost", "html"}
    assert parse(everything["program"]).results
    assert {name for step in everything["cost"] for name in step["kernels"]} == everything["kernels"].keys()
    assert everything["html"] == "page.html" and Path("page.html").is_file()
