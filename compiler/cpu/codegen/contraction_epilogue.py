"""The elementwise work at the end of a fused contraction, as an `Epilogue` for the contraction's kernel.

In: a region that begins with `contract` or `convolve`. Out: lines that compute the results from a finished sum `acc`,
at row `i`, column `j` and position `o`; the first result of the contraction's type is what the kernel itself stores.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sessile.compiler.cpu.codegen import scalar_code
from sessile.compiler.cpu.codegen.element_graph import Element, ElementGraph
from sessile.compiler.cpu.codegen.emitter import Emitter
from sessile.compiler.cpu.codegen.failures import Failures
from sessile.compiler.cpu.codegen.kernel_writer import KernelWriter
from sessile.compiler.cpu.codegen.region_kernel import words_of, work_of
from sessile.compiler.cpu.contraction.epilogue import Epilogue
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.index_maps import Index, reshape_map
from sessile.compiler.fusion.matrix_epilogue import column_axes, matrix_axes, step_along
from sessile.compiler.kernel_call import Buffer, KernelArgument, NoKernel, Scratch
from sessile.ir.program import Instruction, Region, Value
from sessile.ir.sizes import Size


@dataclass(frozen=True)
class ContractionEnd:
    """An epilogue and what belongs to it: the contraction, its operands, the array in which the kernel adds."""

    contraction: Instruction
    operands: tuple[Value, ...]
    target: Buffer | Scratch
    epilogue: Epilogue
    arguments: tuple[KernelArgument, ...]
    cost: int


class _EpilogueWriter(KernelWriter):
    """Names arguments as epilogues do: `e0`, `e1`, whatever they are."""

    def _new_name(self, letters: str, number: int) -> str:
        return f"e{len(self._arguments)}"

    def arguments(self) -> dict[str, tuple[KernelArgument, str]]:
        return dict(self._arguments)


class _MatrixNames:
    """Positions in terms of row, column, and place in the result."""

    def __init__(self, writer: KernelWriter, domain: Domain, columns: int) -> None:
        self._writer = writer
        self._domain = domain
        self._axes = matrix_axes(domain, columns)

    def axes(self, axes: Iterable[int]) -> frozenset[int]:
        """Everything stands in the innermost loop."""
        return frozenset()

    def position(self, index: Index) -> str:
        """A position as source text."""
        if index == self._domain.position:
            return "o"
        terms = []
        for name, axes in zip("ij", self._axes, strict=True):
            step = step_along(index, axes, self._domain)
            if step is None:
                raise NoKernel("an operand of an epilogue is read along some of the rows or columns")
            terms += [self._product(name, step)] if step != 0 else []
        if index.offset != 0 or not terms:
            terms.append(self._writer.size(index.offset))
        return " + ".join(terms)

    def _product(self, name: str, step: Size) -> str:
        return name if step == 1 else f"{name} * {self._writer.size(step)}"


def end_elements(region: Region) -> tuple[Domain, ElementGraph, list[Element]]:
    """The loops over a contraction's result, all elements of an iteration, and those of the region's results."""
    shape = region.instructions[0].result.type.shape
    domain = Domain.over(shape)
    graph = ElementGraph(region, domain)
    places = [reshape_map(result.type.shape, shape, domain.identity, domain.extents) for result in region.results]
    return domain, graph, [graph.element(r, place) for r, place in zip(region.results, places, strict=True)]


def contraction_end(instruction: Instruction) -> ContractionEnd:
    """The end of a fused instruction of kind "contraction"."""
    region = instruction.regions[0]
    contraction = region.instructions[0]
    outside = dict(zip(region.parameters, instruction.operands, strict=True))
    dtype = contraction.result.type.dtype
    domain, graph, elements = end_elements(region)

    writer = _EpilogueWriter()
    names = _MatrixNames(writer, domain, column_axes(contraction))
    emitter = Emitter(writer, names, lambda value: writer.read(outside[value]), Failures(writer))
    block = writer.body
    block.names[graph.element(contraction.result, domain.identity)] = "acc"
    if dtype == "f16":
        block.line(f"acc = {scalar_code.rounded('f16', 'acc')}")
    values = [emitter.named(emitter.value(element, block), block) for element in elements]
    overwritten = dict(instruction.attributes.get("in_place", ()))
    own = [k for k, r in enumerate(region.results) if r.type.dtype == dtype and k not in overwritten]
    main = own[0] if own else None
    for number, (result, value) in enumerate(zip(instruction.results, values, strict=True)):
        if number != main:
            is_new = number not in overwritten
            array = writer.write(result) if is_new else writer.read(instruction.operands[overwritten[number]])
            block.line(f"{array}[o] = {scalar_code.stored(result.type.dtype, value)}")
    arguments = writer.arguments()
    epilogue = Epilogue(
        tuple(words_of(region.instructions[1:])),
        tuple((name, kind) for name, (_, kind) in arguments.items()),
        tuple(f"{code}  # {comment}" if comment else code for code, comment in block.lines()),
        "acc" if main is None else values[main],
    )
    return ContractionEnd(
        contraction,
        tuple(outside[operand] for operand in contraction.operands),
        Scratch(contraction.result.type.size, dtype) if main is None else Buffer(instruction.results[main]),
        epilogue,
        tuple(argument for argument, _ in arguments.values()),
        work_of(graph.elements.values(), len(region.results)),
    )
