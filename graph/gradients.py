"""`tf.gradients`: reverse-mode differentiation, as operations added to the graph.

In: tensors to differentiate (`ys`) and tensors with respect to which (`xs`). Out: for each x the gradient of the sum of
the ys. Each operation's own rule stands in its definition, or was registered with `tf.RegisterGradient`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any

from sessile.graph import dtypes
from sessile.graph.apply import graph_of
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.graph import Graph
from sessile.graph.indexed_slices import IndexedSlices
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import OPS, OpDefinition
from sessile.graph.operation import Operation
from sessile.graph.public_names import PUBLIC, public
from sessile.graph.tensor import Tensor

TRAINABLE = dtypes.FLOATING | dtypes.COMPLEX
GradientFunction = Callable[..., Any]
_REGISTERED: dict[str, GradientFunction | None] = {}


@public("UnconnectedGradients")
class UnconnectedGradients(Enum):
    """What the gradient of something that ys do not depend on is."""

    NONE = "none"
    ZERO = "zero"


@public("AggregationMethod")
class AggregationMethod:
    """How gradients that meet are summed; all of them are one operation here, whichever is asked for."""

    ADD_N = 0
    DEFAULT = ADD_N
    EXPERIMENTAL_TREE = 1
    EXPERIMENTAL_ACCUMULATE_N = 2


@public("RegisterGradient")
class RegisterGradient:
    """Decorator: registers a gradient function `f(op, *grads)` for operations of a type.

    Raises TypeError for a type that is no string, KeyError when the type has a registered gradient already.
    """

    def __init__(self, op_type: str) -> None:
        if not isinstance(op_type, str):
            raise TypeError("op_type must be a string")
        self._op_type = op_type

    def __call__(self, f: GradientFunction) -> GradientFunction:
        register_gradient(self._op_type, f)
        return f


def register_gradient(op_type: str, function: GradientFunction | None) -> None:
    """Registers a gradient function, or None for a type that has no gradient."""
    if op_type in _REGISTERED:
        raise KeyError(f"Registering two gradient with name '{op_type}'!")
    _REGISTERED[op_type] = function


@public("NotDifferentiable", "NoGradient", "no_gradient")
def not_differentiable(op_type: str) -> None:
    """Says that operations of a type have no gradient: nothing flows back through them."""
    if not isinstance(op_type, str):
        raise TypeError("op_type must be a string")
    register_gradient(op_type, None)


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
        aggregation_method: accepted; see AggregationMethod.
        stop_gradients: tensors not to differentiate through.
        unconnected_gradients: what to give for an x that no y depends on: None, or zeros.

    Returns a list with a tensor, an IndexedSlices, or None for each x.

    Raises LookupError where an operation on the way has no gradient, ValueError or TypeError for arguments that do not fit.
    """
    ys, xs, stops = _as_list(ys), _as_list(xs), _as_list(stop_gradients)
    initial = [None] * len(ys) if grad_ys is None else _as_list(grad_ys)
    unconnected = UnconnectedGradients(unconnected_gradients)
    graph = graph_of([*ys, *xs])
    with graph.as_default(), name_scope(name, "gradients", [*ys, *xs, *stops, *initial]):
        y_tensors = [internal_convert(y, name=f"y_{k}") for k, y in enumerate(ys)]
        x_tensors = [_x_tensor(x, k) for k, x in enumerate(xs)]
        stop_tensors = [internal_convert(s) for s in stops]
        backward = _Backward(graph, y_tensors, x_tensors, stop_tensors, colocate_gradients_with_ops, gate_gradients)
        backward.start(_initial_gradients(initial, y_tensors))
        backward.run()
        results = [backward.gradient_of(x) for x in x_tensors]
        if unconnected is UnconnectedGradients.ZERO:
            results = [PUBLIC["zeros_like"](x) if r is None else r for x, r in zip(x_tensors, results, strict=True)]
        return results


def _as_list(x: Any) -> list[Any]:
    return [] if x is None else list(x) if isinstance(x, (list, tuple)) else [x]


def _x_tensor(x: Any, index: int) -> Tensor:
    return internal_convert(x, name=f"x_{index}", as_ref=True)


