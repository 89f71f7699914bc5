"""The scopes in which a thread builds a graph: names, devices, control dependencies, colocation, containers.

Each is a `with` block that changes what operations made inside get, for the thread that entered it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from sessile.graph.device import DeviceSpec, merge_device
from sessile.graph.tensor import Tensor

if TYPE_CHECKING:
    from sessile.graph.operation import Operation

# What may stand at the root, and below another scope.
ROOT_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\\/>-]*")
_INNER_NAME = re.compile(r"[A-Za-z0-9_.\\/>-]*")


class ControlFrame:
    """One `control_dependencies` block: what to wait for, and what was made inside."""

    __slots__ = ("made", "ops")

    def __init__(self, ops: list[Operation]) -> None:
        self.ops = ops
        self.made: set[Operation] = set()


class Scopes(threading.local):
    """The scopes that a thread is in."""

    def __init__(self) -> None:
        self.name = ""
        self.devices: tuple[Any, ...] = ()
        self.control_frames: tuple[ControlFrame, ...] = ()
        self.colocation: tuple[Operation, ...] = ()
        self.container = ""
        self.gradient_overrides: Mapping[str, str] = {}
        self.attributes: Mapping[str, Any] = {}
        self.control_flow_context: Any = None

    def apply_devices(self, op: Operation) -> None:
        """Asks the nested requests for the device of `op`, the innermost first; an outer name fills what is open."""
        for request in reversed(self.devices):
            if request is None:
                break
            if callable(request):
                op._set_device(_device_text(request(op), op))
            else:
                op._set_device(merge_device(request, op._device))

    def control_inputs(self, inputs: Iterable[Tensor]) -> list[Operation]:
        """What an operation with these inputs must wait for.

        A block adds nothing when an input was made in it, and what feeds the operation anyway is not named again.
        """
        input_ops = {tensor._op for tensor in inputs}
        wanted: dict[Operation, None] = {}
        for frame in self.control_frames:
            if frame.made.isdisjoint(input_ops):
                wanted.update(dict.fromkeys(op for op in frame.ops if op not in input_ops))
        return list(wanted)

    def colocate(self, op: Operation, inputs: Sequence[Operation]) -> None:
        """Puts `op` with those of the blocks around it and with some of its inputs, on their device."""
        others = (*self.colocation, *inputs)
        op._attributes["_class"] = sorted({group for other in others for group in other.colocation_groups()})
        for other in reversed(others):
            if other._device:
                op._device = other._device


class NameScope:
    """The block that `Graph.name_scope` gives: the full name with a "/" at the end is what `as` binds."""

    __slots__ = ("_graph", "_name", "_outer")

    def __init__(self, graph: ScopedGraph, name: Any) -> None:
        self._graph = graph
        self._name = name

    def __enter__(self) -> str:
        scopes = self._graph._scopes
        new = self._graph._scope_called(self._name)
        self._outer = scopes.name
        scopes.name = new
        return f"{new}/" if new else ""

    def __exit__(self, *exception: object) -> None:
        self._graph._scopes.name = self._outer


class ScopedGraph:
    """The part of a graph that scopes are; `Graph` adds names, elements and collections."""

    _scopes: Scopes

    def unique_name(self, name: str, mark_as_used: bool = True) -> str:
        raise NotImplementedError

    def as_graph_element(self, obj: Any, allow_tensor: bool = True, allow_operation: bool = True) -> Any:
        raise NotImplementedError

    def name_scope(self, name: str | bytes | None) -> NameScope:
        """Enters a name scope; yields its full name with a "/" at the end.

        None or "" goes back to the root; a name that ends in "/" re-enters that scope as it is; another one is made
        unique. Raises ValueError for characters that names may not have, TypeError for what is no string.
        """
        return NameScope(self, name)

    def get_name_scope(self) -> str:
        """The current name scope, without a "/" at the end."""
        return self._scopes.name

    def _scope_called(self, name: Any) -> str:
        if not name:
            return ""
        if isinstance(name, bytes):
            name = name.decode()
        if not isinstance(name, str):
            raise TypeError(f"the name of a scope must be a string, not {name!r} of type {type(name).__name__}")
        pattern, kind = (_INNER_NAME, "scope name") if self._scopes.name else (ROOT_NAME, "root scope name")
        if not pattern.fullmatch(name):
            raise ValueError(f"'{name}' is not a valid scope name: a {kind} has to match the pattern {pattern.pattern}")
        return name[:-1] if name[-1] == "/" else self.unique_name(name)

    @contextmanager
    def device(self, device_name_or_function: Any) -> Iterator[None]:
        """Asks for a device for the operations made inside.

        Args:
            device_name_or_function: a name or a DeviceSpec, of which inner blocks replace the parts that they name; a
                function that is given the operation and returns its device; None, to forget the blocks around.

        Raises ValueError for what is no device name.
        """
        request = device_name_or_function
        if not (request is None or callable(request) or isinstance(request, DeviceSpec)):
            request = DeviceSpec.from_string(request)
        scopes = self._scopes
        outer = scopes.devices
        scopes.devices = (*outer, request)
        try:
            yield
        finally:
            scopes.devices = outer

    @contextmanager
    def control_dependencies(self, control_inputs: Sequence[Any] | None) -> Iterator[None]:
        """Makes the operations created inside wait for `control_inputs`.

        Args:
            control_inputs: operations, tensors, variables, or names of them; None clears those of the blocks around.

        Raises TypeError for what is none of these, ValueError for elements of another graph.
        """
        scopes = self._scopes
        outer_frames, outer_context = scopes.control_frames, scopes.control_flow_context
        if control_inputs is None:
            scopes.control_frames, scopes.control_flow_context = (), None
        else:
            known = {op for frame in outer_frames for op in frame.ops}
            ops = dict.fromkeys(self._control_op(item) for item in control_inputs)
            scopes.control_frames = (*outer_frames, ControlFrame([op for op in ops if op not in known]))
        try:
            yield
        finally:
            scopes.control_frames, scopes.control_flow_context = outer_frames, outer_context

    def _control_op(self, item: Any) -> Operation:
        is_indexed = not isinstance(item, Tensor) and isinstance(getattr(item, "values", None), Tensor)
        element = self.as_graph_element(item.op if is_indexed else item)  # slices stand for what computes their values
        return element.op if isinstance(element, Tensor) else element  # type: ignore[no-any-return]

    @contextmanager
    def colocate_with(self, op: Any, ignore_existing: bool = False) -> Iterator[None]:
        """Places the operations made inside with `op`, whatever `device` blocks around ask for.

        Args:
            op: an operation, tensor, or variable; None (with `ignore_existing`) ends what the blocks around ask for.
            ignore_existing: forgets the colocation of the blocks around.

        Raises ValueError when `op` is None and `ignore_existing` is not set.
        """
        if op is None and not ignore_existing:
            raise ValueError("Trying to reset colocation (op is None) but ignore_existing is not True")
        scopes = self._scopes
        outer, outer_devices = scopes.colocation, scopes.devices
        kept = () if ignore_existing else outer
        if op is None:
            scopes.colocation = kept
        else:
            scopes.colocation, scopes.devices = (*kept, self._control_op(op)), ()
        try:
            yield
        finally:
            scopes.colocation, scopes.devices = outer, outer_devices

    @contextmanager
    def gradient_override_map(self, op_type_map: Mapping[str, str]) -> Iterator[None]:
        """Gives the operations of some types, made inside, another registered gradient.

        Args:
            op_type_map: type of operation -> the type under which the gradient was registered.

        Raises TypeError for what is no dictionary from strings to strings.
        """
        if not isinstance(op_type_map, dict) or not all(
            isinstance(text, str) for pair in op_type_map.items() for text in pair
        ):
            raise TypeError("op_type_map must be a dictionary mapping strings to strings")
        scopes = self._scopes
        outer = scopes.gradient_overrides
        scopes.gradient_overrides = {**outer, **op_type_map}
        try:
            yield
        finally:
            scopes.gradient_overrides = outer

    @contextmanager
    def _attribute_scope(self, attributes: Mapping[str, Any]) -> Iterator[None]:
        """Gives the operations made inside these attributes, where they have none of that name."""
        scopes = self._scopes
        outer = scopes.attributes
        scopes.attributes = {**outer, **attributes}
        try:
            yield
        finally:
            scopes.attributes = outer

    @contextmanager
    def container(self, container_name: str | None) -> Iterator[str | None]:
        """Names the resource container for stateful operations made inside."""
        scopes = self._scopes
        outer = scopes.container
        scopes.container = container_name or ""
        try:
            yield container_name
        finally:
            scopes.container = outer


def _device_text(chosen: Any, op: Operation) -> str:
    if isinstance(chosen, str):
        return chosen
    if isinstance(chosen, DeviceSpec):
        return chosen.to_string()
    raise TypeError(f"The device function returned {chosen!r} for '{op.name}': expected a device name or a DeviceSpec")


DeviceFunction = Callable[[Any], Any]
