"""Random programs give the same before and after each pass, to the bit."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from support.program_cases import ProgramCase, assert_same_outcome, interpreted
from support.random_programs import program_cases

from sessile.compiler.pass_pipeline import PIPELINE, run_passes, verifying

SETTINGS = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@pytest.mark.parametrize("name", sorted(set(PIPELINE)))
@SETTINGS
@given(case=program_cases())
def test_a_pass_keeps_what_a_program_computes(name: str, case: ProgramCase) -> None:
    after = run_passes(case.program, [name], verifying)
    assert_same_outcome(interpreted(case), interpreted(case, after))


@SETTINGS
@given(case=program_cases(max_steps=20))
def test_the_pipeline_keeps_what_a_program_computes(case: ProgramCase) -> None:
    after = run_passes(case.program, PIPELINE, verifying)
    assert_same_outcome(interpreted(case), interpreted(case, after))


@pytest.mark.parametrize("name", sorted(set(PIPELINE)))
@SETTINGS
@given(case=program_cases())
def test_a_pass_leaves_nothing_for_itself_to_do(name: str, case: ProgramCase) -> None:
    once = run_passes(case.program, [name])
    assert run_passes(once, [name]) is once
