"""`sessile opt`: passes on the text of programs."""

from __future__ import annotations

from pathlib import Path

import pytest
from support.command_line import sessile

from sessile.compiler.compile_program import NATIVE_PIPELINE
from sessile.compiler.pass_pipeline import run_passes
from sessile.ir.parser import parse
from sessile.ir.printer import canonical_text, text

PROGRAM = """
# the sum of squares of what is positive
program @loss {
  size n0 = parameter "x" axis 0
  size n1 = parameter "unused" axis 0
  %0 = parameter "x" : f32[n0, 8]
  %1 = parameter "unused" : f32[n1]
  %2 = constant 0.0 : f32[]
  %3 = map max %0, %2 : f32[n0, 8]
  %4 = map mul %3, %3 : f32[n0, 8]
  %5 = reduce add %4 {axes: [1]} : f32[n0]
  return %5
}
"""


@pytest.fixture(autouse=True)
def program_file(folder: Path) -> Path:
    path = folder / "program.ir"
    path.write_text(PROGRAM)
    return path


def test_passes_run_in_the_order_given():
    result = sessile("opt", "program.ir", "-p", "prune,fuse", "--print-after-all")
    assert result.exit_code == 0
    first, second = result.stdout.split("# 2. after fuse\n")
    assert first.startswith("# 1. after prune\n")
    assert "unused" not in first and "map max" in first
    assert text(parse(second)) == text(run_passes(parse(PROGRAM), ["prune", "fuse"]))


def test_a_pass_that_changes_nothing_says_so():
    result = sessile("opt", "program.ir", "-p", "fuse,fuse", "--print-after-all")
    assert "# 2. after fuse: no change\n" in result.stdout
    assert result.stdout.count("program @loss") == 1


def test_without_passes_the_whole_pipeline_runs_and_times_are_told():
    result = sessile("opt", "program.ir", "--timings")
    assert parse(result.stdout) is not None
    assert [line.split()[0] for line in result.stderr.splitlines()] == list(NATIVE_PIPELINE)


def test_standard_input_and_output_files():
    assert sessile("opt", "-", "-p", "dead-code", "-o", "out.ir", input=PROGRAM).exit_code == 0
    assert text(parse(Path("out.ir").read_text())) == text(run_passes(parse(PROGRAM), ["dead-code"]))


def test_the_canonical_form_is_that_of_keys():
    result = sessile("opt", "program.ir", "-p", "prune", "--canonical")
    assert result.stdout == canonical_text(run_passes(parse(PROGRAM), ["prune"]))


def test_large_constants_travel_beside_the_text(folder: Path):
    (folder / "constant.py").write_text(
        "import numpy as np\nimport sessile as tf\n\n\ndef build():\n"
        "    return tf.negative(tf.placeholder(tf.float32, [100], 'x') * np.arange(100, dtype=np.float32), name='y')\n"
    )
    assert sessile("inspect", "constant.py:build", "--after", "lowered", "-o", "large.ir").exit_code == 0
    assert Path("large.ir.npz").is_file()
    assert sessile("opt", "large.ir", "-p", "fuse").exit_code == 0
    Path("large.ir.npz").unlink()
    missing = sessile("opt", "large.ir", "-p", "fuse")
    assert missing.exit_code == 1
    assert "large.ir.npz" in missing.stderr and "no large constant has the hash" in missing.stderr


def test_a_syntax_error_names_line_and_column(program_file: Path):
    program_file.write_text(PROGRAM.replace("map mul %3, %3", "map mul %3, %33"))
    result = sessile("opt", "program.ir")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "Error: program.ir:10:20: %33 is not defined here"
    assert lines[1][lines[2].index("^") :].startswith("%33")


def test_a_rule_that_is_broken_stands_under_its_line(program_file: Path):
    program_file.write_text(PROGRAM.replace("f32[n0]\n  return", "f32[n0, 2]\n  return"))
    result = sessile("opt", "program.ir")
    assert result.exit_code == 1
    lines = result.stderr.splitlines()
    assert lines[0] == "Error: program.ir: this program breaks the rules"
    faulty = next(row for row, line in enumerate(lines) if "%5 = reduce" in line)
    assert lines[faulty + 1].strip() == "^ error: reduce gives f32[n0]"


def test_unknown_passes_are_listed():
    result = sessile("opt", "program.ir", "-p", "fuze")
    assert result.exit_code == 2
    assert "no pass is called 'fuze'. Did you mean 'fuse'? There are arrange-contractions, " in result.stderr
    assert sessile("inspect", "model.py:build", "--after", "fuze").exit_code == 2
