"""Checks that a program is well-formed and well-typed: the contract between passes.

- Each operand is defined before it is used; regions are closed, they see their own parameters and instructions only.
- Ids are unique, and results have the types that their primitive infers; sizes that guards make equal are equal.
- Size symbols have a source and are known where they are used. Each instruction has a location.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import Any

from sessile.ir.primitive import Primitive, ProgramError
from sessile.ir.printer import program_lines
from sessile.ir.program import RELATIONS, Guard, Instruction, Program, Region, Value
from sessile.ir.size_substitution import SizeSubstitution, solved_symbols, symbols_in
from sessile.ir.sizes import symbols_of
from sessile.ir.types import TensorType

Subject = Instruction | Guard | str | Region | Program
_SOURCES = ("parameter", "variable", "value", "result")


class VerificationError(ProgramError):
    """A program breaks the rules; the message is its text, with the errors under the lines that they are about."""


def verify(program: Program, require_locations: bool = True) -> None:
    """Raises VerificationError unless the program is well-formed and well-typed."""
    verifier = _Verifier(program, require_locations)
    verifier.check()
    if verifier.errors:
        raise VerificationError(_report(program, verifier.errors))


def _report(program: Program, errors: list[tuple[Subject, str]]) -> str:
    lines = []
    for line in program_lines(program):
        lines.append(line.text)
        indent = " " * (len(line.text) - len(line.text.lstrip()))
        lines.extend(f"{indent}^ error: {message}" for subject, message in errors if subject is line.subject)
    return "\n".join([*lines, f"{len(errors)} error{'s' if len(errors) > 1 else ''}"])


def _misfit(primitive: Primitive, operands: tuple[TensorType, ...], attributes: Mapping[str, Any]) -> str:
    """What operands or attributes are missing or too many; "" if their number and names fit."""
    try:
        inspect.signature(primitive.infer).bind(*operands, **attributes)
    except TypeError as error:
        return str(error)
    return ""


class _Verifier:
    def __init__(self, program: Program, require_locations: bool) -> None:
        self.errors: list[tuple[Subject, str]] = []
        self._program = program
        self._require_locations = require_locations
        self._equal_sizes = SizeSubstitution(solved_symbols(program.symbols, program.guards))
        self._ids: set[int] = set()
        self._defined_somewhere = set(program.values())

    def check(self) -> None:
        program = self._program
        known = {name for name, source in program.symbols.items() if source.kind in ("parameter", "variable")}
        bound = {name for instruction in program.all_instructions() for name in _binds(instruction)}
        for name, source in program.symbols.items():
            if source.kind not in _SOURCES:
                self._error(name, f"a size comes from a {', '.join(_SOURCES)}, not from {source.kind!r}")
            elif name not in known and name not in bound:
                self._error(name, "no instruction binds this size")
        for guard in program.guards:
            if guard.relation not in RELATIONS:
                self._error(guard, f"{guard.relation!r} is none of {' '.join(RELATIONS)}")
            self._check_symbols(guard, symbols_of(guard.left) | symbols_of(guard.right), known | bound)
        self._block(program.instructions, set(), known)
        self._check_defined(program, program.results, {v for i in program.instructions for v in i.results})

    def _error(self, subject: Subject, message: str) -> None:
        self.errors.append((subject, message))

    def _block(self, instructions: Iterable[Instruction], defined: set[Value], known: set[str]) -> None:
        for instruction in instructions:
            self._check_defined(instruction, instruction.operands, defined)
            self._check_regions(instruction, known)
            self._check_types(instruction)
            for name in _binds(instruction):
                if name not in self._program.symbols:
                    self._error(instruction, f"the size {name} has no source")
                known.add(name)
            self._check_symbols(instruction, symbols_in(instruction), known)
            for result in instruction.results:
                self._define(instruction, result, defined)
            if self._require_locations and not instruction.locations:
                self._error(instruction, "no instruction without a location")

    def _define(self, subject: Subject, value: Value, defined: set[Value]) -> None:
        if value.id in self._ids:
            self._error(subject, f"{value} is defined twice")
        self._ids.add(value.id)
        defined.add(value)

    def _check_defined(self, subject: Subject, values: Iterable[Value], defined: set[Value]) -> None:
        for value in values:
            if value not in defined:
                elsewhere = value in self._defined_somewhere
                reason = "is defined later, or in another region" if elsewhere else "is defined nowhere"
                self._error(subject, f"{value} {reason}")

    def _check_symbols(self, subject: Subject, used: set[str], known: set[str]) -> None:
        for name in sorted(used - known):
            has_source = name in self._program.symbols
            self._error(subject, f"the size {name} {'is not known yet' if has_source else 'has no source'}")

    def _check_regions(self, instruction: Instruction, known: set[str]) -> None:
        for region in instruction.regions:
            defined: set[Value] = set()
            for parameter in region.parameters:
                self._define(instruction, parameter, defined)
                self._check_symbols(instruction, parameter.type.symbols(), known)
            self._block(region.instructions, defined, set(known))
            self._check_defined(region, region.results, defined)

    def _check_types(self, instruction: Instruction) -> None:
        primitive, normal = instruction.primitive, self._equal_sizes.type
        operands = tuple([normal(operand.type) for operand in instruction.operands])
        attributes = dict(self._equal_sizes.attributes(instruction.attributes))
        regions = tuple(map(self._signature_of, instruction.regions))
        if regions:
            attributes["regions"] = regions
        try:
            primitive.verify_regions(operands, regions)
            inferred = primitive.infer(*operands, **attributes)
        except ProgramError as error:
            self._error(instruction, str(error))
            return
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            reason = _misfit(primitive, operands, attributes) or str(error)
            self._error(instruction, f"operands or attributes do not fit {primitive.name}: {reason}")
            return
        expected = inferred if isinstance(inferred, tuple) else (inferred,)
        if expected != tuple([normal(result.type) for result in instruction.results]):
            self._error(instruction, f"{primitive.name} gives {', '.join(map(str, expected)) or 'nothing'}")

    def _signature_of(self, region: Region) -> Region:
        """Parameters and results of a region, with equal sizes as equal text."""
        parameters = tuple(Value(p.id, self._equal_sizes.type(p.type)) for p in region.parameters)
        results = tuple(Value(r.id, self._equal_sizes.type(r.type)) for r in region.results)
        return Region(parameters, (), results)


def _binds(instruction: Instruction) -> tuple[str, ...]:
    try:
        return instruction.primitive.binds(instruction.attributes)
    except KeyError:
        return ()  # the typing rule reports the missing attribute
