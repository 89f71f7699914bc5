"""What all commands have in common: the option `--traceback`, and examples below the help."""

from __future__ import annotations

import os
from typing import Any

import click

_TRACEBACK = "sessile.traceback"
_LONGEST_SUMMARY = 120


class Command(click.Command):
    """A command of `sessile`; `examples` are shown at the end of its help."""

    def __init__(self, *args: Any, examples: str = "", **options: Any) -> None:
        if examples:
            options["epilog"] = "\b\nExamples:\n" + "\n".join(f"  {line}" for line in examples.strip().splitlines())
        super().__init__(*args, **options)
        self.params.append(traceback_option())


class CommandGroup(click.Group):
    """A command that has commands of its own."""

    command_class = Command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        """Lists the commands, each with the whole first sentence of its help."""
        with formatter.section("Commands"):
            summaries = [(name, each.get_short_help_str(_LONGEST_SUMMARY)) for name, each in self.commands.items()]
            formatter.write_dl(summaries)


def traceback_option() -> click.Option:
    """The option `--traceback`."""
    help = "Show Python's traceback of an error (also with SESSILE_DEBUG=1)."
    return click.Option(["--traceback"], is_flag=True, expose_value=False, callback=_note_traceback, help=help)


def shows_tracebacks(context: click.Context) -> bool:
    """Whether the user wants to see tracebacks."""
    return bool(context.meta.get(_TRACEBACK)) or os.environ.get("SESSILE_DEBUG", "0") not in ("", "0")


def _note_traceback(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value:
        context.meta[_TRACEBACK] = True
