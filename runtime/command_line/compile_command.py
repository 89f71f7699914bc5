"""`sessile compile`: a model ahead of time, into a bundle for Python or a library for C."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from sessile.compiler.aot.signature import ArgumentSpec, input_spec
from sessile.compiler.c_library.write_files import KINDS
from sessile.compiler.target import Target
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.runtime.aot import compile as compile_bundle
from sessile.runtime.aot import compile_c_library
from sessile.runtime.command_line.command import Command
from sessile.runtime.command_line.models.feed_text import Dimension
from sessile.runtime.command_line.models.model import load_model
from sessile.runtime.command_line.models.selection import Selection, select
from sessile.runtime.command_line.options import (
    feed_option,
    fetch_option,
    initialize_option,
    json_option,
    model_argument,
)
from sessile.runtime.command_line.output_files import BUNDLE, LIBRARY, OutputFiles, output_files
from sessile.runtime.command_line.progress import Report, shown_progress
from sessile.runtime.command_line.tables import bytes_text
from sessile.runtime.session import Session

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
    job = Job(selection, _outputs(selection), _shapes(selection), machine, files)
    started = time.perf_counter()
    with shown_progress("compiling") as report:
        written, notes = job.run(report)
    result = {
        "files": {kind: str(path) for kind, path in written.items()},
        "inputs": {spec.name: {"dtype": spec.dtype, "shape": list(spec.shape)} for spec in job.inputs},
        "outputs": list(job.outputs),
        "target": str(machine),
        "notes": [*notes, *_frozen_note(selection)],
        "seconds": time.perf_counter() - started,
    }
    click.echo(json.dumps(result, indent=2)) if as_json else _show(result, job.inputs)


def _target(text: str) -> Target:
    try:
        return Target.parse(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.", param_hint="--target") from None


def _outputs(selection: Selection) -> dict[str, Tensor]:
    operations = [name for name, element in selection.outputs.items() if isinstance(element, Operation)]
    if operations:
        raise click.BadParameter(
            f"{operations[0]!r} is an operation without a result; what is compiled ahead of time gives tensors.",
            param_hint="--fetch",
        )
    return {name: element for name, element in selection.outputs.items() if isinstance(element, Tensor)}


def _shapes(selection: Selection) -> dict[Tensor, tuple[Dimension, ...] | None]:
    for each in selection.inputs:
        if each.value is not None:
            raise click.BadParameter(
                f"{each.name!r} is given a value; to compile takes its type and shape: {each.name}:{each.type_text}.",
                param_hint="--feed",
            )
    return {tensor: each.shape for tensor, each in selection.feeds.items()}


@dataclass(frozen=True)
class Job:
    """What is compiled, for which machine, and which files come out."""

    selection: Selection
    outputs: Mapping[str, Tensor]
    shapes: Mapping[Tensor, tuple[Dimension, ...] | None]
    target: Target
    files: OutputFiles

    @property
    def inputs(self) -> list[ArgumentSpec]:
        """How the inputs are called, and their types."""
        return [input_spec(tensor, shape) for tensor, shape in self.shapes.items()]

    def run(self, report: Report) -> tuple[dict[str, Path], tuple[str, ...]]:
        """The files that were written, by kind, and notes about those that could not be."""
        graph, files, session = self.selection.model.graph, self.files, self._session()
        written: dict[str, Path] = {}
        notes: tuple[str, ...] = ()
        if files.bundle is not None:
            written[BUNDLE] = compile_bundle(
                graph, self.outputs, self.shapes, files.bundle, session=session, target=self.target, progress=report
            )
        if files.library_kinds:
            library = compile_c_library(
                graph,
                self.outputs,
                self.shapes,
                files.folder,
                files.name,
                session=session,
                target=self.target,
                files=files.library_kinds,
                progress=report,
            )
            written |= library.paths
            notes = library.notes
        return written, notes

    def _session(self) -> Session | None:
        """The session whose values are frozen in; none is made for a graph without variables."""
        model = self.selection.model
        return model.session if model.initializers else model.given_session


def _frozen_note(selection: Selection) -> list[str]:
    model = selection.model
    if model.given_session is not None or not model.initializers:
        return []
    return ["the variables have their initial values: the function returns no session with others"]


def _show(result: Mapping[str, Any], inputs: Sequence[ArgumentSpec]) -> None:
    for kind, path in result["files"].items():
        click.echo(f"{kind:<8} {path}  {bytes_text(Path(path).stat().st_size)}")
    click.echo(f"inputs   {', '.join(map(str, inputs)) or 'none'}")
    click.echo(f"outputs  {', '.join(result['outputs'])}")
    triple, processor, *_ = result["target"].split(" ")
    click.echo(f"target   {triple}, {processor}\ncompiled in {result['seconds']:.1f} s")
    for note in result["notes"]:
        click.echo(f"note: {note}", err=True)
