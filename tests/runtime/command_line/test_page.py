"""The page of `sessile inspect --html`: it stands alone, and shows the whole model."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from support.command_line import sessile

from sessile.runtime.command_line.inspection.page import write_page

LAYOUT = [Path(write_page.__file__).with_name(name) for name in ("layout.js", "placement.js")]
NODE = shutil.which("node")


def page(*arguments: object) -> tuple[str, dict]:
    result = sessile("inspect", *arguments, "--html", "page.html")
    assert result.exit_code == 0, result.stderr
    text = Path("page.html").read_text(encoding="utf-8")
    found = re.search(r'id="data">(.*?)</script>', text, re.DOTALL)
    assert found is not None
    return text, json.loads(found[1])


def test_the_page_needs_nothing_from_outside():
    text, _ = page("model.py:build")
    text = text.replace("http://www.w3.org/2000/svg", "")  # the name of a language, never looked up
    assert not re.search(r"https?:|<link|<img|\bsrc=|@import|url\(|\bfetch\(|\bimport\(", text)
    assert "{{" not in text


def test_every_reference_leads_somewhere():
    _, data = page("model.py:train", "--profile", "2")
    numbers = range(len(data["operations"]))
    known = {f"s{k}" for k in range(len(data["steps"]))} | {source["id"] for source in data["sources"]}
    for operation in data["operations"]:
        assert set(operation["inputs"]) | set(operation["after"]) <= set(numbers)
        assert all(operation["name"] in names_of(data, step) for step in operation["steps"])
    for step in data["steps"]:
        assert set(step["operations"]) <= set(numbers)
        assert {each["from"] for each in step["inputs"]} <= known
        assert set(step["kernels"]) <= data["kernels"].keys()
        assert step["text"].startswith(("%", step["words"][0]))
        assert step["ms"] > 0
    assert {result["from"] for result in data["results"]} <= known
    assert [result["name"] for result in data["results"] if result["kind"] == "output"] == ["loss"]


def names_of(data: dict, step: int) -> list[str]:
    return [data["operations"][number]["name"] for number in data["steps"][step]["operations"]]


def test_fused_operations_share_a_kernel():
    _, data = page("model.py:build")
    steps = {operation["name"]: operation["steps"] for operation in data["operations"]}
    assert set(steps["hidden/Relu"]) & set(steps["probabilities"])
    assert steps["hidden/weights"] == []
    assert steps["x"] == []


def test_values_in_the_arena_do_not_live_in_one_slot_at_once():
    _, data = page("model.py:train")
    lives = data["memory"]["lives"]
    for a in lives:
        for b in lives:
            if a is not b and a["slot"] == b["slot"]:
                assert a["to"] < b["from"] or b["to"] < a["from"]


def test_names_cannot_leave_the_data():
    Path("evil.py").write_text(
        "import sessile as tf\n\n\ndef build():\n    x = tf.placeholder(tf.float32, [2], 'x')\n"
        "    return {'</script><script>alert(1)</script>': tf.negative(x)}\n"
    )
    text, data = page("evil.py:build")
    assert "alert(1)</script>" not in text
    assert data["results"][0]["name"] == "</script><script>alert(1)</script>"


def test_bundles_have_a_page():
    assert sessile("compile", "model.py:build", "-o", "model.sessile").exit_code == 0
    _, data = page("model.sessile", "--profile", "2")
    assert {each["kind"] for each in data["sources"]} == {"input", "constant"}
    assert "hidden/MatMul" in [operation["name"] for operation in data["operations"]]


@pytest.mark.skipif(NODE is None, reason="Node.js runs the page's scripts outside of a browser")
def test_the_layout_keeps_nodes_apart_and_edges_pointing_down():
    program = f"""
    {"".join(path.read_text(encoding="utf-8") for path in LAYOUT)}
    const nodes = Array.from({{length: 60}}, (_, k) => ({{w: 40 + (k * 37) % 90, h: 30}}));
    const edges = [];
    for (let k = 1; k < 60; k++) edges.push([Math.floor(k / 2), k], [Math.max(0, k - 5), k]);
    edges.push([59, 4], [4, 4]);  // a cycle and a loop
    console.log(JSON.stringify({{nodes, edges, placed: layered(nodes, edges)}}));
    """
    done = subprocess.run([str(NODE), "-e", program], capture_output=True, text=True, check=True)
    result = json.loads(done.stdout)
    boxes = [(p["x"], p["y"], n["w"], n["h"]) for p, n in zip(result["placed"]["nodes"], result["nodes"], strict=True)]
    for k, (x, y, w, h) in enumerate(boxes):
        assert x >= -0.01 and x + w <= result["placed"]["w"] + 0.01
        for other_x, other_y, other_w, other_h in boxes[k + 1 :]:
            is_apart = x + w <= other_x or other_x + other_w <= x or y + h <= other_y or other_y + other_h <= y
            assert is_apart
    downward = [boxes[a][1] < boxes[b][1] for a, b in result["edges"] if a != b]
    assert downward.count(False) == 1
