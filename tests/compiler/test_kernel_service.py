"""The service finds kernels or has them compiled, here or by workers, whatever happens to workers, forks and exits."""

from __future__ import annotations

import ctypes
import io
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from pathlib import Path

import numpy as np
import pytest

from sessile.compiler.cpu.kernel_messages import read_message, write_message
from sessile.compiler.cpu.kernel_service import KernelService
from sessile.compiler.cpu.kernel_worker import compiled_object, source_message
from sessile.compiler.cpu.load_kernels import KernelStore
from sessile.compiler.cpu.worker_pool import WORKER_COMMAND, WorkerPool
from sessile.compiler.kernel_errors import KernelCompilationError
from sessile.compiler.kernel_source import KernelSource, kernel_source
from sessile.compiler.target import Target

HOST = Target.host()
DIES = (sys.executable, "-c", "import sys; sys.exit('no more')")
NEVER_ANSWERS = (sys.executable, "-c", "import sys; sys.stdin.read()")


def filling(value: int) -> KernelSource:
    """A kernel that writes a number to its first argument."""
    code = f"def kernel(out0, part, parts):\n    out0[0] = {value}\n"
    return kernel_source(["fill"], code, ("*i64",))


def value_of(address: int) -> int:
    out = np.zeros(1, np.int64)
    block = np.array([out.ctypes.data], np.int64)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)(block.ctypes.data, 0, 1)
    return int(out[0])


