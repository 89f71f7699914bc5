"""A kernel that another process compiles is put off, found when it is there, and compiled here if it never comes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import pytest

from sessile.compiler.cpu import shared_compilation
from sessile.compiler.cpu.shared_compilation import CheckedCompilation, CompiledKernel, PutOff, SharedCompilation
from sessile.compiler.cpu.worker_pool import WorkerPool
from sessile.compiler.kernel_errors import KernelCompilationError
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

HOST = Target.host()
SOURCE = KernelSource("kernel_a", "def kernel_a(part, parts):\n    pass\n", ())


class Cache:
    """An object cache whose claims another process may hold."""

    def __init__(self) -> None:
        self.code: bytes | None = None
        self.held = False
        self.on_claim: Callable[[], None] = lambda: None

    def read(self, name: str, target: Target) -> bytes | None:
        return self.code

    def write(self, name: str, target: Target, object_code: bytes) -> None:
        self.code = object_code

    def claim(self, name: str, target: Target) -> AbstractContextManager[bool]:
        self.on_claim()
        return nullcontext(not self.held)


@pytest.fixture
def cache() -> Cache:
    return Cache()


def compiling() -> CompiledKernel:
    return CompiledKernel(b"compiled here", 0.1)


def must_not_compile() -> CompiledKernel:
    raise AssertionError("compiled in spite of the cache")


def test_what_nobody_has_is_compiled_and_kept(cache) -> None:
    assert SharedCompilation(cache, SOURCE, HOST).attempt(compiling) == compiling()
    assert cache.code == b"compiled here"


def test_what_another_process_has_just_published_is_taken(cache) -> None:
    cache.on_claim = lambda: setattr(cache, "code", b"from elsewhere")
    found = SharedCompilation(cache, SOURCE, HOST).attempt(must_not_compile)
    assert found == CompiledKernel(b"from elsewhere", None)


def test_what_another_process_compiles_is_put_off_until_it_is_there(cache) -> None:
    cache.held = True
    shared = SharedCompilation(cache, SOURCE, HOST)
    for _ in range(3):
        with pytest.raises(PutOff):
            shared.attempt(must_not_compile)
    cache.code = b"from elsewhere"
    assert shared.attempt(must_not_compile).seconds is None


def test_when_the_other_process_gives_up_it_is_compiled_here(cache) -> None:
    cache.held = True
    shared = SharedCompilation(cache, SOURCE, HOST)
    with pytest.raises(PutOff):
        shared.attempt(must_not_compile)
    cache.held = False
    assert shared.attempt(compiling) == compiling()


def test_a_process_that_never_finishes_is_not_waited_for(cache, monkeypatch) -> None:
    cache.held = True
    shared = SharedCompilation(cache, SOURCE, HOST)
    with pytest.raises(PutOff):
        shared.attempt(must_not_compile)
    monkeypatch.setattr(shared_compilation, "LONGEST_WAIT", -1.0)
    assert shared.attempt(compiling) == compiling()


def test_a_failure_keeps_nothing(cache) -> None:
    with pytest.raises(AssertionError):
        SharedCompilation(cache, SOURCE, HOST).attempt(must_not_compile)
    assert cache.code is None


def test_a_check_compares_what_is_kept_with_what_comes_out(cache, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SESSILE_DUMP", str(tmp_path))
    cache.held = True
    checked = CheckedCompilation(cache, SOURCE, HOST)
    assert checked.attempt(compiling) == compiling()
    assert checked.attempt(compiling) == compiling()
    cache.code = b"compiled elsewhere"
    with pytest.raises(KernelCompilationError, match="the stored object code is not what comes out now") as caught:
        checked.attempt(compiling)
    dump = Path(caught.value.dump).read_text()
    assert b"compiled elsewhere".hex() in dump
    assert b"compiled here".hex() in dump
    assert SOURCE.source.strip() in dump


def test_who_helps_goes_on_with_other_kernels_meanwhile(cache) -> None:
    pool = WorkerPool(1)
    order: list[str] = []
    cache.held = True

    def first(compile_here: Callable[[], CompiledKernel]) -> CompiledKernel:
        order.append("first")
        return SharedCompilation(cache, SOURCE, HOST).attempt(must_not_compile)

    def second(compile_here: Callable[[], CompiledKernel]) -> CompiledKernel:
        order.append("second")
        cache.code = b"from elsewhere"
        return CompiledKernel(b"second", 0.1)

    futures = [pool.submit(SOURCE, HOST, False, attempt) for attempt in (first, second)]
    pool.help()
    assert [future.result(timeout=0).object_code for future in futures] == [b"from elsewhere", b"second"]
    assert order == ["first", "second", "first"]


def test_closing_the_pool_ends_the_wait_for_another_process() -> None:
    pool = WorkerPool(1)
    waits = threading.Event()

    def never(compile_here: Callable[[], CompiledKernel]) -> CompiledKernel:
        waits.set()
        raise PutOff

    future = pool.submit(SOURCE, HOST, False, never)
    helper = threading.Thread(target=pool.help)
    helper.start()
    waits.wait()
    pool.close()
    helper.join()
    with pytest.raises(RuntimeError, match="was closed"):
        future.result(timeout=0)


def test_a_kernel_that_was_interrupted_can_be_compiled_later() -> None:
    pool = WorkerPool(1)
    attempts: list[int] = []

    def interrupted(compile_here: Callable[[], CompiledKernel]) -> CompiledKernel:
        attempts.append(len(attempts))
        if len(attempts) == 1:
            raise KeyboardInterrupt
        return CompiledKernel(b"code", 0.1)

    future = pool.submit(SOURCE, HOST, False, interrupted)
    with pytest.raises(KeyboardInterrupt):
        pool.help()
    assert not future.done()
    pool.help()
    assert future.result(timeout=0).object_code == b"code"
