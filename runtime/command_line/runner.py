"""Runs what a command is given, model or bundle, in one way: arrays by name in, arrays by name out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sessile.graph.operation import Operation
from sessile.runtime.command_line.input_values import Input
from sessile.runtime.command_line.model import load_model
from sessile.runtime.command_line.selection import Selection, select

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
    """What runs the model `source`; see `model.load_model` and `selection.select` for arguments and errors."""
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
