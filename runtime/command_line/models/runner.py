"""Runs what a command is given, model or bundle, in one way: arrays by name in, arrays by name out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import click
import numpy as np

from sessile.compiler.aot.signature import ArgumentSpec
from sessile.compiler.store.entry_format import MAGIC
from sessile.graph.data_type import as_dtype
from sessile.graph.operation import Operation
from sessile.runtime.command_line.failures import did_you_mean
from sessile.runtime.command_line.models.feed_text import read_feed
from sessile.runtime.command_line.models.input_values import Input
from sessile.runtime.command_line.models.model import load_model
from sessile.runtime.command_line.models.selection import Selection, refined, select
from sessile.runtime.command_line.output_files import SUFFIX

Arrays = Mapping[str, np.ndarray]


@dataclass(frozen=True)
class Runner:
    """Something that can be run.

    Attributes:
      inputs: what it takes.
      run: a function from the values of the inputs to the results, by name.
    """

    inputs: tuple[Input, ...]
    run: Callable[[Arrays], dict[str, np.ndarray]]


def runner_for(
    source: str,
    fetches: Sequence[str],
    feeds: Sequence[str],
    initialize: Sequence[str] = (),
    compiles_first: bool = False,
    adds_placeholders: bool = True,
) -> Runner:
    """What runs a model or bundle; see `model.load_model` and `selection.select` for arguments and errors."""
    if is_bundle(source):
        return bundle_runner(source, fetches, feeds)
    model = load_model(source, initialize, compiles_first)
    return _session_runner(select(model, fetches, feeds, adds_placeholders))


def _session_runner(selection: Selection) -> Runner:
    elements = list(selection.outputs.values())
    names = [name for name, element in selection.outputs.items() if not isinstance(element, Operation)]
    inputs = selection.inputs
    call = selection.model.session.make_callable(elements, list(selection.feeds))

    def run(values: Arrays) -> dict[str, np.ndarray]:
        results = call(*[values[each.name] for each in inputs])
        arrays = [result for result in results if result is not None]
        return dict(zip(names, arrays, strict=True))

    return Runner(inputs, run)


# --- bundles


def is_bundle(source: str) -> bool:
    """Whether a file is a bundle, or is meant to be one."""
    path = Path(source)
    if not path.is_file():
        return False
    with path.open("rb") as file:
        return source.endswith(SUFFIX) or file.read(len(MAGIC)) == MAGIC


def bundle_runner(path: str, fetches: Sequence[str], feeds: Sequence[str]) -> Runner:
    """What runs a bundle. Raises click.BadParameter for names that it does not have, what `load` raises."""
    from sessile.runtime.compiled_function import load

    function = load(path)
    names = [spec.name for spec in function.outputs]
    for name in fetches:
        if name not in names:
            raise click.BadParameter(_unknown(path, "output", name, names), param_hint="--fetch")
    wanted = list(fetches) or names
    inputs = bundle_inputs(path, function.inputs, feeds)

    def run(values: Arrays) -> dict[str, np.ndarray]:
        return dict(zip(wanted, function.run(wanted, values), strict=True))

    return Runner(inputs, run)


def bundle_inputs(path: str, specs: Sequence[ArgumentSpec], feeds: Sequence[str]) -> tuple[Input, ...]:
    """The inputs of a bundle, with the values that `--feed` gives."""
    inputs = {spec.name: Input(spec.name, as_dtype(spec.dtype), spec.shape) for spec in specs}
    for feed in map(read_feed, feeds):
        if feed.name not in inputs:
            raise click.BadParameter(_unknown(path, "input", feed.name, list(inputs)), param_hint="--feed")
        inputs[feed.name] = refined(inputs[feed.name], feed)
    return tuple(inputs.values())


def _unknown(path: str, kind: str, name: str, names: Sequence[str]) -> str:
    hint = did_you_mean(name, names) or f" It has {', '.join(names) or 'none'}."
    return f"{path} has no {kind} {name!r}.{hint}"
