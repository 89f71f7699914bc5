"""Compares compiled kernels with the reference interpreter: programs with symbolic sizes, inputs, and tolerances."""

from __future__ import annotations

import functools
from collections.abc import Callable, Hashable, Sequence
from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.execution import Arrays, CompiledProgram, interpreted
from support.program_cases import HERE, assert_same_array

from sessile.ir.builder import ProgramBuilder
from sessile.ir.program import SizeSource, Value
from sessile.ir.sizes import Size, symbol
from sessile.ir.types import NUMPY_DTYPES

DTYPES = tuple(name for name in NUMPY_DTYPES if name not in ("string", "resource"))
SIZES = (0, 1, 2, 3, 7, 8, 16, 17, 33, 100)
"""Sizes around the widths of vectors."""
Compare = Callable[[np.ndarray, np.ndarray], None]

seeds = st.integers(0, 2**32 - 1)
sizes = st.sampled_from(SIZES)


def shapes(rank: int) -> st.SearchStrategy[tuple[int, ...]]:
    """Shapes of a rank, with axes of size 0 and 1 among them; not too many elements."""
    small = st.sampled_from((0, 1, 2, 3, 5))
    return st.tuples(*[small] * (rank - 1), st.sampled_from((0, 1, 2, 3, 5, 16, 19))) if rank else st.just(())


# --- inputs


def array(dtype: str, shape: tuple[int, ...], seed: int, special: bool = True) -> np.ndarray:
    """Elements of all kinds: small numbers, random bits, extremes; NaN, infinities and -0.0 where `special`."""
    random = np.random.default_rng([seed, *dtype.encode()])
    held = NUMPY_DTYPES[dtype]
    if held.kind == "b":
        return np.asarray(random.random(shape) < 0.5)
    if held.kind == "c":
        part = "f32" if dtype == "c64" else "f64"
        result = np.empty(shape, held)
        result.real, result.imag = (array(part, shape, seed + k, special) for k in range(2))
        return result
    return _floats(held, shape, random, special) if held.kind == "f" else _integers(held, shape, random)


def _floats(held: np.dtype, shape: tuple[int, ...], random: np.random.Generator, special: bool) -> np.ndarray:
    limits = np.finfo(held)
    small = random.integers(-8, 9, shape) / 2
    spread = random.standard_normal(shape) * 10.0 ** random.integers(-4, 3, shape)
    numbers = np.where(random.random(shape) < 0.4, small, spread).astype(held)
    if special:
        edges = (np.nan, np.inf, 0.0, limits.max, limits.smallest_normal, limits.smallest_subnormal, limits.eps, 1.0)
        chosen = np.array(edges, held)[random.integers(0, len(edges), shape)]
        bits = random.integers(0, 256, (*shape, held.itemsize), np.uint8).view(held)[..., 0]
        numbers = np.where(random.random(shape) < 0.2, chosen, numbers)
        numbers = np.where((random.random(shape) < 0.2) & ~np.isnan(bits), bits, numbers)
    return np.copysign(numbers, random.standard_normal(shape)).astype(held)


