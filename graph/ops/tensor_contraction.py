"""Sums of products over chosen axes, brought to matrix products: tensordot and einsum."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.graph import shape_rules
from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import int32
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import gathering, joining, matrix, reductions, shapes, transposition
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor

Sizes = list[Any]


@public("tensordot", "linalg.tensordot")
def tensordot(a: Any, b: Any, axes: Any, name: str | None = None) -> Tensor:
    """The sum of products of two tensors over chosen axes of both.

    Args:
        a, b: tensors of one type.
        axes: how many of the last axes of `a` and the first of `b` go together; or a pair of lists of axes.
        name: a name for the operations.

    Returns a tensor with the other axes of `a`, then those of `b`. Raises ValueError for axes that do not fit.
    """
    with name_scope(name, "Tensordot", [a, b, axes]) as scope:
        a, b = internal_convert(a, None, "a"), internal_convert(b, None, "b")
        axes_a, axes_b = _paired_axes(a, axes)
        left, sizes_a, static_a = _as_matrix(a, axes_a, contract_first=False)
        right, sizes_b, static_b = _as_matrix(b, axes_b, contract_first=True)
        product = matrix.matmul(left, right)
        if isinstance(sizes_a, list) and isinstance(sizes_b, list):
            return shapes.reshape(product, [*sizes_a, *sizes_b], name=scope)
        parts = [internal_convert(sizes, int32) for sizes in (sizes_a, sizes_b)]
        result = shapes.reshape(product, joining.concat(parts, 0), name=scope)
        result.set_shape([*static_a, *static_b])
        return result


def _paired_axes(a: Tensor, axes: Any) -> tuple[list[int], list[int]]:
    if isinstance(axes, (int, np.integer)):
        rank = a.shape.ndims
        if axes < 0:
            raise ValueError("'axes' must be at least 0.")
        if rank is None:
            raise ValueError("'axes' as a number needs a tensor of known rank")
        if axes > rank:
            raise ValueError(f"'axes' must not be larger than the number of dimensions of tensor {a}.")
        return list(range(rank - int(axes), rank)), list(range(int(axes)))
    if not isinstance(axes, (list, tuple, np.ndarray)) or len(axes) != 2:
        raise ValueError("'axes' must be an integer or have length 2.")
    first, second = ([int(x)] if isinstance(x, (int, np.integer)) else [int(y) for y in x] for x in axes)
    if len(first) != len(second):
        raise ValueError(f"Different number of contraction axes 'a' and 'b', {len(first)} != {len(second)}.")
    return first, second


def _as_matrix(x: Tensor, axes: Sequence[int], contract_first: bool) -> tuple[Tensor, Any, Sizes]:
    """`x` as a matrix with `axes` as its rows or columns; the sizes of its other axes, and what is known of them."""
    sizes = x.shape.sizes
    if sizes is None:
        raise ValueError("tensordot needs tensors of known rank")
    axes = [axis % len(sizes) for axis in axes]
    free = [axis for axis in range(len(sizes)) if axis not in axes]
    static = [sizes[axis] for axis in free]
    order = [*axes, *free] if contract_first else [*free, *axes]
    turned = x if order == sorted(order) else transposition.transpose(x, order)
    if None not in sizes:
        counts: Sizes = [shape_rules.product(tuple(sizes[axis] for axis in group)) for group in (free, axes)]
        kept: Any = static
    else:
        shape = shapes.shape(x)
        kept, contracted = (gathering.gather(shape, np.array(group, np.int32)) for group in (free, axes))
        counts = [reductions.reduce_prod(kept), reductions.reduce_prod(contracted)]
    return shapes.reshape(turned, counts[::-1] if contract_first else counts), kept, static


@public("einsum", "linalg.einsum")
def einsum(equation: str, *inputs: Any, **kwargs: Any) -> Tensor:
    """Sums of products of elements, as an equation over names of axes says: "ij,jk->ik" is the product of two matrices.

    Args:
        equation: for each input the names of its axes, one letter each, with commas between; then "->" and the names of
            the result's axes. Names that are missing there are summed over. Without "->" the result has the names that
            appear once, in alphabetical order.
        inputs: the tensors.
        name: a name for the operations.

    Raises ValueError for an equation that does not fit the inputs, or in which an input has an axis twice.
    """
    name = kwargs.pop("name", None)
    if kwargs:
        raise TypeError(f"invalid keyword arguments for this function: {', '.join(sorted(kwargs))}")
    with name_scope(name, "einsum", [equation, *inputs]):
        tensors = [internal_convert(x) for x in inputs]
        labels, result = _parsed(equation, tensors)
        product, names = tensors[0], labels[0]
        for k in range(1, len(tensors)):
            needed = set(result).union(*labels[k + 1 :])
            product, names = _pair(product, names, tensors[k], labels[k], needed)
        summed = [axis for axis, label in enumerate(names) if label not in result]
        if summed:
            product = reductions.reduce_sum(product, summed)
            names = "".join(label for label in names if label in result)
        order = [names.index(label) for label in result]
        return product if order == sorted(order) else transposition.transpose(product, order)


def _parsed(equation: str, tensors: Sequence[Tensor]) -> tuple[list[str], str]:
    """The names of the axes of the inputs and of the result."""
    text = equation.replace(" ", "")
    if "..." in text:
        raise ValueError("Subscripts with ellipses are not yet supported.")
    match = re.fullmatch(r"([a-zA-Z]*(?:,[a-zA-Z]*)*)(->([a-zA-Z]*))?", text)
    if not match:
        raise ValueError(f"Indices have incorrect format: {equation}")
    labels = match.group(1).split(",")
    if len(labels) != len(tensors):
        raise ValueError(
            f"Incorrect number of arguments for equation {equation}: expected {len(labels)}, got {len(tensors)}"
        )
    for names, tensor in zip(labels, tensors, strict=True):
        if len(set(names)) != len(names):
            raise ValueError(f"Subscript not supported: an axis appears more than once: {names}")
        if tensor.shape.ndims not in (None, len(names)):
            raise ValueError(
                f"Unable to parse {equation}: {tensor} has {tensor.shape.ndims} axes, {names!r} names {len(names)}"
            )
    everything = "".join(labels)
    result = match.group(3)
    if match.group(2) is None:
        result = "".join(sorted(label for label in set(everything) if everything.count(label) == 1))
    missing = set(result) - set(everything)
    if missing:
        raise ValueError(f"Unknown output axes: {', '.join(sorted(missing))}")
    if len(set(result)) != len(result):
        raise ValueError(f"Output subscripts contain duplicate values: {result}")
    return labels, result


def _pair(x: Tensor, names_x: str, y: Tensor, names_y: str, needed: set[str]) -> tuple[Tensor, str]:
    """The product of two tensors, summed over the names that nobody needs any more, and the names of its axes."""
    x, names_x = _without_lone_axes(x, names_x, needed | set(names_y))
    y, names_y = _without_lone_axes(y, names_y, needed | set(names_x))
    batch = [n for n in names_x if n in names_y and n in needed]
    inner = [n for n in names_x if n in names_y and n not in needed]
    rows = [n for n in names_x if n not in names_y]
    columns = [n for n in names_y if n not in names_x]
    sizes = {n: shapes.shape(t)[k] for t, names in ((x, names_x), (y, names_y)) for k, n in enumerate(names)}
    left = _grouped(x, names_x, [batch, rows, inner], sizes)
    right = _grouped(y, names_y, [batch, inner, columns], sizes)
    product = matrix.matmul(left, right)
    order = [*batch, *rows, *columns]
    result = shapes.reshape(product, joining.stack([sizes[n] for n in order]) if order else np.zeros(0, np.int32))
    return result, "".join(order)


def _without_lone_axes(x: Tensor, names: str, needed: set[str]) -> tuple[Tensor, str]:
    """`x` summed over the axes that neither the other factor nor the result has."""
    lone = [axis for axis, name in enumerate(names) if name not in needed]
    if not lone:
        return x, names
    return reductions.reduce_sum(x, lone), "".join(name for name in names if name in needed)


def _grouped(x: Tensor, names: str, groups: Sequence[Sequence[str]], sizes: dict[str, Tensor]) -> Tensor:
    """`x` with its axes in the order of the groups, those after the first group merged into one axis each."""
    order = [names.index(name) for group in groups for name in group]
    turned = x if order == sorted(order) else transposition.transpose(x, order)
    if all(len(group) == 1 for group in groups[1:]):
        return turned
    merged = [_merged_size(group, sizes) for group in groups[1:]]
    return shapes.reshape(turned, joining.stack([*(sizes[name] for name in groups[0]), *merged]))


def _merged_size(group: Sequence[str], sizes: dict[str, Tensor]) -> Any:
    total: Any = sizes[group[0]] if group else 1
    for name in group[1:]:
        total = total * sizes[name]
    return total
