"""`sessile compile`: a model ahead of time, into a bundle for Python or a library for C."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from sessile.compiler.aot.build import build_bundle, output_specs, programs_for
from sessile.compiler.aot.signature import ArgumentSpec, input_spec
from sessile.compiler.c_library.write_files import KINDS, WrittenFiles
from sessile.compiler.output_file import write_whole
from sessile.compiler.target import Target
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.runtime.aot import frozen_variables
from sessile.runtime.command_line.command import Command
from sessile.runtime.command_line.model import load_model
from sessile.runtime.command_line.options import (
    feed_option,
    fetch_option,
    initialize_option,
    json_option,
    model_argument,
)
from sessile.runtime.command_line.output_files import BUNDLE, LIBRARY, OutputFiles, output_files
from sessile.runtime.command_line.progress import Report, shown_progress
from sessile.runtime.command_line.selection import Selection, select
from sessile.runtime.command_line.tables import bytes_text

_EXAMPLES = """
sessile compile frozen.pb --feed 'x:float32[batch,64]' --fetch y -o model.sessile
sessile compile model.py:build --target x86-64-v3
sessile compile model.py:build --emit c --name digits -o build
"""


@click.command(cls=Command, examples=_EXAMPLES)
@model_argument
@feed_option(
    "An input: its type and shape; a size is a number, a name, or ? for one of its own. Repeatable. "
    "[default: the placeholders that are needed]"
)
@fetch_option
@initialize_option
@click.option(
    "--target",
    metavar="TARGET",
    default="native",
    show_default=True,
    help="The processor: native, x86-64, x86-64-v2, x86-64-v3, x86-64-v4, aarch64, or TRIPLE[:CPU[:FEATURES]] in "
    "LLVM's terms.",
)
@click.option(
    "--emit",
    type=click.Choice([BUNDLE, LIBRARY, *KINDS]),
    multiple=True,
    help="What to write: a bundle (the default), a C library (c), or parts of one. Repeatable.",
)
@click.option("--output", "-o", metavar="PATH", help="The bundle's file; with parts of a C library the folder for all.")
@click.option("--name", metavar="NAME", help="The name of the C library. [default: that of the function or file]")
@json_option
def command(
    model: str,
    feeds: tuple[str, ...],
    fetches: tuple[str, ...],
    initialize: tuple[str, ...],
    target: str,
    emit: tuple[str, ...],
    output: str | None,
    name: str | None,
    as_json: bool,
) -> None:
    """Compile a model ahead of time: a bundle for Python, or a library for C.

    MODEL is a GraphDef (.pb, .pbtxt), or a function that builds a graph (module:function, file.py:function). A bundle
    is one file that `sessile run` and `sessile.load` run without the graph and without a compiler; a C library is a
    header, an object, a static and a shared library. The values of variables are frozen in: those of the session that
    the function returns, otherwise the initial ones.
    """
    machine = _target(target)
    files = output_files(model, emit, output, name)
    selection = select(load_model(model, initialize), fetches, feeds, adds_placeholders=False)
    outputs, inputs = _output_tensors(selection), _input_specs(selection)
    started = time.perf_counter()
    with shown_progress("compiling") as report:
        written, notes = _write(selection, outputs, inputs, machine, files, report)
    result = {
        "files": {kind: str(path) for kind, path in written.items()},
        "inputs": [each.as_json() for each in inputs.values()],
        "outputs": list(outputs),
        "target": str(machine),
        "notes": [*notes, *_frozen_note(selection)],
        "seconds": time.perf_counter() - started,
    }
    click.echo(json.dumps(result, indent=2)) if as_json else _show(result, inputs)


def _target(text: str) -> Target:
    try:
        return Target.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--target") from None


def _output_tensors(selection: Selection) -> dict[str, Tensor]:
    operations = [name for name, element in selection.outputs.items() if isinstance(element, Operation)]
    if operations:
        raise click.BadParameter(
            f"{operations[0]!r} is an operation without a result; what is compiled ahead of time gives tensors.",
            param_hint="--fetch",
        )
    return {name: element for name, element in selection.outputs.items() if isinstance(element, Tensor)}


def _input_specs(selection: Selection) -> dict[Tensor, ArgumentSpec]:
    for each in selection.inputs:
        if each.value is not None:
            raise click.BadParameter(
                f"{each.name!r} is given a value; to compile takes its type and shape: {each.name}:{each.type_text}.",
                param_hint="--feed",
            )
    return {tensor: replace(input_spec(tensor, e.shape), name=e.name) for tensor, e in selection.feeds.items()}


def _write(
    selection: Selection,
    outputs: Mapping[str, Tensor],
    inputs: Mapping[Tensor, ArgumentSpec],
    target: Target,
    files: OutputFiles,
    report: Report,
) -> tuple[dict[str, Path], tuple[str, ...]]:
    """The files that were written, by kind, and notes about those that could not be."""
    written: dict[str, Path] = {}
    notes: tuple[str, ...] = ()
    session = selection.model.session if _reads_variables(selection) else selection.model.given_session
    variables = frozen_variables(session, selection.model.graph)
    if files.bundle is not None:
        written[BUNDLE] = write_whole(files.bundle, build_bundle(outputs, inputs, "dict", variables, target, report))
    if files.library_kinds:
        library = _write_library(outputs, inputs, variables, target, files)
        written |= library.paths
        notes = library.notes
    return written, notes


def _reads_variables(selection: Selection) -> bool:
    return bool(selection.model.initializers)


def _write_library(
    outputs: Mapping[str, Tensor],
    inputs: Mapping[Tensor, ArgumentSpec],
    variables: Any,
    target: Target,
    files: OutputFiles,
) -> WrittenFiles:
    from sessile.compiler.c_library.emit import c_library
    from sessile.compiler.c_library.write_files import write_c_library
    from sessile.compiler.compile_program import optimize

    program = programs_for(list(outputs.values()), inputs, variables)[0]
    specs = output_specs(outputs, program, inputs)
    library = c_library(optimize(program, target=target), files.name, list(inputs.values()), specs, target)
    return write_c_library(library, files.folder, files.library_kinds)


def _frozen_note(selection: Selection) -> list[str]:
    model = selection.model
    if model.given_session is not None or not model.initializers:
        return []
    return ["the variables have their initial values: the function returns no session with others"]


def _show(result: Mapping[str, Any], inputs: Mapping[Tensor, ArgumentSpec]) -> None:
    for kind, path in result["files"].items():
        click.echo(f"{kind:<8} {path}  {bytes_text(Path(path).stat().st_size)}")
    click.echo(f"inputs   {', '.join(map(str, inputs.values())) or 'none'}")
    click.echo(f"outputs  {', '.join(result['outputs'])}")
    triple, processor, *_ = result["target"].split(" ")
    click.echo(f"target   {triple}, {processor}\ncompiled in {result['seconds']:.1f} s")
    for note in result["notes"]:
        click.echo(f"note: {note}", err=True)
