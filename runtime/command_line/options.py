"""The options that several commands share."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click

Decorator = Callable[[Callable[..., Any]], Callable[..., Any]]

model_argument: Decorator = click.argument("model", metavar="MODEL")

fetch_option: Decorator = click.option(
    "--fetch",
    "-f",
    "fetches",
    metavar="NAME",
    multiple=True,
    help="What to compute: the name of a tensor or operation. Repeatable. [default: what the model returns; for a "
    "GraphDef the outputs that no operation uses]",
)

initialize_option: Decorator = click.option(
    "--init",
    "initialize",
    metavar="NAME",
    multiple=True,
    help="An operation to run first, such as the one that initializes the variables of a GraphDef.",
)

json_option: Decorator = click.option("--json", "as_json", is_flag=True, help="Write JSON to standard output.")


def feed_option(help: str) -> Decorator:
    """The option `--feed`, with what it means to the command."""
    return click.option("--feed", "feeds", metavar="NAME[:DTYPE[SHAPE]][=VALUE]", multiple=True, help=help)


size_option: Decorator = click.option(
    "--size",
    "sizes",
    metavar="NAME=N",
    multiple=True,
    help="The number for a size that the model leaves open: its name in --feed, or ? for nameless first ones.",
)
