"""Random programs with inputs, for hypothesis.

All floating numbers in them stay small multiples of a power of two, besides NaN, infinities and -0.0: every sum is then
exact, so that its value does not depend on the order of the additions and two ways of computing must agree to the bit.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.program_cases import HERE, ProgramCase

from sessile.ir.builder import ProgramBuilder
from sessile.ir.primitive import ProgramError
from sessile.ir.program import SizeSource, Value
from sessile.ir.sizes import Size, symbol
from sessile.ir.types import FLOATS, NUMPY_DTYPES, TensorType

NUMBER_TYPES = ("f32", "f64", "i32")
_SPECIAL = (0.0, -0.0, math.nan, math.inf, -math.inf)
_EXACT_BITS = {"f16": 10, "f32": 23, "f64": 52}


@st.composite
def program_cases(draw: Any, max_steps: int = 12, steps: Sequence[str] | None = None) -> ProgramCase:
    """A random program of at most `max_steps` steps (of the named ones), with inputs that it accepts."""
    maker = ProgramMaker(draw)
    maker.add_inputs()
    names = sorted(steps or STEPS)
    for _ in range(draw(st.integers(1, max_steps))):
        maker.step(draw(st.sampled_from(names)))
    return maker.finish()


@dataclass(frozen=True)
class Grid:
    """What is known of a value's finite numbers: multiples of 2**-bits, at most `bound` in magnitude."""

    bound: int
    bits: int = 0

    def fits(self, dtype: str) -> bool:
        """Whether sums of such numbers are exact in an element type."""
        return self.bound << self.bits <= 1 << _EXACT_BITS.get(dtype, 31)


