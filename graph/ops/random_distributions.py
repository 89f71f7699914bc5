"""Random numbers of distributions with parameters for each sample: classes by logits, gamma, Poisson."""

from __future__ import annotations

from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value_as_shape, known_number
from sessile.graph.convert import convert_to_tensor
from sessile.graph.dtypes import INDEX, REAL_NUMBER
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.ops import arithmetic, filling
from sessile.graph.ops.bases import sizes_not_negative
from sessile.graph.ops.random import get_seed
from sessile.graph.public_names import public
from sessile.graph.shape_rules import of_rank
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape

_FLOATS = frozenset({dtypes.float16, dtypes.float32, dtypes.float64})
_POISSON = _FLOATS | INDEX


@operation("Multinomial")
class Multinomial(OpDefinition):
    """Classes drawn by the unscaled log probabilities in each row of `logits`."""

    inputs = {"logits": "T", "num_samples": dtypes.int32}
    attributes = {
        "seed": 0,
        "seed2": 0,
        "T": REAL_NUMBER,
        "output_dtype": Attribute("type", default=dtypes.int64, allowed=INDEX),
    }
    outputs = {"output": "output_dtype"}
    stateful = True
    differentiable = False

    def infer(self, logits: Tensor, num_samples: Tensor) -> TensorShape:
        of_rank(num_samples, 0)
        return TensorShape([of_rank(logits, 2)[0], known_number(num_samples)])

    def lower(self, b: Any, logits: Any, num_samples: Any, *, seed: int, seed2: int, output_dtype: Any) -> Any:
        (count,) = b.sizes_of(num_samples)
        shown = b.shown(count)
        b.require(not isinstance(shown, int) or shown >= 0, f"num_samples should be nonnegative, got {shown}")
        return b.random("categorical", (logits,), (logits.type.shape[0], count), output_dtype, seed, seed2)


@operation("RandomGamma")
class RandomGamma(OpDefinition):
    """Numbers of gamma distributions with the shape parameters `alpha` and scale 1; `shape` of them for each alpha."""

    inputs = {"shape": "S", "alpha": "T"}
    attributes = {"seed": 0, "seed2": 0, "S": INDEX, "T": _FLOATS}
    outputs = {"output": "T"}
    stateful = True

    def infer(self, shape: Tensor, alpha: Tensor) -> TensorShape:
        return constant_value_as_shape(shape).concatenate(alpha.shape)

    def lower(self, b: Any, shape: Any, alpha: Any, *, seed: int, seed2: int) -> Any:
        dtype = b.operation.outputs[0].dtype
        return b.random("gamma", (alpha,), sizes_not_negative(b, shape), dtype, seed, seed2)


@operation("RandomPoissonV2")
class RandomPoissonV2(OpDefinition):
    """Numbers of Poisson distributions with the given rates; `shape` of them for each rate."""

    inputs = {"shape": "S", "rate": "R"}
    attributes = {
        "seed": 0,
        "seed2": 0,
        "S": INDEX,
        "R": Attribute("type", default=dtypes.float64, allowed=_POISSON),
        "dtype": Attribute("type", default=dtypes.int64, allowed=_POISSON),
    }
    outputs = {"output": "dtype"}
    stateful = True
    differentiable = False

    def infer(self, shape: Tensor, rate: Tensor) -> TensorShape:
        return constant_value_as_shape(shape).concatenate(rate.shape)

    def lower(self, b: Any, shape: Any, rate: Any, *, seed: int, seed2: int, dtype: Any) -> Any:
        return b.random("poisson", (rate,), sizes_not_negative(b, shape), dtype, seed, seed2)


@public("random.categorical")
def categorical(
    logits: Any, num_samples: Any, dtype: Any = None, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Classes drawn by unscaled log probabilities.

    Args:
        logits: [batch, classes], floating.
        num_samples: how many to draw for each row, a scalar of int32.
        dtype: the type of the result, int64 (the default) or int32.
        seed: makes the stream repeatable, together with the graph's seed.
        name: a name for the operations.

    Returns a tensor of shape [batch, num_samples].
    """
    return _drawn_classes("categorical", logits, num_samples, dtype, seed, name)


@public("multinomial", "random.multinomial")
def multinomial(
    logits: Any, num_samples: Any, seed: int | None = None, name: str | None = None, output_dtype: Any = None
) -> Tensor:
    """The older form of `random.categorical`."""
    return _drawn_classes("multinomial", logits, num_samples, output_dtype, seed, name)


def _drawn_classes(
    default_name: str, logits: Any, num_samples: Any, dtype: Any, seed: int | None, name: str | None
) -> Tensor:
    with name_scope(name, default_name, [logits]):
        logits = convert_to_tensor(logits, name="logits")
        seed1, seed2 = get_seed(seed)
        kind = dtypes.int64 if dtype is None else dtype
        return Multinomial(logits, num_samples, seed=seed1, seed2=seed2, output_dtype=kind)


@public("random_gamma", "random.gamma")
def random_gamma(
    shape: Any,
    alpha: Any,
    beta: Any = None,
    dtype: Any = dtypes.float32,
    seed: int | None = None,
    name: str | None = None,
) -> Tensor:
    """Numbers of gamma distributions.

    Args:
        shape: how many to draw for each pair of parameters, a vector of int32.
        alpha: the shape parameters, positive.
        beta: the rates (the inverse scales), positive, 1 by default; broadcasts with `alpha`.
        dtype: float16, float32 or float64, also the type of the parameters.
        seed: makes the stream repeatable, together with the graph's seed.
        name: a name for the operations.

    Returns a tensor of shape `shape` + broadcast shape of the parameters.
    """
    with name_scope(name, "random_gamma", [shape, alpha, beta]):
        shape = convert_to_tensor(shape, name="shape", dtype=dtypes.int32)
        alpha = convert_to_tensor(alpha, name="alpha", dtype=dtype)
        beta = convert_to_tensor(1 if beta is None else beta, name="beta", dtype=dtype)
        broadcast = alpha + filling.zeros_like(beta)
        seed1, seed2 = get_seed(seed)
        smallest = np.finfo(alpha.dtype.as_numpy_dtype).tiny
        return arithmetic.Maximum(smallest, RandomGamma(shape, broadcast, seed=seed1, seed2=seed2) / beta)


@public("random_poisson", "random.poisson")
def random_poisson(
    lam: Any, shape: Any, dtype: Any = dtypes.float32, seed: int | None = None, name: str | None = None
) -> Tensor:
    """Numbers of Poisson distributions.

    Args:
        lam: the rates.
        shape: how many to draw for each rate, a vector of int32.
        dtype: float16, float32, float64, int32 or int64.
        seed: makes the stream repeatable, together with the graph's seed.
        name: a name for the operations.

    Returns a tensor of shape `shape` + `lam.shape`.
    """
    with name_scope(name, "random_poisson", [lam, shape]):
        shape = convert_to_tensor(shape, name="shape", dtype=dtypes.int32)
        seed1, seed2 = get_seed(seed)
        return RandomPoissonV2(shape, lam, dtype=dtype, seed=seed1, seed2=seed2)
