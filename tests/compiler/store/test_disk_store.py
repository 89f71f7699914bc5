"""Entries are kept under their keys, and whatever is damaged, foreign or in the wrong place is never given out."""

from __future__ import annotations

import logging
import os
import stat
import struct
import threading
import time
import warnings
from pathlib import Path

import numpy as np
import pytest

from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.entry_format import FORMAT_VERSION, pack
from sessile.compiler.store.entry_key import key_digest

KEY = {"kernel": "kernel_add", "code": "1234", "features": "avx,fma"}
CODE = bytes(range(256)) * 3


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store")


@pytest.fixture
def stored(store: DiskStore) -> Path:
    """The file of an entry."""
    store.write("kernel", KEY, {"note": 1}, {"object": CODE})
    return store.path("kernel", KEY)


def test_an_entry_is_found_by_its_key(store, stored) -> None:
    entry = store.read("kernel", KEY)
    assert entry.manifest == {"note": 1, "key": KEY}
    assert bytes(entry.sections["object"]) == CODE
    assert np.frombuffer(entry.sections["object"], np.uint8).ctypes.data % 64 == 0
    assert stored == store.folder / "kernel" / key_digest(KEY)[:2] / key_digest(KEY)


@pytest.mark.parametrize(
    "other", [{**KEY, "features": "avx"}, {**KEY, "code": "1235"}, {**KEY, "more": ""}, {}], ids=str
)
def test_another_key_finds_nothing(store, stored, other) -> None:
    assert store.read("kernel", other) is None
    assert store.read("executable", KEY) is None
    assert store.read("kernel", KEY) is not None


def test_the_order_of_a_keys_fields_does_not_matter(store, stored) -> None:
    assert store.read("kernel", dict(reversed(KEY.items()))) is not None


def test_a_new_entry_takes_the_place_of_the_old_one(store, stored) -> None:
    before = store.read("kernel", KEY)
    store.write("kernel", KEY, {"note": 2}, {"object": b"new"})
    assert bytes(store.read("kernel", KEY).sections["object"]) == b"new"
    assert bytes(before.sections["object"]) == CODE
    assert os.listdir(stored.parent) == [stored.name]


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_files_and_folders_are_the_users_alone(store, stored) -> None:
    old = os.umask(0)
    try:
        store.write("kernel", {"kernel": "b"}, {}, {})
    finally:
        os.umask(old)
    modes = {stat.S_IMODE(path.stat().st_mode) for path in store.folder.rglob("*") if path.is_dir()}
    assert modes == {0o700}
    assert {stat.S_IMODE(entry.path.stat().st_mode) for entry in store.entries()} == {0o600}


def damage(data: bytes, how: str) -> bytes:
    cases = {
        "flipped": data[:-5] + bytes([data[-5] ^ 1]) + data[-4:],
        "truncated": data[: len(data) // 2],
        "empty": b"",
        "garbage": b"no entry at all" * 100,
        "longer": data + b"\0",
        "foreign version": data[:8] + struct.pack("<I", FORMAT_VERSION + 1) + data[12:],
        "foreign kind": pack("call", {"key": KEY}, {"object": CODE}),
        "without a key": pack("kernel", {}, {"object": CODE}),
        "foreign processor": pack("kernel", {"key": {**KEY, "features": "avx512f"}}, {"object": CODE}),
    }
    return cases[how]


@pytest.mark.parametrize(
    "how",
    [
        "flipped",
        "truncated",
        "empty",
        "garbage",
        "longer",
        "foreign version",
        "foreign kind",
        "without a key",
        "foreign processor",
    ],
)
def test_a_damaged_entry_is_removed_and_can_be_replaced(store, stored, how, caplog) -> None:
    stored.write_bytes(damage(stored.read_bytes(), how))
    with caplog.at_level(logging.INFO, "sessile.compile"):
        assert store.read("kernel", KEY) is None
    assert caplog.records[0].getMessage().startswith(f"store: {stored} is not used: ")
    assert not stored.exists()
    store.write("kernel", KEY, {}, {"object": CODE})
    assert bytes(store.read("kernel", KEY).sections["object"]) == CODE


def test_a_renamed_entry_is_never_given_out(store, stored) -> None:
    other = {**KEY, "kernel": "kernel_sub"}
    place = store.path("kernel", other)
    place.parent.mkdir(parents=True, exist_ok=True)
    stored.rename(place)
    assert store.read("kernel", other) is None
    assert not place.exists()


def test_an_entry_that_another_user_could_write_is_not_read(store, stored) -> None:
    if os.name != "posix":
        pytest.skip("modes are those of POSIX")
    stored.chmod(0o666)
    assert store.read("kernel", KEY) is None


def test_a_store_that_cannot_be_written_costs_one_warning(store) -> None:
    store.folder.mkdir()
    (store.folder / "kernel").write_text("a file where a folder should be")
    with pytest.warns(RuntimeWarning, match=f"cannot write to its store {store.folder}.*stores nothing from now on"):
        store.write("kernel", KEY, {}, {})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        store.write("kernel", KEY, {}, {})
        assert store.read("kernel", KEY) is None


def test_a_failed_write_leaves_no_file(store, stored, monkeypatch) -> None:
    def full(source: str, target: str) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full)
    with pytest.warns(RuntimeWarning, match="No space left on device"):
        store.write("kernel", KEY, {}, {"object": b"new"})
    assert os.listdir(stored.parent) == [stored.name]
    assert bytes(store.read("kernel", KEY).sections["object"]) == CODE


def test_a_store_that_may_not_be_changed_is_only_read(store, stored) -> None:
    reader = DiskStore(store.folder, writable=False)
    os.utime(stored, (1, 1))
    assert reader.read("kernel", KEY) is not None
    assert stored.stat().st_mtime == 1
    reader.write("kernel", {"kernel": "b"}, {}, {})
    assert reader.read("kernel", {"kernel": "b"}) is None
    stored.write_bytes(b"damaged")
    assert reader.read("kernel", KEY) is None
    assert stored.exists()
    with reader.lock("kernel", KEY) as mine:
        assert mine
    assert not (store.folder / "locks").exists() or os.listdir(store.folder / "locks") == []


def test_a_store_that_was_removed_is_made_again(store, stored) -> None:
    for path in sorted(store.folder.rglob("*"), reverse=True):
        path.rmdir() if path.is_dir() else path.unlink()
    store.folder.rmdir()
    assert store.read("kernel", KEY) is None
    store.write("kernel", KEY, {}, {})
    assert store.read("kernel", KEY) is not None
    assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700 or os.name != "posix"


def test_reading_notes_the_time_of_the_last_use(store, stored) -> None:
    os.utime(stored, (1, 1))
    before = time.time()
    store.read("kernel", KEY)
    assert stored.stat().st_mtime >= before - 1


def test_threads_may_write_and_read_one_key_at_once(store) -> None:
    contents = {bytes([number]) * 100_000 for number in range(6)}
    seen: set[bytes] = set()

    def work(content: bytes) -> None:
        for _ in range(10):
            store.write("kernel", KEY, {}, {"object": content})
            entry = store.read("kernel", KEY)
            assert entry is not None
            seen.add(bytes(entry.sections["object"]))

    threads = [threading.Thread(target=work, args=(content,)) for content in contents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen
    assert seen <= contents
    assert len(list(store.entries())) == 1
