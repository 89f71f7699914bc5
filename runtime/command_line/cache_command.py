"""`sessile cache`: what the store on disk holds, why something is not found in it, and its upkeep."""

from __future__ import annotations

import json
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import click

from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.store_folder import (
    FOLDER_VARIABLE,
    SIZE_VARIABLE,
    FolderState,
    cache_folder,
    cache_limit,
    inspect_folder,
    parse_size,
)
from sessile.compiler.store.upkeep import StoredEntry
from sessile.runtime.command_line.command import CommandGroup
from sessile.runtime.command_line.failures import CommandFailure
from sessile.runtime.command_line.options import feed_option, fetch_option, initialize_option, json_option, size_option
from sessile.runtime.command_line.tables import bytes_text, show_table

_ORDERS: dict[str, Callable[[StoredEntry], Any]] = {
    "used": lambda entry: -entry.last_used,
    "size": lambda entry: -entry.bytes,
    "kind": lambda entry: (entry.kind, -entry.last_used),
}


@click.group(cls=CommandGroup)
def command() -> None:
    """Look at the store of compiled kernels and programs, and clear it.

    The store is a folder that outlives the process: SESSILE_CACHE_DIR, or the platform's folder for such things.
    """


def _state() -> FolderState:
    try:
        return inspect_folder(cache_folder(), cache_limit())
    except ValueError as error:
        raise CommandFailure(str(error)) from None


def _store() -> DiskStore:
    state = _state()
    if state.store is None:
        raise CommandFailure(state.trouble or f"nothing is stored: {FOLDER_VARIABLE} is empty")
    if state.trouble:
        click.echo(f"warning: {state.trouble}", err=True)
    return state.store


def _writable_store() -> DiskStore:
    store = _store()
    if not store.writable:
        raise CommandFailure(f"the store {store.folder} can only be read")
    return store


# --- looking


@command.command(examples="sessile cache info")
@json_option
def info(as_json: bool) -> None:
    """Tell where the store is, how large it is, and what it holds."""
    state = _state()
    entries = list(state.store.entries()) if state.store else []
    kinds = Counter(entry.kind for entry in entries)
    report: dict[str, Any] = {
        "folder": None if state.folder is None else str(state.folder),
        "usable": state.store is not None,
        "writable": state.store is not None and state.store.writable,
        "trouble": state.trouble,
        "bytes": sum(entry.bytes for entry in entries),
        "limit_bytes": cache_limit(),
        "entries": dict(kinds),
    }
    if as_json:
        click.echo(json.dumps(report, indent=2))
        return
    click.echo(f"folder   {report['folder'] or f'none: {FOLDER_VARIABLE} is empty'}")
    click.echo(f"size     {bytes_text(report['bytes'])} of {bytes_text(report['limit_bytes'])} ({SIZE_VARIABLE})")
    click.echo(f"entries  {', '.join(f'{count} {kind}' for kind, count in kinds.items()) or 'none'}")
    if state.trouble:
        click.echo(f"trouble  {state.trouble}")


@command.command("ls", examples="sessile cache ls --kind kernel --sort size")
@click.option("--kind", metavar="KIND", help="Only entries of this kind: kernel, program, executable, call ...")
@click.option("--sort", type=click.Choice(list(_ORDERS)), default="used", show_default=True, help="In which order.")
@json_option
def list_entries(kind: str | None, sort: str, as_json: bool) -> None:
    """List the entries of the store, those that were used last first."""
    entries = sorted((e for e in _store().entries() if kind in (None, e.kind)), key=_ORDERS[sort])
    if as_json:
        click.echo(json.dumps([_entry_as_json(entry) for entry in entries], indent=2))
        return
    now = time.time()
    rows = [(e.digest[:12], e.kind, bytes_text(e.bytes), _ago(now - e.last_used), subject_of(e)) for e in entries]
    show_table(f"{len(rows)} entries", ("digest", "kind", ">size", ">used", "what"), rows)


