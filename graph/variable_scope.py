"""`tf.variable_scope` and `tf.get_variable`: variables by name, shared between the places that ask for them.

The scopes of a graph and the variables made through them are kept beside the graph. A variable's name is that of the
nested variable scopes, whatever name scope the operations around it are in (TensorFlow 1.15).
"""

from __future__ import annotations

import inspect
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from enum import Enum
from typing import Any

from sessile.graph import dtypes, initializers
from sessile.graph.apply import graph_of
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.errors import UnimplementedError
from sessile.graph.graph import Graph, get_default_graph
from sessile.graph.graph_keys import GraphKeys
from sessile.graph.name_scope import name_scope
from sessile.graph.public_names import add_public, public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import as_shape
from sessile.graph.variables import Variable, VariableAggregation, VariableSynchronization


class _ReuseMode(Enum):
    """How variables are shared besides True and False."""

    AUTO_REUSE = 1


AUTO_REUSE = _ReuseMode.AUTO_REUSE
add_public("AUTO_REUSE", AUTO_REUSE)

Getter = Callable[..., Any]
# What nested scopes hand down unless they say otherwise.
_INHERITED = ("initializer", "regularizer", "caching_device", "partitioner", "dtype", "use_resource", "constraint")


class _ScopeStore(threading.local):
    """The variable scopes that a thread is in, for one graph, and how often each name was opened."""

    def __init__(self) -> None:
        self.current = VariableScope(False)
        self.opened: dict[str, int] = {}

    def open(self, name: str) -> None:
        self.opened[name] = self.opened.get(name, 0) + 1

    def close_inside(self, name: str) -> None:
        """Scopes inside `name` can have their names again when it is opened the next time."""
        for opened in self.opened:
            if not name or opened.startswith(name + "/"):
                self.opened[opened] = 0


class _GraphVariables:
    """What a graph keeps for `get_variable`."""

    def __init__(self) -> None:
        self.scopes = _ScopeStore()
        self.variables: dict[str, Variable] = {}


def _kept(graph: Graph | None = None) -> _GraphVariables:
    beside = (graph or get_default_graph()).__dict__
    if "_get_variable_state" not in beside:
        beside["_get_variable_state"] = _GraphVariables()
    return beside["_get_variable_state"]


@public("VariableScope")
class VariableScope:
    """Defaults for `get_variable`, under a name.

    Attributes are those of the arguments of `tf.variable_scope`; `reuse` is True, False, None or `tf.AUTO_REUSE`.
    """

    def __init__(
        self,
        reuse: Any,
        name: str = "",
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Getter | None = None,
        name_scope: str = "",
        dtype: Any = dtypes.float32,
        use_resource: bool | None = None,
        constraint: Any = None,
    ) -> None:
        self._name = name
        self._reuse = reuse
        self._name_scope = name_scope
        self.custom_getter = custom_getter
        self.initializer, self.regularizer, self.constraint = initializer, regularizer, constraint
        self.caching_device, self.partitioner = caching_device, partitioner
        self.dtype, self.use_resource = dtype, use_resource

    @property
    def name(self) -> str:
        """The full name of the scope."""
        return self._name

    @property
    def original_name_scope(self) -> str:
        """The name scope that was opened with it, with a "/" at the end."""
        return self._name_scope

    @property
    def reuse(self) -> Any:
        """Whether variables are shared: True, False, or `tf.AUTO_REUSE`."""
        return self._reuse

    def reuse_variables(self) -> None:
        """From now on `get_variable` returns what exists."""
        self._reuse = True

    def set_initializer(self, initializer: Any) -> None:
        self.initializer = initializer

    def set_dtype(self, dtype: Any) -> None:
        self.dtype = dtype

    def set_use_resource(self, use_resource: bool) -> None:
        self.use_resource = use_resource

    def set_regularizer(self, regularizer: Any) -> None:
        self.regularizer = regularizer

    def set_caching_device(self, caching_device: Any) -> None:
        self.caching_device = caching_device

    def set_partitioner(self, partitioner: Any) -> None:
        self.partitioner = partitioner

    def set_custom_getter(self, custom_getter: Getter | None) -> None:
        self.custom_getter = custom_getter

    def get_collection(self, name: str) -> list[Any]:
        """The values of a collection that belong to this scope."""
        return get_default_graph().get_collection(name, f"{self._name}/" if self._name else "")

    def trainable_variables(self) -> list[Any]:
        return self.get_collection(GraphKeys.TRAINABLE_VARIABLES)

    def global_variables(self) -> list[Any]:
        return self.get_collection(GraphKeys.GLOBAL_VARIABLES)

    def local_variables(self) -> list[Any]:
        return self.get_collection(GraphKeys.LOCAL_VARIABLES)

    def get_variable(self, var_store: Any, name: str, **arguments: Any) -> Variable:
        """The variable `name` of this scope, made or shared."""
        constant, wanted = arguments.get("initializer"), arguments.get("dtype")
        for argument in ("initializer", "regularizer", "caching_device", "partitioner", "constraint", "use_resource"):
            if arguments.get(argument) is None:
                arguments[argument] = getattr(self, argument)
        arguments["dtype"] = as_dtype(arguments.get("dtype") or self.dtype)
        reuse = self._reuse
        full_name = f"{self._name}/{name}" if self._name else name
        getter = arguments.pop("custom_getter", None) or self.custom_getter
        if getter is not None and not callable(getter):
            raise ValueError(f"Passed a custom_getter which is not callable: {getter}")
        with name_scope(None):
            if constant is not None and wanted is not None:
                _check_type_of_constant(constant, as_dtype(wanted))
            if getter is None:
                return _get_or_make(full_name, reuse=reuse, **arguments)
            return getter(getter=_get_or_make, name=full_name, reuse=reuse, **arguments)


