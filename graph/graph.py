"""The graph: operations by name, and the scopes (names, devices, control dependencies) in which new ones are made.

A graph only grows. It knows static shapes and types, and holds no values but constants, which live beside it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

from sessile.graph.collections import Collections
from sessile.graph.data_type import DType
from sessile.graph.default_stack import DefaultStack
from sessile.graph.device import DeviceSpec, merge_device
from sessile.graph.operation import Operation
from sessile.graph.public_names import public
from sessile.graph.source_lines import capture_user_frames
from sessile.graph.tensor import Tensor

_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_SCOPE = re.compile(r"[A-Za-z0-9_.\\/>-]*")


@public("Graph")
class Graph(Collections):
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
        self._unfetchable: set[Any] = set()
        self._seed: int | None = None
        self._scopes = _Scopes()
        self._gradient_overrides: dict[str, str] = {}
        self._frames = capture_user_frames()
        self._producer_version = 134

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

        return versions_pb2.VersionDef(producer=self._producer_version)

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
        """Whether the element may be fetched."""
        return tensor_or_op not in self._unfetchable

    def prevent_feeding(self, tensor: Tensor) -> None:
        """Forbids feeding the tensor."""
        self._unfeedable.add(tensor)

    def prevent_fetching(self, op: Any) -> None:
        """Forbids fetching the element."""
        self._unfetchable.add(op)

    # --- making operations

    def create_op(
        self,
        op_type: str,
        inputs: Sequence[Tensor],
        dtypes: Sequence[DType],
        input_types: Sequence[DType] | None = None,
        name: str | None = None,
        attrs: Mapping[str, Any] | None = None,
        op_def: Any = None,
        compute_shapes: bool = True,
        compute_device: bool = True,
    ) -> Operation:
        """Adds an operation with the given inputs and output types; static shapes come from its definition.

        A `name` that ends in "/" is used as it is; another one is made unique in the current name scope. Raises
        RuntimeError when the graph is finalized, ValueError when shapes do not fit.
        """
        from sessile.graph.op_definition import infer_shapes

        self._check_not_finalized()
        for tensor in inputs:
            if tensor.graph is not self:
                raise ValueError(f"{tensor} must be from the same graph as the new operation {name or op_type!r}.")
        with self._lock:
            name = op_type if name is None else name
            full_name = name[:-1] if name.endswith("/") else self.unique_name(name)
            op = Operation(
                self,
                full_name,
                op_type,
                inputs,
                self._control_inputs_for(inputs),
                attrs or {},
                dtypes,
                self._scopes.device_for(op_type, full_name) if compute_device else "",
                capture_user_frames(),
            )
            self._colocate(op)
            if compute_shapes:
                try:
                    infer_shapes(op)
                except Exception:
                    self._forget(op)
                    raise
            self._add(op)
        return op

    def _add(self, op: Operation) -> None:
        op._id = len(self._operations) + 1
        op._control_flow_context = self._scopes.control_flow_context
        self._operations[op.name] = op
        self._version += 1
        self._scopes.record(op)
        if op._control_flow_context is not None:
            op._control_flow_context.add_op(op)

    def _forget(self, op: Operation) -> None:
        for tensor in op._inputs:
            tensor._consumers.remove(op)
        for control in op._control_inputs:
            control._control_outputs.remove(op)

    def _control_inputs_for(self, inputs: Sequence[Tensor]) -> list[Operation]:
        wanted: dict[Operation, None] = {}
        input_ops = {tensor.op for tensor in inputs}
        for frame in self._scopes.control_frames:
            if not any(frame.recorded(op) for op in input_ops):
                wanted.update(dict.fromkeys(op for op in frame.ops if op not in input_ops))
        return list(wanted)

    def _colocate(self, op: Operation) -> None:
        groups = self._scopes.colocation
        if not groups:
            return
        names = sorted({group for other in groups for group in other.colocation_groups()})
        op._attributes.setdefault("_class", names)
        if groups[-1].device:
            op._device = groups[-1].device

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

    @contextmanager
    def name_scope(self, name: str | None) -> Iterator[str]:
        """Enters a name scope; yields its full name with a "/" at the end.

        None or "" goes back to the root; a name that ends in "/" re-enters that scope as it is; another one is made
        unique. Raises ValueError for characters that names may not have.
        """
        if name:
            if isinstance(name, bytes):
                name = name.decode()
            pattern = _SCOPE if self._scopes.name else _NAME
            if not pattern.fullmatch(name):
                raise ValueError(f"'{name}' is not a valid scope name")
        outer = self._scopes.name
        if not name:
            new = ""
        elif name.endswith("/"):
            new = name[:-1]
        else:
            new = self.unique_name(name)
        self._scopes.name = new
        try:
            yield f"{new}/" if new else ""
        finally:
            self._scopes.name = outer

    def get_name_scope(self) -> str:
        """The current name scope, without a "/" at the end."""
        return self._scopes.name

    # --- scopes

    def as_default(self) -> AbstractContextManager[Graph]:
        """Makes this graph the thread's default until the block is left."""
        return default_graph_stack.entered(self)

    @contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Asks for a device for the operations made inside: a name, a DeviceSpec, or a function of the operation."""
        scopes = self._scopes
        outer = scopes.devices
        if isinstance(device_name_or_function, str):
            DeviceSpec.from_string(device_name_or_function)
        scopes.devices = () if device_name_or_function is None else (*outer, device_name_or_function)
        try:
            yield
        finally:
            scopes.devices = outer

    @contextmanager
    def control_dependencies(self, control_inputs: Sequence[Any] | None) -> Iterator[None]:
        """Makes the operations created inside wait for `control_inputs`; None clears those of outer blocks.

        Raises TypeError for what is neither operation nor tensor.
        """
        scopes = self._scopes
        outer_frames, outer_context = scopes.control_frames, scopes.control_flow_context
        if control_inputs is None:
            scopes.control_frames, scopes.control_flow_context = (), None
        else:
            ops = [self._control_op(item) for item in control_inputs]
            scopes.control_frames = (*outer_frames, _ControlFrame(list(dict.fromkeys(ops))))
        try:
            yield
        finally:
            scopes.control_frames, scopes.control_flow_context = outer_frames, outer_context

    def _control_op(self, item: Any) -> Operation:
        indexed = getattr(item, "values", None) if not isinstance(item, (Tensor, Operation)) else None
        if isinstance(indexed, Tensor):
            item = indexed
        element = self.as_graph_element(item)
        return element.op if isinstance(element, Tensor) else element

    @contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Places the operations made inside with `op`."""
        scopes = self._scopes
        outer = scopes.colocation
        element = None if op is None else self.as_graph_element(getattr(op, "op", op))
        kept = () if ignore_existing or element is None else outer
        scopes.colocation = kept if element is None else (*kept, element)
        try:
            yield
        finally:
            scopes.colocation = outer

    @contextmanager
    def gradient_override_map(self, op_type_map: Mapping[str, str]) -> Iterator[None]:
        """Gives the operations of some types, made inside, another registered gradient."""
        if not isinstance(op_type_map, Mapping):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        outer = self._gradient_overrides
        self._gradient_overrides = {**outer, **op_type_map}
        try:
            yield
        finally:
            self._gradient_overrides = outer

    @contextmanager
    def container(self, container_name: str) -> Iterator[str]:
        """Names the resource container for stateful operations made inside."""
        outer = self._scopes.container
        self._scopes.container = container_name
        try:
            yield container_name
        finally:
            self._scopes.container = outer

    # --- serialised form

    def as_graph_def(self, from_version: int | None = None, add_shapes: bool = False) -> Any:
        """The graph as a `GraphDef` message, wire-compatible with TensorFlow's.

        Args:
            from_version: leaves out the operations that the graph had at that version.
            add_shapes: adds an `_output_shapes` attribute to each node.
        """
        from sessile.graph.graph_def import graph_def_of

        return graph_def_of(self, from_version, add_shapes)


