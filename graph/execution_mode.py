"""The switches between the ways in which TensorFlow can run a program: graphs and sessions are the only one here."""

from __future__ import annotations

from typing import Any, NoReturn

from sessile.graph.errors import UnimplementedError
from sessile.graph.public_names import public


@public("executing_eagerly")
def executing_eagerly() -> bool:
    """Whether operations run when they are called; they never do: they are added to a graph."""
    return False


@public(
    "disable_eager_execution",
    "disable_v2_behavior",
    "disable_resource_variables",
    "disable_control_flow_v2",
    "disable_tensor_equality",
    "disable_v2_tensorshape",
)
def keep_graph_execution() -> None:
    """Asks for what is so anyway: graphs, sessions, and the behaviour of TensorFlow 1."""


@public("enable_eager_execution", "enable_v2_behavior")
def enable_eager_execution(config: Any = None, device_policy: Any = None, execution_mode: Any = None) -> NoReturn:
    """Raises UnimplementedError: operations are added to a graph and run by a session."""
    raise UnimplementedError(None, None, "eager execution is not implemented: build a graph and run it in a tf.Session")
