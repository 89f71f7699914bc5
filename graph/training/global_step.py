"""The global step: a variable that counts the steps of training."""

from __future__ import annotations

from typing import Any

from sessile.graph import dtypes, initializers
from sessile.graph.graph import Graph, get_default_graph
from sessile.graph.graph_keys import GraphKeys
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.variable_scope import get_variable
from sessile.graph.variables import Variable


@public("train.global_step")
def global_step(sess: Any, global_step_tensor: Any) -> int:
    """The value of the global step in a session.

    Args:
        sess: a session.
        global_step_tensor: the variable, or a tensor.
    """
    return int(sess.run(global_step_tensor))


@public("train.get_global_step")
def get_global_step(graph: Graph | None = None) -> Any:
    """The global step of a graph (the default graph by default): what is in the collection GLOBAL_STEP, or the tensor
    called "global_step:0"; None where there is none.

    Raises TypeError when it is no whole number.
    """
    graph = graph or get_default_graph()
    found = graph.get_collection(GraphKeys.GLOBAL_STEP)
    if len(found) > 1:
        return None
    step = found[0] if found else _by_name(graph)
    if step is not None:
        assert_global_step(step)
    return step


def _by_name(graph: Graph) -> Tensor | None:
    try:
        return graph.get_tensor_by_name("global_step:0")
    except KeyError:
        return None


@public("train.create_global_step")
def create_global_step(graph: Graph | None = None) -> Variable:
    """Makes the global step of a graph (the default graph by default), an int64 variable that begins at 0.

    Raises ValueError when the graph has one.
    """
    graph = graph or get_default_graph()
    if get_global_step(graph) is not None:
        raise ValueError('"global_step" already exists.')
    with graph.as_default(), graph.name_scope(None):
        return get_variable(
            GraphKeys.GLOBAL_STEP,
            shape=[],
            dtype=dtypes.int64,
            initializer=initializers.Zeros(),
            trainable=False,
            collections=[GraphKeys.GLOBAL_VARIABLES, GraphKeys.GLOBAL_STEP],
        )


@public("train.get_or_create_global_step")
def get_or_create_global_step(graph: Graph | None = None) -> Any:
    """The global step of a graph (the default graph by default), made where there is none."""
    graph = graph or get_default_graph()
    step = get_global_step(graph)
    return create_global_step(graph) if step is None else step


@public("train.assert_global_step")
def assert_global_step(global_step_tensor: Any) -> None:
    """Raises TypeError unless the argument can be a global step: a scalar variable or tensor of whole numbers."""
    if not isinstance(global_step_tensor, (Variable, Tensor)):
        raise TypeError(f'Existing "global_step" must be a Variable or Tensor: {global_step_tensor}.')
    if not global_step_tensor.dtype.base_dtype.is_integer:
        raise TypeError(f'Existing "global_step" does not have integer type: {global_step_tensor.dtype}')
    shape = global_step_tensor.get_shape()
    if shape.ndims != 0 and shape.is_fully_defined():
        raise TypeError(f'Existing "global_step" is not scalar: {shape}')
