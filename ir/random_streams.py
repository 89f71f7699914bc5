"""The streams of random operations: what one execution returns and where it leaves the generator.

`draw(kind, state, shape, dtype, ...)` is what the interpreter calls: it returns the samples and the state for the
next execution of the same operation in the same session. The samples are those of TensorFlow's CPU kernels for the
same seeds, and as many blocks are set aside, so that a second run continues where TensorFlow's would.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from sessile.ir import philox, random_rejection
from sessile.ir.philox import State, Words, advance, initial_state, stateless_state
from sessile.ir.random_words import group_size, integers_from_words, normal_from_words, uniform_from_words

__all__ = [
    "DISTRIBUTIONS",
    "State",
    "advance",
    "categorical",
    "draw",
    "gamma",
    "initial_state",
    "normal",
    "parameters_of",
    "poisson",
    "reserved_blocks",
    "shuffle",
    "stateless_state",
    "truncated_normal",
    "uniform",
    "uniform_full_int",
    "uniform_int",
]

Shape = Sequence[int]

_BLOCKS_PER_OUTPUT = 256
_CHUNK = 1 << 13


def draw(kind: str, state: State, shape: Shape, dtype: Any, **parameters: Any) -> tuple[NDArray[Any], State]:
    """One execution of a random operation.

    Arguments:
        kind: a key of `DISTRIBUTIONS`.
        state: uint64[3], from `initial_state`, `stateless_state` or the draw before.
        shape: the shape of the samples; for `gamma` and `poisson` that of the samples per parameter, for `shuffle`
            that of the value to be shuffled, for `categorical` (batch, samples).
        dtype: of the samples.
        parameters: the distribution's own (see its function).
    Returns the samples and the state after them; the given state is not changed.
    Raises KeyError for an unknown kind, TypeError for a dtype or ValueError for parameters that it does not take.
    """
    samples = DISTRIBUTIONS[kind](state, shape, np.dtype(dtype), **parameters)
    return samples, advance(state, reserved_blocks(kind, shape, samples.size))


# The names of a distribution's parameters, in the order of a primitive's operands.
_PARAMETERS = {
    "uniform_int": ("minval", "maxval"),
    "categorical": ("logits",),
    "gamma": ("alpha",),
    "poisson": ("rate",),
}


def parameters_of(kind: str, operands: Sequence[ArrayLike]) -> dict[str, Any]:
    """The operands of a primitive as the parameters of its distribution, by name."""
    values = (operand.item() if operand.ndim == 0 else operand for operand in map(np.asarray, operands))
    return dict(zip(_PARAMETERS.get(kind, ()), values, strict=True))


def reserved_blocks(kind: str, shape: Shape, outputs: int) -> int:
    """How many blocks an execution with so many outputs sets aside, whether it uses them or not."""
    if kind == "shuffle":
        return -(-(shape[0] - 1) // 4) if math.prod(shape) > 1 else 0
    if kind == "categorical":
        # two words for each f64 that picks a class, each row's rounded up to whole blocks
        outputs = math.prod(shape[:-1]) * (-(-shape[-1] // 4) * 4) * 2
    return outputs * _BLOCKS_PER_OUTPUT


def uniform(state: State, shape: Shape, dtype: np.dtype) -> NDArray[Any]:
    """Numbers in [0, 1): f16, f32 or f64."""
    return _filled(state, shape, dtype, uniform_from_words)


def uniform_int(state: State, shape: Shape, dtype: np.dtype, *, minval: int, maxval: int) -> NDArray[Any]:
    """Integers in [minval, maxval), int32 or int64: random bits modulo the width of the interval.

    Raises ValueError unless minval < maxval.
    """
    if not minval < maxval:
        raise ValueError(f"Need minval < maxval, got {minval} >= {maxval}")
    unsigned = np.dtype(f"u{dtype.itemsize}")
    bits = _filled(state, shape, unsigned, integers_from_words)
    bits %= unsigned.type(int(maxval) - int(minval))
    bits += unsigned.type(int(minval) & int(np.iinfo(unsigned).max))
    return bits.view(dtype)


def uniform_full_int(state: State, shape: Shape, dtype: np.dtype) -> NDArray[Any]:
    """Integers that take every value of their dtype: int32, int64, uint32 or uint64."""
    return _filled(state, shape, dtype, integers_from_words)


def normal(state: State, shape: Shape, dtype: np.dtype) -> NDArray[Any]:
    """Standard normal numbers: f16, f32 or f64."""
    return _filled(state, shape, dtype, normal_from_words)


def truncated_normal(state: State, shape: Shape, dtype: np.dtype) -> NDArray[Any]:
    """Standard normal numbers, drawn again while their magnitude is 2 or more: f16, f32 or f64."""
    return random_rejection.truncated_normal(state, math.prod(shape), dtype).reshape(shape)


def shuffle(state: State, shape: Shape, dtype: np.dtype) -> NDArray[Any]:
    """A permutation p of the rows of a value of the given shape, [shape[0]]: the shuffled value is value[p].

    Fisher-Yates from the front, one word modulo the number of rows left for each swap. A value with at most one
    row or element stays as it is.
    """
    rows = shape[0]
    order = list(range(rows))
    if rows > 1 and math.prod(shape) > 1:
        words = philox.blocks(state, -(-(rows - 1) // 4)).reshape(-1)[: rows - 1]
        left = np.arange(rows, 1, -1)
        for i, step in enumerate((words % left).tolist()):
            order[i], order[i + step] = order[i + step], order[i]
    return np.array(order, dtype)


def categorical(state: State, shape: Shape, dtype: np.dtype, *, logits: ArrayLike) -> NDArray[Any]:
    """Classes drawn by unnormalised log-probabilities `logits` [batch, classes]; shape is (batch, samples).

    An f64 uniform number picks from the cumulative sum of exp(logits - max); logits that are not finite are never
    drawn. TensorFlow deals out the stream by shards of the batch when it uses several threads; this is the result
    of one thread. Raises ValueError if there are no classes.
    """
    scores = np.asarray(logits).astype(np.float64)
    if scores.shape[1] == 0:
        raise ValueError("num_classes should be positive, got 0")
    finite = np.isfinite(scores)
    top = np.max(scores, axis=1, where=finite, initial=-np.inf, keepdims=True)
    weights = np.where(finite, np.exp(np.where(finite, scores - np.where(np.isfinite(top), top, 0), 0)), 0)
    sums = np.cumsum(weights, axis=1)
    picks = _filled(state, shape, np.dtype(np.float64), uniform_from_words) * sums[:, -1:]
    rows = [np.searchsorted(row, pick, side="right") for row, pick in zip(sums, picks, strict=True)]
    return np.array(rows, dtype).reshape(shape)


def gamma(state: State, shape: Shape, dtype: np.dtype, *, alpha: ArrayLike) -> NDArray[Any]:
    """Gamma variates of scale 1 for each of the shape parameters `alpha`: shape + alpha.shape, f16, f32 or f64."""
    alphas = np.asarray(alpha)
    samples = random_rejection.gamma(state, alphas.reshape(-1), math.prod(shape), dtype)
    return samples.reshape((*shape, *alphas.shape))


def poisson(state: State, shape: Shape, dtype: np.dtype, *, rate: ArrayLike) -> NDArray[Any]:
    """Poisson variates for each of the rates: shape + rate.shape, of any real dtype."""
    rates = np.asarray(rate)
    samples = random_rejection.poisson(state, rates.reshape(-1), math.prod(shape), dtype)
    return samples.reshape((*shape, *rates.shape))


DISTRIBUTIONS: dict[str, Callable[..., NDArray[Any]]] = {
    "uniform": uniform,
    "uniform_int": uniform_int,
    "uniform_full_int": uniform_full_int,
    "normal": normal,
    "truncated_normal": truncated_normal,
    "shuffle": shuffle,
    "categorical": categorical,
    "gamma": gamma,
    "poisson": poisson,
}


def _filled(
    state: State, shape: Shape, dtype: np.dtype, make: Callable[[Words, np.dtype], NDArray[Any]]
) -> NDArray[Any]:
    """An array whose elements are made in order, one block of words for each group of them."""
    count = math.prod(shape)
    blocks = -(-count // group_size(dtype))
    out = np.empty((blocks, group_size(dtype)), dtype)
    for start in range(0, blocks, _CHUNK):
        stop = min(start + _CHUNK, blocks)
        out[start:stop] = make(philox.blocks(advance(state, start), stop - start), dtype)
    return out.reshape(-1)[:count].reshape(shape)
