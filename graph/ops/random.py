"""Random numbers: operations that draw from a stream of their own, and the functions that `tf.` offers for them."""

from __future__ import annotations

from typing import Any

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value_as_shape
from sessile.graph.convert import convert_to_tensor
from sessile.graph.data_type import as_dtype
from sessile.graph.dimension import Dimension
from sessile.graph.graph import get_default_graph
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic, checks, identity, reductions, shapes, slicing
from sessile.graph.ops.bases import sizes_not_negative
from sessile.graph.public_names import public
from sessile.graph.random_seed import get_seed as seeds_for
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

INDEX = frozenset({dtypes.int32, dtypes.int64})
FLOATS = frozenset({dtypes.float16, dtypes.bfloat16, dtypes.float32, dtypes.float64})


class RandomSource(OpDefinition):
    """Base of operations that fill a shape with samples of a distribution."""

    inputs = {"shape": "T"}
    attributes = {"seed": 0, "seed2": 0, "dtype": Attribute("type", allowed=FLOATS), "T": INDEX}
    outputs = {"output": "dtype"}
    stateful = True
    differentiable = False
    kind = ""

    def infer(self, shape: Tensor) -> TensorShape:
        return constant_value_as_shape(shape)

    def lower(self, b: Any, shape: Any, *, seed: int, seed2: int, dtype: Any) -> Any:
        return b.random(self.kind, (), sizes_not_negative(b, shape), dtype, seed, seed2)


@operation("RandomUniform")
class RandomUniform(RandomSource):
    """Numbers spread evenly over [0, 1)."""

    kind = "uniform"


@operation("RandomStandardNormal")
class RandomStandardNormal(RandomSource):
    """Numbers of the normal distribution with mean 0 and deviation 1."""

    kind = "normal"


@operation("TruncatedNormal")
class TruncatedNormal(RandomSource):
    """Numbers of the standard normal distribution, drawn again where they lie beyond two deviations."""

    kind = "truncated_normal"


@operation("RandomUniformInt")
class RandomUniformInt(OpDefinition):
    """Whole numbers spread evenly over [minval, maxval)."""

    inputs = {"shape": "T", "minval": "Tout", "maxval": "Tout"}
    attributes = {"seed": 0, "seed2": 0, "Tout": INDEX, "T": INDEX}
    outputs = {"output": "Tout"}
    stateful = True
    differentiable = False

    def infer(self, shape: Tensor, minval: Tensor, maxval: Tensor) -> TensorShape:
        return constant_value_as_shape(shape)

    def lower(self, b: Any, shape: Any, minval: Any, maxval: Any, *, seed: int, seed2: int, Tout: Any) -> Any:
        low, high = b.known_numbers(minval), b.known_numbers(maxval)
        if low is None or high is None or low >= high:
            b.emit("check", b.map("lt", minval, maxval), minval, maxval, message="Need minval < maxval, got {} >= {}")
        return b.random("uniform_int", (minval, maxval), sizes_not_negative(b, shape), Tout, seed, seed2)


@operation("RandomShuffle")
class RandomShuffle(OpDefinition):
    """The rows of `value` in random order."""

    inputs = {"value": "T"}
    attributes = {"seed": 0, "seed2": 0, "T": Attribute("type")}
    outputs = {"output": "T"}
    stateful = True

    def infer(self, value: Tensor) -> Tensor:
        return value

    def lower(self, b: Any, value: Any, *, seed: int, seed2: int) -> Any:
        if not value.type.rank:
            return value
        order = b.random("shuffle", (), value.type.shape, dtypes.int64, seed, seed2)
        return b.emit("gather", value, order, axis=0, batch=0)


def get_seed(op_seed: int | None) -> tuple[int, int]:
    """The pair of seeds for an operation of the default graph; zeros where nobody asked for any."""
    first, second = seeds_for(get_default_graph(), op_seed)
    return (0 if first is None else first), (0 if second is None else second)


@public("get_seed", "random.get_seed")
def public_get_seed(op_seed: int | None) -> tuple[int | None, int | None]:
    """The pair of seeds that an operation made now would get; a pair of None where there are none."""
    return seeds_for(get_default_graph(), op_seed)


@public("set_random_seed", "random.set_random_seed")
def set_random_seed(seed: int | None) -> None:
    """Sets the random seed of the default graph, from which operations without a seed derive theirs."""
    get_default_graph().seed = seed


