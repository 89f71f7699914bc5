"""What families of operations share: definitions of unary and binary elementwise operations.

Modules of operations refer to each other as modules (`comparison.Equal`), since gradients need them in circles; this
one refers to none of them, so that it can be imported by name.
"""

from __future__ import annotations

from typing import Any, ClassVar

from sessile.graph.constant_value import on_known
from sessile.graph.dtypes import COMPLEX, FLOATING, NUMERIC
from sessile.graph.op_definition import OpDefinition
from sessile.graph.shape_rules import broadcast
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

ANALYTIC = FLOATING | COMPLEX


class UnaryElementwise(OpDefinition):
    """Base of operations that apply one scalar function to each element."""

    inputs = {"x": "T"}
    attributes = {"T": ANALYTIC}
    outputs = {"y": "T"}
    function = ""

    def infer(self, x: Tensor) -> TensorShape:
        return x._shape

    def lower(self, b: Any, x: Any) -> Any:
        return b.map(self.function, x)


class BinaryElementwise(OpDefinition):
    """Base of operations that combine two tensors of one type, element by element."""

    inputs = {"x": "T", "y": "T"}
    attributes = {"T": NUMERIC}
    outputs = {"z": "T"}
    function = ""
    python_function: ClassVar[Any] = None

    def infer(self, x: Tensor, y: Tensor) -> TensorShape:
        return broadcast(x, y)

    def fold(self, known: Any, x: Tensor, y: Tensor) -> Any:
        function = type(self).python_function
        return None if function is None else on_known(function, known(x), known(y))

    def lower(self, b: Any, x: Any, y: Any) -> Any:
        return b.map(self.function, x, y)


def is_value(x: Any) -> bool:
    """Whether `x` is a value of a program, and not a size."""
    return hasattr(x, "type")


def sizes_not_negative(b: Any, value: Any) -> tuple[Any, ...]:
    """The elements of a tensor of whole numbers as the sizes of a result; the run fails where one is negative."""
    sizes = tuple(b.sizes_of(value))
    for size in sizes:
        b.require(b.decide(size, ">=", 0), f"Dimension {b.shown(size)} must be >= 0")
    return sizes


def numbers_of(b: Any, value: Any) -> list[int]:
    """The whole numbers in a value of the program that `b` builds, which then serves these numbers alone."""
    return [b.number(size) for size in b.sizes_of(value)]


def is_left_open(b: Any, size: Any) -> bool:
    """Whether a size is -1 in the call at hand; the program then serves -1 alone."""
    return b.hint(size) == -1 and b.number(size) == -1


def axes_of(b: Any, value: Any, rank: int) -> list[int]:
    """The axes that a value names, counted from the front; one that does not exist is an error of the run."""
    axes = numbers_of(b, value)
    for axis in axes:
        b.require(-rank <= axis < rank, f"Invalid reduction dimension ({axis} for input with {rank} dimension(s)")
    return [axis % rank for axis in axes]


def part(b: Any, x: Any, axis: int, start: Any, count: Any) -> Any:
    """`count` elements of `x` along one axis, from `start` on."""
    starts, shape = [0] * x.type.rank, list(x.type.shape)
    starts[axis], shape[axis] = start, count
    return b.slice(x, starts, shape)
