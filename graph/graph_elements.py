"""Finds the element of a graph that an object or a name stands for, and says what is wrong where there is none."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor

if TYPE_CHECKING:
    from sessile.graph.graph import Graph


def find_element(graph: Graph, obj: Any, allow_tensor: bool, allow_operation: bool) -> Any:
    """The operation or tensor for `obj`; see `Graph.as_graph_element`."""
    if not (allow_tensor or allow_operation):
        raise ValueError("allow_tensor and allow_operation can't both be False.")
    wanted = " or ".join(
        word for word, allowed in (("Tensor", allow_tensor), ("Operation", allow_operation)) if allowed
    )
    convert = getattr(obj, "_as_graph_element", None)
    if convert is not None and not isinstance(obj, (Tensor, Operation)):
        obj = convert()
    if isinstance(obj, bytes):
        obj = obj.decode()
    if isinstance(obj, str):
        return _by_name(graph, obj, allow_tensor, allow_operation, wanted)
    if (isinstance(obj, Tensor) and allow_tensor) or (isinstance(obj, Operation) and allow_operation):
        if obj.graph is not graph:
            kind = "Tensor" if isinstance(obj, Tensor) else "Operation"
            raise ValueError(_foreign_element(graph, obj, kind))
        return obj
    raise TypeError(f"Can not convert a {type(obj).__name__} into a {wanted}.")


def _foreign_element(graph: Graph, obj: Any, kind: str) -> str:
    op = obj.op if isinstance(obj, Tensor) else obj
    line = op.traceback[-1] if op.traceback else None
    place = f"{line.filename}:{line.lineno}" if line else "an unknown line"
    return (
        f"{kind} {obj} is not an element of this graph.\n"
        f"It was created at {place} in the graph {_described(obj.graph)}; this session or call uses the graph "
        f"{_described(graph)}.\n"
        f"Create the element under `with graph.as_default():` of the graph you run, or pass "
        f"`tf.Session(graph=...)` the graph that it belongs to."
    )


def _described(graph: Graph) -> str:
    return f"made at {graph.created_at} (<Graph {id(graph):#x}, {len(graph._operations)} operations>)"


def _by_name(graph: Graph, name: str, allow_tensor: bool, allow_operation: bool, wanted: str) -> Any:
    if ":" in name and allow_tensor:
        return _tensor_by_name(graph, name)
    if ":" in name:
        raise ValueError(f"Name {name!r} appears to refer to a Tensor, not a {wanted}.")
    op = graph._operations.get(name)
    if allow_operation:
        if op is None:
            raise KeyError(f"The name {name!r} refers to an Operation not in the graph.{_suggest(graph, name)}")
        return op
    if op is not None:
        raise ValueError(
            f"The name {name!r} refers to an Operation, not a {wanted}. Tensor names must be of the form "
            f'"<op_name>:<output_index>".'
        )
    raise ValueError(
        f"The name {name!r} looks like an (invalid) Operation name, not a {wanted}. Tensor names must be of the "
        f'form "<op_name>:<output_index>".{_suggest(graph, name)}'
    )


def _tensor_by_name(graph: Graph, name: str) -> Tensor:
    op_name, _, index_text = name.rpartition(":")
    if ":" in op_name or not index_text.isdigit():
        raise ValueError(
            f"The name {name!r} looks a like a Tensor name, but is not a valid one. Tensor names must be of the form "
            f'"<op_name>:<output_index>".'
        )
    op = graph._operations.get(op_name)
    if op is None:
        raise KeyError(
            f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, does not exist "
            f"in the graph.{_suggest(graph, op_name)}"
        )
    if int(index_text) >= len(op.outputs):
        raise KeyError(
            f"The name {name!r} refers to a Tensor which does not exist. The operation, {op_name!r}, exists but only "
            f"has {len(op.outputs)} outputs."
        )
    return op.outputs[int(index_text)]


def _suggest(graph: Graph, name: str) -> str:
    import difflib  # late: only messages need it

    near = difflib.get_close_matches(name, graph._operations, n=3, cutoff=0.6)
    return f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
