"""rewrite(): what a rule sees, what becomes of its results, locations, and sizes from data."""

from __future__ import annotations

import pytest

from sessile.ir.parser import parse
from sessile.ir.primitive import ProgramError
from sessile.ir.printer import text
from sessile.ir.program import Instruction, Location, Program, Value
from sessile.ir.rewrite import Rewriter, rewrite, substitute, users
from sessile.ir.size_substitution import solved_symbols
from sessile.ir.sizes import symbol
from sessile.ir.verifier import verify

PROGRAM = """program @f {
  %0 = parameter "x"  : f32[2]  # m.py:1
  %1 = map neg %0     : f32[2]  # m.py:2
  %2 = map neg %1     : f32[2]  # m.py:3
  %3 = map add %2, %1 : f32[2]  # m.py:4
  return %3
}
"""


def after(source: str, rule: object) -> str:
    program = rewrite(parse(source), rule)  # type: ignore[arg-type]
    verify(program)
    return text(program)


def test_a_rule_that_keeps_all_keeps_the_program() -> None:
    program = parse(PROGRAM)
    assert rewrite(program, lambda instruction, rewriter: None) is program


def test_results_are_replaced_and_new_instructions_located() -> None:
    def negation_as_difference(instruction: Instruction, rewriter: Rewriter) -> Value | None:
        if instruction.attributes.get("function") != "neg":
            return None
        zero = rewriter.constant(-0.0, "f32")
        return rewriter.emit("map", zero, instruction.operands[0], function="sub")

    assert after(PROGRAM, negation_as_difference) == (
        "program @f {\n"
        '  %0 = parameter "x"  : f32[2]  # m.py:1\n'
        "  %4 = constant -0.0  : f32[]   # m.py:2\n"
        "  %5 = map sub %4, %0 : f32[2]  # m.py:2\n"
        "  %6 = constant -0.0  : f32[]   # m.py:3\n"
        "  %7 = map sub %6, %5 : f32[2]  # m.py:3\n"
        "  %3 = map add %7, %5 : f32[2]  # m.py:4\n"
        "  return %3\n"
        "}\n"
    )


def test_what_a_rule_matched_lends_its_location() -> None:
    def fold_negation(instruction: Instruction, rewriter: Rewriter) -> Value | None:
        if instruction.attributes.get("function") != "add":
            return None
        negated = rewriter.match(instruction.operands[0], "map", "neg")
        assert negated is not None
        assert rewriter.match(instruction.operands[1], "map", "exp") is None
        return rewriter.emit("map", instruction.operands[1], negated.operands[0], function="sub")

    assert "%4 = map sub %1, %1 : f32[2]  # m.py:4; m.py:3\n" in after(PROGRAM, fold_negation)


def test_the_rule_sees_what_it_emits() -> None:
    def halve(instruction: Instruction, rewriter: Rewriter) -> Value | None:
        axes = instruction.attributes.get("axes", ())
        if len(axes) < 2:
            return None
        inner = rewriter.emit("reduce", instruction.operands[0], function="max", axes=axes[1:])
        return rewriter.emit("reduce", inner, function="max", axes=axes[:1])

    lines = [
        "program @f {",
        '%0 = parameter "x" : f32[2, 3, 4]  # a',
        "%1 = reduce max %0 {axes: [0, 1, 2]} : f32[]  # a",
        "return %1",
        "}",
    ]
    rewritten = after("\n".join(lines), halve).splitlines()
    assert [line.split("=")[1].split(" :")[0].strip() for line in rewritten[2:5]] == [
        "reduce max %0 {axes: [2]}",
        "reduce max %3 {axes: [1]}",
        "reduce max %4 {axes: [0]}",
    ]


def test_a_replacement_keeps_the_type() -> None:
    def wrong(instruction: Instruction, rewriter: Rewriter) -> Value | None:
        if instruction.name != "map":
            return None
        return rewriter.constant(1.0, "f32")

    with pytest.raises(ProgramError, match=r"of type f32\[\] cannot replace %1 of type f32\[2\]"):
        rewrite(parse(PROGRAM), wrong)


REGIONS = """program @f {
  size s0 = value %2 element 0
  %0 = parameter "p" : bool[]  # a
  %1 = parameter "k" : i32[]   # a
  %2 = map abs %1    : i32[]   # a
  bind_sizes %2 {names: ["s0"]}  # a
  %3 = cond %0, %2   : i32[]   # a
    (%4 : i32[]) {
      %5 = map abs %4 : i32[]  # b
      %6 = map abs %5 : i32[]  # c
      yield %6
    }
    (%7 : i32[]) {
      yield %7
    }
  return %3
}
"""


