"""Philox 4x32-10, the counter-based generator behind every random operation.

A block of four 32-bit words is a pure function of a 128-bit counter and a 64-bit key, so that any part of a stream
can be computed by itself. In comes a state, uint64[3] = (counter low, counter high, key); out come blocks of words,
or a state moved along its stream. Kernels read the same three numbers through a `*u64` argument.

The generator is that of Salmon, Moraes, Dror and Shaw, "Parallel random numbers: as easy as 1, 2, 3" (SC 2011).
How seeds become states follows TensorFlow's CPU kernels.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from sessile.ir.bit_arithmetic import NUMPY, Arithmetic

if TYPE_CHECKING:
    from numpy.typing import NDArray

MULTIPLIERS = (0xD2511F53, 0xCD9E8D57)
KEY_INCREMENTS = (0x9E3779B9, 0xBB67AE85)
ROUNDS = 10

State: TypeAlias = "NDArray[np.uint64]"
Words: TypeAlias = "NDArray[np.uint32]"

_LOW = 0xFFFFFFFF
_MASK_64 = (1 << 64) - 1
_MASK_128 = (1 << 128) - 1
_STATELESS_KEY = 0x02461E293EC8F720
_CHUNK = 1 << 13  # blocks computed at once: the temporaries then stay in the second-level cache


def initial_state(seed: int, seed2: int) -> State:
    """The state in which a stateful random operation starts in a new session.

    Arguments: the operation's attributes `seed` and `seed2` (int64). When both are 0 the state comes from the
    operating system's entropy: that is what an operation without seeds asks for.
    Returns uint64[3]: the counter starts at `seed2 << 64`, the key is `seed`.
    """
    if seed == 0 and seed2 == 0:
        seed, seed2 = (int.from_bytes(os.urandom(8), "little") for _ in range(2))
    return np.array([0, seed2 & _MASK_64, seed & _MASK_64], np.uint64)


def stateless_state(seed: Sequence[int] | NDArray[np.integer]) -> State:
    """The state that a stateless random operation derives from its seed tensor.

    Arguments: `seed`, two integers (int32 or int64). One block of the generator mixes them, so that neither half
    of the seed needs to be well spread. Returns uint64[3]. Raises ValueError if there are not two.
    """
    if len(seed) != 2:
        raise ValueError(f"the seed of a stateless operation has shape [2], not [{len(seed)}]")
    low, high = (int(part) & _MASK_64 for part in seed)
    words = [int(word) for word in blocks(np.array([low, high, _STATELESS_KEY], np.uint64), 1)[0]]
    return np.array([0, words[2] | words[3] << 32, words[0] | words[1] << 32], np.uint64)


def advance(state: State, count: int) -> State:
    """The state `count` blocks further on: the 128-bit counter grows by `count`, the key stays."""
    counter = (int(state[0]) + (int(state[1]) << 64) + count) & _MASK_128
    return np.array([counter & _MASK_64, counter >> 64, state[2]], np.uint64)


def blocks(state: State, count: int) -> Words:
    """The next `count` blocks of the stream, uint32[count, 4]."""
    words = np.empty((count, 4), np.uint32)
    for start in range(0, count, _CHUNK):
        stop = min(start + _CHUNK, count)
        words[start:stop] = blocks_at(state, np.arange(start, stop, dtype=np.uint64))
    return words


def blocks_at(state: State, offsets: NDArray[np.uint64]) -> Words:
    """The blocks that lie `offsets` (uint64[n]) blocks after the state, uint32[n, 4]."""
    low = state[0] + offsets
    high = state[1] + (low < offsets)  # the carry of the 128-bit sum
    counter = (low, low >> 32, high, high >> 32)
    words = philox_rounds(NUMPY, counter, int(state[2]) & _LOW, int(state[2]) >> 32)
    return np.stack(words, axis=-1).astype(np.uint32)


def philox_rounds(arithmetic: Arithmetic, counter: tuple[Any, Any, Any, Any], key0: Any, key1: Any) -> Sequence[Any]:
    """Ten rounds of Philox 4x32.

    Arguments: the four words of the counter and the two of the key, each in the low half of a 64-bit integer whose
    upper half may hold anything. Returns four 64-bit integers with the words of the block in their low halves.
    """
    c0, c1, c2, c3 = counter
    for _ in range(ROUNDS):
        product0 = (c0 & _LOW) * MULTIPLIERS[0]
        product1 = (c2 & _LOW) * MULTIPLIERS[1]
        c0, c1 = arithmetic.shift_right_unsigned(product1, 32) ^ c1 ^ key0, product1
        c2, c3 = arithmetic.shift_right_unsigned(product0, 32) ^ c3 ^ key1, product0
        key0, key1 = key0 + KEY_INCREMENTS[0], key1 + KEY_INCREMENTS[1]
    return c0, c1, c2, c3
