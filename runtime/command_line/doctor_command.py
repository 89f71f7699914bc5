"""`sessile doctor`: the report on this installation (`sessile.runtime.doctor`)."""

from __future__ import annotations

import click

from sessile.runtime.command_line.command import Command
from sessile.runtime.doctor import report


@click.command(cls=Command, examples="sessile doctor")
def command() -> None:
    """Tell what this installation has and what it lacks.

    Versions, the processor's features, threads, settings, the folder of the cache, and the parts that CUDA needs.
    """
    click.echo(report())
