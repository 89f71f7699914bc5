"""Small programs about graphs give what they give with TensorFlow; messages may say more at their end."""

import json
from pathlib import Path

import pytest
from support.graph_programs import PROGRAMS, run

import sessile as tf

RECORDED = json.loads((Path(__file__).parents[1] / "data" / "graph_programs.json").read_text(encoding="utf-8"))


def is_as_recorded(value, recorded):
    if isinstance(recorded, list) and recorded[:1] == ["error"]:
        return value[:2] == recorded[:2] and value[2].startswith(recorded[2].rstrip("."))
    if isinstance(recorded, list):
        return len(value) == len(recorded) and all(map(is_as_recorded, value, recorded))
    if isinstance(recorded, dict):
        return list(value) == list(recorded) and all(is_as_recorded(value[key], recorded[key]) for key in recorded)
    return value == recorded


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_sees_what_it_sees_with_tensorflow(name):
    value = json.loads(json.dumps(run(tf, name)))
    assert is_as_recorded(value, RECORDED[name]), f"{value}\n\nwith TensorFlow:\n{RECORDED[name]}"
