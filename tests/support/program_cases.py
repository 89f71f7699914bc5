"""A program with inputs, and how to run and compare it: shared by all tests that compare two ways of computing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from sessile.ir.interpreter import interpret
from sessile.ir.program import Location, Program
from sessile.ir.random_streams import draw, initial_state

HERE = (Location("test"),)


@dataclass(frozen=True)
class ProgramCase:
    """A program, the values of its parameters and variables, and the numbers that its size symbols have for them."""

    program: Program
    parameters: dict[str, np.ndarray] = field(default_factory=dict)
    variables: dict[str, np.ndarray] = field(default_factory=dict)
    bindings: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Outcome:
    """What a run gives: the program's results, and the variables afterwards."""

    results: list[np.ndarray]
    variables: dict[str, np.ndarray]


class CaseContext:
    """The run context of a case (see `sessile.ir.interpreter.RunContext`); its inputs cannot be written to."""

    def __init__(self, case: ProgramCase) -> None:
        self.bindings = dict(case.bindings)
        self.parameters = {name: _frozen(value) for name, value in case.parameters.items()}
        self.variables = {name: _frozen(value) for name, value in case.variables.items()}
        self.written: dict[str, np.ndarray] = {}
        self._streams: dict[str, Any] = {}

    def parameter(self, name: str) -> np.ndarray:
        return self.parameters[name]

    def read_variable(self, name: str) -> np.ndarray:
        return self.variables[name]

    def write_variable(self, name: str, value: np.ndarray) -> None:
        self.written[name] = value

    def variable_is_initialized(self, name: str) -> bool:
        return name in self.variables

    def bind(self, name: str, size: int) -> None:
        self.bindings[name] = size

    def draw(
        self,
        kind: str,
        stream: str,
        seed: int,
        seed2: int,
        shape: tuple[int, ...],
        dtype: np.dtype,
        operands: Sequence[np.ndarray],
    ) -> np.ndarray:
        state = self._streams.get(stream)
        if state is None:
            state = initial_state(seed, seed2)
        samples, self._streams[stream] = draw(kind, state, shape, dtype, *operands)
        return samples


def interpreted(case: ProgramCase, program: Program | None = None) -> Outcome:
    """The outcome of the case by the reference interpreter; of another program on its inputs if one is given."""
    context = CaseContext(case)
    results = interpret(program or case.program, context)
    return Outcome([np.array(result) for result in results], {**context.variables, **context.written})


def assert_same_outcome(expected: Outcome, actual: Outcome) -> None:
    """Fails unless results and variables have the same types and bits; all NaNs count as one."""
    assert len(expected.results) == len(actual.results)
    assert expected.variables.keys() == actual.variables.keys()
    for left, right in zip(expected.results, actual.results, strict=True):
        assert_same_array(left, right)
    for name, value in expected.variables.items():
        assert_same_array(value, actual.variables[name])


def assert_same_array(expected: np.ndarray, actual: np.ndarray) -> None:
    """Fails unless two arrays have the same type and bits; all NaNs count as one, 0.0 and -0.0 as two."""
    expected, actual = np.asarray(expected), np.asarray(actual)
    assert actual.dtype == expected.dtype
    assert actual.shape == expected.shape
    np.testing.assert_array_equal(actual, expected)
    if expected.dtype.kind == "f":
        numbers = ~np.isnan(expected)
        np.testing.assert_array_equal(np.signbit(actual[numbers]), np.signbit(expected[numbers]))
    elif expected.dtype.kind == "c":
        assert_same_array(expected.real, actual.real)
        assert_same_array(expected.imag, actual.imag)


def _frozen(value: np.ndarray) -> np.ndarray:
    array = np.array(value)
    array.setflags(write=False)
    return array
