"""Collects what a kernel is made of: arguments under short names, and blocks of lines. In the end: a `KernelCall`.

Names are numbered in order of first use, so that equal kernels of different programs are equal text: `a0` for what is
read, `out0` for what is written, `n0` for sizes; equal sizes are one argument.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessile.compiler.cpu.codegen.block import Block, source_text
from sessile.compiler.kernel_call import Buffer, KernelArgument, KernelCall, Number, Scratch, Status, Workspace
from sessile.compiler.kernel_source import kernel_source
from sessile.ir.program import Value
from sessile.ir.sizes import Size


class KernelWriter:
    """One kernel being written.

    Attributes:
      body: the function's block.
    """

    def __init__(self) -> None:
        self.body = Block()
        self._buffers: dict[Value, str] = {}
        self._numbers: dict[Size, str] = {}
        self._arguments: dict[str, tuple[KernelArgument, str]] = {}
        self._names = 0
        self._read = 0
        self._written = 0

    # --- arguments

    def read(self, value: Value) -> str:
        """The pointer to a value that the kernel reads."""
        if value not in self._buffers:
            name = self._new_name("a", self._read)
            self._buffers[value] = self._add(name, Buffer(value), f"*{value.type.dtype}")
            self._read += 1
        return self._buffers[value]

    def write(self, value: Value) -> str:
        """The pointer to a value that the kernel writes."""
        if value not in self._buffers:
            name = self._new_name("out", self._written)
            self._buffers[value] = self._add(name, Buffer(value), f"*{value.type.dtype}")
            self._written += 1
        return self._buffers[value]

    def has(self, value: Value) -> bool:
        """Whether the kernel reads or writes a value."""
        return value in self._buffers

    def size(self, size: Size) -> str:
        """A size as source text: 0 and 1 as they are, all others as arguments."""
        if isinstance(size, int) and size in (0, 1):
            return str(size)
        if size not in self._numbers:
            name = self._new_name("n", len(self._numbers))
            self._numbers[size] = self._add(name, Number(size), "i64")
        return self._numbers[size]

    def workspace(self, elements: Size, dtype: str) -> str:
        """The pointer to scratch memory; the kernel's only one."""
        return self._add("workspace", Workspace(elements, dtype), f"*{dtype}")

    def scratch(self, memory: Scratch) -> str:
        """The pointer to memory that several kernels of an instruction share; the kernel's only one."""
        return self._add("scratch", memory, f"*{memory.dtype}")

    def status(self) -> str:
        """The pointer to the run's status words."""
        return self._add("status", Status(), "*i64")

    def _new_name(self, letters: str, number: int) -> str:
        return f"{letters}{number}"

    def _add(self, name: str, argument: KernelArgument, kind: str) -> str:
        self._arguments.setdefault(name, (argument, kind))
        return name

    def name(self) -> str:
        """A new name for a computed element."""
        self._names += 1
        return f"t{self._names - 1}"

    # --- the end

    def finish(
        self,
        words: Sequence[str],
        header: str,
        work: Size,
        parallel: bool = True,
        can_fail: bool = False,
    ) -> KernelCall:
        """The call of the kernel; `header` is a comment over its source."""
        names = self._ordered_names()
        code = f"# {header}\ndef kernel({', '.join([*names, 'part', 'parts'])}):\n{source_text(self.body)}"
        source = kernel_source(words, code, [self._arguments[name][1] for name in names])
        return KernelCall(source, tuple(self._arguments[name][0] for name in names), work, parallel, can_fail)

    def _ordered_names(self) -> list[str]:
        """Pointers that are read, pointers that are written, sizes, then the rest."""
        order = ("a", "out", "n", "workspace", "scratch", "status")
        return sorted(self._arguments, key=lambda name: (order.index(name.rstrip("0123456789")), len(name), name))
