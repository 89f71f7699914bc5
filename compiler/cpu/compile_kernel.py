"""Compiles kernels: Python source in, freestanding object code out.

Numba types and lowers the function, LLVM optimises the result once, and the object is checked to need nothing from
outside, but for functions of C's math library that old processors lack. Whatever goes wrong on the way is reported as a
fault of the code generator, with the original error in a file.
"""

from __future__ import annotations

import functools
import traceback
from dataclasses import dataclass

from sessile.compiler.cpu.machine_code import MATH_LIBRARY_FUNCTIONS, lock_held_across_fork, optimize, target_machine
from sessile.compiler.cpu.object_symbols import undefined_symbols
from sessile.compiler.kernel_errors import KernelCompilationError, dump_fault
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

_compiler_lock = lock_held_across_fork()


@dataclass(frozen=True)
class KernelObject:
    """A compiled kernel.

    Attributes:
      name: the exported symbol, `void name(int64_t *arguments, int64_t part, int64_t parts)`.
      object_code: an object file without undefined symbols other than `MATH_LIBRARY_FUNCTIONS`.
      unoptimized_ir: the LLVM IR that it was compiled from.
      target: the machine that it runs on.
    """

    name: str
    object_code: bytes
    unoptimized_ir: str
    target: Target

    @functools.cached_property
    def llvm_ir(self) -> str:
        """The optimised LLVM IR."""
        return str(optimize(self.unoptimized_ir, self.target))

    @functools.cached_property
    def assembly(self) -> str:
        """The machine code as text."""
        return target_machine(self.target).emit_assembly(optimize(self.unoptimized_ir, self.target))


def compile_kernel(source: KernelSource, target: Target) -> KernelObject:
    """Compile one kernel for a target. Threads take turns.

    Raises KernelCompilationError if the source is not a valid kernel or calls a function that is not part of it.
    """
    with _compiler_lock:
        return _compile(source, target)


def _compile(source: KernelSource, target: Target) -> KernelObject:
    ir_text = ""
    try:
        from sessile.compiler.cpu.kernel_frontend import unoptimized_ir

        ir_text = unoptimized_ir(source, target)
        code = target_machine(target).emit_object(optimize(ir_text, target))
        missing = [name for name in undefined_symbols(code) if name.lstrip("_") not in MATH_LIBRARY_FUNCTIONS]
    except Exception as error:
        dump = dump_fault(source, f"{traceback.format_exc()}\n{ir_text}")
        raise KernelCompilationError(source.name, f"not compiled ({type(error).__name__})", dump) from None
    if missing:
        dump = dump_fault(source, f"undefined symbols: {', '.join(missing)}\n{ir_text}")
        reason = f"it calls {', '.join(missing)}, which no kernel may do"
        raise KernelCompilationError(source.name, reason, dump)
    return KernelObject(source.name, code, ir_text, target)
