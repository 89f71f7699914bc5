"""Tensors written to at coordinates: scatter_nd and the tensor_scatter functions."""

from __future__ import annotations

from typing import Any

from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.dtypes import INDEX
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import elementwise, gathering, identity
from sessile.graph.ops.bases import sizes_not_negative
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@operation("ScatterNd", public=("scatter_nd", "manip.scatter_nd"))
class ScatterNd(OpDefinition):
    """Zeros of a shape with updates added at coordinates.

    Args:
        indices: coordinates along the last axis.
        updates: what is added, of shape indices.shape[:-1] + shape[indices.shape[-1]:].
        shape: the shape of the result, a vector of the type of `indices`.
        name: a name for the operation.
    """

    inputs = {"indices": "Tindices", "updates": "T", "shape": "Tindices"}
    attributes = {"T": Attribute("type"), "Tindices": INDEX}
    outputs = {"output": "T"}

    def infer(self, indices: Tensor, updates: Tensor, shape: Tensor) -> TensorShape:
        wanted = constant_value_as_shape(shape)
        check_updates(wanted, indices, updates)
        return wanted

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [None, gathering.GatherNd(grad, op.inputs[0]), None]

    def lower(self, b: Any, indices: Any, updates: Any, shape: Any) -> Any:
        dtype = updates.type.dtype
        zeros = b.fill(sizes_not_negative(b, shape), False if dtype == "bool" else 0, dtype)
        return scattered(b, zeros, indices, updates, "set" if dtype == "bool" else "add")


def check_updates(shape: TensorShape, indices: Tensor, updates: Tensor) -> None:
    """Raises ValueError when updates at coordinates do not fit a tensor of `shape`."""
    places, values = indices.shape.sizes, updates.shape.sizes
    if places is None or values is None or shape.sizes is None or not places or places[-1] is None:
        return
    expected = TensorShape([*places[:-1], *shape.sizes[places[-1] :]])
    if not expected.is_compatible_with(updates.shape):
        raise ValueError(
            f"The updates have shape {updates.shape}, the indices {indices.shape} into {shape} need {expected}"
        )


def scattered(b: Any, x: Any, indices: Any, updates: Any, function: str) -> Any:
    """`x` with updates set or combined at coordinates."""
    indices = gathering.with_known_depth(b, gathering.index_values(b, indices))
    depth = indices.type.shape[-1]
    expected = (*indices.type.shape[:-1], *x.type.shape[depth:])
    b.require(
        len(expected) == updates.type.rank
        and all(b.decide(a, "==", e) for a, e in zip(updates.type.shape, expected, strict=True)),
        f"Must have updates.shape = indices.shape[:batch_dim] + params_shape[slice_dim:], got updates.shape "
        f"{[b.shown(size) for size in updates.type.shape]}, expected {[b.shown(size) for size in expected]}",
    )
    return b.emit("scatter", x, indices, b.retype(updates, expected), function=function)


class TensorScatter(OpDefinition):
    """Base of operations that change a copy of a tensor at coordinates."""

    inputs = {"tensor": "T", "indices": "Tindices", "updates": "T"}
    attributes = {"T": Attribute("type"), "Tindices": INDEX}
    outputs = {"output": "T"}
    function = ""

    def infer(self, tensor: Tensor, indices: Tensor, updates: Tensor) -> TensorShape:
        check_updates(tensor.shape, indices, updates)
        return tensor._shape

    def lower(self, b: Any, tensor: Any, indices: Any, updates: Any) -> Any:
        return scattered(b, tensor, indices, updates, self.function)


@operation("TensorScatterUpdate", public=("tensor_scatter_nd_update", "tensor_scatter_update"))
class TensorScatterUpdate(TensorScatter):
    """A tensor with other values at coordinates; which one remains where coordinates repeat is left open.

    Args:
        tensor: a tensor.
        indices: coordinates along the last axis.
        updates: the new values, of shape indices.shape[:-1] + tensor.shape[indices.shape[-1]:].
        name: a name for the operation.
    """

    function = "set"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        indices, updates = op.inputs[1], op.inputs[2]
        kept = TensorScatterUpdate(identity.identity(grad), indices, updates * 0)
        return [kept, None, gathering.GatherNd(grad, indices)]


@operation("TensorScatterAdd", public=("tensor_scatter_nd_add", "tensor_scatter_add"))
class TensorScatterAdd(TensorScatter):
    """A tensor with updates added at coordinates; arguments as those of tensor_scatter_nd_update."""

    function = "add"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [identity.identity(grad), None, gathering.GatherNd(grad, op.inputs[1])]


@operation("TensorScatterSub", public=("tensor_scatter_nd_sub", "tensor_scatter_sub"))
class TensorScatterSub(TensorScatter):
    """A tensor with updates subtracted at coordinates; arguments as those of tensor_scatter_nd_update."""

    function = "sub"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [identity.identity(grad), None, elementwise.Neg(gathering.GatherNd(grad, op.inputs[1]))]


@operation("TensorScatterMax", public="tensor_scatter_nd_max")
class TensorScatterMax(TensorScatter):
    """A tensor with the larger of its elements and the updates at coordinates."""

    function = "max"


@operation("TensorScatterMin", public="tensor_scatter_nd_min")
class TensorScatterMin(TensorScatter):
    """A tensor with the smaller of its elements and the updates at coordinates."""

    function = "min"


@operation("ScatterNdNonAliasingAdd")
class ScatterNdNonAliasingAdd(OpDefinition):
    """A tensor with updates added at coordinates."""

    inputs = {"input": "T", "indices": "Tindices", "updates": "T"}
    attributes = {"T": Attribute("type"), "Tindices": INDEX}
    outputs = {"output": "T"}

    def infer(self, input: Tensor, indices: Tensor, updates: Tensor) -> TensorShape:
        check_updates(input.shape, indices, updates)
        return input._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [identity.identity(grad), None, gathering.GatherNd(grad, op.inputs[1])]

    def lower(self, b: Any, input: Any, indices: Any, updates: Any) -> Any:
        return scattered(b, input, indices, updates, "add")