def _check_type_of_constant(initializer: Any, dtype: DType) -> None:
    """Raises ValueError where a variable of type `dtype` would start from a constant of another type."""
    if callable(initializer):
        return
    own = internal_convert(initializer).dtype.base_dtype
    if own != dtype.base_dtype:
        raise ValueError(f"Initializer type '{own}' and explicit dtype '{dtype}' don't match.")


def _get_or_make(
    name: str,
    shape: Any = None,
    dtype: Any = dtypes.float32,
    initializer: Any = None,
    regularizer: Any = None,
    reuse: Any = None,
    trainable: bool | None = None,
    collections: Sequence[str] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    constraint: Any = None,
    synchronization: VariableSynchronization = VariableSynchronization.AUTO,
    aggregation: VariableAggregation = VariableAggregation.NONE,
) -> Variable:
    if partitioner is not None:
        raise UnimplementedError(None, None, "partitioned variables (the argument partitioner of get_variable)")
    dtype = as_dtype(dtype)
    shape = None if shape is None else as_shape(shape)
    variables = _kept().variables
    found = variables.get(name)
    if found is not None:
        return _shared(found, name, shape, dtype, reuse)
    if initializer is not None and not callable(initializer) and shape is not None:
        raise ValueError("If initializer is a constant, do not specify shape.")
    if reuse is True:
        raise ValueError(
            f"Variable {name} does not exist, or was not created with tf.get_variable(). Did you mean to set "
            f"reuse=tf.AUTO_REUSE in VarScope?"
        )
    initial_value, variable_dtype = _initial_value(name, shape, dtype, initializer)
    variable = Variable(
        initial_value,
        trainable=_is_trainable(trainable, synchronization),
        collections=collections,
        validate_shape=validate_shape,
        caching_device=caching_device,
        name=name,
        dtype=variable_dtype,
        constraint=constraint,
        synchronization=synchronization,
        aggregation=aggregation,
    )
    variables[name] = variable
    if regularizer is not None:
        _add_regularization(name, variable, regularizer)
    return variable


def _is_trainable(trainable: bool | None, synchronization: VariableSynchronization) -> bool:
    if synchronization is VariableSynchronization.ON_READ:
        if trainable:
            raise ValueError(
                "Synchronization value can be set to VariableSynchronization.ON_READ only for non-trainable variables."
            )
        return False
    return True if trainable is None else trainable


def _shared(found: Variable, name: str, shape: Any, dtype: DType, reuse: Any) -> Variable:
    if not reuse:
        lines = "\n".join(
            f"  File {f.filename!r}, line {f.lineno}, in {f.name}\n    {f.line}" for f in found.op.traceback[-3:]
        )
        raise ValueError(
            f"Variable {name} already exists, disallowed. Did you mean to set reuse=True or reuse=tf.AUTO_REUSE in "
            f"VarScope? Originally defined at:\n\n{lines}"
        )
    if shape is not None and not shape.is_compatible_with(found.get_shape()):
        raise ValueError(
            f"Trying to share variable {name}, but specified shape {shape} and found shape {found.get_shape()}."
        )
    if not dtype.is_compatible_with(found.dtype.base_dtype):
        raise ValueError(
            f"Trying to share variable {name}, but specified dtype {dtype.name} and found dtype {found.dtype.name}."
        )
    return found


def _initial_value(name: str, shape: Any, dtype: DType, initializer: Any) -> tuple[Any, DType | None]:
    """What the variable starts from: a function that makes it in the variable's name scope, or a tensor."""
    if initializer is None:
        initializer = _default_initializer(name, shape, dtype)
    if isinstance(initializer, type):
        initializer = initializer()
    if not callable(initializer):
        return initializer, None
    if shape is not None and shape.is_fully_defined():
        sizes = shape.as_list()
        return (lambda: initializer(sizes, dtype=dtype.base_dtype)), dtype.base_dtype
    if _takes_no_shape(initializer):
        return initializer, None
    raise ValueError(
        f"The initializer passed is not valid: the shape of a new variable ({name}) is not fully defined "
        f"({'<unknown>' if shape is None else shape}), and the initializer is no function without arguments."
    )


