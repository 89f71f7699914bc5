"""Runs a program both ways: by the reference interpreter, and compiled, in an executable of its own."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from sessile.compiler.compile_program import kernel_sources
from sessile.compiler.cpu.kernel_service import kernel_service
from sessile.compiler.executable import Executable
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.pass_pipeline import run_passes
from sessile.compiler.stages import HostStage, split_into_stages
from sessile.ir.interpreter import interpret
from sessile.ir.program import Program
from sessile.ir.types import TensorType, element_type_of
from sessile.runtime.run_context import RunContext
from sessile.runtime.variable_store import VariableStore

Arrays = Mapping[str, np.ndarray]


def bindings_of(program: Program, feeds: Arrays, variables: Arrays) -> dict[str, int]:
    """The sizes of a program's symbols for given parameters and variables."""
    named = {"parameter": feeds, "variable": variables}
    return {
        name: named[source.kind][source.name].shape[source.index]
        for name, source in program.symbols.items()
        if source.kind in named
    }


def store_of(variables: Arrays) -> VariableStore:
    """A session's state that holds the given variables."""
    store = VariableStore()
    for name, value in variables.items():
        store.assign(name, value)
    return store


def interpreted(
    program: Program, feeds: Arrays, variables: Arrays | None = None
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The results of a program and its variables afterwards, by the interpreter."""
    store = store_of(variables or {})
    context = RunContext(feeds, store, bindings_of(program, feeds, variables or {}))
    results = [np.array(result) for result in interpret(program, context)]
    context.commit()
    return results, {name: store.value(name) for name in store.names()}


def compiled(
    program: Program,
    feeds: Arrays,
    variables: Arrays | None = None,
    passes: Sequence[str] = (),
    threads: int = 1,
    allow_host: bool = False,
) -> tuple[list[np.ndarray], dict[str, Any]]:
    """The results of a program and its variables afterwards, by compiled kernels.

    Fails when an instruction has no kernel, unless `allow_host`.
    """
    optimized = run_passes(program, passes) if passes else program
    stages = split_into_stages(optimized)
    on_host = [stage for stage in stages if isinstance(stage, HostStage)]
    assert allow_host or not on_host, f"no kernel for {on_host}"
    store = store_of(variables or {})
    stored = {name: TensorType(element_type_of(v.dtype), v.shape) for name, v in (variables or {}).items()}
    bindings = bindings_of(program, feeds, variables or {})
    addresses = kernel_service().compile_all(kernel_sources(stages))
    executable = Executable(NativeProgram(optimized, stages, bindings, stored, addresses), bindings, store, threads)
    order = [i.attributes["name"] for i in optimized.instructions if i.name == "parameter"]
    context = RunContext(feeds, store, dict(bindings))
    results = executable.run([feeds[name] for name in order], context)
    return [np.asarray(result) for result in results], {name: store.value(name) for name in store.names()}
