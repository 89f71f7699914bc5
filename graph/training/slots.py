"""Slots: variables that an optimizer or a moving average keeps for a variable, of its shape, under its name."""

from __future__ import annotations

from typing import Any

from sessile.graph import initializers
from sessile.graph.ops import filling, shapes
from sessile.graph.tensor import Tensor
from sessile.graph.variable_scope import get_variable, get_variable_scope, variable_scope
from sessile.graph.variables import Variable


def create_slot(primary: Any, val: Tensor, name: str) -> Variable:
    """A slot with the given initial value."""
    with variable_scope(None, f"{primary.op.name}/{name}"), primary.graph.colocate_with(primary.op):
        return _slot_variable(val, None, None)


def create_slot_with_initializer(primary: Any, initializer: Any, shape: Any, dtype: Any, name: str) -> Variable:
    """A slot of the given shape and type, initialised by an initializer."""
    with variable_scope(None, f"{primary.op.name}/{name}"), primary.graph.colocate_with(primary.op):
        return _slot_variable(initializer, shape, dtype)


def create_zeros_slot(primary: Any, name: str) -> Variable:
    """A slot of zeros, of the primary's shape and type."""
    shape = primary.get_shape()
    dtype = primary.dtype.base_dtype
    if shape.is_fully_defined():
        return create_slot_with_initializer(primary, initializers.Zeros(), shape, dtype, name)
    zeros = filling.zeros(shapes.shape(primary.initial_value), dtype=dtype)
    return create_slot(primary, zeros, name)


def _slot_variable(initial: Any, shape: Any, dtype: Any) -> Variable:
    """A slot with the name of its scope, whatever that shares and whatever getter it has."""
    scope = get_variable_scope()
    scope._reuse, scope.custom_getter = False, None
    validate = shape is not None or initial.shape.is_fully_defined()
    return get_variable("", shape=shape, dtype=dtype, initializer=initial, trainable=False, validate_shape=validate)
