"""A miss is explained by the nearest entry, field by field."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.explain import Difference, explain

KEY = {"kernel": "kernel_add", "sessile": "0.1.0", "code": "aa", "triple": "x86_64-linux", "features": "avx,avx2,fma"}


@pytest.fixture
def store(tmp_path: Path) -> DiskStore:
    return DiskStore(tmp_path)


def keep(store: DiskStore, kind: str = "kernel", used: int = 1000, **fields: str) -> dict[str, str]:
    key = {**KEY, **fields}
    store.write(kind, key, {}, {})
    os.utime(store.path(kind, key), (used, used))
    return key


def test_an_entry_that_is_there_is_found(store) -> None:
    keep(store, code="bb")
    keep(store)
    explanation = explain(KEY, store, "kernel")
    assert explanation.found
    assert explanation.nearest.key == KEY
    assert explanation.differences == ()


def test_an_empty_store_has_nothing_near(store) -> None:
    keep(store, kind="call")
    explanation = explain(KEY, store, "kernel")
    assert (explanation.found, explanation.nearest, explanation.differences) == (False, None, ())


def test_the_same_kernel_of_another_version_is_nearer_than_another_kernel(store) -> None:
    keep(store, kernel="kernel_sub")
    old = keep(store, code="bb", sessile="0.0.9")
    explanation = explain(KEY, store, "kernel")
    assert explanation.nearest.key == old
    assert not explanation.found
    assert explanation.differences == (Difference("sessile", "0.1.0", "0.0.9"), Difference("code", "aa", "bb"))


def test_of_equals_the_one_that_was_used_last_is_nearest(store) -> None:
    for used, code in ((2000, "b"), (3000, "c"), (1000, "d")):
        keep(store, used=used, code=code)
    assert explain(KEY, store, "kernel").nearest.key["code"] == "c"


def test_damaged_entries_are_passed_over(store) -> None:
    store.path("kernel", keep(store, code="bb")).write_bytes(b"damaged")
    assert explain(KEY, store, "kernel").nearest is None


def test_differences_read_well() -> None:
    assert str(Difference("code", "aa", "bb")) == "code: wanted aa, stored bb"
    assert str(Difference("cpu", None, "znver4")) == "cpu: wanted none, stored znver4"
    assert str(Difference("features", "avx,fma", "avx,sse")) == (
        "features: not stored: fma; stored but not wanted: sse"
    )
    assert str(Difference("features", "avx,fma", "avx")) == "features: not stored: fma"
