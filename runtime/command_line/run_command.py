"""`sessile run`: runs a model or a bundle once on arrays from files, or several times to see how long it takes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click
import numpy as np

from sessile.runtime.command_line.array_files import check_writable, write_results
from sessile.runtime.command_line.command import Command
from sessile.runtime.command_line.latency import Latencies, measure, milliseconds_text
from sessile.runtime.command_line.models.input_values import values_for
from sessile.runtime.command_line.models.runner import Arrays, runner_for
from sessile.runtime.command_line.options import (
    feed_option,
    fetch_option,
    initialize_option,
    json_option,
    model_argument,
)

LARGEST_SHOWN = 1000

_EXAMPLES = """
sessile run model.py:build --feed x=input.npy -o out.npz
sessile run frozen.pb --feed images=data.npz:test --feed rate=0.5 --fetch probabilities
sessile run model.sessile --feed x=[[1,2,3]] --repeat 100
"""


@click.command(cls=Command, examples=_EXAMPLES)
@model_argument
@feed_option("The value of an input: a .npy file, a .npz file (FILE.npz:KEY), a number, or a list. Repeatable.")
@fetch_option
@initialize_option
@click.option("--output", "-o", metavar="FILE", help="Write the results to a .npz file, or a single one to .npy.")
@click.option("--repeat", metavar="N", type=click.IntRange(min=1), default=1, help="Run N times and tell the times.")
@json_option
def command(
    model: str,
    feeds: tuple[str, ...],
    fetches: tuple[str, ...],
    initialize: tuple[str, ...],
    output: str | None,
    repeat: int,
    as_json: bool,
) -> None:
    """Run a model or a bundle on arrays from files.

    MODEL is a bundle, a GraphDef (.pb, .pbtxt), or a function that builds a graph (module:function, file.py:function).
    Without --output the results are printed. With --repeat kernels are compiled before the first run, and the results
    are those of the last.
    """
    if output is not None:
        _check_output(output)
    runner = runner_for(model, fetches, feeds, initialize, compiles_first=repeat > 1, adds_placeholders=False)
    values = values_for(runner.inputs, sizes=None)
    results: dict[str, np.ndarray] = {}

    def run_once() -> None:
        nonlocal results
        results = runner.run(values)

    times = measure(run_once, repeat)
    if output is not None:
        _write(output, results)
    if as_json:
        click.echo(json.dumps(_as_json(results, times, output is None), indent=2))
    else:
        _show(results, times, output)


def _check_output(path: str) -> None:
    if Path(path).suffix not in (".npy", ".npz"):
        raise click.BadParameter(f"{path!r} is neither a .npz nor a .npy file.", param_hint="--output")
    check_writable(path)


def _write(path: str, results: Arrays) -> None:
    if Path(path).suffix == ".npy" and len(results) != 1:
        raise click.BadParameter(
            f"a .npy file holds one array, and there are {len(results)}: {', '.join(results) or 'none'}. Use .npz.",
            param_hint="--output",
        )
    write_results(path, results)


def _show(results: Arrays, times: Latencies, output: str | None) -> None:
    for name, array in results.items():
        described = f"{name}: {_dtype_name(array)}{list(np.shape(array))}"
        click.echo(described if output else f"{described}\n{_indented(array)}")
    if output is not None:
        click.echo(f"written to {output}")
    count = len(times.seconds)
    if count == 1:
        return
    first = milliseconds_text(1000 * float(times.seconds[0]))
    numbers = Latencies(times.seconds[1:]).summary()
    words = ", ".join(f"{name} {milliseconds_text(value)}" for name, value in numbers.items())
    click.echo(f"{count} runs: the first {first}, then {words}")


def _indented(array: np.ndarray) -> str:
    text = np.array2string(np.asarray(array), threshold=LARGEST_SHOWN, prefix="  ")
    return f"  {text}"


def _dtype_name(array: np.ndarray) -> str:
    return "string" if np.asarray(array).dtype.hasobject else str(np.asarray(array).dtype)


def _as_json(results: Arrays, times: Latencies, with_values: bool) -> dict[str, Any]:
    outputs = [_array_as_json(name, np.asarray(array), with_values) for name, array in results.items()]
    seconds = [float(each) for each in times.seconds]
    summary = Latencies(times.seconds[1:] if len(seconds) > 1 else times.seconds).summary()
    return {"outputs": outputs, "runs": len(seconds), "first_ms": 1000 * seconds[0], "later_ms": summary}


def _array_as_json(name: str, array: np.ndarray, with_values: bool) -> dict[str, Any]:
    described: dict[str, Any] = {"name": name, "dtype": _dtype_name(array), "shape": list(array.shape)}
    if with_values and array.size <= LARGEST_SHOWN:
        described["values"] = _plain(array.tolist())
    return described


def _plain(value: Any) -> Any:
    """A value of Python as JSON has it: texts for bytes, pairs for complex numbers."""
    if isinstance(value, list):
        return [_plain(each) for each in value]
    if isinstance(value, bytes):
        return value.decode(errors="replace")
    return [value.real, value.imag] if isinstance(value, complex) else value
