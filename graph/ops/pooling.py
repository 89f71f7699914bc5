"""Pooling: the maximum or the average of each window that slides over images or volumes, and the gradients.

What users call (`nn.max_pool`) stands in `pooling_functions`.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import reduce
from typing import Any

import numpy as np

from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.dtypes import FLOATING, REAL_NUMBER, float32, int32
from sessile.graph.errors import UnimplementedError
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import filling, identity, shapes
from sessile.graph.ops.window_geometry import same_or_valid, window_padding, windowed_shape
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


def _attributes(formats: str, T: Attribute) -> dict[str, Any]:
    first, second = formats.split()
    axes = len(first)
    return {
        "ksize": Attribute("list(int)", minimum=axes),
        "strides": Attribute("list(int)", minimum=axes),
        "padding": same_or_valid(),
        "data_format": Attribute("string", default=first, allowed=frozenset({first.encode(), second.encode()})),
        "T": T,
    }


_MAX_TYPE = Attribute("type", default=float32, allowed=REAL_NUMBER)
_AVERAGE_TYPE = Attribute("type", allowed=FLOATING)


class _Windows:
    """Windows over an image: sizes as far as padding needs them, and the way from elements to windows and back."""

    def __init__(
        self, b: Any, image: Sequence[Any], ksize: Sequence[int], strides: Sequence[int], padding: bytes
    ) -> None:
        if ksize[0] != 1 or strides[0] != 1:
            raise UnimplementedError(None, None, "Pooling is not yet supported on the batch dimension.")
        self.window, self.strides = tuple(ksize), tuple(strides)
        self.moves = [k != 1 or s != 1 for k, s in zip(ksize, strides, strict=True)]
        self.sizes = [b.number(n) if moves else n for n, moves in zip(image, self.moves, strict=True)]
        self.padding = tuple(
            window_padding(n, k, s, 1, padding) if moves else (0, 0)
            for n, k, s, moves in zip(self.sizes, ksize, strides, self.moves, strict=True)
        )
        self.counts = [self._count(axis) for axis in range(len(self.sizes))]

    def _count(self, axis: int) -> Any:
        """How many windows lie along an axis."""
        size, (low, high) = self.sizes[axis], self.padding[axis]
        return (size + low + high - self.window[axis]) // self.strides[axis] + 1 if self.moves[axis] else size

    def reduce(self, b: Any, function: str, x: Any) -> Any:
        """Combines the elements of each window."""
        x = b.retype(x, self.sizes)
        return b.emit(
            "window_reduce", x, function=function, window=self.window, strides=self.strides, padding=self.padding
        )

    def elements(self) -> np.ndarray:
        """How many elements of the image each window holds; axes along which that does not vary have size 1."""
        return reduce(np.multiply, np.ix_(*(self._elements_along(axis) for axis in range(len(self.sizes)))))

    def _elements_along(self, axis: int) -> np.ndarray:
        low, high = self.padding[axis]
        if not low and not high:
            return np.array([self.window[axis]])
        begins = np.arange(self.counts[axis]) * self.strides[axis] - low
        return np.minimum(begins + self.window[axis], self.sizes[axis]) - np.maximum(begins, 0)

    def spread(self, b: Any, values: Any) -> Any:
        """Adds each window's value to all its elements: windows over the values, which the strides pull apart."""
        low, high = [0] * len(self.sizes), [0] * len(self.sizes)
        for axis, (n, k, s) in enumerate(zip(self.sizes, self.window, self.strides, strict=True)):
            if self.moves[axis]:
                low[axis] = k - 1 - self.padding[axis][0]
                high[axis] = n - (self.counts[axis] - 1) * s - 1 + self.padding[axis][0]
        apart = b.pad(values, low, high, 0, [s - 1 for s in self.strides])
        ones, none = (1,) * len(self.window), ((0, 0),) * len(self.window)
        return b.emit("window_reduce", apart, function="add", window=self.window, strides=ones, padding=none)


class Pooling(OpDefinition):
    """Base of operations that combine the elements of each window."""

    outputs = {"output": "T"}

    def infer_pooled(self, x: Tensor, ksize: Sequence[int], strides: Sequence[int], padding: bytes) -> TensorShape:
        """The sizes after pooling. Raises ValueError for windows that do not fit."""
        shape = TensorShape(of_rank(x, len(ksize)))
        if min(*ksize, *strides) < 1:
            raise ValueError(f"Sliding window ksize {list(ksize)} and strides {list(strides)} must be positive")
        axes = range(len(ksize))
        return TensorShape(windowed_shape(shape, axes, ksize, strides, [1] * len(ksize), padding))


