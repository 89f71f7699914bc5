"""Targets by name, and kernels of all kinds compiled for processors other than this one."""

from __future__ import annotations

import itertools
import platform
import re

import numpy as np
import pytest
from support.elementary_kernels import run

from sessile.compiler.compile_program import optimize
from sessile.compiler.cpu.compile_kernel import compile_kernel
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target
from sessile.ir.parser import parse

SYSTEM = Target.host().triple.partition("-")[2]

# One program with kernels of all families: elementwise with halves, products with and without an end, reductions,
# convolution, windows, scans, gather, scatter, sampling.
PROGRAM = """
program @families {
  size n0 = parameter "x" axis 0
  %0 = parameter "x" : f32[n0, 16]
  %1 = parameter "w" : f32[16, 24]
  %2 = parameter "h" : f16[n0, 16]
  %3 = parameter "i" : i32[n0]
  %4 = parameter "d" : f64[16]
  %5 = parameter "images" : f32[n0, 8, 8, 3]
  %6 = parameter "filters" : f32[3, 3, 3, 4]
  %7 = contract %0, %1 {batch: [[], []], contracting: [[1], [0]]} : f32[n0, 24]
  %8 = map tanh %7 : f32[n0, 24]
  %9 = map exp %2 : f16[n0, 16]
  %10 = map log %4 : f64[16]
  %11 = reduce add %8 {axes: [1]} : f32[n0]
  %12 = gather %0, %3 {axis: 0, batch: 0} : f32[n0, 16]
  %13 = scan add %0 {axis: 0, exclusive: false, reverse: false} : f32[n0, 16]
  %14 = convolve %5, %6 {filter_dilation: [1, 1], groups: 1, input_dilation: [1, 1], layout: [[0, 3, 1, 2], [2, 3, 0, 1], [0, 3, 1, 2]], padding: [[1, 1], [1, 1]], reverse: false, strides: [1, 1]} : f32[n0, 8, 8, 4]
  %15 = window_reduce max %14 {padding: [[0, 0], [0, 0], [0, 0], [0, 0]], strides: [1, 2, 2, 1], window: [1, 2, 2, 1]} : f32[n0, 4, 4, 4]
  %16 = contract %2, %2 {batch: [[], []], contracting: [[0], [0]]} : f16[16, 16]
  %17 = map pow %4, %4 : f64[16]
  %18 = map erf %4 : f64[16]
  return %8, %9, %10, %11, %12, %13, %15, %16, %17, %18
}
"""  # noqa: E501


@pytest.mark.parametrize("name", ["x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4", "aarch64"])
def test_words_name_targets_on_this_system(name: str) -> None:
    target = Target.parse(name)
    assert target.triple == f"{'aarch64' if name == 'aarch64' else 'x86_64'}-{SYSTEM}"
    assert target == Target.parse(name)


def test_levels_hold_the_instruction_sets_of_the_levels_below() -> None:
    levels = [Target.parse(name).enabled_features for name in ("x86-64", "x86-64-v2", "x86-64-v3", "x86-64-v4")]
    for lower, higher in itertools.pairwise(levels):
        assert lower < higher
    assert {"avx2", "fma", "f16c"} <= levels[2] - levels[1]
    assert [Target.parse(name).vector_bytes for name in ("x86-64-v2", "x86-64-v3", "x86-64-v4")] == [16, 32, 64]


def test_native_is_this_machine() -> None:
    assert Target.parse("native") is Target.host()


def test_terms_of_llvm() -> None:
    assert Target.parse("aarch64-unknown-linux-gnu:neoverse-n1:+neon,+dotprod") == Target(
        "aarch64-unknown-linux-gnu", "neoverse-n1", "+dotprod,+neon"
    )
    assert Target.parse("aarch64-unknown-linux-gnu") == Target("aarch64-unknown-linux-gnu", "generic", "")
    assert Target.parse("x86_64-unknown-linux-gnu").features == Target.parse("x86-64").features
    assert Target.parse("x86_64-unknown-linux-gnu:x86-64-v3").features == Target.parse("x86-64-v3").features


@pytest.mark.parametrize("text", ["", "x86-64-v9", "pentium", "nowhere-unknown-linux-gnu", "x86_64"])
def test_other_words_are_refused_with_the_known_ones(text: str) -> None:
    with pytest.raises(ValueError, match=r"no target is called '.*'; there are native, x86-64, .* aarch64, and triple"):
        Target.parse(text)


def test_features_without_a_sign_are_refused() -> None:
    with pytest.raises(ValueError, match=r"read \+name,-name,\.\.\., not 'avx2'"):
        Target.parse("x86_64-unknown-linux-gnu:haswell:avx2")


@pytest.mark.parametrize(
    ("text", "unknown"),
    [
        ("x86_64-unknown-linux-gnu:hasswell", "'hasswell' is not a recognized processor"),
        ("x86_64-unknown-linux-gnu:haswell:+avx,+avx9", "'+avx9' is not a recognized feature"),
    ],
)
def test_what_llvm_does_not_know_is_refused(text: str, unknown: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ValueError, match=re.escape(f"LLVM does not know all of target {text!r}: {unknown}")):
        Target.parse(text)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("name", ["x86-64", "x86-64-v3", "x86-64-v4", "aarch64"])
def test_kernels_of_all_families_compile_for_other_processors(name: str) -> None:
    target = Target.parse(name)
    machine = {"x86_64": 62, "aarch64": 183}[target.triple.partition("-")[0]]
    for source in optimize(parse(PROGRAM), target=target).sources:
        code = compile_kernel(source, target).object_code  # fails for a kernel that needs symbols from outside
        if platform.system() == "Linux":
            assert int.from_bytes(code[18:20], "little") == machine


def test_products_are_cut_to_the_width_of_the_target() -> None:
    targets = map(Target.parse, ("x86-64-v3", "aarch64"))
    names = [{source.name for source in optimize(parse(PROGRAM), target=target).sources} for target in targets]
    assert names[0] != names[1]


HALVES = """\
def kernel(x, bits, back, n0, part, parts):
    for i in range(n0):
        bits[i] = f16_from_f32(x[i])
        back[i] = f32_from_f16(bits[i])
"""


@pytest.mark.skipif(platform.machine() != "x86_64", reason="runs code for x86-64")
def test_halves_without_instructions_for_them() -> None:
    kernel = compile_kernel(kernel_source(["halves"], HALVES, ("*f32", "*u16", "*f32", "i64")), Target.parse("x86-64"))
    halves = np.arange(1 << 16, dtype=np.uint16).view(np.float16)
    exact = halves[np.isfinite(halves)].astype(np.float32)
    steps = np.array([-1.5, -1, -0.5, 0.5, 1, 1.5], np.float32) * np.float32(2**-11)
    between = (exact[:, None] * (1 + steps)).ravel()
    x = np.concatenate([exact, between, np.array([np.inf, -np.inf, 65519.9, 65520, 1e38, 1e-45, 2**-25], "f4")])
    bits, back = np.empty(x.size, np.uint16), np.empty(x.size, np.float32)
    run(kernel, x, bits, back, x.size)
    with np.errstate(over="ignore"):
        expected = x.astype(np.float16)
    np.testing.assert_array_equal(bits, expected.view(np.uint16))
    np.testing.assert_array_equal(back, expected.astype(np.float32))
    nan, nan_bits, nan_back = np.array([np.nan, -np.nan], "f4"), np.empty(2, np.uint16), np.empty(2, np.float32)
    run(kernel, nan, nan_bits, nan_back, 2)
    assert np.isnan(nan_bits.view(np.float16)).all()
    assert np.isnan(nan_back).all()
