"""Kernels compiled from source compute what NumPy computes, and need nothing but themselves."""

from __future__ import annotations

import ctypes
import os

import numpy as np
import pytest

from sessile.compiler.cpu.compile_kernel import KernelObject, compile_kernel
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.cpu.object_symbols import undefined_symbols
from sessile.compiler.kernel_errors import KernelCompilationError
from sessile.compiler.kernel_source import KernelSource, kernel_name, kernel_source
from sessile.compiler.target import Target

ADD = """
def kernel(a0, a1, out0, n0, part, parts):
    for i0 in range(n0 * part // parts, n0 * (part + 1) // parts):
        out0[i0] = a0[i0] + a1[i0]
"""
ADD_TYPES = ("*f32", "*f32", "*f32", "i64")


def compiled(code: str, types: tuple[str, ...]) -> KernelObject:
    return compile_kernel(kernel_source(["test"], code, types), Target.host())


def run(kernel: KernelObject, *arguments: np.ndarray | int, part: int = 0, parts: int = 1) -> None:
    address = load_objects([kernel.object_code], [kernel.name])[kernel.name]
    entry = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)
    slots = [a if isinstance(a, int) else a.ctypes.data for a in arguments]
    block = np.array(slots, np.int64)
    entry(block.ctypes.data, part, parts)


def test_name_is_the_words_and_a_hash_of_code_and_types() -> None:
    name = kernel_name(["add", "max 0"], ADD, ADD_TYPES)
    assert name.startswith("kernel_add_max_0_")
    assert len(name.rsplit("_", 1)[1]) == 16
    commented = ADD.replace("a1[i0]\n", "a1[i0]  # %3 add   m.py:3\n")
    assert kernel_name(["add", "max 0"], commented, ADD_TYPES) == name
    assert kernel_name(["add", "max 0"], ADD.replace("+", "-"), ADD_TYPES) != name
    assert kernel_name(["add", "max 0"], ADD, ("*f64", "*f64", "*f64", "i64")) != name


def test_source_defines_the_function_under_its_hashed_name() -> None:
    source = kernel_source(["add"], ADD, ADD_TYPES)
    assert f"def {source.name}(a0, a1, out0, n0, part, parts):" in source.source
    with pytest.raises(ValueError, match="found 0"):
        kernel_source(["add"], "x = 1\n", ())


@pytest.mark.parametrize("parts", [1, 3])
def test_the_parts_of_a_kernel_do_all_of_its_work(parts: int) -> None:
    kernel = compiled(ADD, ADD_TYPES)
    a, b, out = np.arange(10, dtype="f4"), np.ones(10, "f4"), np.full(10, -1, "f4")
    for part in range(parts):
        run(kernel, a, b, out, 10, part=part, parts=parts)
    np.testing.assert_array_equal(out, a + b)


