"""Measures how long something takes: percentiles of the time of single calls."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

PERCENTILES = (50, 90, 99)


@dataclass(frozen=True)
class Latencies:
    """The times of calls, in seconds, in the order in which they ran."""

    seconds: np.ndarray

    @staticmethod
    def joined(parts: Sequence[Latencies]) -> Latencies:
        """The times of several measurements, one after the other."""
        return Latencies(np.concatenate([part.seconds for part in parts]))

    def summary(self) -> dict[str, float]:
        """Milliseconds: least, percentiles, mean, greatest; and the calls per second."""
        milliseconds = 1000 * self.seconds
        numbers = {"min": float(milliseconds.min())}
        numbers |= {f"p{p}": float(np.percentile(milliseconds, p)) for p in PERCENTILES}
        numbers |= {"mean": float(milliseconds.mean()), "max": float(milliseconds.max())}
        return numbers

    @property
    def per_second(self) -> float:
        """How many calls a second has room for, one after the other."""
        return len(self.seconds) / float(self.seconds.sum())


def measure(call: Callable[[], object], repeat: int) -> Latencies:
    """The times of `repeat` calls."""
    return Latencies(np.array([timed(call) for _ in range(repeat)]))


def timed(call: Callable[[], object]) -> float:
    """The seconds that one call takes."""
    started = time.perf_counter()
    call()
    return time.perf_counter() - started


def milliseconds_text(milliseconds: float) -> str:
    """A time as people read it, with three digits: `12.3 µs`, `4.56 ms`, `1.2 s`."""
    for limit, unit, factor in ((1.0, "µs", 1000.0), (1000.0, "ms", 1.0)):
        if milliseconds < limit:
            return f"{milliseconds * factor:.3g} {unit}"
    return f"{milliseconds / 1000:.3g} s"
