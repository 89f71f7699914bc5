"""A kernel for a fused instruction while it is written: its region, arrays, failures and costs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sessile.compiler.cpu.codegen.element_graph import Element
from sessile.compiler.cpu.codegen.emitter import Emitter
from sessile.compiler.cpu.codegen.failures import Failures
from sessile.compiler.cpu.codegen.kernel_writer import KernelWriter
from sessile.compiler.cpu.codegen.loops import Loop, LoopNames, iterations
from sessile.compiler.fusion.classification import cost
from sessile.compiler.kernel_call import KernelCall
from sessile.ir.program import Instruction, Region, Value
from sessile.ir.sizes import Size

_ACCESS_COST = 1
_COSTS_PER_UNIT = 4
"""Vectorised operations of cost 1 that take as long as a quarter of a nanosecond."""


class RegionKernel:
    """One kernel of a fused instruction.

    Attributes:
      region: what it computes.
      writer: its text.
      failures: the ways in which it may fail.
      parallel: whether its parts share the work.
    """

    def __init__(self, instruction: Instruction) -> None:
        self.instruction = instruction
        self.region: Region = instruction.regions[0]
        self.parallel = True
        self._operands: dict[Value, Value] = dict(zip(self.region.parameters, instruction.operands, strict=True))
        self._in_place: dict[int, int] = dict(instruction.attributes.get("in_place", ()))
        self.restart()

    def restart(self) -> None:
        """Begins the text anew."""
        self.writer = KernelWriter()
        self.failures = Failures(self.writer)
        self.failures.check_slices(self.region.instructions, self.writer.body)
        self._beginning: list[str] = []
        self._work: Size = 0

    # --- arrays

    def array(self, value: Value) -> str:
        """The array of a region's parameter."""
        return self.writer.read(self._operands[value])

    def result(self, number: int) -> str:
        """The array of a result; an operand's where the kernel works in place."""
        if number in self._in_place:
            return self.writer.read(self.instruction.operands[self._in_place[number]])
        return self.writer.write(self.instruction.results[number])

    def _is_written(self, number: int) -> bool:
        return number in self._in_place or self.writer.has(self.instruction.results[number])

    @property
    def overwrites(self) -> bool:
        """Whether some result is written over an operand."""
        return bool(self._in_place)

    def emitter(self, names: LoopNames) -> Emitter:
        """What writes the elements of one nest of loops."""
        return Emitter(self.writer, names, self.array, self.failures)

    def begin_with(self, line: str) -> None:
        """Puts a line at the beginning of the kernel, once."""
        if line not in self._beginning:
            self._beginning.append(line)

    # --- costs

    def count_work(self, loops: Sequence[Loop], elements: Iterable[Element]) -> None:
        """Adds the work of a nest of loops that computes these elements and writes all results."""
        self._work = self._work + iterations(loops) * work_of(elements, len(self.region.results))

    def set_work(self, work: Size) -> None:
        """Says what the work is, instead of counting it."""
        self._work = work

    # --- the end

    def finish(self) -> KernelCall:
        """The call of the finished kernel."""
        self.failures.finish(self.writer.body)
        for line in reversed(self._beginning):
            self.writer.body.line_before(line)
        words = words_of(self.region.instructions)
        return self.writer.finish(words, self._header(words), self._work, self.parallel, self.failures.any)

    def _header(self, words: Sequence[str]) -> str:
        results = ", ".join(map(repr, self.instruction.results))
        lines = "; ".join(dict.fromkeys(map(str, self.instruction.locations)))
        read = {self.array(p): p.type for p in self.region.parameters if self.writer.has(self._operands[p])}
        written = {self.result(k): v.type for k, v in enumerate(self.instruction.results) if self._is_written(k)}
        shown = ["  ".join(f"{name}: {type}" for name, type in sorted(arrays.items())) for arrays in (read, written)]
        arrays = "  ->  ".join(text for text in shown if text)
        return f"{results} = {self.instruction.name}({', '.join(words)})   {lines}   cpu   {arrays}"


def work_of(elements: Iterable[Element], results: int) -> int:
    """What one iteration costs, in units of work: the accesses to memory, and what is computed."""
    total = _COSTS_PER_UNIT - 1 + results
    for element in elements:
        total += _ACCESS_COST if element.instruction is None else cost(element.instruction)
    return total // _COSTS_PER_UNIT


def words_of(instructions: Iterable[Instruction]) -> list[str]:
    """What instructions do, for the names of kernels."""
    words: list[str] = []
    for instruction in instructions:
        function = instruction.attributes.get("function", "")
        match instruction.name:
            case "map":
                words.append(function)
            case "reduce":
                words += ["reduce", function]
            case "constant" | "reshape" | "sizes":
                pass
            case name:
                words.append(name)
    return words
