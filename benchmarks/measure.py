"""Measures how long a call takes: enough calls for a clock to see, several rounds, and all rounds' times."""

from __future__ import annotations

import time
from collections.abc import Callable


def seconds_per_call(call: Callable[[], object], rounds: int = 7, round_seconds: float = 0.15) -> list[float]:
    """The time of one call in each round, after warming up for at least a second (or three calls)."""
    warm_until = time.perf_counter() + 1.0
    calls = 0
    while calls < 3 or (time.perf_counter() < warm_until and calls < 20_000):
        call()
        calls += 1
    started = time.perf_counter()
    call()
    number = max(1, int(round_seconds / max(time.perf_counter() - started, 1e-7)))
    times = []
    for _ in range(rounds):
        started = time.perf_counter()
        for _ in range(number):
            call()
        times.append((time.perf_counter() - started) / number)
    return times
