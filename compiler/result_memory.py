"""Memory for large results: taken from a pool, and given back when the caller's array dies.

A fresh array of some megabytes costs more in page faults than in arithmetic. Memory that a caller has let go of, with
all views of it, serves the next result of its size.
"""

from __future__ import annotations

import ctypes
import functools
import math
import weakref
from typing import Any

import numpy as np

ALIGNMENT = 64
# How much memory may wait for another use, in bytes, and how many blocks of one size.
IDLE_LIMIT = 1 << 30
IDLE_BLOCKS = 4


class ResultMemory:
    """A pool of blocks by size. Taking and giving back are safe from several threads: lists change by single steps."""

    def __init__(self) -> None:
        self._idle: dict[int, list[np.ndarray]] = {}
        self._idle_bytes = 0
        self._lent: dict[int, tuple[weakref.ref[Any], np.ndarray]] = {}

    def new_array(self, shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
        """An array with arbitrary contents, whose memory comes back when it and all views of it are gone."""
        size = math.prod(shape) * dtype.itemsize
        block = self._take(size)
        holder = _holder_type(size).from_buffer(block)
        key = id(holder)
        self._lent[key] = (weakref.ref(holder, functools.partial(self._give_back, key)), block)
        return np.frombuffer(holder, dtype).reshape(shape)

    def _take(self, size: int) -> np.ndarray:
        idle = self._idle.get(size)
        try:
            block = idle.pop() if idle else None
        except IndexError:
            block = None
        if block is not None:
            self._idle_bytes -= size
            return block
        raw = np.empty(size + ALIGNMENT, np.uint8)
        start = -raw.ctypes.data % ALIGNMENT
        return raw[start : start + size]

    def _give_back(self, key: int, _: Any) -> None:
        block = self._lent.pop(key)[1]
        idle = self._idle.setdefault(block.nbytes, [])
        if len(idle) < IDLE_BLOCKS and self._idle_bytes + block.nbytes <= IDLE_LIMIT:
            self._idle_bytes += block.nbytes
            idle.append(block)


@functools.lru_cache(maxsize=256)
def _holder_type(size: int) -> Any:
    return ctypes.c_char * size


result_memory = ResultMemory()
"""The pool of this process."""
