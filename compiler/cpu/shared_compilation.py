"""Compiles a kernel once, however many processes want it at the same time.

In: a kernel, a cache that several processes use, and a way to compile. Out: object code, of this process or of another.
Nobody waits inside: who finds that another process is at work puts the kernel off and does something else meanwhile.
`CheckedCompilation` compiles in any case, to see whether the cache holds what comes out.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple

from sessile.compiler.cpu.load_kernels import ObjectCache
from sessile.compiler.kernel_errors import KernelCompilationError, dump_fault
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

LONGEST_WAIT = 30.0
"""Seconds after which another process is taken for stuck, and its kernel is compiled here as well."""

_LINE_BREAK = "\n"


class PutOff(Exception):
    """Another process is compiling this kernel; try again in a moment."""


class CompiledKernel(NamedTuple):
    """Object code, and the seconds that its compilation took; None where another process has compiled it."""

    object_code: bytes
    seconds: float | None


class SharedCompilation:
    """The compilation of one kernel, which other processes may have begun."""

    def __init__(self, cache: ObjectCache, source: KernelSource, target: Target) -> None:
        self._cache = cache
        self._source = source
        self._target = target
        self._waits_since: float | None = None

    def attempt(self, compile_here: Callable[[], CompiledKernel]) -> CompiledKernel:
        """The code. Raises PutOff while another process compiles it, and whatever `compile_here` raises."""
        name, target = self._source.name, self._target
        with self._cache.claim(name, target) as mine:
            # Whoever held the claim may have published just now.
            found = self._cache.read(name, target)
            if found is not None:
                return CompiledKernel(found, None)
            if not mine and not self._waited_long():
                raise PutOff
            compiled = compile_here()
            # Before the claim ends, so that whoever waits for it finds the code.
            self._cache.write(name, target, compiled.object_code)
            return compiled

    def _waited_long(self) -> bool:
        now = time.monotonic()
        self._waits_since = self._waits_since or now
        return now - self._waits_since > LONGEST_WAIT


class CheckedCompilation:
    """The compilation of one kernel that has to give what is in the cache, if it is there."""

    def __init__(self, cache: ObjectCache, source: KernelSource, target: Target) -> None:
        self._cache = cache
        self._source = source
        self._target = target

    def attempt(self, compile_here: Callable[[], CompiledKernel]) -> CompiledKernel:
        """The code. Raises KernelCompilationError if the cache holds other code, and whatever `compile_here` raises."""
        name, target = self._source.name, self._target
        stored = self._cache.read(name, target)
        compiled = compile_here()
        if stored is None:
            self._cache.write(name, target, compiled.object_code)
        elif stored != compiled.object_code:
            reason = "the stored object code is not what comes out now"
            raise KernelCompilationError(name, reason, self._dump(stored, compiled))
        return compiled

    def _dump(self, stored: bytes, compiled: CompiledKernel) -> str:
        codes = {"stored": stored, "compiled now": compiled.object_code}
        # Lines of 32 bytes, so that a diff shows where the two part.
        details = [f"{what}, {len(code)} bytes:\n{code.hex(_LINE_BREAK, -32)}\n" for what, code in codes.items()]
        return dump_fault(self._source, "\n".join(details))