def shape_tensor(shape: Any) -> Tensor:
    """A shape as a vector of whole numbers; sizes in a list may be `Dimension`s."""
    dtype = None
    if isinstance(shape, (tuple, list)):
        dtype = None if shape else dtypes.int32
        shape = tuple(size.value if isinstance(size, Dimension) else size for size in shape)
    return convert_to_tensor(shape, dtype=dtype, name="shape")


@public("random_uniform", "random.uniform")
def random_uniform(
    shape: Any,
    minval: Any = 0,
    maxval: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers spread evenly over [minval, maxval).

    Args:
        shape: the shape of the result, int32 or int64.
        minval: the lower bound, included.
        maxval: the upper bound, excluded; 1 for floating types, required for whole numbers.
        dtype: float16, float32, float64, int32 or int64.
        seed: makes the stream repeatable, together with the graph's seed.

    Raises ValueError for whole numbers without `maxval` and for other types.
    """
    kind = as_dtype(dtype)
    if kind not in FLOATS | INDEX:
        raise ValueError(f"Invalid dtype {kind!r}")
    if maxval is None:
        if kind.is_integer:
            raise ValueError(f"Must specify maxval for integer dtype {kind!r}")
        maxval = 1
    with name_scope(name, "random_uniform", [shape, minval, maxval]) as scope:
        sizes = shape_tensor(shape)
        low = convert_to_tensor(minval, dtype=kind, name="min")
        high = convert_to_tensor(maxval, dtype=kind, name="max")
        seed1, seed2 = get_seed(seed)
        if kind.is_integer:
            return RandomUniformInt(sizes, low, high, seed=seed1, seed2=seed2, name=scope)
        samples = RandomUniform(sizes, dtype=kind, seed=seed1, seed2=seed2)
        return arithmetic.Add(samples * (high - low), low, name=scope)


@public("random_normal", "random.normal")
def random_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of the normal distribution with the given mean and deviation."""
    return _scaled_normal(RandomStandardNormal, "random_normal", shape, mean, stddev, dtype, seed, name)


@public("truncated_normal", "random.truncated_normal")
def truncated_normal(
    shape: Any,
    mean: Any = 0.0,
    stddev: Any = 1.0,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of the normal distribution, drawn again where they lie more than two deviations from the mean."""
    return _scaled_normal(TruncatedNormal, "truncated_normal", shape, mean, stddev, dtype, seed, name)


def _scaled_normal(
    source: Any, default_name: str, shape: Any, mean: Any, stddev: Any, dtype: Any, seed: int | None, name: str | None
) -> Tensor:
    with name_scope(name, default_name, [shape, mean, stddev]) as scope:
        sizes = shape_tensor(shape)
        mean_tensor = convert_to_tensor(mean, dtype=dtype, name="mean")
        deviation = convert_to_tensor(stddev, dtype=dtype, name="stddev")
        seed1, seed2 = get_seed(seed)
        samples = source(sizes, dtype=dtype, seed=seed1, seed2=seed2)
        return arithmetic.Add(samples * deviation, mean_tensor, name=scope)


@public("random_shuffle", "random.shuffle")
def random_shuffle(value: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """The rows of `value` in random order."""
    seed1, seed2 = get_seed(seed)
    return RandomShuffle(value, seed=seed1, seed2=seed2, name=name)


@public("random_crop", "image.random_crop")
def random_crop(value: Any, size: Any, seed: int | None = None, name: str | None = None) -> Tensor:
    """A part of `value` of shape `size`, from a random place. Running fails where `size` is too large."""
    with name_scope(name, "random_crop", [value, size]) as scope:
        value = convert_to_tensor(value, name="value")
        size = convert_to_tensor(size, dtype=dtypes.int32, name="size")
        shape = shapes.shape(value)
        data = ["Need value.shape >= size, got ", shape, size]
        check = checks.assert_(reductions.reduce_all(shape >= size), data, summarize=1000)
        shape = identity.with_dependencies([check], shape)
        limit = shape - size + 1
        offset = random_uniform(shapes.shape(shape), dtype=size.dtype, maxval=size.dtype.max, seed=seed) % limit
        return slicing.slice_(value, offset, size, name=scope)
