"""From graph to program: the part of a graph that a call needs, as SSA instructions over primitives.

In: what is fetched, what is fed (with the dtypes and shapes of this call), and what the session knows of its variables.
Out: a `Program` whose results are the fetched tensors in order. Operations that nothing fetched depends on are not
visited.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sessile.compiler.lowering_builder import (
    LoweringBuilder,
    UninitializedRead,
    VariableReference,
    VariableTypes,
    element_type,
)
from sessile.compiler.request import Request, needed_operations
from sessile.graph.errors import FailedPreconditionError, InvalidArgumentError, OpError, UnimplementedError
from sessile.graph.op_definition import OPS, OpDefinition
from sessile.graph.operation import Operation
from sessile.graph.source_lines import defined_at
from sessile.graph.tensor import Tensor
from sessile.ir.primitive import ProgramError, RunFailure
from sessile.ir.program import Program, Value
from sessile.ir.types import element_type_of


def lower(request: Request, variables: VariableTypes, observed: Mapping[str, int] | None = None) -> Program:
    """The program for a request; `observed` holds sizes that a run by another program has computed, by their symbols.

    Raises FailedPreconditionError when variables that are read have no value, InvalidArgumentError when the sizes of
    this call do not fit an operation or a placeholder is not fed, UnimplementedError for what cannot be run.
    """
    names = ", ".join([t.name for t in request.fetches] + [op.name for op in request.targets])
    builder = LoweringBuilder(names, variables, tuple(request.feeds), observed)
    lowering = _Lowering(builder)
    for tensor, value in request.feeds.items():
        lowering.feed(tensor, value)
    for op in request.finished:
        lowering.refer_to_variables(op)
    ops = needed_operations(request)
    try:
        for op in ops:
            lowering.lower_operation(op)
        results = [lowering.fetched(tensor) for tensor in request.fetches]
    except UninitializedRead:
        results = []
    if builder.uninitialized:
        raise uninitialized_error(builder.uninitialized.values(), ops, variables)
    builder.emit_writes()
    return builder.finish(results)


class _Lowering:
    """The values of tensors while a program is made."""

    def __init__(self, builder: LoweringBuilder) -> None:
        self.builder = builder
        self.values: dict[Tensor, Any] = {}

    def feed(self, tensor: Tensor, value: np.ndarray) -> None:
        self.builder.enter(tensor.op)
        static = tensor.shape.as_list() if tensor.shape.ndims is not None else None
        if static is not None and len(static) != value.ndim:
            static = None
        dtype = element_type(tensor.dtype) if value.dtype != object else element_type_of(value.dtype)
        self.values[tensor] = self.builder.feed(
            tensor.name, dtype, value.shape, None if static is None else tuple(static), value
        )

    def refer_to_variables(self, op: Operation) -> None:
        """What a finished update of a variable gave: a reference to the variable at the end of the chain of updates."""
        for tensor in op.outputs:
            if tensor.dtype._is_ref_dtype:
                root = op
                while root._inputs:
                    root = root._inputs[0].op
                self.values.setdefault(tensor, self.builder.variable(root))

    def lower_operation(self, op: Operation) -> None:
        builder = self.builder
        builder.enter(op)
        variable = self._read_later(op)
        if variable is not None:
            self._keep(op, variable)
            return
        definition = OPS.get(op.type)
        if definition is None:
            raise UnimplementedError(None, op, f"operations of type {op.type} are not implemented")
        inputs = [
            self._input(tensor, is_ref) for tensor, is_ref in zip(op._inputs, _ref_inputs(definition, op), strict=True)
        ]
        try:
            outputs = definition.lower(
                builder, *definition.grouped(inputs, op), **definition.attributes_for("lower", op)
            )
        except (ProgramError, RunFailure, ValueError) as error:
            raise InvalidArgumentError(None, op, f"{error}\n\t [[node {op.name} ({defined_at(op._frames)})]]") from None
        except UnimplementedError as error:
            raise UnimplementedError(None, op, error.message) from None
        self._keep(op, outputs)

    def _read_later(self, op: Operation) -> VariableReference | None:
        """The variable whose value `op` gives on without waiting for anything.

        Such an operation (`Variable.value()`) runs at no time of its own, and TensorFlow hands the variable's memory
        on: what takes its output reads the variable, and so sees the writes that it waits for itself.
        """
        if op.type != "Identity" or op._control_inputs:
            return None
        value = self.values[op._inputs[0]]
        return value if isinstance(value, VariableReference) and value.operation is op._inputs[0].op else None

    def _keep(self, op: Operation, outputs: Any) -> None:
        flat = list(outputs) if isinstance(outputs, (list, tuple)) else [outputs]
        if not op.outputs:
            return
        for tensor, value in zip(op.outputs, flat, strict=True):
            self.values.setdefault(tensor, value)

    def _input(self, tensor: Tensor, is_ref: bool) -> Any:
        value = self.values[tensor]
        if isinstance(value, VariableReference) and not is_ref:
            return self.builder.read(value)
        return value

    def fetched(self, tensor: Tensor) -> Value:
        value = self.values[tensor]
        if isinstance(value, VariableReference):
            return self.builder.read_as(value, tensor.op)
        return value


def _ref_inputs(definition: OpDefinition, op: Operation) -> Iterable[bool]:
    flags: list[bool] = []
    for argument, group in zip(definition.input_arguments, definition.grouped(op._inputs, op), strict=True):
        flags += [argument.is_ref] * (len(group) if argument.is_list else 1)
    return flags


def uninitialized_error(missing: Iterable[Operation], ops: Sequence[Operation], variables: VariableTypes) -> OpError:
    """The error for reading variables that have no value: the first one, then all that this call needs."""
    missing = list(missing)
    first = missing[0]
    lines = [f"Attempting to use uninitialized value {first.name}"]
    lines.append("Variables without a value that this call needs:")
    for op in missing:
        origin = op.traceback[-1] if op.traceback else None
        place = f"{origin.filename}:{origin.lineno}" if origin else "unknown line"
        lines.append(f"    {op.name}  {op.outputs[0].dtype.base_dtype.name}{op.outputs[0].shape}   {place}")
    lines.append("Run tf.global_variables_initializer() in this session first, or restore them from a checkpoint.")
    return FailedPreconditionError(None, first, "\n".join(lines))
