"""The text of kernels: Python source as the compiler writes it, LLVM IR and assembly as they come out of it."""

from __future__ import annotations

from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

LANGUAGES = ("python", "llvm", "asm")
_COMMENT = {"python": "#", "llvm": ";", "asm": "#"}


def kernel_text(source: KernelSource, language: str, target: Target) -> str:
    """A kernel in one of `LANGUAGES`, under a comment with its name. Raises KernelCompilationError."""
    return f"{_COMMENT[language]} {source.name}\n{_body(source, language, target).strip()}\n"


def _body(source: KernelSource, language: str, target: Target) -> str:
    if language == "python":
        return source.source
    from sessile.compiler.cpu.compile_kernel import compile_kernel

    compiled = compile_kernel(source, target)
    return compiled.llvm_ir if language == "llvm" else compiled.assembly
