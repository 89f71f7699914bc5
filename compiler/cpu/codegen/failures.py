"""How kernels fail: conditions in their text, status codes, and what the codes mean."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.kernel_writer import KernelWriter
from sessile.ir.program import Instruction
from sessile.ir.sizes import Size

Describe = Callable[[Sequence[int]], str]
_MESSAGES: dict[str, Describe] = {
    "division": lambda words: "Integer division by zero",
    "power": lambda words: "Integers to negative integer powers are not allowed",
    "slice": lambda words: f"slice [{words[1]}, {words[2]}) leaves an axis of size {words[3]}",
}


@dataclass(frozen=True)
class FailureReport:
    """Turns the status words of a failed kernel into an error; `kinds[k]` is what code `k + 1` stands for."""

    kinds: tuple[str, ...]

    def __call__(self, words: list[int]) -> tuple[str, str]:
        return "invalid_argument", _MESSAGES[self.kinds[words[0] - 1]](words)


class Failures:
    """The ways in which a kernel may fail."""

    def __init__(self, writer: KernelWriter) -> None:
        self._writer = writer
        self._kinds: list[str] = []
        self._flags: dict[str, str] = {}

    def flag(self, function: str) -> str:
        """The variable that is set where a scalar function fails; the kernel goes on, and reports it at its end."""
        kind = "power" if function == "pow" else "division"
        if kind not in self._flags:
            self._flags[kind] = f"failed{len(self._flags)}"
            self._code(kind)
        return self._flags[kind]

    def _code(self, kind: str) -> int:
        if kind not in self._kinds:
            self._kinds.append(kind)
        return self._kinds.index(kind) + 1

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
        room = limit - stop
        conditions = []
        if not isinstance(start, int):
            conditions.append(f"{self._writer.size(start)} < 0")
        if not isinstance(room, int):
            leaves = f"{self._writer.size(stop)} > {self._writer.size(limit)}"
            conditions.append(leaves if isinstance(size, int) else f"{self._writer.size(size)} > 0 and {leaves}")
        if not conditions:
            return
        with body.inside(f"if {' or '.join(conditions)}:") as outside:
            words = [str(self._code("slice")), *map(self._writer.size, (start, stop, limit))]
            self._write_status(outside, words)
            outside.line("return")

    def _write_status(self, block: Block, words: Sequence[str]) -> None:
        status = self._writer.status()
        with block.inside(f"if {status}[0] == 0:") as first:
            for place, word in reversed(list(enumerate(words))):
                first.line(f"{status}[{place}] = {word}")

    def finish(self, body: Block) -> FailureReport | None:
        """Writes the flags' beginning and end; returns what the codes mean."""
        for flag in self._flags.values():
            body.line_before(f"{flag} = False")
        for kind, flag in self._flags.items():
            with body.inside(f"if {flag}:") as failed:
                self._write_status(failed, [str(self._code(kind))])
        return FailureReport(tuple(self._kinds)) if self._kinds else None