@pytest.fixture(autouse=True)
def dumps(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("SESSILE_DUMP", str(tmp_path))
    return tmp_path


@pytest.fixture(scope="module")
def background() -> Iterator[KernelService]:
    """A service with one worker."""
    service = KernelService(KernelStore(), pool=WorkerPool(1))
    yield service
    service.close()


@pytest.fixture
def without_workers() -> Iterator[KernelService]:
    """A service whose workers would die."""
    service = KernelService(KernelStore(), pool=WorkerPool(1, DIES))
    yield service
    service.close()


class DictionaryCache:
    """An object cache in memory."""

    def __init__(self) -> None:
        self.entries: dict[tuple[str, str], bytes] = {}

    def read(self, name: str, target: Target) -> bytes | None:
        return self.entries.get((name, target.text))

    def write(self, name: str, target: Target, object_code: bytes) -> None:
        self.entries[name, target.text] = object_code

    def claim(self, name: str, target: Target) -> AbstractContextManager[bool]:
        return nullcontext(True)


def test_kernels_are_compiled_here_and_found_again(without_workers) -> None:
    sources = [filling(1), filling(2), filling(1)]
    addresses = without_workers.compile_all(sources)
    assert [value_of(addresses[source.name]) for source in sources] == [1, 2, 1]
    assert without_workers.store.compiled == 2
    assert without_workers.compile_all(sources) == addresses
    assert (without_workers.store.compiled, without_workers.store.reused) == (2, 2)
    assert without_workers.ready([source.name for source in sources])
    assert not without_workers.ready([filling(3).name])


def test_workers_compile_what_is_requested(background) -> None:
    background.warm_up()
    sources = [filling(value) for value in range(10, 13)]
    request = background.request(sources)
    addresses = request.result()
    assert [value_of(addresses[source.name]) for source in sources] == [10, 11, 12]
    assert request.done()
    assert background.ready(addresses)
    assert background.request(sources).done()


def test_requests_and_compilations_of_the_same_kernel_share_it(background) -> None:
    compiled = background.store.compiled
    sources = [filling(value) for value in range(20, 24)]
    results: list[dict[str, int]] = []

    def work(number: int) -> None:
        ask = background.compile_all if number % 2 else lambda wanted: background.request(wanted).result()
        results.append(ask(sources))

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    assert all(result == results[0] for result in results)
    assert background.store.compiled - compiled == 4


def test_a_kernel_that_does_not_compile_fails_in_both_ways(background, dumps) -> None:
    for ask in (lambda sources: background.request(sources).result(), background.compile_all):
        bad = kernel_source(["bad", ask.__name__], "def kernel(a0, part, parts):\n    a0[a0] = 1\n", ("*f32",))
        for _ in range(2):
            with pytest.raises(KernelCompilationError, match=f'kernel "{bad.name}": not compiled') as caught:
                ask([bad, filling(30)])
        assert bad.source.strip() in Path(caught.value.dump).read_text()
    assert background.ready([filling(30).name])


def test_the_cache_is_read_before_compiling_and_written_after(caplog) -> None:
    cache, source = DictionaryCache(), filling(40)
    first = KernelService(KernelStore(), cache, WorkerPool(1, DIES))
    with caplog.at_level(logging.INFO, "sessile.compile"):
        first.compile_all([source])
        second = KernelService(KernelStore(), cache, WorkerPool(1, DIES))
        address = second.request([source]).result()[source.name]
    assert list(cache.entries) == [(source.name, HOST.text)]
    assert value_of(address) == 40
    assert (second.store.compiled, second.store.loaded) == (0, 1)
    lines = [record.getMessage() for record in caplog.records]
    assert len(lines) == 2
    assert lines[0].startswith(f"{source.name}: compiled in ")
    assert lines[0].endswith(" bytes; not in this process, not in the store")
    assert lines[1] == f"{source.name}: loaded from the store; not in this process"


def test_a_worker_that_dies_twice_over_a_kernel_fails_it(without_workers) -> None:
    source = filling(50)
    with pytest.raises(KernelCompilationError, match="the process that compiles it ended 2 times") as caught:
        without_workers.request([source]).result()
    assert "no more" in Path(caught.value.dump).read_text()


def test_a_worker_that_dies_once_is_replaced(tmp_path) -> None:
    marker = tmp_path / "died"
    dies_first = (
        "import os, pathlib, sys\n"
        f"marker = pathlib.Path({str(marker)!r})\n"
        "if not marker.exists():\n"
        "    marker.touch()\n"
        "    sys.exit(1)\n"
        f"os.execv({sys.executable!r}, {WORKER_COMMAND!r})\n"
    )
    service = KernelService(KernelStore(), pool=WorkerPool(1, (sys.executable, "-c", dies_first)))
    source = filling(51)
    assert value_of(service.request([source]).result()[source.name]) == 51
    assert marker.exists()
    service.close()


def test_waiting_ends_when_time_is_up_or_the_service_is_closed() -> None:
    service = KernelService(KernelStore(), pool=WorkerPool(1, NEVER_ANSWERS))
    request = service.request([filling(60), filling(61)])
    assert not request.done()
    with pytest.raises(TimeoutError, match="2 of 2 kernels are not compiled after 0 s"):
        request.result(timeout=0)
    service.close()
    with pytest.raises((RuntimeError, KernelCompilationError)):
        request.result()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_the_child_of_a_fork_has_workers_of_its_own(background) -> None:
    finished, waiting = filling(70), filling(71)
    address = background.request([finished]).result()[finished.name]
    request = background.request([waiting])
    pid = os.fork()
    if pid == 0:
        signal.alarm(60)
        try:
            found = background.request([finished]).result()[finished.name] == address
            compiled = value_of(request.result()[waiting.name]) == 71
            background.close()
            os._exit(0 if found and compiled else 1)
        finally:
            os._exit(2)
    assert value_of(request.result()[waiting.name]) == 71
    assert os.waitpid(pid, 0)[1] == 0


IN_A_PROCESS = """
import sys
from sessile.compiler.cpu.kernel_service import kernel_service
from sessile.compiler.kernel_source import kernel_source

source = kernel_source(["fill"], "def kernel(out0, part, parts):\\n    out0[0] = 1\\n", ("*i64",))
request = kernel_service().request([source])
if {wait}:
    print(sorted(request.result()) == [source.name], "numba" in sys.modules)
"""


@pytest.mark.parametrize("wait", [False, True])
def test_a_process_exits_cleanly_with_workers_at_work(wait: bool) -> None:
    process = subprocess.run(
        [sys.executable, "-c", IN_A_PROCESS.format(wait=wait)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SESSILE_LOG": "compile"},
    )
    assert process.returncode == 0, process.stderr
    assert process.stdout == ("True False\n" if wait else "")
    assert process.stderr.count("\n") == (1 if wait else 0), process.stderr


def test_a_worker_answers_in_order_and_ends_with_its_input() -> None:
    requests = io.BytesIO()
    bad = KernelSource("kernel_bad", "def kernel_bad(part, parts):\n    return unknown\n", ())
    for source in (filling(80), bad):
        header, text = source_message(source, HOST)
        write_message(requests, header, text)
    process = subprocess.run(WORKER_COMMAND, input=requests.getvalue(), capture_output=True, timeout=60)
    assert process.returncode == 0, process.stderr
    answers = io.BytesIO(process.stdout)
    first = read_message(answers)
    assert first is not None
    assert compiled_object(*first, HOST).object_code[:4] != b""
    second = read_message(answers)
    assert second is not None
    with pytest.raises(KernelCompilationError, match="kernel_bad"):
        compiled_object(*second, HOST)
    assert read_message(answers) is None


def test_messages_keep_their_boundaries() -> None:
    stream = io.BytesIO()
    write_message(stream, {"a": [1, "ü"]}, b"", b"\0\n" * 5)
    write_message(stream, {})
    stream.seek(0)
    assert read_message(stream) == ({"a": [1, "ü"], "sizes": [0, 10]}, [b"", b"\0\n" * 5])
    assert read_message(stream) == ({"sizes": []}, [])
    assert read_message(stream) is None
    for length in (2, 10, len(stream.getvalue()) - 30):
        with pytest.raises(EOFError):
            read_message(io.BytesIO(stream.getvalue()[:length]))
