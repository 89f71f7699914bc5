"""What a bundle holds: optimised program, kernels, constants. There is no graph, and no program before the passes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from sessile.compiler.aot.bundle import Bundle
from sessile.compiler.aot.bundle_code import load_bundle_code
from sessile.compiler.program_entry import StoredProgram
from sessile.compiler.stages import OptimizedProgram
from sessile.graph.operation import Operation
from sessile.ir.program import Program
from sessile.runtime.command_line.failures import CommandFailure
from sessile.runtime.command_line.inspection.inspection import Inspection
from sessile.runtime.command_line.models.input_values import Input
from sessile.runtime.variable_store import VariableStore

LAST = "update-in-place"
"""The last pass of the compiler, and so the only one after which a bundle knows the program."""


class BundleInspection(Inspection):
    """What a bundle computes for inputs of some sizes.

    Args:
      path: the file.
      bundle: what it holds.
      inputs: what goes in, as the options describe it.
      values: of the inputs, by name.

    Raises CommandFailure if the bundle has no program for these sizes.
    """

    operations: Sequence[Operation] = ()
    fed: Sequence[Operation] = ()
    lowered_size = None

    def __init__(self, path: str, bundle: Bundle, inputs: Sequence[Input], values: Mapping[str, np.ndarray]) -> None:
        self.source = path
        self.bundle = bundle
        self.target = bundle.target
        self.inputs = inputs
        self.outputs = [{"name": each.name, "dtype": each.dtype, "shape": list(each.shape)} for each in bundle.outputs]
        self.results = {each.name: place for place, each in enumerate(bundle.outputs)}
        self.values = values
        self._stored, self._bindings = self._fitting_program()

    def _fitting_program(self) -> tuple[StoredProgram, dict[str, int]]:
        arrays = [self.values[each.name] for each in self.bundle.inputs]
        for program in self.bundle.programs:
            feeds = dict(zip(program.interface.parameters, arrays, strict=True))
            bindings = program.interface.bindings_for(feeds, {})
            if bindings is not None:
                return program, bindings
        shapes = ", ".join(f"{name} {list(array.shape)}" for name, array in self.values.items())
        raise CommandFailure(f"{self.source} has no program for the sizes {shapes}; choose others with --size")

    @cached_property
    def state(self) -> VariableStore:
        return VariableStore()

    @property
    def optimized(self) -> OptimizedProgram:
        assert self._stored.optimized is not None, "bundles hold optimised programs"
        return self._stored.optimized

    @property
    def bindings(self) -> dict[str, int]:
        return self._bindings

    def program_after(self, name: str) -> Program:
        if name != LAST:
            raise CommandFailure(f"{self.source} holds the program after all passes alone: --after {LAST}")
        return self.optimized.program

    def addresses(self) -> dict[str, int]:
        obstacle = self.target.obstacle_here()
        if obstacle is not None:
            raise CommandFailure(f"{self.source} cannot run here: {obstacle}")
        return load_bundle_code(self.bundle)

    def named_values(self) -> dict[str, np.ndarray]:
        arrays = [self.values[each.name] for each in self.bundle.inputs]
        return dict(zip(self._stored.interface.parameters, arrays, strict=True))