class ProgramMaker:
    """Builds one program: a pool of values, and steps that each make a new one of some in the pool."""

    def __init__(self, draw: Callable[[Any], Any]) -> None:
        self.draw = draw
        self.builder = ProgramBuilder("random")
        self.builder.locations = HERE
        self.pool: list[Value] = []
        self.grids: dict[Value, Grid] = {}
        self.parameters: dict[str, np.ndarray] = {}
        self.variables: dict[str, np.ndarray] = {}

    # --- choices

    def choose(self, items: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(list(items)))

    def pick(self, accept: Callable[[Value], bool] = lambda value: True) -> Value | None:
        """A value of the pool that is accepted, often a late one; None if there is none."""
        accepted = [value for value in self.pool if accept(value)]
        if not accepted:
            return None
        return self.choose(accepted[-2:] if self.draw(st.booleans()) else accepted)

    def array(self, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
        """Small whole numbers, some halves, and special values."""
        random = np.random.default_rng(self.draw(st.integers(0, 1 << 16)))
        if dtype == "bool":
            return random.random(shape) < 0.5
        numbers = random.integers(-4, 5, shape).astype(NUMPY_DTYPES[dtype])
        if dtype in FLOATS:
            numbers = np.where(random.random(shape) < 0.2, random.choice(_SPECIAL, shape), numbers)
            numbers = np.where(random.random(shape) < 0.2, numbers / 2, numbers)
        return numbers.astype(NUMPY_DTYPES[dtype])

    # --- values

    def keep(self, value: Value, grid: Grid) -> Value | None:
        """Adds a value to the pool, unless its numbers could be inexact."""
        if value.type.dtype in FLOATS and not grid.fits(value.type.dtype):
            return None
        wrapped = grid if grid.fits(value.type.dtype) else Grid(1 << 31)
        known = self.grids.get(value)  # a rewriting builder may hand out a value twice
        self.grids[value] = wrapped if known is None else Grid(max(known.bound, grid.bound), max(known.bits, grid.bits))
        if value not in self.pool:
            self.pool.append(value)
        return value

    def constant(self, number: Any, dtype: str) -> Value:
        value = self.builder.constant(number, dtype)
        self.grids[value] = Grid(4, 1 if dtype in FLOATS else 0)
        return value

    def add_inputs(self) -> None:
        """Two or three parameters, some with an unknown first size, a variable, and a size that depends on data."""
        n = self.choose((0, 1, 2, 3, 5))
        for k in range(self.draw(st.integers(2, 3))):
            dtype = self.choose((*NUMBER_TYPES, "bool"))
            shape: list[Size] = [self.choose((1, 2, 3)) for _ in range(self.draw(st.integers(0, 2)))]
            number = list(shape)
            if self.draw(st.booleans()):
                name = self.builder.new_symbol(SizeSource("parameter", f"x{k}", 0), n)
                shape, number = [symbol(name), *shape], [n, *number]
            value = self.builder.emit("parameter", name=f"x{k}", dtype=dtype, shape=tuple(shape))
            self.parameters[f"x{k}"] = self.array(dtype, tuple(map(int, number)))
            self.keep(value, Grid(4, 1))
        self.variables["v"] = self.array("f32", (2, 3))
        self.keep(self.builder.emit("read_variable", name="v", dtype="f32", shape=(2, 3)), Grid(4, 1))
        if self.draw(st.booleans()):
            self._add_size_from_data()

    def _add_size_from_data(self) -> None:
        count = np.array(self.choose((0, 1, 2, 4)), np.int32)
        self.parameters["count"] = count
        value = self.builder.emit("parameter", name="count", dtype="i32", shape=())
        self.builder.value_hints[value] = count
        (size,) = self.builder.sizes_of(value)
        self.keep(self.builder.iota((size, 2), 0, "f32"), Grid(4))
        self.keep(self.builder.fill((size,), self.constant(-0.0, "f32"), "f32"), Grid(4, 1))

    def step(self, name: str) -> None:
        """Adds what the named step makes; nothing where it does not fit the pool."""
        try:
            made = STEPS[name](self)
        except ProgramError:
            return  # sizes that do not go together
        if made is not None:
            self.keep(*made)

    def finish(self) -> ProgramCase:
        """The program that returns some of the pool, and perhaps writes the variable."""
        results = [self.choose(self.pool) for _ in range(self.draw(st.integers(1, 3)))]
        fitting = self.pick(lambda value: value.type == TensorType("f32", (2, 3)))
        if fitting is not None and self.draw(st.booleans()):
            self.builder.emit("write_variable", fitting, name="v")
        program = self.builder.finish([*results, self.pool[-1]])
        return ProgramCase(program, self.parameters, self.variables, dict(self.builder.hints))

    def size(self, value: Value, axis: int) -> int:
        """A size in the case at hand."""
        known = self.builder.hint(value.type.shape[axis])
        assert known is not None
        return known

    def count(self, value: Value, axes: Sequence[int]) -> int:
        return math.prod(self.size(value, axis) for axis in axes)


Made = tuple[Value, Grid] | None
STEPS: dict[str, Callable[[ProgramMaker], Made]] = {}


def step(function: Callable[[ProgramMaker], Made]) -> Callable[[ProgramMaker], Made]:
    """Decorator: adds a step to the table, under its name."""
    STEPS[function.__name__] = function
    return function


def _is_number(value: Value) -> bool:
    return value.type.dtype in NUMBER_TYPES


def _is_float(value: Value) -> bool:
    return value.type.dtype in FLOATS


def _has_axes(value: Value) -> bool:
    return value.type.rank > 0


def _second(maker: ProgramMaker, x: Value) -> Value:
    """A value to go with another: of the pool, a constant, or the same."""
    way = maker.choose(("pool", "scalar", "array", "same"))
    if way == "pool":
        fitting = maker.pick(lambda value: value.type in (x.type, x.type.with_shape(())))
        if fitting is not None:
            return fitting
    if way == "same":
        return x
    if way == "array" and not x.type.symbols():
        return maker.constant(maker.array(x.type.dtype, x.type.bound({})), x.type.dtype)
    if x.type.dtype == "bool":
        return maker.constant(maker.choose((True, False)), "bool")
    numbers = (0, 1, -1, 2, 3) if x.type.dtype == "i32" else (0.0, -0.0, 1.0, -1.0, 2.0, 0.5, math.inf, math.nan)
    scalar = maker.constant(maker.choose(numbers), x.type.dtype)
    if not maker.draw(st.booleans()):
        return scalar
    repeated = maker.builder.broadcast_to(scalar, x.type.shape)
    maker.grids[repeated] = maker.grids[scalar]
    return repeated


@step
def arithmetic(maker: ProgramMaker) -> Made:
    x = maker.pick(_is_number)
    if x is None:
        return None
    y = _second(maker, x)
    a, b = maker.grids[x], maker.grids[y]
    function = maker.choose(("add", "sub", "mul", "max", "min"))
    operands = (x, y) if maker.draw(st.booleans()) else (y, x)
    result = maker.builder.map(function, *operands)
    if function in ("max", "min"):
        # The sign of a zero is open there; adding 0.0 settles it.
        return maker.builder.add(result, 0), Grid(max(a.bound, b.bound), max(a.bits, b.bits))
    if function == "mul":
        return result, Grid(a.bound * b.bound, a.bits + b.bits)
    return result, Grid(a.bound + b.bound, max(a.bits, b.bits))


@step
def unary(maker: ProgramMaker) -> Made:
    x = maker.pick(_is_number)
    if x is None:
        return None
    functions = ["neg", "abs", *(("floor", "ceil", "rint", "trunc") if _is_float(x) else ())]
    return maker.builder.map(maker.choose(functions), x), Grid(maker.grids[x].bound + 1, maker.grids[x].bits)


@step
def halve(maker: ProgramMaker) -> Made:
    x = maker.pick(_is_float)
    if x is None:
        return None
    divisor = maker.choose((1.0, 2.0, -4.0, 0.5))
    return maker.builder.div(x, divisor), Grid(maker.grids[x].bound * 2, maker.grids[x].bits + 2)


@step
def power(maker: ProgramMaker) -> Made:
    x = maker.pick(_is_number)
    if x is None:
        return None
    exponent, grid = maker.choose((0, 1, 2, 3)), maker.grids[x]
    made = Grid(max(grid.bound, 1) ** exponent, grid.bits * exponent)
    if not made.fits(x.type.dtype):
        return None
    return maker.builder.map("pow", x, maker.builder.constant(exponent, x.type.dtype)), made


@step
def whole_quotient(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: value.type.dtype == "i32")
    if x is None:
        return None
    function = maker.choose(("floor_div", "floor_mod", "truncated_div", "truncated_mod"))
    return maker.builder.map(function, x, maker.choose((1, 2, -3))), Grid(maker.grids[x].bound + 3)


@step
def compare(maker: ProgramMaker) -> Made:
    x = maker.pick()
    assert x is not None
    functions = ("eq", "ne", "and", "or", "xor") if x.type.dtype == "bool" else ("eq", "ne", "lt", "le", "gt", "ge")
    return maker.builder.map(maker.choose(functions), x, _second(maker, x)), Grid(1)


@step
def negate_truth(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: value.type.dtype == "bool")
    return None if x is None else (maker.builder.map("not", x), Grid(1))


@step
def select(maker: ProgramMaker) -> Made:
    condition = maker.pick(lambda value: value.type.dtype == "bool")
    x = maker.pick()
    if condition is None or x is None:
        return None
    y = _second(maker, x)
    a, b = maker.grids[x], maker.grids[y]
    return maker.builder.select(condition, x, y), Grid(max(a.bound, b.bound), max(a.bits, b.bits))


@step
def convert(maker: ProgramMaker) -> Made:
    x = maker.pick()
    assert x is not None
    dtype = maker.choose((*NUMBER_TYPES, "i64", "bool", "f16"))
    grid = maker.grids[x]
    if dtype in FLOATS and not grid.fits(dtype):
        return None
    result = maker.builder.convert(x if dtype in FLOATS else _finite(maker, x), dtype)
    if dtype in ("f16", "i64"):
        result = maker.builder.convert(result, "f32")  # no step would take those types
    return result, Grid(grid.bound + 1, grid.bits)


def _finite(maker: ProgramMaker, x: Value) -> Value:
    """What becomes of NaN and infinities as whole numbers is open, so they are taken out before."""
    return maker.builder.select(maker.builder.map("is_finite", x), x, 0.0) if _is_float(x) else x


def _moved(maker: ProgramMaker, x: Value, result: Value) -> Made:
    return result, maker.grids[x]


@step
def broadcast(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: value.type.rank < 3)
    if x is None:
        return None
    shape = [maker.choose((2, 3)) if size == 1 else size for size in x.type.shape]
    return _moved(maker, x, maker.builder.broadcast_to(x, [maker.choose((0, 1, 2)), *shape]))


@step
def expand(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: value.type.rank < 3)
    return None if x is None else _moved(maker, x, maker.builder.expand_dims(x, [maker.choose(range(x.type.rank + 1))]))


@step
def reshape(maker: ProgramMaker) -> Made:
    x = maker.pick(_has_axes)
    if x is None:
        return None
    shape = maker.choose(((x.type.size,), (1, *x.type.shape), tuple(size for size in x.type.shape if size != 1)))
    return _moved(maker, x, maker.builder.reshape(x, shape))


@step
def transpose(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: value.type.rank > 1)
    if x is None:
        return None
    return _moved(maker, x, maker.builder.transpose(x, maker.draw(st.permutations(range(x.type.rank)))))


@step
def slice_part(maker: ProgramMaker) -> Made:
    x = maker.pick(_has_axes)
    if x is None:
        return None
    starts, shape, strides = [], list(x.type.shape), []
    for axis, size in enumerate(x.type.shape):
        is_long = isinstance(size, int) and size > 1
        start, stride = (maker.choose((0, 0, 1)), maker.choose((1, 1, 2))) if is_long else (0, 1)
        starts.append(start)
        strides.append(stride)
        if is_long:
            shape[axis] = (size - start + stride - 1) // stride
    return _moved(maker, x, maker.builder.slice(x, starts, shape, strides))


@step
def pad(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: _has_axes(value) and _is_number(value))
    if x is None:
        return None
    low, high = ([maker.choose((0, 0, 1)) for _ in x.type.shape] for _ in range(2))
    return _moved(maker, x, maker.builder.pad(x, low, high, maker.choose((0, 1))))


@step
def concat(maker: ProgramMaker) -> Made:
    x = maker.pick(_has_axes)
    if x is None:
        return None
    y = maker.pick(lambda value: value.type.dtype == x.type.dtype and value.type.rank == x.type.rank)
    a, b = maker.grids[x], maker.grids[y]
    result = maker.builder.concat([x, y], maker.choose(range(x.type.rank)))
    return result, Grid(max(a.bound, b.bound), max(a.bits, b.bits))


@step
def reverse(maker: ProgramMaker) -> Made:
    x = maker.pick(_has_axes)
    if x is None:
        return None
    return _moved(maker, x, maker.builder.emit("reverse", x, axes=(maker.choose(range(x.type.rank)),)))


@step
def reduce(maker: ProgramMaker) -> Made:
    x = maker.pick(_has_axes)
    if x is None:
        return None
    axes = [axis for axis in range(x.type.rank) if maker.draw(st.booleans())]
    function = maker.choose(("and", "or") if x.type.dtype == "bool" else ("add", "max", "min"))
    grid, count = maker.grids[x], maker.count(x, axes)
    result = maker.builder.reduce(function, x, axes, keep=maker.draw(st.booleans()))
    if function in ("max", "min"):
        return maker.builder.add(result, 0), Grid(max(grid.bound, 1), grid.bits)
    return result, Grid(grid.bound * max(count, 1), grid.bits)


@step
def less_reduced(maker: ProgramMaker) -> Made:
    """Each row less something of the whole row, as in softmax and normalisations."""
    x = maker.pick(lambda value: _has_axes(value) and _is_number(value))
    if x is None:
        return None
    first = maker.choose(range(x.type.rank))
    axes = tuple(range(first, x.type.rank)) if maker.draw(st.booleans()) else (first,)
    function, grid = maker.choose(("add", "max")), maker.grids[x]
    row = maker.builder.reduce(function, x, axes, keep=True)
    bound = grid.bound * max(maker.count(x, axes), 1) if function == "add" else max(grid.bound, 1)
    if function == "max":
        row = maker.builder.select(maker.builder.map("lt", maker.builder.map("abs", row), 99), row, 1)
    result = maker.builder.sub(x, row)
    return maker.builder.add(result, 0), Grid(grid.bound + bound, grid.bits)


@step
def scan(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: _has_axes(value) and _is_number(value))
    if x is None:
        return None
    axis, exclusive, backwards = maker.choose(range(x.type.rank)), maker.draw(st.booleans()), maker.draw(st.booleans())
    result = maker.builder.emit("scan", x, function="add", axis=axis, exclusive=exclusive, reverse=backwards)
    return result, Grid(maker.grids[x].bound * max(maker.size(x, axis), 1), maker.grids[x].bits)


@step
def place_of_extreme(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: _has_axes(value) and _is_number(value))
    if x is None:
        return None
    axis = maker.choose(range(x.type.rank))
    if not maker.size(x, axis):
        return None
    return maker.builder.emit("arg_reduce", x, function=maker.choose(("max", "min")), axis=axis, dtype="i32"), Grid(9)


@step
def sort(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: _has_axes(value) and _is_number(value))
    if x is None:
        return None
    values, _ = maker.builder.emit("sort", x, descending=maker.draw(st.booleans()))
    return _moved(maker, x, values)


@step
def gather(maker: ProgramMaker) -> Made:
    x = maker.pick(_has_axes)
    if x is None:
        return None
    axis = maker.choose(range(x.type.rank))
    size = x.type.shape[axis]
    if maker.size(x, axis) and maker.draw(st.booleans()):
        indices = maker.builder.constant(maker.choose((0, [0], [[0, 0]])), "i32")
    else:
        indices = maker.builder.iota((size,), 0, "i32")
    return _moved(maker, x, maker.builder.emit("gather", x, indices, axis=axis, batch=0))


@step
def contract(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: _is_number(value) and value.type.rank > 0)
    if x is None:
        return None
    y = maker.pick(lambda value: value.type.dtype == x.type.dtype and value.type.rank > 0)
    i, j = maker.choose(range(x.type.rank)), maker.choose(range(y.type.rank))
    a, b = maker.grids[x], maker.grids[y]
    grid = Grid(a.bound * b.bound * max(maker.size(x, i), 1), a.bits + b.bits)
    if x.type.rank + y.type.rank > 5:
        return None
    return maker.builder.contract(x, y, ((i,), (j,))), grid


@step
def window_maximum(maker: ProgramMaker) -> Made:
    x = maker.pick(lambda value: _has_axes(value) and _is_number(value))
    if x is None:
        return None
    window, strides = ([maker.choose((1, 1, 2)) for _ in x.type.shape] for _ in range(2))
    padding = tuple((0, k - 1) for k in window)
    result = maker.builder.emit(
        "window_reduce", x, function="max", window=tuple(window), strides=tuple(strides), padding=padding
    )
    return maker.builder.add(result, 0), maker.grids[x]


@step
def branch(maker: ProgramMaker) -> Made:
    """A `cond` whose branches do a step or two on what they are given."""
    condition = maker.pick(lambda value: value.type == TensorType("bool"))
    x = maker.pick(_is_number)
    if x is None:
        return None
    if condition is None:
        condition = maker.builder.constant(maker.draw(st.booleans()))
    operands = [x, _second(maker, x)]
    regions = []
    for _ in range(2):
        with maker.builder.region([operand.type for operand in operands]) as body:
            a, b = body.parameters
            body.results = [maker.choose((a, maker.builder.sub(a, a), maker.builder.neg(maker.builder.neg(a)))), b]
        regions.append(body.region)
    result, _ = maker.builder.emit_structured("cond", (condition, *operands), tuple(regions))
    return result, Grid(maker.grids[x].bound * 2, maker.grids[x].bits)


@step
def loop(maker: ProgramMaker) -> Made:
    """A `while` that counts to a small number and changes a value at each turn."""
    x = maker.pick(_is_number)
    if x is None:
        return None
    builder, turns = maker.builder, maker.choose((0, 1, 3))
    operands = [builder.constant(0, "i32"), builder.constant(turns, "i32"), x, _second(maker, x)]
    types = [operand.type for operand in operands]
    with builder.region(types) as condition:
        count, limit, _, _ = condition.parameters
        condition.results = [builder.map("lt", count, limit)]
    with builder.region(types) as body:
        count, limit, value, other = body.parameters
        changed = maker.choose((builder.sub(1, value), builder.neg(value), value))
        body.results = [builder.add(count, 1), limit, changed, other]
    results = builder.emit_structured("while", operands, (condition.region, body.region))
    return results[2], Grid(maker.grids[x].bound + turns, maker.grids[x].bits)
