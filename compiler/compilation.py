"""Compilations under way: from an optimised program, made here or found in a store, to a native one.

A process that finds its programs in a store runs this module without the passes and the code generators.
"""

from __future__ import annotations

from collections.abc import Mapping

from sessile.compiler.cpu.kernel_service import KernelRequest, kernel_service
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.stages import OptimizedProgram
from sessile.ir.program import Program
from sessile.ir.types import TensorType


class Compilation:
    """The compilation of one program: its passes have run, its kernels are on their way."""

    def __init__(self, optimized: OptimizedProgram) -> None:
        self.optimized = optimized
        self._request: KernelRequest | None = None

    @staticmethod
    def of(program: Program, dump_folder: str | None = None) -> Compilation:
        """The compilation of a lowered program; what becomes of it is written to `dump_folder` if there is one."""
        from sessile.compiler.compile_program import compile_program

        return Compilation(compile_program(program, dump_folder))

    def addresses(self, wait: bool) -> dict[str, int] | None:
        """The address of each kernel; None while worker processes still compile and the caller does not wait.

        Raises KernelCompilationError if a kernel does not compile.
        """
        if wait:
            return kernel_service().compile_all(self.optimized.sources)
        if self._request is None:
            self._request = kernel_service().request(self.optimized.sources)
        return self._request.result() if self._request.done() else None


def link(
    optimized: OptimizedProgram,
    addresses: Mapping[str, int],
    bindings: Mapping[str, int],
    stored: Mapping[str, TensorType],
) -> NativeProgram:
    """The native program, once its kernels have addresses. `bindings` guide the memory plan."""
    return NativeProgram(optimized.program, optimized.stages, bindings, stored, addresses)
