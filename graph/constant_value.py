"""What is known of a tensor's value before anything runs: constants, and computations on shapes.

An operation's definition says in `fold(known, inputs ...)` what it makes of what is known of its inputs. Known values
are NumPy arrays; where only some elements are known (`tf.shape` of [?, 3]), an array of objects holds int and None.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from sessile.graph.op_definition import OPS, OpDefinition
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, as_shape, unknown_shape

KnownValue = np.ndarray[Any, np.dtype[Any]]

_DEPTH_LIMIT = 64
_SIZE_LIMIT = 4096


@public("get_static_value", "contrib.util.constant_value")
def get_static_value(tensor: Any, partial: bool = False) -> Any:
    """The value of a tensor where the graph alone determines it, otherwise None; what is no tensor as it is.

    Args:
        tensor: a tensor, or anything else.
        partial: returns what is known where that is not all: an array of objects, None for unknown elements.
    """
    if isinstance(tensor, Tensor):
        return constant_value(tensor, partial)
    return None if hasattr(tensor, "_as_graph_element") else tensor  # a variable has its value in a session


def constant_value(tensor: Any, partial: bool = False) -> KnownValue | None:
    """The value of a tensor where the graph alone determines it, otherwise None.

    Args:
        tensor: the tensor.
        partial: returns what is known where that is not all: an array of objects, None for unknown elements.
    """
    if not isinstance(tensor, Tensor):
        return np.asarray(tensor)
    op = tensor._op
    if op._type == "Const":
        return op._attributes["value"]  # type: ignore[no-any-return]
    known = Known().find(tensor)
    if known is None or tensor._dtype.name == "string":
        return known
    if known.dtype == object and _has_unknown(known):
        return known if partial else None
    return known.astype(tensor._dtype.as_numpy_dtype)


def constant_value_as_shape(tensor: Tensor) -> TensorShape:
    """The shape that a tensor of sizes holds, as far as it is known; -1 stands for an unknown size.

    Raises ValueError when the tensor is no vector, or a size is below -1.
    """
    if not isinstance(tensor, Tensor):
        return as_shape(tensor)
    known = constant_value(tensor, partial=True)
    if known is None:
        return unknown_shape(tensor.shape.with_rank(1).as_list()[0])
    if known.ndim == 0:
        if known.item() != -1:
            raise ValueError(f"Received a scalar with value '{known}' as shape; require a statically known scalar -1")
        return unknown_shape()
    if known.ndim != 1:
        raise ValueError(f"Shape must be rank 1 but is rank {known.ndim}")
    return TensorShape.from_sizes(tuple(_size(value) for value in known.tolist()))


def known_axes(tensor: Tensor) -> list[int] | None:
    """The whole numbers in a scalar or vector, where all are known; otherwise None."""
    known = constant_value(tensor)
    return None if known is None else [int(axis) for axis in known.reshape(-1).tolist()]


def known_number(tensor: Tensor) -> int | None:
    """The whole number in a tensor of one element, where it is known; otherwise None."""
    known = constant_value(tensor)
    return int(known.reshape(-1)[0]) if known is not None and known.size == 1 else None


def _size(value: int | None) -> int | None:
    if value is None or value == -1:
        return None
    if value < 0:
        raise ValueError(f"Dimension {value} must be >= 0")
    return int(value)


def on_known(function: Callable[..., Any], *values: KnownValue) -> KnownValue:
    """Applies a function of Python numbers element by element; what comes of an unknown number is unknown."""

    def apply(*numbers: Any) -> Any:
        return None if None in numbers else function(*numbers)

    return np.asarray(np.frompyfunc(apply, len(values), 1)(*values), object)


def _has_unknown(value: KnownValue) -> bool:
    return any(element is None for element in value.flat)


class Unknown(Exception):
    """Nothing is known of a value that a rule asked for."""


class Known:
    """What is known of tensors' values: `known(tensor)` in `fold` rules. Shared parts are visited once."""

    def __init__(self) -> None:
        self._found: dict[Tensor, KnownValue | None] = {}
        self._depth = 0

    def __call__(self, tensor: Tensor) -> KnownValue:
        """The value, perhaps an array of objects with None for unknown elements. Raises Unknown."""
        value = self.find(tensor)
        if value is None or value.size > _SIZE_LIMIT:
            raise Unknown
        return value

    def elements(self, tensor: Tensor) -> KnownValue:
        """The value, with None for all elements when there is but a shape. Raises Unknown."""
        value = self.find(tensor)
        if value is not None:
            return value
        shape = tensor._shape
        if not shape.is_fully_defined() or (shape.num_elements() or 0) > _SIZE_LIMIT:
            raise Unknown
        return np.full(shape.as_list(), None, object)

    def find(self, tensor: Tensor) -> KnownValue | None:
        """The value, or None."""
        if tensor._op._type == "Const":
            return tensor._op._attributes["value"]  # type: ignore[no-any-return]
        if tensor not in self._found:
            self._found[tensor] = self._fold(tensor) if self._depth < _DEPTH_LIMIT else None
        return self._found[tensor]

    def _fold(self, tensor: Tensor) -> KnownValue | None:
        op = tensor._op
        definition = OPS.get(op._type)
        if definition is None or type(definition).fold is OpDefinition.fold:
            return None
        self._depth += 1
        try:
            value = definition.fold(self, *definition.grouped(op._inputs, op), **definition.attributes_for("fold", op))
        except Unknown:
            return None
        finally:
            self._depth -= 1
        if isinstance(value, list):
            value = value[tensor._value_index]
        return None if value is None else np.asarray(value)
