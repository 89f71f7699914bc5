"""`tf.name_scope`: a scope for the names of the operations made inside."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any

from sessile.graph.apply import graph_of
from sessile.graph.graph import get_default_graph
from sessile.graph.public_names import public


@public("name_scope", "keras.backend.name_scope")
class name_scope(AbstractContextManager[str]):
    """Enters a name scope of the graph of `values`, which becomes the default inside.

    Args:
        name: the scope's name; None takes `default_name`.
        default_name: what to use where the caller gave no name.
        values: the tensors that are about to be used; they must be of one graph.

    Raises TypeError when there is neither a name nor a default while values are given.
    """

    def __init__(self, name: str | None, default_name: str | None = None, values: Sequence[Any] | None = None) -> None:
        if name is not None and not isinstance(name, (str, bytes)):
            raise TypeError(f"name must be a string, not {type(name).__name__}")
        if not (default_name is None or isinstance(default_name, (str, bytes))):
            raise TypeError(
                f"`default_name` type ({type(default_name)}) is not a string type. You likely meant to pass this into "
                f"the `values` kwarg."
            )
        if name is None and default_name is None and values is not None:
            raise ValueError(f"At least one of name ({name}) and default_name ({default_name}) must be provided.")
        self._name = default_name if name is None else name
        self._values = values or ()

    @property
    def name(self) -> str | None:
        """The name that was asked for."""
        return self._name

    def __enter__(self) -> str:
        graph = graph_of(self._values)
        self._default = None if graph is get_default_graph() else graph.as_default()
        if self._default is not None:
            self._default.__enter__()
        self._scope = graph.name_scope(self._name)
        try:
            return self._scope.__enter__()
        except BaseException:
            self._leave_graph()
            raise

    def __exit__(self, *exception: Any) -> None:
        self._scope.__exit__(*exception)
        self._leave_graph()

    def _leave_graph(self) -> None:
        if self._default is not None:
            self._default.__exit__(None, None, None)
