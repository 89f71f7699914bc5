"""The work that is measured: plain numbers and arrays, the same for every peer."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Case:
    """One measurement: `kind` names what a peer must build, `size` how large; `floor` names a physical limit."""

    name: str
    kind: str
    size: int
    unit: str = "µs"
    floor: str = ""


CASES = {
    case.name: case
    for case in (
        Case("three-scalars", "three_scalars", 0),
        Case("ten-vectors", "ten_vectors", 10),
        Case("elementwise-1e3", "elementwise", 1_000),
        Case("elementwise-1e5", "elementwise", 100_000),
        Case("elementwise-1e7", "elementwise", 10_000_000, floor="copy"),
        Case("transcendental-1e5", "transcendental", 100_000),
        Case("softmax-1024x1000", "softmax", 1024),
        Case("matmul-512", "matmul", 512),
        Case("mlp-step", "mlp_step", 128),
        Case("convnet-step", "convnet_step", 64),
    )
}


def scalars() -> list[float]:
    """Three feeds."""
    return [1.5, 2.5, 3.5]


def vectors(size: int) -> list[np.ndarray]:
    """Ten feeds of `size` numbers."""
    return [np.arange(size, dtype=np.float32) + k for k in range(10)]


def pair(size: int) -> tuple[np.ndarray, np.ndarray]:
    """Two arrays for element-by-element work."""
    random = np.random.default_rng(0)
    return random.random(size, np.float32), random.random(size, np.float32)


def matrix(rows: int, columns: int) -> np.ndarray:
    """A matrix of normal numbers."""
    return np.random.default_rng(rows + columns).standard_normal((rows, columns)).astype(np.float32)


Parameters = list[tuple[np.ndarray, np.ndarray]]
"""Weights and biases, layer by layer."""

LAYERS = (784, 256, 128, 10)
TAPS = ((3, 3, 1, 32), (3, 3, 32, 64))
IMAGE = (8, 8, 1)


def mlp_data(batch: int) -> tuple[np.ndarray, np.ndarray, Parameters]:
    """Inputs, one-hot labels, and the initial weights and biases of a perceptron with two hidden layers."""
    return _uniform((batch, LAYERS[0]), 0.0, 1.0), _labels(batch), _parameters(itertools.pairwise(LAYERS))


def convnet_data(batch: int) -> tuple[np.ndarray, np.ndarray, Parameters]:
    """The same for two 3 by 3 convolutions, each followed by 2 by 2 pooling, and two dense layers."""
    flat = IMAGE[0] // 4 * (IMAGE[1] // 4) * TAPS[-1][-1]
    shapes = (*TAPS, (flat, 128), (128, LAYERS[-1]))
    return _uniform((batch, *IMAGE), 0.0, 1.0), _labels(batch), _parameters(shapes)


def _labels(batch: int) -> np.ndarray:
    return np.eye(LAYERS[-1], dtype=np.float32)[7 * np.arange(batch) % LAYERS[-1]]


def _parameters(shapes: Iterable[tuple[int, ...]]) -> Parameters:
    return [(_uniform(shape, -0.1, 0.1), np.zeros(shape[-1], np.float32)) for shape in shapes]


def _uniform(shape: tuple[int, ...], low: float, high: float) -> np.ndarray:
    """Multiples of the golden ratio, modulo one: spread evenly, and no time goes into importing a generator."""
    words = np.arange(math.prod(shape), dtype=np.uint32) * np.uint32(0x9E3779B9)
    return (words * np.float32((high - low) / 2**32) + np.float32(low)).astype(np.float32).reshape(shape)
