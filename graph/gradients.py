"""`tf.gradients`: reverse-mode differentiation, as operations added to the graph.

In: tensors to differentiate (`ys`) and tensors with respect to which (`xs`). Out: for each x the gradient of the sum of
the ys. Each operation's own rule stands in its definition, or was registered (`gradient_registry`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager, nullcontext
from enum import Enum
from typing import Any

from sessile.graph.apply import graph_of
from sessile.graph.convert import internal_convert
from sessile.graph.gradient_aggregation import aggregated
from sessile.graph.gradient_registry import gradient_function, is_trainable
from sessile.graph.graph import Graph
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.name_scope import name_scope
from sessile.graph.operation import Operation
from sessile.graph.ops import constants, filling, identity, joining, shapes, splitting
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


@public("UnconnectedGradients")
class UnconnectedGradients(Enum):
    """What the gradient of something that ys do not depend on is."""

    NONE = "none"
    ZERO = "zero"


@public("gradients")
def gradients(
    ys: Any,
    xs: Any,
    grad_ys: Any = None,
    name: str = "gradients",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
    stop_gradients: Any = None,
    unconnected_gradients: Any = UnconnectedGradients.NONE,
) -> list[Any]:
    """Adds operations that compute the gradients of the sum of `ys` with respect to each of `xs`.

    Args:
        ys: a tensor or a list of tensors.
        xs: a tensor, a variable, or a list of them.
        grad_ys: initial gradients, one for each y (None in the list means ones).
        name: a name scope for the operations added.
        colocate_gradients_with_ops: places each gradient operation with the one that it belongs to.
        gate_gradients: waits for all gradients of an operation before any of them is used.
        aggregation_method: how gradients that meet are summed, see `AggregationMethod`.
        stop_gradients: tensors not to differentiate through: as if they were constants.
        unconnected_gradients: what to give for an x that no y depends on: None, or zeros.

    Returns a list with a tensor, an IndexedSlices, or None for each x.

    Raises LookupError where an operation on the way has no gradient, ValueError or TypeError for arguments that do
    not fit.
    """
    ys, xs, stops = _as_list(ys), _as_list(xs), _as_list(stop_gradients)
    given = [None] * len(ys) if grad_ys is None else _as_list(grad_ys)
    unconnected = _unconnected(unconnected_gradients)
    graph = graph_of([*ys, *xs, *stops, *given])
    with graph.as_default():
        with name_scope(name, "gradients", [*ys, *xs, *stops, *given]):
            y_tensors = [internal_convert(y, name=f"y_{k}") for k, y in enumerate(ys)]
            x_tensors = [internal_convert(x, name=f"x_{k}", as_ref=True) for k, x in enumerate(xs)]
            backward = _Backward(graph, y_tensors, x_tensors, [internal_convert(s, as_ref=True) for s in stops])
            backward.colocates, backward.gates = colocate_gradients_with_ops, gate_gradients
            backward.aggregation_method = aggregation_method
            backward.start(_initial_gradients(given, y_tensors, backward.placed))
            backward.run()
        return [_result(x, backward.final.get(x), unconnected) for x in x_tensors]


def _unconnected(value: Any) -> UnconnectedGradients:
    try:
        return UnconnectedGradients(value)
    except ValueError:
        raise ValueError(f"Unknown value for unconnected_gradients: {value!r}") from None


def _as_list(x: Any) -> list[Any]:
    return [] if x is None else list(x) if isinstance(x, (list, tuple)) else [x]


def _result(x: Tensor, grad: Any, unconnected: UnconnectedGradients) -> Any:
    return filling.zeros_like(x) if grad is None and unconnected is UnconnectedGradients.ZERO else grad


def _initial_gradients(grad_ys: list[Any], ys: list[Tensor], placed: Any) -> list[Any]:
    if len(grad_ys) != len(ys):
        raise ValueError(f"Passed {len(grad_ys)} grad_ys for {len(ys)} ys")
    given = [grad if grad is None else _converted(grad, f"grad_y_{k}") for k, grad in enumerate(grad_ys)]
    result: list[Any] = []
    for index, (grad, y) in enumerate(zip(given, ys, strict=True)):
        with placed(y.op):
            result.append(_ones(y, index) if grad is None else _checked(grad, y, index))
    return result


def _converted(grad: Any, name: str) -> Any:
    return grad if isinstance(grad, IndexedSlices) else internal_convert(grad, name=name)


def _ones(y: Tensor, index: int) -> Tensor:
    dtype = y.dtype.base_dtype
    if dtype.is_complex:
        raise TypeError(f"Gradients of complex tensors must set grad_ys (y.dtype = {dtype!r})")
    return filling.Fill(shapes.shape(y), constants.constant(1, dtype=dtype, name=f"grad_ys_{index}"))


def _checked(grad: Any, y: Tensor, index: int) -> Any:
    """The given initial gradient, under a name of its own. Raises TypeError when its type does not go with y's."""
    own, dtype = grad.dtype.base_dtype, y.dtype.base_dtype
    if dtype.is_complex:
        fits, kind, wanted = own.is_complex, "complex", "complex"
    elif dtype.is_floating or dtype.is_integer:
        fits, kind, wanted = own.is_floating or own.is_integer, "real or integer", "real or integer"
    else:
        raise TypeError(f"Tensor {y} with type {dtype.name} must be numeric to obtain a default gradient")
    if not fits:
        raise TypeError(
            f"Gradient type {own.name} generated for {kind}-valued tensor {y} with type {dtype.name} must be {wanted}"
        )
    name = f"grad_ys_{index}"
    if not isinstance(grad, IndexedSlices):
        return identity.identity(grad, name=name)
    shape = None if grad.dense_shape is None else identity.identity(grad.dense_shape, name=f"{name}_shape")
    indices = identity.identity(grad.indices, name=f"{name}_indices")
    return IndexedSlices(identity.identity(grad.values, name=f"{name}_values"), indices, shape)


