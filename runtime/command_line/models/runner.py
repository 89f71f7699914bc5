"""Runs what a command is given, model or bundle, in one way: arrays by name in, arrays by name out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click
import numpy as np

from sessile.runtime.command_line.models.bundles import bundle_inputs, is_bundle, unknown_name
from sessile.runtime.command_line.models.input_values import Input

if TYPE_CHECKING:
    from sessile.runtime.command_line.models.selection import Selection

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
        return _bundle_runner(source, fetches, feeds)
    # late: a bundle needs no operations
    from sessile.runtime.command_line.models.model import load_model
    from sessile.runtime.command_line.models.selection import select

    model = load_model(source, initialize, compiles_first)
    return _session_runner(select(model, fetches, feeds, adds_placeholders))


def _session_runner(selection: Selection) -> Runner:
    elements = list(selection.outputs.values())
    operations = set(selection.targets)
    names = [name for name, element in selection.outputs.items() if element not in operations]
    inputs = selection.inputs
    call = selection.model.session.make_callable(elements, list(selection.feeds))

    def run(values: Arrays) -> dict[str, np.ndarray]:
        results = call(*[values[each.name] for each in inputs])
        arrays = [result for result in results if result is not None]
        return dict(zip(names, arrays, strict=True))

    return Runner(inputs, run)


def _bundle_runner(path: str, fetches: Sequence[str], feeds: Sequence[str]) -> Runner:
    """What runs a bundle. Raises click.BadParameter for names that it does not have, what `load` raises."""
    from sessile.runtime.compiled_function import load

    function = load(path)
    names = [spec.name for spec in function.outputs]
    for name in fetches:
        if name not in names:
            raise click.BadParameter(unknown_name(path, "output", name, names), param_hint="--fetch")
    wanted = list(fetches) or names
    inputs = bundle_inputs(path, function.inputs, feeds)

    def run(values: Arrays) -> dict[str, np.ndarray]:
        return dict(zip(wanted, function.run(wanted, values), strict=True))

    return Runner(inputs, run)
