"""The error of a kernel that does not compile, and the file that keeps what is needed to find out why."""

from __future__ import annotations

import os
import tempfile

from sessile.compiler.kernel_source import KernelSource


class KernelCompilationError(Exception):
    """A kernel could not be turned into native code: a fault of the code generator, never of the user's program.

    Attributes:
      kernel: the name of the kernel.
      dump: path of a file with the kernel's source and the original error.
    """

    def __init__(self, kernel: str, reason: str, dump: str) -> None:
        super().__init__(
            f'kernel "{kernel}": {reason}. This is a fault of sessile, not of your program; '
            f"please report it together with the file {dump}"
        )
        self.kernel = kernel
        self.reason = reason
        self.dump = dump

    def __reduce__(self) -> tuple[type[KernelCompilationError], tuple[str, str, str]]:
        return type(self), (self.kernel, self.reason, self.dump)


def dump_fault(source: KernelSource, details: str) -> str:
    """Write a kernel's source and what went wrong with it to a file of its own and return the path."""
    folder = os.environ.get("SESSILE_DUMP") or None
    if folder:
        os.makedirs(folder, exist_ok=True)
    handle, path = tempfile.mkstemp(prefix=f"sessile-{source.name}-", suffix=".txt", dir=folder)
    with os.fdopen(handle, "w", encoding="utf-8") as file:
        arguments = ", ".join(source.argument_types)
        file.write(f"# kernel {source.name}\n# arguments {arguments}\n{source.source.rstrip()}\n\n{details}\n")
    return path
