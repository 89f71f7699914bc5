"""Loads compiled kernels into this process and keeps them for everyone who names them.

In: object code, as bytes. Out: addresses to call. Needs llvmlite alone: a process that finds its kernels in a cache
never imports Numba. What is loaded stays: kernels are named by a hash of what they do, so there is nothing to replace.
"""

from __future__ import annotations

import ctypes
import functools
import itertools
import threading
from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Protocol

from sessile.compiler.cpu.machine_code import MATH_LIBRARY_FUNCTIONS, create_jit, lock_held_across_fork
from sessile.compiler.target import Target

_library_numbers = itertools.count()
_jit_lock = lock_held_across_fork()


@functools.cache
def _process_jit() -> Any:
    return create_jit(Target.host())


def load_objects(
    codes: Iterable[bytes], symbols: Iterable[str], imports: Mapping[str, int] | None = None
) -> dict[str, int]:
    """Link object files into this process, for good.

    Args:
      codes: the object files.
      symbols: the symbols that they define and that the caller wants to know.
      imports: addresses of the symbols that the objects need from outside; kernels need the math library's at most.

    Returns:
      The address of each symbol.

    Raises:
      RuntimeError: an object is damaged, lacks one of the symbols, or needs one that it was not given.
    """
    import llvmlite.binding as llvm

    builder = llvm.JITLibraryBuilder()
    for code in codes:
        builder.add_object_img(code)
    wanted = list(symbols)
    for symbol in wanted:
        builder.export_symbol(symbol)
    for symbol, address in (imports or {}).items():
        builder.import_symbol(symbol, address)
    with _jit_lock:
        library = builder.link(_process_jit(), f"kernels {next(_library_numbers)}")
        # LLVM would unload it with its last reference, under the feet of a worker that still runs at exit.
        library.detach()
    return {symbol: library[symbol] for symbol in wanted}


@functools.cache
def _math_library() -> dict[str, int]:
    """The addresses of `MATH_LIBRARY_FUNCTIONS`."""
    library = ctypes.CDLL(None)
    functions = {name: getattr(library, name, None) for name in MATH_LIBRARY_FUNCTIONS}
    return {name: ctypes.cast(function, ctypes.c_void_p).value or 0 for name, function in functions.items() if function}


class ObjectCache(Protocol):
    """Where object code outlives the process."""

    def read(self, name: str, target: Target) -> bytes | None:
        """The object code of a kernel, or None if it is not there."""

    def write(self, name: str, target: Target, object_code: bytes) -> None:
        """Keep the object code of a kernel."""

    def claim(self, name: str, target: Target) -> AbstractContextManager[bool]:
        """Announce that this process compiles a kernel: a context with False if another one does so already."""


class KernelStore:
    """The kernels that this process can call, by name and target. Safe to use from several threads.

    Attributes:
      compiled: how many kernels were compiled for this store.
      loaded: how many kernels were loaded that had been compiled before, by another process as a rule.
      reused: how many times a kernel was found in it.
    """

    def __init__(self) -> None:
        self.compiled = 0
        self.loaded = 0
        self.reused = 0
        self._addresses: dict[tuple[str, str], int] = {}
        self._lock = threading.Lock()

    def get(self, name: str, target: Target) -> int | None:
        """The address of a kernel, or None if it is not loaded."""
        with self._lock:
            address = self._addresses.get((name, target.text))
            self.reused += address is not None
            return address

    def peek(self, name: str, target: Target) -> int | None:
        """As `get`, without counting it as a use."""
        with self._lock:
            return self._addresses.get((name, target.text))

    def contains(self, names: Iterable[str], target: Target) -> bool:
        """Whether all of the named kernels are loaded; not counted as a use."""
        with self._lock:
            return all((name, target.text) in self._addresses for name in names)

    def load(self, objects: Mapping[str, bytes], target: Target, *, compiled: bool = False) -> dict[str, int]:
        """Load the objects that are not loaded yet and return the address of each.

        Args:
          objects: object code by kernel name.
          target: what they were compiled for.
          compiled: whether they were compiled just now, for the counters.
        """
        with self._lock:
            fresh = {name: code for name, code in objects.items() if (name, target.text) not in self._addresses}
            self.compiled += len(objects) if compiled else 0
            if fresh:
                self.loaded += 0 if compiled else len(fresh)
                for name, address in load_objects(fresh.values(), fresh, _math_library()).items():
                    self._addresses[name, target.text] = address
            return {name: self._addresses[name, target.text] for name in objects}

    def renew_lock(self) -> None:
        """In the child of a fork: another thread may have held the lock."""
        self._lock = threading.Lock()


kernel_store = KernelStore()
"""The store of this process."""
