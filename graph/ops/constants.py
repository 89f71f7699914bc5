"""Values from outside the graph: constants and placeholders."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from sessile.graph import dtypes
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
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    array = _scalar(value, wanted) if shape is None else None
    if array is None:
        array = to_numpy(value, wanted, shape, verify_shape=verify_shape)
    kind = as_dtype(array.dtype) if wanted is None else wanted
    array.setflags(write=False)
    op = get_default_graph().create_op("Const", [], [kind], name=name, attrs={"value": array, "dtype": kind})
    return op.outputs[0]


def _scalar(value: Any, dtype: DType | None) -> np.ndarray[Any, Any] | None:
    """The array of a Python number that every type can hold as it is: the quick way for most constants in a graph."""
    if type(value) is float and -_LARGE < value < _LARGE:
        return np.array(value, np.float32 if dtype is None else dtype._numpy) if dtype in _FLOATS else None
    if type(value) is int and -_SMALL < value < _SMALL:
        return np.array(value, np.int32 if dtype is None else dtype._numpy) if dtype in _NUMBERS else None
    return None


_SMALL, _LARGE = 2**24, 1e38
_FLOATS = frozenset({None, dtypes.float32, dtypes.float64})
_NUMBERS = _FLOATS | {dtypes.int32, dtypes.int64}


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
    import difflib  # late: only messages need it

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
