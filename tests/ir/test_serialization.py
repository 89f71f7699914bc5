"""Programs taken apart and put together again."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from support.program_cases import ProgramCase, assert_same_outcome, interpreted
from support.random_programs import program_cases

from sessile.ir.builder import ProgramBuilder
from sessile.ir.printer import canonical_text, text
from sessile.ir.program import Location, Program
from sessile.ir.serialization import NameTable, NotSerializable, UserNames, decode, encode
from sessile.ir.user_names import name_kind


def through_json(program: Program, user: UserNames | None = None) -> Program:
    """What comes back, for a user who has other names if `user` is given."""
    encoded, arrays = encode(program, NameTable(UserNames.of(program)))
    return decode(json.loads(json.dumps(encoded)), arrays, NameTable(user or UserNames.of(program)))


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(case=program_cases(max_steps=20))
def test_programs_come_back(case: ProgramCase) -> None:
    back = through_json(case.program)
    assert canonical_text(back) == canonical_text(case.program)
    assert text(back, "none").split("\n")[1:] == text(case.program, "none").split("\n")[1:]
    assert_same_outcome(interpreted(case), interpreted(case, back))


def build(x: str, v: str, add: str, mul: str) -> Program:
    builder = ProgramBuilder("p")
    builder.locations = (Location(x),)
    fed = builder.emit("parameter", name=x, dtype="f32", shape=())
    builder.locations = (Location(add),)
    total = builder.add(fed, builder.emit("read_variable", name=v, dtype="f32", shape=()))
    builder.locations = (Location(mul),)
    return builder.finish([builder.mul(total, total)])


def test_equal_programs_serve_each_other_under_their_own_names() -> None:
    mine, other = build("x", "v", "add", "mul"), build("fed", "weights", "both", "both")
    back = through_json(mine, UserNames.of(other))
    assert text(back, "full").split("\n")[1:] == text(other, "full").split("\n")[1:]


def test_numbers_without_a_decimal_form_come_back() -> None:
    builder = ProgramBuilder("p")
    values = np.array([np.nan, np.inf, -0.0, 1e-45], np.float32)
    program = builder.finish([builder.constant(values)])
    (constant,) = through_json(program).instructions
    assert constant.attributes["value"].tobytes() == values.tobytes()


def test_functions_from_elsewhere_are_refused() -> None:
    with pytest.raises(NotSerializable, match="this process alone"):
        through_json(calling(lambda: ()))


def test_functions_of_the_package_come_back_with_their_arguments() -> None:
    back = through_json(calling(functools.partial(name_kind, attribute="stream")))
    function = back.instructions[0].attributes["function"]
    assert (function.func, function.args, function.keywords) == (name_kind, (), {"attribute": "stream"})


def test_functions_with_other_arguments_are_other_programs() -> None:
    def canonical(attribute: str) -> str:
        return canonical_text(calling(functools.partial(name_kind, attribute=attribute)))

    assert canonical("stream") == canonical("stream") != canonical("name")


def calling(function: Callable[..., Any]) -> Program:
    builder = ProgramBuilder("p")
    builder.locations = (Location("call"),)
    builder.emit("call_host", function=function, types=(), unknown=())
    return builder.finish([])
