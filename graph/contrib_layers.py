"""What `tf.contrib.layers` offered besides layers: initializers with formulas of their own, and regularizers."""

from __future__ import annotations

import math
import numbers
from collections.abc import Callable
from typing import Any

from sessile.graph import dtypes
from sessile.graph.convert import convert_to_tensor
from sessile.graph.data_type import as_dtype
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import arithmetic, elementwise, losses, random, reductions
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor

Regularizer = Callable[[Any], Any]


@public("contrib.layers.variance_scaling_initializer")
def variance_scaling_initializer(
    factor: float = 2.0,
    mode: str = "FAN_IN",
    uniform: bool = False,
    seed: int | None = None,
    dtype: Any = dtypes.float32,
) -> Callable[..., Tensor]:
    """An initializer of numbers with variance factor / n, where n is the number of inputs, outputs, or their mean.

    Args:
        factor: a number.
        mode: "FAN_IN", "FAN_OUT" or "FAN_AVG".
        uniform: spreads the numbers evenly instead of normally.
        seed: makes the numbers repeatable, together with the graph's seed.
        dtype: the type where `get_variable` asks for none.

    Raises TypeError for other types and modes.
    """
    if not as_dtype(dtype).is_floating:
        raise TypeError("Cannot create initializer for non-floating point type.")
    if mode not in ("FAN_IN", "FAN_OUT", "FAN_AVG"):
        raise TypeError(f"Unknown mode {mode} [FAN_IN, FAN_OUT, FAN_AVG]")

    def initializer(shape: Any, dtype: Any = dtype, partition_info: Any = None) -> Tensor:
        if not as_dtype(dtype).is_floating:
            raise TypeError("Cannot create initializer for non-floating point type.")
        variance = factor / _units(shape, mode)
        if uniform:
            limit = math.sqrt(3.0 * variance)
            return random.random_uniform(shape, -limit, limit, dtype, seed=seed)
        # truncation at two deviations leaves about 1 / 1.3 of the variance
        return random.truncated_normal(shape, 0.0, math.sqrt(1.3 * variance), dtype, seed=seed)

    return initializer


def _units(shape: Any, mode: str) -> float:
    """How many inputs, outputs, or both on average a unit has."""
    sizes = [float(size) for size in shape]
    field = math.prod(sizes[:-2])
    fan_in = field * (sizes[-2] if len(sizes) > 1 else sizes[-1]) if sizes else 1.0
    fan_out = field * sizes[-1] if sizes else 1.0
    return {"FAN_IN": fan_in, "FAN_OUT": fan_out, "FAN_AVG": (fan_in + fan_out) / 2.0}[mode]


@public("contrib.layers.xavier_initializer", "contrib.layers.xavier_initializer_conv2d")
def xavier_initializer(
    uniform: bool = True, seed: int | None = None, dtype: Any = dtypes.float32
) -> Callable[..., Tensor]:
    """An initializer that keeps the scale of signals forwards and of gradients backwards (Glorot and Bengio, 2010).

    Args:
        uniform: spreads the numbers evenly instead of normally.
        seed: makes the numbers repeatable, together with the graph's seed.
        dtype: the type where `get_variable` asks for none.
    """
    return variance_scaling_initializer(1.0, "FAN_AVG", uniform, seed, dtype)


@public("contrib.layers.l2_regularizer")
def l2_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """A regularizer: `scale` times half the sum of the squares of the weights.

    Args:
        scale: a number that is not negative; 0.0 makes a regularizer that adds nothing.
        scope: a name for its operations.

    Raises ValueError for other scales.
    """
    return _regularizer(scale, scope, "l2_regularizer", losses.L2Loss)


@public("contrib.layers.l1_regularizer")
def l1_regularizer(scale: float, scope: str | None = None) -> Regularizer:
    """A regularizer: `scale` times the sum of the magnitudes of the weights; see `l2_regularizer`."""
    return _regularizer(scale, scope, "l1_regularizer", lambda w: reductions.reduce_sum(elementwise.abs(w)))


def _regularizer(scale: float, scope: str | None, default_name: str, norm: Callable[[Any], Tensor]) -> Regularizer:
    if isinstance(scale, numbers.Integral):
        raise ValueError(f"scale cannot be an integer: {scale}")
    if scale < 0.0:
        raise ValueError(f"Setting a scale less than 0 on a regularizer: {scale:g}")
    if scale == 0.0:
        return lambda weights: None

    def regularizer(weights: Any) -> Tensor:
        with name_scope(scope, default_name, [weights]) as name:
            factor = convert_to_tensor(scale, dtype=weights.dtype.base_dtype, name="scale")
            return arithmetic.Mul(factor, norm(weights), name=name)

    return regularizer
