"""The verifier: what it accepts, and its messages, which `verifier/*.txt` hold whole."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from support.golden import check_cases, read_cases
from support.program_cases import HERE, ProgramCase
from support.random_programs import program_cases

from sessile.ir.builder import ProgramBuilder
from sessile.ir.parser import parse
from sessile.ir.program import Location, Program
from sessile.ir.types import TensorType
from sessile.ir.verifier import VerificationError, verify

FILES = sorted((Path(__file__).parent / "verifier").glob("*.txt"))


def report_of(program: Program, require_locations: bool = True) -> str:
    try:
        verify(program, require_locations)
    except VerificationError as error:
        return str(error)
    return "no errors"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_messages_stand_under_the_faulty_line(path: Path, update_golden: bool) -> None:
    cases = read_cases(path.read_text(encoding="utf-8"))
    reports = [report_of(parse(case.program), require_locations=False) for case in cases]
    check_cases(path, "", cases, reports, update_golden)


@settings(max_examples=50, suppress_health_check=[HealthCheck.too_slow])
@given(case=program_cases())
def test_what_the_builder_builds_is_valid(case: ProgramCase) -> None:
    verify(case.program)


def small_program() -> Program:
    builder = ProgramBuilder("small")
    builder.locations = HERE
    x = builder.emit("parameter", name="x", dtype="f32", shape=(2,))
    return builder.finish([builder.exp(builder.neg(x))])


def test_operands_are_defined_before_they_are_used() -> None:
    program = small_program()
    first, second, third = program.instructions
    assert report_of(program.with_instructions((first, third, second))) == (
        "program @small {\n"
        '  %0 = parameter "x" : f32[2]  # test\n'
        "  %2 = map exp %1    : f32[2]  # test\n"
        "  ^ error: %1 is defined later, or in another region\n"
        "  %1 = map neg %0    : f32[2]  # test\n"
        "  return %2\n"
        "}\n"
        "1 error"
    )


def test_results_are_defined() -> None:
    program = small_program()
    assert "  return %2\n  ^ error: %2 is defined nowhere\n" in report_of(
        program.with_instructions(program.instructions[:2])
    )


def test_ids_are_unique() -> None:
    program = small_program()
    repeated = program.with_instructions((*program.instructions, program.instructions[1]))
    assert "%1 is defined twice" in report_of(repeated)


def test_regions_see_only_what_is_theirs() -> None:
    builder = ProgramBuilder("closed")
    builder.locations = HERE
    x = builder.emit("parameter", name="x", dtype="f32", shape=())
    with builder.region([TensorType("f32")]) as body:
        body.results = [builder.neg(x)]
    condition = builder.map("lt", x, 0.0)
    (result,) = builder.emit_structured("cond", (condition, x), (body.region, body.region))
    report = report_of(builder.finish([result]))
    assert "%0 is defined later, or in another region" in report
    assert "%2 is defined twice" in report  # the region is used twice


def test_every_instruction_has_a_location() -> None:
    builder = ProgramBuilder("nowhere")
    builder.constant(1.0)
    builder.locations = (Location("somewhere"),)
    program = builder.finish([builder.constant(2.0)])
    assert report_of(program).count("no instruction without a location") == 1
    verify(program, require_locations=False)
