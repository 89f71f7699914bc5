"""Makes a C library of an optimised program, in memory: the text of its header and its object file.

The program's variables have been frozen to constants by the caller; what it needs of the host is refused by name.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sessile.compiler.c_library.constant_data import ConstantData
from sessile.compiler.c_library.header import header_text
from sessile.compiler.c_library.identifiers import check_library_name
from sessile.compiler.c_library.interface import Interface, NamedArgument, interface_of
from sessile.compiler.c_library.kernel_modules import Progress, object_of
from sessile.compiler.c_library.library_code import LibraryCode
from sessile.compiler.c_library.library_plan import plan_library
from sessile.compiler.c_library.lifecycle_code import write_lifecycle
from sessile.compiler.c_library.query_code import write_queries
from sessile.compiler.c_library.refusals import refuse_what_c_cannot_run
from sessile.compiler.c_library.run_code import write_run
from sessile.compiler.compile_program import OptimizedProgram
from sessile.compiler.target import Target


@dataclass(frozen=True)
class CLibrary:
    """A library in memory.

    Attributes:
      name: with which the names of its functions begin.
      header: the text of `<name>.h`.
      object_code: the object file, in the format of the target's system.
      target: the machine that it runs on.
      interface: its inputs, outputs and unknown sizes.
    """

    name: str
    header: str
    object_code: bytes
    target: Target
    interface: Interface


def c_library(
    optimized: OptimizedProgram,
    name: str,
    inputs: Sequence[NamedArgument],
    outputs: Sequence[NamedArgument],
    target: Target,
    progress: Progress | None = None,
) -> CLibrary:
    """Compiles a program to a C library.

    Args:
      optimized: the program after the native pipeline, with kernels for `target` and without variables.
      name: of the library, a C identifier.
      inputs: names and shapes of the parameters, in the order in which C passes them; equal names of sizes are one.
      outputs: names of the results, in order.
      target: the machine that it is for.
      progress: is called after each kernel with its name, its number, and the number of all.

    Raises ValueError for a name that C does not allow and for arguments that do not fit the program, UnimplementedError
    for operations that need the host and for variables, KernelCompilationError for a fault of the code generator.
    """
    check_library_name(name)
    refuse_what_c_cannot_run(optimized, outputs)
    interface = interface_of(optimized.program, inputs, outputs)
    code = LibraryCode(name, plan_library(optimized, interface), target)
    constants = ConstantData(code)
    write_run(code, constants)
    write_queries(code)
    write_lifecycle(code)
    object_code = object_of(code, constants, optimized.sources, target, progress)
    return CLibrary(name, header_text(name, interface, target), object_code, target, interface)
