"""Python's `x[...]` on tensors, as a strided slice."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.convert import internal_convert
from sessile.graph.dimension import Dimension
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import casts, joining, selection, slicing
from sessile.graph.public_names import add_public, public
from sessile.graph.tensor import Tensor

add_public("newaxis", None)

_INDEX_ERROR = (
    "Only integers, slices (`:`), ellipsis (`...`), tf.newaxis (`None`) and scalar tf.int32/tf.int64 tensors are valid "
    "indices"
)


@public("_slice_tensor")
def slice_tensor(tensor: Any, item: Any, variable: Any = None) -> Tensor:
    """`tensor[item]`: parts by numbers, slices, `...`, `tf.newaxis` and scalar tensors; or by a mask of truth values.

    A part of a `variable`, whose value `tensor` then is, can be assigned to. Raises TypeError for other indices.
    """
    if _is_mask(item):
        return selection.boolean_mask(tensor, item)
    specification = _Specification()
    for element in item if isinstance(item, (list, tuple)) else [item]:
        specification.add(element)
    ends = (*specification.begin, *specification.end, *specification.strides)
    with name_scope(None, "strided_slice", [tensor, *(end for end in ends if isinstance(end, Tensor))]) as scope:
        vectors = _stacked(specification.begin, specification.end, specification.strides)
        part: Tensor = slicing.StridedSlice(tensor, *vectors, **specification.masks, name=scope)
    if variable is None:
        return part
    return slicing.assignable(part, variable, vectors, specification.masks, f"{scope}_assign")


def _is_mask(item: Any) -> bool:
    is_array = isinstance(item, np.ndarray) and item.dtype == np.bool_
    return isinstance(item, (bool, np.bool_)) or is_array or (isinstance(item, Tensor) and item.dtype == dtypes.bool)


def _stacked(*columns: list[Any]) -> list[Tensor]:
    """Begins, ends and strides as vectors of one type."""
    if not columns[0]:
        empty = internal_convert(np.zeros(0, np.int32))
        return [empty, empty, empty]
    vectors = [joining.stack(column) for column in columns]
    if any(vector.dtype.base_dtype == dtypes.int64 for vector in vectors):
        vectors = [casts.cast(vector, dtypes.int64) for vector in vectors]
    return vectors


class _Specification:
    """The vectors and masks of a strided slice, collected index by index."""

    def __init__(self) -> None:
        self.begin: list[Any] = []
        self.end: list[Any] = []
        self.strides: list[Any] = []
        self.masks = dict.fromkeys(("begin_mask", "end_mask", "ellipsis_mask", "new_axis_mask", "shrink_axis_mask"), 0)

    def add(self, element: Any) -> None:
        """Takes in one index. Raises TypeError for what is none."""
        if isinstance(element, slice):
            self._add_slice(element)
        elif element is Ellipsis:
            self._append(0, 0, 1, "ellipsis_mask")
        elif element is None:
            self._append(0, 0, 1, "new_axis_mask")
        else:
            index = _checked(element)
            self._append(index, index + 1, 1, "shrink_axis_mask")

    def _add_slice(self, element: slice) -> None:
        masks = []
        begin, end = element.start, element.stop
        if begin is None or (not isinstance(begin, Tensor) and begin == sys.maxsize):
            begin = 0
            masks.append("begin_mask")
        if end is None or (not isinstance(end, Tensor) and end == sys.maxsize):
            end = 0
            masks.append("end_mask")
        stride = 1 if element.step is None else _checked(element.step)
        self._append(_checked(begin), _checked(end), stride, *masks)

    def _append(self, begin: Any, end: Any, stride: Any, *masks: str) -> None:
        for mask in masks:
            self.masks[mask] |= 1 << len(self.begin)
        self.begin.append(begin)
        self.end.append(end)
        self.strides.append(stride)


def _checked(index: Any) -> Any:
    """An index as it is, numbers of other kinds as int. Raises TypeError for what is none."""
    if hasattr(index, "_as_graph_element") and not isinstance(index, Tensor):
        index = internal_convert(index)
    if isinstance(index, Tensor):
        is_whole = index.dtype.base_dtype in (dtypes.int16, dtypes.int32, dtypes.int64)
        if is_whole and index.shape.ndims in (None, 0):
            return index
    elif isinstance(index, (int, np.integer)) and not isinstance(index, bool):
        return int(index)
    elif isinstance(index, Dimension) and index.value is not None:
        return index.value
    elif isinstance(index, np.ndarray) and index.ndim == 0 and index.dtype.kind in "iu":
        return int(index)
    raise TypeError(f"{_INDEX_ERROR}, got {index!r}")
