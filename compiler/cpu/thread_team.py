"""Teams of threads that share the parts of a kernel.

A worker is a Python thread that stays inside a native function, without Python's lock: it looks for work for a moment
and then sleeps. The caller of a program does its own share of each step and everything that nobody else took, so
a program never waits for a thread that sleeps or is missing. `team_code` describes how shares are handed out.
"""

from __future__ import annotations

import atexit
import ctypes
import os
import threading

from sessile.compiler.cpu.step_loop import aligned_words, native_loop
from sessile.compiler.cpu.team_code import STOP, TEAM_WORDS

_JOIN_SECONDS = 1.0


class Team:
    """A caller and its workers.

    Programs name a team by its address; several may run at once, and one that finds the workers busy does without.
    The workers start with the first `ensure_started` and live until `stop` or the end of the process. A process made
    by `fork` has none of them until it calls `ensure_started` itself; its programs run all the same.

    Args:
      size: number of threads including the caller, at least 1.
    """

    def __init__(self, size: int) -> None:
        if size < 1:
            raise ValueError(f"a team has at least one thread, not {size}")
        self.size = size
        self._block = aligned_words(TEAM_WORDS)
        # Never freed: a worker may still look at it while the interpreter ends.
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._block))
        self.address: int = self._block.ctypes.data
        self._workers: list[threading.Thread] = []
        self._start_lock = threading.Lock()
        self._started = False

    def ensure_started(self) -> None:
        """Start the workers unless they run already; cheap enough to call before each program."""
        if not self._started:
            with self._start_lock:
                if not self._started:
                    self._start()

    def _start(self) -> None:
        # Nothing but this: a program may be using the team without workers just now.
        self._block[STOP] = 0
        work = native_loop().team_worker
        for number in range(1, self.size):
            worker = threading.Thread(
                target=work, args=(self.address, number), name=f"sessile-worker-{number}", daemon=True
            )
            worker.start()
            self._workers.append(worker)
        self._started = True
        _started_teams.add(self)

    def stop(self) -> None:
        """End the workers once they are idle; programs that name the team then run on their callers alone."""
        with self._start_lock:
            if self._started:
                native_loop().stop_team(self.address)
                for worker in self._workers:
                    worker.join(_JOIN_SECONDS)
                self._workers.clear()
                self._started = False
                _started_teams.discard(self)

    def _forget_workers(self) -> None:
        """In the child of a fork: the workers are gone, and with them whatever they or the caller had begun."""
        self._start_lock = threading.Lock()
        self._workers = []
        self._started = False
        self._block[:] = 0


_started_teams: set[Team] = set()
_shared_teams: dict[int, Team] = {}


def shared_team(size: int) -> Team:
    """The team of this size that all programs of the process share."""
    return _shared_teams.get(size) or _shared_teams.setdefault(size, Team(size))


@atexit.register
def _stop_all() -> None:
    for team in list(_started_teams):
        team.stop()


def _forget_all_workers() -> None:
    for team in _started_teams.union(_shared_teams.values()):
        team._forget_workers()
    _started_teams.clear()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_all_workers)