def _pooling_attributes(op: Any) -> dict[str, Any]:
    return {name: op._attributes[name] for name in ("ksize", "strides", "padding", "data_format")}


class MaxPooling(Pooling):
    """Base of maxima of windows."""

    inputs = {"input": "T"}
    gradient_class: Any = None

    def infer(self, input: Tensor, *, ksize: list[int], strides: list[int], padding: bytes) -> TensorShape:
        return self.infer_pooled(input, ksize, strides, padding)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [type(self).gradient_class(op.inputs[0], op.outputs[0], grad, **_pooling_attributes(op))]

    def lower(self, b: Any, input: Any, *, ksize: list[int], strides: list[int], padding: bytes) -> Any:
        return _Windows(b, input.type.shape, ksize, strides, padding).reduce(b, "max", input)


class MaxPoolingGradient(OpDefinition):
    """Base of gradients of maxima: each goes to the first largest element of its window."""

    inputs = {"orig_input": "T", "orig_output": "T", "grad": "T"}
    outputs = {"output": "T"}
    second_gradient_class: Any = None

    def infer(self, orig_input: Tensor, orig_output: Tensor, grad: Tensor) -> TensorShape:
        return orig_input._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        image, pooled = op.inputs[0], op.inputs[1]
        zeros = [filling.zeros(shapes.shape(x), dtype=x.dtype.base_dtype) for x in (image, pooled)]
        return [*zeros, type(self).second_gradient_class(image, pooled, grad, **_pooling_attributes(op))]

    def lower(
        self,
        b: Any,
        orig_input: Any,
        orig_output: Any,
        grad: Any,
        *,
        ksize: list[int],
        strides: list[int],
        padding: bytes,
    ) -> Any:
        windows = _Windows(b, orig_input.type.shape, ksize, strides, padding)
        return b.emit(
            "select_and_scatter",
            b.retype(orig_input, windows.sizes),
            b.exactly(grad, windows.counts),
            window=windows.window,
            strides=windows.strides,
            padding=windows.padding,
        )


class MaxPoolingSecondGradient(OpDefinition):
    """Base of gradients of `MaxPoolingGradient`: what `grad` holds at the place of each window's maximum."""

    inputs = {"orig_input": "T", "orig_output": "T", "grad": "T"}
    outputs = {"output": "T"}
    first_gradient_class: Any = None

    def infer(self, orig_input: Tensor, orig_output: Tensor, grad: Tensor) -> TensorShape:
        return orig_output._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        image, pooled = op.inputs[0], op.inputs[1]
        zeros = [filling.zeros(shapes.shape(x), dtype=x.dtype.base_dtype) for x in (image, pooled)]
        return [*zeros, type(self).first_gradient_class(image, pooled, grad, **_pooling_attributes(op))]

    def lower(
        self,
        b: Any,
        orig_input: Any,
        orig_output: Any,
        grad: Any,
        *,
        ksize: list[int],
        strides: list[int],
        padding: bytes,
    ) -> Any:
        windows = _Windows(b, orig_input.type.shape, ksize, strides, padding)
        low, high = zip(*windows.padding, strict=True)
        lowest = _lowest(orig_input.type.numpy_dtype)
        image = b.pad(b.retype(orig_input, windows.sizes), low, high, lowest)
        values = b.pad(b.retype(grad, windows.sizes), low, high)
        best = chosen = None
        for place in np.ndindex(*windows.window):
            element = b.slice(image, place, windows.counts, windows.strides)
            value = b.slice(values, place, windows.counts, windows.strides)
            if best is None:
                best, chosen = element, value
                continue
            is_larger = b.map("gt", element, best)
            best, chosen = b.select(is_larger, element, best), b.select(is_larger, value, chosen)
        return chosen


def _lowest(dtype: np.dtype) -> Any:
    return -np.inf if dtype.kind == "f" else np.iinfo(dtype).min