def _takes_no_shape(initializer: Callable[..., Any]) -> bool:
    parameters = inspect.signature(initializer).parameters.values()
    return all(p.default is not p.empty or p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD) for p in parameters)


def _default_initializer(name: str, shape: Any, dtype: DType) -> Any:
    if dtype.is_floating:
        return initializers.GlorotUniform()
    if dtype.is_integer or dtype.is_unsigned or dtype.is_bool or dtype == dtypes.string:
        return initializers.Zeros()
    raise ValueError(f"An initializer for variable {name} of {dtype.base_dtype} is required")


def _add_regularization(name: str, variable: Variable, regularizer: Callable[[Any], Any]) -> None:
    with get_default_graph().colocate_with(variable.op), name_scope(f"{name}/Regularizer/"):
        loss = regularizer(variable)
    if loss is not None:
        get_default_graph().add_to_collection(GraphKeys.REGULARIZATION_LOSSES, loss)


@public("get_variable_scope")
def get_variable_scope() -> VariableScope:
    """The current variable scope."""
    return _kept().scopes.current


@public("get_variable")
def get_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool | None = None,
    collections: Sequence[str] | None = None,
    caching_device: Any = None,
    partitioner: Any = None,
    validate_shape: bool = True,
    use_resource: bool | None = None,
    custom_getter: Getter | None = None,
    constraint: Any = None,
    synchronization: VariableSynchronization = VariableSynchronization.AUTO,
    aggregation: VariableAggregation = VariableAggregation.NONE,
) -> Variable:
    """The variable called `name` in the current variable scope: an existing one where the scope shares, else a new one.

    Args:
        name: the name inside the scope.
        shape: the shape of a new variable; not with a constant initializer.
        dtype: the type; float32 or the scope's by default.
        initializer: an initializer (`f(shape, dtype)`), a tensor or array; Glorot's uniform one by default for
            floating types.
        regularizer: a function from the variable to a loss, which goes to the collection REGULARIZATION_LOSSES.
        trainable: whether optimizers train it by default.
        collections: the collections of a new variable.
        custom_getter: a function that is called in place of the getter, with the getter as its first argument.
        constraint: what optimizers apply after an update.

    Raises ValueError when the variable exists and the scope does not share, when it does not exist and must, and when
    shape or type differ from those of the existing one.
    """
    scope = get_variable_scope()
    arguments: dict[str, Any] = {
        "shape": shape,
        "dtype": dtype,
        "initializer": initializer,
        "regularizer": regularizer,
        "trainable": trainable,
        "collections": collections,
        "caching_device": caching_device,
        "partitioner": partitioner,
        "validate_shape": validate_shape,
        "use_resource": use_resource,
        "custom_getter": custom_getter,
        "constraint": constraint,
        "synchronization": synchronization,
        "aggregation": aggregation,
    }
    return scope.get_variable(None, name, **arguments)


@public("get_local_variable")
def get_local_variable(
    name: str,
    shape: Any = None,
    dtype: Any = None,
    initializer: Any = None,
    regularizer: Any = None,
    trainable: bool = False,
    collections: Sequence[str] | None = None,
    **options: Any,
) -> Variable:
    """`get_variable` for a variable that is neither trained nor saved: it goes to LOCAL_VARIABLES.

    Args:
        name, shape, dtype, initializer, regularizer, collections, options: those of `get_variable`.
        trainable: accepted without effect.
    """
    names = [*(collections or []), GraphKeys.LOCAL_VARIABLES]
    return get_variable(name, shape, dtype, initializer, regularizer, False, names, **options)


