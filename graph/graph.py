"""The graph: operations by name, and the scopes (names, devices, control dependencies) in which new ones are made.

A graph only grows. It knows static shapes and types, and holds no values but constants, which live beside it.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, NamedTuple

from sessile.graph.collections import Collections
from sessile.graph.compat import as_text
from sessile.graph.data_type import DType
from sessile.graph.default_stack import DefaultStack
from sessile.graph.graph_scopes import ROOT_NAME, ScopedGraph, Scopes
from sessile.graph.operation import Operation
from sessile.graph.public_names import public
from sessile.graph.source_lines import capture_user_frames
from sessile.graph.tensor import Tensor

GRAPH_DEF_VERSION = 134  # that of TensorFlow 1.15


class GraphVersions(NamedTuple):
    """The version of the program that made a graph, and which versions can read it."""

    producer: int
    min_consumer: int
    bad_consumers: tuple[int, ...]


@public("Graph")
class Graph(ScopedGraph, Collections):
    """A dataflow graph: `Operation` nodes joined by `Tensor` edges.

    Building is thread-safe. Scopes and defaults belong to the thread that enters them.
    """

    def __init__(self) -> None:
        super().__init__()
        self._lock = threading.RLock()
        self._operations: dict[str, Operation] = {}
        self._names_in_use: dict[str, int] = {}
        self._version = 0
        self._finalized = False
        self._unfeedable: set[Tensor] = set()
        self._unfetchable: set[Operation] = set()
        self._seed: int | None = None
        self._scopes = Scopes()
        self._library: Any = None
        self._frames = capture_user_frames()
        self._versions = GraphVersions(GRAPH_DEF_VERSION, 0, ())

    # --- what is in it

    @property
    def version(self) -> int:
        """Grows with each operation added."""
        return self._version

    @property
    def _last_id(self) -> int:
        return len(self._operations)

    @property
    def graph_def_versions(self) -> Any:
        """The `VersionDef` of the graph's serialised form."""
        from sessile.graph.proto import versions_pb2

        return versions_pb2.VersionDef(**self._versions._asdict())

    @property
    def seed(self) -> int | None:
        """The graph-level random seed."""
        return self._seed

    @seed.setter
    def seed(self, seed: int | None) -> None:
        self._seed = seed

    @property
    def finalized(self) -> bool:
        """Whether the graph is closed for new operations."""
        return self._finalized

    @property
    def building_function(self) -> bool:
        """Whether this graph is the body of a function; never so here."""
        return False

    @property
    def created_at(self) -> str:
        """The user's line that made the graph, for messages."""
        if not self._frames:
            return "at start"
        code, line = self._frames[0]
        return f"{code.co_filename.rsplit('/', 1)[-1]}:{line}"

    def finalize(self) -> None:
        """Closes the graph: what would add an operation from now on raises RuntimeError."""
        self._finalized = True

    def _unsafe_unfinalize(self) -> None:
        self._finalized = False

    def _check_not_finalized(self) -> None:
        if self._finalized:
            raise RuntimeError("Graph is finalized and cannot be modified.")

    def get_operations(self) -> list[Operation]:
        """All operations, in order of creation."""
        with self._lock:
            return list(self._operations.values())

    def get_operation_by_name(self, name: str) -> Operation:
        """The operation called `name`. Raises TypeError for a name that is no string, KeyError for an unknown one."""
        if not isinstance(name, str):
            raise TypeError(f"Operation names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=False, allow_operation=True)

    def get_tensor_by_name(self, name: str) -> Tensor:
        """The tensor called `operation:index`. Raises TypeError, ValueError or KeyError for what cannot be one."""
        if not isinstance(name, str):
            raise TypeError(f"Tensor names are strings (or similar), not {type(name).__name__}.")
        return self.as_graph_element(name, allow_tensor=True, allow_operation=False)

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        """The operation or tensor of this graph that `obj` (an element, a name, a variable) stands for.

        Raises TypeError for other types, ValueError for elements of another graph and malformed names, KeyError for
        unknown names.
        """
        from sessile.graph.graph_elements import find_element

        with self._lock:
            return find_element(self, obj, allow_tensor, allow_operation)

    def is_feedable(self, tensor: Any) -> bool:
        """Whether the tensor may be fed."""
        return tensor not in self._unfeedable

    def is_fetchable(self, tensor_or_op: Any) -> bool:
        """Whether the element may be fetched; a tensor may be where its operation may."""
        op = tensor_or_op._op if isinstance(tensor_or_op, Tensor) else tensor_or_op
        return op not in self._unfetchable

    def prevent_feeding(self, tensor: Tensor) -> None:
        """Forbids feeding the tensor."""
        self._unfeedable.add(tensor)

    def prevent_fetching(self, op: Operation) -> None:
        """Forbids fetching the operation and its outputs."""
        self._unfetchable.add(op)

    # --- making operations

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        dtypes: Sequence[DType] | None = None,
        input_types: Sequence[DType] | None = None,
        name: str | None = None,
        attrs: Mapping[str, Any] | None = None,
        op_def: Any = None,
        compute_shapes: bool = True,
        compute_device: bool = True,
        colocate_with: Sequence[Operation] = (),
    ) -> Operation:
        """Adds an operation; static shapes come from the definition of its type.

        Args:
            op_type: the type of the operation.
            inputs: the tensors that it takes, all of this graph.
            dtypes: the types of its outputs; by default those that the definition gives.
            input_types: accepted; the inputs tell their types.
            name: one that ends in "/" is used as it is; another one is made unique in the current name scope.
            attrs: the attributes, as Python values or as `AttrValue` messages.
            op_def: accepted; the type tells the definition.
            compute_shapes: whether to infer the static shapes of the outputs.
            compute_device: whether the device requests of the blocks around count.
            colocate_with: operations to place it with, whatever those blocks request.

        Raises RuntimeError when the graph is finalized, ValueError when shapes, names or graphs do not fit.
        """
        from sessile.graph.op_definition import complete_attributes, infer_shapes

        if self._finalized:
            self._check_not_finalized()
        for index, tensor in enumerate(inputs):
            if not isinstance(tensor, Tensor):
                raise TypeError(f"Input #{index} is not a tensor: {tensor}")
            if tensor._op._graph is not self:
                raise ValueError(f"{tensor} must be from the same graph as the new operation {name or op_type!r}.")
        scopes = self._scopes
        frames = capture_user_frames()
        with self._lock:
            full_name = self._name_for(op_type if name is None else name)
            control_inputs = scopes.control_inputs(inputs) if scopes.control_frames else ()
            attributes = complete_attributes(op_type, inputs, _as_values(op_type, attrs or {}))
            op = Operation(self, full_name, op_type, inputs, control_inputs, attributes, dtypes, frames)
            self._place(op, compute_device, colocate_with)
            if compute_shapes:
                infer_shapes(op)
            self._add(op)
        return op

    def _name_for(self, name: str) -> str:
        name = as_text(name)
        full_name = name[:-1] if name.endswith("/") else self.unique_name(name)
        if full_name in self._operations:
            raise ValueError(f"Duplicate node name in graph: '{full_name}'")
        if not ROOT_NAME.fullmatch(full_name):
            raise ValueError(f"'{full_name}' is not a valid node name: it has to match the pattern {ROOT_NAME.pattern}")
        return full_name

    def _place(self, op: Operation, compute_device: bool, colocate_with: Sequence[Operation]) -> None:
        """What the blocks around ask of a new operation, besides control inputs."""
        scopes = self._scopes
        if scopes.devices and compute_device and not colocate_with:
            scopes.apply_devices(op)
        if scopes.attributes:
            op._attributes = {**scopes.attributes, **op._attributes}
        if scopes.colocation or colocate_with:
            scopes.colocate(op, colocate_with)
        if scopes.container and op._attributes.get("container") == b"":
            op._attributes["container"] = scopes.container.encode()
        if op._type in scopes.gradient_overrides:
            op._attributes["_gradient_op_type"] = scopes.gradient_overrides[op._type].encode()

    def _add(self, op: Operation) -> None:
        scopes = self._scopes
        self._version += 1
        op._id = self._version
        op._attach()
        self._operations[op._name] = op
        for frame in scopes.control_frames:
            frame.made.add(op)
        context = scopes.control_flow_context
        if context is not None:
            op._control_flow_context = context
            context.add_op(op)

    @contextmanager
    def _all_or_nothing(self) -> Iterator[None]:
        """A block that leaves the graph as it was when it fails; no other thread adds anything meanwhile."""
        with self._lock:
            count, names, version = len(self._operations), dict(self._names_in_use), self._version
            try:
                yield
            except BaseException:
                for op in list(self._operations.values())[count:]:
                    del self._operations[op.name]
                    op._detach()
                self._names_in_use, self._version = names, version
                raise

    # --- names

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        """`name` inside the current name scope, with `_1`, `_2` ... where it is taken (compared without case)."""
        scope = self._scopes.name
        full = f"{scope}/{name}" if scope else name
        with self._lock:
            key = full.lower()
            count = self._names_in_use.get(key, 0)
            if mark_as_used:
                self._names_in_use[key] = count + 1
            if count:
                base = key
                while key in self._names_in_use:
                    key = f"{base}_{count}"
                    count += 1
                if mark_as_used:
                    self._names_in_use[key] = 1
                    self._names_in_use[base] = count
                full = f"{full}_{count - 1}"
        return full

    # --- scopes and serialised form

    def as_default(self) -> AbstractContextManager[Graph]:
        """Makes this graph the thread's default until the block is left."""
        return default_graph_stack.entered(self)

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a `GraphDef` message, wire-compatible with TensorFlow's.

        Args:
            from_version: leaves out the operations that the graph had at that version.
            add_shapes: adds an `_output_shapes` attribute to each node.
        """
        from sessile.graph.graph_def import graph_def_of

        return graph_def_of(self, from_version, add_shapes)


def _as_values(op_type: str, attributes: Mapping[str, Any]) -> Mapping[str, Any]:
    """Attributes as an operation keeps them, where some are given as `AttrValue` messages."""
    if not any(type(value).__name__ == "AttrValue" for value in attributes.values()):
        return attributes
    from sessile.graph.graph_def import attribute_from

    return {name: attribute_from(op_type, name, value) for name, value in attributes.items()}


class _GraphStack(DefaultStack[Graph]):
    """The default graphs of a thread, above one graph that is always there."""

    def __init__(self) -> None:
        super().__init__()
        self._global: Graph | None = None

    def current(self) -> Graph:
        found = super().get()
        if found is not None:
            return found
        if self._global is None:
            self._global = Graph()
        return self._global

    def reset(self) -> None:
        if not self.is_empty:
            raise AssertionError(
                "Do not use tf.reset_default_graph() to clear nested graphs. If you need a cleared graph, exit the "
                "nesting and create a new graph."
            )
        self._global = None


default_graph_stack = _GraphStack()


@public("get_default_graph")
def get_default_graph() -> Graph:
    """The thread's default graph."""
    return default_graph_stack.current()


@public("reset_default_graph")
def reset_default_graph() -> None:
    """Replaces the thread's default graph by an empty one. Raises AssertionError inside a `Graph.as_default` block."""
    default_graph_stack.reset()
