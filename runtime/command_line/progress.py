"""Shows how far a long compilation is: a bar on standard error, if a person is there to see it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from sessile.runtime.command_line.tables import console


class Report(Protocol):
    """Is told what was compiled last, and how many of how many kernels are ready."""

    def __call__(self, name: str, number: int, count: int, /) -> None: ...


@contextmanager
def shown_progress(title: str) -> Iterator[Report]:
    """A bar for as long as the block lasts; the block calls what it is given after each kernel."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

    error = console(to_standard_error=True)
    columns = [
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    ]
    with Progress(*columns, console=error, transient=True, disable=not error.is_terminal) as bar:
        task = bar.add_task(title, total=None)
        yield lambda name, number, count: bar.update(
            task, completed=number, total=count, description=f"{title}: {name}"
        )


@contextmanager
def shown_wait(title: str) -> Iterator[None]:
    """A sign of life for as long as the block lasts, for work that does not tell how far it is."""
    error = console(to_standard_error=True)
    if not error.is_terminal:
        yield
        return
    with error.status(title):
        yield
