"""How composite values (sparse tensors and the like) are fetched and fed: the tensors that each of them stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from sessile.graph.indexed_slices import IndexedSlices, IndexedSlicesValue
from sessile.graph.sparse_tensor import SparseTensor, SparseTensorValue

FetchFunction = Callable[[Any], tuple[list[Any], Callable[[list[Any]], Any]]]
FeedFunction = Callable[[Any, Any], Sequence[tuple[Any, Any]]]
FeedKeysFunction = Callable[[Any], Sequence[Any]]


class Conversion(NamedTuple):
    """How values of one type are fetched and fed."""

    type: type
    fetch: FetchFunction
    feed: FeedFunction | None
    feed_keys: FeedKeysFunction | None


_CONVERSIONS: list[Conversion] = []


def register_session_run_conversion_functions(
    tensor_type: type,
    fetch_function: FetchFunction,
    feed_function: FeedFunction | None = None,
    feed_function_for_partial_run: FeedKeysFunction | None = None,
) -> None:
    """Lets `Session.run` fetch and feed objects of a type.

    Args:
        tensor_type: the type.
        fetch_function: takes the object; returns the list of tensors to fetch, and a function from their values to the
            result.
        feed_function: takes the object and what is fed for it; returns pairs of a tensor and its value.
        feed_function_for_partial_run: takes the object; returns the tensors that are fed for it.

    Raises ValueError when the type, or one derived from it, is registered already.
    """
    for conversion in _CONVERSIONS:
        if issubclass(conversion.type, tensor_type):
            raise ValueError(f"{tensor_type} has already been registered so ignore it.")
    _CONVERSIONS.insert(0, Conversion(tensor_type, fetch_function, feed_function, feed_function_for_partial_run))


def conversion_for(item: Any) -> Conversion | None:
    """The conversion for an object, or None when it stands for itself."""
    for conversion in _CONVERSIONS:
        if isinstance(item, conversion.type):
            return conversion
    return None


def _sparse_parts(sparse: SparseTensor) -> list[Any]:
    return [sparse.indices, sparse.values, sparse.dense_shape]


def _slices_parts(slices: IndexedSlices) -> list[Any]:
    parts = [slices.values, slices.indices, slices.dense_shape]
    return parts if slices.dense_shape is not None else parts[:2]


def _slices_value(values: list[Any]) -> IndexedSlicesValue:
    return IndexedSlicesValue(values[0], values[1], values[2] if len(values) == 3 else None)


def _feed_sparse(sparse: SparseTensor, value: Any) -> list[tuple[Any, Any]]:
    return list(zip(_sparse_parts(sparse), value, strict=False))


def _feed_slices(slices: IndexedSlices, value: Any) -> list[tuple[Any, Any]]:
    return list(zip(_slices_parts(slices), value, strict=False))


register_session_run_conversion_functions(
    SparseTensor,
    lambda sparse: (_sparse_parts(sparse), lambda values: SparseTensorValue(*values)),
    _feed_sparse,
    _sparse_parts,
)
register_session_run_conversion_functions(
    IndexedSlices, lambda slices: (_slices_parts(slices), _slices_value), _feed_slices, _slices_parts
)
