"""Sessions: what runs graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph.graph import get_default_graph
from sessile.graph.public_names import public
from sessile.runtime.executor import Executor
from sessile.runtime.variable_store import VariableStore


@public("Session")
class Session:
    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph = graph or get_default_graph()
        self.variables = VariableStore()
        self.executor = Executor(self.graph, self.variables)
        self._calls: dict[Any, Any] = {}

    def run(self, fetches: Any, feed_dict: Any = None) -> Any:
        if isinstance(fetches, (list, tuple)):
            return [self.run(f, feed_dict) for f in fetches]
        element = self.graph.as_graph_element(fetches)
        is_tensor = hasattr(element, "op")
        feeds = {t: np.asarray(v, t.dtype.as_numpy_dtype) for t, v in (feed_dict or {}).items()}
        key = (element, *feeds)
        if key not in self._calls:
            self._calls[key] = self.executor.call_for(
                (element,) if is_tensor else (), () if is_tensor else (element,), tuple(feeds)
            )
        results = self._calls[key].run(list(feeds.values()))
        return results[0] if is_tensor else None
