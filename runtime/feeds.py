"""The structure of what is fed: which tensor each key of a `feed_dict` stands for."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sessile.graph.graph import Graph
from sessile.graph.tensor import Tensor
from sessile.runtime.session_conversions import conversion_for


def resolve_feeds(graph: Graph, feed_dict: Mapping[Any, Any]) -> dict[Tensor, Any]:
    """The fed tensors and their values, not yet converted.

    Keys are tensors, their names, variables, sparse tensors and other composites, and tuples of keys whose value has
    the same structure. Raises TypeError for keys that are no tensors of `graph` and for what is no dict, ValueError
    for tensors that may not be fed.
    """
    if not isinstance(feed_dict, Mapping):
        raise TypeError(f"feed_dict must be a dictionary from tensors to values, but is {type(feed_dict)}")
    return {fed_tensor(graph, key): value for key, value in _parts(_flat(feed_dict))}


def fed_tensor(graph: Graph, key: Any) -> Tensor:
    """The tensor that a key stands for. Raises TypeError where there is none, ValueError where it may not be fed."""
    try:
        tensor = graph.as_graph_element(key, allow_tensor=True, allow_operation=False)
    except (TypeError, ValueError, KeyError) as error:
        raise TypeError(f"Cannot interpret feed_dict key as Tensor: {error.args[0]}") from None
    if not graph.is_feedable(tensor):
        raise ValueError(f"Tensor {tensor} may not be fed.")
    return tensor  # type: ignore[no-any-return]


def feed_keys(graph: Graph, feeds: Any) -> list[Tensor]:
    """The tensors that will be fed in a partial run: of one key, or of a list of keys."""
    tensors = []
    for feed in feeds if isinstance(feeds, (list, tuple)) else [feeds]:
        conversion = conversion_for(feed)
        if conversion is not None and conversion.feed_keys is None:
            raise TypeError(f"Feed argument {feed!r} has invalid type {type(feed)}")
        keys = [feed] if conversion is None or conversion.feed_keys is None else conversion.feed_keys(feed)
        tensors += [fed_tensor(graph, key) for key in keys]
    return tensors


def _parts(items: Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    for key, value in items:
        conversion = conversion_for(key)
        if conversion is None:
            yield key, value
        elif conversion.feed is None:
            raise TypeError(f"Feed argument {key!r} has invalid type {type(key)}")
        else:
            yield from conversion.feed(key, value)


def _flat(feed_dict: Mapping[Any, Any]) -> Iterator[tuple[Any, Any]]:
    for key, value in feed_dict.items():
        if isinstance(key, tuple):
            keys, values = list(_leaves(key)), list(_leaves(value))
            if len(keys) != len(values):
                raise ValueError(
                    f"Could not flatten dictionary. Key had {len(keys)} elements, but value had {len(values)} "
                    f"elements. Key: {keys}, value: {values}."
                )
            yield from zip(keys, values, strict=True)
        else:
            yield key, value


def _leaves(nest: Any) -> Iterator[Any]:
    if isinstance(nest, (list, tuple)):
        for item in nest:
            yield from _leaves(item)
    else:
        yield nest
