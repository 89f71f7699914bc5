"""What a contraction can do with its sums before it stores them: elementwise work with rows and columns for loops.

A result of a contraction is a matrix: its first axes (batch, and what is left of the first operand) are rows, its last
ones columns. Other arrays may be read at the same place, along the columns (a bias), along the rows, or as scalars.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sessile.compiler.fusion.classification import CONTRACTIONS, ELEMENTWISE, can_fail
from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.group import Group, Refused
from sessile.compiler.fusion.index_maps import Index, Map, linear
from sessile.ir.program import Instruction, Value
from sessile.ir.sizes import Size

_ALLOWED = ELEMENTWISE | {"broadcast", "reshape", "constant", "sizes"}


def column_axes(contraction: Instruction) -> int:
    """How many of the last axes of the result are columns."""
    if contraction.name == "contract":
        attributes = contraction.attributes
        return contraction.operands[1].type.rank - len(attributes["contracting"][1]) - len(attributes["batch"][1])
    return 1


def matrix_axes(domain: Domain, columns: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """The loop axes that run over rows and over columns."""
    first_column = len(domain.shape) - columns
    rows = tuple(axis for axes in domain.axes[:first_column] for axis in axes)
    return rows, tuple(axis for axes in domain.axes[first_column:] for axis in axes)


def step_along(position: Index, axes: Sequence[int], domain: Domain) -> Size | None:
    """How far a position moves with each step along some axes taken as one; None if that is not the same for all."""
    terms = dict(position.terms)
    steps = [terms.get(axis, 0) for axis in axes]
    for outer, inner, axis in zip(steps, steps[1:], axes[1:], strict=False):
        if outer != inner * domain.extents[axis]:
            return None
    return steps[-1] if steps else 0


def require_epilogue(group: Group, contraction: Instruction) -> None:
    """Raises Refused unless a group of elementwise work can end a contraction that it reads."""
    result = contraction.result
    if contraction.name == "convolve" and contraction.attributes["layout"][2][1] != result.type.rank - 1:
        raise Refused("channels are not the last axis")
    if group.has_reduction or group.pieces > 1 or group.has_contraction:
        raise Refused("the kernel that uses it has loops of its own")
    if all(value.type.dtype != result.type.dtype for value in group.results):
        raise Refused("the kernel that uses it has no result of its type")
    if group.domain.shape != result.type.shape or not all(group.is_dense(result, p) for p in group.reads[result]):
        raise Refused("it is not used element by element")
    for member in group.members.values():
        require_simple(member)
    for value, places in group.reads.items():
        require_matrix_places(group.domain, column_axes(contraction), value, places)


def join_contraction(group: Group, position: int, contraction: Instruction) -> None:
    """Takes a contraction into the group that is its epilogue."""
    group.has_contraction = True
    del group.reads[contraction.result]
    group.members[position] = contraction
    group.arrays += contraction.operands


def require_joinable(group: Group, instruction: Instruction) -> None:
    """Raises Refused unless an instruction can join the epilogue of a contraction."""
    require_simple(instruction)
    contraction = next(member for member in group.members.values() if member.name in CONTRACTIONS)
    trial = Group(group.label, group.domain, reads={instruction.result: group.reads[instruction.result]})
    trial.join(0, instruction, is_result=False)
    if trial.domain is not group.domain:
        raise Refused("a reshape would cut the rows or columns")
    for value, places in trial.reads.items():
        require_matrix_places(group.domain, column_axes(contraction), value, places)


def require_simple(member: Instruction) -> None:
    """Raises Refused for an instruction that cannot be part of an epilogue."""
    if member.name not in _ALLOWED or can_fail(member):
        raise Refused(f"{member.name} does not go with a contraction")


def require_matrix_places(domain: Domain, columns: int, value: Value, places: Iterable[Map]) -> None:
    """Raises Refused unless all places of a value are multiples of the row and the column."""
    rows, cols = matrix_axes(domain, columns)
    for place in places:
        position = linear(place, value.type.shape)
        if step_along(position, rows, domain) is None or step_along(position, cols, domain) is None:
            raise Refused("an operand is read along some of the rows or columns")
