"""The entry of the command line: finds the command, and turns whatever goes wrong into one message and an exit code.

Exit codes: 0 when all went well, 1 when something failed, 2 for a command line that makes no sense, 130 after Ctrl-C.
"""

from __future__ import annotations

import difflib
import importlib
import traceback
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import click

from sessile.runtime.command_line.command import shows_tracebacks, traceback_option
from sessile.runtime.command_line.failures import INTERRUPTED, message_of

COMMANDS = {
    "compile": ("compile_command", "Compile a model ahead of time: a bundle for Python, or a library for C."),
    "run": ("run_command", "Run a model or a bundle on arrays from files."),
    "inspect": ("inspect_command", "Show what a model consists of, and what the compiler makes of it."),
    "bench": ("bench_command", "Measure the latency and throughput of a model."),
    "opt": ("opt_command", "Run compiler passes on the text of a program."),
    "cache": ("cache_command", "Look at the store of compiled kernels and programs, and clear it."),
    "doctor": ("doctor_command", "Tell what this installation has and what it lacks."),
}
"""For each command the module that defines it as `command`, and its summary."""

_EXAMPLES = """\b
Examples:
  sessile run model.py:build --feed x=input.npy -o out.npz
  sessile inspect frozen.pb --fetch probabilities --html model.html
  sessile compile frozen.pb --feed 'x:float32[batch,64]' --fetch y -o model.sessile
"""


class CommandLine(click.Group):
    """The group of all commands; each is imported when it is called."""

    def list_commands(self, context: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, context: click.Context, name: str) -> click.Command | None:
        if name not in COMMANDS:
            return None
        module = importlib.import_module(f"sessile.runtime.command_line.{COMMANDS[name][0]}")
        command: click.Command = module.command
        return command

    def resolve_command(self, context: click.Context, arguments: list[str]) -> Any:
        name = arguments[0]
        if name not in COMMANDS and not name.startswith("-"):
            near = difflib.get_close_matches(name, COMMANDS, n=1)
            hint = f" Did you mean {near[0]!r}?" if near else f" There are {', '.join(COMMANDS)}."
            context.fail(f"No command is called {name!r}.{hint}")
        return super().resolve_command(context, arguments)

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def invoke(self, context: click.Context) -> Any:
        try:
            with warnings.catch_warnings():
                warnings.showwarning = _show_warning
                return super().invoke(context)
        except (click.exceptions.Exit, click.ClickException, click.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            click.echo("sessile: interrupted", err=True)
            context.exit(INTERRUPTED)
        except Exception as error:
            if shows_tracebacks(context):
                traceback.print_exc()
            raise click.ClickException(message_of(error)) from error


def _show_warning(message: Warning | str, *place: object, **more: object) -> None:
    click.echo(f"warning: {message}", err=True)


def _show_version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        from importlib.metadata import version  # 40 ms, which all other commands need not pay

        click.echo(f"sessile {version('sessile')}")
        context.exit()


_VERSION = click.Option(
    ["--version"],
    is_flag=True,
    expose_value=False,
    is_eager=True,
    callback=_show_version,
    help="Show the version of this package.",
)

command_line = CommandLine(
    "sessile",
    params=[_VERSION, traceback_option()],
    help="Compile, run, inspect and measure TensorFlow-1 style models.",
    epilog=_EXAMPLES,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
)


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line and ends the process with its exit code."""
    run: Callable[..., Any] = command_line.main
    run(args=None if arguments is None else list(arguments), prog_name="sessile")
