"""Kernels come from the store if they are there and whole and for this machine, and are compiled otherwise."""

from __future__ import annotations

import ctypes
import logging
from pathlib import Path

import numpy as np
import pytest

from sessile.compiler.cpu.compile_kernel import compile_kernel
from sessile.compiler.cpu.kernel_service import KernelService
from sessile.compiler.cpu.load_kernels import KernelStore
from sessile.compiler.kernel_errors import KernelCompilationError
from sessile.compiler.kernel_source import KernelSource, kernel_source
from sessile.compiler.store import kernel_cache as kernel_cache_module
from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.kernel_cache import KernelCache, check_requested, kernel_cache, kernel_key
from sessile.compiler.target import Target

HOST = Target.host()


def filling(value: int) -> KernelSource:
    """A kernel that writes a number to its first argument."""
    return kernel_source(["fill"], f"def kernel(out0, part, parts):\n    out0[0] = {value}\n", ("*i64",))


SOURCES = [filling(value) for value in range(3)]


def value_of(address: int) -> int:
    out = np.zeros(1, np.int64)
    block = np.array([out.ctypes.data], np.int64)
    ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)(block.ctypes.data, 0, 1)
    return int(out[0])


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store")


def service(store: DiskStore, check: bool = False) -> KernelService:
    """A service as another process would have one: nothing is loaded yet."""
    return KernelService(KernelStore(), KernelCache(store), check=check)


def run(store: DiskStore, check: bool = False) -> tuple[int, int]:
    """Compile or load the three kernels and see that they are right; how many were compiled, and loaded."""
    kernels = service(store, check)
    addresses = kernels.compile_all(SOURCES)
    assert [value_of(addresses[source.name]) for source in SOURCES] == [0, 1, 2]
    return kernels.store.compiled, kernels.store.loaded


@pytest.fixture
def filled(store: DiskStore) -> DiskStore:
    assert run(store) == (3, 0)
    return store


def file_of(store: DiskStore, source: KernelSource, target: Target = HOST) -> Path:
    return store.path("kernel", kernel_key(source.name, target))


def test_kernels_are_found_again(filled) -> None:
    assert run(filled) == (0, 3)
    assert len(list(filled.entries())) == 3
    entry = filled.read("kernel", kernel_key(SOURCES[0].name, HOST))
    assert entry is not None
    assert entry.manifest["processor"] == HOST.cpu
    assert bytes(entry.sections["object"]) == compile_kernel(SOURCES[0], HOST).object_code


def test_requests_find_them_too(filled) -> None:
    kernels = service(filled)
    request = kernels.request(SOURCES)
    assert request.done()
    assert value_of(request.result()[SOURCES[2].name]) == 2
    assert kernels.store.compiled == 0


def test_kernels_can_be_found_by_their_names_alone(filled) -> None:
    kernels = service(filled)
    names = [source.name for source in SOURCES]
    addresses = kernels.find([*names, names[0]])
    assert addresses is not None
    assert [value_of(addresses[name]) for name in names] == [0, 1, 2]
    assert kernels.find([*names, "kernel_nobody_has"]) is None
    assert kernels.find([]) == {}


@pytest.mark.parametrize("content", [b"", b"garbage", None], ids=["empty", "garbage", "flipped"])
def test_a_damaged_kernel_is_compiled_and_replaced(filled, content) -> None:
    path = file_of(filled, SOURCES[1])
    data = bytearray(path.read_bytes())
    data[-100] ^= 4
    path.write_bytes(bytes(data) if content is None else content)
    assert run(filled) == (1, 2)
    assert run(filled) == (0, 3)
    assert filled.verify().damaged == ()


def test_a_kernel_of_another_processor_is_not_loaded(store, caplog) -> None:
    cache = KernelCache(store)
    without = ",".join("-" + entry[1:] if entry.startswith("+avx") else entry for entry in HOST.features.split(","))
    other = Target(HOST.triple, HOST.cpu, without + ",+another-instruction-set")
    for source in SOURCES:
        cache.write(source.name, other, b"code that must not run here")
        file_of(store, source, other).rename(make_way(file_of(store, source)))
    with caplog.at_level(logging.INFO, "sessile.compile"):
        assert run(store) == (3, 0)
    assert sum("it was stored under another key" in record.getMessage() for record in caplog.records) == 3
    assert run(store) == (0, 3)


def make_way(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def test_a_processor_that_differs_in_tuning_alone_shares_kernels(filled) -> None:
    assert KernelCache(filled).read(SOURCES[0].name, Target(HOST.triple, "another", HOST.features)) is not None


def test_versions_share_a_store_and_not_their_kernels(filled, monkeypatch) -> None:
    fields = kernel_cache_module.build_fields()
    monkeypatch.setattr(kernel_cache_module, "build_fields", lambda: {**fields, "numba": "0.0"})
    assert run(filled) == (3, 0)
    assert run(filled) == (0, 3)
    monkeypatch.undo()
    assert run(filled) == (0, 3)
    assert len(list(filled.entries())) == 6


def test_why_a_kernel_was_compiled_is_logged(store, caplog) -> None:
    with caplog.at_level(logging.INFO, "sessile.compile"):
        run(store)
        run(store)
    lines = [record.getMessage() for record in caplog.records]
    assert sum(line.endswith("; not in this process, not in the store") for line in lines) == 3
    assert sum(line.endswith(": loaded from the store; not in this process") for line in lines) == 3


def test_a_check_compiles_again_and_finds_the_same(filled) -> None:
    assert run(filled, check=True) == (3, 0)
    assert run(filled) == (0, 3)


def test_a_check_finds_code_that_is_not_what_comes_out(filled, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SESSILE_DUMP", str(tmp_path))
    KernelCache(filled).write(SOURCES[1].name, HOST, compile_kernel(SOURCES[2], HOST).object_code)
    with pytest.raises(KernelCompilationError, match=f'kernel "{SOURCES[1].name}": the stored object code is not'):
        run(filled, check=True)


def test_a_store_that_cannot_be_written_changes_nothing_else(store) -> None:
    store.folder.mkdir()
    (store.folder / "kernel").write_text("a file where a folder should be")
    with pytest.warns(RuntimeWarning, match="stores nothing from now on"):
        assert run(store) == (3, 0)


def test_the_environment_decides(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("SESSILE_CACHE_DIR", "")
    assert kernel_cache() is None
    monkeypatch.setenv("SESSILE_CACHE_DIR", str(tmp_path))
    assert kernel_cache() is not None
    for value, expected in (("", False), ("0", False), ("1", True)):
        monkeypatch.setenv("SESSILE_CACHE_CHECK", value)
        assert check_requested() is expected
