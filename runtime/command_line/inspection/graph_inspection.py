"""The compilation of a part of a graph, pass by pass."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property

import numpy as np

from sessile.compiler.compile_program import optimize
from sessile.compiler.cpu.kernel_service import kernel_service
from sessile.compiler.lower import lower
from sessile.compiler.pass_pipeline import PassRecord
from sessile.compiler.request import Request, needed_operations
from sessile.compiler.stages import OptimizedProgram
from sessile.compiler.target import Target
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.program import Program
from sessile.runtime.command_line.failures import CommandFailure
from sessile.runtime.command_line.inspection.inspection import LOWERED, Inspection
from sessile.runtime.command_line.models.model import Element
from sessile.runtime.command_line.models.selection import Selection
from sessile.runtime.program_cache import CachedProgram
from sessile.runtime.variable_store import VariableStore


class GraphInspection(Inspection):
    """The compilation of what is selected of a model.

    Args:
      selection: what to compute.
      values: of the inputs, by name.
    """

    def __init__(self, selection: Selection, values: Mapping[str, np.ndarray]) -> None:
        self.selection = selection
        self.source = selection.model.source
        self.target = Target.host()
        self.inputs = selection.inputs
        self.outputs = [{"name": name, **_described(element)} for name, element in selection.outputs.items()]
        places = {tensor: place for place, tensor in enumerate(selection.tensors)}
        self.results = {name: places[each] for name, each in selection.outputs.items() if isinstance(each, Tensor)}
        self.values = values
        self._records: list[PassRecord] = []
        fed = {tensor: values[each.name] for tensor, each in selection.feeds.items()}
        self._request = Request(selection.tensors, selection.targets, fed)
        self.operations = needed_operations(self._request)
        self.fed = [op for op in dict.fromkeys(tensor.op for tensor in fed) if op not in self.operations]

    @property
    def state(self) -> VariableStore:
        return self.selection.model.session._variables

    @cached_property
    def lowered(self) -> Program:
        """The program before any pass."""
        return lower(self._request, self.state)

    @property
    def lowered_size(self) -> int:
        return len(self.lowered.instructions)

    @cached_property
    def optimized(self) -> OptimizedProgram:
        return optimize(self.lowered, self._records.append)

    def program_after(self, name: str) -> Program:
        if name == LOWERED:
            return self.lowered
        assert self.optimized  # which fills the records
        found = [record.after for record in self._records if record.name == name]
        if not found:
            ran = ", ".join(dict.fromkeys(record.name for record in self._records))
            raise CommandFailure(f"the compiler does not run the pass {name!r}; it runs {ran}")
        return found[-1]

    @cached_property
    def bindings(self) -> dict[str, int]:
        cached = CachedProgram(self.lowered)
        sizes = cached.variable_sizes(self.state)
        bindings = None if sizes is None else cached.bindings_for(self._request.feeds, sizes)
        assert bindings is not None, "a program fits the values that it was made with"
        return bindings

    def addresses(self) -> dict[str, int]:
        return kernel_service().compile_all(self.optimized.sources)

    def named_values(self) -> dict[str, np.ndarray]:
        return {tensor.name: value for tensor, value in self._request.feeds.items()}


def _described(element: Element) -> dict[str, object]:
    if isinstance(element, Operation):
        return {"operation": element.type}
    shape = element.shape.as_list() if element.shape.ndims is not None else None
    return {"dtype": element.dtype.base_dtype.name, "shape": shape}
