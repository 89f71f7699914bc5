"""A module of LLVM IR under construction: functions, texts, and the small pieces that the library's code is made of."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from llvmlite import ir

from sessile.compiler.cpu.machine_code import target_machine
from sessile.compiler.target import Target

I1, I8, I32, I64 = ir.IntType(1), ir.IntType(8), ir.IntType(32), ir.IntType(64)
VOID = ir.VoidType()
TEXT = POINTER = I8.as_pointer()
WORDS = I64.as_pointer()
POINTERS = POINTER.as_pointer()


class ModuleWriter:
    """The module of a library.

    Args:
      name: of the library; the names of its functions begin with it.
      target: the machine that it is for.

    Attributes:
      module: what has been written so far.
    """

    def __init__(self, name: str, target: Target) -> None:
        self.name = name
        self.module = ir.Module(name)
        self.module.triple = target.triple
        self.module.data_layout = str(target_machine(target).target_data)
        self._texts: dict[str, Any] = {}

    def public(self, name: str, result: ir.Type, *arguments: ir.Type) -> tuple[ir.Function, ir.IRBuilder]:
        """A function `<library>_<name>` for callers, and a builder at its beginning."""
        return self._define(f"{self.name}_{name}", result, arguments)

    def private(self, name: str, result: ir.Type, *arguments: ir.Type) -> tuple[ir.Function, ir.IRBuilder]:
        """A function for the library's own use."""
        function, builder = self._define(f"{self.name}.{name}", result, arguments)
        function.linkage = "internal"
        return function, builder

    def declared(self, name: str, result: ir.Type, *arguments: ir.Type) -> ir.Function:
        """A function that is defined elsewhere."""
        if name not in self.module.globals:
            function = ir.Function(self.module, ir.FunctionType(result, arguments), name)
            function.attributes.add("nounwind")
        return self.module.globals[name]

    def text(self, text: str) -> Any:
        """The address of a text that ends with a zero byte; equal texts are one."""
        if text not in self._texts:
            data = bytearray(text.encode() + b"\0")
            self._texts[text] = self.data(f"text.{len(self._texts)}", ir.Constant(ir.ArrayType(I8, len(data)), data))
        return self._texts[text]

    def data(self, name: str, value: ir.Constant) -> Any:
        """The address of constant data."""
        variable = ir.GlobalVariable(self.module, value.type, f"{self.name}.{name}")
        variable.linkage, variable.global_constant, variable.initializer = "internal", True, value
        variable.unnamed_addr = True
        return variable.bitcast(POINTER)

    def _define(self, name: str, result: ir.Type, arguments: Sequence[ir.Type]) -> tuple[ir.Function, ir.IRBuilder]:
        function = ir.Function(self.module, ir.FunctionType(result, arguments), name)
        function.attributes.add("nounwind")
        return function, ir.IRBuilder(function.append_basic_block("entry"))


def word_at(builder: ir.IRBuilder, words: Any, index: int) -> Any:
    """The address of a 64-bit word."""
    return builder.gep(words, [I64(index)])


def null(type: ir.Type = POINTER) -> ir.Constant:
    """The null pointer."""
    return ir.Constant(type, None)


def is_null(builder: ir.IRBuilder, pointer: Any) -> Any:
    """Whether a pointer is null."""
    return builder.icmp_unsigned("==", pointer, null(pointer.type))


def return_chosen(builder: ir.IRBuilder, index: Any, choices: Sequence[Any], other: Any) -> None:
    """Ends a function: returns the choice at an index, another value beyond them."""
    function = builder.function
    default = function.append_basic_block("other")
    switch = builder.switch(index, default)
    for number, choice in enumerate(choices):
        block = function.append_basic_block(f"case.{number}")
        switch.add_case(index.type(number), block)
        ir.IRBuilder(block).ret(choice)
    ir.IRBuilder(default).ret(other)
