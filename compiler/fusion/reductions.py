"""How a reduction enters a group: as the end of its input's loops, and as the start of what uses its result.

Results of a reduction are used in two ways: element by element (the mean of a sum), or repeated over the input's
elements (softmax divides by a sum). In the first, the user's loops are the outer loops of the reduction; in the second,
they are the same loops, and the kernel passes over each row several times.
"""

from __future__ import annotations

from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.group import MOST_ARRAYS, MOST_STATEMENTS, Axes, Group, Refused
from sessile.compiler.fusion.index_maps import ZERO, Index, Map, Shape
from sessile.ir.program import Instruction
from sessile.ir.sizes import Size, product

MOST_REDUCTIONS = 6
"""In a kernel that uses their results for the elements of the same row, which takes a pass for each."""
LARGEST_ROW = 1 << 16
"""Elements of the longest row, in so far as that is known, that kernels pass over several times."""
LARGEST_SINGLE_ROW = 1 << 12
"""The same where there is one row only, which threads cannot share."""


def reduced_domain(instruction: Instruction) -> Domain:
    """The loops of a reduction."""
    return Domain.over(instruction.operands[0].type.shape, instruction.attributes["axes"])


def is_epilogue(group: Group, instruction: Instruction) -> bool:
    """Whether a group computes element by element from the result of a reduction."""
    places = group.reads[instruction.result]
    return (
        not group.has_reduction
        and group.pieces == 1
        and not group.has_contraction
        and group.extents == _extents(instruction.result.type.shape)
        and all(group.is_dense(instruction.result, place) for place in places)
    )


def shares_loops(group: Group, instruction: Instruction) -> bool:
    """Whether a group runs over the input of a reduction and uses the result for its row, or for the row's elements."""
    domain = reduced_domain(instruction)
    if group.pieces > 1 or group.has_contraction or group.extents != [domain.extents[axis] for axis in domain.order]:
        return False
    renamed = dict(zip(domain.order, group.domain.order, strict=True))
    reduced = frozenset(renamed[axis] for axis in domain.reduced)
    if group.reduced != reduced and (group.reduced or group.has_reduction):
        return False
    place = tuple(
        _renamed(index, renamed)
        for axis, index in enumerate(domain.identity)
        if axis not in instruction.attributes["axes"]
    )
    return all(own == place for own in group.reads[instruction.result])


def require_joinable(group: Group, instruction: Instruction) -> None:
    """Raises Refused unless a reduction can join a group that follows from it or shares its loops."""
    if group.statements + 1 > MOST_STATEMENTS or len(group.reads) + len(group.results) + 2 > MOST_ARRAYS:
        raise Refused("the kernel is full")
    if not group.reduced_types <= {instruction.operands[0].type.dtype}:
        raise Refused("reductions of one kernel have one element type")
    if is_epilogue(group, instruction):
        return
    if not group.reduced:
        require_rows(reduced_domain(instruction))
    elif is_used_in_row(group, instruction):
        require_rows(group.domain)
    passes = sum(member.name == "reduce" for member in group.members.values())
    if passes >= MOST_REDUCTIONS and is_used_in_row(group, instruction):
        raise Refused("the kernel would pass over its rows too often")


def join_reduction(group: Group, position: int, instruction: Instruction, is_result: bool) -> None:
    """Takes a reduction into a group that can take it."""
    if is_epilogue(group, instruction):
        lift(group, reduced_domain(instruction))
    elif not group.reduced:
        take_over_loops(group, instruction)
    group.is_rows |= is_used_in_row(group, instruction)
    add_reduction(group, position, instruction, is_result)


def add_reduction(group: Group, position: int, instruction: Instruction, is_result: bool) -> None:
    """Adds a reduction over all of the group's loops to its members."""
    domain = reduced_domain(instruction)
    place = rename(domain.identity, dict(zip(domain.order, group.domain.order, strict=True)))
    group.reads.pop(instruction.result, None)
    group.has_reduction = True
    reads = {instruction.operands[0]: {place: frozenset(group.domain.order)}}
    group.add(position, instruction, reads, is_result)


def lift(group: Group, domain: Domain) -> None:
    """Makes a group over the result of a reduction one over its loops; its work comes after the reduction."""
    renamed = dict(zip(group.domain.order, domain.kept, strict=True))
    group.domain = domain
    group.rename(lambda index: rename(index, renamed), lambda axes: _rename_axes(axes, renamed))


def take_over_loops(group: Group, instruction: Instruction) -> None:
    """Makes the loops of a group those of a reduction over the same shape."""
    domain = reduced_domain(instruction)
    renamed = dict(zip(group.domain.order, domain.order, strict=True))
    group.domain = domain
    group.rename(lambda index: rename(index, renamed), lambda axes: _rename_axes(axes, renamed))


def require_rows(domain: Domain) -> None:
    """Raises Refused unless the reduced axes are rows that a kernel can pass over several times."""
    if any(axis in domain.reduced for axis in domain.order[: len(domain.kept)]):
        raise Refused("its result is used along axes that are not the last ones")
    elements = product(domain.extents[axis] for axis in domain.order if axis in domain.reduced)
    largest = LARGEST_ROW if domain.kept else LARGEST_SINGLE_ROW
    if isinstance(elements, int) and elements > largest:
        raise Refused(f"rows of {elements} elements are too long to pass over them again")
    if not domain.kept and not isinstance(elements, int):
        raise Refused("the only row may be too long to pass over it again")


def is_used_in_row(group: Group, instruction: Instruction) -> bool:
    """Whether elements of a row are computed from the reduction's result."""
    return any(axes & group.reduced for axes in group.reads.get(instruction.result, {}).values())


def _extents(shape: Shape) -> list[Size]:
    return [size for size in shape if size != 1]


def _renamed(index: Index, renamed: dict[int, int]) -> Index:
    if not index.terms:
        return index
    return Index(index.offset, tuple(sorted((renamed[axis], c) for axis, c in index.terms)))


def rename(place: Map, renamed: dict[int, int]) -> Map:
    return tuple(index if index is ZERO else _renamed(index, renamed) for index in place)


def _rename_axes(axes: Axes, renamed: dict[int, int]) -> Axes:
    return frozenset(renamed[axis] for axis in axes)
