"""Blocks of the generator's words as arrays of uniform and normal numbers of a NumPy dtype.

In come words, uint32[n, 4]; out comes an array [n, group], where the group is what one block yields: four numbers
of up to 32 bits or two of 64 bits.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from sessile.ir.bit_arithmetic import NUMPY
from sessile.ir.philox import Words
from sessile.ir.random_transforms import normal_pair_f32, normal_pair_f64, unit_f16, unit_f32, unit_f64


def group_size(dtype: np.dtype) -> int:
    """How many numbers of a dtype one block yields."""
    return 2 if dtype.itemsize == 8 else 4


def uniform_from_words(words: Words, dtype: np.dtype) -> NDArray[Any]:
    """Numbers in [0, 1). Raises TypeError for a dtype that is not f16, f32 or f64."""
    if dtype == np.float64:
        return unit_f64(NUMPY, words[:, 0::2], words[:, 1::2])
    if dtype == np.float32:
        return unit_f32(NUMPY, words)
    _require_float(dtype)
    return unit_f16(NUMPY, words).astype(np.float16)


def normal_from_words(words: Words, dtype: np.dtype) -> NDArray[Any]:
    """Standard normal numbers. Raises TypeError for a dtype that is not f16, f32 or f64."""
    if dtype == np.float64:
        return np.stack(normal_pair_f64(NUMPY, *words.T), axis=-1)
    _require_float(dtype)
    pairs = normal_pair_f32(NUMPY, words[:, 0::2], words[:, 1::2])
    return np.stack(pairs, axis=-1).reshape(-1, 4).astype(dtype)


def integers_from_words(words: Words, dtype: np.dtype) -> NDArray[Any]:
    """All bits of the words as integers of 32 or 64 bits, the first word of a pair below."""
    if dtype.itemsize == 8:
        return (words[:, 0::2] | words[:, 1::2].astype(np.uint64) << 32).view(dtype)
    return words.view(dtype)


def _require_float(dtype: np.dtype) -> None:
    if dtype not in (np.float16, np.float32):
        raise TypeError(f"random numbers are f16, f32 or f64, not {dtype}")
