"""Makes one group of two that use the same value, so that it is read, or computed, once."""

from __future__ import annotations

from collections.abc import Collection

from sessile.compiler.fusion.domain import Domain
from sessile.compiler.fusion.group import MOST_ARRAYS, MOST_STATEMENTS, Group, Refused
from sessile.compiler.fusion.reductions import rename
from sessile.ir.program import Value


def require_order(value: Value, group: Group, other: Group) -> None:
    """Raises Refused unless both groups read all of the value in order."""
    for each in (group, other):
        if not all(each.is_dense(value, place) for place in each.reads[value]):
            raise Refused("kernels that use it read it in different order")


def require_mergeable(group: Group, other: Group, updates: Collection[Value]) -> None:
    """Raises Refused unless one kernel can do the work of both; `updates` are the new values of variables."""
    if group.has_contraction or other.has_contraction:
        raise Refused("one of the kernels that use it is a contraction")
    both_reduce = group.has_reduction and other.has_reduction
    if group.extents != other.extents or (both_reduce and not _reduce_alike(group, other)):
        raise Refused("kernels that use it run over different loops")
    if group.has_reduction or other.has_reduction:
        _require_joint_reduction(group, other, updates)
    arrays = len({**group.reads, **other.reads}) + len(group.results) + len(other.results)
    statements = (group.statements + other.statements) * group.pieces * other.pieces
    if arrays > MOST_ARRAYS or statements > MOST_STATEMENTS:
        raise Refused("one kernel for all that use it would be too large")
    if any(v in group.results for v in other.operands()) or any(v in other.results for v in group.operands()):
        raise Refused("one of the kernels that use it needs the other's result")
    if len(group.reduced_types | other.reduced_types) > 1:
        raise Refused("reductions of one kernel have one element type")


def _require_joint_reduction(group: Group, other: Group, updates: Collection[Value]) -> None:
    if group.pieces * other.pieces > 1:
        raise Refused("a concat or pad would cut a reduction into pieces")
    loops = [each for each in (group, other) if not each.has_reduction]
    if any(result in updates for each in loops for result in each.results):
        raise Refused("a variable is updated in place by a kernel that does nothing else")


def _reduce_alike(group: Group, other: Group) -> bool:
    own = [axis in group.reduced for axis in group.domain.order]
    return own == [axis in other.reduced for axis in other.domain.order]


def unite(group: Group, other: Group) -> None:
    """Moves all that is in `group` into `other`."""
    if group.reduced and not other.reduced:
        _take_loops(other, group.domain)
    else:
        _take_loops(group, other.domain)
    other.add_reads(group.reads)
    other.members |= group.members
    other.results |= group.results
    other.statements += group.statements
    other.repeated_cost += group.repeated_cost
    other.pieces *= group.pieces
    other.has_reduction |= group.has_reduction
    other.is_rows |= group.is_rows
    other.restrict(group.window)


def _take_loops(group: Group, domain: Domain) -> None:
    """Says all places of a group in terms of another domain's loops, which have the same sizes."""
    renamed = dict(zip(group.domain.order, domain.order, strict=True))
    group.domain = domain
    group.rename(lambda place: rename(place, renamed), lambda axes: frozenset(renamed[axis] for axis in axes))
