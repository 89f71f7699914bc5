"""Why something is in the store or not: keys field by field, and programs line by line.

In: models and digests. Out: plain data with what was looked for, the entry that it was compared with, the fields that
differ, and the lines in which the programs differ.
"""

from __future__ import annotations

import difflib
import hashlib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import click

from sessile.compiler.program_entry import decompressed
from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.explain import Difference, explain, key_differences
from sessile.compiler.store.kernel_cache import KIND, kernel_key
from sessile.compiler.store.program_entries import EXECUTABLE, PROGRAM, ProgramEntries
from sessile.compiler.store.upkeep import StoredEntry
from sessile.compiler.target import Target
from sessile.ir.printer import canonical_text
from sessile.runtime.command_line.inspection.graph_inspection import GraphInspection
from sessile.runtime.command_line.models.input_values import read_sizes, values_for
from sessile.runtime.command_line.models.model import load_model
from sessile.runtime.command_line.models.selection import select

_SHORTEST_DIGEST = 4
_MOST_LINES = 40
_LEAST_LIKENESS = 0.5
_VALUE = re.compile(r"%\d+")


@dataclass(frozen=True)
class Call:
    """What the options say about a model: see `sessile run`."""

    feeds: Sequence[str]
    fetches: Sequence[str]
    sizes: Sequence[str]
    initialize: Sequence[str]


@dataclass(frozen=True)
class Subject:
    """Something that has a key: an entry, or a model as it would be looked for.

    Attributes:
      name: what the user called it.
      kind: of the entry.
      key: what it is stored under.
      text: the canonical text of a program; "" for what is none.
      lowered: whether the store has a model's program as it was lowered; None for entries.
      kernels: the kernels of a model by name, and whether the store has them; None for entries.
    """

    name: str
    kind: str
    key: Mapping[str, str]
    text: str = ""
    lowered: bool | None = None
    kernels: Mapping[str, bool] | None = None


def explanation(store: DiskStore, call: Call, subject: str, other: str | None) -> dict[str, Any]:
    """What there is to say about one subject, or two.

    Raises click.BadParameter for a subject that is neither an entry nor a model, and for two of different kinds.
    """
    one = _subject(store, call, subject)
    if other is not None:
        two = _subject(store, call, other)
        if one.kind != two.kind:
            raise click.BadParameter(f"{subject!r} is of the kind {one.kind}, {other!r} of the kind {two.kind}.")
        report = _report(one, two, key_differences(one.key, two.key), found=one.key == two.key)
        return {**report, "is_nearest": False}
    if one.kernels is None:
        return _nearest_other(store, one)
    result = explain(one.key, store, one.kind)
    nearest = None if result.nearest is None else _entry_subject(store, result.nearest)
    return _report(one, nearest, result.differences, result.found)


def _subject(store: DiskStore, call: Call, text: str) -> Subject:
    is_digest = len(text) >= _SHORTEST_DIGEST and not set(text) - set("0123456789abcdef")
    if not is_digest:
        return _model_subject(store, call, text)
    found = [entry for entry in store.entries() if entry.digest.startswith(text)]
    if len(found) != 1:
        number = "no entry has" if not found else f"{len(found)} entries have"
        raise click.BadParameter(f"{number} a digest that begins with {text}; see `sessile cache ls`.")
    return _entry_subject(store, found[0])


def _model_subject(store: DiskStore, call: Call, source: str) -> Subject:
    selection = select(load_model(source, call.initialize), call.fetches, call.feeds, adds_placeholders=True)
    inspection = GraphInspection(selection, values_for(selection.inputs, read_sizes(call.sizes)))
    text = canonical_text(inspection.lowered)
    digest = hashlib.sha256(text.encode()).hexdigest()
    key = ProgramEntries.executable_key(digest)
    lowered = store.contains(PROGRAM, ProgramEntries.program_key(digest))
    target = Target.host()
    names = [source.name for source in inspection.optimized.sources]
    kernels = {name: store.contains(KIND, kernel_key(name, target)) for name in names}
    return Subject(source, EXECUTABLE, key, text, lowered, kernels)


