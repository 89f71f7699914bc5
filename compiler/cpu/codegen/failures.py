"""How kernels fail: conditions in their text that set the run's status. What went wrong, the reference says again."""

from __future__ import annotations

from collections.abc import Sequence

from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.kernel_writer import KernelWriter
from sessile.ir.program import Instruction
from sessile.ir.sizes import Size

_FLAG = "failed"


class Failures:
    """The ways in which a kernel may fail.

    Attributes:
      any: whether there are some.
    """

    def __init__(self, writer: KernelWriter) -> None:
        self.any = False
        self._writer = writer
        self._has_flag = False

    def note(self, block: Block, condition: str) -> None:
        """Notes in a block when an element fails; the kernel goes on, and reports it at its end."""
        self._has_flag = True
        block.line(f"{_FLAG} = {_FLAG} | ({condition})")

    def check_slices(self, instructions: Sequence[Instruction], body: Block) -> None:
        """Ends the kernel before it has done anything if a slice leaves its operand, where only the run can tell."""
        for instruction in instructions:
            if instruction.name == "slice":
                attributes = instruction.attributes
                limits = instruction.operands[0].type.shape
                bounds = (attributes["starts"], attributes["shape"], attributes["strides"], limits)
                for start, size, stride, limit in zip(*bounds, strict=True):
                    self._check_slice(start, size, stride, limit, body)

    def _check_slice(self, start: Size, size: Size, stride: int, limit: Size, body: Block) -> None:
        stop = start + (size - 1) * stride + 1
        conditions = []
        if not isinstance(start, int):
            conditions.append(f"{self._writer.size(start)} < 0")
        if not isinstance(limit - stop, int):
            leaves = f"{self._writer.size(stop)} > {self._writer.size(limit)}"
            conditions.append(leaves if isinstance(size, int) else f"{self._writer.size(size)} > 0 and {leaves}")
        if conditions:
            with body.inside(f"if {' or '.join(conditions)}:") as outside:
                self._report(outside)
                outside.line("return")

    def _report(self, block: Block) -> None:
        self.any = True
        status = self._writer.status()
        with block.inside(f"if {status}[0] == 0:") as first:
            first.line(f"{status}[0] = 1")

    def finish(self, body: Block) -> None:
        """Writes the beginning and the end of what notes failures."""
        if self._has_flag:
            body.line_before(f"{_FLAG} = False")
            with body.inside(f"if {_FLAG}:") as failed:
                self._report(failed)
