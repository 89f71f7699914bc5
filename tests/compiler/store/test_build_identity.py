"""Keys name everything that code depends on, find changes of our own files, and are the same in every process."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from importlib.metadata import version
from pathlib import Path

import pytest

from sessile.compiler.store import build_identity
from sessile.compiler.store.build_identity import ENVIRONMENT_FIELDS, build_fields, code_digest, target_fields
from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.entry_key import key_digest
from sessile.compiler.store.kernel_cache import kernel_key
from sessile.compiler.target import Target

HOST = Target.host()


def test_versions_are_those_of_the_packages() -> None:
    fields = build_fields()
    for package in ("sessile", "numba", "llvmlite", "numpy"):
        assert fields[package] == version(package)
    assert fields["python"] == f"{sys.version_info[0]}.{sys.version_info[1]}"
    assert len(fields["code"]) == 64


def test_every_field_but_the_kernel_is_one_of_the_environment() -> None:
    key = kernel_key("kernel_a", Target(HOST.triple, "other", "+avx"))
    assert key.keys() - {"kernel"} == set(ENVIRONMENT_FIELDS) - {"settings"}


def test_settings_of_numba_enter_the_key(monkeypatch) -> None:
    monkeypatch.setenv("NUMBA_NUM_THREADS", "2")
    assert "settings" not in build_fields.__wrapped__()
    monkeypatch.setenv("NUMBA_USE_LEGACY_TYPE_SYSTEM", "0")
    assert build_fields.__wrapped__()["settings"] == "NUMBA_USE_LEGACY_TYPE_SYSTEM=0"


def test_a_package_without_metadata_on_the_path_is_still_found(monkeypatch) -> None:
    monkeypatch.setattr(build_identity, "_installed_versions", dict)
    assert build_fields.__wrapped__()["numba"] == version("numba")


def test_instruction_sets_enter_the_key_and_tuning_does_not() -> None:
    tuned = Target(HOST.triple, HOST.cpu, "+avx,+fma,+fast-gather,+prefer-256-bit,+slow-unaligned-mem-32")
    plain = Target(HOST.triple, HOST.cpu, "+avx,+fma,-prefer-256-bit")
    assert target_fields(tuned)["features"] == target_fields(plain)["features"] == "avx,fma"
    weaker = HOST.features.replace("+", "-", 1)
    assert target_fields(Target(HOST.triple, HOST.cpu, weaker))["features"] != target_fields(HOST)["features"]


def test_the_name_of_the_processor_matters_only_without_a_list_of_features() -> None:
    assert target_fields(Target(HOST.triple, "another", HOST.features)) == target_fields(HOST)
    first, second = (target_fields(Target("x86_64-unknown-linux-gnu", cpu, "")) for cpu in ("x86-64-v2", "x86-64-v3"))
    assert first != second


@pytest.fixture
def sources(tmp_path: Path, monkeypatch) -> Path:
    """A few files that stand for our own, settled for a while."""
    for name in ("a.py", "deep/b.py", "__pycache__/a.pyc", "note.txt"):
        path = tmp_path / "compiler" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# {name}\n")
        os.utime(path, (time.time() - 100,) * 2)
    monkeypatch.setattr(
        build_identity, "_source_files", lambda: build_identity._files_below(str(tmp_path / "compiler"), "compiler")
    )
    store = DiskStore(tmp_path / "store")
    monkeypatch.setattr(build_identity, "disk_store", lambda: store)
    return tmp_path / "compiler"


def test_the_digest_of_our_code_is_kept_in_the_store(sources, monkeypatch) -> None:
    digest = code_digest()
    monkeypatch.setattr(build_identity, "_digest", lambda files: "computed again")
    assert code_digest() == digest


@pytest.mark.parametrize("name", ["a.py", "deep/b.py", "new.py"])
def test_a_change_of_our_code_changes_the_digest(sources, name) -> None:
    before = code_digest()
    status = (sources / name).stat() if (sources / name).exists() else None
    (sources / name).write_text(f"# {name}!"[: status.st_size] if status else "# new\n")
    if status:
        os.utime(sources / name, ns=(status.st_atime_ns, status.st_mtime_ns))
    assert code_digest() != before


@pytest.mark.parametrize("name", ["__pycache__/a.pyc", "note.txt"])
def test_other_files_do_not_matter(sources, name) -> None:
    before = code_digest()
    (sources / name).write_text("something else")
    assert code_digest() == before


def test_the_digest_of_files_that_may_still_change_is_not_kept(sources, monkeypatch) -> None:
    (sources / "a.py").write_text("# changed just now\n")
    code_digest()
    monkeypatch.setattr(build_identity, "_digest", lambda files: "computed again")
    assert code_digest() == "computed again"


def test_the_place_of_our_files_does_not_matter(sources, monkeypatch) -> None:
    before = code_digest()
    moved = sources.rename(sources.parent / "moved")
    monkeypatch.setattr(build_identity, "_source_files", lambda: build_identity._files_below(str(moved), "compiler"))
    assert code_digest() == before


def test_keys_do_not_depend_on_the_hash_seed() -> None:
    program = (
        "from sessile.compiler.store.kernel_cache import kernel_key\n"
        "from sessile.compiler.store.entry_key import key_digest\n"
        "from sessile.compiler.target import Target\n"
        "print(key_digest(kernel_key('kernel_a', Target.host())))\n"
    )
    digests = {key_digest(kernel_key("kernel_a", HOST))}
    for seed in ("1", "2"):
        environment = {**os.environ, "PYTHONHASHSEED": seed}
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment)
        assert done.returncode == 0, done.stderr
        digests.add(done.stdout.strip())
    assert len(digests) == 1