def _entry_subject(store: DiskStore, entry: StoredEntry) -> Subject:
    key = entry.key
    if key is None:
        raise click.BadParameter(f"the entry {entry.digest[:12]} is damaged: `sessile cache verify` tells more.")
    read = store.read(entry.kind, key)
    section = None if read is None else read.sections.get("text")
    return Subject(entry.digest[:12], entry.kind, key, "" if section is None else decompressed(section))


def _nearest_other(store: DiskStore, one: Subject) -> dict[str, Any]:
    """The entry compared with the one that is most like it."""
    others = [entry for entry in store.entries() if entry.kind == one.kind and entry.key not in (None, dict(one.key))]
    if not others:
        return _report(one, None, (), found=True)
    nearest = min(others, key=lambda entry: len(list(key_differences(one.key, entry.key or {}))))
    two = _entry_subject(store, nearest)
    return _report(one, two, key_differences(one.key, two.key), found=True)


def _report(one: Subject, two: Subject | None, differences: Any, found: bool) -> dict[str, Any]:
    report: dict[str, Any] = {
        "subject": one.name,
        "kind": one.kind,
        "found": found,
        "compared_with": None if two is None else two.name,
        "key": dict(one.key),
        "is_nearest": True,
        "differences": [_difference(each) for each in differences],
    }
    if one.kernels is not None:
        report["lowered_found"] = one.lowered
        report["kernels"] = dict(one.kernels)
    if two is not None and one.text and two.text and one.text != two.text:
        report["program_difference"] = _program_difference(one, two)
    return report


def _program_difference(one: Subject, two: Subject) -> list[str]:
    """The lines in which two programs differ, whatever the numbers of values; none where they have little in common."""
    before, after = two.text.splitlines(), one.text.splitlines()
    bare = [[_VALUE.sub("%", line) for line in lines] for lines in (before, after)]
    matcher = difflib.SequenceMatcher(a=bare[0], b=bare[1], autojunk=False)
    if matcher.ratio() < _LEAST_LIKENESS:
        return []
    changed = [opcode for opcode in matcher.get_opcodes() if opcode[0] != "equal"]
    lines = [[f"- {line}" for line in before[i:j]] + [f"+ {line}" for line in after[k:m]] for _, i, j, k, m in changed]
    return [line for part in lines for line in part]


def _difference(each: Difference) -> dict[str, Any]:
    return {"field": each.field, "wanted": each.wanted, "stored": each.stored, "words": str(each)}


# --- for people


def show_explanation(report: Mapping[str, Any]) -> None:
    """Prints an explanation."""
    kind, differences, other = report["kind"], report["differences"], report["compared_with"]
    if other is None and not report["found"]:
        click.echo(f"{report['subject']} is not in the store, which has nothing of the kind {kind}")
    elif not differences and report["is_nearest"] and "kernels" in report:
        click.echo(f"{report['subject']} is in the store: the {kind} {other}")
    elif not differences:
        click.echo(f"{report['subject']} ({kind}): {f'the same key as {other}' if other else 'there is no other'}")
    else:
        is_missing = not report["found"] and report["is_nearest"]
        word = "is not in the store; the nearest entry" if is_missing else "differs from"
        click.echo(f"{report['subject']} ({kind}) {word} {other}{' differs' if is_missing else ''} in")
        for each in differences:
            click.echo(f"  {each['words']}")
    if report.get("lowered_found") and not report["found"]:
        click.echo("the program as it was lowered is in the store: it has run, but was not compiled yet")
    _show_kernels(report.get("kernels"))
    lines = report.get("program_difference", [])
    if lines:
        click.echo("\nthe programs in canonical form:")
    for line in lines[:_MOST_LINES]:
        click.echo(f"  {line}")
    if len(lines) > _MOST_LINES:
        click.echo(f"  ... and {len(lines) - _MOST_LINES} more lines (--json shows all)")


def _show_kernels(kernels: Mapping[str, bool] | None) -> None:
    if not kernels:
        return
    missing = [name for name, is_there in kernels.items() if not is_there]
    click.echo(f"kernels: {len(kernels) - len(missing)} of {len(kernels)} are in the store")
    for name in missing:
        click.echo(f"  missing: {name}")
