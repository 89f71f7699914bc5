"""Builds programs: emits typed instructions, and knows what sizes and shape computations are worth.

Lowering rules call this. Three things happen on the way that they need not care about: operands broadcast as in NumPy;
arithmetic on sizes (`tf.shape(x)[0] * 2`) stays symbolic, so that shapes computed in the graph are known shapes; and a
question about unknown sizes ("is n the same as m?") is answered by the sizes of the call at hand (`hints`) and
recorded as a guard, under which the program may be used again.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from sessile.ir import primitives as _registered
from sessile.ir.primitive import PRIMITIVES, ProgramError
from sessile.ir.program import RELATIONS, Guard, Instruction, Location, Program, Region, SizeSource, Value
from sessile.ir.sizes import (
    AXIS_PREFIX,
    Size,
    SizeExpression,
    evaluate,
    is_never_negative,
    product,
    symbol,
    symbols_of,
)
from sessile.ir.symbolic_values import known_result, known_sizes_limit, wrapped
from sessile.ir.types import NUMPY_DTYPES, TensorType, element_type_of

assert _registered

Operand = Value | bool | int | float | complex | np.generic
Shape = tuple[Size, ...]
OPPOSITE = {"==": "!=", "!=": "=="}


class ProgramBuilder:
    """Collects the instructions of one program."""

    def __init__(self, name: str = "program", hints: Mapping[str, int] | None = None) -> None:
        self.name = name
        self.hints: dict[str, int] = dict(hints or {})
        self.symbols: dict[str, SizeSource] = {}
        self.guards: dict[Guard, None] = {}
        self.locations: tuple[Location, ...] = ()
        self.value_hints: dict[Value, np.ndarray] = {}
        self._instructions: list[Instruction] = []
        self._next_id = 0
        self._known: dict[Value, np.ndarray] = {}
        self._constants: dict[tuple[str, tuple[int, ...], bytes], Value] = {}

    # --- instructions

    def emit(self, name: str, /, *operands: Value, **attributes: Any) -> Any:
        """Appends an instruction; returns its result, or the tuple of them if there is not just one."""
        types = self._result_types(name, operands, attributes)
        known = known_result(name, [self._known.get(operand) for operand in operands], attributes)
        if known is not None:
            return self.sizes(wrapped(known, types[0].dtype), dtype=types[0].dtype)
        return self._append(name, operands, attributes, types)

    def emit_structured(
        self, name: str, /, operands: Sequence[Value], regions: tuple[Region, ...], **attributes: Any
    ) -> tuple[Value, ...]:
        """Appends an instruction with regions; returns its results."""
        types = tuple(operand.type for operand in operands)
        PRIMITIVES[name].verify_regions(types, regions)
        inferred = PRIMITIVES[name].infer(*types, regions=regions, **attributes)
        assert isinstance(inferred, tuple)
        results = tuple(self.new_value(type) for type in inferred)
        self._instructions.append(
            Instruction(PRIMITIVES[name], tuple(operands), attributes, results, self.locations, regions)
        )
        return results

    @contextmanager
    def region(self, types: Sequence[TensorType]) -> Iterator[RegionBuilder]:
        """Collects what is emitted inside as a region with parameters of `types`; set its `results` before leaving."""
        outer, constants = self._instructions, self._constants
        self._instructions, self._constants = [], {}
        body = RegionBuilder(tuple(self.new_value(type) for type in types))
        try:
            yield body
            body.region = Region(body.parameters, tuple(self._instructions), tuple(body.results))
        finally:
            self._instructions, self._constants = outer, constants

    def finish(self, results: Sequence[Value]) -> Program:
        """The program that returns `results`."""
        return Program(self.name, tuple(self._instructions), tuple(results), dict(self.symbols), tuple(self.guards))

    def new_value(self, type: TensorType) -> Value:
        value = Value(self._next_id, type)
        self._next_id += 1
        return value

    def _result_types(
        self, name: str, operands: tuple[Value, ...], attributes: Mapping[str, Any]
    ) -> tuple[TensorType, ...]:
        inferred = PRIMITIVES[name].infer(*(operand.type for operand in operands), **attributes)
        return inferred if isinstance(inferred, tuple) else (inferred,)

    def _append(
        self,
        name: str,
        operands: tuple[Value, ...],
        attributes: Mapping[str, Any],
        types: tuple[TensorType, ...],
    ) -> Any:
        results = tuple(self.new_value(type) for type in types)
        self._instructions.append(Instruction(PRIMITIVES[name], operands, attributes, results, self.locations))
        return results[0] if len(results) == 1 else results

    # --- constants and sizes

    def constant(self, value: Any, dtype: str | None = None) -> Value:
        """A constant; equal ones are one value."""
        array = _own_array(value, dtype)
        if array.dtype == object:
            return self._append("constant", (), {"value": array}, (TensorType("string", array.shape),))
        array.setflags(write=False)
        key = (array.dtype.str, array.shape, array.tobytes() if array.size <= 64 else b"")
        if array.size <= 64 and key in self._constants:
            return self._constants[key]
        type = TensorType(element_type_of(array.dtype), array.shape)
        result = self._append("constant", (), {"value": array}, (type,))
        if array.size <= 64:
            self._constants[key] = result
        if type.dtype in ("i32", "i64") and array.size <= known_sizes_limit:
            self._known[result] = array
        return result

    def sizes(self, values: Sequence[Size] | np.ndarray, dtype: str = "i32") -> Value:
        """Sizes as a tensor of the rank that `values` has: a vector, a scalar for an array of rank 0 ..."""
        array = np.array(values, dtype=object)
        if all(not isinstance(size, SizeExpression) for size in array.flat):
            return self.constant(array.astype(NUMPY_DTYPES[dtype]))
        type = TensorType(dtype, array.shape)
        if array.ndim > 1:
            result = self._append("reshape", (self.sizes(array.ravel(), dtype),), {"shape": array.shape}, (type,))
        else:
            attributes = {"values": tuple(array.flat), "dtype": dtype, "scalar": array.ndim == 0}
            result = self._append("sizes", (), attributes, (type,))
        self._known[result] = array
        return result

    def known(self, value: Value) -> np.ndarray | None:
        """What is known of a value of whole numbers: an array of `int` and `SizeExpression`, or None."""
        return self._known.get(value)

    def known_numbers(self, value: Value) -> np.ndarray | None:
        """The value where it is known to the last number, otherwise None."""
        known = self._known.get(value)
        if known is None or any(isinstance(size, SizeExpression) for size in known.flat):
            return None
        return known.astype(np.int64)

    def sizes_of(self, value: Value) -> list[Size]:
        """The elements of a tensor of whole numbers as sizes; unknown ones become symbols bound while running."""
        known = self._known.get(value)
        if known is not None:
            return [size if isinstance(size, SizeExpression) else int(size) for size in known.flat]
        shape = [self.number(size) for size in value.type.shape]
        values = self.retype(value, shape)
        values = values if value.type.dtype in ("i32", "i64") else self.convert(values, "i64")
        hinted = self.value_hints.get(value)
        hints = [None] * math.prod(shape) if hinted is None else hinted.ravel().tolist()
        names = tuple(self.new_symbol(SizeSource("value", f"%{values.id}", k), hint) for k, hint in enumerate(hints))
        self._append("bind_sizes", (values,), {"names": names}, ())
        sizes = np.array([symbol(name) for name in names], object).reshape(shape)
        self._known[value] = sizes
        return list(sizes.flat)

    def new_symbol(self, source: SizeSource, hint: int | None = None) -> str:
        """The name of a new unknown size."""
        name = f"{AXIS_PREFIX if source.kind in ('parameter', 'variable') else 's'}{len(self.symbols)}"
        self.symbols[name] = source
        if hint is not None:
            self.hints[name] = hint
        return name

    # --- questions about sizes, answered by the hints and kept as guards

    def hint(self, size: Size) -> int | None:
        """The size in the call at hand, if that is known."""
        return evaluate(size, self.hints) if symbols_of(size) <= self.hints.keys() else None

    def decide(self, left: Size, relation: str, right: Size) -> bool:
        """Whether the relation holds; an open question is answered by the hints (without them: yes) and guarded."""
        difference = left - right
        certain = _certain(difference, relation)
        if certain is not None:
            return certain
        known = self.hint(difference)
        holds = known is None or RELATIONS[relation](known, 0)
        if holds:
            self._guard(left, relation, right)
        elif relation == ">=":
            self._guard(left + 1, "<=", right)
        elif relation == "<=":
            self._guard(left, ">=", right + 1)
        else:
            self._guard(left, OPPOSITE[relation], right)
        return holds

    def _guard(self, left: Size, relation: str, right: Size) -> None:
        if relation in OPPOSITE and (isinstance(left, int), str(left)) > (isinstance(right, int), str(right)):
            left, right = right, left  # one order, so that one question has one guard
        self.guards[Guard(left, relation, right)] = None

    def number(self, size: Size) -> int:
        """The size as a number; the program then serves this number alone."""
        if isinstance(size, int):
            return size
        known = self.hint(size)
        if known is None:
            raise ProgramError(f"the size {size} depends on data, and is needed before the program runs")
        self._guard(size, "==", known)
        return known

    def retype(self, x: Value, shape: Sequence[Size]) -> Value:
        """`x` under a shape that is the same by the guards."""
        return x if x.type.shape == tuple(shape) else self.emit("reshape", x, shape=tuple(shape))

    def broadcast_shapes(self, *shapes: Shape) -> Shape:
        """The shape that all broadcast to. Raises ProgramError when they do not."""
        rank = max(map(len, shapes), default=0)
        result: list[Size] = []
        for axis in range(rank):
            sizes = [shape[axis - rank + len(shape)] for shape in shapes if axis >= rank - len(shape)]
            result.append(self._broadcast_sizes(sizes, shapes))
        return tuple(result)

    def _broadcast_sizes(self, sizes: list[Size], shapes: tuple[Shape, ...]) -> Size:
        chosen: Size = 1
        for size in sizes:
            if size == chosen or size == 1:
                continue
            if chosen == 1:
                chosen = size
            elif self.decide(size, "==", chosen):
                chosen = chosen if isinstance(chosen, int) else size
            elif isinstance(chosen, SizeExpression) and self.decide(chosen, "==", 1):
                chosen = size
            elif not (isinstance(size, SizeExpression) and self.decide(size, "==", 1)):
                texts = " vs. ".join(str(list(self._shown(shape))) for shape in shapes)
                raise ProgramError(f"Incompatible shapes: {texts}")
        return chosen

    def _shown(self, shape: Shape) -> list[Size]:
        hinted = (self.hint(size) for size in shape)
        return [size if known is None else known for size, known in zip(shape, hinted, strict=True)]

    # --- movement

    def broadcast_to(self, x: Value, shape: Sequence[Size]) -> Value:
        """`x` repeated to `shape`, aligned at the last axis. Raises ProgramError when it does not fit."""
        shape = tuple(shape)
        if x.type.shape == shape:
            return x
        offset = len(shape) - x.type.rank
        if offset < 0:
            raise ProgramError(f"{x.type} does not broadcast to {list(shape)}")
        own: list[Size] = []
        for size, wanted in zip(x.type.shape, shape[offset:], strict=True):
            if size == 1:
                own.append(1)
            elif size == wanted or self.decide(size, "==", wanted):
                own.append(wanted)
            elif self.decide(size, "==", 1):
                own.append(1)
            else:
                raise ProgramError(f"Incompatible shapes: {self._shown(x.type.shape)} to {self._shown(shape)}")
        x = self.retype(x, own)
        if x.type.shape == shape:
            return x
        return self.emit("broadcast", x, shape=shape, axes=tuple(range(offset, len(shape))))

    def exactly(self, x: Value, shape: Sequence[Size]) -> Value:
        """`x` under a shape that must be its own. Raises ProgramError when it is not."""
        shape = tuple(shape)
        fits = x.type.rank == len(shape)
        if not fits or not all(self.decide(own, "==", size) for own, size in zip(x.type.shape, shape, strict=True)):
            raise ProgramError(f"shapes differ: {self._shown(shape)} and {self._shown(x.type.shape)}")
        return self.retype(x, shape)

    def reshape(self, x: Value, shape: Sequence[Size]) -> Value:
        """The same elements under another shape."""
        shape = tuple(shape)
        return x if x.type.shape == shape else self.emit("reshape", x, shape=shape)

    def expand_dims(self, x: Value, axes: Sequence[int]) -> Value:
        """`x` with axes of size 1 where `axes` (places in the result) say."""
        sizes = iter(x.type.shape)
        rank = x.type.rank + len(axes)
        return self.reshape(x, [1 if axis in axes else next(sizes) for axis in range(rank)])

    def transpose(self, x: Value, permutation: Sequence[int]) -> Value:
        """Axis `k` of the result is axis `permutation[k]` of `x`."""
        if list(permutation) == list(range(x.type.rank)):
            return x
        return self.emit("transpose", x, permutation=tuple(permutation))

    def slice(
        self,
        x: Value,
        starts: Sequence[Size],
        shape: Sequence[Size],
        strides: Sequence[int] | None = None,
    ) -> Value:
        """A part of `x`: from `starts`, `shape` elements, every `strides`-th."""
        steps = tuple(strides) if strides is not None else (1,) * x.type.rank
        if tuple(shape) == x.type.shape and all(s == 0 for s in starts) and all(s == 1 for s in steps):
            return x
        return self.emit("slice", x, starts=tuple(starts), shape=tuple(shape), strides=steps)

    def pad(
        self,
        x: Value,
        low: Sequence[Size],
        high: Sequence[Size],
        value: Operand = 0,
        interior: Sequence[Size] | None = None,
    ) -> Value:
        """`x` with copies of `value` around it, `interior` of them between elements."""
        gaps = tuple(interior) if interior is not None else (0,) * x.type.rank
        return self.emit("pad", x, self.operand(value, x.type.dtype), low=tuple(low), high=tuple(high), interior=gaps)

    def concat(self, operands: Sequence[Value], axis: int) -> Value:
        """The operands one after the other along `axis`; their other sizes are the same."""
        if len(operands) == 1:
            return operands[0]
        first = operands[0].type
        matched = [operands[0]]
        for operand in operands[1:]:
            matched.append(self._match(operand, first.shape, but=axis))
        return self.emit("concat", *matched, axis=axis)

    def _match(self, x: Value, shape: Shape, but: int) -> Value:
        if x.type.rank != len(shape):
            raise ProgramError(f"ranks differ: {self._shown(x.type.shape)} and {self._shown(shape)}")
        sizes = list(x.type.shape)
        for axis, (own, other) in enumerate(zip(x.type.shape, shape, strict=True)):
            if axis != but and own != other:
                if not self.decide(own, "==", other):
                    raise ProgramError(
                        f"shapes differ at axis {axis}: {self._shown(x.type.shape)} and {self._shown(shape)}"
                    )
                sizes[axis] = other
        return self.retype(x, sizes)

    def fill(self, shape: Sequence[Size], value: Operand, dtype: str) -> Value:
        """A tensor of `shape` that holds `value` everywhere."""
        return self.broadcast_to(self.operand(value, dtype), tuple(shape))

    def iota(self, shape: Sequence[Size], axis: int, dtype: str) -> Value:
        """The index along `axis`."""
        return self.emit("iota", shape=tuple(shape), axis=axis, dtype=dtype)

    # --- arithmetic

    def operand(self, value: Operand, dtype: str) -> Value:
        """`value` as a value; Python numbers become constants of `dtype`."""
        return value if isinstance(value, Value) else self.constant(value, dtype)

    def map(self, function: str, *operands: Operand) -> Value:
        """Applies a scalar function; operands broadcast against each other; numbers take the others' type."""
        return self.emit("map", *self._together(operands), function=function)

    def select(self, condition: Value, x: Operand, y: Operand) -> Value:
        """`x` where the condition holds, `y` elsewhere; all three broadcast."""
        x, y = self._numbers_typed((x, y))
        return self.emit("select", *self._broadcast((condition, x, y)))

    def convert(self, x: Value, dtype: str) -> Value:
        """`x` in another element type."""
        return x if x.type.dtype == dtype else self.emit("convert", x, dtype=dtype)

    def reduce(self, function: str, x: Value, axes: Sequence[int], keep: bool = False) -> Value:
        """Combines the elements along `axes`; `keep` leaves axes of size 1 in their place."""
        result = x
        if axes:
            result = self.emit("reduce", x, function=function, axes=tuple(sorted(axes)))
        return self.expand_dims(result, sorted(axes)) if keep else result

    def contract(
        self,
        a: Value,
        b: Value,
        contracting: tuple[Sequence[int], Sequence[int]],
        batch: tuple[Sequence[int], Sequence[int]] = ((), ()),
    ) -> Value:
        """Sums products over the `contracting` axes, side by side over the `batch` axes."""
        sizes = list(b.type.shape)
        for pairs in (contracting, batch):
            for i, j in zip(*pairs, strict=True):
                if not self.decide(a.type.shape[i], "==", b.type.shape[j]):
                    shapes = f"In[0]: {self._shown(a.type.shape)}, In[1]: {self._shown(b.type.shape)}"
                    raise ProgramError(f"Matrix size-incompatible: {shapes}")
                sizes[j] = a.type.shape[i]
        return self.emit(
            "contract",
            a,
            self.retype(b, sizes),
            contracting=(tuple(contracting[0]), tuple(contracting[1])),
            batch=(tuple(batch[0]), tuple(batch[1])),
        )

    def _numbers_typed(self, operands: Sequence[Operand]) -> list[Value]:
        dtype = next((o.type.dtype for o in operands if isinstance(o, Value)), "f32")
        return [self.operand(operand, dtype) for operand in operands]

    def _together(self, operands: Sequence[Operand]) -> list[Value]:
        return self._broadcast(self._numbers_typed(operands))

    def _broadcast(self, operands: Sequence[Value]) -> list[Value]:
        shapes = [operand.type.shape for operand in operands]
        if all(shape == shapes[0] for shape in shapes[1:]):
            return list(operands)
        shape = self.broadcast_shapes(*shapes)
        return [operand if not operand.type.rank else self.broadcast_to(operand, shape) for operand in operands]

    def add(self, x: Operand, y: Operand) -> Value:
        return self.map("add", x, y)

    def sub(self, x: Operand, y: Operand) -> Value:
        return self.map("sub", x, y)

    def mul(self, x: Operand, y: Operand) -> Value:
        return self.map("mul", x, y)

    def div(self, x: Operand, y: Operand) -> Value:
        """True division, for floating and complex types."""
        return self.map("div", x, y)

    def max(self, x: Operand, y: Operand) -> Value:
        return self.map("max", x, y)

    def min(self, x: Operand, y: Operand) -> Value:
        return self.map("min", x, y)

    def neg(self, x: Value) -> Value:
        return self.map("neg", x)

    def exp(self, x: Value) -> Value:
        return self.map("exp", x)

    def log(self, x: Value) -> Value:
        return self.map("log", x)

    def count(self, x: Value, axes: Sequence[int], dtype: str) -> Value:
        """How many elements lie along `axes`, as a scalar of `dtype`."""
        size = product(x.type.shape[axis] for axis in axes)
        if isinstance(size, int):
            return self.constant(size, dtype)
        return self.convert(self.sizes(np.array(size, object), "i64"), dtype)


