"""Values that a session keeps for later runs: the handles that users hold, and the store that the session owns.

Fetching `tf.get_session_handle(x)` leaves the value of `x` in the store and gives a `TensorHandle`. Feeding the
handle, to any tensor of its type or to the placeholder of `tf.get_session_tensor`, uses that value.
"""

from __future__ import annotations

import itertools
import weakref
from typing import Any

import numpy as np

from sessile.graph.compat import as_text
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor

_DEVICE = "/job:localhost/replica:0/task:0/device:CPU:0"


class TensorStore:
    """The kept values of one session, by handle."""

    def __init__(self) -> None:
        self._values: dict[str, np.ndarray] = {}
        self._numbers = itertools.count()

    def keep(self, value: Any, op_name: str) -> str:
        """Keeps a value that an operation produced; returns its handle."""
        handle = f"{op_name};{next(self._numbers)};{_DEVICE}"
        self._values[handle] = kept_array(value)
        return handle

    def value(self, handle: str) -> np.ndarray:
        """The value of a handle. Raises InvalidArgumentError where there is none (any more)."""
        try:
            return self._values[handle]
        except KeyError:
            message = f"The tensor with handle '{handle}' is not in the session store."
            raise InvalidArgumentError(None, None, message) from None

    def delete(self, handle: str) -> None:
        """Forgets a value. Raises InvalidArgumentError where there is none (any more)."""
        self.value(handle)
        self.discard(handle)

    def discard(self, handle: str) -> None:
        """Forgets a value, if it is there."""
        self._values.pop(handle, None)

    def clear(self) -> None:
        """Forgets all values."""
        self._values.clear()


class TensorHandle:
    """A value that a session keeps; the session forgets it when the handle is deleted or goes out of use.

    `handle` is what identifies it: feed it to the placeholder of `tf.get_session_tensor`.
    """

    def __init__(self, handle: str, dtype: DType, store: TensorStore) -> None:
        self._handle = handle
        self._dtype = dtype
        self._store = store
        self._is_deleted = False
        self._release = weakref.finalize(self, self._store.discard, handle)

    @property
    def handle(self) -> str:
        """The text that identifies the value in its session."""
        return self._handle

    @property
    def dtype(self) -> DType:
        """The type of the value's elements."""
        return self._dtype

    def eval(self) -> Any:
        """The value: a NumPy scalar, bytes, or an array. Raises TypeError once the handle was deleted."""
        return np.array(self.to_numpy_array())[()]

    def delete(self) -> None:
        """Makes the session forget the value. Raises TypeError when that was done before."""
        self._check_alive()
        self._is_deleted = True
        self._release()

    def get_raw_handle(self) -> str:
        """The handle as text; from now on the value lives until `tf.delete_session_tensor` or the session's end."""
        self._release.detach()
        return self._handle

    def to_numpy_array(self) -> np.ndarray:
        """The value as an array that must not be written to. Raises TypeError once the handle was deleted."""
        self._check_alive()
        return self._store.value(self._handle)

    def _check_alive(self) -> None:
        if self._is_deleted:
            raise TypeError(f"Persistent tensor {self._handle} was deleted.")

    def __str__(self) -> str:
        return self._handle

    def __repr__(self) -> str:
        return f"<TensorHandle {self._handle!r} dtype={self._dtype.name}>"


def kept_array(value: Any) -> np.ndarray:
    """A fetched value as an array of its own; a string stays whole."""
    array = np.empty((), object) if isinstance(value, bytes) else np.empty(np.shape(value), value.dtype)
    array[()] = value
    return array


def with_kept_values(feeds: dict[Tensor, Any], store: TensorStore) -> dict[Tensor, Any]:
    """The feeds, and for each handle that is fed to a placeholder of `tf.get_session_tensor`, the value as well.

    Raises InvalidArgumentError when the session does not keep such a value, or one of another type.
    """
    complete = dict(feeds)
    for tensor, value in feeds.items():
        for op in tensor._consumers:
            if op.type == "GetSessionTensor":
                complete.setdefault(op.outputs[0], _kept_for(op, value, store))
            if op.type in ("GetSessionTensor", "DeleteSessionTensor"):
                complete[tensor] = handle_text(value)
    return complete


def handle_text(handle: Any) -> str:
    """A handle as text, in whatever form it is fed: text, bytes, an array of one of them, a `TensorHandle`."""
    element = handle.item() if isinstance(handle, np.ndarray) else handle
    return as_text(element) if isinstance(element, (str, bytes)) else str(element)


def _kept_for(op: Operation, handle: Any, store: TensorStore) -> np.ndarray:
    try:
        value = store.value(handle_text(handle))
    except InvalidArgumentError as error:
        raise InvalidArgumentError(None, op, error.message) from None
    wanted = op.outputs[0].dtype
    if as_dtype(value.dtype) is not wanted:
        message = f"the handle stands for a value of type {as_dtype(value.dtype).name}, not {wanted.name}"
        raise InvalidArgumentError(None, op, message)
    return value
