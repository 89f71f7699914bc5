"""The machine code of a library: its own functions, its kernels and constants as one object file.

Each kernel is optimised by itself, as for a session, and then linked: whoever runs it gets the same bits. Only the
library's functions are visible in the object.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import llvmlite.binding as llvm

from sessile.compiler.c_library.constant_data import ConstantData
from sessile.compiler.c_library.module_writer import ModuleWriter
from sessile.compiler.cpu.compile_kernel import compile_kernel
from sessile.compiler.cpu.machine_code import MATH_LIBRARY_FUNCTIONS, optimize, target_machine
from sessile.compiler.cpu.object_symbols import undefined_symbols
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

C_LIBRARY_FUNCTIONS = frozenset(
    {"malloc", "free", "memset", "bzero", "memcpy", "memmove", "getentropy", *MATH_LIBRARY_FUNCTIONS}
)


Progress = Callable[[str, int, int], None]
"""Is told which kernel was compiled, and how many of how many are ready."""


def object_of(
    code: ModuleWriter,
    constants: ConstantData,
    sources: Sequence[KernelSource],
    target: Target,
    progress: Progress | None = None,
) -> bytes:
    """The object file of a library.

    Raises KernelCompilationError for a kernel that does not compile, and RuntimeError if the object needs more than C's
    library: both are faults of the code generator.
    """
    module = optimize(str(code.module), target, level=1)
    for text in constants.modules():
        module.link_in(llvm.parse_assembly(text))
    hidden = constants.names()
    for number, source in enumerate(sources, start=1):
        module.link_in(_kernel_module(source, target))
        hidden.append(source.name)
        if progress is not None:
            progress(source.name, number, len(sources))
    _hide(module, hidden)
    object_code = target_machine(target).emit_object(module)
    needed = {name for name in undefined_symbols(object_code) if name.lstrip("_") not in C_LIBRARY_FUNCTIONS}
    if needed:
        raise RuntimeError(f"the C library {code.name!r} needs {', '.join(sorted(needed))} from outside")
    return object_code


def _kernel_module(source: KernelSource, target: Target) -> Any:
    """The optimised module of a kernel, in which nothing but the kernel is visible."""
    module = optimize(compile_kernel(source, target).unoptimized_ir, target)
    for value in (*module.functions, *module.global_variables):
        if not value.is_declaration and value.name != source.name:
            value.linkage = "internal"
    return module


def _hide(module: Any, names: Iterable[str]) -> None:
    functions = {function.name: function for function in module.functions}
    variables = {variable.name: variable for variable in module.global_variables}
    for name in names:
        value = functions.get(name) or variables.get(name)
        if value is not None:
            value.linkage = "internal"
