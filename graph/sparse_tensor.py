"""`tf.SparseTensor`: a tensor of which only some elements are stored, in three tensors; and its value in a session."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.convert import convert_to_tensor
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.dtypes import int64
from sessile.graph.name_scope import name_scope
from sessile.graph.ops.constants import PlaceholderWithDefault, placeholder
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor, evaluate_in_session
from sessile.graph.tensor_shape import TensorShape, as_shape, dimension_at_index

if TYPE_CHECKING:
    from sessile.graph.graph import Graph
    from sessile.graph.operation import Operation


@public("SparseTensorValue")
class SparseTensorValue(NamedTuple):
    """The value of a `SparseTensor`: what a session returns for one, and takes as a feed.

    `indices` is int64[n, rank], `values` holds n elements, and `dense_shape` is int64[rank].
    """

    indices: Any
    values: Any
    dense_shape: Any


@public("SparseTensor", "sparse.SparseTensor")
class SparseTensor:
    """A tensor with `values[i]` at `indices[i]`, and zero elsewhere.

    Args:
        indices: int64[n, rank], the place of each stored element; most operations want them in row-major order.
        values: the n stored elements.
        dense_shape: int64[rank], the shape of the whole tensor.

    Raises ValueError when the three do not fit each other.
    """

    def __init__(self, indices: Any, values: Any, dense_shape: Any) -> None:
        with name_scope(None, "SparseTensor", [indices, values, dense_shape]):
            self._indices = convert_to_tensor(indices, dtype=int64, name="indices")
            self._values = convert_to_tensor(values, name="values")
            self._dense_shape = convert_to_tensor(dense_shape, dtype=int64, name="dense_shape")
        self._declared_shape: TensorShape | None = None
        self._check_shapes()

    def _check_shapes(self) -> None:
        indices = self._indices.shape.with_rank(2)
        shape = self._dense_shape.shape.with_rank(1)
        values = self._values.shape.with_rank(1)
        dimension_at_index(indices, 0).merge_with(dimension_at_index(values, 0))
        dimension_at_index(indices, 1).merge_with(dimension_at_index(shape, 0))

    @classmethod
    def from_value(cls, sparse_tensor_value: Any) -> SparseTensor:
        """The `SparseTensor` for a `SparseTensorValue`. Raises TypeError for anything else."""
        if not isinstance(sparse_tensor_value, (SparseTensor, SparseTensorValue)):
            raise TypeError(f"Neither a SparseTensor nor SparseTensorValue: {sparse_tensor_value}.")
        return cls(sparse_tensor_value.indices, sparse_tensor_value.values, sparse_tensor_value.dense_shape)

    @property
    def indices(self) -> Tensor:
        """The places of the stored elements, int64[n, rank]."""
        return self._indices

    @property
    def values(self) -> Tensor:
        """The stored elements."""
        return self._values

    @property
    def dense_shape(self) -> Tensor:
        """The shape of the whole tensor, int64[rank]."""
        return self._dense_shape

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape of the whole tensor before running."""
        if self._declared_shape is not None:
            return self._declared_shape
        return constant_value_as_shape(self._dense_shape)

    def get_shape(self) -> TensorShape:
        """What is known of the shape of the whole tensor before running."""
        return self.shape

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._values.dtype

    @property
    def name(self) -> str:
        """The name of the values."""
        return self._values.name

    @property
    def op(self) -> Operation:
        """The operation that produces the values."""
        return self._values.op

    @property
    def graph(self) -> Graph:
        """The graph that contains the three tensors."""
        return self._indices.graph

    def consumers(self) -> list[Operation]:
        """The operations that take one of the three tensors as an input."""
        parts = (self._indices, self._values, self._dense_shape)
        return list(dict.fromkeys(op for part in parts for op in part.consumers()))

    def eval(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> SparseTensorValue:
        """The value, computed by `session` or the default session. Raises ValueError when there is none."""
        return evaluate_in_session(self, feed_dict, session, self.graph, "eval")  # type: ignore[no-any-return]

    def __str__(self) -> str:
        return f"SparseTensor(indices={self._indices}, values={self._values}, dense_shape={self._dense_shape})"

    __repr__ = __str__


@public("convert_to_tensor_or_sparse_tensor")
def convert_to_tensor_or_sparse_tensor(value: Any, dtype: Any = None, name: str | None = None) -> Any:
    """`value` as a tensor, or as a `SparseTensor` where it is one or a `SparseTensorValue`.

    Args:
        value: what `convert_to_tensor` takes, a `SparseTensor`, or a `SparseTensorValue`.
        dtype: the type that it must have.
        name: a name for the constant that may be made.

    Raises RuntimeError when a sparse value has another type.
    """
    if isinstance(value, SparseTensorValue):
        value = SparseTensor.from_value(value)
    if not isinstance(value, SparseTensor):
        return convert_to_tensor(value, dtype=dtype, name=name)
    if dtype is not None and not as_dtype(dtype).is_compatible_with(value.dtype):
        raise RuntimeError(f"Sparse dtype: requested = {as_dtype(dtype).name}, actual = {value.dtype.name}")
    return value


@public("sparse_placeholder", "sparse.placeholder")
def sparse_placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> SparseTensor:
    """A sparse tensor that is fed with a `SparseTensorValue`, or a tuple of indices, values and shape.

    Args:
        dtype: the type of its elements.
        shape: the shape of the whole tensor; sizes that are None or -1 stay open. It is used where no shape is fed.
        name: a prefix for the names of the three placeholders.
    """
    parts = ("shape", "shape_default", "values", "indices")
    names = {part: None if name is None else f"{name}/{part}" for part in parts}
    rank, declared = None, None
    if shape is None:
        dense_shape = placeholder(int64, shape=[None], name=names["shape"])
    else:
        sizes, rank, declared = _default_shape(shape, names["shape_default"])
        dense_shape = PlaceholderWithDefault(sizes, sizes.shape, name=names["shape"])
    values = placeholder(dtype, shape=[None], name=names["values"])
    indices = placeholder(int64, shape=[None, rank], name=names["indices"])
    result = SparseTensor(indices, values, dense_shape)
    result._declared_shape = declared
    return result


def _default_shape(shape: Any, name: str | None) -> tuple[Tensor, int | None, TensorShape]:
    """The tensor of sizes, its length, and what is known of the shape."""
    if isinstance(shape, Tensor):
        known = constant_value_as_shape(shape)
        return shape, known.ndims, known
    declared = as_shape([None if size == -1 else size for size in shape])
    sizes = [-1 if size is None else size for size in declared.as_list()]
    return convert_to_tensor(sizes, dtype=int64, name=name), len(sizes), declared
