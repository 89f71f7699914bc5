"""What the functions of a C library share: the module, the plan, and where a context keeps what."""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from sessile.compiler.c_library.context_layout import MESSAGE, READINESS, READY, SIZES, ContextLayout
from sessile.compiler.c_library.interface import Interface
from sessile.compiler.c_library.library_plan import LibraryPlan
from sessile.compiler.c_library.module_writer import I32, I64, POINTER, ModuleWriter, word_at
from sessile.compiler.c_library.statuses import Status
from sessile.compiler.target import Target
from sessile.ir.sizes import Size
from sessile.ir.types import NUMPY_DTYPES, TensorType


class LibraryCode(ModuleWriter):
    """The module of a library with a plan.

    Attributes:
      plan: what the library runs.
      context: where a context keeps what.
    """

    def __init__(self, name: str, plan: LibraryPlan, target: Target) -> None:
        super().__init__(name, target)
        self.plan = plan
        self.context = ContextLayout(plan.interface, plan.streams(), plan.size_arrays())

    @property
    def interface(self) -> Interface:
        """What callers see."""
        return self.plan.interface

    def number(self, builder: ir.IRBuilder, context: Any, size: Size) -> Any:
        """A size of the interface as an i64; it is read from the context if it is unknown."""
        if isinstance(size, int):
            return I64(size)
        return builder.load(word_at(builder, context, self.place(size)))

    def place(self, size: Size) -> int:
        """The word of a context that holds a size."""
        symbols = {f"n{k}": k for k in range(self.context.size_count)}
        text = str(size)
        return SIZES + symbols[text] if text in symbols else self.context.number(size)

    def shape(self, builder: ir.IRBuilder, context: Any, type: TensorType) -> list[Any]:
        """The sizes of a tensor's axes."""
        return [self.number(builder, context, size) for size in type.shape]

    def byte_count(self, builder: ir.IRBuilder, context: Any, type: TensorType) -> Any:
        """The bytes of a tensor."""
        return self.number(builder, context, type.size * NUMPY_DTYPES[type.dtype].itemsize)

    def fail(self, builder: ir.IRBuilder, context: Any, status: Status, message: Any) -> None:
        """Ends a function: leaves a message in the context and returns a status."""
        if isinstance(message, str):
            message = self.text(message)
        builder.store(builder.ptrtoint(message, I64), word_at(builder, context, MESSAGE))
        builder.ret(I32(status))

    def fail_unless(self, builder: ir.IRBuilder, context: Any, holds: Any, status: Status, message: Any) -> None:
        """Ends the function with a failure where a condition does not hold."""
        with builder.if_then(builder.not_(holds), likely=False):
            self.fail(builder, context, status, message)

    def is_ready(self, builder: ir.IRBuilder, context: Any) -> Any:
        """Whether all sizes are set and fit."""
        return builder.icmp_signed("==", self.word(builder, context, READINESS), I64(READY))

    def word(self, builder: ir.IRBuilder, context: Any, place: int) -> Any:
        """A word of the context."""
        return builder.load(word_at(builder, context, place))

    def set_word(self, builder: ir.IRBuilder, context: Any, place: int, value: Any) -> None:
        """Writes a word of the context."""
        builder.store(value, word_at(builder, context, place))

    def pointer_at(self, builder: ir.IRBuilder, context: Any, place: int) -> Any:
        """The pointer in a word of the context."""
        return builder.inttoptr(self.word(builder, context, place), POINTER)