def _entry_as_json(entry: StoredEntry) -> dict[str, Any]:
    return {
        "kind": entry.kind,
        "digest": entry.digest,
        "path": str(entry.path),
        "bytes": entry.bytes,
        "last_used": entry.last_used,
        "key": entry.key,
    }


def subject_of(entry: StoredEntry) -> str:
    """What an entry is about: the kernel's name, or the digest of a program or call."""
    key = entry.key
    if key is None:
        return "cannot be read"
    return key.get(entry.kind) or next((key[name] for name in ("kernel", "program", "call") if name in key), "")


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit} ago"
    return "just now"


_EXPLAIN_EXAMPLES = """
sessile cache explain model.py:build
sessile cache explain model.py:build other.py:build
sessile cache explain 3f9a1c0e
sessile cache explain 3f9a1c0e 77d0a1b2
"""


@command.command(examples=_EXPLAIN_EXAMPLES)
@click.argument("subject", metavar="SUBJECT")
@click.argument("other", metavar="[OTHER]", required=False)
@feed_option("An input of a model: its type and shape, or its value. Repeatable.")
@fetch_option
@size_option
@initialize_option
@json_option
def explain(
    subject: str,
    other: str | None,
    feeds: tuple[str, ...],
    fetches: tuple[str, ...],
    sizes: tuple[str, ...],
    initialize: tuple[str, ...],
    as_json: bool,
) -> None:
    """Say why a model is or is not found in the store, or how two entries differ.

    SUBJECT and OTHER are models, or the first digits of digests (see `sessile cache ls`). One subject is compared with
    the nearest entry of its kind, two with each other: field by field, and line by line where programs differ.
    """
    from sessile.runtime.command_line.cache_explanation import Call, explanation, show_explanation

    call = Call(feeds, fetches, sizes, initialize)
    report = explanation(_store(), call, subject, other)
    if as_json:
        click.echo(json.dumps(report, indent=2))
    else:
        show_explanation(report)


# --- upkeep


@command.command(examples="sessile cache verify --keep")
@click.option("--keep", is_flag=True, help="Leave damaged entries where they are.")
def verify(keep: bool) -> None:
    """Verify the checksum of every entry, and remove those that are damaged.

    The exit code is 1 if any was damaged.
    """
    store = _store() if keep else _writable_store()
    report = store.verify(remove=not keep)
    for damage in report.damaged:
        click.echo(f"damaged: {damage.entry.path}: {damage.reason}")
    for damage in report.foreign:
        click.echo(f"of another version, left alone: {damage.entry.path}: {damage.reason}")
    found = f"{len(report.damaged)} damaged, {report.removed} removed" if report.damaged else "all as they were written"
    click.echo(f"{report.checked} entries, {bytes_text(report.checked_bytes)}: {found}")
    if report.damaged:
        click.get_current_context().exit(1)


@command.command(examples="sessile cache clear --yes")
@click.option("--yes", "-y", is_flag=True, help="Do not ask.")
def clear(yes: bool) -> None:
    """Remove all entries."""
    store = _writable_store()
    entries = list(store.entries())
    if entries and not yes:
        size = bytes_text(sum(entry.bytes for entry in entries))
        click.confirm(f"Remove {len(entries)} entries, {size}, from {store.folder}?", abort=True, err=True)
    report = store.clear()
    click.echo(f"removed {report.removed} entries, {bytes_text(report.removed_bytes)}")


@command.command(examples="sessile cache prune 200M")
@click.argument("size", metavar="[SIZE]", required=False)
def prune(size: str | None) -> None:
    """Remove the entries that were not used for the longest time, until SIZE is left.

    SIZE is a number of bytes such as 500M or 2G. [default: the limit, SESSILE_CACHE_SIZE]
    """
    store = _writable_store()
    try:
        limit = store.limit if size is None else parse_size(size, "SIZE")
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from None
    report = store.prune(limit)
    left = report.checked_bytes - report.removed_bytes
    click.echo(f"removed {report.removed} of {report.checked} entries; {bytes_text(left)} are left")
