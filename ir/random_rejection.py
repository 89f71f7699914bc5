"""Random numbers that take as many draws as it takes: truncated normal, gamma and Poisson.

In comes a state of the generator and the distribution's parameters, out comes an array. Each output (or group of
outputs) reads a part of the stream of its own, 256 blocks or words apart, so that no output depends on how often
another one was rejected. Layout and arithmetic follow TensorFlow's CPU kernels.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sessile.ir import philox
from sessile.ir.philox import State, Words
from sessile.ir.random_words import group_size, normal_from_words, uniform_from_words

RESERVED_PER_OUTPUT = 256
"""Words (truncated normal) or blocks (gamma, Poisson) between the starts of neighbouring outputs."""

TRUNCATION = 2.0
_CHUNK = 1 << 14

Float64s = NDArray[np.float64]


def truncated_normal(state: State, count: int, dtype: np.dtype) -> NDArray[Any]:
    """`count` standard normal numbers whose magnitude is below 2, [count].

    A group of outputs shares one part of the stream and takes the first numbers there that are small enough.
    """
    group = group_size(dtype)
    groups = -(-count // group)
    out = np.empty((groups, group), dtype)
    for start in range(0, groups, _CHUNK):
        chunk = np.arange(start, min(start + _CHUNK, groups))
        out[chunk] = _truncated_groups(state, chunk, dtype)
    return out.reshape(-1)[:count]


def _truncated_groups(state: State, groups: NDArray[np.int64], dtype: np.dtype) -> NDArray[Any]:
    group = group_size(dtype)
    first_block = groups.astype(np.uint64) * (group * RESERVED_PER_OUTPUT // 4)
    wide = np.dtype(np.float32) if dtype == np.float16 else dtype  # f16 is rounded after the comparison
    out = np.empty((len(groups), group), wide)
    filled = np.zeros(len(groups), np.int64)
    pending, block = np.arange(len(groups)), 0
    while pending.size:
        candidates = normal_from_words(philox.blocks_at(state, first_block[pending] + block), wide)
        for column in candidates.T:
            accepted = (np.abs(column) < TRUNCATION) & (filled[pending] < group)
            rows = pending[accepted]
            out[rows, filled[rows]] = column[accepted]
            filled[rows] += 1
        pending, block = pending[filled[pending] < group], block + 1
    return out.astype(dtype)


class _Substreams:
    """One stream per output; each `next_blocks` reads a further block of the chosen ones."""

    def __init__(self, state: State, outputs: int) -> None:
        self._state = state
        self._next = np.arange(outputs, dtype=np.uint64) * RESERVED_PER_OUTPUT

    def next_blocks(self, chosen: NDArray[np.int64]) -> Words:
        words = philox.blocks_at(self._state, self._next[chosen])
        self._next[chosen] += 1
        return words


class _Draws:
    """f64 numbers, made a block (two) at a time and handed out one by one, the last first."""

    def __init__(self, streams: _Substreams, outputs: int, make: Callable[[Words, np.dtype], Float64s]) -> None:
        self._streams, self._make = streams, make
        self._buffer = np.empty((outputs, 2))
        self._left = np.zeros(outputs, np.int64)

    def take(self, chosen: NDArray[np.int64]) -> Float64s:
        """The next number of each chosen output."""
        empty = chosen[self._left[chosen] == 0]
        if empty.size:
            self._buffer[empty] = self._make(self._streams.next_blocks(empty), np.dtype(np.float64))
            self._left[empty] = 2
        self._left[chosen] -= 1
        return self._buffer[chosen, self._left[chosen]]


def gamma(state: State, alphas: NDArray[Any], samples: int, dtype: np.dtype) -> NDArray[Any]:
    """`samples` gamma variates (scale 1) for each shape parameter, [samples, len(alphas)], computed in f64.

    The rejection method of Marsaglia and Tsang, "A simple method for generating gamma variables" (2000). For alpha
    below 1 a variate of alpha + 1 is multiplied by uniform ** (1 / alpha); for alpha 1 the distribution is
    exponential and inverted directly.
    """
    alpha = np.repeat(alphas.astype(np.float64), samples)
    streams = _Substreams(state, alpha.size)
    uniforms = _Draws(streams, alpha.size, uniform_from_words)
    exponential = np.flatnonzero(alpha == 1)
    out = np.empty(alpha.size)
    out[exponential] = -np.log1p(-uniforms.take(exponential))
    normals = _Draws(streams, alpha.size, normal_from_words)
    _gamma_by_rejection(normals, uniforms, alpha, np.flatnonzero(alpha != 1), out)
    rounded = out.astype(np.float32) if dtype == np.float16 else out  # f64 becomes f16 by way of f32
    return rounded.astype(dtype).reshape(alphas.size, samples).T


def _gamma_by_rejection(
    normals: _Draws, uniforms: _Draws, alpha: Float64s, pending: NDArray[np.int64], out: Float64s
) -> None:
    d = alpha + np.where(alpha < 1, 2.0 / 3, -1.0 / 3)
    with np.errstate(invalid="ignore"):
        c = 1.0 / 3 / np.sqrt(d)
    while pending.size:
        x = normals.take(pending)
        v = 1 + c[pending] * x
        usable = ~(v <= 0)  # a NaN goes on and comes out
        rows, x, v = pending[usable], x[usable], v[usable]
        v = v * v * v
        u = uniforms.take(rows)
        with np.errstate(divide="ignore", invalid="ignore"):  # log(0) is -inf, which accepts
            slow = np.log(u) < 0.5 * x * x + d[rows] * (1 - v + np.log(v))
        accepted = (u < 1 - 0.0331 * (x * x) * (x * x)) | slow
        done = rows[accepted]
        out[done] = d[done] * v[accepted]
        small = done[alpha[done] < 1]
        with np.errstate(divide="ignore"):  # alpha 0 gives 0
            out[small] *= np.power(uniforms.take(small), 1 / alpha[small])
        pending = np.concatenate([pending[~usable], rows[~accepted]])


def poisson(state: State, rates: NDArray[Any], samples: int, dtype: np.dtype) -> NDArray[Any]:
    """`samples` Poisson variates for each rate, [samples, len(rates)] of the given dtype.

    Rates below 10 multiply uniform numbers until the product falls to exp(-rate) (Knuth, TAOCP 2, 3.4.1); larger
    ones use Hormann's transformed rejection, "The transformed rejection method for generating Poisson random
    variables" (1993). Everything is computed in f64. A rate that is infinite or NaN is its own result.
    """
    rate = np.repeat(rates.astype(np.float64), samples)
    draws = _Draws(_Substreams(state, rate.size), rate.size, uniform_from_words)
    out = rate.copy()
    _poisson_by_products(draws, rate, np.flatnonzero(rate < 10), out)
    _poisson_by_rejection(draws, rate, np.flatnonzero((rate >= 10) & np.isfinite(rate)), out)
    return out.astype(dtype).reshape(rates.size, samples).T


def _poisson_by_products(draws: _Draws, rate: Float64s, pending: NDArray[np.int64], out: Float64s) -> None:
    with np.errstate(over="ignore"):  # a negative rate gives 0
        limit = np.exp(-rate)
    product, out[pending] = np.ones(rate.size), -1.0
    while pending.size:
        product[pending] *= draws.take(pending)
        out[pending] += 1
        pending = pending[~(product[pending] <= limit[pending])]


def _poisson_by_rejection(draws: _Draws, rate: Float64s, pending: NDArray[np.int64], out: Float64s) -> None:
    while pending.size:
        mean = rate[pending]
        b = 0.931 + 2.53 * np.sqrt(mean)
        a = -0.059 + 0.02483 * b
        u = draws.take(pending) - 0.5
        v = draws.take(pending)
        distance = 0.5 - np.abs(u)
        with np.errstate(divide="ignore", invalid="ignore"):
            k = np.floor((2 * a / distance + b) * u + mean + 0.43)
            inside = (distance >= 0.07) & (v <= 0.9277 - 3.6224 / (b - 2))
            hopeless = (k < 0) | ((distance < 0.013) & (v > distance))
            inverse_alpha = 1.1239 + 1.1328 / (b - 3.4)
            s = np.log(v * inverse_alpha / (a / (distance * distance) + b))
            accepted = inside | (~hopeless & (s <= -mean + k * np.log(mean) - _log_factorial(k)))
        out[pending[accepted]] = k[accepted]
        pending = pending[~accepted]


def _log_factorial(k: Float64s) -> Float64s:
    return np.array([math.lgamma(n + 1) if n >= 0 else math.inf for n in k.tolist()])