def test_regions_are_rewritten_and_sources_follow() -> None:
    def without_abs(instruction: Instruction, rewriter: Rewriter) -> Value | None:
        return instruction.operands[0] if instruction.attributes.get("function") == "abs" else None

    assert after(REGIONS, without_abs) == (
        "program @f {\n"
        "  size s0 = value %1 element 0\n"
        '  %0 = parameter "p"            : bool[]  # a\n'
        '  %1 = parameter "k"            : i32[]   # a\n'
        '  bind_sizes %1 {names: ["s0"]}           # a\n'
        "  %3 = cond %0, %1              : i32[]   # a\n"
        "    (%4 : i32[]) {\n"
        "      yield %4\n"
        "    }\n"
        "    (%7 : i32[]) {\n"
        "      yield %7\n"
        "    }\n"
        "  return %3\n"
        "}\n"
    )


def test_a_region_can_be_inlined() -> None:
    def first_branch(instruction: Instruction, rewriter: Rewriter) -> tuple[Value, ...] | None:
        if instruction.name != "cond":
            return None
        return rewriter.inline(instruction.regions[0], instruction.operands[1:])

    lines = after(REGIONS, first_branch).splitlines()
    assert [line.split(":")[0].strip() for line in lines[6:9]] == ["%5 = map abs %2", "%6 = map abs %5", "return %6"]


def test_definitions_belong_to_their_block() -> None:
    seen = []

    def look(instruction: Instruction, rewriter: Rewriter) -> None:
        seen.append((rewriter.block_number, [rewriter.definition(operand) for operand in instruction.operands]))

    rewrite(parse(REGIONS), look)
    in_region = [definitions for block, definitions in seen if block > 1]
    assert in_region[0] == [None]  # a parameter of the region
    assert in_region[1][0] is not None


def test_substitute_and_users() -> None:
    program = parse(PROGRAM)
    x, first, second, total = (instruction.result for instruction in program.instructions)
    table = users(program.instructions)
    assert table[first] == list(program.instructions[2:])
    assert total not in table
    new = substitute(program, {second: x})
    assert new.instructions[3].operands == (x, first)
    assert new.instructions[2] is program.instructions[2]


@pytest.mark.parametrize(
    ("sizes", "guards", "expected"),
    [
        (["n0 parameter", "n1 parameter"], ["n0 == n1"], {"n1": "n0"}),
        (["n0 parameter", "n1 parameter"], ["n0 == 2*n1"], {"n0": "2*n1"}),
        (["n0 parameter", "n1 parameter"], ["2*n0 == 3*n1", "n0 >= 1"], {}),
        (["n0 parameter", "n1 parameter", "n2 parameter"], ["n1 == n2", "n0 == n1"], {"n1": "n0", "n2": "n0"}),
        (["s0 value", "n1 parameter"], ["n1 == s0"], {"s0": "n1"}),
        (["s0 value", "s1 value"], ["s0 == s1 + 1"], {"s1": "s0 - 1"}),
        (["n0 parameter"], ["n0 == 4", "n0*n0 == 16"], {"n0": "4"}),
        (["n0 parameter", "n1 parameter"], ["n1 == n0*n1"], {}),
    ],
)
def test_guards_determine_symbols(sizes: list[str], guards: list[str], expected: dict[str, str]) -> None:
    lines = []
    for each in sizes:
        name, kind = each.split()
        source = "%0 element 0" if kind == "value" else f'"{name}" axis 0'
        lines.append(f"size {name} = {kind} {source}")
    lines += [f"guard {guard}" for guard in guards]
    program: Program = parse("program @f {\n" + "\n".join([*lines, "return", "}"]))
    solved = solved_symbols(program.symbols, program.guards)
    assert {name: str(size) for name, size in solved.items()} == expected
    assert all(symbol(name) != size for name, size in solved.items())


def test_merged_locations_are_listed_once() -> None:
    def twice(instruction: Instruction, rewriter: Rewriter) -> Value | None:
        if instruction.attributes.get("function") != "add":
            return None
        for _ in range(2):
            rewriter.match(instruction.operands[0], "map", "neg")
        return rewriter.emit("map", *instruction.operands, function="sub")

    program = rewrite(parse(PROGRAM), twice)
    assert program.instructions[-1].locations == (Location("", "m.py", 4), Location("", "m.py", 3))
