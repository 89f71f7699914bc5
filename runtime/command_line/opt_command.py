"""`sessile opt`: passes of the compiler on the text of a program, one after the other."""

from __future__ import annotations

import click

from sessile.compiler.compile_program import NATIVE_PIPELINE
from sessile.compiler.pass_pipeline import PassRecord, run_passes
from sessile.ir.printer import canonical_text, text
from sessile.ir.verifier import VerificationError, verify
from sessile.runtime.command_line.array_files import check_writable
from sessile.runtime.command_line.command import Command
from sessile.runtime.command_line.failures import CommandFailure
from sessile.runtime.command_line.pass_names import all_pass_names, checked_pass_names
from sessile.runtime.command_line.program_files import read_program, write_program

_EXAMPLES = """
sessile opt program.ir -p simplify,dead-code
sessile opt program.ir -p prune,fuse --print-after-all
sessile inspect model.py:build --after lowered | sessile opt - --timings -o optimized.ir
"""


@click.command(cls=Command, examples=_EXAMPLES)
@click.argument("file", metavar="FILE", type=click.Path(exists=True, dir_okay=False, allow_dash=True))
@click.option("--passes", "-p", metavar="NAME,...", multiple=True, help="Passes to run, in order. [default: all that "
              "the compiler runs, in its order]")  # fmt: skip
@click.option("--print-after-all", is_flag=True, help="Print the program after each pass, under its name.")
@click.option("--print-after", metavar="NAME,...", multiple=True, help="Print the program after these passes.")
@click.option("--verify/--no-verify", "verifies", default=True, show_default=True, help="Verify after each pass.")
@click.option("--timings", is_flag=True, help="Tell how long each pass took, on standard error.")
@click.option("--locations", type=click.Choice(["short", "full", "none"]), default="short", show_default=True,
              help="How to write where instructions come from.")  # fmt: skip
@click.option("--canonical", is_flag=True, help="Print the form that programs are compared by.")
@click.option("--output", "-o", metavar="FILE", help="Write the program there, not to standard output.")
def command(
    file: str,
    passes: tuple[str, ...],
    print_after_all: bool,
    print_after: tuple[str, ...],
    verifies: bool,
    timings: bool,
    locations: str,
    canonical: bool,
    output: str | None,
) -> None:
    """Run compiler passes on the text of a program.

    FILE holds a program as text (docs/program-text.md), as `sessile inspect --after` and SESSILE_DUMP write it; "-" is
    standard input. What comes out is printed; with --print-after-all every section begins with a comment that names the
    pass.
    """
    names = checked_pass_names(_split(passes)) or list(NATIVE_PIPELINE)
    shown = set(names) if print_after_all else set(checked_pass_names(_split(print_after)))
    if output is not None:
        check_writable(output)
    program = read_program(file)

    def after_pass(record: PassRecord) -> None:
        if verifies:
            _verify(record)
        if timings:
            click.echo(f"{record.name:<24} {1000 * record.seconds:8.2f} ms", err=True)
        if record.name in shown:
            _print_section(record, locations)

    program = run_passes(program, names, after_pass)
    if output is not None:
        write_program(output, program, locations)
    elif canonical:
        click.echo(canonical_text(program), nl=False)
    elif names[-1] not in shown:
        click.echo(text(program, locations), nl=False)


def _split(texts: tuple[str, ...]) -> list[str]:
    return [name.strip() for text in texts for name in text.split(",") if name.strip()]


def _verify(record: PassRecord) -> None:
    try:
        verify(record.after, require_locations=False)
    except VerificationError as error:
        raise CommandFailure(
            f"after the pass {record.name!r} (number {record.position}) the program is broken:\n{error}"
        ) from None


def _print_section(record: PassRecord, locations: str) -> None:
    unchanged = record.after is record.before or text(record.after, locations) == text(record.before, locations)
    click.echo(f"# {record.position}. after {record.name}{': no change' if unchanged else ''}")
    if not unchanged:
        click.echo(text(record.after, locations))


command.help = f"{command.help}\n\nPasses: {', '.join(all_pass_names())}."