class _ControlFrame:
    """One `control_dependencies` block: what to wait for, and what was made inside."""

    def __init__(self, ops: list[Operation]) -> None:
        self.ops = ops
        self._made: set[Operation] = set()

    def recorded(self, op: Operation) -> bool:
        return op in self._made

    def record(self, op: Operation) -> None:
        self._made.add(op)


class _Scopes(threading.local):
    """The scopes that a thread is in while it builds a graph."""

    def __init__(self) -> None:
        self.name = ""
        self.devices: tuple[Any, ...] = ()
        self.control_frames: tuple[_ControlFrame, ...] = ()
        self.colocation: tuple[Operation, ...] = ()
        self.container = ""
        self.control_flow_context: Any = None

    def record(self, op: Operation) -> None:
        for frame in self.control_frames:
            frame.record(op)

    def device_for(self, op_type: str, name: str) -> str:
        """The device that the nested requests agree on, the innermost having the last word."""
        device = ""
        for request in self.devices:
            if callable(request):
                chosen = request(_DeviceQuery(op_type, name, device))
                device = "" if chosen is None else merge_device("", chosen)
            else:
                device = merge_device(device, request)
        return device


class _DeviceQuery:
    """What a device function is shown of the operation to place."""

    def __init__(self, op_type: str, name: str, device: str) -> None:
        self.type = op_type
        self.name = name
        self.device = device
        self.node_def = self
        self.op = op_type


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
            raise AssertionError("Do not use tf.reset_default_graph() to clear nested graphs.")
        self._global = None


default_graph_stack = _GraphStack()

DeviceFunction = Callable[[Any], Any]


@public("get_default_graph")
def get_default_graph() -> Graph:
    """The thread's default graph."""
    return default_graph_stack.current()


@public("reset_default_graph")
def reset_default_graph() -> None:
    """Replaces the thread's default graph by an empty one. Raises AssertionError inside a `Graph.as_default` block."""
    default_graph_stack.reset()