def _initial_gradients(grad_ys: list[Any], ys: list[Tensor]) -> list[Any]:
    if len(grad_ys) != len(ys):
        raise ValueError(f"Passed {len(grad_ys)} grad_ys for {len(ys)} ys")
    result: list[Any] = []
    for index, (grad, y) in enumerate(zip(grad_ys, ys, strict=True)):
        dtype = y.dtype.base_dtype
        if grad is None:
            if dtype.is_complex:
                raise TypeError(f"Gradients of complex tensors must set grad_ys (y.dtype = {dtype!r})")
            one = PUBLIC["constant"](1, dtype=dtype, name=f"grad_ys_{index}")
            result.append(PUBLIC["fill"](PUBLIC["shape"](y), one))
        else:
            result.append(_checked_initial(grad, y, index, dtype))
    return result


def _checked_initial(grad: Any, y: Tensor, index: int, dtype: DType) -> Any:
    if isinstance(grad, IndexedSlices):
        return grad
    tensor = internal_convert(grad, None, f"grad_y_{index}", dtype)
    kind = as_dtype(tensor.dtype.base_dtype)
    matches = kind.is_floating == dtype.is_floating and kind.is_complex == dtype.is_complex
    if not matches:
        raise TypeError(
            f"Gradient type {kind.name} generated for {dtype.name}-valued tensor {y} with type {dtype.name} must be of a "
            f"matching kind"
        )
    return PUBLIC["identity"](tensor, name=f"grad_ys_{index}")


