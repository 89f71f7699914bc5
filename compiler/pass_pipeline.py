"""The passes of the compiler, their order, and the driver that runs them.

A pass is a function Program -> Program in a file of its own in `compiler/passes/`, which is named after it and imported
when it first runs. Passes share nothing but their argument; verifying, printing and timing are an observer's work.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import NamedTuple

from sessile.compiler import passes
from sessile.ir.printer import text
from sessile.ir.program import Program
from sessile.ir.verifier import verify

Pass = Callable[[Program], Program]
PASSES: dict[str, Pass] = {}

PIPELINE = (
    "unify-sizes",  # first: equal shapes are equal text for all that follow
    "fold-constants",
    "simplify",
    "fold-constants",  # again: simplified operands may have become constants
    "common-subexpressions",
    "dead-code",
)


def program_pass(name: str) -> Callable[[Pass], Pass]:
    """Decorator: registers a pass under `name`; the pass `dead-code` lives in the module `passes.dead_code`."""

    def register(function: Pass) -> Pass:
        if name in PASSES:
            raise ValueError(f"pass {name!r} is defined twice")
        PASSES[name] = function
        return function

    return register


def find_pass(name: str) -> Pass:
    """The pass called `name`. Raises ValueError when there is none."""
    if name not in PASSES:
        module = name.replace("-", "_")
        if module not in _pass_modules():
            known = ", ".join(module.replace("_", "-") for module in _pass_modules())
            raise ValueError(f"no pass is called {name!r}; there are {known}")
        import_module(f"{passes.__name__}.{module}")
    return PASSES[name]


@cache
def _pass_modules() -> tuple[str, ...]:
    return tuple(sorted(module.name for module in iter_modules(passes.__path__)))


class PassRecord(NamedTuple):
    """What an observer learns after a pass: its place in the pipeline, the programs around it, and its time."""

    position: int
    name: str
    before: Program
    after: Program
    seconds: float


Observer = Callable[[PassRecord], None]


def run_passes(program: Program, names: Iterable[str] = PIPELINE, observer: Observer | None = None) -> Program:
    """The program after the named passes, in order; `observer` is called after each.

    Raises ValueError for a name that no pass has. What a pass or the observer raises carries a note with its name.
    """
    for position, name in enumerate(names, start=1):
        run = find_pass(name)
        try:
            started = time.perf_counter()
            after = run(program)
            seconds = time.perf_counter() - started
            if observer is not None:
                observer(PassRecord(position, name, program, after, seconds))
        except Exception as error:
            error.add_note(f"in pass {name!r} (number {position}) over program {program.name!r}")
            raise
        program = after
    return program


def verifying(record: PassRecord) -> None:
    """An observer that verifies what each pass gives. Raises VerificationError."""
    verify(record.after)


def dumping(directory: Path) -> Observer:
    """An observer that writes the program after each pass to `directory`: `01-unify-sizes.txt` and so on."""

    def dump(record: PassRecord) -> None:
        (directory / f"{record.position:02}-{record.name}.txt").write_text(text(record.after), encoding="utf-8")

    return dump


def timing(seconds: dict[str, float]) -> Observer:
    """An observer that adds the time of each pass to `seconds`, by name."""

    def add(record: PassRecord) -> None:
        seconds[record.name] = seconds.get(record.name, 0.0) + record.seconds

    return add


def all_of(*observers: Observer) -> Observer:
    """An observer that calls others in order."""

    def call_each(record: PassRecord) -> None:
        for observer in observers:
            observer(record)

    return call_each