def _certain(difference: Size, relation: str) -> bool | None:
    """Whether `difference relation 0` holds for all values of the symbols; None if it depends on them."""
    if isinstance(difference, int):
        return RELATIONS[relation](difference, 0)
    is_positive, is_negative = is_never_negative(difference - 1), is_never_negative(-1 - difference)
    if is_positive or is_negative:
        return RELATIONS[relation](1 if is_positive else -1, 0)
    bounded = {">=": difference, "<=": -difference}.get(relation)
    return True if bounded is not None and is_never_negative(bounded) else None


def _own_array(value: Any, dtype: str | None) -> np.ndarray:
    """`value` as an array in native byte order that nobody else can write to; strings as objects."""
    array = np.asarray(value, NUMPY_DTYPES[dtype] if dtype else None)
    if array.dtype.kind in "SU":
        array = array.astype(object)
    elif not array.dtype.isnative:
        array = array.astype(array.dtype.newbyteorder("="))
    return array.copy() if isinstance(value, np.ndarray) and array.flags.writeable else array


class RegionBuilder:
    """A region being built: its parameters, and the results to set."""

    def __init__(self, parameters: tuple[Value, ...]) -> None:
        self.parameters = parameters
        self.results: Sequence[Value] = ()
        self.region: Region = Region(parameters, (), ())
