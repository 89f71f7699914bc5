"""Memory for large results, used again once the caller's array is gone.

A fresh array of some megabytes costs more in page faults than in arithmetic. The pool remembers the blocks that it has
handed out; one that nobody refers to any more, neither by the array nor by a view of it, serves the next result of its
shape and type.
"""

from __future__ import annotations

import math
from collections import deque
from sys import getrefcount

import numpy as np

ALIGNMENT = 64
# What the pool remembers at most, in bytes, and how many blocks of one shape and type.
REMEMBERED_BYTES = 1 << 30
REMEMBERED_BLOCKS = 4

Form = tuple[tuple[int, ...], np.dtype]


class _Block:
    """Memory for arrays of one form. All of them, and all views of them, refer to the array that owns the memory."""

    __slots__ = ("_idle_references", "_owner", "_whole", "address")

    def __init__(self, shape: tuple[int, ...], dtype: np.dtype) -> None:
        size = math.prod(shape) * dtype.itemsize
        self._owner = np.empty(size + ALIGNMENT, np.uint8)
        start = -self._owner.ctypes.data % ALIGNMENT
        self._whole = self._owner[start : start + size].view(dtype).reshape(shape)
        self.address: int = self._whole.ctypes.data
        self._idle_references = getrefcount(self._owner)

    def is_idle(self) -> bool:
        return getrefcount(self._owner) == self._idle_references

    def array(self) -> np.ndarray:
        return self._whole.view()


class ResultMemory:
    """A pool of blocks by form. Safe to use from several threads: whoever looks at a block has taken it out before."""

    def __init__(self) -> None:
        self._blocks: dict[Form, deque[_Block]] = {}

    def new_array(self, shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.ndarray, int]:
        """An array with arbitrary contents, and its address."""
        blocks = self._blocks.get((shape, dtype))
        if blocks is None:
            blocks = self._blocks.setdefault((shape, dtype), deque())
        for _ in range(len(blocks)):
            try:
                block = blocks.pop()  # the one that was used last may still be in a cache
            except IndexError:  # other threads look at the others
                break
            if block.is_idle():
                array = block.array()
                blocks.append(block)
                return array, block.address
            blocks.appendleft(block)
        return self._from_new_block(blocks, shape, dtype)

    def _from_new_block(self, blocks: deque[_Block], shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.ndarray, int]:
        block = _Block(shape, dtype)
        array = block.array()
        self._forget_for(array.nbytes)
        if len(blocks) >= REMEMBERED_BLOCKS:
            blocks.popleft()  # its memory goes with the last array that uses it
        if array.nbytes <= REMEMBERED_BYTES:
            blocks.append(block)
        return array, block.address

    def _forget_for(self, needed: int) -> None:
        """Forgets blocks of the forms that were met first, until there is room for so many bytes more."""
        remembered = {
            form: len(blocks) * math.prod(form[0]) * form[1].itemsize for form, blocks in self._blocks.items()
        }
        excess = sum(remembered.values()) + needed - REMEMBERED_BYTES
        for form, size in remembered.items():
            if excess <= 0:
                break
            self._blocks.pop(form, None)
            excess -= size


result_memory = ResultMemory()
"""The pool of this process."""
