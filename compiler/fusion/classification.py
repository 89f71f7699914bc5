"""What fusion knows of each primitive: whether it enters a kernel with others, its cost, whether it may be repeated."""

from __future__ import annotations

from sessile.ir.program import Instruction
from sessile.ir.scalar_functions import CHEAP, DIVISION, SCALAR_FUNCTIONS
from sessile.ir.types import COMPLEX, INTEGERS

ELEMENTWISE = frozenset({"map", "select", "convert", "make_complex", "bitcast"})
MOVEMENT = frozenset({"broadcast", "reshape", "transpose", "slice", "reverse"})
PIECEWISE = frozenset({"concat", "pad"})
SOURCES = frozenset({"iota", "constant", "sizes"})
CONTRACTIONS = frozenset({"contract", "convolve"})
_KERNEL_WORK = ELEMENTWISE | MOVEMENT | SOURCES
MOST_CONCATENATED = 8

# Computed again in each kernel that needs them, rather than once for all.
_REPEATED = frozenset({"broadcast", "reshape", "slice", "reverse", "convert", "iota", "constant", "sizes"})
# The functions that kernels know for complex numbers; the others run on the host.
_COMPLEX_FUNCTIONS = frozenset({"add", "sub", "mul", "neg", "real", "imag", "conj", "eq", "ne"})
# The others are computed by the host, and would take a whole kernel there.
_OF_COMPLEX_NUMBERS = frozenset({"add", "sub", "mul", "neg", "conj", "real", "imag", "eq", "ne"})
_UNSUITABLE = frozenset({"string", "resource"})


def is_fusible(instruction: Instruction) -> bool:
    """Whether kernels of several instructions can hold this one, contractions apart."""
    name = instruction.primitive.name
    if name == "map":
        is_complex = instruction.operands[0].type.dtype in COMPLEX
        return not is_complex or instruction.attributes["function"] in _COMPLEX_FUNCTIONS
    if name in ("broadcast", "select"):
        return instruction.result.type.dtype not in _UNSUITABLE
    if any(value.type.dtype in _UNSUITABLE for value in (*instruction.operands, *instruction.results)):
        return False
    match name:
        case "constant":
            return not instruction.result.type.rank
        case "sizes":
            return bool(instruction.attributes["scalar"])
        case "pad":
            return all(gap == 0 for gap in instruction.attributes["interior"])
        case "concat":
            return len(instruction.operands) <= MOST_CONCATENATED
        case "reduce":
            return is_reducible(instruction)
    return instruction.name in _KERNEL_WORK


def is_reducible(instruction: Instruction) -> bool:
    """Whether kernels know the reduction for the element type."""
    dtype, function = instruction.operands[0].type.dtype, instruction.attributes["function"]
    if dtype in COMPLEX:
        return function in ("add", "mul")
    return (dtype == "bool") == (function in ("and", "or"))


def is_repeated(instruction: Instruction) -> bool:
    """Whether the instruction is cheap enough to be computed once for each kernel that uses it."""
    if instruction.name in _REPEATED:
        return True
    return instruction.name in ELEMENTWISE and not instruction.result.type.rank and cost(instruction) <= CHEAP


def is_statement(instruction: Instruction) -> bool:
    """Whether the instruction becomes a line of a kernel; the others only say where elements are found."""
    return instruction.name in ELEMENTWISE or instruction.name in ("reduce", "iota")


def cost(instruction: Instruction) -> int:
    """What one element costs, in additions."""
    match instruction.name:
        case "map":
            scalar = SCALAR_FUNCTIONS[instruction.attributes["function"]]
            dtype = instruction.operands[0].type.dtype
            if dtype in COMPLEX and scalar.cost > CHEAP:
                return 4 * scalar.cost
            return DIVISION if dtype in INTEGERS and scalar.cost == DIVISION else scalar.cost
        case "select" | "convert" | "make_complex" | "reduce":
            return CHEAP
    return 0


def can_fail(instruction: Instruction) -> bool:
    """Whether an element may end the run with an error."""
    return (
        instruction.name == "map"
        and SCALAR_FUNCTIONS[instruction.attributes["function"]].can_fail
        and instruction.operands[0].type.dtype in INTEGERS
    )
