"""Models: whatever a command is given as MODEL, as a graph with outputs and inputs that have names.

In: the path of a GraphDef, or a Python function that builds a graph (see `model_functions`), and what `--fetch` and
`--feed` say. Out: a `Model`, and a `Selection` of what to compute from what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import click

from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.runtime.command_line.failures import CommandFailure
from sessile.runtime.command_line.models.graph_files import read_graph
from sessile.runtime.command_line.models.model_functions import FULL_FORM, call_model_function
from sessile.runtime.session import Session

Element = Tensor | Operation

# Operations whose results are no use to anybody who runs a frozen graph.
_NO_RESULTS = frozenset({"Const", "Placeholder", "Variable", "VariableV2", "Assign", "NoOp", "SaveV2", "RestoreV2"})


@dataclass
class Model:
    """A graph, and what it says about itself.

    Attributes:
      source: what the user named it by.
      graph: the graph.
      outputs: what to compute when nothing else is asked for, by name.
      inputs: what the model says that it is fed with; empty where it says nothing.
      given_session: the session that came with the model, whose variables have values.
      initializers: operations that give variables their values, where no session came with the model.
    """

    source: str
    graph: Graph
    outputs: dict[str, Element]
    inputs: list[Element] = field(default_factory=list)
    given_session: Session | None = None
    initializers: list[Operation] = field(default_factory=list)
    compiles_first: bool = False

    @cached_property
    def session(self) -> Session:
        """The session to run it in; variables have their initial values, or those of the session it came with."""
        if self.given_session is not None:
            return self.given_session
        session = Session(graph=self.graph, config=_compiling() if self.compiles_first else None)
        if self.initializers:
            session.run(self.initializers)
        return session


def load_model(source: str, initialize: Sequence[str] = (), compiles_first: bool = False) -> Model:
    """The model that `source` names.

    Args:
      source: the path of a GraphDef, or `module:function`.
      initialize: names of operations to run first, which give variables their values.
      compiles_first: whether its session compiles before the first run, whatever the environment says.

    Raises click.BadParameter where there is nothing of that name, CommandFailure for what cannot be read.
    """
    if Path(source).is_file():
        if source.endswith(".py"):
            raise click.BadParameter(f"which function of {source} builds the model? Write {source}:FUNCTION.")
        model = _from_file(source)
    elif ":" in source:
        model = _from_function(source)
    else:
        raise click.BadParameter(
            f"there is no file {source!r}. A model is a GraphDef, MODULE:FUNCTION or FILE.py:FUNCTION."
        )
    model.compiles_first = compiles_first
    if initialize:
        model.initializers = [_operation(model.graph, name) for name in initialize]
    return model


def _compiling() -> Any:
    from sessile.graph.proto.config_pb2 import ConfigProto, OptimizerOptions

    config = ConfigProto()
    config.graph_options.optimizer_options.global_jit_level = OptimizerOptions.ON_1
    return config


def _from_file(path: str) -> Model:
    graph = read_graph(path)
    outputs: dict[str, Element] = {}
    for op in graph.get_operations():
        if op.type not in _NO_RESULTS and not op._control_outputs:
            unused = [tensor for tensor in op.outputs if not tensor._consumers]
            if len(unused) == len(op.outputs) > 0:
                outputs |= {plain_name(tensor): tensor for tensor in unused}
    return Model(path, graph, outputs)


def _from_function(source: str) -> Model:
    graph = Graph()
    with graph.as_default():
        returned = call_model_function(source)
    full = isinstance(returned, Mapping) and "fetches" in returned and returned.keys() <= FULL_FORM
    parts: Mapping[str, Any] = returned if full else {"fetches": returned}
    session = parts.get("session")
    if session is not None and not isinstance(session, Session):
        raise CommandFailure(f"{source}: what it returns as its session is {type(session).__name__}, not a tf.Session")
    graph = graph if session is None else session.graph
    outputs = _named(source, graph, parts["fetches"])
    inputs = [_element(source, graph, each) for each in parts.get("feeds") or ()]
    variables = [*graph.get_collection("variables"), *graph.get_collection("local_variables")]
    initializers = [variable.initializer for variable in dict.fromkeys(variables)]
    return Model(source, graph, outputs, inputs, session, initializers)


def _named(source: str, graph: Graph, elements: Any) -> dict[str, Element]:
    """The elements of a graph that a function returned, by the names that it gave them or by their own."""
    if elements is None:
        return {}
    if isinstance(elements, Mapping):
        return {str(name): _element(source, graph, each) for name, each in elements.items()}
    listed = elements if isinstance(elements, (list, tuple)) else [elements]
    found = [_element(source, graph, each) for each in listed]
    return {plain_name(each): each for each in found}


def _element(source: str, graph: Graph, item: Any) -> Element:
    try:
        return graph.as_graph_element(item)  # type: ignore[no-any-return]
    except (TypeError, ValueError, KeyError) as error:
        raise CommandFailure(
            f"{source} returned {type(item).__name__} {item!r}; a model returns tensors and operations of the graph it "
            f"builds: one, a list, or a dict from names to them ({error.args[0]})"
        ) from None


def _operation(graph: Graph, name: str) -> Operation:
    try:
        return graph.get_operation_by_name(name)
    except (KeyError, ValueError) as error:
        raise click.BadParameter(f"{error.args[0]}") from None


def plain_name(element: Element) -> str:
    """The name of an element as people write it: without `:0`."""
    return element.name.removesuffix(":0")
