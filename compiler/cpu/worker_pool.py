"""A pool of processes that compile kernels, so that this process need not import Numba.

In: kernel sources. Out: futures of `CompiledKernel`. A worker process starts when there is more to do than the running
ones can take, and stays; one thread of this process talks to it. A worker that dies over a kernel is replaced once;
if the second one dies too, the kernel's future fails.
"""

from __future__ import annotations

import contextlib
import os
import queue
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import IO

from sessile.compiler.cpu.compile_kernel import compile_kernel
from sessile.compiler.cpu.kernel_messages import read_message, write_message
from sessile.compiler.cpu.kernel_worker import compiled_object, source_message
from sessile.compiler.cpu.shared_compilation import CompiledKernel, PutOff
from sessile.compiler.kernel_errors import KernelCompilationError, dump_fault
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

# A package that is only a place: importing the real one, with all operations of the graph, takes longer than a dozen
# kernels, and no compiler module needs it.
_START_WORKER = """
import sys, types
package = sys.modules["sessile"] = types.ModuleType("sessile")
package.__path__ = sys.argv[1:]
from sessile.compiler.cpu.kernel_worker import main
main()
"""
WORKER_COMMAND = (sys.executable, "-P", "-c", _START_WORKER, *sys.modules["sessile"].__path__)
_ATTEMPTS = 2
_CLOSED = "the compiler of kernels was closed"
_PAUSE = 0.01
"""Seconds between two looks at a kernel that another process compiles."""

Attempt = Callable[[Callable[[], CompiledKernel]], CompiledKernel]
"""Calls what it is given, or finds the kernel otherwise, or raises PutOff."""


@dataclass
class _Job:
    source: KernelSource
    target: Target
    attempt: Attempt
    not_before: float = 0.0
    future: Future[CompiledKernel] = field(default_factory=Future)


class _WorkerProcess:
    """One worker and the pipes to it."""

    def __init__(self, command: tuple[str, ...]) -> None:
        self._errors: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 (lives as long as the process)
        environment = {
            **os.environ,
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
            "OPENBLAS_NUM_THREADS": "1",
        }
        self._process = subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
            start_new_session=True,
        )

    def compile(self, job: _Job) -> CompiledKernel:
        """Have one kernel compiled. Raises OSError or EOFError if the worker is gone."""
        assert self._process.stdin and self._process.stdout
        header, text = source_message(job.source, job.target)
        write_message(self._process.stdin, header, text)
        answer = read_message(self._process.stdout)
        if answer is None:
            raise EOFError("the worker ended without an answer")
        kernel = compiled_object(*answer, job.target)
        return CompiledKernel(kernel.object_code, answer[0]["seconds"])

    def end(self) -> None:
        """End the process, whatever it is doing."""
        self._process.kill()

    def last_words(self) -> str:
        """The exit status and the end of what a dead worker wrote to standard error."""
        status = self._process.wait()
        self._errors.seek(0)
        return f"exit status {status}\n" + self._errors.read().decode(errors="replace")[-4000:]

    def abandon(self) -> None:
        """In the child of a fork: let go of the parent's worker, so that it sees when the parent ends."""
        nowhere = os.open(os.devnull, os.O_RDWR)
        for stream in (self._process.stdin, self._process.stdout):
            if stream:
                os.dup2(nowhere, stream.fileno())
        os.close(nowhere)
        self._process.returncode = 0


