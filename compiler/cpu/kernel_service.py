"""Finds or makes the kernels that programs ask for.

In: kernel sources. Out: addresses. A kernel is looked for in this process, then in a cache of objects if there is one
(the store on disk), then it is compiled: here and now (`compile_all`), or by worker processes while the caller does
something else (`request`). Equal kernels are compiled once, however many threads and processes ask for them.
"""

from __future__ import annotations

import atexit
import functools
import os
import threading
import weakref
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import Future, wait
from typing import TYPE_CHECKING

from sessile.compiler.compile_log import compile_log
from sessile.compiler.cpu.load_kernels import KernelStore, ObjectCache, kernel_store
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.store.kernel_cache import check_requested, kernel_cache
from sessile.compiler.target import Target

if TYPE_CHECKING:
    from sessile.compiler.cpu.shared_compilation import CompiledKernel
    from sessile.compiler.cpu.worker_pool import WorkerPool

WORKERS_PAY_FROM = 40
"""With so many kernels to compile at once, worker processes help; starting one costs as much as twenty kernels."""


class KernelRequest:
    """Kernels on their way: what `KernelService.request` returns. Holds in the child of a fork, too."""

    def __init__(self, service: KernelService, sources: Sequence[KernelSource]) -> None:
        self._service = service
        self._sources = sources

    def done(self) -> bool:
        """Whether `result` returns or raises at once."""
        return all(future.done() for future in self._service._futures(self._sources).values())

    def result(self, timeout: float | None = None) -> dict[str, int]:
        """The address of each kernel by name.

        Args:
          timeout: the longest time to wait, in seconds; None waits as long as it takes.

        Raises:
          KernelCompilationError: a kernel does not compile.
          TimeoutError: time is up.
        """
        return _results(self._service._futures(self._sources), timeout)


