"""An operation of a graph: a node with a type, attributes, inputs, control inputs, a device and a name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from sessile.graph.data_type import DType
from sessile.graph.public_names import public
from sessile.graph.source_lines import RawFrames, SourceLine, resolve
from sessile.graph.tensor import Tensor, evaluate_in_session

if TYPE_CHECKING:
    from sessile.graph.device import DeviceSpec
    from sessile.graph.graph import Graph


@public("Operation")
class Operation:
    """A node of a graph. Made by `Graph.create_op` and by the functions that `tf.` offers, never directly."""

    def __init__(
        self,
        graph: Graph,
        name: str,
        type: str,
        inputs: Sequence[Tensor],
        control_inputs: Sequence[Operation],
        attributes: Mapping[str, Any],
        output_types: Sequence[DType] | None,
        frames: RawFrames,
    ) -> None:
        self._graph = graph
        self._name = name
        self._type = type
        self._inputs = list(inputs)
        self._control_inputs = list(control_inputs)
        self._attributes = dict(attributes)
        self._device = ""
        self._frames = frames
        self._id = -1
        types = self._defined_output_types() if output_types is None else output_types
        self._outputs = [Tensor(self, index, dtype) for index, dtype in enumerate(types)]
        self._control_outputs: list[Operation] = []
        self._control_flow_context: Any = None
        self._original_op: Operation | None = None

    def _defined_output_types(self) -> list[DType]:
        from sessile.graph.op_definition import OPS, output_types

        if self._type not in OPS:
            raise ValueError(f"The output types of '{self._name}' must be given: {self._type} is not known here")
        return output_types(OPS[self._type], self._attributes)

    def _attach(self) -> None:
        """Tells the inputs that this operation uses them, once it is part of the graph."""
        for tensor in self._inputs:
            tensor._consumers.append(self)
        for op in self._control_inputs:
            op._control_outputs.append(self)

    def _detach(self) -> None:
        """Undoes `_attach`."""
        for tensor in self._inputs:
            tensor._consumers.remove(self)
        for op in self._control_inputs:
            op._control_outputs.remove(self)

    @property
    def name(self) -> str:
        """The full name, unique in the graph."""
        return self._name

    @property
    def type(self) -> str:
        """The type, such as `MatMul`."""
        return self._type

    @property
    def graph(self) -> Graph:
        """The graph that contains this operation."""
        return self._graph

    @property
    def device(self) -> str:
        """The device that the user asked for; empty when none."""
        return self._device

    @property
    def inputs(self) -> tuple[Tensor, ...]:
        """The tensors that it takes."""
        return tuple(self._inputs)

    @property
    def outputs(self) -> list[Tensor]:
        """The tensors that it produces."""
        return self._outputs

    @property
    def control_inputs(self) -> list[Operation]:
        """The operations that must run before it."""
        return self._control_inputs

    @property
    def attributes(self) -> Mapping[str, Any]:
        """The attributes as Python values: types, shapes, numbers, strings, arrays."""
        return self._attributes

    @property
    def traceback(self) -> list[SourceLine]:
        """The user's lines that created it, outermost first."""
        return resolve(self._frames)

    @property
    def node_def(self) -> Any:
        """The `NodeDef` message of this operation."""
        from sessile.graph.graph_def import node_def_of

        return node_def_of(self)

    @property
    def op_def(self) -> Any:
        """The `OpDef` message that describes operations of this type."""
        from sessile.graph.op_def import op_def_of

        return op_def_of(self)

    def get_attr(self, name: str) -> Any:
        """The value of an attribute, as TensorFlow gives it. Raises ValueError when there is none of that name."""
        from sessile.graph.graph_def import public_attribute

        return public_attribute(self, name)

    def _set_attr(self, name: str, value: Any) -> None:
        """Sets an attribute to a Python value or an `AttrValue`, also after the operation was made."""
        from sessile.graph.graph_def import attribute_from

        self._graph._check_not_finalized()
        self._attributes[name] = attribute_from(self._type, name, value)
        self._graph._version += 1

    def _set_device(self, device: str | DeviceSpec) -> None:
        self._device = device if isinstance(device, str) else device.to_string()

    def colocation_groups(self) -> list[bytes]:
        """The names of the groups of operations that share a device with this one."""
        groups = [group for group in self._attributes.get("_class", ()) if group.startswith(b"loc:@")]
        return groups or [f"loc:@{self._name}".encode()]

    def values(self) -> tuple[Tensor, ...]:
        """The outputs."""
        return tuple(self._outputs)

    def run(self, feed_dict: dict[Any, Any] | None = None, session: Any = None) -> None:
        """Runs it in `session` or in the default session. Raises ValueError when there is none."""
        evaluate_in_session(self, feed_dict, session, self._graph, "run")

    def _add_control_inputs(self, ops: Sequence[Operation]) -> None:
        """Lets it wait for more operations, also after it was made."""
        self._graph._check_not_finalized()
        with self._graph._lock:
            for op in ops:
                if op not in self._control_inputs:
                    self._control_inputs.append(op)
                    op._control_outputs.append(self)
            self._graph._version += 1

    def _add_control_input(self, op: Operation) -> None:
        self._add_control_inputs([op])

    def _update_input(self, index: int, tensor: Tensor) -> None:
        """Replaces an input, as closing a loop does.

        Raises TypeError for what is no tensor, ValueError for one of another graph.
        """
        if not isinstance(tensor, Tensor):
            raise TypeError(f"tensor must be a Tensor: {tensor}")
        if tensor.graph is not self._graph:
            raise ValueError(f"{tensor} must be from the same graph as {self!r}.")
        self._graph._check_not_finalized()
        with self._graph._lock:
            self._inputs[index]._consumers.remove(self)
            self._inputs[index] = tensor
            tensor._consumers.append(self)
            self._graph._version += 1

    def __str__(self) -> str:
        # imported late: text is for people; unlike str(node_def), it has the attributes in order of their names
        from google.protobuf import text_format

        return text_format.MessageToString(self.node_def)

    def __repr__(self) -> str:
        return f"<tf.Operation '{self._name}' type={self._type}>"
