"""The store between real processes: what one compiles another finds, whatever happens to any of them."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from sessile.compiler import output_file
from sessile.compiler.cpu.kernel_service import KernelService
from sessile.compiler.cpu.load_kernels import KernelStore
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.store import private_files
from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.kernel_cache import KernelCache
from sessile.compiler.target import Target

LIMIT = 120
ROOT = Path(__file__).parents[3]

SESSION = """
import json, sys
import numpy as np
import sessile as tf

x = tf.placeholder(tf.float32, [None, 3])
w = tf.Variable(np.ones((3, 2), np.float32))
loss = tf.reduce_mean(tf.nn.softmax(tf.matmul(x, w)) * {factor})
with tf.Session() as session:
    session.run(tf.global_variables_initializer())
    value = session.run(loss, {{x: np.ones((4, 3), np.float32)}})
print(json.dumps([float(value), *tf.kernel_statistics(), "numba" in sys.modules, "filelock" in sys.modules]))
"""

# The kernel service alone: a package that is only a place spares the import of all operations.
SERVICE = """
import sys, types
package = sys.modules["sessile"] = types.ModuleType("sessile")
package.__path__ = {path}
from sessile.compiler.cpu.kernel_service import kernel_service
from sessile.compiler.kernel_source import kernel_source

def filling(value):
    return kernel_source(["fill"], f"def kernel(out0, part, parts):\\n    out0[0] = {{value}}\\n", ("*i64",))

