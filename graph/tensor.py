"""A tensor of a graph: the place of one output of one operation, with Python's operators (`tensor_operators`)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from sessile.graph.data_type import DType
from sessile.graph.default_stack import DefaultStack
from sessile.graph.public_names import public
from sessile.graph.tensor_operators import TensorOperators
from sessile.graph.tensor_shape import TensorShape, as_shape

if TYPE_CHECKING:
    from sessile.graph.graph import Graph
    from sessile.graph.operation import Operation

default_session_stack: DefaultStack[Any] = DefaultStack()


def evaluate_in_session(target: Any, feed_dict: dict[Any, Any] | None, session: Any, graph: Graph, method: str) -> Any:
    """Runs `target` in `session`, or in the thread's default session. Raises ValueError where that is impossible."""
    verb, noun = ("evaluate", "tensor") if method == "eval" else ("execute", "operation")
    used = default_session_stack.get() if session is None else session
    if used is None:
        block = "`with sess.as_default()`" if method == "eval" else "`with sess.as_default():`"
        raise ValueError(
            f"Cannot {verb} {noun} using `{method}()`: No default session is registered. Use {block} or pass an "
            f"explicit session to `{method}(session=sess)`"
        )
    if used.graph is not graph:
        which, remedy = "given", ""
        if session is None:
            call = "`eval(session=sess)`" if method == "eval" else "run(session=sess)"
            which, remedy = "default", f" Pass an explicit session to {call}."
        raise ValueError(
            f"Cannot use the {which} session to {verb} {noun}: the {noun}'s graph is different from the session's "
            f"graph.{remedy}"
        )
    return used.run(target, feed_dict)


@public("Tensor")
class Tensor(TensorOperators):
    """Output `value_index` of an operation. It holds no value: `eval` or `Session.run` compute one."""

    __array_priority__ = 100

    def __init__(self, op: Operation, value_index: int, dtype: DType) -> None:
        self._op = op
        self._value_index = value_index
        self._dtype = dtype
        self._shape = TensorShape(None)
        self._consumers: list[Operation] = []
        self._name: str | None = None

    @property
    def op(self) -> Operation:
        """The operation that produces this tensor."""
        return self._op

    @property
    def dtype(self) -> DType:
        """The type of the elements."""
        return self._dtype

    @property
    def graph(self) -> Graph:
        """The graph that contains this tensor."""
        return self._op.graph

    @property
    def name(self) -> str:
        """`operation:index`."""
        if self._name is None:
            self._name = f"{self._op.name}:{self._value_index}"
        return self._name

    @property
    def device(self) -> str:
        """The device on which the tensor is produced, as the user asked for it."""
        return self._op.device

    @property
    def value_index(self) -> int:
        """Which of the operation's outputs this is."""
        return self._value_index

    @property
    def shape(self) -> TensorShape:
        """What is known of the shape before running."""
        return self._shape

    def get_shape(self) -> TensorShape:
        """What is known of the shape before running."""
        return self._shape

    def set_shape(self, shape: Any) -> None:
        """Adds knowledge: merges `shape` into the static shape. Raises ValueError when the two disagree."""
        self._shape = self._shape.merge_with(as_shape(shape))

    def _shape_as_list(self) -> list[int | None] | None:
        return self._shape.as_list() if self._shape.ndims is not None else None

    def _rank(self) -> int | None:
        return self._shape.ndims

    def consumers(self) -> list[Operation]:
        """The operations that take this tensor as an input, once for each input that it is."""
        return list(self._consumers)

    def eval(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> Any:
        """The value, computed by `session` or the default session. Raises ValueError when there is none."""
        return evaluate_in_session(self, feed_dict, session, self.graph, "eval")

    def experimental_ref(self) -> TensorReference:
        """A hashable reference to this tensor."""
        return TensorReference(self)

    def _as_node_def_input(self) -> str:
        return self._op.name if self._value_index == 0 else f"{self._op.name}:{self._value_index}"

    def __str__(self) -> str:
        shape = f", shape={self._shape}" if self._shape.ndims is not None else ""
        device = f", device={self.device}" if self.device else ""
        return f'Tensor("{self.name}"{shape}, dtype={self._dtype.name}{device})'

    def __repr__(self) -> str:
        return f"<tf.Tensor '{self.name}' shape={self._shape} dtype={self._dtype.name}>"

    # Tensors are equal if they are the same object, and are keys of dictionaries: Python's own rules, which are the
    # quickest, and which `x == y` must not replace.

    def __copy__(self) -> Tensor:
        return self

    def __iter__(self) -> Iterator[Any]:
        raise TypeError(
            "Tensor objects are only iterable when eager execution is enabled. To iterate over this tensor use "
            "tf.map_fn, or tf.unstack when the size of its first axis is known."
        )

    def __len__(self) -> int:
        raise TypeError(
            f"len is not well defined for symbolic Tensors. ({self.name}) Please call `x.shape` rather than `len(x)` "
            f"for shape information."
        )

    def __bool__(self) -> bool:
        raise TypeError(
            "Using a `tf.Tensor` as a Python `bool` is not allowed. Use `if t is not None:` instead of `if t:` to test "
            "if a tensor is defined, and use TensorFlow ops such as tf.cond to execute subgraphs conditioned on the "
            "value of a tensor."
        )

    __nonzero__ = __bool__

    def __array__(self, *_: Any, **__: Any) -> Any:
        raise NotImplementedError(
            f"Cannot convert a symbolic Tensor ({self.name}) to a numpy array: it has no value before a session runs "
            f"it. Fetch it with Session.run or Tensor.eval first."
        )


class TensorReference:
    """A hashable stand-in for a tensor."""

    def __init__(self, tensor: Tensor) -> None:
        self._tensor = tensor

    def deref(self) -> Tensor:
        """The tensor."""
        return self._tensor

    def __hash__(self) -> int:
        return id(self._tensor)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, TensorReference) and self._tensor is other._tensor

    def __repr__(self) -> str:
        return f"<Reference wrapping {self._tensor!r}>"
