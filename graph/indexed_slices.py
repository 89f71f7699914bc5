"""`tf.IndexedSlices`: a tensor of which only some slices along the first axis are kept, as in gradients of `gather`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.convert import convert_to_tensor, register_tensor_conversion_function
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.public_names import public, public_item
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

if TYPE_CHECKING:
    from sessile.graph.graph import Graph
    from sessile.graph.operation import Operation


@public("IndexedSlices")
class IndexedSlices:
    """Slices of a larger tensor: `dense[indices[i], ...] = values[i, ...]`, summed where indices repeat, zero else.

    Args:
        values: a tensor of shape [n, ...].
        indices: a tensor of n whole numbers.
        dense_shape: the shape of the larger tensor, a vector of whole numbers, or None.
    """

    def __init__(self, values: Tensor, indices: Tensor, dense_shape: Tensor | None = None) -> None:
        self._values = values
        self._indices = indices
        self._dense_shape = dense_shape

    @property
    def values(self) -> Tensor:
        """The slices, one after the other."""
        return self._values

    @property
    def indices(self) -> Tensor:
        """Where along the first axis each slice belongs."""
        return self._indices

    @property
    def dense_shape(self) -> Tensor | None:
        """The shape of the larger tensor, or None where it is not known."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape of the larger tensor before running."""
        return TensorShape(None) if self._dense_shape is None else constant_value_as_shape(self._dense_shape)

    @property
    def name(self) -> str:
        """The name of the values."""
        return self._values.name

    @property
    def device(self) -> str:
        """The device of the values."""
        return self._values.device

    @property
    def op(self) -> Operation:
        """The operation that produces the values."""
        return self._values.op

    @property
    def dtype(self) -> DType:
        """The type of the values."""
        return self._values.dtype

    @property
    def graph(self) -> Graph:
        """The graph that contains the parts."""
        return self._values.graph

    def with_values(self, values: Tensor) -> IndexedSlices:
        """The same slices with other values."""
        return IndexedSlices(values, self._indices, self._dense_shape)

    def consumers(self) -> list[Operation]:
        """The operations that take the values as an input."""
        return self._values.consumers()

    def __neg__(self) -> IndexedSlices:
        return self.with_values(-self._values)

    def __str__(self) -> str:
        shape = "" if self._dense_shape is None else f", dense_shape={self._dense_shape}"
        return f"IndexedSlices(indices={self._indices}, values={self._values}{shape})"

    __repr__ = __str__


class IndexedSlicesValue(NamedTuple):
    """What a session returns for `IndexedSlices`, and takes as a feed: arrays; `dense_shape` may be None."""

    values: Any
    indices: Any
    dense_shape: Any


def _to_tensor(slices: IndexedSlices, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Tensor:
    """The larger tensor itself. Raises ValueError for another type, or when its shape is not known."""
    if dtype is not None and not dtype.is_compatible_with(slices.dtype):
        raise ValueError(
            f"Tensor conversion requested dtype {dtype.name} for IndexedSlices with dtype {slices.dtype.name}"
        )
    if slices.dense_shape is None:
        raise ValueError(
            f"Tensor conversion requested for IndexedSlices without dense_shape: {slices}. Give it a dense_shape, or "
            f"use its indices and values."
        )
    return public_item("unsorted_segment_sum")(slices.values, slices.indices, slices.dense_shape[0], name=name)


register_tensor_conversion_function(IndexedSlices, _to_tensor)


@public("convert_to_tensor_or_indexed_slices")
def convert_to_tensor_or_indexed_slices(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`value` as a tensor; `IndexedSlices` stay what they are.

    Args:
        value: what `convert_to_tensor` takes, or `IndexedSlices`.
        dtype: the type that it must have.
        name: a name for the constant that may be made.

    Raises ValueError when the type is another one.
    """
    if not isinstance(value, IndexedSlices):
        return convert_to_tensor(value, dtype=dtype, name=name)
    if dtype is not None and not as_dtype(dtype).is_compatible_with(value.dtype):
        raise ValueError(f"Tensor conversion requested dtype {dtype} for IndexedSlices with dtype {value.dtype.name}")
    return value
