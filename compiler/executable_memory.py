"""The memory of one executable: an arena for what kernels compute, room for small feeds, and where everything is now.

In: the memory plan of a program and the sizes of a binding. Out: for each home its address, for each value its array.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Mapping

import numpy as np

from sessile.compiler.memory_plan import (
    ALIGNMENT,
    LARGE_RESULT_BYTES,
    ConstantArray,
    Dynamic,
    Home,
    Parameter,
    SizeArray,
    Slot,
    Variable,
    byte_size,
)
from sessile.compiler.native_program import NativeProgram
from sessile.compiler.result_memory import result_memory
from sessile.compiler.session_state import SessionState
from sessile.ir.program import Value
from sessile.ir.sizes import evaluate, symbols_of
from sessile.ir.types import NUMPY_DTYPES

SMALL_FEED_BYTES = 1 << 14
STATUS_WORDS = 8


Allocate = Callable[[tuple[int, ...], np.dtype], tuple[np.ndarray, int]]


class ExecutableMemory:
    """The memory of one executable.

    Args:
      native: the program.
      known: the sizes that are known before a run.
      state: the session's.
      arena: memory to use for the arena, if it is large enough.

    Attributes:
      bindings: all sizes that are known now; a run adds those that its data decide.
      arena: the memory that values share.
      slots: the address of each slot.
      status: the words into which kernels write what went wrong.
      feeds: for each parameter the array that small feeds are copied to; None where the caller's array is pointed at.
      arrays: where values are that have no fixed place.
    """

    def __init__(
        self, native: NativeProgram, known: Mapping[str, int], state: SessionState, arena: np.ndarray | None = None
    ) -> None:
        self.native = native
        self.known = dict(known)
        self.bindings = self.known
        self.status = np.zeros(STATUS_WORDS, np.int64)
        self.arrays: dict[Home, np.ndarray] = {}
        self._state = state
        self._forms: dict[Dynamic, tuple[Allocate, tuple[int, ...], np.dtype]] = {}
        self._workspaces = [aligned_bytes(0)]
        self._place_slots(arena)
        self._place_feeds()
        self._late_sizes = [home for home in native.size_arrays if not symbols_of_home(home) <= known.keys()]
        for home in native.size_arrays:
            if home not in self._late_sizes:
                self.arrays[home] = self._sizes(home)

    def _place_slots(self, arena: np.ndarray | None) -> None:
        sizes = -(-self.native.slot_bytes(self.known) // ALIGNMENT) * ALIGNMENT
        needed = int(sizes.sum())
        if arena is None or arena.nbytes < needed:
            arena = aligned_bytes(needed)
        self.arena = arena
        self._slot_offsets = np.cumsum(sizes) - sizes
        self.slots = self._slot_offsets + arena.ctypes.data

    def _place_feeds(self) -> None:
        self.feeds: list[np.ndarray | None] = []
        for instruction in self.native.parameters:
            type = instruction.result.type
            view = None
            if byte_size(type, self.known) <= SMALL_FEED_BYTES and type.dtype != "string":
                view = np.zeros(type.bound(self.known), NUMPY_DTYPES[type.dtype])
                self.arrays[Parameter(instruction.attributes["name"])] = view
            self.feeds.append(view)

    def _sizes(self, home: SizeArray) -> np.ndarray:
        numbers = [evaluate(size, self.bindings) for size in home.sizes]
        return np.array(numbers, NUMPY_DTYPES[home.type.dtype]).reshape(home.type.bound(self.bindings))

    # --- addresses

    def address(self, home: Home) -> int:
        """Where a home that is neither a slot, a constant nor a variable is now; 0 for one that has no memory yet."""
        if isinstance(home, SizeArray) and home not in self.arrays:
            self.arrays[home] = self._sizes(home)
        array = self.arrays.get(home)
        return 0 if array is None else array.ctypes.data

    def workspace(self, needed: int) -> int:
        """The address of scratch memory of at least `needed` bytes, which stages use one after the other."""
        if self._workspaces[-1].nbytes < needed:
            self._workspaces.append(aligned_bytes(needed))  # a stage may still use the smaller one
        return self._workspaces[-1].ctypes.data

    # --- arrays

    def array(self, value: Value, home: Home | None = None) -> np.ndarray:
        """The value's elements, in the place where they are now; in another home than its own if one is given."""
        home = home or self.native.plan.homes[value]
        shape = value.type.bound(self.bindings)
        match home:
            case Slot(index):
                offset = int(self._slot_offsets[index])
                return np.ndarray(shape, NUMPY_DTYPES[value.type.dtype], self.arena.data, offset)
            case Variable(name):
                held = self._state.value(name)
            case ConstantArray(array):
                held = array
            case SizeArray() if home not in self.arrays:
                held = self._sizes(home)
            case _:
                held = self.arrays[home]
        return held if held.shape == shape else held.reshape(shape)

    def new_array(self, home: Dynamic) -> tuple[np.ndarray, int]:
        """Memory for what a native stage computes in this run, and its address."""
        found = self._forms.get(home)
        if found is None:
            assert home.type is not None
            dtype = NUMPY_DTYPES[home.type.dtype]
            is_large = byte_size(home.type, self.bindings) >= LARGE_RESULT_BYTES
            found = result_memory.new_array if is_large else _new_small_array, home.type.bound(self.bindings), dtype
            if home.type.symbols() <= self.known.keys():  # the same in every run
                self._forms[home] = found
        allocate, shape, dtype = found
        return allocate(shape, dtype)

    def forget_run(self) -> None:
        """Forgets the sizes that the last run's data decided, and what held them."""
        self.bindings = dict(self.known)
        for home in self._late_sizes:
            self.arrays.pop(home, None)


def address_of(array: np.ndarray) -> int:
    """Where a contiguous array begins: `array.ctypes.data`, in a third of its time."""
    try:
        return ctypes.addressof(ctypes.c_char.from_buffer(array.data))
    except (TypeError, ValueError):  # read-only, empty, or of objects
        return array.ctypes.data


def _new_small_array(shape: tuple[int, ...], dtype: np.dtype) -> tuple[np.ndarray, int]:
    array = np.empty(shape, dtype)
    return array, address_of(array)


def aligned_bytes(size: int) -> np.ndarray:
    """So many bytes that begin at a cache line."""
    raw = np.empty(size + ALIGNMENT, np.uint8)
    start = -raw.ctypes.data % ALIGNMENT
    return raw[start : start + size]


def symbols_of_home(home: SizeArray) -> set[str]:
    """The unknown sizes that an array of sizes holds."""
    return {name for size in home.sizes for name in symbols_of(size)}
