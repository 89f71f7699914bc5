"""Writes the statements that compute elements: a line for each instruction, in the outermost block where it can stand.

What does not depend on an inner loop is so computed outside of it, and nothing is computed twice in a block.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from sessile.compiler.cpu.codegen import scalar_code
from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.element_graph import Element
from sessile.compiler.cpu.codegen.failures import Failures
from sessile.compiler.cpu.codegen.kernel_writer import KernelWriter
from sessile.compiler.fusion.index_maps import Index
from sessile.compiler.kernel_call import NoKernel
from sessile.ir.program import Instruction, Value
from sessile.ir.types import INTEGERS

# Functions whose text names an operand more than once.
_NAMES_TWICE = frozenset({"is_nan", "conj"})


class Names(Protocol):
    """How the loops of a nest are written."""

    def axes(self, axes: Iterable[int]) -> frozenset[int]:
        """The loops that run over some axes."""

    def position(self, index: Index) -> str:
        """A position in memory as source text."""


class Emitter:
    """Writes elements of one nest of loops; `array` names the array of a value that is in memory."""

    def __init__(self, writer: KernelWriter, names: Names, array: Callable[[Value], str], failures: Failures) -> None:
        self.names = names
        self._writer = writer
        self._array = array
        self._failures = failures

    def value(self, element: Element, block: Block) -> str:
        """The expression of an element inside a block; a name, a literal, or a single access to memory."""
        known = block.find(element)
        if known is not None:
            return known
        if element.instruction is None:
            return self._load(element, block)
        if element.instruction.name == "constant":
            return _literal(element.instruction)
        home = block.outermost(self.names.axes(element.axes))
        code = self._code(element.instruction, element, home)
        return self._assign(element, code, home, comment_of(element.instruction))

    def _load(self, element: Element, block: Block) -> str:
        assert element.position is not None
        home = block.outermost(self.names.axes(element.axes))
        access = f"{self._array(element.value)}[{self.names.position(element.position)}]"
        code = scalar_code.loaded(element.value.type.dtype, access)
        if home is block and element.users <= 1:
            return code
        return self._assign(element, code, home, "")

    def _assign(self, element: Element, code: str, home: Block, comment: str) -> str:
        name = self._writer.name()
        home.line(f"{name} = {code}", comment)
        home.names[element] = name
        return name

    def _code(self, instruction: Instruction, element: Element, block: Block) -> str:
        operands = [self.value(operand, block) for operand in element.operands]
        dtypes = [operand.value.type.dtype for operand in element.operands]
        target = element.value.type.dtype
        match instruction.name:
            case "map":
                return self._mapped(element, operands, block)
            case "select":
                return scalar_code.selected(*operands)
            case "convert":
                return scalar_code.converted(operands[0], dtypes[0], target)
            case "make_complex":
                return scalar_code.made_complex(target, *operands)
            case "bitcast":
                return scalar_code.bits_as(operands[0], dtypes[0], target)
            case "iota":
                assert element.position is not None
                return scalar_code.converted(f"i64({self.names.position(element.position)})", "i64", target)
            case "sizes":
                return f"{target}({self._writer.size(instruction.attributes['values'][0])})"
        raise NoKernel(f"{instruction.name} inside a fused kernel")

    def _mapped(self, element: Element, operands: Sequence[str], block: Block) -> str:
        assert element.instruction is not None
        function, dtype = element.instruction.attributes["function"], element.operands[0].value.type.dtype
        if function in _NAMES_TWICE or dtype in INTEGERS:
            operands = [self.named(operand, block) if "[" in operand else operand for operand in operands]
        operands = list(operands)
        condition = scalar_code.failing_condition(function, dtype, operands)
        if condition is not None and _may_fail(function, element.operands[1]):
            self._failures.note(block, condition)
        return scalar_code.scalar_code(function, dtype, operands)

    def named(self, expression: str, block: Block) -> str:
        """A name for an expression that is used more than once in a line."""
        if expression.isidentifier():
            return expression
        name = self._writer.name()
        block.line(f"{name} = {expression}")
        return name


def comment_of(instruction: Instruction) -> str:
    """The instruction and the user's line, for people who read the kernel."""
    function = instruction.attributes.get("function", "")
    words = f"{instruction.results[0]} {instruction.name if instruction.name != 'map' else ''} {function}"
    lines = "; ".join(dict.fromkeys(map(str, instruction.locations)))
    return " ".join(words.split()) + (f"   {lines}" if lines else "")


def _literal(constant: Instruction) -> str:
    value = constant.attributes["value"]
    if value.ndim:
        raise NoKernel("a constant array inside a fused kernel")
    return scalar_code.literal(value[()], constant.result.type.dtype)


def _may_fail(function: str, operand: Element) -> bool:
    """Whether a failing function may fail for its second operand: not for a constant that is known to be fine."""
    if operand.instruction is None or operand.instruction.name != "constant":
        return True
    number = int(operand.instruction.attributes["value"])
    return number < 0 if function == "pow" else number == 0
