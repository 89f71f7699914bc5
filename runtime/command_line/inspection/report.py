"""What `sessile inspect` tells, as plain data: lists and dicts that JSON can hold, from which tables are made too."""

from __future__ import annotations

from collections import Counter
from typing import Any

from sessile.compiler.memory_plan import ConstantArray, Dynamic, Home, Parameter, SizeArray, Slot, Variable
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.ir.program import Program, Value
from sessile.runtime.command_line.inspection.inspection import Inspection, Profile, Step
from sessile.runtime.command_line.models.feed_text import shape_text

_SHOWN_OPERATIONS = 6


def summary_report(inspection: Inspection) -> dict[str, Any]:
    """Inputs, outputs, numbers of operations by type, sizes of the compiled program."""
    steps = inspection.steps
    return {
        "model": inspection.source,
        "target": str(inspection.target),
        "inputs": [{"name": e.name, "dtype": e.dtype.name, "shape": _sizes(e.shape)} for e in inspection.inputs],
        "outputs": [dict(each) for each in inspection.outputs],
        "graph": {
            "operations": len(inspection.operations),
            "types": dict(Counter(op.type for op in inspection.operations).most_common()),
        },
        "variables": {"count": len(_variables(inspection)), "bytes": sum(_variables(inspection).values())},
        "program": {
            "instructions": inspection.lowered_size,
            "after_passes": len(inspection.optimized.program.instructions),
            "steps": len(steps),
            "kernels": len(inspection.optimized.sources),
            "on_host": [
                {"instruction": step.instruction.name, "reason": step.reason, "operations": step.operation_names}
                for step in steps
                if step.reason
            ],
        },
        "memory": memory_totals(inspection),
    }


def _sizes(shape: Any) -> list[Any] | None:
    return None if shape is None else list(shape)


def _variables(inspection: Inspection) -> dict[str, int]:
    """The bytes of the variables that the program reads or writes."""
    values = [
        (i.attributes["name"], i.result if i.name == "read_variable" else i.operands[0])
        for i in inspection.optimized.program.instructions
        if i.name in ("read_variable", "write_variable")
    ]
    return {name: inspection.bytes_of(value.type) or 0 for name, value in values}


def operations_report(inspection: Inspection) -> list[dict[str, Any]]:
    """Each operation: name, type, inputs, what it gives, the user's line."""
    return [
        {
            "name": op.name,
            "type": op.type,
            "inputs": [t.name.removesuffix(":0") for t in op.inputs] + [f"^{each.name}" for each in op.control_inputs],
            "outputs": [type_text(tensor) for tensor in op.outputs],
            "line": line_of(op),
        }
        for op in inspection.operations
    ]


def type_text(tensor: Tensor) -> str:
    """Element type and shape as the graph knows them."""
    shape = tuple(tensor.shape.as_list()) if tensor.shape.ndims is not None else None
    return f"{tensor.dtype.base_dtype.name}{shape_text(shape) if shape is not None else '[...]'}"


def line_of(op: Operation) -> str:
    """Where the user made an operation: `model.py:12`; "" where that is not known."""
    frames = op.traceback
    return f"{frames[-1].filename.rsplit('/', 1)[-1]}:{frames[-1].lineno}" if frames else ""


# --- memory


def memory_totals(inspection: Inspection) -> dict[str, int]:
    """Bytes: of the arena, which values share one after the other, of constants, and of variables."""
    constants = {id(h): h.array.nbytes for h in inspection.plan.homes.values() if isinstance(h, ConstantArray)}
    arena = sum(_slot_bytes(inspection, index) or 0 for index in range(len(inspection.plan.slot_tenants)))
    return {"arena": arena, "constants": sum(constants.values()), "variables": sum(_variables(inspection).values())}


def _slot_bytes(inspection: Inspection, index: int) -> int | None:
    sizes = [inspection.bytes_of(type) for type in inspection.plan.slot_tenants[index]]
    return None if None in sizes else max(size or 0 for size in sizes)


def memory_report(inspection: Inspection) -> dict[str, Any]:
    """The slots of the arena, and for each value where it lives."""
    plan = inspection.plan
    fetched = set(inspection.optimized.program.results)
    values = [
        {
            "value": repr(value),
            "type": str(value.type),
            "bytes": inspection.bytes_of(value.type),
            "home": home_text(plan.homes[value]),
            "fetched": value in fetched,
        }
        for value in _top_level_values(inspection.optimized.program)
        if value in plan.homes
    ]
    slots = [
        {
            "slot": index,
            "bytes": _slot_bytes(inspection, index),
            "values": sum(h == Slot(index) for h in plan.homes.values()),
        }
        for index in range(len(plan.slot_tenants))
    ]
    return {**memory_totals(inspection), "sizes": dict(inspection.bindings), "slots": slots, "values": values}


def _top_level_values(program: Program) -> list[Value]:
    return [result for instruction in program.instructions for result in instruction.results]


def home_text(home: Home) -> str:
    """Where a value lives, in words."""
    match home:
        case Parameter(name):
            return f"input {name}"
        case ConstantArray():
            return "constant"
        case SizeArray():
            return "sizes"
        case Variable(name):
            return f"variable {name}"
        case Slot(index):
            return f"slot {index}"
        case Dynamic(None):
            return "made on the host"
        case Dynamic():
            return "memory of its own"
    raise AssertionError(home)


# --- cost


def cost_report(inspection: Inspection, profile: Profile | None = None) -> list[dict[str, Any]]:
    """For each step its kernels, the operations that it computes, work, bytes, and its time if it was measured."""
    return [_step_cost(inspection, number, step, profile) for number, step in enumerate(inspection.steps, start=1)]


def _step_cost(inspection: Inspection, number: int, step: Step, profile: Profile | None) -> dict[str, Any]:
    cost = {
        "step": number,
        "kernels": step.kernel_names,
        "operations": step.operation_names,
        "work": inspection.work(step),
        "bytes_read": inspection.bytes_read(step),
        "bytes_written": inspection.bytes_written(step),
    }
    if step.reason:
        cost["host"] = f"{step.instruction.name}: {step.reason}"
    if profile is not None:
        cost["milliseconds"] = profile.milliseconds(step.instruction)
    return cost


def names_text(names: list[str]) -> str:
    """Names in one line, the first of many."""
    shown = ", ".join(names[:_SHOWN_OPERATIONS])
    return f"{shown}, and {len(names) - _SHOWN_OPERATIONS} more" if len(names) > _SHOWN_OPERATIONS else shown
