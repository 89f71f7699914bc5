"""Values that stay in a session between runs: `tf.get_session_handle` and its kin.

The session itself carries these operations out, before and after it runs the rest of the graph
(`sessile.runtime.session`): what a handle refers to has a shape only when it is fed.
"""

from __future__ import annotations

from typing import Any

from sessile.graph.compat import as_text
from sessile.graph.data_type import as_dtype
from sessile.graph.dtypes import string
from sessile.graph.errors import UnimplementedError
from sessile.graph.graph import get_default_graph
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.operation import Operation
from sessile.graph.ops.constants import placeholder
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


@operation("GetSessionHandle")
class GetSessionHandle(OpDefinition):
    """Keeps a value in the session and gives a handle for it."""

    inputs = {"value": "T"}
    attributes = {"T": Attribute("type")}
    outputs = {"handle": string}
    stateful = True
    differentiable = False

    def infer(self, value: Tensor) -> TensorShape:
        return TensorShape([])

    def lower(self, b: Any, value: Any) -> Any:
        message = "a session handle can be fetched, but other operations cannot compute with it"
        raise UnimplementedError(None, b.operation, message)


@operation("GetSessionTensor")
class GetSessionTensor(OpDefinition):
    """The value that a handle stands for; the session feeds it when the handle is fed."""

    inputs = {"handle": string}
    attributes = {"dtype": Attribute("type")}
    outputs = {"value": "dtype"}
    stateful = True
    differentiable = False

    def lower(self, b: Any, handle: Any) -> Any:
        message = "the handle of a session's tensor must be fed to its placeholder, it cannot be computed"
        raise UnimplementedError(None, b.operation, message)


@operation("DeleteSessionTensor")
class DeleteSessionTensor(OpDefinition):
    """Makes the session forget the value of a handle, once the run is done."""

    inputs = {"handle": string}
    stateful = True
    differentiable = False

    def lower(self, b: Any, handle: Any) -> Any:
        return None


@public("get_session_handle")
def get_session_handle(data: Tensor, name: str | None = None) -> Tensor:
    """A tensor that, when it is fetched, leaves the value of `data` in the session and gives a `TensorHandle`.

    Args:
        data: the tensor whose value to keep.
        name: a name for the operation.

    Raises TypeError when `data` is no tensor.
    """
    if not isinstance(data, Tensor):
        raise TypeError("`data` must be of type Tensor.")
    with data.graph.colocate_with(data):
        return GetSessionHandle(data, name=name)  # type: ignore[no-any-return]


@public("get_session_tensor")
def get_session_tensor(handle: Any, dtype: Any, name: str | None = None) -> tuple[Tensor, Tensor]:
    """The placeholder to feed a handle to, and a tensor with the value that the handle stands for.

    Args:
        handle: a handle (`TensorHandle.handle`); it tells where the value lives.
        dtype: the type of the value.
        name: a name for the operation.
    """
    with get_default_graph().device(_device_of(handle)):
        holder = placeholder(string)
        return holder, GetSessionTensor(holder, as_dtype(dtype), name=name)


@public("delete_session_tensor")
def delete_session_tensor(handle: Any, name: str | None = None) -> tuple[Tensor, Operation]:
    """The placeholder to feed a handle to, and an operation that makes the session forget the handle's value.

    Args:
        handle: a handle (`TensorHandle.handle`).
        name: a name for the operation.
    """
    with get_default_graph().device(_device_of(handle)):
        holder = placeholder(string)
        return holder, DeleteSessionTensor(holder, name=name)


def _device_of(handle: Any) -> str:
    """The device that a handle names in its last part."""
    return as_text(handle).rpartition(";")[2]