@public("variable_scope")
class variable_scope(AbstractContextManager[VariableScope]):
    """Enters a variable scope, and a name scope of the same name.

    Args:
        name_or_scope: a name, or a scope to enter again; None takes `default_name`, made unique.
        default_name: a name for when the caller gave none.
        values: tensors that are about to be used; they must be of one graph.
        initializer, regularizer, caching_device, partitioner, custom_getter, dtype, use_resource, constraint:
            defaults for `get_variable` inside.
        reuse: True shares existing variables, `tf.AUTO_REUSE` those that exist, None inherits.
        auxiliary_name_scope: False opens no name scope.

    Raises ValueError when neither a name nor a default is given, or `reuse` is True where the name is a default.
    """

    def __init__(
        self,
        name_or_scope: str | VariableScope | None,
        default_name: str | None = None,
        values: Sequence[Any] | None = None,
        initializer: Any = None,
        regularizer: Any = None,
        caching_device: Any = None,
        partitioner: Any = None,
        custom_getter: Getter | None = None,
        reuse: Any = None,
        dtype: Any = None,
        use_resource: bool | None = None,
        constraint: Any = None,
        auxiliary_name_scope: bool = True,
    ) -> None:
        if name_or_scope is None and default_name is None:
            raise TypeError("If default_name is None then name_or_scope is required")
        if name_or_scope is not None and not isinstance(name_or_scope, (str, VariableScope)):
            raise TypeError("VariableScope: name_or_scope must be a string or VariableScope.")
        if name_or_scope is None and reuse is True:
            raise ValueError("reuse=True cannot be used without a name_or_scope")
        if not (isinstance(reuse, (bool, _ReuseMode)) or reuse is None):
            raise ValueError("The reuse parameter must be True or False or None.")
        if not isinstance(auxiliary_name_scope, bool):
            raise TypeError(f"The auxiliary_name_scope must be `True` or `False`, while get {auxiliary_name_scope}")
        self._name_or_scope, self._default_name = name_or_scope, default_name
        self._values = values or ()
        self._reuse = reuse
        self._custom_getter = custom_getter
        self._auxiliary = auxiliary_name_scope
        self._own = {
            "initializer": initializer,
            "regularizer": regularizer,
            "caching_device": caching_device,
            "partitioner": partitioner,
            "dtype": dtype,
            "use_resource": use_resource,
            "constraint": constraint,
        }

    def __enter__(self) -> VariableScope:
        self._entered = self._scope()
        return self._entered.__enter__()

    def __exit__(self, *exception: Any) -> bool | None:
        return self._entered.__exit__(*exception)

    @contextmanager
    def _scope(self) -> Iterator[VariableScope]:
        graph = graph_of(self._values)
        with graph.as_default():
            store = _kept(graph).scopes
            if self._name_or_scope is None:
                with name_scope(self._default_name) if self._auxiliary else _current_name_scope() as opened:
                    unique = _unique_scope_name(store, self._default_name or "")
                    with self._entered_as(store, unique, opened) as scope:
                        yield scope
                return
            given = self._name_or_scope
            short = given if isinstance(given, str) else given.name.rsplit("/", 1)[-1]
            opens = self._auxiliary and bool(short)
            with (
                name_scope(short) if opens else _current_name_scope() as opened,
                self._entered_as(store, given, opened) as scope,
            ):
                yield scope

    @contextmanager
    def _entered_as(self, store: _ScopeStore, given: str | VariableScope, opened: str) -> Iterator[VariableScope]:
        outer, counts = store.current, dict(store.opened)
        if isinstance(given, VariableScope):
            base, name = given, given.name
            reuse = self._reuse if self._reuse else given.reuse
            opened = given.original_name_scope or opened
        else:
            base, name = outer, f"{outer.name}/{given}" if outer.name else given
            reuse = self._reuse or outer.reuse
        scope = VariableScope(
            reuse, name, name_scope=opened, custom_getter=_chained(base.custom_getter, self._custom_getter)
        )
        for attribute in _INHERITED:
            own = self._own[attribute]
            setattr(scope, attribute, getattr(base, attribute) if own is None else own)
        store.open(name)
        store.current = scope
        try:
            yield scope
        finally:
            store.close_inside(name)
            if isinstance(given, VariableScope):
                store.opened = counts
            store.current = outer


@contextmanager
def _current_name_scope() -> Iterator[str]:
    scope = get_default_graph().get_name_scope()
    yield f"{scope}/" if scope else ""


def _unique_scope_name(store: _ScopeStore, prefix: str) -> str:
    base = f"{store.current.name}/{prefix}" if store.current.name else prefix
    if not store.opened.get(base):
        return prefix
    number = 1
    while store.opened.get(f"{base}_{number}"):
        number += 1
    return f"{prefix}_{number}"


def _chained(outer: Getter | None, inner: Getter | None) -> Getter | None:
    """The inner getter around the outer one."""
    if inner is None or outer is None:
        return inner or outer

    def chained(getter: Getter, *args: Any, **kwargs: Any) -> Any:
        return inner(lambda *a, **k: outer(getter, *a, **k), *args, **kwargs)

    return chained


@public("variable_op_scope")
def variable_op_scope(
    values: Sequence[Any], name_or_scope: Any, default_name: str | None = None, **arguments: Any
) -> Any:
    """The older form of `variable_scope`, with the values first."""
    return variable_scope(name_or_scope, default_name=default_name, values=values, **arguments)


@public("no_regularizer")
def no_regularizer(_: Tensor) -> None:
    """A regularizer for scopes that shall not inherit one."""
    return