@public("hessians")
def hessians(
    ys: Any,
    xs: Any,
    name: str = "hessians",
    colocate_gradients_with_ops: bool = False,
    gate_gradients: bool = False,
    aggregation_method: int | None = None,
) -> list[Tensor]:
    """The second derivatives of the sum of `ys` with respect to each of `xs`.

    Args:
        ys: a tensor or a list of tensors.
        xs: a tensor, a variable, or a list of them, whose shapes are known.
        name: a name scope for the operations added.
        colocate_gradients_with_ops, gate_gradients, aggregation_method: as for `gradients`.

    Returns for each x a tensor of shape x.shape + x.shape. Raises ValueError for an x that no y depends on and for an
    x of unknown shape.
    """
    options: dict[str, Any] = {
        "colocate_gradients_with_ops": colocate_gradients_with_ops,
        "gate_gradients": gate_gradients,
        "aggregation_method": aggregation_method,
    }
    results = []
    with name_scope(name):
        for x in _as_list(xs):
            sizes = internal_convert(x).shape
            if not sizes.is_fully_defined():
                raise ValueError(f"The Hessian with respect to {x} needs its shape to be known, not {sizes}")
            (first,) = gradients(ys, x, **options)
            if first is None:
                raise ValueError(f"The ys do not depend on {x}")
            elements = splitting.unstack(shapes.reshape(first, [-1]), num=sizes.num_elements())
            rows = [gradients(element, x, unconnected_gradients="zero", **options)[0] for element in elements]
            results.append(shapes.reshape(joining.stack(rows), sizes.concatenate(sizes)))
    return results


