"""The command line as a whole: help, versions, exit codes, and real processes."""

from __future__ import annotations

import importlib
import importlib.metadata
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from support.command_line import sessile

from sessile.runtime.command_line.main import COMMANDS, command_line


def commands() -> list[tuple[str, ...]]:
    found = [(name,) for name in COMMANDS]
    for (name,) in list(found):
        command = command_line.get_command(click.Context(command_line), name)
        found += [(name, other) for other in getattr(command, "commands", ())]
    return found


@pytest.mark.parametrize("path", commands(), ids=" ".join)
def test_each_command_explains_itself(path: tuple[str, ...]):
    result = sessile(*path, "--help")
    assert result.exit_code == 0
    assert "--traceback" in result.stdout or "Commands:" in result.stdout
    assert "Examples:\n    sessile " in result.stdout or "Commands:" in result.stdout


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_of_commands_says_what_each_says(name: str):
    module, summary = COMMANDS[name]
    command = importlib.import_module(f"sessile.runtime.command_line.{module}").command
    assert command.get_short_help_str(200) == summary


def test_help_lists_all_commands():
    listed = sessile("--help").stdout
    assert all(f"\n  {name} " in listed for name in COMMANDS)
    assert sessile().exit_code == 2


def test_the_version_is_that_of_the_distribution():
    assert sessile("--version").stdout == f"sessile {importlib.metadata.version('sessile')}\n"


def test_the_installation_is_reported():
    result = sessile("doctor")
    assert result.exit_code == 0 and result.stdout.startswith("sessile doctor\n")


def test_latencies_are_measured():
    result = sessile("bench", "model.py:build", "--size", "?=3", "--repeat", "20", "--warm-up", "1", "--json")
    report = json.loads(result.stdout)
    assert report["inputs"] == {"x": "float32[3, 4]"}
    assert report["runs"] == 20 and report["runs_per_second"] > 0
    latencies = report["latency_ms"]
    assert latencies["min"] <= latencies["p50"] <= latencies["p90"] <= latencies["p99"] <= latencies["max"]
    table = sessile("bench", "model.py:with_session", "--duration", "0").stdout
    assert "p99" in table and "runs per second" in table


def start(*arguments: str, **options: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-m", "sessile", *arguments]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options)  # type: ignore[call-overload,no-any-return]


def test_a_process_runs_a_model_and_ends_with_its_code():
    good = start("run", "model.py:two_inputs", "--feed", "a=[1]", "--feed", "b=[2]")
    assert good.communicate() == ("total: float32[1]\n  [4.]\n", "")
    assert good.returncode == 0
    bad = start("run", "model.py:two_inputs", "--feed", "a=1", "--feed", "b=[2]")
    assert bad.communicate() == ("", "Error: the value for 'a' has the shape [], the input takes [?]\n")
    assert bad.returncode == 1


INTERRUPTED = """
import os
import signal
import sys
import threading

import sessile as tf


def interrupt_the_compiler():
    while "numba" not in sys.modules:
        threading.Event().wait(0.01)
    os.kill(os.getpid(), signal.SIGINT)


def build():
    threading.Thread(target=interrupt_the_compiler, daemon=True).start()
    return tf.nn.softmax(tf.tanh(tf.placeholder(tf.float32, [None, 8], name="x")))
"""


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_an_interrupted_compilation_leaves_no_file(folder: Path):
    Path("slow.py").write_text(INTERRUPTED)
    process = start("compile", "slow.py:build", "-o", "slow.sessile")
    _, errors = process.communicate()
    assert process.returncode == 130
    assert errors.strip().splitlines()[-1] == "sessile: interrupted"
    assert "Traceback" not in errors
    assert not [path for path in folder.iterdir() if "sessile" in path.name]


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_a_reader_that_leaves_early_is_no_error():
    process = subprocess.run(
        f"{sys.executable} -m sessile inspect model.py:build --kernels python | head -1; exit ${{PIPESTATUS[0]}}",
        shell=True,
        executable="/bin/bash",
        capture_output=True,
        text=True,
        check=False,
    )
    assert "Traceback" not in process.stderr and "Error" not in process.stderr
    assert process.stdout.startswith("# kernel_")
    assert process.returncode in (0, 1, 128 + signal.SIGPIPE)
