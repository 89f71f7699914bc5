"""Bundles as models: which files are bundles, and what their inputs are. Nothing here needs a graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from sessile.compiler.aot.signature import ArgumentSpec
from sessile.compiler.store.entry_format import MAGIC
from sessile.graph.data_type import as_dtype
from sessile.runtime.command_line.failures import did_you_mean
from sessile.runtime.command_line.models.feed_text import read_feed
from sessile.runtime.command_line.models.input_values import Input, refined

SUFFIX = ".sessile"


def is_bundle(source: str) -> bool:
    """Whether a file is a bundle, or is meant to be one."""
    path = Path(source)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return source.endswith(SUFFIX) or file.read(len(MAGIC)) == MAGIC


def bundle_inputs(path: str, specs: Sequence[ArgumentSpec], feeds: Sequence[str]) -> tuple[Input, ...]:
    """The inputs of a bundle, with the values that `--feed` gives."""
    inputs = {spec.name: Input(spec.name, as_dtype(spec.dtype), spec.shape) for spec in specs}
    for feed in map(read_feed, feeds):
        if feed.name not in inputs:
            raise click.BadParameter(unknown_name(path, "input", feed.name, list(inputs)), param_hint="--feed")
        inputs[feed.name] = refined(inputs[feed.name], feed)
    return tuple(inputs.values())


def unknown_name(path: str, kind: str, name: str, names: Sequence[str]) -> str:
    """That a bundle has no input or output of that name, and which it has."""
    hint = did_you_mean(name, names) or f" It has {', '.join(names) or 'none'}."
    return f"{path} has no {kind} {name!r}.{hint}"
