"""Stages and kernel calls as JSON, and back: what an optimised program needs to be run without compiler.

In: the stages of a program that `sessile.ir.serialization` takes apart. Out: lists that name instructions by position,
values by id, kernels by number.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sessile.compiler.kernel_call import (
    Buffer,
    KernelArgument,
    KernelCall,
    Number,
    Scratch,
    Status,
    StreamState,
    Workspace,
)
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.stages import HostStage, NativeInstruction, NativeStage, Stage
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.serialization import Decoder, NameTable
from sessile.ir.sizes import Size, SizeExpression


def encode_stages(
    program: Program, stages: Sequence[Stage], sources: Sequence[KernelSource], table: NameTable
) -> list[list[Any]]:
    """The stages of a program whose kernels are `sources`."""
    return _StageEncoder(program, sources, table).stages(stages)


def decode_stages(
    encoded: Sequence[Sequence[Any]],
    program: Program,
    values: Mapping[int, Value],
    sources: Sequence[KernelSource],
    table: NameTable,
) -> tuple[Stage, ...]:
    """The stages that `encode_stages` took apart; `values` are those of the program, by id."""
    return tuple(_StageDecoder(program, values, sources, table).stage(*row) for row in encoded)


def _size(size: Size) -> int | str:
    return str(size) if isinstance(size, SizeExpression) else int(size)


class _StageEncoder:
    def __init__(self, program: Program, sources: Sequence[KernelSource], table: NameTable) -> None:
        self._positions = {instruction: number for number, instruction in enumerate(program.instructions)}
        self._kernels = {source.name: number for number, source in enumerate(sources)}
        self._scratch: dict[Scratch, int] = {}
        self._table = table

    def stages(self, stages: Sequence[Stage]) -> list[list[Any]]:
        return [self._stage(stage) for stage in stages]

    def _stage(self, stage: Stage) -> list[Any]:
        if isinstance(stage, HostStage):
            return ["host", self._positions[stage.instruction], stage.reason]
        rows = [[self._positions[i.instruction], [self._call(call) for call in i.calls]] for i in stage.instructions]
        return ["native", rows]

    def _call(self, call: KernelCall) -> list[Any]:
        arguments = [self._argument(argument) for argument in call.arguments]
        return [self._kernels[call.source.name], arguments, _size(call.work), call.parallel, call.can_fail]

    def _argument(self, argument: KernelArgument) -> list[Any]:
        match argument:
            case Buffer(value):
                return ["buffer", value.id]
            case Number(size):
                return ["number", _size(size)]
            case Status():
                return ["status"]
            case Workspace(elements, dtype):
                return ["workspace", _size(elements), dtype]
            case Scratch(elements, dtype):
                number = self._scratch.setdefault(argument, len(self._scratch))
                return ["scratch", number, _size(elements), dtype]
            case StreamState(stream, seed, seed2):
                return ["stream", self._table.number("stream", stream), seed, seed2]


class _StageDecoder:
    def __init__(
        self, program: Program, values: Mapping[int, Value], sources: Sequence[KernelSource], table: NameTable
    ) -> None:
        self._instructions: Sequence[Instruction] = program.instructions
        self._values = values
        self._sources = sources
        self._table = table
        self._scratch: dict[int, Scratch] = {}

    def stage(self, kind: str, *rest: Any) -> Stage:
        if kind == "host":
            position, reason = rest
            return HostStage(self._instructions[position], reason)
        if kind != "native":
            raise ValueError(f"no stage is {kind!r}")
        (rows,) = rest
        return NativeStage(
            tuple(
                NativeInstruction(self._instructions[position], tuple(self._call(*call) for call in calls))
                for position, calls in rows
            )
        )

    def _call(self, kernel: int, arguments: Any, work: int | str, parallel: bool, can_fail: bool) -> KernelCall:
        decoded = tuple(self._argument(*argument) for argument in arguments)
        return KernelCall(self._sources[kernel], decoded, Decoder.size(work), parallel, can_fail)

    def _argument(self, kind: str, *rest: Any) -> KernelArgument:
        match kind, *rest:
            case "buffer", id:
                return Buffer(self._values[id])
            case "number", size:
                return Number(Decoder.size(size))
            case ("status",):
                return Status()
            case "workspace", elements, dtype:
                return Workspace(Decoder.size(elements), dtype)
            case "scratch", number, elements, dtype:
                return self._scratch.setdefault(number, Scratch(Decoder.size(elements), dtype))
            case "stream", name, seed, seed2:
                return StreamState(self._table.name(name), seed, seed2)
        raise ValueError(f"no argument of a kernel is {kind!r}")
