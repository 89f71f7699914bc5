"""A session's variables: arrays by the name of the variable's operation.

Values are kept in place: a native program updates the array itself. What leaves the session is a copy.
"""

from __future__ import annotations

import threading

import numpy as np


class VariableStore:
    """The values of a session's variables; one without an entry is uninitialised."""

    def __init__(self) -> None:
        self._values: dict[str, np.ndarray] = {}
        self.lock = threading.RLock()

    def shape_of(self, name: str) -> tuple[int, ...] | None:
        """The shape of a value, or None while there is none."""
        value = self._values.get(name)
        return None if value is None else value.shape

    def is_initialized(self, name: str) -> bool:
        """Whether the variable has a value."""
        return name in self._values

    def value(self, name: str) -> np.ndarray:
        """The variable's own array; KeyError while it has no value."""
        return self._values[name]

    def assign(self, name: str, value: np.ndarray) -> None:
        """Gives the variable a new value, in place where the old one has the same shape and type."""
        held = self._values.get(name)
        if held is not None and held.shape == value.shape and held.dtype == value.dtype:
            held[...] = value
        else:
            self._values[name] = np.array(value, order="C")

    def names(self) -> list[str]:
        """The names of the variables that have a value."""
        return list(self._values)

    def clear(self) -> None:
        """Forgets all values."""
        self._values.clear()
