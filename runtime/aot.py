"""`tf.aot`: compilation ahead of time, from a graph to files that run without it."""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from sessile.compiler.aot.build import Progress, build_bundle, output_specs, programs_for
from sessile.compiler.aot.frozen_program import NoVariables, VariableValues
from sessile.compiler.aot.signature import ArgumentSpec, Axis, input_spec, public_name
from sessile.compiler.c_library.emit import c_library
from sessile.compiler.c_library.write_files import KINDS, WrittenFiles, write_c_library
from sessile.compiler.compile_program import optimize
from sessile.compiler.output_file import write_whole
from sessile.compiler.target import Target
from sessile.graph.graph import Graph
from sessile.graph.import_graph_def import import_graph_def
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

Feeds = Iterable[Any] | Mapping[Any, Any]


@public("aot.compile")
def compile(
    graph: Any,
    fetches: Any,
    feeds: Feeds,
    path: str | os.PathLike[str],
    *,
    session: Any = None,
    target: str | Target = "native",
    progress: Progress | None = None,
) -> Path:
    """Compiles a computation into a bundle: a file that `tf.load` runs without the graph and without a compiler.

    Args:
        graph: a `Graph` or a `GraphDef`.
        fetches: a tensor, or a list or a dict of tensors; names will do. Calls give results in this structure.
        feeds: the tensors that will be fed, or a dict from these to shapes. A shape has a number for each axis, a name
            for a size that may differ from call to call and is the same wherever the name stands, or None for a size of
            its own; without a shape, that of the graph counts.
        path: the file to write. It appears whole or not at all.
        session: whose values of variables become constants. Without one the computation may need no variables.
        target: the processor: "native", a level of x86-64 such as "x86-64-v3", "aarch64", or
            `triple[:processor[:features]]` in LLVM's terms.
        progress: is called after each kernel with its name, its number, and the number of all.

    Returns the path.

    Raises:
        ValueError, TypeError: a name is not in the graph, a shape or type does not fit, no such target.
        tf.errors.InvalidArgumentError: a placeholder that is needed is not fed.
        tf.errors.FailedPreconditionError: a variable that is needed has no value.
        tf.errors.UnimplementedError: something cannot be compiled ahead of time: Python functions, assignments.
        OSError: the file cannot be written.
    """
    signature = Signature.of(graph, fetches, feeds)
    machine = target if isinstance(target, Target) else Target.parse(target)
    variables = frozen_variables(session, signature.graph)
    data = build_bundle(signature.fetches, signature.feeds, signature.structure, variables, machine, progress)
    return write_whole(path, data)


@public("aot.compile_c_library")
def compile_c_library(
    graph: Any,
    fetches: Any,
    feeds: Feeds,
    folder: str | os.PathLike[str],
    name: str,
    *,
    session: Any = None,
    target: str | Target = "native",
    files: Collection[str] = KINDS,
    progress: Progress | None = None,
) -> WrittenFiles:
    """Compiles a computation into a C library, which needs nothing but C's own library: see `docs/c-library.md`.

    Args:
        graph, fetches, feeds, session, target, progress: as in `tf.aot.compile`.
        folder: where to write to.
        name: of the library, a C identifier; its functions' names begin with it.
        files: which files: "header", "object", "static", "shared".

    Returns the paths by kind, and notes that say which tool was missing for a file that could not be written.

    Raises what `tf.aot.compile` raises, ValueError for a name that C does not allow, and UnimplementedError for
    operations that run on the host.
    """
    signature = Signature.of(graph, fetches, feeds)
    machine = target if isinstance(target, Target) else Target.parse(target)
    variables = frozen_variables(session, signature.graph)
    program = programs_for(list(signature.fetches.values()), signature.feeds, variables)[0]
    outputs = output_specs(signature.fetches, program, signature.feeds)
    optimized = optimize(program, target=machine)
    library = c_library(optimized, name, list(signature.feeds.values()), outputs, machine, progress)
    return write_c_library(library, folder, files)


def frozen_variables(session: Any, graph: Graph) -> VariableValues:
    """The variables whose values are frozen in. Raises ValueError for the session of another graph."""
    if session is None:
        return NoVariables()
    if session.graph is not graph:
        raise ValueError("the session runs another graph than the one that is compiled")
    return session._executor.variables  # type: ignore[no-any-return]


class Signature:
    """What is fetched and fed, as tensors of one graph.

    Attributes:
      graph: the graph.
      fetches: the fetched tensors by the names of the outputs.
      structure: how calls give results back: "one", "list" or "dict".
      feeds: how each fed tensor is fed.
    """

    def __init__(
        self, graph: Graph, fetches: Mapping[str, Tensor], structure: str, feeds: Mapping[Tensor, ArgumentSpec]
    ) -> None:
        self.graph = graph
        self.fetches = fetches
        self.structure = structure
        self.feeds = feeds

    @staticmethod
    def of(graph: Any, fetches: Any, feeds: Feeds) -> Signature:
        """Resolves names. Raises ValueError and TypeError for what is not in the graph or does not fit."""
        graph = graph if isinstance(graph, Graph) else _imported(graph)
        structure = "dict" if isinstance(fetches, Mapping) else "list" if isinstance(fetches, (list, tuple)) else "one"
        outputs = dict(_outputs(graph, fetches))
        if not outputs:
            raise ValueError("nothing is fetched")
        return Signature(graph, outputs, structure, dict(_specs(graph, feeds)))


def _outputs(graph: Graph, fetches: Any) -> Iterator[tuple[str, Tensor]]:
    """The fetched tensors by the keys of a dict, or by their own names, with a number where one is fetched again."""
    if isinstance(fetches, Mapping):
        yield from ((str(key), _tensor(graph, item, "fetch")) for key, item in fetches.items())
        return
    taken: dict[str, int] = {}
    for item in _listed(fetches):
        tensor = _tensor(graph, item, "fetch")
        name = public_name(tensor)
        count = taken[name] = taken.get(name, -1) + 1
        yield (f"{name}_{count}" if count else name), tensor


def _imported(graph_def: Any) -> Graph:
    graph = Graph()
    with graph.as_default():
        import_graph_def(graph_def, name="")
    return graph


def _listed(items: Any) -> list[Any]:
    return list(items) if not isinstance(items, (str, Tensor)) and isinstance(items, Iterable) else [items]


def _tensor(graph: Graph, item: Any, role: str) -> Tensor:
    """A tensor by itself, its name, or the name of an operation with one output."""
    name = item if not isinstance(item, str) or ":" in item else f"{item}:0"
    try:
        return graph.as_graph_element(name, allow_tensor=True, allow_operation=False)  # type: ignore[no-any-return]
    except (KeyError, ValueError, TypeError) as error:
        raise ValueError(f"cannot {role} {item!r}: {error.args[0]}") from None


def _specs(graph: Graph, feeds: Feeds) -> Iterable[tuple[Tensor, ArgumentSpec]]:
    shapes = feeds.items() if isinstance(feeds, Mapping) else ((item, None) for item in _listed(feeds))
    for item, shape in shapes:
        tensor = _tensor(graph, item, "feed")
        if not graph.is_feedable(tensor):
            raise ValueError(f"{public_name(tensor)} may not be fed")
        yield tensor, input_spec(tensor, _axes(shape))


def _axes(shape: Any) -> list[Axis] | None:
    if shape is None:
        return None
    sizes: list[Axis] = [*shape.as_list()] if isinstance(shape, TensorShape) else list(shape)
    for size in sizes:
        if not (size is None or isinstance(size, (int, str))):
            raise TypeError(f"{size!r} is no size: give a number, a name, or None")
    return sizes
