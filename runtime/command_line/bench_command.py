"""`sessile bench`: how long a model takes, again and again, in one process."""

from __future__ import annotations

import json
import time
from typing import Any

import click

from sessile.runtime.command_line.command import Command
from sessile.runtime.command_line.latency import Latencies, measure, milliseconds_text, timed
from sessile.runtime.command_line.models.input_values import read_sizes, values_for
from sessile.runtime.command_line.models.runner import runner_for
from sessile.runtime.command_line.options import (
    feed_option,
    fetch_option,
    initialize_option,
    json_option,
    model_argument,
    size_option,
)
from sessile.runtime.command_line.progress import shown_wait
from sessile.runtime.command_line.tables import show

_EXAMPLES = """
sessile bench model.py:build --size ?=64
sessile bench frozen.pb --feed 'x:float32[batch,784]' --size batch=128 --json
sessile bench model.sessile --feed x=input.npy --duration 5
"""


@click.command(cls=Command, examples=_EXAMPLES)
@model_argument
@feed_option("An input: its value (see `sessile run`), or its type and shape for random values. Repeatable.")
@fetch_option
@size_option
@initialize_option
@click.option("--warm-up", metavar="N", type=click.IntRange(min=0), default=5, show_default=True, help="Runs before.")
@click.option("--repeat", metavar="N", type=click.IntRange(min=1), help="How many runs to measure.")
@click.option(
    "--duration", metavar="SECONDS", type=click.FloatRange(min=0.0), default=2.0, show_default=True,
    help="For how long to measure, without --repeat.",
)  # fmt: skip
@json_option
def command(
    model: str,
    feeds: tuple[str, ...],
    fetches: tuple[str, ...],
    sizes: tuple[str, ...],
    initialize: tuple[str, ...],
    warm_up: int,
    repeat: int | None,
    duration: float,
    as_json: bool,
) -> None:
    """Measure the latency and throughput of a model.

    Kernels are compiled before the first run. Inputs without a value get random ones: floats in [0, 1), whole numbers
    0 and 1; sizes that are not known are at least 32 (see --size). A training step is run like any other fetch.
    """
    runner = runner_for(model, fetches, feeds, initialize, compiles_first=True)
    values = values_for(runner.inputs, read_sizes(sizes))

    def run_once() -> None:
        runner.run(values)

    with shown_wait("compiling"):
        first = timed(run_once)
    for _ in range(warm_up):
        run_once()
    times = measure(run_once, repeat) if repeat else _measure_for(run_once, duration)
    report = {
        "model": model,
        "inputs": {name: f"{value.dtype}{list(value.shape)}" for name, value in values.items()},
        "runs": len(times.seconds),
        "first_ms": 1000 * first,
        "latency_ms": times.summary(),
        "runs_per_second": times.per_second,
    }
    click.echo(json.dumps(report, indent=2)) if as_json else _show(report)


def _measure_for(run_once: Any, duration: float) -> Latencies:
    """As many runs as the duration has room for, at least ten."""
    ends = time.perf_counter() + duration
    parts = [measure(run_once, 10)]
    while time.perf_counter() < ends:
        parts.append(measure(run_once, 10))
    return Latencies.joined(parts)


def _show(report: dict[str, Any]) -> None:
    from rich.table import Table

    table = Table(title=report["model"], show_header=False, title_justify="left")
    table.add_column(style="bold")
    table.add_column(justify="right")
    for name, described in report["inputs"].items():
        table.add_row(name, described)
    table.add_section()
    table.add_row("first run", milliseconds_text(report["first_ms"]))
    for name, milliseconds in report["latency_ms"].items():
        table.add_row(name, milliseconds_text(milliseconds))
    table.add_section()
    table.add_row("runs", f"{report['runs']:,}")
    table.add_row("runs per second", f"{report['runs_per_second']:,.1f}")
    show(table)
