"""Runs the native part of a program by one call: the list of steps and the loop that executes it.

In: addresses of kernels, of their arguments, of conditions, in the order of execution. Out: an array of words that
`run_steps` takes; `step_loop_code` documents its layout. Needs llvmlite alone.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from sessile.compiler.cpu import python_entry_code
from sessile.compiler.cpu import step_loop_code as code
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.cpu.machine_code import compile_module, lock_held_across_fork
from sessile.compiler.cpu.team_code import team_ir
from sessile.compiler.store.kernel_cache import check_requested, kernel_cache
from sessile.compiler.target import Target
from sessile.graph.errors import InternalError, UnimplementedError

if TYPE_CHECKING:
    import numpy.typing as npt

_NAME = "step_loop_"
_SYMBOLS = ("run_steps", "run_steps_traced", "team_worker", "stop_team", "enter")
_IMPORTS = ("memcpy", "syscall", "usleep", "sched_yield", "clock_gettime", *python_entry_code.PYTHON_FUNCTIONS)


class NativeLoop(NamedTuple):
    """The functions of the step loop, as ctypes calls them: without Python's lock.

    Attributes:
      run_steps: takes the address of a control block; returns 0, or the index + 1 of the step that failed.
      run_steps_traced: the same, and writes to the trace of the control block, which must not be 0.
      team_worker: takes the address of a team and a worker's number; returns when the team stops.
      stop_team: takes the address of a team.
      enter: the address of the built-in function that `python_entry` offers.
    """

    run_steps: Callable[[int], int]
    run_steps_traced: Callable[[int], int]
    team_worker: Callable[[int, int], None]
    stop_team: Callable[[int], None]
    enter: int


_loop: NativeLoop | None = None
_loop_lock = lock_held_across_fork()


def native_loop(objects: Mapping[str, bytes | memoryview] | None = None) -> NativeLoop:
    """The loop of this process.

    The first call makes it: from `objects` (of a bundle, by name), from the store, or by compiling it, which takes as
    long as one kernel.
    """
    global _loop
    if _loop is None:
        with _loop_lock:
            given = (objects or {}).get(step_loop_name(Target.host()))
            _loop = _loop or _load(_object_code() if given is None else bytes(given))
    return _loop


@functools.cache
def _ir_text(target: Target) -> str:
    if sys.platform == "win32":
        raise UnimplementedError(None, None, "native execution on Windows is not implemented")
    return team_ir(time.CLOCK_MONOTONIC, target) + code.step_loop_ir() + python_entry_code.python_entry_ir()


def step_loop_name(target: Target) -> str:
    """The name of the loop's object code for a target, with a hash of what it does."""
    return f"{_NAME}{hashlib.sha256(_ir_text(target).encode()).hexdigest()[:16]}"


def is_step_loop(name: str) -> bool:
    """Whether object code of this name is a step loop, of any version and target."""
    return name.startswith(_NAME)


def step_loop_object(target: Target) -> bytes:
    """The loop compiled for a target."""
    # Written as LLVM would leave it: optimising takes twice as long as compiling and gains nothing.
    return compile_module(_ir_text(target), target, level=0)


def _object_code() -> bytes:
    target, cache = Target.host(), kernel_cache()
    name = step_loop_name(target)
    stored = cache.read(name, target) if cache else None
    if stored is not None and not check_requested():
        return stored
    object_code = step_loop_object(target)
    if cache and stored is None:
        cache.write(name, target, object_code)
    elif stored not in (None, object_code):
        raise InternalError(None, None, f"the stored object code of {name} is not what comes out now")
    return object_code


def _load(object_code: bytes) -> NativeLoop:
    library = ctypes.CDLL(None)
    imports = {name: _address_of(library, name) for name in _IMPORTS}
    addresses = load_objects([object_code], _SYMBOLS, imports)
    run = ctypes.CFUNCTYPE(ctypes.c_int64, ctypes.c_void_p)
    return NativeLoop(
        run(addresses["run_steps"]),
        run(addresses["run_steps_traced"]),
        ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64)(addresses["team_worker"]),
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(addresses["stop_team"]),
        addresses["enter"],
    )


