"""What bad input gets: one message that names it, and an exit code. Golden files hold the messages, whole."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from support.command_line import sessile

MESSAGES = Path(__file__).parent / "messages"
USAGE, FAILURE = 2, 1

CASES = {
    "unknown_command": (USAGE, ["rnu", "model.py:build"]),
    "no_such_file": (USAGE, ["run", "missing.pb"]),
    "no_such_module": (USAGE, ["run", "missing_module:build"]),
    "no_such_function": (USAGE, ["run", "model.py:biuld"]),
    "which_function": (USAGE, ["run", "model.py"]),
    "function_with_arguments": (USAGE, ["run", "model.py:needs_a_size"]),
    "function_that_fails": (FAILURE, ["run", "model.py:broken"]),
    "function_that_returns_a_number": (FAILURE, ["run", "model.py:returns_a_number"]),
    "nothing_to_fetch": (USAGE, ["run", "model.py:silent"]),
    "unknown_fetch": (USAGE, ["run", "model.py:build", "--fetch", "digits", "--feed", "x=x.npy"]),
    "unknown_feed": (USAGE, ["run", "model.py:build", "--feed", "y=x.npy"]),
    "unfed_placeholder": (USAGE, ["run", "model.py:two_inputs", "--feed", "b=[1]"]),
    "nothing_fed": (USAGE, ["run", "model.py:build"]),
    "no_such_value": (USAGE, ["run", "model.py:build", "--feed", "x=missing.npy"]),
    "no_such_key": (USAGE, ["run", "model.py:build", "--feed", "x=data.npz:xs"]),
    "no_value": (USAGE, ["run", "model.py:build", "--feed", "x=one"]),
    "unreadable_value": (FAILURE, ["run", "model.py:build", "--feed", "x=broken.npy"]),
    "wrong_shape": (FAILURE, ["run", "model.py:build", "--feed", "x=[[1,2,3]]"]),
    "wrong_kind": (FAILURE, ["run", "model.py:build", "--feed", "x=complex.npy"]),
    "wrong_feed_type": (USAGE, ["compile", "model.py:build", "--feed", "x:int32[?,4]"]),
    "wrong_feed_shape": (USAGE, ["compile", "model.py:build", "--feed", "x:float32[?,5]"]),
    "unknown_type": (USAGE, ["compile", "model.py:build", "--feed", "x:flota32[?,4]"]),
    "feed_not_understood": (USAGE, ["run", "model.py:build", "--feed", "x:float32[?,4"]),
    "value_to_compile": (USAGE, ["compile", "model.py:build", "--feed", "x=x.npy"]),
    "operation_to_compile": (USAGE, ["compile", "model.py:train"]),
    "assignment_to_compile": (FAILURE, ["compile", "assigning.py:build"]),
    "unknown_target": (USAGE, ["compile", "model.py:build", "--target", "x86-64-v9"]),
    "no_folder_for_output": (FAILURE, ["compile", "model.py:build", "-o", "missing/model.sessile"]),
    "library_name": (USAGE, ["compile", "model.py:build", "--emit", "c", "--name", "2nd"]),
    "damaged_graph_def": (FAILURE, ["run", "damaged.pb"]),
    "damaged_text_graph_def": (FAILURE, ["run", "damaged.pbtxt"]),
    "empty_graph_def": (FAILURE, ["run", "empty.pb"]),
    "unknown_size": (USAGE, ["bench", "model.py:build", "--size", "bach=3", "--feed", "x:float32[batch,4]"]),
    "shape_that_is_not_known": (USAGE, ["inspect", "scalar.py:build"]),
    "output_that_is_no_array_file": (USAGE, ["run", "model.py:build", "-o", "out.txt"]),
    "bundle_that_is_none": (FAILURE, ["run", "damaged.sessile"]),
    "empty_bundle": (FAILURE, ["run", "empty.sessile"]),
}


@pytest.fixture(autouse=True)
def bad_files(folder: Path) -> None:
    """Files that are not what their names say."""
    np.savez("data.npz", x=np.zeros(1), labels=np.zeros(1))
    np.save("complex.npy", np.zeros([1, 4], np.complex64))
    Path("broken.npy").write_bytes(b"\x93NUMPY no more")
    Path("damaged.pb").write_bytes(b"\xff" * 40)
    Path("damaged.pbtxt").write_text("node { name: }")
    Path("empty.pb").write_bytes(b"")
    Path("damaged.sessile").write_bytes(b"something else")
    Path("empty.sessile").write_bytes(b"")
    head = "import sessile as tf\n\n\ndef build():\n"
    Path("scalar.py").write_text(f"{head}    return tf.negative(tf.placeholder(tf.float32, None, 'a'), name='y')\n")
    Path("assigning.py").write_text(f"{head}    return tf.assign_add(tf.Variable(1.0, name='v'), 1.0, name='y')\n")


@pytest.mark.parametrize("name", CASES)
def test_bad_input_gets_one_message(name: str, folder: Path, update_golden: bool):
    code, arguments = CASES[name]
    result = sessile(*arguments)
    assert result.stdout == ""
    assert result.exit_code == code, result.stderr
    message = result.stderr.replace(f"{folder}{os.sep}", "")
    golden = MESSAGES / f"{name}.txt"
    if update_golden:
        golden.write_text(message, encoding="utf-8")
    assert message == golden.read_text(encoding="utf-8")


def test_no_golden_message_is_left_over():
    assert {path.stem for path in MESSAGES.glob("*.txt")} == set(CASES)


def test_a_traceback_is_shown_on_request():
    from click.testing import CliRunner

    from sessile.runtime.command_line.main import command_line

    for arguments in (["run", "model.py:broken", "--traceback"], ["--traceback", "run", "model.py:broken"]):
        result = CliRunner().invoke(command_line, arguments)
        assert result.exit_code == FAILURE
        assert "Traceback (most recent call last)" in result.stderr
        assert (
            result.stderr.rstrip().splitlines()[-1].startswith("Error: ") or "Error: model.py:broken" in result.stderr
        )
