"""Accumulators: how a reduction begins, takes in an element, and ends, as source text.

Floating sums may be added in any order, in blocks: within a block of a few thousand elements in the element's
precision, with as many partial sums as fit the vector registers; the sums of blocks in f64, for f64 with what rounding
has lost.
"""

from __future__ import annotations

from dataclasses import dataclass

from sessile.compiler.cpu.codegen import scalar_code
from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.emitter import comment_of
from sessile.compiler.fusion.classification import is_reducible
from sessile.compiler.kernel_call import NoKernel
from sessile.ir.primitives.reduction import identity_of
from sessile.ir.program import Instruction
from sessile.ir.types import COMPLEX, FLOATS, INTEGERS

BLOCK = 4096
"""Elements that are added before their sum is added to a wider total."""
_REASSOCIATED = {
    "add": "add_reassoc", "mul": "mul_reassoc", "max": "maximum_reduce", "min": "minimum_reduce",
}  # fmt: skip
_OPERATORS = {"add": "+", "mul": "*", "and": "&", "or": "|"}


@dataclass(frozen=True)
class Accumulator:
    """The accumulator of one reduction; `number` tells those of a kernel apart."""

    instruction: Instruction
    number: int

    @property
    def function(self) -> str:
        return self.instruction.attributes["function"]

    @property
    def dtype(self) -> str:
        return self.instruction.operands[0].type.dtype

    @property
    def held(self) -> str:
        """The type in which elements are combined."""
        return scalar_code.held_type(self.dtype)

    @property
    def wide(self) -> str:
        """The type in which partial results of any reduction of this element type can be kept."""
        return "f64" if self.dtype in FLOATS else self.dtype

    @property
    def is_blocked(self) -> bool:
        """Whether long stretches are combined in blocks."""
        return self.function == "add" and self.dtype in FLOATS

    @property
    def name(self) -> str:
        return f"acc{self.number}"

    @property
    def total(self) -> str:
        """The name of what holds the result when all is done."""
        return f"total{self.number}" if self.is_blocked else self.name

    def identity(self, dtype: str) -> str:
        """What changes nothing, in a type."""
        if self.dtype in COMPLEX:
            return f"{dtype}({1 if self.function == 'mul' else 0})"
        return scalar_code.literal(identity_of(self.function, dtype), dtype)

    def combined(self, accumulator: str, x: str, dtype: str) -> str:
        """The expression that takes `x` into an accumulator of type `dtype`; a variable's may be a vector of them."""
        is_variable = accumulator.isidentifier() or self.function in ("max", "min")
        if is_variable and self.function in _REASSOCIATED and dtype in FLOATS:
            return f"{_REASSOCIATED[self.function]}_{dtype}({accumulator}, {x})"
        if self.function in ("max", "min"):
            return f"{self.function}({accumulator}, {x})"
        combined = f"{accumulator} {_OPERATORS[self.function]} {x}"
        return f"{dtype}({combined})" if dtype in INTEGERS else combined

    # --- a reduction in blocks

    def begin(self, block: Block, in_blocks: bool) -> None:
        """Before all elements."""
        if in_blocks and self.is_blocked:
            block.line(f"{self.total} = f64(0)")
            if self.dtype == "f64":
                block.line(f"lost{self.number} = f64(0)")
        else:
            block.line(f"{self.name} = {self.identity(self.held)}")

    def begin_block(self, block: Block) -> None:
        """Before the elements of a block of a sum."""
        block.line(f"{self.name} = {self.identity(self.held)}")

    def take(self, block: Block, x: str) -> None:
        """One element."""
        block.line(f"{self.name} = {self.combined(self.name, x, self.held)}", comment_of(self.instruction))

    def end_block(self, block: Block) -> None:
        """After the elements of a block of a sum."""
        if self.dtype == "f64":
            add_compensated(block, self.number, self.name)
        else:
            block.line(f"{self.total} = {self.total} + f64({self.name})")

    def result(self, in_blocks: bool) -> str:
        """The result after all elements."""
        if not in_blocks or not self.is_blocked:
            return self.narrowed(self.name, self.held)
        return self.narrowed(self.partial("f64"), "f64")

    def partial(self, dtype: str) -> str:
        """The result of a part of the elements, combined in blocks, in type `dtype`."""
        if not self.is_blocked:
            return self.name if dtype == self.held else f"{dtype}({self.name})"
        return self.total if self.dtype != "f64" else compensated(self.number)

    def narrowed(self, x: str, dtype: str) -> str:
        """A result of type `dtype` in the type of the elements."""
        narrow = x if dtype == self.held else f"{self.held}({x})"
        return scalar_code.rounded("f16", narrow) if self.dtype == "f16" else narrow


def add_compensated(block: Block, number: int, x: str) -> None:
    """Adds to a total and keeps what rounding loses (Dekker 1971: exact where the total is the larger)."""
    total = f"total{number}"
    block.line(f"previous{number} = {total}")
    block.line(f"{total} = {total} + {x}")
    block.line(f"lost{number} = lost{number} + (previous{number} - {total} + {x})")


def compensated(number: int) -> str:
    """The total with what rounding has lost, which is NaN beside an infinity."""
    return f"total{number} + lost{number} if lost{number} == lost{number} else total{number}"


def accumulator(instruction: Instruction, number: int) -> Accumulator:
    """The accumulator of a reduction. Raises NoKernel for one that has no text."""
    if not is_reducible(instruction):
        kind = f"reduce {instruction.attributes['function']} of {instruction.operands[0].type.dtype}"
        raise NoKernel(f"{kind} has no kernel")
    return Accumulator(instruction, number)
