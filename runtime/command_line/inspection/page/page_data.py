"""What the page shows, as plain data: operations, steps, values and kernels, which refer to each other by index.

Short keys are spelled out in `page/*.js` where they are read. Sources (`p0`, `v3` ...) are what steps read and no step
makes: inputs, variables, constants, sizes.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np

from sessile.compiler.memory_plan import Slot
from sessile.graph.data_type import DType
from sessile.graph.operation import Operation
from sessile.ir.printer import program_lines
from sessile.ir.program import Instruction, Location, Program, Value
from sessile.runtime.command_line.inspection.inspection import Inspection, Profile, Step
from sessile.runtime.command_line.inspection.report import home_text, line_of, memory_totals, summary_report, type_text

_SOURCES = {"parameter": "input", "read_variable": "variable", "constant": "constant", "sizes": "sizes"}
_SILENT = frozenset({"broadcast", "reshape"})
_LONGEST_ATTRIBUTE = 60

Data = dict[str, Any]


def page_data(inspection: Inspection, profile: Profile | None) -> Data:
    """Everything that the page shows."""
    return _PageData(inspection, profile).gathered()


class _PageData:
    def __init__(self, inspection: Inspection, profile: Profile | None) -> None:
        self.inspection = inspection
        self.profile = profile
        self.program: Program = inspection.optimized.program
        self.steps = inspection.steps
        self.step_of = {step.instruction: number for number, step in enumerate(self.steps)}
        self.operations = [*inspection.fed, *inspection.operations]
        self.fed = set(inspection.fed)
        names = [op.name for op in self.operations] or list(self._places())
        self.number_of = {name: number for number, name in enumerate(names)}
        self.makers = self._makers()

    def gathered(self) -> Data:
        steps = [self._step(step) for step in self.steps]
        summary = summary_report(self.inspection)
        return {
            "title": summary["model"],
            "target": f"{self.inspection.target.cpu}, {self.inspection.target.triple}",
            "sizes": dict(self.inspection.bindings),
            "runs": self.profile.runs if self.profile else 0,
            "summary": summary,
            "memory": {**memory_totals(self.inspection), "slots": self._slots(), "lives": list(self._lives())},
            "operations": [self._operation(op) for op in self.operations] or self._operations_without_graph(),
            "sources": self._sources(),
            "steps": steps,
            "results": self._results(),
            "kernels": {source.name: source.source for source in self.inspection.optimized.sources},
        }

    # --- values

    def _makers(self) -> dict[Value, str]:
        """Who makes each value: `s4` is a step, `i7` an instruction that takes no time."""
        makers: dict[Value, str] = {}
        for number, instruction in enumerate(self.program.instructions):
            for result in instruction.results:
                if instruction in self.step_of:
                    makers[result] = f"s{self.step_of[instruction]}"
                elif instruction.name == "reshape":
                    makers[result] = makers[instruction.operands[0]]
                else:
                    makers[result] = f"i{number}"
        return makers

    def _sources(self) -> list[Data]:
        used = {self.makers[operand] for i in self.program.instructions for operand in i.operands}
        used |= {self.makers[result] for result in self.program.results}
        return [
            {"id": id, "kind": _SOURCES[i.name], "name": self._source_name(i), **self._value(i.result)}
            for i in self.program.instructions
            if i.name in _SOURCES and (id := self.makers[i.result]) in used
        ]

    def _source_name(self, instruction: Instruction) -> str:
        name = instruction.attributes.get("name")
        if name is not None:
            return str(name).removesuffix(":0")
        return instruction.locations[0].operation if instruction.locations else instruction.name

    def _value(self, value: Value) -> Data:
        return {"value": repr(value), "type": str(value.type), "bytes": self.inspection.bytes_of(value.type)}

    def _results(self) -> list[Data]:
        """The outputs, and the variables that get new values."""
        values = {name: self.program.results[place] for name, place in self.inspection.results.items()}
        fetched = [
            {"name": name, "kind": "output", "from": self.makers[value], "type": str(value.type)}
            for name, value in values.items()
        ]
        written = [
            {
                "name": i.attributes["name"],
                "kind": "variable",
                "from": self.makers[i.operands[0]],
                "type": str(i.operands[0].type),
            }
            for i in self.program.instructions
            if i.name == "write_variable"
        ]
        return fetched + written

    # --- steps

    def _step(self, step: Step) -> Data:
        inspection, instruction = self.inspection, step.instruction
        homes, fetched = inspection.plan.homes, set(self.program.results)
        return {
            "kind": str(instruction.attributes.get("kind", instruction.name)),
            "words": _words(step),
            "kernels": step.kernel_names,
            "host": step.reason,
            "operations": [self.number_of[name] for name in step.operation_names if name in self.number_of],
            "inputs": [{"from": self.makers[v], **self._value(v)} for v in dict.fromkeys(instruction.operands)],
            "outputs": [
                {**self._value(v), "home": home_text(homes[v]), "fetched": v in fetched} for v in instruction.results
            ],
            "work": inspection.work(step),
            "read": inspection.bytes_read(step),
            "written": inspection.bytes_written(step),
            "ms": None if self.profile is None else self.profile.milliseconds(instruction),
            "text": self._text_of(instruction),
        }

    def _text_of(self, instruction: Instruction) -> str:
        """The lines of the program's text that show an instruction, without their common indent."""
        return "\n".join(line.removeprefix("  ") for line in self.lines_of.get(instruction, ()))

    @cached_property
    def lines_of(self) -> dict[Instruction, list[str]]:
        """The lines of the program's text for each of its instructions, those of its regions included."""
        lines_of: dict[Instruction, list[str]] = {i: [] for i in self.program.instructions}
        current: list[str] = []
        for line in program_lines(self.program):
            if isinstance(line.subject, Instruction):
                current = lines_of.get(line.subject, current)
            elif line.subject is self.program:
                current = []
            current.append(line.text)
        return lines_of

    # --- memory

    def _slots(self) -> list[int | None]:
        """The size of each slot of the arena."""
        sizes = [[self.inspection.bytes_of(type) for type in tenants] for tenants in self.inspection.plan.slot_tenants]
        return [None if None in each else max(size or 0 for size in each) for each in sizes]

    def _lives(self) -> Iterator[Data]:
        """For each value in the arena from which step to which it lives."""
        roots = {i.result: i.operands[0] for i in self.program.instructions if i.name == "reshape"}
        last: dict[Value, int] = {}

        def note_use(value: Value, step: int) -> None:
            while value in roots:
                value = roots[value]
            last[value] = step

        for number, step in enumerate(self.steps):
            for operand in step.instruction.operands:
                note_use(operand, number)
        for result in self.program.results:
            note_use(result, len(self.steps) - 1)
        for number, step in enumerate(self.steps):
            for result in step.instruction.results:
                home = self.inspection.plan.homes.get(result)
                if isinstance(home, Slot):
                    yield {**self._value(result), "slot": home.number, "from": number, "to": last.get(result, number)}

    # --- the graph

    def _places(self) -> dict[str, Location]:
        """Where the operations come from that a program computes, by name."""
        instructions = (each for step in self.steps for each in step.computing)
        return {place.operation: place for each in instructions for place in each.locations}

    def _operations_without_graph(self) -> list[Data]:
        """What a bundle knows of operations: names and lines."""
        nothing: Data = {"type": "", "inputs": [], "after": [], "outputs": [], "attributes": ""}
        return [
            {"name": name, "line": str(place) if place.file else "", "steps": self._steps_of(name), **nothing}
            for name, place in self._places().items()
        ]

    def _steps_of(self, name: str) -> list[int]:
        return [number for number, step in enumerate(self.steps) if name in step.operation_names]

    def _operation(self, op: Operation) -> Data:
        inputs = [] if op in self.fed else [tensor.op.name for tensor in op.inputs]
        after = [] if op in self.fed else [each.name for each in op.control_inputs]
        return {
            "name": op.name,
            "type": op.type,
            "inputs": [self.number_of[name] for name in inputs if name in self.number_of],
            "after": [self.number_of[name] for name in after if name in self.number_of],
            "outputs": [type_text(tensor) for tensor in op.outputs],
            "line": line_of(op),
            "attributes": _attributes_text(op),
            "steps": self._steps_of(op.name),
        }


def _words(step: Step) -> list[str]:
    """What a step does, in the words of the program."""
    names = [str(each.attributes.get("function", each.name)) for each in step.computing if each.name not in _SILENT]
    return names or [step.instruction.name]


def _attributes_text(op: Operation) -> str:
    shown = {name: value for name, value in op.attributes.items() if not name.startswith("_")}
    return ", ".join(f"{name}={_attribute_text(value)}" for name, value in shown.items())


def _attribute_text(value: Any) -> str:
    if isinstance(value, np.ndarray) and value.size > 1:
        return f"{value.dtype}{list(value.shape)}"
    text = value.name if isinstance(value, DType) else str(value)
    return text if len(text) <= _LONGEST_ATTRIBUTE else f"{text[:_LONGEST_ATTRIBUTE]}…"