class KernelService:
    """Compiles kernels for this process and loads them into a store. Safe to use from several threads.

    Args:
      store: where loaded kernels are kept.
      cache: where object code outlives the process, if anywhere.
      pool: the worker processes.
      check: whether what is in the cache is compiled all the same, and compared.
    """

    def __init__(
        self,
        store: KernelStore = kernel_store,
        cache: ObjectCache | None = None,
        pool: WorkerPool | None = None,
        check: bool = False,
    ) -> None:
        self.store = store
        self.cache = cache
        self._check = check
        self.target = Target.host()
        self._made_pool = pool
        self._closed = False
        self._pending: dict[str, Future[int]] = {}
        self._lock = threading.Lock()
        _services.add(self)

    def compile_all(self, sources: Iterable[KernelSource]) -> dict[str, int]:
        """The address of each kernel by name; what is missing is compiled in this process, which imports Numba for it.

        Raises KernelCompilationError if a kernel does not compile.
        """
        wanted = list(sources)
        missing = self._missing(wanted)
        futures = self._futures(wanted, start_workers=missing >= WORKERS_PAY_FROM)
        if missing:
            self._pool.help()
        return _results(futures, None)

    def request(self, sources: Iterable[KernelSource]) -> KernelRequest:
        """Have kernels compiled by worker processes; returns at once."""
        wanted = list(sources)
        self._missing(wanted)
        self._futures(wanted)
        return KernelRequest(self, wanted)

    def warm_up(self) -> None:
        """Start a worker process if there is none, so that it is ready when the first kernel is requested."""
        self._pool.warm_up()

    def ready(self, names: Iterable[str]) -> bool:
        """Whether all of the named kernels can be called."""
        return self.store.contains(names, self.target)

    def close(self) -> None:
        """End the worker processes; what they have not finished fails."""
        with self._lock:
            self._closed = True
            pool = self._made_pool
        if pool is not None:
            pool.close()

    @property
    def _pool(self) -> WorkerPool:
        """The worker processes; a process that finds all its kernels never loads what starts them."""
        with self._lock:
            if self._made_pool is None:
                from sessile.compiler.cpu.worker_pool import WorkerPool

                self._made_pool = WorkerPool()
                if self._closed:
                    self._made_pool.close()
            return self._made_pool

    def find(self, names: Iterable[str]) -> dict[str, int] | None:
        """The address of each kernel by name, from this process or the cache; None if one is in neither."""
        wanted = list(names)
        if self._load_cached(wanted):
            return None
        addresses = {name: self.store.peek(name, self.target) for name in wanted}
        return {name: address for name, address in addresses.items() if address is not None}

    def _missing(self, sources: Sequence[KernelSource]) -> int:
        """How many of the kernels are neither loaded nor in the cache; loads those that are in the cache."""
        return len(self._load_cached([source.name for source in sources]))

    def _load_cached(self, names: Iterable[str]) -> set[str]:
        """Load the kernels that are in the cache, all by one call; those that are neither there nor loaded."""
        missing = {name for name in set(names) if self.store.get(name, self.target) is None}
        if self.cache is None or self._check:
            return missing
        codes = {name: code for name in missing if (code := self.cache.read(name, self.target)) is not None}
        self.store.load(codes, self.target)
        for name in codes:
            compile_log.info("%s: loaded from the store; not in this process", name)
        return missing - codes.keys()

    def _futures(self, sources: Sequence[KernelSource], start_workers: bool = True) -> dict[str, Future[int]]:
        """For each kernel its address or the promise of it; has the ones compiled that nobody has asked for yet."""
        return {source.name: self._future(source, start_workers) for source in sources}

    def _future(self, source: KernelSource, start_workers: bool) -> Future[int]:
        with self._lock:
            address = self.store.peek(source.name, self.target)
            if address is not None:
                ready: Future[int] = Future()
                ready.set_result(address)
                return ready
            if source.name in self._pending:
                return self._pending[source.name]
            future = self._pending[source.name] = Future()
        if self.cache is None:
            compilation = self._pool.submit(source, self.target, start_workers)
        else:
            from sessile.compiler.cpu.shared_compilation import CheckedCompilation, SharedCompilation

            shared = (CheckedCompilation if self._check else SharedCompilation)(self.cache, source, self.target)
            compilation = self._pool.submit(source, self.target, start_workers, shared.attempt)
        compilation.add_done_callback(functools.partial(self._take_in, source.name, future))
        return future

    def _take_in(self, name: str, future: Future[int], compilation: Future[CompiledKernel]) -> None:
        """Load a kernel as soon as it is compiled. A failed one stays pending: its future repeats the error."""
        try:
            compiled = compilation.result()
            is_new = compiled.seconds is not None
            address = self.store.load({name: compiled.object_code}, self.target, compiled=is_new)[name]
        except Exception as error:
            future.set_exception(error)
            return
        future.set_result(address)
        with self._lock:
            self._pending.pop(name, None)
        self._log(name, compiled)

    def _log(self, name: str, compiled: CompiledKernel) -> None:
        if compiled.seconds is None:
            compile_log.info("%s: loaded from the store; another process has compiled it meanwhile", name)
            return
        where = "in this process" if self.cache is None else "in this process, not in the store"
        size, milliseconds = len(compiled.object_code), 1000 * compiled.seconds
        compile_log.info("%s: compiled in %.0f ms to %d bytes; not %s", name, milliseconds, size, where)

    def _start_anew(self) -> None:
        """In the child of a fork: the workers and whatever they were doing are the parent's."""
        if self._made_pool is not None:
            self._made_pool.abandon()
            self._made_pool = self._made_pool.like_this()
        self._pending = {}
        self._lock = threading.Lock()
        self.store.renew_lock()


def _results(futures: Mapping[str, Future[int]], timeout: float | None) -> dict[str, int]:
    unfinished = wait(futures.values(), timeout).not_done
    if unfinished:
        raise TimeoutError(f"{len(unfinished)} of {len(futures)} kernels are not compiled after {timeout} s")
    return {name: future.result() for name, future in futures.items()}


_services: weakref.WeakSet[KernelService] = weakref.WeakSet()


@functools.cache
def kernel_service() -> KernelService:
    """The service of this process."""
    return KernelService(cache=kernel_cache(), check=check_requested())


@atexit.register
def _close_all() -> None:
    for service in list(_services):
        service.close()


def _start_all_anew() -> None:
    for service in list(_services):
        service._start_anew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_start_all_anew)
