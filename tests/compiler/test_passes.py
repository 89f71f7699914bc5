"""Golden files of passes: `passes/*.txt` hold programs before and after the passes that their first line names.

`# run: simplify, dead-code` is followed by cases: a program, `// expect`, and the program that comes out. Each case is
also interpreted before and after, on the same made-up inputs. `--update-golden` writes the programs that come out.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.golden import check_cases, read_cases
from support.program_cases import HERE, Outcome, ProgramCase, assert_same_outcome, interpreted

from sessile.compiler.pass_pipeline import run_passes, verifying
from sessile.ir.interpreter import LocatedFailure
from sessile.ir.parser import parse
from sessile.ir.printer import text
from sessile.ir.program import Program
from sessile.ir.size_substitution import solved_symbols
from sessile.ir.sizes import evaluate
from sessile.ir.types import TensorType
from sessile.ir.verifier import verify

FILES = sorted((Path(__file__).parent / "passes").glob("*.txt"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_passes_give_the_expected_programs(path: Path, update_golden: bool) -> None:
    header, _, body = path.read_text(encoding="utf-8").partition("\n")
    assert header.startswith("# run: "), f"{path.name} does not begin with '# run: '"
    cases = read_cases(body)
    actual = [_run(case.program, header.removeprefix("# run: ").split(", ")) for case in cases]
    check_cases(path, f"{header}\n", cases, actual, update_golden)


def _run(before: str, passes: list[str]) -> str:
    """The text of a program after passes, which must not change what it computes."""
    program = parse(before, location=HERE[0])
    verify(program)
    after = run_passes(program, passes, verifying)
    for case in made_up_cases(program):
        expected = _outcome(case)
        if expected is not None:
            assert_same_outcome(expected, interpreted(case, after))
    return text(after, "none")


def _outcome(case: ProgramCase) -> Outcome | None:
    """What the program gives; None if it fails, which a pass may spare it."""
    try:
        return interpreted(case)
    except LocatedFailure:
        return None


def made_up_cases(program: Program) -> Iterator[ProgramCase]:
    """Inputs of two sizes for a program's parameters and variables: small numbers and special values."""
    for size in (3, 4):
        random = np.random.default_rng(size)
        bindings = {name: size for name, source in program.symbols.items() if source.kind in ("parameter", "variable")}
        for name, solved in solved_symbols(program.symbols, program.guards).items():
            bindings[name] = evaluate(solved, bindings)
        case = ProgramCase(program, {}, {}, bindings)
        for instruction in program.instructions:
            inputs = {"parameter": case.parameters, "read_variable": case.variables}.get(instruction.name)
            if inputs is not None:
                inputs[instruction.attributes["name"]] = _made_up(instruction.result.type, bindings, random)
        yield case


def _made_up(type: TensorType, bindings: dict[str, int], random: np.random.Generator) -> np.ndarray:
    numbers = random.integers(0 if type.dtype.startswith("u") else -3, 4, type.bound(bindings))
    kind = type.numpy_dtype.kind
    if kind == "c":
        return (numbers - 2j * numbers).astype(type.numpy_dtype)
    if kind != "f":
        return (numbers > 0 if kind == "b" else numbers).astype(type.numpy_dtype)
    special = random.choice(np.array([0.0, -0.0, np.nan, np.inf, -np.inf]), numbers.shape)
    return np.where(random.random(numbers.shape) < 0.3, special, numbers).astype(type.numpy_dtype)