print("ready", flush=True)
sys.stdin.read()
kernels = kernel_service()
assert len(kernels.compile_all([filling(value) for value in range({count})])) == {count}
print(kernels.store.compiled, kernels.store.loaded)
"""


def environment(folder: Path, **more: str) -> dict[str, str]:
    return {**os.environ, "SESSILE_CACHE_DIR": str(folder), "SESSILE_JIT": "always", **more}


def session(folder: Path, factor: str = "2.0", **more: str) -> list:
    """Runs a small program in a process of its own: its value, the kernels that it compiled, reused and loaded, and
    whether it imported Numba and filelock."""
    command = [sys.executable, "-c", SESSION.format(factor=factor)]
    done = subprocess.run(command, capture_output=True, text=True, env=environment(folder, **more), timeout=LIMIT)
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    return json.loads(done.stdout)


def test_a_second_process_compiles_nothing(tmp_path) -> None:
    value, compiled, _, loaded, imports_numba, _ = session(tmp_path / "store")
    assert (compiled > 0, loaded, imports_numba) == (True, 0, True)
    again = session(tmp_path / "store", PYTHONHASHSEED="7")
    assert again == [value, 0, 0, compiled, False, False]


def test_ten_processes_at_once_compile_each_kernel_once(tmp_path) -> None:
    count = 6
    script = SERVICE.format(path=list(sys.modules["sessile"].__path__), count=count)
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", script],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment(tmp_path / "store"),
        )
        for _ in range(10)
    ]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    for process in processes:  # they all start now
        assert process.stdin is not None
        process.stdin.close()
        process.stdin = None
    results = [process.communicate(timeout=LIMIT) for process in processes]
    assert [errors for _, errors in results] == [""] * 10
    counts = [[int(number) for number in output.split()] for output, _ in results]
    assert all(compiled + loaded == count for compiled, loaded in counts)
    assert sum(compiled for compiled, _ in counts) == count
    store = DiskStore(tmp_path / "store")
    assert Counter(entry.kind for entry in store.entries())["kernel"] == count
    assert store.verify().damaged == ()
    assert os.listdir(store.folder / "locks") == []


@pytest.mark.skipif(sys.platform == "win32", reason="a link to the folders of the package")
def test_two_versions_share_a_store(tmp_path) -> None:
    other = tmp_path / "other"
    for folder, place in {
        "api": ".",
        "graph": "graph",
        "ir": "ir",
        "compiler": "compiler",
        "runtime": "runtime",
    }.items():
        source = Path(sys.modules["sessile"].__path__[0]) if folder == "api" else package_folder(folder)
        ignored = shutil.ignore_patterns(
            "__pycache__", *(("graph", "ir", "compiler", "runtime") if folder == "api" else ())
        )
        shutil.copytree(source, other / "sessile" / place, ignore=ignored, dirs_exist_ok=True)
    with open(other / "sessile" / "compiler" / "target.py", "a") as file:
        file.write("# another version\n")
    store = tmp_path / "store"
    first = session(store)
    second = session(store, PYTHONPATH=str(other))
    assert second == first
    assert session(store, PYTHONPATH=str(other)) == [first[0], 0, 0, first[1], False, False]
    assert session(store) == [first[0], 0, 0, first[1], False, False]


def package_folder(name: str) -> Path:
    __import__(f"sessile.{name}")
    return Path(sys.modules[f"sessile.{name}"].__path__[0])


needs_fork = pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
KEYS = [{"kernel": str(number)} for number in range(4)]
SIZE = 300_000


def content(number: int, version: int) -> bytes:
    return bytes([number, version]) * (SIZE // 2)


def write_for_ever(store: DiskStore, tell: int) -> None:
    for version in range(1, 250):
        for number, key in enumerate(KEYS):
            os.write(tell, b".")
            store.write("kernel", key, {"version": version}, {"object": content(number, version)})


def in_child(action: Callable[[], None]) -> int:
    """Runs in a forked child, which never returns; its process id."""
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        try:
            action()
        finally:
            os._exit(3)
    return pid


def assert_whole(store: DiskStore) -> int:
    """Every entry that is there is what somebody wrote; how many there are."""
    assert store.verify(remove=False).damaged == ()
    found = 0
    for number, key in enumerate(KEYS):
        entry = store.read("kernel", key)
        if entry is not None:
            found += 1
            assert bytes(entry.sections["object"]) == content(number, entry.manifest["version"])
    return found


@needs_fork
def test_a_writer_may_be_killed_at_any_moment(tmp_path) -> None:
    store = DiskStore(tmp_path / "store")
    for round in range(12):
        ready, tell = os.pipe()
        pid = in_child(lambda tell=tell: write_for_ever(store, tell))
        os.close(tell)
        for _ in range(1 + 3 * round):
            assert os.read(ready, 1) == b"."
        os.kill(pid, signal.SIGKILL)
        assert os.waitpid(pid, 0)[1] == signal.SIGKILL
        os.close(ready)
        found = assert_whole(store)
    assert found == len(KEYS)


@needs_fork
@pytest.mark.parametrize("moment", ["created", "half written", "before it is renamed", "after it is renamed"])
def test_a_writer_that_dies_at_the_worst_moment_leaves_the_old_entry_or_the_new(tmp_path, moment) -> None:
    store = DiskStore(tmp_path / "store")
    store.write("kernel", KEYS[1], {"version": 1}, {"object": content(1, 1)})
    folder = store.path("kernel", KEYS[1]).parent
    for round in range(2, 6):
        assert (
            os.waitpid(in_child(lambda version=round: die_while_writing(store, version, moment)), 0)[1]
            == signal.SIGKILL
        )
        assert_whole(store)
        entry = store.read("kernel", KEYS[1])
        assert entry is not None
        assert entry.manifest["version"] == (round if moment == "after it is renamed" else 1)
    left = [path for path in folder.iterdir() if path.name.endswith(".tmp")]
    assert len(left) == (0 if moment == "after it is renamed" else 4)
    assert len(list(store.entries())) == 1
    store.write("kernel", KEYS[1], {"version": 9}, {"object": content(1, 9)})
    assert_whole(store)


def die_while_writing(store: DiskStore, version: int, moment: str) -> None:
    """Have this process killed at a moment of its next write."""

    def kill(*arguments: object) -> None:
        os.kill(os.getpid(), signal.SIGKILL)

    def half(path: Path, data: bytes) -> None:
        descriptor = private_files._create(path.with_name(f".{path.name}.1.half.{os.urandom(4).hex()}.tmp"))
        os.write(descriptor, data[: len(data) // 2])
        kill()

    replace = os.replace
    if moment == "created":
        output_file.open = kill  # type: ignore[attr-defined]
    elif moment == "half written":
        from sessile.compiler.store import disk_store

        disk_store.publish = half
    elif moment == "before it is renamed":
        os.replace = kill  # type: ignore[assignment]
    else:
        os.replace = lambda source, target: (replace(source, target), kill())  # type: ignore[assignment]
    store.write("kernel", KEYS[1], {"version": version}, {"object": content(1, version)})


class WatchingCache(KernelCache):
    """Kills a process that holds a claim when it has been found to hold it twice."""

    def __init__(self, store: DiskStore, holder: int) -> None:
        super().__init__(store)
        self.holder = holder
        self.claims = 0

    def claim(self, name: str, target: Target) -> AbstractContextManager[bool]:
        self.claims += 1
        if self.claims == 3:
            os.kill(self.holder, signal.SIGKILL)
            os.waitpid(self.holder, 0)
        return super().claim(name, target)


@needs_fork
def test_a_process_that_is_killed_while_it_compiles_is_not_waited_for(tmp_path) -> None:
    store = DiskStore(tmp_path / "store")
    source = kernel_source(["fill"], "def kernel(out0, part, parts):\n    out0[0] = 5\n", ("*i64",))
    ready, tell = os.pipe()

    def hold() -> None:
        with KernelCache(store).claim(source.name, Target.host()) as mine:
            os.write(tell, b"y" if mine else b"n")
            signal.pause()

    cache = WatchingCache(store, in_child(hold))
    assert os.read(ready, 1) == b"y"
    service = KernelService(KernelStore(), cache)
    assert source.name in service.compile_all([source])
    assert (service.store.compiled, cache.claims) == (1, 3)
    assert os.listdir(store.folder / "locks") == []