class AveragePooling(Pooling):
    """Base of averages of windows, over the elements that lie inside the image."""

    inputs = {"value": "T"}
    gradient_class: Any = None

    def infer(self, value: Tensor, *, ksize: list[int], strides: list[int], padding: bytes) -> TensorShape:
        return self.infer_pooled(value, ksize, strides, padding)

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [type(self).gradient_class(shapes.shape(op.inputs[0]), grad, **_pooling_attributes(op))]

    def lower(self, b: Any, value: Any, *, ksize: list[int], strides: list[int], padding: bytes) -> Any:
        windows = _Windows(b, value.type.shape, ksize, strides, padding)
        total = windows.reduce(b, "add", value)
        return b.div(total, b.constant(windows.elements(), value.type.dtype))


class AveragePoolingGradient(OpDefinition):
    """Base of gradients of averages: each is shared by the elements of its window."""

    inputs = {"orig_input_shape": int32, "grad": "T"}
    outputs = {"output": "T"}
    average_class: Any = None

    def infer(self, orig_input_shape: Tensor, grad: Tensor, *, ksize: list[int]) -> TensorShape:
        return constant_value_as_shape(orig_input_shape).merge_with(TensorShape([None] * len(ksize)))

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        shape = identity.StopGradient(op.inputs[0])
        return [shape, type(self).average_class(grad, **_pooling_attributes(op))]

    def lower(
        self, b: Any, orig_input_shape: Any, grad: Any, *, ksize: list[int], strides: list[int], padding: bytes
    ) -> Any:
        image = b.sizes_of(orig_input_shape)
        windows = _Windows(b, image, ksize, strides, padding)
        shares = b.div(b.exactly(grad, windows.counts), b.constant(windows.elements(), grad.type.dtype))
        return b.retype(windows.spread(b, shares), image)


def _plane(T: Attribute) -> dict[str, Any]:
    return _attributes("NHWC NCHW", T)


def _volume(T: Attribute) -> dict[str, Any]:
    return _attributes("NDHWC NCDHW", T)


@operation("MaxPool")
class MaxPool(MaxPooling):
    """The largest element of each window of images."""

    attributes = _plane(_MAX_TYPE)


@operation("MaxPoolGrad")
class MaxPoolGrad(MaxPoolingGradient):
    """The gradient of MaxPool."""

    attributes = _plane(_MAX_TYPE)


@operation("MaxPoolGradGrad")
class MaxPoolGradGrad(MaxPoolingSecondGradient):
    """The gradient of MaxPoolGrad."""

    attributes = _plane(Attribute("type", allowed=REAL_NUMBER))


@operation("AvgPool")
class AvgPool(AveragePooling):
    """The average of each window of images."""

    attributes = _plane(_AVERAGE_TYPE)


@operation("AvgPoolGrad")
class AvgPoolGrad(AveragePoolingGradient):
    """The gradient of AvgPool."""

    attributes = _plane(_AVERAGE_TYPE)


@operation("MaxPool3D")
class MaxPool3D(MaxPooling):
    """The largest element of each window of volumes."""

    attributes = _volume(Attribute("type", allowed=FLOATING))


@operation("MaxPool3DGrad")
class MaxPool3DGrad(MaxPoolingGradient):
    """The gradient of MaxPool3D."""

    inputs = {"orig_input": "TInput", "orig_output": "TInput", "grad": "T"}
    attributes = {**_volume(_MAX_TYPE), "TInput": _MAX_TYPE}


@operation("MaxPool3DGradGrad")
class MaxPool3DGradGrad(MaxPoolingSecondGradient):
    """The gradient of MaxPool3DGrad."""

    attributes = _volume(Attribute("type", allowed=REAL_NUMBER))


@operation("AvgPool3D")
class AvgPool3D(AveragePooling):
    """The average of each window of volumes."""

    inputs = {"input": "T"}
    attributes = _volume(_AVERAGE_TYPE)


@operation("AvgPool3DGrad")
class AvgPool3DGrad(AveragePoolingGradient):
    """The gradient of AvgPool3D."""

    attributes = _volume(_AVERAGE_TYPE)


MaxPool.gradient_class, MaxPool3D.gradient_class = MaxPoolGrad, MaxPool3DGrad
MaxPoolGrad.second_gradient_class, MaxPool3DGrad.second_gradient_class = MaxPoolGradGrad, MaxPool3DGradGrad
MaxPoolGradGrad.first_gradient_class, MaxPool3DGradGrad.first_gradient_class = MaxPoolGrad, MaxPool3DGrad
AvgPool.gradient_class, AvgPool3D.gradient_class = AvgPoolGrad, AvgPool3DGrad
AvgPoolGrad.average_class, AvgPool3DGrad.average_class = AvgPool, AvgPool3D
