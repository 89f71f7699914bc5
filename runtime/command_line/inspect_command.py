"""`sessile inspect`: what a model consists of, and what the compiler makes of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import click

from sessile.compiler.aot.bundle import read_bundle
from sessile.ir.printer import text
from sessile.runtime.command_line.array_files import check_writable
from sessile.runtime.command_line.command import Command
from sessile.runtime.command_line.inspection.bundle_inspection import BundleInspection
from sessile.runtime.command_line.inspection.graph_inspection import GraphInspection
from sessile.runtime.command_line.inspection.inspection import LOWERED, Inspection, Profile
from sessile.runtime.command_line.inspection.kernel_texts import LANGUAGES, kernel_text
from sessile.runtime.command_line.inspection.report import (
    cost_report,
    memory_report,
    operations_report,
    summary_report,
)
from sessile.runtime.command_line.inspection.report_tables import show_cost, show_memory, show_operations, show_summary
from sessile.runtime.command_line.models.bundles import bundle_inputs, is_bundle
from sessile.runtime.command_line.models.input_values import read_sizes, values_for
from sessile.runtime.command_line.models.model import load_model
from sessile.runtime.command_line.models.selection import select
from sessile.runtime.command_line.options import (
    feed_option,
    fetch_option,
    initialize_option,
    json_option,
    model_argument,
    size_option,
)
from sessile.runtime.command_line.pass_names import all_pass_names, checked_pass_names
from sessile.runtime.command_line.program_files import write_program
from sessile.runtime.command_line.progress import shown_wait

_EXAMPLES = """
sessile inspect frozen.pb
sessile inspect model.py:build --after fuse
sessile inspect model.py:build --kernels asm | less
sessile inspect model.py:build --cost --profile 100 --size ?=64
sessile inspect model.py:build --html model.html --profile 100
"""


@click.command(cls=Command, examples=_EXAMPLES)
@model_argument
@feed_option("An input: its type and shape, or a value to run with (see `sessile run`). Repeatable.")
@fetch_option
@size_option
@initialize_option
@click.option("--operations", is_flag=True, help="List the operations that are needed.")
@click.option("--after", metavar="PASS", help=f"Print the program after a pass, or {LOWERED!r} for before all passes.")
@click.option("--kernels", type=click.Choice(LANGUAGES), help="Print the kernels as source, LLVM IR, or assembly.")
@click.option("--memory", is_flag=True, help="Tell where each value lives.")
@click.option("--cost", is_flag=True, help="Estimate the work and memory traffic of each step.")
@click.option("--profile", "runs", metavar="N", type=click.IntRange(min=1), help="Run N times to measure each step.")
@click.option("--html", metavar="FILE", help="Write a page that shows the graph, its kernels, sizes and times.")
@click.option("--output", "-o", metavar="FILE", help="Write the program of --after there.")
@json_option
def command(
    model: str,
    feeds: tuple[str, ...],
    fetches: tuple[str, ...],
    sizes: tuple[str, ...],
    initialize: tuple[str, ...],
    operations: bool,
    after: str | None,
    kernels: str | None,
    memory: bool,
    cost: bool,
    runs: int | None,
    html: str | None,
    output: str | None,
    as_json: bool,
) -> None:
    """Show what a model consists of, and what the compiler makes of it.

    Without further options: inputs, outputs, operations, and the compiled program in numbers. Sizes that the model
    leaves open get numbers (see --size): estimates and times hold for them, the program for all sizes.
    """
    if after is not None:
        checked_pass_names([after], [LOWERED])
    for path in (html, output):
        if path is not None:
            check_writable(path)
    inspection = _inspection(model, fetches, feeds, initialize, read_sizes(sizes))
    profile = _profile(inspection, runs) if runs else None
    reports: dict[str, Any] = {}
    if after is not None:
        reports["program"] = _program(inspection, after, output)
    if kernels is not None:
        sources = inspection.optimized.sources
        reports["kernels"] = {source.name: kernel_text(source, kernels, inspection.target) for source in sources}
    if operations:
        reports["operations"] = operations_report(inspection)
    if memory:
        reports["memory"] = memory_report(inspection)
    if cost or (runs is not None and html is None):
        reports["cost"] = cost_report(inspection, profile)
    if html is not None:
        reports["html"] = _write_page(html, inspection, profile)
    reports = reports or {"summary": summary_report(inspection)}
    click.echo(json.dumps(reports, indent=2)) if as_json else _show(reports)


def _inspection(
    source: str, fetches: Sequence[str], feeds: Sequence[str], initialize: Sequence[str], sizes: Mapping[str, int]
) -> Inspection:
    if is_bundle(source):
        bundle = read_bundle(source)
        inputs = bundle_inputs(source, bundle.inputs, feeds)
        return BundleInspection(source, bundle, inputs, values_for(inputs, sizes))
    selection = select(load_model(source, initialize), fetches, feeds, adds_placeholders=True)
    return GraphInspection(selection, values_for(selection.inputs, sizes))


def _profile(inspection: Inspection, runs: int) -> Profile:
    with shown_wait("compiling and measuring"):
        return inspection.profile(runs)


def _program(inspection: Inspection, after: str, output: str | None) -> str:
    """The text of a program; "" where it went to a file."""
    program = inspection.program_after(after)
    if output is None:
        return text(program)
    write_program(output, program)
    return ""


def _write_page(path: str, inspection: Inspection, profile: Profile | None) -> str:
    from sessile.runtime.command_line.inspection.page.write_page import write_page

    write_page(path, inspection, profile)
    return path


_SHOWS: dict[str, Callable[[Any], None]] = {
    "program": lambda program: click.echo(program, nl=False),
    "kernels": lambda kernels: click.echo("\n".join(kernels.values())),
    "operations": show_operations,
    "memory": show_memory,
    "cost": show_cost,
    "html": lambda path: click.echo(f"written to {path}"),
    "summary": show_summary,
}


def _show(reports: Mapping[str, Any]) -> None:
    for name, report in reports.items():
        _SHOWS[name](report)


command.help = f"{command.help}\n\nPasses: {', '.join(all_pass_names())}."
