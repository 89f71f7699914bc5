"""The functions of `tf.` that act on the default graph: `tf.device`, `tf.control_dependencies` and their kin."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from sessile.graph.apply import graph_of
from sessile.graph.graph import get_default_graph
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.name_scope import name_scope
from sessile.graph.public_names import public
from sessile.graph.sparse_tensor import SparseTensor
from sessile.graph.tensor import Tensor
from sessile.graph.variables import Variable


@public("device")
def device(device_name_or_function: Any) -> AbstractContextManager[None]:
    """A block that asks for a device for the operations made inside; see `tf.Graph.device`."""
    return get_default_graph().device(device_name_or_function)


@public("control_dependencies")
def control_dependencies(control_inputs: Sequence[Any] | None) -> AbstractContextManager[None]:
    """A block whose operations wait for `control_inputs`; see `tf.Graph.control_dependencies`."""
    return get_default_graph().control_dependencies(control_inputs)


@public("colocate_with")
def colocate_with(op: Any, ignore_existing: bool = False) -> AbstractContextManager[None]:
    """A block whose operations are placed with `op`; see `tf.Graph.colocate_with`."""
    return get_default_graph().colocate_with(op, ignore_existing)


@public("container")
def container(container_name: str | None) -> AbstractContextManager[str | None]:
    """A block that names the resource container of stateful operations; see `tf.Graph.container`."""
    return get_default_graph().container(container_name)


@public("op_scope")
def op_scope(values: Sequence[Any], name: str | None, default_name: str | None = None) -> name_scope:
    """The older form of `tf.name_scope`, with the tensors first."""
    return name_scope(name, default_name=default_name, values=values)


@public("init_scope")
def init_scope() -> AbstractContextManager[None]:
    """A block outside of all control dependencies, where variables may be initialised whatever surrounds the call."""
    return get_default_graph().control_dependencies(None)


@public("is_tensor", "contrib.framework.is_tensor")
def is_tensor(x: Any) -> bool:
    """Whether `x` is a tensor or stands for one: a Tensor, SparseTensor, IndexedSlices, or Variable."""
    return isinstance(x, (Tensor, SparseTensor, IndexedSlices, Variable))


@public("contrib.framework.assert_same_graph")
def assert_same_graph(items: Sequence[Any], expected_graph: Any = None) -> Any:
    """The one graph that all of `items` belong to. Raises ValueError when there are two, or another than expected."""
    graph = graph_of(items)
    if expected_graph is not None and graph is not expected_graph:
        raise ValueError(f"{items[0]} is not from the passed-in graph.")
    return graph
