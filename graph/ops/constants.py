"""Values from outside the graph: constants and placeholders."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.graph.array_conversion import to_numpy
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.graph import get_default_graph
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.public_names import public
from sessile.graph.source_lines import defined_at
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, as_shape


@operation("Const")
class Const(OpDefinition):
    """A constant. The attribute `value` is a NumPy array, kept beside the graph."""

    attributes = {"value": Attribute("tensor"), "dtype": Attribute("type")}
    outputs = {"output": "dtype"}

    def infer(self, *, value: np.ndarray) -> TensorShape:
        return TensorShape(value.shape)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return []

    def lower(self, b: Any, *, value: np.ndarray) -> Any:
        return b.constant(value)


@public("constant")
def constant(
    value: Any, dtype: Any = None, shape: Any = None, name: str = "Const", verify_shape: bool = False
) -> Tensor:
    """A tensor that holds `value`.

    Args:
        value: a number, string, nested list, or NumPy array.
        dtype: the type; by default that of the value (Python's whole numbers are int32, floating ones float32).
        shape: the shape; missing elements repeat the last one.
        name: a name for the operation.
        verify_shape: refuses values of another shape.

    Raises TypeError for values that cannot have the type, ValueError for too many values.
    """
    graph = get_default_graph()
    array = to_numpy(value, None if dtype is None else as_dtype(dtype), shape, verify_shape=verify_shape)
    return constant_of(array, None if dtype is None else as_dtype(dtype), name, graph)


def constant_of(array: np.ndarray, dtype: DType | None, name: str, graph: Any = None) -> Tensor:
    """A constant that holds the array."""
    graph = graph if graph is not None else get_default_graph()
    array = np.array(array)
    array.setflags(write=False)
    kind = dtype.base_dtype if dtype is not None else as_dtype(array.dtype)
    op = graph.create_op("Const", [], [kind], name=name, attrs={"value": array, "dtype": kind})
    return op.outputs[0]


@operation("Placeholder")
class Placeholder(OpDefinition):
    """A tensor that must be fed."""

    attributes = {"dtype": Attribute("type"), "shape": Attribute("shape", default=None)}
    outputs = {"output": "dtype"}

    def infer(self, *, shape: TensorShape | None) -> TensorShape:
        return TensorShape(None) if shape is None else shape

    def lower(self, b: Any) -> Any:
        raise InvalidArgumentError(None, b.operation, unfed_message(b.operation.outputs[0], b.fed))


def unfed_message(tensor: Tensor, fed: Sequence[Tensor]) -> str:
    """What to say when a placeholder that a run needs is not among the tensors that are fed."""
    op, ndims = tensor.op, tensor.shape.ndims
    shape = f" and shape {str(tensor.shape.as_list()).replace('None', '?').replace(' ', '')}" if ndims else ""
    lines = [
        f"You must feed a value for placeholder tensor '{op.name}' with dtype {_c_name(tensor.dtype)}{shape}",
        f"\t [[node {op.name} ({defined_at(op._frames)})]]",
    ]
    names = [repr(other.name) for other in fed]
    near = difflib.get_close_matches(repr(tensor.name), names, n=1)
    if near:
        lines.append(f"This run feeds {near[0]}; was {tensor.name!r} meant?")
    else:
        lines.append(f"This run feeds {', '.join(names[:8]) if names else 'nothing'}{' ...' * (len(names) > 8)}.")
    return "\n".join(lines)


def _c_name(dtype: DType) -> str:
    """The name of a type in C++, as TensorFlow's kernels show it."""
    return {"float32": "float", "float64": "double", "float16": "half"}.get(dtype.name, dtype.name)


@public("placeholder")
def placeholder(dtype: Any, shape: Any = None, name: str | None = None) -> Tensor:
    """A tensor whose value is fed with `feed_dict`; running it unfed is an InvalidArgumentError.

    Args:
        dtype: the type of its elements.
        shape: what must hold of the shape of what is fed; None sizes, or no shape at all, leave it open.
        name: a name for the operation.
    """
    return Placeholder(dtype, as_shape(shape), name=name)


@operation("PlaceholderWithDefault", public="placeholder_with_default")
class PlaceholderWithDefault(OpDefinition):
    """A tensor that may be fed, and is `input` where it is not; its static shape is `shape`."""

    inputs = {"input": "dtype"}
    attributes = {"dtype": Attribute("type"), "shape": Attribute("shape")}
    outputs = {"output": "dtype"}

    def infer(self, input: Tensor, *, shape: TensorShape) -> TensorShape:
        if not shape.is_compatible_with(input.shape):
            raise ValueError(f"the default has shape {input.shape}, not {shape}")
        return shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad]

    def lower(self, b: Any, input: Any) -> Any:
        return input
