"""Functions on variables: the collections of them, their initialisation, and the functional forms of their updates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.data_type import as_dtype
from sessile.graph.graph import get_default_graph
from sessile.graph.graph_keys import GraphKeys
from sessile.graph.name_scope import name_scope
from sessile.graph.operation import Operation
from sessile.graph.ops import constants, identity, joining, logic, selection, shapes
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.variables import is_variable_initialized

public("GraphKeys")(GraphKeys)


@public("get_collection")
def get_collection(key: Any, scope: str | None = None) -> list[Any]:
    """The values of a collection of the default graph; see `Graph.get_collection`."""
    return get_default_graph().get_collection(key, scope)


@public("get_collection_ref")
def get_collection_ref(key: Any) -> list[Any]:
    """The own list of a collection of the default graph."""
    return get_default_graph().get_collection_ref(key)


@public("add_to_collection")
def add_to_collection(name: Any, value: Any) -> None:
    """Appends to a collection of the default graph."""
    get_default_graph().add_to_collection(name, value)


@public("add_to_collections")
def add_to_collections(names: Any, value: Any) -> None:
    """Appends to several collections of the default graph."""
    get_default_graph().add_to_collections(names, value)


@public("get_all_collection_keys")
def get_all_collection_keys() -> list[str]:
    """The names of the collections of the default graph."""
    return get_default_graph().get_all_collection_keys()


@public("global_variables")
def global_variables(scope: str | None = None) -> list[Any]:
    """The variables that programs share and save; with `scope`, those whose name it matches."""
    return get_collection(GraphKeys.GLOBAL_VARIABLES, scope)


@public("all_variables")
def all_variables() -> list[Any]:
    """The older name of `global_variables`."""
    return global_variables()


@public("local_variables")
def local_variables(scope: str | None = None) -> list[Any]:
    """The variables of one process that are not saved: counters of epochs, sums of metrics."""
    return get_collection(GraphKeys.LOCAL_VARIABLES, scope)


@public("model_variables")
def model_variables(scope: str | None = None) -> list[Any]:
    """The variables in the collection MODEL_VARIABLES."""
    return get_collection(GraphKeys.MODEL_VARIABLES, scope)


@public("trainable_variables")
def trainable_variables(scope: str | None = None) -> list[Any]:
    """The variables that optimizers train by default."""
    return get_collection(GraphKeys.TRAINABLE_VARIABLES, scope)


@public("moving_average_variables")
def moving_average_variables(scope: str | None = None) -> list[Any]:
    """The variables of which an ExponentialMovingAverage keeps averages."""
    return get_collection(GraphKeys.MOVING_AVERAGE_VARIABLES, scope)


@public("variables_initializer", "initialize_variables", "initializers.variables")
def variables_initializer(var_list: Sequence[Any], name: str = "init") -> Operation:
    """An operation that initialises the variables in `var_list`."""
    if var_list:
        return identity.group(*[variable.initializer for variable in var_list], name=name)
    return identity.group(name=name)


@public("global_variables_initializer", "initializers.global_variables")
def global_variables_initializer() -> Operation:
    """An operation that initialises all global variables."""
    return variables_initializer(global_variables())


@public("initialize_all_variables")
def initialize_all_variables() -> Operation:
    """The older name of `global_variables_initializer`."""
    return global_variables_initializer()


@public("local_variables_initializer", "initialize_local_variables", "initializers.local_variables")
def local_variables_initializer() -> Operation:
    """An operation that initialises all local variables."""
    return variables_initializer(local_variables())


@public("assert_variables_initialized")
def assert_variables_initialized(var_list: Sequence[Any] | None = None) -> Tensor | None:
    """A tensor whose evaluation fails when a variable has no value; None when there are no variables."""
    variables = global_variables() + local_variables() if var_list is None else list(var_list)
    if not variables:
        return None
    ranks = [shapes.Rank(variable.value()) for variable in variables]
    return ranks[0] if len(ranks) == 1 else joining.stack(ranks)


@public("report_uninitialized_variables")
def report_uninitialized_variables(
    var_list: Sequence[Any] | None = None, name: str = "report_uninitialized_variables"
) -> Tensor:
    """The names of the variables without a value, as a vector of strings.

    Args:
        var_list: the variables to look at; by default all global and local ones.
        name: a name for the operations.
    """
    variables = global_variables() + local_variables() if var_list is None else list(var_list)
    with name_scope(name):
        if not variables:
            return constants.constant([], dtype=as_dtype("string"))
        flags = joining.stack([is_variable_initialized(variable) for variable in variables])
        has_no_value = logic.LogicalNot(flags)
        names = constants.constant([variable.op.name for variable in variables])
        return selection.boolean_mask(names, has_no_value)