class _Backward:
    """One reverse pass: gradients travel from operation to operation, each of which waits for all it will get."""

    def __init__(
        self,
        graph: Graph,
        ys: list[Tensor],
        xs: list[Tensor],
        stops: list[Tensor],
        colocate: bool,
        gate: bool,
    ) -> None:
        self.graph = graph
        self.ys, self.xs = ys, xs
        self.colocate, self.gate = colocate, gate
        self.stop_ops = self._stop_ops(stops)
        self.stop_tensors = set(stops)
        self.between = self._between()
        self.pending = self._pending_counts()
        self.collected: dict[Tensor, list[Any]] = {}
        self.final: dict[Tensor, Any] = {}

    def _stop_ops(self, stops: list[Tensor]) -> set[Operation]:
        """Operations of xs that no other x lies behind need not be differentiated."""
        return {tensor.op for tensor in stops}

    def _between(self) -> set[Operation]:
        """The operations on a way from an x to a y."""
        reached: set[Operation] = set()
        queue = deque(x.op for x in self.xs)
        while queue:
            op = queue.popleft()
            if op in reached:
                continue
            reached.add(op)
            if op in self.stop_ops and not any(x.op is op for x in self.xs):
                continue
            queue.extend(c for t in op.outputs if self._is_differentiable_edge(t) for c in t.consumers())
        between: set[Operation] = set()
        backwards = deque(y.op for y in self.ys)
        while backwards:
            op = backwards.popleft()
            if op not in reached or op in between:
                continue
            between.add(op)
            if op not in self.stop_ops:
                backwards.extend(t.op for t in op._inputs)
        return between

    @staticmethod
    def _is_differentiable_edge(tensor: Tensor) -> bool:
        return tensor.dtype.base_dtype in TRAINABLE or tensor.dtype.base_dtype in (dtypes.resource, dtypes.variant)

    def _pending_counts(self) -> dict[Operation, int]:
        counts = dict.fromkeys(self.between, 0)
        for op in self.between:
            if op in self.stop_ops:
                continue
            for tensor in op._inputs:
                if tensor.op in counts:
                    counts[tensor.op] += 1
        return counts

    def start(self, grad_ys: Sequence[Any]) -> None:
        for y, grad in zip(self.ys, grad_ys, strict=True):
            self.collected.setdefault(y, []).append(grad)

    def run(self) -> None:
        ready = deque(dict.fromkeys(y.op for y in self.ys if self.pending.get(y.op) == 0))
        while ready:
            op = ready.popleft()
            grads = [self._aggregated(tensor) for tensor in op.outputs]
            for tensor, grad in zip(op.outputs, grads, strict=True):
                self.final[tensor] = grad
            if op in self.stop_ops:
                continue
            in_grads = self._input_gradients(op, grads)
            for tensor, grad in zip(op._inputs, in_grads, strict=True):
                if grad is not None and tensor.op in self.pending:
                    self.collected.setdefault(tensor, []).append(grad)
            self._count_down(op, ready)

    def _count_down(self, op: Operation, ready: deque[Operation]) -> None:
        for tensor in op._inputs:
            source = tensor.op
            if source in self.pending:
                self.pending[source] -= 1
                if self.pending[source] == 0:
                    ready.append(source)

    def _aggregated(self, tensor: Tensor) -> Any:
        grads = self.collected.pop(tensor, [])
        if not grads:
            return None
        if len(grads) == 1:
            return grads[0]
        if all(isinstance(grad, IndexedSlices) for grad in grads):
            return IndexedSlices(
                PUBLIC["concat"]([g.values for g in grads], 0),
                PUBLIC["concat"]([g.indices for g in grads], 0),
                grads[0].dense_shape,
            )
        return PUBLIC["add_n"]([internal_convert(grad) for grad in grads])

    def _input_gradients(self, op: Operation, grads: list[Any]) -> list[Any]:
        nothing: list[Any] = [None] * len(op._inputs)
        if not op._inputs or all(grad is None for grad in grads) or not self._leads_on(op):
            return nothing
        function = gradient_function(op)
        if function is None:
            return nothing
        with self.graph.name_scope(op.name + "_grad"), self._placed(op):
            filled = [
                PUBLIC["zeros_like"](tensor) if grad is None and tensor.dtype.base_dtype in TRAINABLE else grad
                for grad, tensor in zip(grads, op.outputs, strict=True)
            ]
            result = function(op, *filled)
            in_grads = list(result) if isinstance(result, (list, tuple)) else [result]
            if len(in_grads) != len(op._inputs):
                raise ValueError(
                    f"Num gradients {len(in_grads)} generated for op {op.name} ({op.type}) do not match num inputs {len(op._inputs)}"
                )
            if self.gate and sum(grad is not None for grad in in_grads) > 1:
                in_grads = PUBLIC["tuple"](in_grads)
        for tensor, grad in zip(op._inputs, in_grads, strict=True):
            if isinstance(grad, Tensor) and tensor.dtype.base_dtype not in (dtypes.resource, dtypes.variant):
                _match_shape(op, tensor, grad)
        return in_grads

    def _leads_on(self, op: Operation) -> bool:
        return any(tensor.op in self.between for tensor in op._inputs)

    def _placed(self, op: Operation) -> Any:
        if self.colocate:
            return self.graph.colocate_with(op, ignore_existing=True)
        return self.graph.control_dependencies([])

    def gradient_of(self, x: Tensor) -> Any:
        return self.final.get(x)


def _match_shape(op: Operation, tensor: Tensor, grad: Tensor) -> None:
    try:
        grad.set_shape(tensor.shape)
    except ValueError:
        raise ValueError(
            f"Incompatible shapes between op input and calculated input gradient. Forward operation: {op.name}. Shape of "
            f"input: {tensor.shape}. Shape of its gradient: {grad.shape}"
        ) from None


def gradient_function(op: Operation) -> GradientFunction | None:
    """The gradient rule of an operation; None where nothing flows back. Raises LookupError where there is none."""
    op_type = op._attributes.get("_gradient_op_type", op.type)
    op_type = op_type.decode() if isinstance(op_type, bytes) else op_type
    if op_type in _REGISTERED:
        return _REGISTERED[op_type]
    definition = OPS.get(op_type)
    if definition is None:
        raise LookupError(f"No gradient defined for operation '{op.name}' (op type: {op.type})")
    if not definition.differentiable:
        return None
    if type(definition).gradient is OpDefinition.gradient and not _has_differentiable_output(op):
        return None
    return definition.gradient


def _has_differentiable_output(op: Operation) -> bool:
    return any(tensor.dtype.base_dtype in TRAINABLE for tensor in op.outputs)
