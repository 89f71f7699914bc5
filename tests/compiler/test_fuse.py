"""The pass `fuse` on random programs, and what it promises: costly work once, kernels of bounded size, kept locations.

`passes/fuse.txt` shows what it does to small programs.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from hypothesis import HealthCheck, given, settings
from support.program_cases import HERE, ProgramCase, assert_same_outcome, interpreted
from support.random_programs import program_cases

from sessile.compiler.fusion.classification import cost
from sessile.compiler.fusion.group import MOST_ARRAYS, MOST_STATEMENTS
from sessile.compiler.passes.fuse import explain_fusion, fuse
from sessile.ir.builder import ProgramBuilder
from sessile.ir.parser import parse
from sessile.ir.program import Instruction, Location, Program
from sessile.ir.scalar_functions import DIVISION
from sessile.ir.verifier import verify

SETTINGS = settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(case=program_cases(max_steps=20))
def test_a_fused_program_computes_the_same_to_the_bit(case: ProgramCase) -> None:
    fused = fuse(case.program)
    verify(fused)
    assert_same_outcome(interpreted(case), interpreted(case, fused))


@SETTINGS
@given(case=program_cases(max_steps=20))
def test_costly_work_is_never_repeated(case: ProgramCase) -> None:
    fused = fuse(case.program)
    before = Counter(i.results[0].type.dtype for i in case.program.all_instructions() if cost(i) >= DIVISION)
    after = Counter(i.results[0].type.dtype for i in fused.all_instructions() if cost(i) >= DIVISION)
    assert after == before


@SETTINGS
@given(case=program_cases(max_steps=20))
def test_effects_keep_their_order(case: ProgramCase) -> None:
    fused = fuse(case.program)
    effects = [i.name for i in fused.instructions if not i.primitive.pure]
    assert effects == [i.name for i in case.program.instructions if not i.primitive.pure]


def fused_instructions(program: Program) -> Iterator[Instruction]:
    return (instruction for instruction in program.instructions if instruction.name == "fused")


def test_long_chains_are_cut_into_kernels_of_bounded_size() -> None:
    builder = ProgramBuilder("long")
    builder.locations = HERE
    x = first = builder.emit("parameter", name="x", dtype="f32", shape=(4,))
    for number in range(300):
        x = builder.map(("add", "mul")[number % 2], x, first)
    fused = list(fused_instructions(fuse(builder.finish([x]))))
    sizes = [len(each.regions[0].instructions) for each in fused]
    assert sum(sizes) == 300
    assert max(sizes) == MOST_STATEMENTS


def test_a_kernel_reads_and_writes_a_bounded_number_of_arrays() -> None:
    builder = ProgramBuilder("wide")
    builder.locations = HERE
    arrays = [builder.emit("parameter", name=f"x{k}", dtype="f32", shape=(4,)) for k in range(60)]
    total = arrays[0]
    for array in arrays[1:]:
        total = builder.add(total, array)
    fused = list(fused_instructions(fuse(builder.finish([total]))))
    assert all(len(each.operands) + len(each.results) <= MOST_ARRAYS for each in fused)
    assert 2 < len(fused) < 6


def test_every_location_stays_inside_and_outside() -> None:
    builder = ProgramBuilder("located")
    places = [Location(f"op{k}", "model.py", k, "f") for k in range(3)]
    builder.locations = (places[0],)
    x = builder.emit("parameter", name="x", dtype="f32", shape=(4,))
    builder.locations = (places[1],)
    y = builder.exp(x)
    builder.locations = (places[2],)
    z = builder.neg(y)
    (fused,) = fused_instructions(fuse(builder.finish([z])))
    assert set(fused.locations) == {places[1], places[2]}
    assert [i.locations for i in fused.regions[0].instructions] == [(places[1],), (places[2],)]


def test_a_size_bound_to_a_fused_value_follows_it() -> None:
    builder = ProgramBuilder("bound")
    builder.locations = HERE
    x = builder.emit("parameter", name="x", dtype="i32", shape=())
    (size,) = builder.sizes_of(builder.add(builder.mul(x, x), x))
    fused = fuse(builder.finish([builder.iota((size,), 0, "f32")]))
    verify(fused)
    ((_, source),) = fused.symbols.items()
    (computed,) = fused_instructions(fused)
    assert source.name == repr(computed.result)


EXPLAINED = """
program @explained {
  %0 = parameter "x" : f32[3]
  %1 = parameter "y" : f32[2, 3]
  %2 = map exp %0 : f32[3]
  %3 = broadcast %2 {axes: [1]} : f32[2, 3]
  %4 = map mul %1, %3 : f32[2, 3]
  %5, %6 = sort %4 {descending: false} : f32[2, 3], i32[2, 3]
  %7 = map add %4, %5 : f32[2, 3]
  %8 = reduce add %7 {axes: [0]} : f32[3]
  %9 = broadcast %8 {axes: [1]} : f32[2, 3]
  %10 = map sub %7, %9 : f32[2, 3]
  return %10
}
"""


def test_the_explanation_has_a_line_for_each_pair_of_neighbours_that_is_not_fused() -> None:
    lines = explain_fusion(parse(EXPLAINED, location=HERE[0])).splitlines()
    assert lines == [
        "%2 map exp -> %3 broadcast: it would be computed more than once for each element",
        "%4 map mul -> %5, %6 sort: sort is executed by itself",
        "%4 map mul -> %7 map add: another instruction between them would have to run before and after the kernel",
        "%5, %6 sort -> %7 map add: sort is executed by itself",
        "%8 reduce add -> %9 broadcast: its result is used along axes that are not the last ones",
        "%7 map add -> %10 map sub: one of the kernels that use it needs the other's result",
    ]
