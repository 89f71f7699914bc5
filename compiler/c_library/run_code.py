"""The function that computes, `run`: checks what the caller gives, calls the kernels in order, copies what is left.

Nothing is allocated. A kernel gets its arguments as a block of 64-bit words on the stack: addresses in the caller's
arrays, the workspace, the library's constants and the context, and sizes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.compiler.c_library.constant_data import ConstantData
from sessile.compiler.c_library.context_layout import MISSING, READINESS, UNFIT, WORKSPACE
from sessile.compiler.c_library.failure_messages import failure_message
from sessile.compiler.c_library.interface import Argument
from sessile.compiler.c_library.library_code import LibraryCode
from sessile.compiler.c_library.library_plan import Step
from sessile.compiler.c_library.module_writer import I32, I64, POINTER, POINTERS, VOID, WORDS, is_null, word_at
from sessile.compiler.c_library.query_code import NOT_READY
from sessile.compiler.c_library.statuses import Status
from sessile.compiler.kernel_call import Buffer, KernelArgument, Number, Scratch, StreamState, Workspace
from sessile.compiler.kernel_call import Status as StatusWords
from sessile.compiler.memory_plan import ALIGNMENT, ConstantArray, Dynamic, Home, Parameter, SizeArray, Slot
from sessile.ir.sizes import Size

_STATUS_WORDS = 8


def write_run(code: LibraryCode, constants: ConstantData) -> None:
    """Writes the function."""
    _RunCode(code, constants).write()


class _RunCode:
    def __init__(self, code: LibraryCode, constants: ConstantData) -> None:
        self.code, self.constants = code, constants
        self.interface, self.plan = code.interface, code.plan
        self.function, self.builder = code.public("run", I32, WORDS, POINTERS, POINTERS, POINTER)
        self.context, self.input_table, self.output_table, self.workspace = self.function.args
        most = max((len(step.call.arguments) for step in self.plan.steps), default=0)
        self.block = self.builder.alloca(I64, max(most, 1))
        self.status = self.builder.alloca(I64, _STATUS_WORDS)

    def write(self) -> None:
        self._check_readiness()
        self.inputs = self._checked_arrays("input", self.input_table, self.interface.inputs)
        self.outputs = self._checked_arrays("output", self.output_table, self.interface.outputs)
        self._find_workspace()
        self._find_outputs()
        for word in range(_STATUS_WORDS):
            self.builder.store(I64(0), word_at(self.builder, self.status, word))
        for step in self.plan.steps:
            self._call(step)
        self._copy_results()
        self.builder.ret(I32(Status.OK))

    # --- what the caller gives

    def _check_readiness(self) -> None:
        code, builder, context = self.code, self.builder, self.context
        with builder.if_then(builder.not_(code.is_ready(builder, context)), likely=False):
            readiness = code.word(builder, context, READINESS)
            with builder.if_then(builder.icmp_signed("==", readiness, I64(MISSING))):
                code.fail(builder, context, Status.SIZE_MISSING, NOT_READY)
            # the message is still that of the size that failed
            is_unfit = builder.icmp_signed("==", readiness, I64(UNFIT))
            builder.ret(builder.select(is_unfit, I32(Status.BAD_SIZE), I32(Status.NO_MEMORY)))

    def _checked_arrays(self, kind: str, table: Any, arguments: Sequence[Argument]) -> list[Any]:
        """The addresses in a table; one that is NULL is refused unless it is of an array without elements."""
        code, builder, context = self.code, self.builder, self.context
        if not arguments:
            return []
        is_there = builder.not_(is_null(builder, table))
        code.fail_unless(builder, context, is_there, Status.NULL_POINTER, f"the array of {kind}s is NULL")
        pointers: list[Any] = []
        for number, argument in enumerate(arguments):
            pointer = builder.load(builder.gep(table, [I64(number)]))
            is_empty = builder.icmp_signed("==", code.byte_count(builder, context, argument.type), I64(0))
            is_fine = builder.or_(builder.not_(is_null(builder, pointer)), is_empty)
            code.fail_unless(builder, context, is_fine, Status.NULL_POINTER, f"{kind} {argument.name!r} is NULL")
            pointers.append(builder.ptrtoint(pointer, I64))
        return pointers

    def _find_workspace(self) -> None:
        """The beginning of the first cache line in the caller's workspace, or in the context's own."""
        code, builder, context = self.code, self.builder, self.context
        self.base: Any = I64(0)
        if self.plan.workspace_bytes == 0:
            return
        own = code.pointer_at(builder, context, WORKSPACE)
        memory = builder.select(is_null(builder, self.workspace), own, self.workspace)
        is_there = builder.not_(is_null(builder, memory))
        text = "the workspace is NULL, and the context has none of its own"
        code.fail_unless(builder, context, is_there, Status.NULL_POINTER, text)
        up = builder.add(builder.ptrtoint(memory, I64), I64(ALIGNMENT - 1))
        self.base = builder.and_(up, I64(-ALIGNMENT))

    def _find_outputs(self) -> None:
        """Results that kernels write where the caller wants them."""
        self.places: dict[Home, int] = {}
        for number, home in enumerate(self.plan.memory.results):
            if isinstance(home, Dynamic):
                self.places.setdefault(home, number)

    # --- addresses and sizes, as words

    def _size(self, size: Size) -> Any:
        return self.code.number(self.builder, self.context, self.interface.size(size))

    def _in_workspace(self, offset: Size) -> Any:
        if offset == 0:
            return self.base
        return self.builder.add(self.base, self.code.number(self.builder, self.context, offset))

    def _in_context(self, place: int) -> Any:
        return self.builder.ptrtoint(word_at(self.builder, self.context, place), I64)

    def _address(self, home: Home) -> Any:
        match home:
            case Parameter(name):
                return self.inputs[self.interface.parameters[name]]
            case ConstantArray(array):
                return self.builder.ptrtoint(self.constants.address(array), I64)
            case SizeArray():
                return self._in_context(self.code.context.arrays[home])
            case Slot(index):
                return self._in_workspace(self.plan.slot_offsets[index])
            case _:
                return self.outputs[self.places[home]]

    def _argument(self, argument: KernelArgument) -> Any:
        memory = self.plan.memory
        match argument:
            case Buffer(value):
                return self._address(memory.homes[value])
            case Scratch():
                return self._address(memory.scratch[argument])
            case Number(size):
                return self._size(size)
            case StatusWords():
                return self.builder.ptrtoint(self.status, I64)
            case Workspace():
                return self._in_workspace(self.plan.kernel_workspace)
            case StreamState(stream):
                return self._in_context(self.code.context.streams[stream][0])

    # --- what runs

    def _call(self, step: Step) -> None:
        code, builder = self.code, self.builder
        for number, argument in enumerate(step.call.arguments):
            builder.store(self._argument(argument), word_at(builder, self.block, number))
        kernel = code.declared(step.call.source.name, VOID, WORDS, I64, I64)
        builder.call(kernel, [self.block, I64(0), I64(1)])
        if step.call.can_fail:
            works = builder.icmp_signed("==", builder.load(self.status), I64(0))
            code.fail_unless(builder, self.context, works, Status.BAD_VALUE, failure_message(step.instruction))

    def _copy_results(self) -> None:
        """Results that lie elsewhere: what is fed, constant or sizes, and results that are fetched twice."""
        builder = self.builder
        copy = None
        for number, home in enumerate(self.plan.memory.results):
            if self.places.get(home) == number:
                continue
            copy = copy or self.code.declared("memcpy", POINTER, POINTER, POINTER, I64)
            target = builder.inttoptr(self.outputs[number], POINTER)
            source = builder.inttoptr(self._address(home), POINTER)
            count = self.code.byte_count(builder, self.context, self.interface.outputs[number].type)
            builder.call(copy, [target, source, count])
