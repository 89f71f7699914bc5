"""What has no place in a C library: operations that need the host, and variables.

Each is refused by one message that names the operation and the user's line.
"""

from __future__ import annotations

from collections.abc import Sequence

from sessile.compiler.c_library.interface import NamedArgument
from sessile.compiler.compile_program import OptimizedProgram
from sessile.compiler.stages import HostStage
from sessile.graph.errors import UnimplementedError
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.size_substitution import symbols_in


def refuse_what_c_cannot_run(optimized: OptimizedProgram, outputs: Sequence[NamedArgument]) -> None:
    """Raises UnimplementedError for a program that needs the host, or variables."""
    _refuse_host_stages(optimized, outputs)
    _refuse_variables(optimized.program)


def _refuse_variables(program: Program) -> None:
    for instruction in program.instructions:
        if instruction.name in ("read_variable", "write_variable"):
            verb = "reads" if instruction.name == "read_variable" else "writes"
            raise UnimplementedError(
                None,
                None,
                f"a C library keeps no variables, and {origin(instruction)} {verb} {instruction.attributes['name']!r}",
            )


def _refuse_host_stages(optimized: OptimizedProgram, outputs: Sequence[NamedArgument]) -> None:
    for stage in optimized.stages:
        if isinstance(stage, HostStage):
            fetched = _dependent_output(optimized.program, stage.instruction, outputs)
            raise UnimplementedError(
                None,
                None,
                f"a C library cannot run {origin(stage.instruction)}, which {fetched} needs: {_reason(stage)}",
            )


def _reason(stage: HostStage) -> str:
    return "sizes that depend on data" if stage.instruction.name == "bind_sizes" else stage.reason


def _dependent_output(program: Program, source: Instruction, outputs: Sequence[NamedArgument]) -> str:
    """The first output that depends on an instruction, in words."""
    reached: set[Value] = set(source.results)
    sizes = set(source.primitive.binds(source.attributes))
    for instruction in program.instructions:
        if not reached.isdisjoint(instruction.operands) or not sizes.isdisjoint(symbols_in(instruction)):
            reached.update(instruction.results)
    for value, output in zip(program.results, outputs, strict=True):
        if value in reached:
            return f"the output {output.name!r}"
    return "the program"


def origin(instruction: Instruction) -> str:
    """The operation that an instruction was made for and the user's line, as messages name them."""
    if not instruction.locations:
        return f"an instruction ({instruction.name})"
    location = instruction.locations[0]
    line = f" ({location})" if location.file else ""
    return f"operation {location.operation!r}{line}"
