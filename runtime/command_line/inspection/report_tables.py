"""Shows what `sessile inspect` tells (`inspection_report`) as tables on a terminal."""

from __future__ import annotations

from typing import Any

import click

from sessile.runtime.command_line.inspection.report import names_text
from sessile.runtime.command_line.latency import milliseconds_text
from sessile.runtime.command_line.models.feed_text import shape_text
from sessile.runtime.command_line.tables import bytes_text, count_text, show_table

Report = dict[str, Any]


def show_summary(report: Report) -> None:
    """Inputs and outputs, operations by type, and the compiled program in numbers."""
    click.echo(f"{report['model']}\n")
    show_table("Inputs", ("name", "type"), [(each["name"], _type_of(each)) for each in report["inputs"]])
    show_table("Outputs", ("name", "type"), [(each["name"], _type_of(each)) for each in report["outputs"]])
    types = report["graph"]["types"]
    if types:
        click.echo(f"Graph     {report['graph']['operations']} operations: {_counts(types)}")
    variables = report["variables"]
    if variables["count"]:
        click.echo(f"Variables {variables['count']}, {bytes_text(variables['bytes'])}")
    program, memory = report["program"], report["memory"]
    click.echo(f"Program   {_lengths(program)}; {program['steps']} steps, {program['kernels']} different kernels")
    click.echo(f"Memory    arena {bytes_text(memory['arena'])}, constants {bytes_text(memory['constants'])}")
    for each in program["on_host"]:
        click.echo(f"On host   {each['reason']} (for {names_text(each['operations'])})")


def _lengths(program: Report) -> str:
    before, after = program["instructions"], program["after_passes"]
    return f"{after} instructions" if before is None else f"{before} instructions, {after} after all passes"


def _type_of(described: Report) -> str:
    if "operation" in described:
        return f"operation {described['operation']}"
    shape = described["shape"]
    return f"{described['dtype']}{'[...]' if shape is None else shape_text(tuple(shape))}"


def _counts(types: dict[str, int]) -> str:
    return ", ".join(f"{count} {name}" for name, count in types.items())


def show_operations(report: list[Report]) -> None:
    """One row for each operation."""
    rows = [(e["name"], e["type"], ", ".join(e["inputs"]), ", ".join(e["outputs"]), e["line"]) for e in report]
    show_table("Operations", ("name", "type", "inputs", "outputs", "line"), rows)


def show_memory(report: Report) -> None:
    """The slots of the arena, and where each value lives."""
    sizes = ", ".join(f"{name} = {number}" for name, number in report["sizes"].items())
    click.echo(f"Memory{f' for {sizes}' if sizes else ''}")
    click.echo(
        f"  arena {bytes_text(report['arena'])}, constants {bytes_text(report['constants'])}, "
        f"variables {bytes_text(report['variables'])}\n"
    )
    slots = [(each["slot"], bytes_text(each["bytes"]), each["values"]) for each in report["slots"]]
    show_table("Slots of the arena", (">slot", ">size", ">values"), slots)
    rows = [
        (e["value"], e["type"], bytes_text(e["bytes"]), e["home"], "fetched" if e["fetched"] else "")
        for e in report["values"]
    ]
    show_table("Values", ("value", "type", ">size", "where", ""), rows)


def show_cost(report: list[Report]) -> None:
    """One row for each step, and the sum of the times if they were measured."""
    timed = any("milliseconds" in each for each in report)
    columns = (">step", *((">time",) if timed else ()), ">work", ">read", ">written", "kernel", "operations")
    rows = [
        (
            each["step"],
            *((_time_of(each),) if timed else ()),
            "" if each["work"] is None else count_text(each["work"]),
            bytes_text(each["bytes_read"]),
            bytes_text(each["bytes_written"]),
            " ".join(each["kernels"]) or f"host: {each['host']}",
            names_text(each["operations"]),
        )
        for each in report
    ]
    show_table("Steps (work in scalar operations)", columns, rows)
    if timed:
        click.echo(f"all steps {milliseconds_text(sum(each['milliseconds'] or 0.0 for each in report))}")


def _time_of(each: Report) -> str:
    return "" if each["milliseconds"] is None else milliseconds_text(each["milliseconds"])