class _Backward:
    """One reverse pass: gradients travel from operation to operation, each of which waits for all that it will get."""

    def __init__(self, graph: Graph, ys: list[Tensor], xs: list[Tensor], stops: list[Tensor]) -> None:
        self.graph = graph
        self.colocates = self.gates = False
        self.aggregation_method: int | None = None
        self.ys = ys
        sources = [x.op for x in xs]
        self.between = _between(sources, [y.op for y in ys])
        self.pending = dict.fromkeys(self.between, 0)
        for op in self.between:
            for tensor in op._inputs:
                if tensor.op in self.pending:
                    self.pending[tensor.op] += 1
        self.ends = {op for op in sources if not any(self.pending.get(t.op) for t in op._inputs)}
        self.ends.update(stop.op for stop in stops)
        self.collected: dict[Tensor, list[Any]] = {}
        self.final: dict[Tensor, Any] = {}

    def start(self, grad_ys: Sequence[Any]) -> None:
        """Puts the initial gradients where the reverse pass begins."""
        for y, grad in zip(self.ys, grad_ys, strict=True):
            self.collected.setdefault(y, []).append(grad)

    def run(self) -> None:
        """Visits the operations between xs and ys, each after all that use its outputs."""
        starts = dict.fromkeys(y.op for y in self.ys)
        ready = deque(op for op in starts if self.pending.get(op) == 0)
        while ready:
            op = ready.popleft()
            with self.placed(op):
                self._visit(op)
            for tensor in op._inputs:
                source = tensor.op
                if source in self.pending:
                    self.pending[source] -= 1
                    if self.pending[source] == 0:
                        ready.append(source)

    def _visit(self, op: Operation) -> None:
        grads = [aggregated(self.collected.pop(t, ()), op.name, self.aggregation_method) for t in op.outputs]
        self.final.update(zip(op.outputs, grads, strict=True))
        if op not in self.between or op in self.ends or all(grad is None for grad in grads):
            return
        function = gradient_function(op)
        if function is None:
            return
        for tensor, grad in zip(op._inputs, self._input_gradients(op, function, grads), strict=True):
            if grad is None:
                continue
            if isinstance(grad, Tensor):
                _match_shape(op, tensor, grad)
            self.collected.setdefault(tensor, []).append(grad)

    def _input_gradients(self, op: Operation, function: Any, grads: list[Any]) -> list[Any]:
        filled = [
            filling.zeros_like(tensor, optimize=False) if grad is None and is_trainable(tensor) else grad
            for grad, tensor in zip(grads, op.outputs, strict=True)
        ]
        with self.graph.name_scope(op.name + "_grad"):
            result = function(op, *filled)
            in_grads = list(result) if isinstance(result, (list, tuple)) else [result]
            if len(in_grads) != len(op._inputs):
                raise ValueError(
                    f"Num gradients {len(in_grads)} generated for op {op.name} ({op.type}) do not match num inputs "
                    f"{len(op._inputs)}"
                )
            if self.gates and sum(grad is not None for grad in in_grads) > 1:
                with self.graph.device(None), self.graph.colocate_with(None, ignore_existing=True):
                    in_grads = identity.tuple_(in_grads)
        return in_grads

    def placed(self, op: Operation) -> AbstractContextManager[Any]:
        """Where the operations that belong to `op` go."""
        return self.graph.colocate_with(op) if self.colocates else nullcontext()


def _between(sources: Iterable[Operation], targets: Iterable[Operation]) -> dict[Operation, None]:
    """The operations on a way from a source to a target, along tensors that gradients flow through."""
    reached: set[Operation] = set()
    forwards = deque(sources)
    while forwards:
        op = forwards.popleft()
        if op not in reached:
            reached.add(op)
            forwards.extend(c for t in op.outputs if is_trainable(t) for c in t.consumers())
    between: dict[Operation, None] = {}
    backwards = deque(targets)
    while backwards:
        op = backwards.popleft()
        if op in reached and op not in between:
            between[op] = None
            backwards.extend(tensor.op for tensor in op._inputs)
    return between


def _match_shape(op: Operation, tensor: Tensor, grad: Tensor) -> None:
    try:
        grad.set_shape(tensor.shape)
    except ValueError:
        raise ValueError(
            f"Incompatible shapes between op input and calculated input gradient. Forward operation: {op.name}. "
            f"Original input shape: {tensor.shape}. Calculated input gradient shape: {grad.shape}"
        ) from None
