"""The driver of passes: names, order, observers, errors."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from support.program_cases import HERE

from sessile.compiler.pass_pipeline import (
    PASSES,
    PIPELINE,
    PassRecord,
    all_of,
    dumping,
    find_pass,
    program_pass,
    run_passes,
    timing,
    verifying,
)
from sessile.ir.builder import ProgramBuilder
from sessile.ir.parser import parse
from sessile.ir.printer import text
from sessile.ir.program import Program
from sessile.ir.verifier import VerificationError

SOURCE = """program @f {
  %0 = parameter "x"  : f32[2]  # a
  %1 = constant 2.0   : f32[]   # a
  %2 = map mul %1, %1 : f32[]   # a
  %3 = map mul %2, %0 : f32[2]  # a
  return %3
}
"""


def test_passes_run_alone_on_text() -> None:
    assert "%4 = constant 4.0" in text(run_passes(parse(SOURCE), ["fold-constants"]))


def test_the_pipeline_runs_in_order_and_reports() -> None:
    records: list[PassRecord] = []
    seconds: dict[str, float] = {}
    program = parse(SOURCE)
    result = run_passes(program, observer=all_of(verifying, timing(seconds), records.append))
    assert [record.name for record in records] == list(PIPELINE)
    assert [record.position for record in records] == list(range(1, len(PIPELINE) + 1))
    assert records[0].before is program
    assert all(left.after is right.before for left, right in pairwise(records))
    assert records[-1].after is result
    assert set(seconds) == set(PIPELINE)


def test_no_passes_change_nothing() -> None:
    program = parse(SOURCE)
    assert run_passes(program, []) is program


def test_dumps_are_numbered_in_order(tmp_path: Path) -> None:
    result = run_passes(parse(SOURCE), ["fold-constants", "dead-code"], dumping(tmp_path))
    assert sorted(path.name for path in tmp_path.iterdir()) == ["01-fold-constants.txt", "02-dead-code.txt"]
    assert (tmp_path / "02-dead-code.txt").read_text() == text(result)


def test_an_unknown_pass_is_named_with_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"no pass is called 'simplfy'; there are .*, simplify, unify-sizes"):
        run_passes(parse(SOURCE), ["simplfy"])


def test_every_pass_has_a_module_and_a_sentence() -> None:
    for name in PIPELINE:
        assert find_pass(name).__module__ == f"sessile.compiler.passes.{name.replace('-', '_')}"
        assert (find_pass(name).__doc__ or "").strip().endswith(".")


def test_errors_name_the_pass(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(program: Program) -> Program:
        raise RuntimeError("oh")

    def careless(program: Program) -> Program:
        return program.with_instructions(program.instructions[1:])

    monkeypatch.setitem(PASSES, "broken", broken)
    monkeypatch.setitem(PASSES, "careless", careless)
    with pytest.raises(RuntimeError, match="oh") as failed:
        run_passes(parse(SOURCE), ["dead-code", "broken"], verifying)
    assert failed.value.__notes__ == ["in pass 'broken' (number 2) over program 'f'"]
    with pytest.raises(VerificationError, match="%0 is defined nowhere") as invalid:
        run_passes(parse(SOURCE), ["careless"], verifying)
    assert invalid.value.__notes__ == ["in pass 'careless' (number 1) over program 'f'"]


def test_a_name_belongs_to_one_pass() -> None:
    find_pass("dead-code")
    with pytest.raises(ValueError, match="'dead-code' is defined twice"):
        program_pass("dead-code")(lambda program: program)


def test_large_constants_that_repeat_an_element_become_broadcasts() -> None:
    builder = ProgramBuilder("zeros")
    builder.locations = HERE
    zeros, ramp = builder.constant(np.zeros((100, 8), np.float32)), builder.constant(np.arange(800.0))
    result = run_passes(builder.finish([zeros, ramp]), ["simplify"], verifying)
    assert [instruction.name for instruction in result.instructions] == ["constant", "broadcast", "constant"]


def test_large_results_are_not_folded() -> None:
    builder = ProgramBuilder("large")
    builder.locations = HERE
    column = builder.constant(np.arange(1000.0))
    table = builder.emit("contract", column, column, contracting=((), ()), batch=((), ()))
    total = builder.reduce("add", column, [0])
    result = run_passes(builder.finish([table, total]), ["fold-constants"], verifying)
    assert [instruction.name for instruction in result.instructions] == ["constant", "contract", "constant"]
