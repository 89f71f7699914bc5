"""A store is kept within its limit, its oldest entries go first, and other processes are never disturbed."""

from __future__ import annotations

import os
import struct
import time
from pathlib import Path

import pytest

from sessile.compiler.store import upkeep
from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.entry_format import FORMAT_VERSION

SIZE = 4096


def fill(store: DiskStore, names: str) -> int:
    """Entries that were last used in the order of their names, long ago; returns the size of each."""
    for age, name in enumerate(names):
        store.write("kernel", {"kernel": name}, {}, {"object": bytes(SIZE)})
        os.utime(store.path("kernel", {"kernel": name}), (1000 + age, 1000 + age))
    return next(store.entries()).bytes


def names(store: DiskStore) -> str:
    return "".join(sorted(entry.key["kernel"] for entry in store.entries() if entry.key))


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path / "store")


def test_entries_are_listed_with_their_keys(store) -> None:
    size = fill(store, "a")
    store.write("call", {"call": "f", "words": "w" * 10_000}, {"note": 1}, {})
    entries = {entry.kind: entry for entry in store.entries()}
    assert entries.keys() == {"kernel", "call"}
    kernel = entries["kernel"]
    assert (kernel.key, kernel.bytes, kernel.last_used) == ({"kernel": "a"}, size, 1000)
    assert kernel.path == store.path("kernel", {"kernel": "a"})
    assert kernel.path.name == kernel.digest
    assert entries["call"].key["words"] == "w" * 10_000
    assert entries["call"].manifest["note"] == 1


def test_a_store_that_does_not_exist_is_empty(store) -> None:
    assert list(store.entries()) == []
    assert store.verify() == upkeep.Report(0, 0)
    assert store.clear() == upkeep.Report(0, 0)


def test_an_entry_that_cannot_be_read_has_no_key(store) -> None:
    fill(store, "a")
    store.path("kernel", {"kernel": "a"}).write_bytes(b"damaged")
    assert next(store.entries()).key is None


def test_pruning_removes_what_was_not_used_for_the_longest_time(store) -> None:
    size = fill(store, "abcdef")
    assert store.read("kernel", {"kernel": "b"}) is not None
    report = store.prune(3 * size)
    assert names(store) == "bef"
    assert (report.checked, report.removed, report.removed_bytes) == (6, 3, 3 * size)
    assert store.prune(3 * size).removed == 0


def test_clearing_removes_all_entries_and_nothing_else(store) -> None:
    fill(store, "abc")
    (store.folder / "CACHEDIR.TAG").touch()
    assert store.clear().removed == 3
    assert list(store.entries()) == []
    assert (store.folder / "CACHEDIR.TAG").exists()
    fill(store, "a")
    assert names(store) == "a"


def test_verifying_finds_and_removes_what_is_damaged(store) -> None:
    fill(store, "abcd")
    flipped, renamed, foreign = (store.path("kernel", {"kernel": name}) for name in "abc")
    flipped.write_bytes(flipped.read_bytes()[:-1] + b"\1")
    renamed.rename(renamed.with_name("0" * 64))
    data = foreign.read_bytes()
    foreign.write_bytes(data[:8] + struct.pack("<I", FORMAT_VERSION + 1) + data[12:])
    report = store.verify(remove=False)
    assert {damage.entry.path.name: damage.reason for damage in report.damaged} == {
        flipped.name: "its checksum is wrong",
        "0" * 64: "it was stored under another key",
    }
    assert [damage.entry.path for damage in report.foreign] == [foreign]
    assert report.removed == 0
    assert store.verify().removed == 2
    assert foreign.exists()
    assert store.verify().damaged == ()
    assert names(store) == "d"


def test_writing_evicts_down_to_four_fifths_of_the_limit(store) -> None:
    size = fill(store, "abcdefghij")
    bounded = DiskStore(store.folder, limit=10 * size)
    bounded.read("kernel", {"kernel": "a"})
    bounded.write("kernel", {"kernel": "k"}, {}, {"object": bytes(SIZE)})
    assert names(bounded) == "aefghijk"


def test_a_process_that_writes_much_keeps_looking(tmp_path) -> None:
    store = DiskStore(tmp_path / "store", limit=20 * SIZE)
    for number in range(60):
        store.write("kernel", {"kernel": str(number)}, {}, {"object": bytes(SIZE)})
    assert sum(entry.bytes for entry in store.entries()) <= 21 * SIZE
    assert store.read("kernel", {"kernel": "59"}) is not None


def test_a_store_within_its_limit_loses_nothing(store) -> None:
    size = fill(store, "abc")
    DiskStore(store.folder, limit=4 * size).write("kernel", {"kernel": "d"}, {}, {"object": bytes(SIZE)})
    assert names(store) == "abcd"


def test_what_dead_writers_and_holders_left_is_swept_when_it_is_old(store) -> None:
    fill(store, "a")
    folder = store.path("kernel", {"kernel": "a"}).parent
    (store.folder / "locks").mkdir(exist_ok=True)
    old = [folder / ".x.1.abc.tmp", store.folder / "locks" / "kernel-x"]
    new = [folder / ".y.2.def.tmp", store.folder / "locks" / "kernel-y"]
    for path in (*old, *new):
        path.write_bytes(b"half of an entry")
    for path in old:
        os.utime(path, (time.time() - 4000,) * 2)
    assert len(list(store.entries())) == 1
    DiskStore(store.folder).write("kernel", {"kernel": "b"}, {}, {})
    assert not any(path.exists() for path in old)
    assert all(path.exists() for path in new)


def test_entries_that_vanish_meanwhile_do_not_disturb(store, monkeypatch) -> None:
    fill(store, "abc")
    entries = list(store.entries())
    entries[0].path.unlink()
    monkeypatch.setattr(upkeep, "stored_entries", lambda folder: iter(entries))
    assert store.verify().damaged == ()
    assert store.clear().removed == 2
