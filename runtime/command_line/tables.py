"""Tables for terminals; as wide as they need to be where the output goes to a file or another program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

_WIDE = 250


def console(to_standard_error: bool = False) -> Console:
    """A console for what a command prints."""
    from rich.console import Console

    made = Console(stderr=to_standard_error, highlight=False)
    return made if made.is_terminal else Console(stderr=to_standard_error, highlight=False, width=_WIDE)


def show_table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """Prints a table and an empty line; a column whose title begins with `>` is aligned to the right."""
    from rich.box import SIMPLE_HEAD
    from rich.table import Table

    table = Table(
        title=title, title_justify="left", title_style="bold", box=SIMPLE_HEAD, show_edge=False, pad_edge=False
    )
    for column in columns:
        is_number = column.startswith(">")
        table.add_column(column.removeprefix(">"), justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(_cell(value) for value in row))
    show(table)
    click.echo()


def show(table: Table) -> None:
    """Prints a table of rich's; what goes to a file has no spaces at the ends of lines."""
    terminal = console()
    if terminal.is_terminal:
        terminal.print(table)
        return
    with terminal.capture() as captured:
        terminal.print(table)
    click.echo("\n".join(line.rstrip() for line in captured.get().rstrip("\n").split("\n")))


def _cell(value: Any) -> Any:
    from rich.text import Text

    return Text("" if value is None else str(value))


def bytes_text(number: int | None) -> str:
    """A number of bytes as people read it: `512 B`, `1.5 KiB`, `20 MiB`."""
    if number is None:
        return "depends on data"
    size = float(number)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            return f"{size:.0f} B" if unit == "B" else f"{size:.3g} {unit}"
        size /= 1024
    raise AssertionError


def count_text(number: int | None) -> str:
    """A large count with three digits: `950`, `1.2 k`, `3.45 M`."""
    if number is None:
        return "depends on data"
    size = float(number)
    for unit in ("", " k", " M", " G"):
        if size < 1000 or unit == " G":
            return f"{size:.3g}{unit}"
        size /= 1000
    raise AssertionError
