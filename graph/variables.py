"""`tf.Variable`: a value that a session keeps from run to run.

A variable is four operations: the initial value, the variable itself (whose output refers to the value), the
assignment that initialises it, and a read. Names and order are TensorFlow 1.15's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from sessile.graph.convert import internal_convert, register_tensor_conversion_function
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.graph import Graph, get_default_graph
from sessile.graph.graph_keys import GraphKeys
from sessile.graph.initial_value_guard import guarded_initial_value
from sessile.graph.name_scope import name_scope
from sessile.graph.operation import Operation
from sessile.graph.ops import identity, state
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor, evaluate_in_session
from sessile.graph.tensor_operators import TensorOperators, public_function
from sessile.graph.tensor_shape import TensorShape, as_shape


@public("VariableSynchronization")
class VariableSynchronization(Enum):
    """When replicas of a variable are brought together; accepted, and without effect on one device."""

    AUTO = 0
    NONE = 1
    ON_WRITE = 2
    ON_READ = 3


@public("VariableAggregation")
class VariableAggregation(Enum):
    """How replicas of a variable are combined; accepted, and without effect on one device."""

    NONE = 0
    SUM = 1
    MEAN = 2
    ONLY_FIRST_REPLICA = 3


@public("Variable")
class Variable(TensorOperators):
    """A tensor whose value a session keeps, and that `assign` and its kin change.

    Args:
        initial_value: what the variable is initialised with: a tensor, something that becomes one, or a function
            without arguments that returns such (then `dtype` must be given).
        trainable: whether optimizers train it by default.
        collections: the collections to enter it into; `GLOBAL_VARIABLES` by default.
        validate_shape: whether the initial value must have a known shape, which the variable keeps.
        caching_device: the device of the operation that reads the variable; there is one copy all the same.
        name: the variable's name, made unique.
        variable_def: a `VariableDef` message to recreate the variable from; its operations must be in the graph.
        dtype: the type; that of the initial value by default.
        expected_shape: an older way to say what shape the initial value must have.
        import_scope: the name scope to which the names in `variable_def` belong.
        constraint: a function from the value to a valid value, which optimizers apply after an update.

    Raises ValueError when the initial value has no known shape (and `validate_shape`), or no initial value is given.
    """

    __array_priority__ = 100

    def __init__(
        self,
        initial_value: Any = None,
        trainable: bool | None = None,
        collections: Sequence[str] | None = None,
        validate_shape: bool = True,
        caching_device: Any = None,
        name: str | None = None,
        variable_def: Any = None,
        dtype: Any = None,
        expected_shape: Any = None,
        import_scope: str | None = None,
        constraint: Callable[[Tensor], Tensor] | None = None,
        use_resource: bool | None = None,
        synchronization: VariableSynchronization = VariableSynchronization.AUTO,
        aggregation: VariableAggregation = VariableAggregation.NONE,
        shape: Any = None,
    ) -> None:
        self._caching_device = caching_device
        self._save_slice_info: SaveSliceInfo | None = None
        self._synchronization, self._aggregation = synchronization, aggregation
        if variable_def is not None:
            if initial_value is not None:
                raise ValueError("variable_def and initial_value are mutually exclusive.")
            self._restore(variable_def, import_scope)
            return
        if initial_value is None:
            raise ValueError("initial_value must be specified.")
        if constraint is not None and not callable(constraint):
            raise ValueError("The `constraint` argument must be a callable.")
        if collections is not None and not isinstance(collections, (list, tuple, set)):
            raise ValueError(
                f"collections argument to Variable constructor must be a list, tuple, or set. Got {collections} of "
                f"type {type(collections)}"
            )
        self._trainable = True if trainable is None else trainable
        self._constraint = constraint
        wanted = as_dtype(dtype) if dtype is not None else None
        declared = shape if shape is not None else expected_shape
        self._create(initial_value, wanted, name, validate_shape, declared)
        self._enter_collections(collections)

    # --- creation

    def _create(self, initial_value: Any, dtype: DType | None, name: str | None, validate: bool, shape: Any) -> None:
        from_function = callable(initial_value)
        values = [] if from_function else [initial_value]
        with get_default_graph().control_dependencies(None), name_scope(name, "Variable", values) as scope:
            group = {"_class": [f"loc:@{scope[:-1]}".encode()]} if from_function else {}
            with get_default_graph()._attribute_scope(group):
                if from_function:
                    with name_scope("Initializer"), get_default_graph().device(None):
                        initial_value = initial_value()
                        self._initial_value = internal_convert(initial_value, dtype, "initial_value")
                else:
                    self._initial_value = internal_convert(initial_value, dtype, "initial_value")
                initial_shape = self._initial_value.shape
                if validate and not initial_shape.is_fully_defined():
                    raise ValueError(f"initial_value must have a shape specified: {self._initial_value}")
                kept = as_shape(shape) if shape is not None else initial_shape if validate else TensorShape(None)
                self._make_variable(scope, kept)
            self._make_operations(validate)

    def _make_variable(self, scope: str, shape: TensorShape) -> None:
        dtype = self._initial_value.dtype.base_dtype
        graph = self._initial_value.graph
        op = graph.create_op(
            "VariableV2",
            [],
            [dtype._as_ref],
            name=scope,
            attrs={"shape": shape, "dtype": dtype, "container": b"", "shared_name": b""},
        )
        self._variable: Tensor = op.outputs[0]

    def _make_operations(self, validate: bool) -> None:
        op = self._variable.op
        initial_value = guarded_initial_value(op.name, self._initial_value)
        assigned = state.Assign(self._variable, initial_value, validate_shape=validate, name="Assign")
        self._initializer_op: Operation = assigned.op
        with op.graph.colocate_with(op) if self._caching_device is None else op.graph.device(self._caching_device):
            self._snapshot: Tensor = identity.Identity(self._variable, name="read")

    def _enter_collections(self, collections: Sequence[str] | None) -> None:
        names = [GraphKeys.GLOBAL_VARIABLES] if collections is None else list(collections)
        if self._trainable and GraphKeys.TRAINABLE_VARIABLES not in names:
            names.append(GraphKeys.TRAINABLE_VARIABLES)
        self.graph.add_to_collections(names, self)

    def _restore(self, variable_def: Any, import_scope: str | None) -> None:
        graph = get_default_graph()

        def element(name: str) -> Any:
            return graph.as_graph_element(f"{import_scope}/{name}" if import_scope else name)

        self._variable = element(variable_def.variable_name)
        self._initializer_op = element(variable_def.initializer_name)
        self._snapshot = element(variable_def.snapshot_name)
        has_initial = bool(variable_def.initial_value_name)
        self._initial_value = (
            element(variable_def.initial_value_name) if has_initial else self._initializer_op.inputs[1]
        )
        self._trainable = getattr(variable_def, "trainable", True)
        self._constraint = None

    # --- what it is

    @property
    def name(self) -> str:
        """The name of the variable's reference, `operation:0`."""
        return self._variable.name

    @property
    def _shared_name(self) -> str:
        return self.name[:-2]

    @property
    def dtype(self) -> DType:
        """The type; a reference type, as TensorFlow 1 shows it."""
        return self._variable.dtype

    @property
    def shape(self) -> TensorShape:
        """The static shape."""
        return self._variable.shape

    def get_shape(self) -> TensorShape:
        """The static shape."""
        return self._variable.shape

    def set_shape(self, shape: Any) -> None:
        """Adds knowledge to the static shape."""
        self._variable.set_shape(shape)
        self._snapshot.set_shape(shape)

    @property
    def op(self) -> Operation:
        """The operation that holds the variable."""
        return self._variable.op

    @property
    def graph(self) -> Graph:
        """The graph that contains the variable."""
        return self._variable.graph

    @property
    def device(self) -> str:
        """The device that the user asked for."""
        return self._variable.device

    @property
    def initializer(self) -> Operation:
        """The operation that gives the variable its initial value."""
        return self._initializer_op

    @property
    def initial_value(self) -> Tensor:
        """The initial value. Other variables in it are read as they are: see `initialized_value`."""
        return self._initial_value

    @property
    def trainable(self) -> bool:
        """Whether optimizers train it by default."""
        return self._trainable

    @property
    def constraint(self) -> Callable[[Tensor], Tensor] | None:
        """What optimizers apply after an update."""
        return self._constraint

    @property
    def synchronization(self) -> VariableSynchronization:
        return self._synchronization

    @property
    def aggregation(self) -> VariableAggregation:
        return self._aggregation

    # --- reading

    def value(self) -> Tensor:
        """The value as each operation that takes it sees it: with the changes that this operation waits for."""
        return self._snapshot

    def read_value(self) -> Tensor:
        """The value at the place where the returned tensor is made: after the control dependencies in force."""
        return identity.Identity(self._variable, name="read")

    def initialized_value(self) -> Tensor:
        """The variable's value if it has one, otherwise its initial value: for initialising other variables."""
        with get_default_graph().control_dependencies(None):
            return state.InitializedValue(self._variable, self._initializer_op.inputs[1])

    def eval(self, session: Any = None) -> Any:
        """The value in `session`, or in the default session."""
        return evaluate_in_session(self._variable, None, session, self.graph, "eval")

    def load(self, value: Any, session: Any = None) -> None:
        """Sets the value in a session without adding operations to the graph."""
        evaluate_in_session(self._initializer_op, {self._initializer_op.inputs[1]: value}, session, self.graph, "load")

    def _ref(self) -> Tensor:
        return self._variable

    def _as_graph_element(self) -> Tensor:
        return self._variable

    def _as_operand(self) -> Tensor:
        return self._snapshot

    def _AsTensor(self) -> Tensor:
        return self._snapshot

    # --- changing

    def assign(self, value: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True) -> Any:
        """A new value; returns a tensor that holds it when run (the operation when not `read_value`)."""
        return _update(state.Assign(self._variable, value, use_locking=use_locking, name=name), read_value)

    def assign_add(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Adds `delta`."""
        return _update(state.AssignAdd(self._variable, delta, use_locking=use_locking, name=name), read_value)

    def assign_sub(
        self, delta: Any, use_locking: bool = False, name: str | None = None, read_value: bool = True
    ) -> Any:
        """Subtracts `delta`."""
        return _update(state.AssignSub(self._variable, delta, use_locking=use_locking, name=name), read_value)

    def count_up_to(self, limit: int) -> Tensor:
        """Increments, and gives the value from before; OutOfRangeError when it has reached `limit`."""
        return state.CountUpTo(self._variable, limit=limit)

    def scatter_sub(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Subtracts an IndexedSlices from rows."""
        return self._scatter(state.ScatterSub, sparse_delta, use_locking, name)

    def scatter_mul(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Multiplies rows by an IndexedSlices."""
        return self._scatter(state.ScatterMul, sparse_delta, use_locking, name)

    def scatter_div(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Divides rows by an IndexedSlices."""
        return self._scatter(state.ScatterDiv, sparse_delta, use_locking, name)

    def scatter_min(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Lowers rows to the smaller of their own numbers and those of an IndexedSlices."""
        return self._scatter(state.ScatterMin, sparse_delta, use_locking, name)

    def scatter_max(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Raises rows to the larger of their own numbers and those of an IndexedSlices."""
        return self._scatter(state.ScatterMax, sparse_delta, use_locking, name)

    def scatter_add(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Adds an IndexedSlices to rows."""
        return self._scatter(state.ScatterAdd, sparse_delta, use_locking, name)

    def scatter_update(self, sparse_delta: Any, use_locking: bool = False, name: str | None = None) -> Tensor:
        """Sets rows to those of an IndexedSlices."""
        return self._scatter(state.ScatterUpdate, sparse_delta, use_locking, name)

    def _scatter(self, definition: Any, delta: Any, use_locking: bool, name: str | None) -> Tensor:
        if not (hasattr(delta, "indices") and hasattr(delta, "values")):
            raise TypeError(f"sparse_delta is not IndexedSlices: {delta}")
        return definition(self._variable, delta.indices, delta.values, use_locking=use_locking, name=name)

    def scatter_nd_sub(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """Subtracts `updates` at coordinates."""
        return state.ScatterNdSub(self._variable, indices, updates, name=name)

    def scatter_nd_add(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """Adds `updates` at coordinates."""
        return state.ScatterNdAdd(self._variable, indices, updates, name=name)

    def scatter_nd_update(self, indices: Any, updates: Any, name: str | None = None) -> Tensor:
        """Sets what is at coordinates to `updates`."""
        return state.ScatterNdUpdate(self._variable, indices, updates, name=name)

    # --- Python's view

    def __getitem__(self, item: Any) -> Tensor:
        """A part of the value; its method `assign` gives that part of the variable another value."""
        return public_function("_slice_tensor")(self._as_operand(), item, self)

    def __iter__(self) -> Any:
        raise TypeError("'Variable' object is not iterable.")

    def __iadd__(self, other: Any) -> Any:
        return self + other

    def __isub__(self, other: Any) -> Any:
        return self - other

    def __imul__(self, other: Any) -> Any:
        return self * other

    def __repr__(self) -> str:
        return f"<tf.Variable '{self.name}' shape={self.shape} dtype={self.dtype.name}>"

    # --- serialised form

    def to_proto(self, export_scope: str | None = None) -> Any:
        """The variable as a `VariableDef` message; None when it lies outside `export_scope`."""
        from sessile.graph.proto import variable_pb2

        if export_scope is not None and not self._variable.name.startswith(export_scope):
            return None

        def name(element: Any) -> str:
            return element.name[len(export_scope) + 1 :] if export_scope else element.name

        message = variable_pb2.VariableDef(
            variable_name=name(self._variable),
            initializer_name=name(self._initializer_op),
            snapshot_name=name(self._snapshot),
            initial_value_name=name(self._initial_value),
            trainable=self._trainable,
        )
        if self._save_slice_info is not None:
            message.save_slice_info_def.MergeFrom(self._save_slice_info.to_proto())
        return message

    @staticmethod
    def from_proto(variable_def: Any, import_scope: str | None = None) -> Variable:
        """The variable that a `VariableDef` message describes, in the default graph."""
        return Variable(variable_def=variable_def, import_scope=import_scope)

    def _set_save_slice_info(self, info: SaveSliceInfo) -> None:
        self._save_slice_info = info

    def _get_save_slice_info(self) -> SaveSliceInfo | None:
        return self._save_slice_info


class SaveSliceInfo:
    """Which part of a larger variable a variable is, for checkpoints."""

    def __init__(
        self, full_name: str, full_shape: Sequence[int], var_offset: Sequence[int], var_shape: Sequence[int]
    ) -> None:
        self.full_name = full_name
        self.full_shape = list(full_shape)
        self.var_offset = list(var_offset)
        self.var_shape = list(var_shape)

    @property
    def spec(self) -> str:
        """The text form in checkpoints: the full shape, then `offset,length` of each axis."""
        sizes = " ".join(map(str, self.full_shape))
        return sizes + " " + ":".join(f"{o},{n}" for o, n in zip(self.var_offset, self.var_shape, strict=True))

    def to_proto(self) -> Any:
        """The `SaveSliceInfoDef` message."""
        from sessile.graph.proto import variable_pb2

        return variable_pb2.SaveSliceInfoDef(
            full_name=self.full_name, full_shape=self.full_shape, var_offset=self.var_offset, var_shape=self.var_shape
        )


Variable.SaveSliceInfo = SaveSliceInfo  # type: ignore[attr-defined]


def _update(updated: Tensor, read_value: bool) -> Any:
    return updated if read_value else updated.op


def _variable_as_tensor(
    variable: Any, dtype: DType | None = None, name: str | None = None, as_ref: bool = False
) -> Any:
    if dtype is not None and not dtype.is_compatible_with(variable.dtype):
        raise ValueError(
            f"Incompatible type conversion requested to type '{dtype.name}' for variable of type "
            f"'{variable.dtype.name}'"
        )
    return variable._ref() if as_ref else variable.value()


register_tensor_conversion_function(Variable, _variable_as_tensor)


def _operation_as_tensor(op: Operation, dtype: Any = None, name: str | None = None, as_ref: bool = False) -> Any:
    raise TypeError(
        f"Can't convert Operation '{op.name}' to Tensor (target dtype={dtype!r}, name={name!r}, as_ref={as_ref!r})"
    )


register_tensor_conversion_function(Operation, _operation_as_tensor)


@public("is_variable_initialized")
def is_variable_initialized(variable: Any) -> Tensor:
    """Whether a variable has a value, as a tensor."""
    return state.IsVariableInitialized(variable)
