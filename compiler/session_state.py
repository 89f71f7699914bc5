"""What an executable needs of the session that it runs in, and of whoever watches a run."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from sessile.ir.program import Instruction


class SessionState(Protocol):
    """The variables and random streams of a session.

    `generation` grows when an array takes the place of another; addresses from before are then old.
    """

    lock: AbstractContextManager[Any]
    generation: int

    def is_initialized(self, name: str) -> bool: ...
    def value(self, name: str) -> np.ndarray: ...
    def address(self, name: str) -> int: ...
    def assign(self, name: str, value: np.ndarray) -> None: ...
    def stream_state(self, stream: str, seed: int, seed2: int) -> np.ndarray: ...


class RunObserver(Protocol):
    """Who watches a run: `traces` asks for the times of all kernels."""

    traces: bool

    def will_run(self, instruction: Instruction) -> None: ...
    def ran(self, instruction: Instruction, started: int, ended: int, outputs: Sequence[np.ndarray]) -> None: ...


class StaleBinding(Exception):
    """A variable, which is named, has another type than an executable was made for: the call must be bound anew."""
