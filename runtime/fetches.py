"""The structure of what is fetched: which tensors and operations a run needs, and how their values are put together
again.

In: what the user passes as `fetches`, nested lists, tuples, dicts, and so on of elements of a graph. Out: a
`FetchStructure` with each tensor and each operation once, and a function from the tensors' values to the result.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any, NamedTuple

from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.runtime.session_conversions import conversion_for

Build = Callable[[Sequence[Any]], Any]
Keep = Callable[[Operation, Any], Any]

_CAUSES_OF_NONE = (
    "None stands where an operation or a tensor should; usual causes:\n"
    "    - a function that builds a part of the graph and lacks a `return`;\n"
    "    - tf.gradients, which gives None for what the result does not depend on;\n"
    "    - `train_op = sess.run(train_op)`, which replaces an operation by its result;\n"
    "    - tf.summary.merge_all() in a graph without summaries."
)


class FetchStructure(NamedTuple):
    """What to fetch and to run, and `build`, which makes the result out of the fetched values."""

    tensors: tuple[Tensor, ...]
    targets: tuple[Operation, ...]
    build: Build


def resolve_fetches(graph: Graph, fetches: Any, keep: Keep | None = None) -> FetchStructure:
    """The structure of `fetches`, whose elements must belong to `graph`; `keep` makes handles of values that stay
    behind.

    Raises TypeError for elements of other types, None among them, and ValueError for elements of another graph, for
    unknown names (with those that are near), and for what may not be fetched.
    """
    resolver = _Resolver(graph, keep)
    build = resolver.resolve(fetches, "fetches")
    tensors = tuple(resolver.indices)
    if type(fetches) in (list, tuple) and tensors == tuple(fetches):
        build = type(fetches)  # the values as they come are the result
    return FetchStructure(tensors, tuple(resolver.targets), build)


class _Resolver:
    """Collects tensors and operations, each once, in order of appearance."""

    def __init__(self, graph: Graph, keep: Keep | None) -> None:
        self.graph = graph
        self.keep = keep
        self.indices: dict[Tensor, int] = {}
        self.targets: dict[Operation, None] = {}

    def resolve(self, fetch: Any, position: str) -> Build:
        if fetch is None:
            raise TypeError(f"Fetch argument None has invalid type {type(None)}, at {position}. {_CAUSES_OF_NONE}")
        if isinstance(fetch, (list, tuple)):
            return self._sequence(fetch, position)
        if isinstance(fetch, Mapping):
            children = [self.resolve(value, f"{position}[{key!r}]") for key, value in fetch.items()]
            return _together(children, _mapping_maker(fetch))
        if hasattr(type(fetch), "__attrs_attrs__"):
            names = [attribute.name for attribute in type(fetch).__attrs_attrs__]
            children = [self.resolve(getattr(fetch, name), f"{position}.{name}") for name in names]
            return _together(children, lambda values: type(fetch)(*values))
        conversion = conversion_for(fetch)
        if conversion is None:
            return self._element(fetch, fetch, position)
        parts, contract = conversion.fetch(fetch)
        children = [self._element(part, fetch, position) for part in parts]
        return _together(children, lambda values: contract(list(values)))

    def _sequence(self, fetch: Any, position: str) -> Build:
        if hasattr(fetch, "_fields"):
            places = [f"{position}.{name}" for name in fetch._fields]
            make: Callable[[Iterable[Any]], Any] = lambda values: type(fetch)(*values)  # noqa: E731
        else:
            places = [f"{position}[{index}]" for index in range(len(fetch))]
            make = type(fetch)
        return _together([self.resolve(item, place) for item, place in zip(fetch, places, strict=True)], make)

    def _element(self, part: Any, fetch: Any, position: str) -> Build:
        where = "" if position == "fetches" else f" It is {position}."
        try:
            element = self.graph.as_graph_element(part)
        except TypeError as error:
            raise TypeError(
                f"Fetch argument {fetch!r} has invalid type {type(fetch)}, must be a string or Tensor. ({error})"
                f"{where}{_hint(fetch)}"
            ) from None
        except (ValueError, KeyError) as error:
            raise ValueError(f"Fetch argument {fetch!r} cannot be interpreted as a Tensor. ({error}){where}") from None
        op = element.op if isinstance(element, Tensor) else element
        if not (self.graph.is_fetchable(op) and self.graph.is_fetchable(element)):
            raise ValueError(f"Operation {op.name!r} has been marked as not fetchable.{where}")
        if isinstance(element, Operation):
            self.targets[element] = None
            return _nothing
        if op.type == "GetSessionHandle" and self.keep is not None:
            return self._kept(op, self.keep)
        return self._tensor(element)

    def _tensor(self, tensor: Tensor) -> Build:
        return itemgetter(self.indices.setdefault(tensor, len(self.indices)))

    def _kept(self, op: Operation, keep: Keep) -> Build:
        self.targets.update(dict.fromkeys(op.control_inputs))
        take = self._tensor(op.inputs[0])
        return lambda values: keep(op, take(values))


def _nothing(values: Sequence[Any]) -> None:
    """What an operation gives."""


def _hint(fetch: Any) -> str:
    if hasattr(fetch, "dtype") or isinstance(fetch, (int, float)):
        return (
            "\nThis is a value, not a tensor. Was a tensor's name given to its result, as in `loss = sess.run(loss)`?"
        )
    return ""


def _mapping_maker(fetch: Mapping[Any, Any]) -> Callable[[Iterable[Any]], Any]:
    keys, kind = list(fetch), type(fetch)
    if isinstance(fetch, defaultdict):
        factory = fetch.default_factory
        return lambda values: kind(factory, zip(keys, values, strict=True))  # type: ignore[call-arg]
    return lambda values: kind(zip(keys, values, strict=True))  # type: ignore[call-arg]


def _together(children: Sequence[Build], make: Callable[[Iterable[Any]], Any]) -> Build:
    """The function that builds all children and puts them into one container."""
    if len(children) > 1 and all(isinstance(child, itemgetter) for child in children):
        take = itemgetter(*(child.__reduce__()[1][0] for child in children))  # one call in C takes all of them
        return lambda values: make(take(values))
    return lambda values: make([child(values) for child in children])
