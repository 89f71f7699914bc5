"""Scalar functions as source text, for each element type.

In: the name of a scalar function, an element type, and the expressions of its operands. Out: an expression of the
result. Between load and store an element is held in its own type, but for f16: it is held in f32 and rounded to f16
after each operation, as NumPy does. Numba widens integers, so that each operation is cast back; that is how they wrap
around. Divisions by zero give 0 here, and are reported by the kernel (`failing_condition`).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sessile.compiler.kernel_call import NoKernel
from sessile.ir.types import COMPLEX, FLOATS, INTEGERS, SIGNED

REAL_PART = {"c64": "f32", "c128": "f64"}
_COMPARISONS = {"eq": "==", "ne": "!=", "lt": "<", "le": "<=", "gt": ">", "ge": ">="}
_ARITHMETIC = {"add": "+", "sub": "-", "mul": "*"}
_BITWISE = {"and": "&", "or": "|", "xor": "^"}
_FLOAT_CALLS = frozenset({
    "pow", "atan2", "sqrt", "rsqrt", "floor", "ceil", "rint", "trunc", "sign", "truncated_mod", "floor_mod",
    "exp", "expm1", "log", "log1p", "sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "asinh",
    "acosh", "atanh", "erf", "erfc", "lgamma", "digamma", "softplus", "sigmoid",
})  # fmt: skip
_FLOAT_EXTREMA = {"max": "maximum", "min": "minimum"}
_INTEGER_CALLS = frozenset({"truncated_div", "floor_div", "truncated_mod", "floor_mod", "pow"})
# Results of these on f16 are f16 without rounding.
_EXACT = frozenset({"neg", "abs", "max", "min", "floor", "ceil", "rint", "trunc", "sign"})


def held_type(dtype: str) -> str:
    """The type in which a kernel holds an element."""
    return "f32" if dtype == "f16" else dtype


def loaded(dtype: str, element: str) -> str:
    """The value of an element in memory."""
    return f"f32_from_f16({element})" if dtype == "f16" else element


def stored(dtype: str, value: str) -> str:
    """What is written to memory for a value."""
    return f"f16_from_f32({value})" if dtype == "f16" else value


def literal(element: Any, dtype: str) -> str:
    """A constant as source text."""
    if dtype == "bool":
        return "True" if element else "False"
    if dtype in COMPLEX:
        part = REAL_PART[dtype]
        return f"complex_{part}({literal(element.real, part)}, {literal(element.imag, part)})"
    if dtype in FLOATS:
        value = float(element)
        text = "nan" if np.isnan(value) else f"{'-' if value < 0 else ''}inf" if np.isinf(value) else _shortest(element)
        return f"{held_type(dtype)}({text})"
    return f"{dtype}({int(element)})"


def _shortest(element: Any) -> str:
    """The shortest number that has the same value in the element's type."""
    short = str(element)
    if type(element)(float(short)) != element:
        short = repr(float(element))
    return short.removesuffix(".0") if not short.startswith("-0") else short


def scalar_code(function: str, dtype: str, operands: list[str]) -> str:
    """The expression of a scalar function on operands of one element type. Raises NoKernel where there is none."""
    if function in _COMPARISONS:
        return f"{operands[0]} {_COMPARISONS[function]} {operands[1]}"
    code: Callable[[str, str, list[str]], str | None]
    if dtype == "bool":
        code = _of_bool
    elif dtype in COMPLEX:
        code = _of_complex
    elif dtype in INTEGERS:
        code = _of_integer
    else:
        code = _of_float
    text = code(function, dtype, operands)
    if text is None:
        raise NoKernel(f"{function} of {dtype} has no kernel")
    return text


def _of_bool(function: str, dtype: str, operands: list[str]) -> str | None:
    if function in _BITWISE:
        return f"{operands[0]} {_BITWISE[function]} {operands[1]}"
    return f"not {operands[0]}" if function == "not" else None


def _of_integer(function: str, dtype: str, operands: list[str]) -> str | None:
    a, b = operands[0], operands[-1]
    bits = int(dtype[1:])
    if function in _ARITHMETIC | _BITWISE:
        return f"{dtype}({a} {(_ARITHMETIC | _BITWISE)[function]} {b})"
    if function in _INTEGER_CALLS:
        return f"{function}_{dtype}({a}, {b})"
    match function:
        case "max" | "min":
            return f"{function}({a}, {b})"
        case "not":
            return f"{dtype}(~{a})"
        case "neg":
            return f"{dtype}(-{a})" if dtype in SIGNED else f"{dtype}({dtype}(0) - {a})"
        case "abs":
            return f"max({a}, {dtype}(-{a}))"
        case "sign" if dtype in SIGNED:
            return f"{dtype}({dtype}({a} > {dtype}(0)) - {dtype}({a} < {dtype}(0)))"
        case "sign":
            return f"{dtype}({a} > {dtype}(0))"
        case "shift_left" | "shift_right":
            count = f"min({b}, {dtype}({bits - 1}))"
            count = f"max({count}, {dtype}(0))" if dtype in SIGNED else count
            return f"{dtype}({a} {'<<' if function == 'shift_left' else '>>'} {count})"
    return None


