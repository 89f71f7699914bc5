"""Sessions: what runs graphs."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.compiler.lower import Request, lower
from sessile.graph.graph import get_default_graph
from sessile.graph.public_names import public
from sessile.runtime.run_context import InterpretedRun, run_interpreted
from sessile.runtime.variable_store import VariableStore


@public("Session")
class Session:
    def __init__(self, target: str = "", graph: Any = None, config: Any = None) -> None:
        self.graph = graph or get_default_graph()
        self.variables = VariableStore()
        self.streams: dict[str, Any] = {}

    def run(self, fetches: Any, feed_dict: Any = None) -> Any:
        element = self.graph.as_graph_element(fetches)
        is_tensor = hasattr(element, "op")
        feeds = {t: np.asarray(v, t.dtype.as_numpy_dtype) for t, v in (feed_dict or {}).items()}
        request = Request((element,) if is_tensor else (), () if is_tensor else (element,), feeds)
        program = lower(request, self.variables)
        bindings = {}
        for name, source in program.symbols.items():
            if source.kind == "parameter":
                bindings[name] = next(v for t, v in feeds.items() if t.name == source.name).shape[source.index]
            elif source.kind == "variable":
                bindings[name] = self.variables.shape_of(source.name)[source.index]
        context = InterpretedRun({t.name: v for t, v in feeds.items()}, self.variables, self.streams, bindings)
        results = run_interpreted(program, context)
        return results[0][()] if is_tensor else None
