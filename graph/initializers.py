"""Initializers: objects that make the initial value of a variable, given its shape and type (TensorFlow 1.15)."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any, ClassVar

import numpy as np

from sessile.graph import dtypes
from sessile.graph.data_type import as_dtype
from sessile.graph.ops import constants, diagonals, elementwise, filling, linear_algebra, random, shapes, transposition
from sessile.graph.public_names import public


class Initializer:
    """The base: `initializer(shape, dtype)` returns a tensor."""

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """The arguments that make an equal initializer."""
        return {}

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> Initializer:
        """The initializer that `get_config` describes."""
        return cls(**config)


public("keras.initializers.Initializer")(Initializer)


@public("zeros_initializer", "initializers.zeros", "keras.initializers.Zeros")
class Zeros(Initializer):
    """Zeros."""

    def __init__(self, dtype: Any = dtypes.float32) -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return filling.zeros(shape, dtype or self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


@public("ones_initializer", "initializers.ones", "keras.initializers.Ones")
class Ones(Initializer):
    """Ones."""

    def __init__(self, dtype: Any = dtypes.float32) -> None:
        self.dtype = as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return filling.ones(shape, dtype or self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {"dtype": self.dtype.name}


@public("constant_initializer", "initializers.constant", "keras.initializers.Constant")
class Constant(Initializer):
    """One value, or a list of values in row-major order whose last one repeats.

    Raises TypeError when the value is neither a scalar, a list, nor an array.
    """

    def __init__(self, value: Any = 0, dtype: Any = dtypes.float32, verify_shape: bool = False) -> None:
        if not (np.isscalar(value) or isinstance(value, (list, tuple, np.ndarray))):
            raise TypeError(
                f"Invalid type for initial value: {type(value)} (expected Python scalar, list or tuple of values, or "
                f"numpy.ndarray)."
            )
        self.value, self.dtype, self._verify_shape = value, as_dtype(dtype), verify_shape

    def __call__(
        self, shape: Any, dtype: Any = None, partition_info: Any = None, verify_shape: bool | None = None
    ) -> Any:
        verify = self._verify_shape if verify_shape is None else verify_shape
        return constants.constant(self.value, dtype=dtype or self.dtype, shape=shape, verify_shape=verify)

    def get_config(self) -> dict[str, Any]:
        return {"value": self.value, "dtype": self.dtype.name}


class _Seeded(Initializer):
    arguments: ClassVar[tuple[str, ...]] = ()

    def __init__(self, seed: int | None, dtype: Any) -> None:
        self.seed = seed
        self.dtype = _floating(dtype)

    def get_config(self) -> dict[str, Any]:
        named = {name: getattr(self, name) for name in self.arguments}
        return {**named, "seed": self.seed, "dtype": self.dtype.name}


def _floating(dtype: Any) -> Any:
    kind = as_dtype(dtype)
    if not kind.is_floating:
        raise ValueError(f"Expected floating point type, got {kind}.")
    return kind


@public("random_uniform_initializer", "initializers.random_uniform")
class RandomUniform(Initializer):
    """Numbers spread evenly over [minval, maxval)."""

    def __init__(
        self, minval: Any = 0, maxval: Any = None, seed: int | None = None, dtype: Any = dtypes.float32
    ) -> None:
        self.minval, self.maxval, self.seed, self.dtype = minval, maxval, seed, as_dtype(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return random.random_uniform(shape, self.minval, self.maxval, dtype or self.dtype, seed=self.seed)

    def get_config(self) -> dict[str, Any]:
        return {"minval": self.minval, "maxval": self.maxval, "seed": self.seed, "dtype": self.dtype.name}


@public("random_normal_initializer", "initializers.random_normal")
class RandomNormal(_Seeded):
    """Numbers of a normal distribution."""

    arguments = ("mean", "stddev")

    def __init__(
        self, mean: Any = 0.0, stddev: Any = 1.0, seed: int | None = None, dtype: Any = dtypes.float32
    ) -> None:
        super().__init__(seed, dtype)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return random.random_normal(shape, self.mean, self.stddev, dtype or self.dtype, seed=self.seed)


@public("truncated_normal_initializer", "initializers.truncated_normal")
class TruncatedNormal(_Seeded):
    """Numbers of a normal distribution within two deviations."""

    arguments = ("mean", "stddev")

    def __init__(
        self, mean: Any = 0.0, stddev: Any = 1.0, seed: int | None = None, dtype: Any = dtypes.float32
    ) -> None:
        super().__init__(seed, dtype)
        self.mean, self.stddev = mean, stddev

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        return random.truncated_normal(shape, self.mean, self.stddev, dtype or self.dtype, seed=self.seed)


@public("uniform_unit_scaling_initializer", "initializers.uniform_unit_scaling")
class UniformUnitScaling(_Seeded):
    """Numbers spread evenly so that the scale of a layer's inputs is kept (Sussillo and Abbott, 2014)."""

    arguments = ("factor",)

    def __init__(self, factor: float = 1.0, seed: int | None = None, dtype: Any = dtypes.float32) -> None:
        super().__init__(seed, dtype)
        self.factor = factor

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        sizes = [int(size) for size in shape]
        inputs = max(math.prod(float(size) for size in sizes[:-1]), 1.0)
        bound = math.sqrt(3 / inputs) * self.factor
        return random.random_uniform(sizes, -bound, bound, dtype or self.dtype, seed=self.seed)


