"""Which operands the kernel of a fused instruction may overwrite with its results.

A kernel computes all results of an iteration before it writes the first, and no two iterations write to one place. So a
result may take the memory of an operand that is read at no other place than the one where the result is written.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sessile.compiler.cpu.codegen.contraction_epilogue import end_elements
from sessile.compiler.cpu.codegen.element_graph import Element
from sessile.compiler.cpu.codegen.loop_kernel import nests
from sessile.compiler.cpu.codegen.reduction_plan import plan_reductions
from sessile.compiler.fusion.classification import can_fail
from sessile.compiler.fusion.index_maps import Index, NotSimple
from sessile.compiler.kernel_call import NoKernel
from sessile.ir.program import Instruction, Region, Value

Nest = tuple[Iterable[Element], Sequence[Index]]
"""The elements that an iteration meets, and where it writes each result."""


def overwritable(instruction: Instruction) -> frozenset[tuple[int, int]]:
    """The pairs (result, operand) of a fused instruction of which the result may be written over the operand."""
    region = instruction.regions[0]
    if any(can_fail(inner) for inner in region.instructions):
        return frozenset()  # the old value has to survive a failure
    try:
        nests = list(_nests(instruction.attributes["kind"], region))
    except (NotSimple, NoKernel):
        return frozenset()
    candidates = [k for k, parameter in enumerate(region.parameters) if not _is_read_whole(region, parameter)]
    return frozenset(
        (number, operand)
        for number in range(len(region.results))
        for operand in candidates
        if all(_reads_at(elements, region.parameters[operand], written[number]) for elements, written in nests)
    )


def _nests(kind: str, region: Region) -> Iterable[Nest]:
    if kind == "loop":
        for nest in nests(region):
            yield nest.graph.elements.values(), [position for _, position in nest.roots]
    elif kind == "contraction":
        domain, graph, _ = end_elements(region)
        yield graph.elements.values(), [domain.position] * len(region.results)
    else:
        plan = plan_reductions(region)
        yield plan.graph.elements.values(), [result.position for result in plan.results]


def _is_read_whole(region: Region, parameter: Value) -> bool:
    """Whether the parameter is a factor of the contraction."""
    first = region.instructions[0]
    return first.name in ("contract", "convolve") and parameter in first.operands


def _reads_at(elements: Iterable[Element], value: Value, position: Index) -> bool:
    return all(e.position == position for e in elements if e.value is value and e.instruction is None)
