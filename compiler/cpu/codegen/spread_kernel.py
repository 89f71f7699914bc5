"""The kernel of a `pad` that puts gaps between elements, as in the gradient of a slice with a stride.

First the result is filled with the padding, then the operand's elements are written to their places. Each part does
both for its share of the result's first axis.
"""

from __future__ import annotations

from sessile.compiler.cpu.codegen.block import Block
from sessile.compiler.cpu.codegen.region_kernel import RegionKernel
from sessile.compiler.fusion.index_maps import strides
from sessile.compiler.kernel_call import KernelCall
from sessile.ir.program import Instruction
from sessile.ir.sizes import ceiling_divide, maximum, minimum


def has_gaps(instruction: Instruction) -> bool:
    """Whether a `pad` leaves room between elements."""
    return any(gap != 0 for gap in instruction.attributes["interior"])


def spread_calls(instruction: Instruction) -> tuple[KernelCall, ...]:
    """The kernel of a fused instruction that holds nothing but a `pad` with gaps."""
    kernel = RegionKernel(instruction)
    (pad,) = kernel.region.instructions
    kernel.set_work(pad.result.type.size + pad.operands[0].type.size)
    body = kernel.writer.body
    rows = kernel.writer.size(pad.result.type.shape[0])
    body.line(f"first = {rows} * part // parts")
    body.line(f"last = {rows} * (part + 1) // parts")
    _fill(kernel, pad, body)
    _spread(kernel, pad, body)
    return (kernel.finish(),)


def _fill(kernel: RegionKernel, pad: Instruction, body: Block) -> None:
    row = kernel.writer.size(strides(pad.result.type.shape)[0])
    filling = kernel.array(pad.operands[1])
    with body.inside(f"for i in range(first * {row}, last * {row}):") as block:
        block.line(f"{kernel.result(0)}[i] = {filling}[0]")


def _spread(kernel: RegionKernel, pad: Instruction, body: Block) -> None:
    """Loops over those elements of the operand that the result holds in the part's rows."""
    source, target = pad.operands[0].type.shape, pad.result.type.shape
    size = kernel.writer.size
    attributes = pad.attributes
    read: list[str] = []
    written: list[str] = []

    def nest(block: Block, axis: int) -> None:
        if axis == len(source):
            element = f"{kernel.array(pad.operands[0])}[{' + '.join(read)}]"
            block.line(f"{kernel.result(0)}[{' + '.join(written)}] = {element}")
            return
        before, step = attributes["low"][axis], attributes["interior"][axis] + 1
        name = f"i{axis}"
        read.append(_times(name, size(strides(source)[axis])))
        place = f"({size(before)} + {_times(name, size(step))})" if before != 0 else _times(name, size(step))
        written.append(_times(place, size(strides(target)[axis])))
        if axis == 0:
            first, last = (f"({row} - {size(before)} + {size(step)} - 1) // {size(step)}" for row in ("first", "last"))
            steps = f"range(max({first}, 0), min({last}, {size(source[0])}))"
        else:
            begin = maximum(ceiling_divide(-before, step), 0)
            end = minimum(ceiling_divide(target[axis] - before, step), source[axis])
            steps = f"range({size(begin)}, {size(end)})"
        with block.inside(f"for {name} in {steps}:") as inner:
            nest(inner, axis + 1)

    nest(body, 0)


def _times(name: str, step: str) -> str:
    return name if step == "1" else f"{name} * {step}"
