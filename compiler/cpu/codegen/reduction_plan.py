"""What a kernel with reductions computes in which order: which pass over the reduced loops finds which result.

In: a region of kind "reduce" or "rows". Out: its loops, its reductions by pass, its results by pass, and the elements
that one pass leaves for later ones because computing them again would cost more than keeping them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

from sessile.compiler.cpu.codegen.accumulator import Accumulator, accumulator
from sessile.compiler.cpu.codegen.element_graph import Element, ElementGraph
from sessile.compiler.cpu.codegen.loops import Loop, collapsed
from sessile.compiler.cpu.codegen.scalar_code import held_type
from sessile.compiler.fusion.classification import cost
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.index_maps import Index, Map, Shape, SplitAxis, reshape_map
from sessile.ir.program import Region, Value
from sessile.ir.sizes import product

_WORTH_KEEPING = 8
_MOST_KEPT = 4


@dataclass(eq=False)
class Result:
    """A result of the kernel: its number, its element, where it is written, and whether each place of a row has one."""

    number: int
    element: Element
    position: Index
    in_row: bool


@dataclass
class ReductionPlan:
    """A region with reductions, ready to be written.

    Attributes:
      domain: the loops' axes.
      graph: all elements.
      reductions: an accumulator for each element of a reduction's result.
      results: in the order of the region.
    """

    domain: Domain
    graph: ElementGraph
    reductions: dict[Element, Accumulator] = field(default_factory=dict)
    results: list[Result] = field(default_factory=list)

    @cached_property
    def loops(self) -> list[Loop]:
        """The loops in the order of the domain."""
        positions = [e.position for e in self.graph.elements.values() if e.position is not None]
        return collapsed(self.domain, [*positions, *(result.position for result in self.results)])

    @cached_property
    def kept(self) -> list[Loop]:
        return [loop for loop in self.loops if not loop.is_reduced]

    @cached_property
    def reduced(self) -> list[Loop]:
        return [loop for loop in self.loops if loop.is_reduced]

    # --- passes

    @cached_property
    def _ready(self) -> dict[Element, int]:
        """How many passes must be over before an element can be computed."""
        ready: dict[Element, int] = {}

        def visit(element: Element) -> int:
            if element not in ready:
                before = max(map(visit, element.operands), default=0)
                ready[element] = before + (element in self.reductions)
            return ready[element]

        for element in (*self.reductions, *(result.element for result in self.results)):
            visit(element)
        return ready

    @cached_property
    def passes(self) -> int:
        """How many passes over the reduced loops there are."""
        last = [self._ready[element] for element in self.reductions]
        last += [self._ready[result.element] + 1 for result in self.results if result.in_row]
        return max(last)

    def reductions_of(self, number: int) -> dict[Element, Accumulator]:
        """The reductions that a pass finds."""
        return {e: a for e, a in self.reductions.items() if self._ready[e] == number + 1}

    def results_of(self, number: int, last: bool) -> list[Result]:
        """The results that a pass writes for each element of a row; all in the last pass if `last` says so."""
        if last:
            return [r for r in self.results if r.in_row] if number == self.passes - 1 else []
        return [r for r in self.results if r.in_row and self._ready[r.element] == number]

    def is_in_row(self, element: Element) -> bool:
        """Whether an element differs along a row."""
        return bool(element.axes & self.domain.reduced)

    # --- what is kept from pass to pass

    def kept_elements(self, results_last: bool) -> dict[Element, int]:
        """Elements that a pass keeps in memory for later ones, and the pass that computes each."""
        computed: dict[Element, int] = {}
        kept: dict[Element, int] = {}
        for number in range(self.passes):
            left = [element.operands[0] for element in self.reductions_of(number)]
            left += [result.element for result in self.results_of(number, results_last)]
            seen: set[Element] = set()
            while left:
                element = left.pop()
                if element in seen or not self._is_computed_in_row(element):
                    continue
                seen.add(element)
                if computed.setdefault(element, number) < number and self._is_worth_keeping(element, kept):
                    kept[element] = computed[element]
                else:
                    left += element.operands
        return kept

    def _is_computed_in_row(self, element: Element) -> bool:
        """Whether an element is computed for each place in a row, not read from memory."""
        return self.is_in_row(element) and element.instruction is not None and element not in self.reductions

    def _is_worth_keeping(self, element: Element, kept: dict[Element, int]) -> bool:
        if element in kept:
            return True
        types = {held_type(other.value.type.dtype) for other in (*kept, element)}
        return len(kept) < _MOST_KEPT and len(types) == 1 and self._is_costly(element)

    def _is_costly(self, element: Element) -> bool:
        """Whether computing an element again costs more than keeping it."""
        total = 0
        left, seen = [element], {element}
        while left and total < _WORTH_KEEPING:
            element = left.pop()
            if self._is_computed_in_row(element) and element.instruction is not None:
                total += cost(element.instruction)
                left += [operand for operand in element.operands if operand not in seen]
                seen.update(element.operands)
        return total >= _WORTH_KEEPING


def plan_reductions(region: Region) -> ReductionPlan:
    """Plans a region with reductions, all over the same axes of one shape."""
    first = next(instruction for instruction in region.instructions if instruction.name == "reduce")
    domain = Domain.over(first.operands[0].type.shape, first.attributes["axes"])
    while True:
        try:
            return _plan(region, domain)
        except SplitAxis as split:
            domain = domain.split(split.axis, split.sizes)[0]


def _plan(region: Region, domain: Domain) -> ReductionPlan:
    graph = ElementGraph(region, domain)
    plan = ReductionPlan(domain, graph)
    for number, value in enumerate(region.results):
        in_row, place = _place(value, domain)
        element = graph.element(value, place)
        element.users += 1
        plan.results.append(Result(number, element, domain.position if in_row else domain.kept_position, in_row))
    for instruction in region.instructions:
        if instruction.name == "reduce":
            elements = (element for element in graph.elements.values() if element.instruction is instruction)
            plan.reductions |= {e: accumulator(instruction, len(plan.reductions)) for e in elements}
    return plan


def _place(value: Value, domain: Domain) -> tuple[bool, Map]:
    """Whether a result has an element for each iteration, or for each row; and its place."""
    own = [size for size in value.type.shape if size != 1]
    whole = [size for size in domain.shape if size != 1]
    if own == whole or (value.type.size == product(whole) and 0 not in whole):
        return True, reshape_map(value.type.shape, domain.shape, domain.identity, domain.extents)
    chosen = [k for k, axes in enumerate(domain.axes) if not domain.reduced.intersection(axes)]
    shape: Shape = tuple(domain.shape[k] for k in chosen)
    place = tuple(domain.identity[k] for k in chosen)
    return False, reshape_map(value.type.shape, shape, place, domain.extents)
