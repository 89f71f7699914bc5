"""Kernel rules of `contract` and `convolve`, and how the fused ones with an epilogue call the same kernels."""

from __future__ import annotations

from collections.abc import Sequence

from sessile.compiler.cpu.contraction.contraction_kernel import ContractionKernel
from sessile.compiler.cpu.contraction.convolution import convolution_kernel
from sessile.compiler.cpu.contraction.convolution_geometry import Convolution
from sessile.compiler.cpu.contraction.epilogue import NO_EPILOGUE, Epilogue
from sessile.compiler.cpu.contraction.matrix_product import matrix_product_kernel, matrix_vector_kernel
from sessile.compiler.kernel_call import (
    Buffer,
    KernelArgument,
    KernelCall,
    NoKernel,
    Number,
    Scratch,
    Workspace,
    kernel_rule,
)
from sessile.compiler.target import Target
from sessile.ir.program import Instruction, Value
from sessile.ir.sizes import Size, product

Axes = Sequence[int]


@kernel_rule("contract", "convolve")
def contraction(instruction: Instruction, target: Target) -> tuple[KernelCall, ...]:
    """A contraction by itself."""
    return (contraction_call(instruction, target, Buffer(instruction.result)),)


def contraction_call(
    instruction: Instruction,
    target: Target,
    output: Buffer | Scratch,
    epilogue: Epilogue = NO_EPILOGUE,
    epilogue_arguments: Sequence[KernelArgument] = (),
    epilogue_cost: int = 0,
    operands: Sequence[Value] | None = None,
) -> KernelCall:
    """The kernel call of a `contract` or `convolve` whose finished elements go through `epilogue` into `output`.

    `operands` stand for the instruction's own where these are parameters of a fused region.
    """
    a, b = operands or instruction.operands
    if a.type.dtype in ("bool", "string"):
        raise NoKernel(f"{instruction.name} of {a.type.dtype} has no kernel")
    if instruction.name == "contract":
        kernel, numbers, work = _matrix_product(instruction, target, epilogue)
    else:
        kernel, numbers, work = _convolution(instruction, target, epilogue)
    dtype = "f32" if a.type.dtype == "f16" and kernel.workspace_elements else a.type.dtype
    arguments: list[KernelArgument] = [Buffer(a), Buffer(b), output, *map(Number, numbers)]
    arguments += [Workspace(kernel.workspace_elements, dtype), Number(kernel.workspace_elements), *epilogue_arguments]
    # a fused multiply-add of a vector of sixteen takes as long as two scalar operations
    return KernelCall(kernel.source, tuple(arguments), work=work // 8 + epilogue_cost * instruction.result.type.size)


def _convolution(
    instruction: Instruction, target: Target, epilogue: Epilogue
) -> tuple[ContractionKernel, Sequence[Size], Size]:
    x, w = instruction.operands
    convolution = Convolution(x.type.shape, w.type.shape, instruction.result.type.shape, **instruction.attributes)
    kernel = convolution_kernel(
        x.type.dtype,
        target,
        epilogue,
        method=convolution.method,
        transpose_filter=convolution.transpose_filter,
    )
    return kernel, convolution.geometry, convolution.flops


def _matrix_product(
    instruction: Instruction, target: Target, epilogue: Epilogue
) -> tuple[ContractionKernel, Sequence[Size], Size]:
    a, b = (operand.type for operand in instruction.operands)
    contracting, batch = instruction.attributes["contracting"], instruction.attributes["batch"]
    rows = free_axes(a.rank, contracting[0], batch[0])
    columns = free_axes(b.rank, contracting[1], batch[1])
    items = product(a.shape[axis] for axis in batch[0])
    m = product(a.shape[axis] for axis in rows)
    n = product(b.shape[axis] for axis in columns)
    k = product(a.shape[axis] for axis in contracting[0])
    a_steps = [merged_step(a.shape, axes) for axes in (batch[0], rows, contracting[0])]
    b_steps = [merged_step(b.shape, axes) for axes in (batch[1], contracting[1], columns)]
    dtype = a.dtype
    if m == 1 or n == 1:
        kernel = matrix_vector_kernel(dtype, target, epilogue)
    else:
        kernel = matrix_product_kernel(
            dtype,
            target,
            epilogue,
            transpose_a=a_steps[2] != 1 and a_steps[1] == 1,
            transpose_b=b_steps[2] != 1 and b_steps[1] == 1,
        )
    return kernel, (items, m, n, k, *a_steps, *b_steps), 2 * items * m * n * k


def free_axes(rank: int, contracting: Axes, batch: Axes) -> list[int]:
    """The axes that a contraction neither sums over nor puts side by side."""
    return [axis for axis in range(rank) if axis not in contracting and axis not in batch]


def merged_step(shape: Sequence[Size], axes: Axes) -> Size:
    """How far neighbours are apart along `axes` taken as one axis of a dense array; 0 for no axis.

    Raises NoKernel where they cannot be one: other axes lie between them, or they are out of order.
    """
    step: Size = 0
    reach: Size = 0
    for axis in reversed(axes):
        if shape[axis] == 1:
            continue
        own = product(shape[axis + 1 :])
        if step == 0:
            step = own
        elif own != reach:
            raise NoKernel("the axes of the contraction do not merge")
        reach = own * shape[axis]
    return step
