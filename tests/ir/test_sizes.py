"""Sizes: a normal form, in which equal text means equal sizes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessile.ir.sizes import (
    Size,
    SizeExpression,
    ceiling_divide,
    evaluate,
    floor_divide,
    is_never_negative,
    maximum,
    minimum,
    modulo,
    parse_size,
    product,
    substitute,
    symbol,
    symbols_of,
)

N, M, S = symbol("n0"), symbol("n1"), symbol("s2")
OPERATIONS = {
    "add": lambda a, b: a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a * b,
    "min": minimum,
    "max": maximum,
    "floor_divide": floor_divide,
    "modulo": modulo,
}


@st.composite
def sizes(draw: st.DrawFn, depth: int = 3) -> Size:
    if depth == 0 or draw(st.booleans()):
        return draw(st.sampled_from([N, M, S, 0, 1, 2, 5, -3]))
    operation = draw(st.sampled_from(sorted(OPERATIONS)))
    left, right = draw(sizes(depth=depth - 1)), draw(sizes(depth=depth - 1))
    if operation in ("floor_divide", "modulo"):
        right = draw(st.sampled_from([1, 2, 3, N + 1, 2 * M + 2]))
    return OPERATIONS[operation](left, right)


BINDINGS = st.fixed_dictionaries({"n0": st.integers(0, 6), "n1": st.integers(0, 6), "s2": st.integers(-4, 6)})


def test_equal_sizes_are_equal_text() -> None:
    assert str((N + 1) * (N - 1)) == "n0*n0 - 1"
    assert (N + M) * 2 == M * 2 + 2 * N
    assert hash(N + M) == hash(M + N)
    assert N - N == 0
    assert isinstance(N - N, int)
    assert N != M


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        (floor_divide(6 * N, 3), "2*n0"),
        (floor_divide(N * M, M), "n0"),
        (floor_divide(N, 2), "(n0 // 2)"),
        (floor_divide(N + 1, 2 * M), "((n0 + 1) // (2*n1))"),
        (modulo(4 * N, 2), "0"),
        (modulo(N, 2), "(n0 % 2)"),
        (ceiling_divide(N, 4), "((n0 + 3) // 4)"),
        (maximum(N, N + 2), "n0 + 2"),
        (maximum(N, 0), "n0"),
        (minimum(N, -1), "-1"),
        (maximum(S, 0), "max(0, s2)"),
        (minimum(N, M), "min(n0, n1)"),
        (product([N, 2, M]), "2*n0*n1"),
        (3 - N, "-n0 + 3"),
    ],
)
def test_arithmetic_keeps_one_normal_form(size: Size, expected: str) -> None:
    assert str(size) == expected


@given(size=sizes())
def test_text_is_read_back(size: Size) -> None:
    assert parse_size(str(size)) == size


@given(size=sizes(), bindings=BINDINGS)
def test_the_read_text_has_the_same_value(size: Size, bindings: dict[str, int]) -> None:
    assert evaluate(parse_size(str(size)), bindings) == evaluate(size, bindings)


@pytest.mark.parametrize("name", sorted(OPERATIONS))
@given(left=sizes(), right=sizes(), bindings=BINDINGS)
def test_operations_agree_with_numbers(name: str, left: Size, right: Size, bindings: dict[str, int]) -> None:
    a, b = evaluate(left, bindings), evaluate(right, bindings)
    if name in ("floor_divide", "modulo") and (b == 0 or right == 0):
        return
    assert evaluate(OPERATIONS[name](left, right), bindings) == OPERATIONS[name](a, b)


@given(size=sizes(), bindings=BINDINGS)
def test_substitution_of_numbers_is_evaluation(size: Size, bindings: dict[str, int]) -> None:
    assert substitute(size, bindings) == evaluate(size, bindings)


@given(size=sizes(), bindings=BINDINGS)
def test_a_size_called_never_negative_is_none(size: Size, bindings: dict[str, int]) -> None:
    if is_never_negative(size):
        assert evaluate(size, bindings) >= 0


def test_substitution_of_sizes() -> None:
    assert substitute(N * 2 + M, {"n0": M + 1}) == 3 * M + 2
    assert symbols_of(minimum(N, S) + 1) == {"n0", "s2"}


def test_an_unknown_symbol_has_no_value() -> None:
    with pytest.raises(KeyError):
        evaluate(N, {"n1": 3})


@pytest.mark.parametrize("text", ["", "n0 +", "n0 / 2", "f(n0)", "n0 == 2", "'a'", "min(n0)"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a size"):
        parse_size(text)


def test_an_expression_is_never_a_plain_number() -> None:
    assert not isinstance((N + 1) - N, SizeExpression)
