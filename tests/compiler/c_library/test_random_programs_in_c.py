"""Whole programs in C give the same bits as in a session: random ones, with many sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from support.c_libraries import LibraryContext, LoadedLibrary, library_of, needs_compiler
from support.execution import CompiledProgram
from support.other_sizes import with_other_sizes
from support.program_cases import ProgramCase
from support.random_programs import program_cases

from sessile.compiler.compile_program import NATIVE_PIPELINE
from sessile.graph.errors import UnimplementedError
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Instruction, Program

SETTINGS = settings(
    max_examples=25,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.function_scoped_fixture, HealthCheck.filter_too_much],
)


def without_variables(case: ProgramCase) -> Program:
    """The program with variables as constants, and nothing written to them."""
    kept = [i for i in case.program.instructions if i.name != "write_variable"]
    return case.program.with_instructions(tuple(frozen(i, case) if i.name == "read_variable" else i for i in kept))


def frozen(read: Instruction, case: ProgramCase) -> Instruction:
    value = case.variables[read.attributes["name"]]
    return Instruction(PRIMITIVES["constant"], (), {"value": value}, read.results, read.locations)


@needs_compiler
@SETTINGS
@given(case=program_cases(max_steps=12), data=st.data())
def test_random_programs_of_many_sizes(tmp_path_factory: Any, case: ProgramCase, data: Any) -> None:
    program = without_variables(case)
    try:
        library = library_of(program)
    except UnimplementedError:
        assume(False)
    loaded = LoadedLibrary(library, tmp_path_factory.mktemp("library"))
    compiled = CompiledProgram(program, NATIVE_PIPELINE)
    case = ProgramCase(program, case.parameters, {}, case.bindings)
    with loaded.context() as context:
        for other in (case, with_other_sizes(case, data), with_other_sizes(case, data), case):
            if other is not None:
                assert_same_bits(context, compiled, other.parameters)


def assert_same_bits(context: LibraryContext, compiled: CompiledProgram, feeds: dict[str, np.ndarray]) -> None:
    assert context.set_sizes(context.loaded.sizes_of(feeds)) == 0, context.message
    status, actual = context.run(context.loaded.inputs(feeds))
    assert status == 0, context.message
    expected, _ = compiled.outcome(feeds)
    for one, other in zip(actual, expected, strict=True):
        assert one.dtype == other.dtype
        assert one.shape == other.shape
        assert one.tobytes() == other.tobytes()