@public("variance_scaling_initializer", "initializers.variance_scaling", "keras.initializers.VarianceScaling")
class VarianceScaling(_Seeded):
    """Numbers whose variance is `scale` divided by the number of a unit's inputs, outputs, or their mean.

    Args:
        scale: a positive number.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (or "normal"), "untruncated_normal" or "uniform".

    Raises ValueError for other arguments.
    """

    arguments = ("scale", "mode", "distribution")

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: int | None = None,
        dtype: Any = dtypes.float32,
    ) -> None:
        if scale <= 0.0:
            raise ValueError("`scale` must be positive float.")
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError("Invalid `mode` argument:", mode)
        distribution = distribution.lower()
        if distribution not in ("normal", "uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError("Invalid `distribution` argument:", distribution)
        super().__init__(seed, dtype)
        self.scale, self.mode, self.distribution = scale, mode, distribution

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        dtype = dtype or self.dtype
        full = shape if partition_info is None else partition_info.full_shape
        fan_in, fan_out = fans(full)
        count = {"fan_in": fan_in, "fan_out": fan_out, "fan_avg": (fan_in + fan_out) / 2.0}[self.mode]
        scale = self.scale / max(1.0, count)
        if self.distribution in ("normal", "truncated_normal"):
            # the deviation that truncation at two deviations leaves of 1
            deviation = math.sqrt(scale) / 0.87962566103423978
            return random.truncated_normal(shape, 0.0, deviation, dtype, seed=self.seed)
        if self.distribution == "untruncated_normal":
            return random.random_normal(shape, 0.0, math.sqrt(scale), dtype, seed=self.seed)
        limit = math.sqrt(3.0 * scale)
        return random.random_uniform(shape, -limit, limit, dtype, seed=self.seed)


@public("glorot_uniform_initializer", "initializers.glorot_uniform", "keras.initializers.glorot_uniform")
class GlorotUniform(VarianceScaling):
    """Even numbers whose variance keeps the scale forwards and backwards (Glorot and Bengio, 2010)."""

    def __init__(self, seed: int | None = None, dtype: Any = dtypes.float32) -> None:
        super().__init__(1.0, "fan_avg", "uniform", seed, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "dtype": self.dtype.name}


@public("glorot_normal_initializer", "initializers.glorot_normal", "keras.initializers.glorot_normal")
class GlorotNormal(VarianceScaling):
    """Normal numbers whose variance keeps the scale forwards and backwards (Glorot and Bengio, 2010)."""

    def __init__(self, seed: int | None = None, dtype: Any = dtypes.float32) -> None:
        super().__init__(1.0, "fan_avg", "truncated_normal", seed, dtype)

    def get_config(self) -> dict[str, Any]:
        return {"seed": self.seed, "dtype": self.dtype.name}


@public("orthogonal_initializer", "initializers.orthogonal", "keras.initializers.Orthogonal")
class Orthogonal(_Seeded):
    """A random matrix with orthogonal rows or columns; axes before the last count as one (Saxe et al., 2014)."""

    arguments = ("gain",)

    def __init__(self, gain: float = 1.0, seed: int | None = None, dtype: Any = dtypes.float32) -> None:
        super().__init__(seed, dtype)
        self.gain = gain

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        sizes = [int(size) for size in shape]
        if len(sizes) < 2:
            raise ValueError("The tensor to initialize must be at least two-dimensional")
        rows, columns = math.prod(sizes[:-1]), sizes[-1]
        flat = (max(columns, rows), min(columns, rows))
        normal = random.random_normal(flat, dtype=dtype or self.dtype, seed=self.seed)
        q, r = linear_algebra.Qr(normal, full_matrices=False)
        q *= elementwise.sign(diagonals.DiagPart(r))
        if rows < columns:
            q = transposition.matrix_transpose(q)
        return self.gain * shapes.reshape(q, sizes)


@public("initializers.identity", "keras.initializers.Identity")
class Identity(Initializer):
    """The identity matrix times `gain`."""

    def __init__(self, gain: float = 1.0, dtype: Any = dtypes.float32) -> None:
        self.gain, self.dtype = gain, _floating(dtype)

    def __call__(self, shape: Any, dtype: Any = None, partition_info: Any = None) -> Any:
        if len(shape) != 2:
            raise ValueError("Identity matrix initializer can only be used for 2D matrices.")
        rows, columns = shape
        return self.gain * diagonals.eye(rows, columns, dtype=dtype or self.dtype)

    def get_config(self) -> dict[str, Any]:
        return {"gain": self.gain, "dtype": self.dtype.name}


def fans(shape: Sequence[Any]) -> tuple[float, float]:
    """How many inputs and outputs a unit has, for weights of a shape whose last two axes are inputs and outputs."""
    sizes = [int(size) for size in shape]
    if not sizes:
        return 1.0, 1.0
    if len(sizes) == 1:
        return float(sizes[0]), float(sizes[0])
    field = math.prod(sizes[:-2])
    return float(field * sizes[-2]), float(field * sizes[-1])


def _he_or_lecun(name: str, scale: float, distribution: str, doc: str) -> None:
    def make(seed: int | None = None) -> VarianceScaling:
        return VarianceScaling(scale, "fan_in", distribution, seed)

    make.__name__, make.__doc__ = name, doc
    public(f"initializers.{name}", f"keras.initializers.{name}")(make)


_he_or_lecun("he_normal", 2.0, "truncated_normal", "Normal numbers scaled for rectified units (He et al., 2015).")
_he_or_lecun("he_uniform", 2.0, "uniform", "Even numbers scaled for rectified units (He et al., 2015).")
_he_or_lecun("lecun_normal", 1.0, "truncated_normal", "Normal numbers with variance 1 / inputs (LeCun et al., 1998).")
_he_or_lecun("lecun_uniform", 1.0, "uniform", "Even numbers with variance 1 / inputs (LeCun et al., 1998).")