def _address_of(library: ctypes.CDLL, name: str) -> int:
    """Where a function is; 0 if this process has none of that name, and whatever needs it is not called."""
    function = getattr(library, name, None)
    return 0 if function is None else ctypes.cast(function, ctypes.c_void_p).value or 0


class StepProgram:
    """A list of steps under construction.

    Each method appends one step and returns its index. Targets may lie ahead: `target` gives the index that the next
    step will have, and `set_target` fills in a branch or jump that was appended before its target was known. Whoever
    appends a step keeps alive what its addresses point to.
    """

    def __init__(self) -> None:
        self._rows: list[list[int]] = []

    def kernel(self, function: int, arguments: int, parts: int = 1, fallible: bool = False) -> int:
        """Call a kernel; after a fallible one the run ends if the first status word is not 0.

        Args:
          function: address of the kernel.
          arguments: address of its arguments, one int64 each.
          parts: how many parts its work is cut into; more than one are shared among the team.
          fallible: whether the kernel writes to the status words.
        """
        return self._append(code.FALLIBLE_KERNEL if fallible else code.KERNEL, function, arguments, parts)

    def branch_if_false(self, condition: int, target: int = 0) -> int:
        """Go to step `target` if the byte at address `condition` is 0."""
        return self._append(code.BRANCH_IF_FALSE, condition, target)

    def jump(self, target: int = 0) -> int:
        """Go to step `target`."""
        return self._append(code.JUMP, target)

    def copy_bytes(self, to: int, source: int, count: int) -> int:
        """Copy `count` bytes from address `source` to address `to`; the two do not overlap."""
        return self._append(code.COPY_BYTES, to, source, count)

    def swap_words(self, first: int, second: int) -> int:
        """Exchange the 64-bit words at two addresses: two pointers in argument lists, for example."""
        return self._append(code.SWAP_WORDS, first, second)

    @property
    def target(self) -> int:
        """The index of the next step to be appended; as a target it ends the run if none is appended."""
        return len(self._rows)

    def set_target(self, step: int, target: int) -> None:
        """Let an earlier branch or jump go to `target`."""
        self._rows[step][2 if self._rows[step][0] == code.BRANCH_IF_FALSE else 1] = target

    def control(self, status: int, team: int = 0, trace: int = 0) -> npt.NDArray[np.int64]:
        """The control block that `run_steps` takes; the caller keeps it alive while it runs.

        Args:
          status: address of the status words, at least one int64.
          team: address of the thread team, or 0 to do all parts one after the other.
          trace: address of a trace (see `new_trace`), or 0; only `run_steps_traced` writes to it.
        """
        block = aligned_words(code.HEADER_WORDS + code.STEP_WORDS * len(self._rows))
        block[[code.STEP_COUNT, code.STATUS, code.TEAM, code.TRACE]] = len(self._rows), status, team, trace
        steps = block[code.HEADER_WORDS :].reshape(-1, code.STEP_WORDS)
        for step, row in zip(steps, self._rows, strict=True):
            step[: len(row)] = row
        return block

    def _append(self, *row: int) -> int:
        self._rows.append(list(row))
        return len(self._rows) - 1


def aligned_words(count: int) -> npt.NDArray[np.int64]:
    """An array of int64 zeros that starts at a cache line."""
    raw = np.zeros(count + 8, np.int64)
    start = -raw.ctypes.data % 64 // 8
    return raw[start : start + count]


def new_trace(capacity: int) -> npt.NDArray[np.int64]:
    """An empty trace with room for `capacity` records."""
    trace = np.zeros(code.TRACE_HEADER + code.TRACE_RECORD * capacity, np.int64)
    trace[code.TRACE_CAPACITY] = capacity
    return trace


def trace_records(trace: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """What was recorded, in order: rows of (step, start, end) in nanoseconds of the monotonic clock."""
    count = min(trace[code.TRACE_CAPACITY], trace[code.TRACE_COUNT])
    return trace[code.TRACE_HEADER :][: count * code.TRACE_RECORD].reshape(count, code.TRACE_RECORD).copy()