class WorkerPool:
    """Compiles kernels in up to `limit` processes.

    Args:
      limit: the most processes to start; by default one less than this process may use, but at least one.
      command: how to start a worker.
    """

    def __init__(self, limit: int | None = None, command: tuple[str, ...] = WORKER_COMMAND) -> None:
        self._limit = max(1, available_processors() - 1) if limit is None else limit
        self._command = command
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._processes: set[_WorkerProcess] = set()
        self._unfinished = 0
        self._closed = False

    def submit(
        self,
        source: KernelSource,
        target: Target,
        start_workers: bool = True,
        attempt: Attempt = lambda compile_here: compile_here(),
    ) -> Future[CompiledKernel]:
        """Have a kernel compiled.

        Args:
          source: the kernel.
          target: the machine to compile it for.
          start_workers: whether a worker may be started for it; otherwise somebody has to call `help`.
          attempt: is given a function that compiles, and need not call it.

        Returns:
          A future, which fails with KernelCompilationError.
        """
        job = _Job(source, target, attempt)
        with self._lock:
            self._unfinished += 1
            if start_workers and len(self._threads) < min(self._unfinished, self._limit):
                self._start_thread()
        self._jobs.put(job)
        return job.future

    def warm_up(self) -> None:
        """Start a worker if there is none."""
        with self._lock:
            if not self._threads and not self._closed:
                self._start_thread()

    def help(self) -> None:
        """Compile in this process and thread until no kernel waits to be begun or taken up again."""
        while True:
            try:
                job = self._jobs.get_nowait()
            except queue.Empty:
                return
            if job is None:
                self._jobs.put(None)
                return
            self._finish(job, _compile_here)

    def close(self) -> None:
        """End the workers; what they have not finished fails with CancelledError or RuntimeError."""
        with self._lock:
            self._closed = True
            for process in self._processes:
                process.end()
        for _ in self._threads:
            self._jobs.put(None)

    def abandon(self) -> None:
        """In the child of a fork: forget the parent's workers."""
        for process in self._processes:
            process.abandon()

    def like_this(self) -> WorkerPool:
        """A new pool with the same settings."""
        return WorkerPool(self._limit, self._command)

    def _start_thread(self) -> None:
        thread = threading.Thread(target=self._serve, name="sessile-compiler", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _serve(self) -> None:
        process: _WorkerProcess | None = None
        with contextlib.suppress(OSError, RuntimeError):  # reported when there is a kernel to report it for
            process = self._start_process()

        def compile_in_worker(job: _Job) -> CompiledKernel:
            nonlocal process
            report = ""
            for _ in range(_ATTEMPTS):
                process = process or self._start_process()
                try:
                    return process.compile(job)
                except (OSError, EOFError, ValueError):
                    report = self._bury(process)
                    process = None
            reason = f"the process that compiles it ended {_ATTEMPTS} times"
            raise KernelCompilationError(job.source.name, reason, dump_fault(job.source, report))

        while (job := self._jobs.get()) is not None:
            self._finish(job, compile_in_worker)

    def _start_process(self) -> _WorkerProcess:
        with self._lock:
            if self._closed:
                raise RuntimeError(_CLOSED)
            process = _WorkerProcess(self._command)
            self._processes.add(process)
        return process

    def _bury(self, process: _WorkerProcess) -> str:
        process.end()
        with self._lock:
            self._processes.discard(process)
        return process.last_words()

    def _finish(self, job: _Job, compile_job: Callable[[_Job], CompiledKernel]) -> None:
        """Finish a job, unless it is put off: then it waits at the end of the queue."""
        if job.future.running() or job.future.set_running_or_notify_cancel():
            time.sleep(max(0.0, job.not_before - time.monotonic()))
            try:
                job.future.set_result(job.attempt(lambda: compile_job(job)))
            except PutOff:
                job.not_before = time.monotonic() + _PAUSE
                if self._wait_again(job):
                    return
                job.future.set_exception(RuntimeError(_CLOSED))
            except Exception as error:
                job.future.set_exception(error)
            except BaseException:  # the user's Ctrl-C: the kernel still waits for whoever needs it next
                self._jobs.put(job)
                raise
        with self._lock:
            self._unfinished -= 1

    def _wait_again(self, job: _Job) -> bool:
        with self._lock:
            if not self._closed:
                self._jobs.put(job)
            return not self._closed


def available_processors() -> int:
    """How many processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _compile_here(job: _Job) -> CompiledKernel:
    began = time.perf_counter()
    kernel = compile_kernel(job.source, job.target)
    return CompiledKernel(kernel.object_code, time.perf_counter() - began)