def _of_float(function: str, dtype: str, operands: list[str]) -> str | None:
    held = held_type(dtype)
    text = _float_expression(function, dtype, held, operands)
    if text is None or dtype != "f16" or function in _EXACT or function.startswith("is_"):
        return text
    return rounded(dtype, text)


def rounded(dtype: str, value: str) -> str:
    """A held value after it has been written to memory and read again."""
    return loaded(dtype, stored(dtype, value))


def _float_expression(function: str, dtype: str, held: str, operands: list[str]) -> str | None:
    a, b = operands[0], operands[-1]
    if function in _ARITHMETIC:
        return f"{a} {_ARITHMETIC[function]} {b}"
    if function in _FLOAT_CALLS:
        return f"{function}_{held}({', '.join(operands)})"
    if function in _FLOAT_EXTREMA:
        return f"{_FLOAT_EXTREMA[function]}_{held}({a}, {b})"
    quotient = rounded(dtype, f"{a} / {b}") if dtype == "f16" else f"{a} / {b}"
    match function:
        case "div":
            return f"{a} / {b}"
        case "truncated_div":
            return f"trunc_{held}({quotient})"
        case "floor_div":
            return f"floor_{held}({quotient})"
        case "neg":
            return f"-{a}"
        case "abs":
            return f"abs({a})"
        case "is_nan":
            return f"{a} != {a}"
        case "is_inf":
            return f"abs({a}) == {held}(inf)"
        case "is_finite":
            return f"abs({a}) < {held}(inf)"
    return None


def _of_complex(function: str, dtype: str, operands: list[str]) -> str | None:
    a, b = operands[0], operands[-1]
    part = REAL_PART[dtype]
    if function in _ARITHMETIC:
        return f"{a} {_ARITHMETIC[function]} {b}"
    match function:
        case "neg":
            return f"-{a}"
        case "real":
            return f"{a}.real"
        case "imag":
            return f"{a}.imag"
        case "conj":
            return f"complex_{part}({a}.real, -{a}.imag)"
    return None


def selected(condition: str, then: str, otherwise: str) -> str:
    """`then` where the condition holds; both are computed."""
    return f"{then} if {condition} else {otherwise}"


def made_complex(dtype: str, real: str, imaginary: str) -> str:
    """A complex number from its parts."""
    return f"complex_{REAL_PART[dtype]}({real}, {imaginary})"


def converted(x: str, source: str, target: str) -> str:
    """A value in another element type, as C converts it. Raises NoKernel where that has no kernel."""
    if source == target:
        return x
    if target == "bool":
        return f"{x} != {zero(source)}"
    if source in COMPLEX and target not in COMPLEX:
        return converted(f"{x}.real", REAL_PART[source], target)
    if target in COMPLEX:
        if source in COMPLEX:
            return f"{target}({x})"
        part = REAL_PART[target]
        return f"complex_{part}({converted(x, source, part)}, {part}(0))"
    if source in FLOATS and target in INTEGERS:
        return f"{target}_from_{held_type(source)}({x})"
    if target == "f16":
        return rounded("f16", x if source == "f32" else f"f32({x})")
    return x if held_type(source) == target else f"{target}({x})"


def zero(dtype: str) -> str:
    """The number 0 of an element type."""
    return f"{dtype}(0)" if dtype in COMPLEX else literal(0, dtype) if dtype != "bool" else "False"


def bits_as(x: str, source: str, target: str) -> str:
    """The same bits as another element type of equal width. Raises NoKernel where that has no kernel."""
    if source == target:
        return x
    if source in INTEGERS and target in INTEGERS:
        return f"{target}({x})"
    if source == "f16" and target in INTEGERS:
        return f"{target}(f16_from_f32({x}))"
    if target == "f16" and source in INTEGERS:
        return f"f32_from_f16(u16({x}))"
    if {source, target} <= FLOATS | INTEGERS:
        return f"{target}_from_bits_of_{source}({x})"
    raise NoKernel(f"bits of {source} as {target} have no kernel")


def failing_condition(function: str, dtype: str, operands: list[str]) -> str | None:
    """When a scalar function fails; None if it never does."""
    if dtype not in INTEGERS:
        return None
    if function in ("truncated_div", "floor_div", "truncated_mod", "floor_mod"):
        return f"{operands[1]} == {zero(dtype)}"
    if function == "pow" and dtype in SIGNED:
        return f"{operands[1]} < {zero(dtype)}"
    return None
