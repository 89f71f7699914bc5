"""Random numbers that depend on a seed tensor alone: the same seed gives the same numbers in every run."""

from __future__ import annotations

from typing import Any, ClassVar

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.convert import convert_to_tensor
from sessile.graph.data_type import as_dtype
from sessile.graph.dtypes import FLOATING, INDEX
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic
from sessile.graph.ops.bases import sizes_not_negative
from sessile.graph.ops.random import shape_tensor
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


class StatelessSource(OpDefinition):
    """Base of operations that fill a shape with samples which a seed of two numbers determines."""

    inputs: ClassVar[Any] = {"shape": "T", "seed": "Tseed"}
    attributes: ClassVar[Any] = {
        "dtype": Attribute("type", default=dtypes.float32, allowed=FLOATING),
        "T": Attribute("type", default=dtypes.int32, allowed=INDEX),
        "Tseed": Attribute("type", default=dtypes.int64, allowed=INDEX),
    }
    outputs = {"output": "dtype"}
    differentiable = False
    kind = ""

    def infer(self, shape: Tensor, seed: Tensor, *bounds: Tensor) -> TensorShape:
        (count,) = of_rank(seed, 1)
        if count not in (None, 2):
            raise ValueError(f"seed must have shape [2], not [{count}]")
        return constant_value_as_shape(shape)

    def lower(self, b: Any, shape: Any, seed: Any, *bounds: Any, dtype: Any) -> Any:
        if bounds:
            b.emit("check", b.map("lt", *bounds), *bounds, message="Need minval < maxval, got {} >= {}")
        seed, sizes = b.exactly(seed, (2,)), sizes_not_negative(b, shape)
        return b.emit("stateless_random", seed, *bounds, kind=self.kind, dtype=b.element_type(dtype), shape=sizes)


@operation("StatelessRandomUniform")
class StatelessRandomUniform(StatelessSource):
    """Numbers spread evenly over [0, 1)."""

    kind = "uniform"


@operation("StatelessRandomNormal")
class StatelessRandomNormal(StatelessSource):
    """Numbers of the standard normal distribution."""

    kind = "normal"


@operation("StatelessTruncatedNormal")
class StatelessTruncatedNormal(StatelessSource):
    """Numbers of the standard normal distribution within two deviations."""

    kind = "truncated_normal"


@operation("StatelessRandomUniformInt")
class StatelessRandomUniformInt(StatelessSource):
    """Whole numbers spread evenly over [minval, maxval)."""

    inputs = {"shape": "T", "seed": "Tseed", "minval": "dtype", "maxval": "dtype"}
    attributes = {
        "dtype": Attribute("type", allowed=INDEX),
        "T": Attribute("type", allowed=INDEX),
        "Tseed": Attribute("type", default=dtypes.int64, allowed=INDEX),
    }
    kind = "uniform_int"


@public("random.stateless_uniform")
def stateless_uniform(
    shape: Any,
    seed: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """Numbers spread evenly over [minval, maxval), which depend on `seed` alone.

    Args:
        shape: the shape of the result.
        seed: two whole numbers.
        minval: the lower bound, included.
        maxval: the upper bound, excluded; 1 for floating types, required for whole numbers.
        dtype: a floating type, int32 or int64.
        name: a name for the operations.

    Raises ValueError for whole numbers without `maxval`, and for other types.
    """
    kind = as_dtype(dtype)
    if kind not in FLOATING | INDEX:
        raise ValueError(f"Invalid dtype {kind!r}")
    if maxval is None:
        if kind.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {kind!r}")
        maxval = 1
    with name_scope(name, "stateless_random_uniform", [shape, seed, minval, maxval]) as scope:
        shape = shape_tensor(shape)
        low = convert_to_tensor(minval, dtype=kind, name="min")
        high = convert_to_tensor(maxval, dtype=kind, name="max")
        if kind.is_integer:
            return StatelessRandomUniformInt(shape, seed, low, high, name=scope)
        samples = StatelessRandomUniform(shape, seed, dtype=kind)
        return arithmetic.Add(samples * (high - low), low, name=scope)


@public("random.stateless_normal")
def stateless_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """Numbers of the normal distribution with the given mean and deviation, which depend on `seed` alone."""
    return _scaled(StatelessRandomNormal, "stateless_random_normal", shape, seed, mean, stddev, dtype, name)


@public("random.stateless_truncated_normal")
def stateless_truncated_normal(
    shape: Any,
    seed: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    name: str | None = None,
) -> Tensor:
    """As `stateless_normal`, drawn again where they lie more than two deviations from the mean."""
    return _scaled(StatelessTruncatedNormal, "stateless_truncated_normal", shape, seed, mean, stddev, dtype, name)


def _scaled(
    source: Any, default_name: str, shape: Any, seed: Any, mean: Any, stddev: Any, dtype: Any, name: str | None
) -> Tensor:
    with name_scope(name, default_name, [shape, seed, mean, stddev]) as scope:
        shape = shape_tensor(shape)
        mean = convert_to_tensor(mean, dtype=dtype, name="mean")
        stddev = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        return arithmetic.Add(source(shape, seed, dtype=dtype) * stddev, mean, name=scope)
