"""Locks between processes: one holder at a time, and none that is dead."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from sessile.compiler.store.file_lock import file_lock

needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")


def test_a_lock_has_one_holder_and_leaves_no_file(tmp_path: Path) -> None:
    path = tmp_path / "locks" / "a"
    with file_lock(path) as first, file_lock(path) as second, file_lock(tmp_path / "locks" / "b") as other:
        assert (first, second, other) == (True, False, True)
    with file_lock(path) as again:
        assert again
    assert os.listdir(path.parent) == []


def test_a_lock_is_free_after_a_failure(tmp_path: Path) -> None:
    with pytest.raises(KeyError), file_lock(tmp_path / "a"):
        raise KeyError
    with file_lock(tmp_path / "a") as mine:
        assert mine


def test_a_failure_without_the_lock_is_reported_alone(tmp_path: Path) -> None:
    with file_lock(tmp_path / "a"), pytest.raises(KeyError) as caught, file_lock(tmp_path / "a") as mine:
        assert not mine
        raise KeyError
    assert caught.value.__context__ is None


def test_where_nothing_can_be_locked_everybody_may_go_on(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with file_lock(tmp_path / "file" / "a") as mine:
        assert mine


def run_in_child(action) -> int:
    """Runs in a forked child; returns its process id."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        try:
            action()
        finally:
            os._exit(0)
    return pid


@needs_fork
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGTERM])
def test_the_lock_of_a_dead_process_is_free(tmp_path: Path, end: signal.Signals) -> None:
    path = tmp_path / "a"
    ready, tell = os.pipe()

    def hold() -> None:
        with file_lock(path) as mine:
            os.write(tell, b"y" if mine else b"n")
            signal.pause()

    pid = run_in_child(hold)
    assert os.read(ready, 1) == b"y"
    with file_lock(path) as mine:
        assert not mine
    os.kill(pid, end)
    os.waitpid(pid, 0)
    with file_lock(path) as mine:
        assert mine


@needs_fork
def test_the_child_of_a_fork_neither_holds_nor_ends_its_parents_lock(tmp_path: Path) -> None:
    path = tmp_path / "a"
    ready, tell = os.pipe()
    gate, opener = os.pipe()

    def try_it() -> None:
        with file_lock(path) as mine:
            os.write(tell, b"y" if mine else b"n")
        os.read(gate, 1)
        with file_lock(path) as mine:
            os.write(tell, b"y" if mine else b"n")

    with file_lock(path):
        pid = run_in_child(try_it)
        assert os.read(ready, 1) == b"n"
        with file_lock(path) as mine:
            assert not mine
    os.write(opener, b"!")
    assert os.read(ready, 1) == b"y"
    os.waitpid(pid, 0)
