"""Sizes computed by native code are those that Python computes; what does not fit into 64 bits is noticed."""

from __future__ import annotations

import ctypes

import llvmlite.binding as llvm
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from llvmlite import ir

from sessile.compiler.c_library.size_code import SizeCode
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.cpu.machine_code import compile_module
from sessile.compiler.target import Target
from sessile.ir.sizes import Size, evaluate, floor_divide, maximum, minimum, modulo, symbol

I64 = ir.IntType(64)
NAMES = ("n0", "n1", "k")


def native(size: Size, values: tuple[int, int, int]) -> tuple[int, bool]:
    """A size by native code, and whether it noticed that it cannot be computed."""
    module = ir.Module("sizes")
    module.triple = llvm.get_process_triple()
    function = ir.Function(module, ir.FunctionType(I64, [I64.as_pointer()]), "size")
    builder = ir.IRBuilder(function.append_basic_block())
    words = [builder.gep(function.args[0], [I64(k)]) for k in range(4)]
    code = SizeCode(builder, {name: builder.load(word) for name, word in zip(NAMES, words, strict=False)})
    value = code.value(size)
    builder.store(builder.zext(code.failed, I64), words[3])
    builder.ret(value)
    address = load_objects([compile_module(str(module), Target.host(), 1)], ["size"])["size"]
    block = (ctypes.c_int64 * 4)(*values, 0)
    return ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)(address)(ctypes.addressof(block)), bool(block[3])


@st.composite
def sizes(draw: st.DrawFn) -> Size:
    size: Size = draw(st.one_of(st.sampled_from([symbol(name) for name in NAMES]), st.integers(-5, 9)))
    for _ in range(draw(st.integers(0, 6))):
        other: Size = draw(st.one_of(st.sampled_from([symbol(name) for name in NAMES]), st.integers(-5, 9)))
        operation = draw(st.sampled_from(["+", "-", "*", "//", "%", "min", "max"]))
        match operation:
            case "+":
                size = size + other
            case "-":
                size = size - other
            case "*":
                size = size * other
            case "//" | "%" if other not in (0, -1):
                size = floor_divide(size, other) if operation == "//" else modulo(size, other)
            case "min" | "max":
                size = minimum(size, other) if operation == "min" else maximum(size, other)
    return size


@settings(max_examples=60)
@given(size=sizes(), values=st.tuples(st.integers(0, 50), st.integers(0, 50), st.integers(-9, 9)))
def test_sizes_are_those_of_python(size: Size, values: tuple[int, int, int]) -> None:
    actual, failed = native(size, values)
    try:
        expected = evaluate(size, dict(zip(NAMES, values, strict=True)))
    except ZeroDivisionError:
        assert failed
        return
    if not failed:
        assert actual == expected
    else:  # a division by -1, which no size is
        assert -1 in values or -1 in divisors(size, dict(zip(NAMES, values, strict=True)))


def divisors(size: Size, bindings: dict[str, int]) -> list[int]:
    """What a size divides by."""
    if isinstance(size, int):
        return []
    found: list[int] = []
    for atom in {atom for monomial in size.terms for atom in monomial if atom.operator}:
        found += divisors(atom.left, bindings) + divisors(atom.right, bindings)
        found += [evaluate(atom.right, bindings)]
    return found


@pytest.mark.parametrize(
    ("size", "values"),
    [
        (symbol("n0") * symbol("n1"), (1 << 40, 1 << 40, 0)),
        (symbol("n0") * 64, (1 << 58, 0, 0)),
        (symbol("n0") + symbol("n1"), ((1 << 63) - 1, 1, 0)),
        (floor_divide(symbol("n0"), symbol("n1")), (4, 0, 0)),
        (modulo(symbol("n0") * symbol("n0"), symbol("n1")), (1 << 33, 3, 0)),
    ],
)
def test_what_cannot_be_computed_is_noticed(size: Size, values: tuple[int, int, int]) -> None:
    assert native(size, values)[1]
