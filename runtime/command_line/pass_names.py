"""The names of the compiler's passes, as options take them."""

from __future__ import annotations

from collections.abc import Iterable
from pkgutil import iter_modules

import click

from sessile.compiler import passes
from sessile.runtime.command_line.failures import did_you_mean


def all_pass_names() -> list[str]:
    """The passes that exist."""
    return sorted(module.name.replace("_", "-") for module in iter_modules(passes.__path__))


def checked_pass_names(names: Iterable[str], others: Iterable[str] = ()) -> list[str]:
    """The names, if there are passes of all of them, or they are among `others`. Raises click.BadParameter."""
    known = [*others, *all_pass_names()]
    wanted = list(names)
    for name in wanted:
        if name not in known:
            raise click.BadParameter(
                f"no pass is called {name!r}.{did_you_mean(name, known)} There are {', '.join(known)}."
            )
    return wanted