@pytest.mark.parametrize("element", ["f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "c64", "c128"])
def test_every_element_type_is_loaded_and_stored(element: str) -> None:
    kernel = compiled(ADD, (f"*{element}",) * 3 + ("i64",))
    dtype = np.dtype(element[0] + str(int(element[1:]) // 8))
    a, b = np.arange(9).astype(dtype), np.full(9, 250).astype(dtype)
    out = np.zeros(9, dtype)
    run(kernel, a, b, out, 9)
    np.testing.assert_array_equal(out, a + b)


def test_booleans_are_bytes_of_zero_and_one() -> None:
    code = """
def kernel(a0, a1, out0, n0, part, parts):
    for i0 in range(n0):
        out0[i0] = a0[i0] and not a1[i0]
"""
    kernel = compiled(code, ("*bool", "*bool", "*bool", "i64"))
    a, b = np.array([0, 0, 1, 1], bool), np.array([0, 1, 0, 1], bool)
    out = np.full(4, 7, np.uint8)
    run(kernel, a, b, out, 4)
    assert out.tolist() == [0, 0, 1, 0]


def test_half_precision_is_converted_by_its_bits() -> None:
    code = """
def kernel(a0, out0, n0, part, parts):
    for i0 in range(n0):
        out0[i0] = f16_from_f32(f32_from_f16(a0[i0]) * f32(1.0009765625))
"""
    kernel = compiled(code, ("*f16", "*f16", "i64"))
    a = np.array([0.0, -0.0, 1.5, 65504, np.inf, np.nan, 6e-8, 0.1], np.float16)
    out = np.empty_like(a)
    run(kernel, a, out, len(a))
    with np.errstate(over="ignore"):
        expected = (a.astype("f4") * np.float32(1.0009765625)).astype(np.float16)
    np.testing.assert_array_equal(out.view(np.uint16), expected.view(np.uint16))


def test_integer_division_rounds_down_and_gives_zero_for_zero() -> None:
    code = """
def kernel(a0, a1, out0, out1, n0, part, parts):
    for i0 in range(n0):
        out0[i0] = a0[i0] // a1[i0]
        out1[i0] = a0[i0] % a1[i0]
"""
    lowest = np.iinfo(np.int64).min
    values = np.array([lowest, -7, -1, 0, 1, 6, 7], np.int64)
    a, b = (grid.ravel().copy() for grid in np.meshgrid(values, values))
    for element, dtype in (("i64", np.int64), ("u64", np.uint64), ("i32", np.int32)):
        x, y = a.astype(dtype), b.astype(dtype)
        quotient, remainder = np.empty_like(x), np.empty_like(x)
        run(compiled(code, (f"*{element}",) * 4 + ("i64",)), x, y, quotient, remainder, len(x))
        with np.errstate(all="ignore"):
            np.testing.assert_array_equal(quotient, np.where(y == 0, 0, x // y))
            np.testing.assert_array_equal(remainder, np.where(y == 0, 0, x % y))


def test_range_counts_with_and_without_a_step() -> None:
    code = """
def kernel(out0, n0, part, parts):
    at = 0
    for i0 in range(n0):
        for i1 in range(i0, n0):
            out0[at] = i1
            at += 1
    for i0 in range(n0, -n0, -2):
        out0[at] = i0
        at += 1
    for i0 in range(3, 3):
        out0[at] = -1
    out0[at] = at
"""
    expected = [j for i in range(4) for j in range(i, 4)] + list(range(4, -4, -2))
    out = np.full(20, 99, np.int64)
    run(compiled(code, ("*i64", "i64")), out, 4)
    assert out[: len(expected) + 1].tolist() == [*expected, len(expected)]
    assert (out[len(expected) + 1 :] == 99).all()


def test_max_takes_the_second_where_it_is_greater_like_python() -> None:
    code = """
def kernel(a0, a1, out0, out1, n0, part, parts):
    for i0 in range(n0):
        out0[i0] = max(a0[i0], a1[i0])
        out1[i0] = min(a0[i0], a1[i0])
"""
    values = np.array([np.nan, -np.inf, -0.0, 0.0, 2.5], "f4")
    a, b = (grid.ravel().copy() for grid in np.meshgrid(values, values))
    greater, smaller = np.empty_like(a), np.empty_like(a)
    run(compiled(code, ("*f32",) * 4 + ("i64",)), a, b, greater, smaller, len(a))
    np.testing.assert_array_equal(greater, [max(x, y) for x, y in zip(a, b, strict=True)])
    np.testing.assert_array_equal(smaller, [min(x, y) for x, y in zip(a, b, strict=True)])


def test_scalar_arguments_lie_in_the_low_bytes_of_their_slot() -> None:
    code = """
def kernel(out0, x, k, part, parts):
    out0[0] = x * f32(k)
"""
    out = np.zeros(1, "f4")
    bits = int(np.array(2.5, "f4").view(np.uint32))
    run(compiled(code, ("*f32", "f32", "i16")), out, bits, -3 & 0xFFFF)
    assert out[0] == -7.5


def test_complex_division_is_linked_into_the_kernel() -> None:
    code = ADD.replace("+ a1", "/ a1")
    kernel = compiled(code, ("*c128",) * 3 + ("i64",))
    defined = [line for line in kernel.llvm_ir.splitlines() if line.startswith(("define", "@"))]
    assert len(defined) == 1
    assert kernel.name in defined[0]
    a, b = np.array([1 + 2j, -3j]), np.array([0.5 - 1j, 2 + 2j])
    out = np.empty_like(a)
    run(kernel, a, b, out, 2)
    np.testing.assert_allclose(out, a / b, rtol=1e-15)


@pytest.mark.parametrize("value", ["0", "a0[i0]"])
def test_fills_and_copies_call_no_library(value: str) -> None:
    code = f"""
def kernel(a0, out0, n0, part, parts):
    for i0 in range(n0):
        out0[i0] = {value}
"""
    kernel = compiled(code, ("*f32", "*f32", "i64"))
    assert undefined_symbols(kernel.object_code) == []
    a, out = np.arange(100, dtype="f4"), np.full(100, 5, "f4")
    run(kernel, a, out, 100)
    np.testing.assert_array_equal(out, a if value == "a0[i0]" else np.zeros(100))


def test_an_elementwise_loop_uses_vectors_of_the_target() -> None:
    kernel = compiled(ADD, ADD_TYPES)
    lanes = Target.host().vector_bytes // 4
    assert f"fadd <{lanes} x float>" in kernel.llvm_ir
    assert kernel.name in kernel.assembly
    assert "vector.memcheck" not in kernel.llvm_ir, "arguments do not overlap, so nothing is to be checked"


def test_a_function_outside_the_kernel_is_a_fault_that_names_it(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SESSILE_DUMP", str(tmp_path))
    code = "import math\n" + ADD.replace("a0[i0] + a1[i0]", "math.lgamma(a0[i0])")
    source = kernel_source(["lgamma"], code, ADD_TYPES)
    with pytest.raises(KernelCompilationError) as caught:
        compile_kernel(source, Target.host())
    assert f'kernel "{source.name}": it calls lgammaf, which no kernel may do.' in str(caught.value)
    assert "This is a fault of sessile, not of your program" in str(caught.value)


def test_what_numba_says_goes_to_a_file_and_not_to_the_user(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SESSILE_DUMP", str(tmp_path))
    source = KernelSource("kernel_bad", "def kernel_bad(a0, part, parts):\n    a0[a0] = part\n", ("*f32",))
    with pytest.raises(KernelCompilationError) as caught:
        compile_kernel(source, Target.host())
    assert caught.value.kernel == "kernel_bad"
    assert "setitem" not in str(caught.value)
    assert os.path.dirname(caught.value.dump) == str(tmp_path)
    with open(caught.value.dump, encoding="utf-8") as file:
        dump = file.read()
    assert "a0[a0] = part" in dump
    assert "setitem" in dump


@pytest.mark.parametrize(
    ("triple", "prefix"),
    [("x86_64-unknown-linux-gnu", ""), ("x86_64-apple-macosx13", "_"), ("x86_64-pc-windows-msvc", "")],
)
def test_undefined_symbols_are_read_from_each_object_format(triple: str, prefix: str) -> None:
    import llvmlite.binding as llvm

    if not Target.host().triple.startswith("x86_64"):
        pytest.skip("LLVM was built for another architecture")
    Target.host()
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    module = llvm.parse_assembly(
        "declare double @a_name_of_more_than_eight_letters(double)\n"
        "declare i32 @short(i32)\n"
        "define i32 @defined(i32 %x) {\n  %y = call i32 @short(i32 %x)\n  ret i32 %y\n}\n"
        "define double @also(double %x) {\n"
        "  %y = call double @a_name_of_more_than_eight_letters(double %x)\n  ret double %y\n}\n"
    )
    code = llvm.Target.from_triple(triple).create_target_machine().emit_object(module)
    assert undefined_symbols(code) == [f"{prefix}a_name_of_more_than_eight_letters", f"{prefix}short"]


def test_bytes_that_are_no_object_are_refused() -> None:
    with pytest.raises(ValueError, match="cannot start with"):
        undefined_symbols(b"not an object")


def test_the_text_of_a_target_tells_targets_apart() -> None:
    host = Target.host()
    assert host.text == Target(host.triple, host.cpu, host.features).text
    assert host.text != Target(host.triple, "generic", host.features).text
    assert Target("x86_64-linux", "a", "+avx,+avx2").vector_bytes == 32
    assert Target("x86_64-linux", "a", "-avx").vector_bytes == 16
    assert Target("x86_64-linux", "a", "+avx,+avx512f").vector_bytes == 64
