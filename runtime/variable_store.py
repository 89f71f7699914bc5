"""What a session keeps between runs: the values of variables and the states of random streams.

Variables are arrays by the name of the variable's operation, kept in place: a native program updates the array itself,
and what leaves the session is a copy. `generation` grows whenever an array takes the place of another, so that whoever
holds addresses knows that they are old.
"""

from __future__ import annotations

import threading
from contextlib import AbstractContextManager
from typing import Any

import numpy as np

from sessile.ir.philox import initial_state
from sessile.ir.types import TensorType, element_type_of
from sessile.runtime.fork_safety import renew_locks_in_children


class VariableStore:
    """The state of a session; a variable without an entry is uninitialised."""

    def __init__(self) -> None:
        self._values: dict[str, np.ndarray] = {}
        self._addresses: dict[str, int] = {}
        self._streams: dict[str, np.ndarray] = {}
        self.lock: AbstractContextManager[Any]
        self.generation = 0
        renew_locks_in_children(self)

    def renew_locks(self) -> None:
        """See `fork_safety`."""
        self.lock = threading.RLock()

    def shape_of(self, name: str) -> tuple[int, ...] | None:
        """The shape of a value, or None while there is none."""
        value = self._values.get(name)
        return None if value is None else value.shape

    def type_of(self, name: str) -> TensorType:
        """The type of a value; KeyError while there is none."""
        value = self._values[name]
        return TensorType(element_type_of(value.dtype), value.shape)

    def is_initialized(self, name: str) -> bool:
        """Whether the variable has a value."""
        return name in self._values

    def value(self, name: str) -> np.ndarray:
        """The variable's own array; KeyError while it has no value."""
        return self._values[name]

    def address(self, name: str) -> int:
        """Where the variable's own array begins in memory; KeyError while it has no value."""
        return self._addresses[name]

    def assign(self, name: str, value: np.ndarray) -> None:
        """Gives the variable a new value, in place where the old one has the same shape and type."""
        held = self._values.get(name)
        if held is not None and held.shape == value.shape and held.dtype == value.dtype:
            held[...] = value
        else:
            array = self._values[name] = np.array(value, order="C")
            self._addresses[name] = array.ctypes.data
            self.generation += 1

    def stream_state(self, stream: str, seed: int, seed2: int) -> np.ndarray:
        """The state of an operation's random stream, uint64[3], to be advanced in place."""
        state = self._streams.get(stream)
        if state is None:
            state = self._streams[stream] = initial_state(seed, seed2)
        return state

    def names(self) -> list[str]:
        """The names of the variables that have a value."""
        return list(self._values)

    def clear(self) -> None:
        """Forgets all values, once no run needs them any more."""
        with self.lock:
            self._values.clear()
            self._addresses.clear()
            self._streams.clear()
            self.generation += 1
