"""What a call computes, as a digest: found without lowering, so that a process can ask a store for the program.

In: the part of a graph that a call needs. Out: a SHA-256 over operations, attributes, inputs, shapes, fetches and
feeds, by their names; lines and devices do not enter. Calls with equal digests have equal programs. Constants enter by
the digest of their elements, which is kept while the array lives.
"""

from __future__ import annotations

import hashlib
import weakref
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from sessile.compiler.request import Request, needed_operations
from sessile.graph.data_type import DType
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_PLAIN = (bool, int, float, str, bytes, type(None))
_IGNORED_ATTRIBUTES = ("_class", "_output_shapes")


def call_identity(fetches: Sequence[Tensor], targets: Sequence[Operation], feeds: Iterable[Tensor]) -> str | None:
    """The digest of a call, in hexadecimal; None where an operation holds what lives in this process alone."""
    fed: Any = dict.fromkeys(feeds)
    digest = hashlib.sha256()
    for tensor in fed:
        digest.update(f"feed {tensor.name} {tensor.dtype.name} {_shape(tensor.shape)}\n".encode())
    try:
        for op in needed_operations(Request(tuple(fetches), tuple(targets), fed)):
            digest.update(_operation_text(op).encode())
    except _NoIdentity:
        return None
    names = [f"fetch {tensor.name}\n" for tensor in fetches] + [f"target {op.name}\n" for op in targets]
    digest.update("".join(names).encode())
    return digest.hexdigest()


class _NoIdentity(Exception):
    """A value that two processes cannot compare."""


def _operation_text(op: Operation) -> str:
    attributes = [
        f"{key}={_attribute(value)}" for key, value in op._attributes.items() if key not in _IGNORED_ATTRIBUTES
    ]
    inputs = [tensor.name for tensor in op._inputs]
    controls = [control.name for control in op._control_inputs]
    shapes = [_shape(tensor.shape) for tensor in op.outputs]
    return f"{op.name!r} {op.type} {attributes} {inputs} {controls} {shapes}\n"


def _shape(shape: TensorShape) -> Any:
    return None if shape.ndims is None else shape.as_list()


def _attribute(value: Any) -> str:
    if isinstance(value, _PLAIN):
        return repr(value)
    match value:
        case DType():
            return value.name
        case TensorShape():
            return str(_shape(value))
        case np.ndarray():
            return f"{value.dtype.str}{value.shape} {_array_digest(value)}"
        case np.generic():
            return f"{value.dtype.str} {value!r}"
        case list() | tuple():
            return f"[{', '.join(map(_attribute, value))}]"
    serialize = getattr(value, "SerializeToString", None)
    if serialize is None:
        raise _NoIdentity
    return hashlib.sha256(serialize(deterministic=True)).hexdigest()


_digests: dict[int, tuple[weakref.ref[np.ndarray], str]] = {}


def _array_digest(array: np.ndarray) -> str:
    """The digest of an array's elements. Constants of a graph are never written to, so it is computed once."""
    known = _digests.get(id(array))
    if known is not None and known[0]() is array:
        return known[1]
    if array.dtype == object:
        text = repr(array.tolist()).encode()
        return hashlib.sha256(text).hexdigest()
    digest = hashlib.sha256(np.ascontiguousarray(array).data).hexdigest()
    key = id(array)
    _digests[key] = weakref.ref(array, lambda _: _digests.pop(key, None)), digest
    return digest