def _integers(held: np.dtype, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    limits = np.iinfo(held)
    edges = np.array([limits.min, limits.min + 1, limits.max, limits.max - 1, 0, 1, limits.max // 2], held)
    bits = random.integers(0, 256, (*shape, held.itemsize), np.uint8).view(held)[..., 0]
    small = random.integers(-9, 10, shape).astype(held)
    kind = random.integers(0, 3, shape)
    return np.choose(kind, (edges[random.integers(0, len(edges), shape)], bits, small)).astype(held)


def grid(dtype: str, shape: tuple[int, ...], seed: int) -> np.ndarray:
    """Small numbers whose sums and products are exact in any order."""
    random = np.random.default_rng(seed)
    whole = random.integers(-3, 4, shape)
    return (whole / 2 if NUMPY_DTYPES[dtype].kind in "fc" else whole).astype(NUMPY_DTYPES[dtype])


# --- programs


class SymbolicProgram:
    """A program under construction: parameters with symbolic sizes, and the primitives that are applied to them."""

    def __init__(self) -> None:
        self.builder = ProgramBuilder("differential")
        self.builder.locations = HERE
        self._symbols: dict[str, Size] = {}

    def parameter(self, name: str, dtype: str, shape: Sequence[str | int]) -> Value:
        """A parameter; a name in its shape is an unknown size, the same wherever it stands."""
        known = tuple(
            self._symbol(size, name, axis) if isinstance(size, str) else size for axis, size in enumerate(shape)
        )
        return self.builder.emit("parameter", name=name, dtype=dtype, shape=known)

    def _symbol(self, size: str, name: str, axis: int) -> Size:
        if size not in self._symbols:
            self._symbols[size] = symbol(self.builder.new_symbol(SizeSource("parameter", name, axis)))
        return self._symbols[size]

    def apply(self, primitive: str, *operands: Value, **attributes: Any) -> tuple[Value, ...]:
        """The results of a primitive."""
        results = self.builder.emit(primitive, *operands, **attributes)
        return results if isinstance(results, tuple) else (results,)

    def compile(self, results: Sequence[Value], passes: Sequence[str] = (), allow_host: bool = False) -> Differential:
        return Differential(self, results, passes, allow_host)


class Differential:
    """A program that both tiers run."""

    def __init__(
        self, source: SymbolicProgram, results: Sequence[Value], passes: Sequence[str], allow_host: bool
    ) -> None:
        self.program = source.builder.finish(results)
        self.compiled = CompiledProgram(self.program, passes, allow_host)

    def check(self, feeds: Arrays, compare: Compare | Sequence[Compare] = assert_same_array, threads: int = 1) -> None:
        """Fails unless both tiers agree; `compare` may name a comparison for each result."""
        expected, _ = interpreted(self.program, feeds)
        actual, _ = self.compiled.outcome(feeds, threads=threads)
        compares = [compare] * len(expected) if callable(compare) else compare
        definitions = self.program.definitions()
        for result, left, right, same in zip(self.program.results, expected, actual, compares, strict=True):
            try:
                same(left, right)
            except AssertionError as difference:
                difference.add_note(f"in {definitions[result]} {dict(definitions[result].attributes)}")
                raise


def one_primitive(
    primitive: str,
    operands: Sequence[tuple[str, Sequence[str | int]]],
    attributes: dict[str, Hashable] | None = None,
    allow_host: bool = False,
) -> Differential:
    """A program that applies one primitive to parameters `p0`, `p1` ... of given element types and shapes."""
    frozen = tuple((dtype, tuple(shape)) for dtype, shape in operands)
    return _one_primitive(primitive, frozen, tuple((attributes or {}).items()), allow_host)


@functools.cache
def _one_primitive(
    primitive: str,
    operands: tuple[tuple[str, tuple[str | int, ...]], ...],
    attributes: tuple[tuple[str, Hashable], ...],
    allow_host: bool,
) -> Differential:
    program = SymbolicProgram()
    values = [program.parameter(f"p{k}", dtype, shape) for k, (dtype, shape) in enumerate(operands)]
    return program.compile(program.apply(primitive, *values, **dict(attributes)), allow_host=allow_host)


def named(*operands: np.ndarray) -> dict[str, np.ndarray]:
    """Feeds for `one_primitive`."""
    return {f"p{k}": operand for k, operand in enumerate(operands)}


# --- tolerances


def within_ulps(ulps: float, absolute: float = 0.0) -> Compare:
    """Equal up to so many units in the last place, or an absolute error; NaN, infinities and signs of zeros agree."""

    def compare(expected: np.ndarray, actual: np.ndarray) -> None:
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
        wide = np.longdouble if expected.dtype == np.float64 else np.float64
        same = (expected == actual) | (np.isnan(expected) & np.isnan(actual))
        with np.errstate(all="ignore"):
            unit = np.spacing(np.minimum(np.abs(expected), np.finfo(expected.dtype).max)).astype(wide)
            distance = np.abs(actual.astype(wide) - expected.astype(wide))
            wrong = ~same & ~(distance <= np.maximum(ulps * unit, absolute))
        wrong |= (expected == 0) & (actual == 0) & (np.signbit(expected) != np.signbit(actual))
        assert not wrong.any(), f"expected {expected[wrong][:5]}, got {actual[wrong][:5]}, {distance[wrong][:5]} apart"

    return compare


def within_error(error: np.ndarray | float) -> Compare:
    """Equal up to an absolute error for each element; NaN and infinities agree."""

    def compare(expected: np.ndarray, actual: np.ndarray) -> None:
        assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
        with np.errstate(all="ignore"):
            close = np.abs(actual - expected) <= error
        same = close | (actual == expected) | (np.isnan(actual) & np.isnan(expected))
        assert same.all(), f"expected {expected[~same][:5]}, got {actual[~same][:5]}"

    return compare
