"""The programs of a bundle at work: which of them serves an array's sizes, and the executables bound to these.

In: a bundle. Out: results for arrays. What a session keeps for a graph is kept here for a file: executables by the
shapes of the inputs, and the states of random streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sessile.compiler.aot.bundle import Bundle
from sessile.compiler.aot.bundle_code import load_bundle_code
from sessile.compiler.executable import Executable
from sessile.compiler.memory_plan import large_results
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.program_entry import StoredProgram
from sessile.graph.errors import InvalidArgumentError, UnimplementedError
from sessile.ir.program_interface import ProgramInterface, fits
from sessile.runtime.executor import ExecutionOptions
from sessile.runtime.kept_executables import KeptExecutables
from sessile.runtime.run_context import RunContext, UnmetGuard
from sessile.runtime.variable_store import VariableStore


@dataclass(eq=False)
class _Binding:
    """A program, and the sizes with which it serves arrays of some shapes."""

    native: NativeProgram
    sizes: dict[str, int]
    interface: ProgramInterface

    def serves(self, arrays: Sequence[np.ndarray]) -> bool:
        """Whether it serves arrays of these shapes with these elements."""
        return self.interface.allows_elements(dict(zip(self.interface.parameters, arrays, strict=True)), self.sizes)


class BoundPrograms:
    """Runs the programs of a bundle. Safe to use from several threads.

    Args:
      bundle: what to run.
      name: the bundle's, for messages.
      threads: how many may share one run; None leaves it to the environment.

    Raises UnimplementedError if the bundle was compiled for another machine.
    """

    def __init__(self, bundle: Bundle, name: str, threads: int | None) -> None:
        obstacle = bundle.target.obstacle_here()
        if obstacle is not None:
            raise UnimplementedError(None, None, f"{name} cannot run here: {obstacle}. Compile it for this machine")
        self._programs = bundle.programs
        self._addresses = load_bundle_code(bundle)
        self._threads = ExecutionOptions.from_environment(threads).threads
        self._state = VariableStore()
        self._natives: dict[tuple[int, tuple[bool, ...]], NativeProgram] = {}
        self._bindings: dict[tuple[tuple[int, ...], ...], list[_Binding]] = {}
        self._executables = KeptExecutables()
        self._last: list[Any] = []

    def run_values(self, values: Sequence[Any]) -> Any:
        """The quick way for a call like the last one; NotImplemented where a value has to be converted first."""
        free = self._last
        try:
            executable = free.pop()
        except IndexError:
            return NotImplemented
        try:
            return executable.run_values(values)
        finally:
            free.append(executable)

    def run(self, arrays: Sequence[np.ndarray]) -> list[Any]:
        """The results for arrays of the right types.

        Raises InvalidArgumentError for sizes that no program was compiled for, and LocatedFailure.
        """
        shapes = tuple(array.shape for array in arrays)
        known = self._bindings.setdefault(shapes, [])
        binding = next((binding for binding in known if binding.serves(arrays)), None)
        if binding is None:
            binding = self._bind(arrays)
            known.append(binding)
        free, executable = self._executables.take(binding)
        if executable is None:
            spare = self._executables.spare(binding.native)
            executable = Executable(
                binding.native, binding.sizes, self._state, self._threads, self._state.generation, spare
            )
        try:
            names = [i.attributes["name"] for i in binding.native.parameters]
            feeds = dict(zip(names, arrays, strict=True))
            context = RunContext(feeds, self._state, dict(binding.sizes), binding.interface.computed_guards)
            return executable.run(arrays, context)
        except UnmetGuard as unmet:
            words = f"nothing was compiled for the sizes that this run computes: {unmet}"
            raise InvalidArgumentError(None, None, words) from None
        finally:
            free.append(executable)
            self._last = free if executable.runs_directly and not binding.interface.deciding_elements else []

    def _bind(self, arrays: Sequence[np.ndarray]) -> _Binding:
        """The first program that serves arrays of these shapes."""
        for number, program in enumerate(self._programs):
            feeds = dict(zip(program.interface.parameters, arrays, strict=True))
            sizes = program.interface.bindings_for(feeds, {})
            if sizes is not None:
                return _Binding(self._native(number, sizes), sizes, program.interface)
        raise InvalidArgumentError(None, None, self._refusal(arrays))

    def _native(self, number: int, sizes: dict[str, int]) -> NativeProgram:
        optimized = self._programs[number].optimized
        assert optimized is not None, "bundles hold optimised programs"
        key = number, large_results(optimized.program, sizes)
        native = self._natives.get(key)
        if native is None:
            native = NativeProgram(optimized.program, optimized.stages, sizes, {}, self._addresses)
            self._natives[key] = native
        return native

    def _refusal(self, arrays: Sequence[np.ndarray]) -> str:
        shapes = ", ".join(str(array.shape) for array in arrays)
        reasons = filter(None, (_reason(program, arrays) for program in self._programs))
        return f"nothing was compiled for inputs of the shapes {shapes}: {'; '.join(dict.fromkeys(reasons))}"


def _reason(program: StoredProgram, arrays: Sequence[np.ndarray]) -> str:
    """Which relation between sizes a program was made for, and these arrays do not satisfy."""
    interface = program.interface
    feeds = dict(zip(interface.parameters, arrays, strict=True))
    sources = {n: s for n, s in interface.program.symbols.items() if s.kind == "parameter"}
    sizes = {n: feeds[s.name].shape[s.index] for n, s in sources.items()}
    where = ", ".join(f"{name} is axis {s.index} of {s.name.removesuffix(':0')}" for name, s in sources.items())
    guard = interface.violated_guard(sizes)
    if guard is None and all(fits(interface.parameters[name], array.shape, sizes) for name, array in feeds.items()):
        guard = interface.violated_guard({**sizes, **interface.elements_of(feeds)})
        elements = interface.deciding_elements.items()
        where = ", ".join(f"{symbol} is element {k} of {name.removesuffix(':0')}" for symbol, (name, k) in elements)
    if guard is None:
        return "their sizes do not fit each other"
    return f"it must hold that {guard}, where {where}"
