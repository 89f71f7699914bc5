"""`sessile cache`: the store from the command line."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from support.command_line import sessile


@pytest.fixture
def filled(monkeypatch: pytest.MonkeyPatch) -> None:
    """A store with the program and the kernels of a model."""
    monkeypatch.setenv("SESSILE_JIT", "always")
    assert sessile("run", "model.py:build", "--feed", "x=x.npy").exit_code == 0


def entries() -> list[dict]:
    return json.loads(sessile("cache", "ls", "--json").stdout)


def test_info_of_an_empty_store(folder: Path):
    result = sessile("cache", "info", "--json")
    report = json.loads(result.stdout)
    assert report["folder"] == str(folder / "store")
    assert (report["usable"], report["bytes"], report["entries"]) == (True, 0, {})
    assert "entries  none" in sessile("cache", "info").stdout


def test_a_store_that_is_switched_off(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SESSILE_CACHE_DIR", "")
    assert json.loads(sessile("cache", "info", "--json").stdout)["folder"] is None
    result = sessile("cache", "ls")
    assert result.exit_code == 1 and result.stderr == "Error: nothing is stored: SESSILE_CACHE_DIR is empty\n"


def test_a_size_that_is_none(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setenv("SESSILE_CACHE_SIZE", "much")
    result = sessile("cache", "info")
    assert result.exit_code == 1 and "SESSILE_CACHE_SIZE is 'much'" in result.stderr


def test_entries_are_listed(filled: None):
    listed = entries()
    assert {"executable", "call"} <= {entry["kind"] for entry in listed}
    assert all(Path(entry["path"]).stat().st_size == entry["bytes"] for entry in listed)
    table = sessile("cache", "ls", "--sort", "size")
    assert all(entry["digest"][:12] in table.stdout for entry in listed)
    executables = json.loads(sessile("cache", "ls", "--kind", "executable", "--json").stdout)
    assert [entry["kind"] for entry in executables] == ["executable"] * len(executables)


def test_a_model_is_found_once_it_has_run(filled: None):
    found = json.loads(sessile("cache", "explain", "model.py:build", "--json").stdout)
    assert found["found"] is True and found["differences"] == []
    assert "model.py:build is in the store" in sessile("cache", "explain", "model.py:build").stdout


def test_a_change_is_explained_by_field_and_line(filled: None, folder: Path):
    changed = (folder / "model.py").read_text().replace("tf.nn.relu", "tf.nn.tanh")
    (folder / "changed.py").write_text(changed)
    report = json.loads(sessile("cache", "explain", "changed.py:build", "--json").stdout)
    assert report["found"] is False
    assert [difference["field"] for difference in report["differences"]] == ["program"]
    lines = report["program_difference"]
    assert any(line.startswith("+ ") and "map tanh" in line for line in lines)
    assert any(line.startswith("- ") and "map max" in line for line in lines)
    shown = sessile("cache", "explain", "changed.py:build").stdout
    assert "is not in the store; the nearest entry" in shown and "map tanh" in shown
    both = sessile("cache", "explain", "changed.py:build", "model.py:build").stdout
    assert "differs from model.py:build in" in both


def test_two_entries_are_compared(filled: None):
    sessile("run", "model.py:two_inputs", "--feed", "a=[1]", "--feed", "b=[1]")
    digests = [entry["digest"] for entry in entries() if entry["kind"] == "executable"]
    assert len(digests) >= 2
    result = sessile("cache", "explain", digests[0][:10], digests[1][:10])
    assert result.exit_code == 0 and "program: wanted" in result.stdout
    unknown = sessile("cache", "explain", "0" * 12)
    assert unknown.exit_code == 2 and "no entry has a digest that begins with" in unknown.stderr
    call = next(entry["digest"] for entry in entries() if entry["kind"] == "call")
    assert sessile("cache", "explain", digests[0], call).exit_code == 2


def test_damage_is_found_and_removed(filled: None):
    assert sessile("cache", "verify").exit_code == 0
    victim = Path(entries()[0]["path"])
    victim.chmod(0o600)
    victim.write_bytes(victim.read_bytes()[:-1])
    kept = sessile("cache", "verify", "--keep")
    assert kept.exit_code == 1 and str(victim) in kept.stdout and victim.exists()
    assert sessile("cache", "verify").exit_code == 1
    assert not victim.exists()
    assert sessile("cache", "verify").exit_code == 0


def test_clearing_asks_first(filled: None):
    count = len(entries())
    refused = sessile("cache", "clear", input="n\n")
    assert refused.exit_code == 1 and len(entries()) == count
    assert f"Remove {count} entries" in refused.stderr
    assert sessile("cache", "clear", input="y\n").exit_code == 0
    assert entries() == []


def test_clearing_without_a_question(filled: None):
    assert re.match(r"removed \d+ entries", sessile("cache", "clear", "--yes").stdout)
    assert entries() == []


def test_pruning_to_a_size(filled: None):
    largest = max(entry["bytes"] for entry in entries())
    assert sessile("cache", "prune", str(largest)).exit_code == 0
    assert 0 < sum(entry["bytes"] for entry in entries()) <= largest
    assert sessile("cache", "prune", "a lot").exit_code == 2


def test_a_folder_that_is_not_safe_costs_a_warning_in_one_line(folder: Path):
    (folder / "store").mkdir(mode=0o777)
    (folder / "store").chmod(0o777)
    result = sessile("run", "model.py:two_inputs", "--feed", "a=[1]", "--feed", "b=[2]")
    assert result.exit_code == 0
    (line,) = result.stderr.splitlines()
    assert line.startswith("warning: sessile stores no kernels in ") and "chmod 700" in line
    assert sessile("cache", "ls").exit_code == 1
    assert "trouble  " in sessile("cache", "info").stdout
