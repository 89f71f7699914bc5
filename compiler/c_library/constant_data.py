"""The constants of a C library: read-only data that begins at cache lines.

In: arrays, while code that needs their addresses is written. Out: modules of LLVM IR as text that define them.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from llvmlite import ir

from sessile.compiler.c_library.module_writer import I8, POINTER, ModuleWriter
from sessile.compiler.memory_plan import ALIGNMENT

_MODULE_BYTES = 16 << 20  # text takes three times as much, and is held only until it is parsed
_CHARACTERS = np.array([f"\\{byte:02x}" for byte in range(256)], dtype="S3")


class ConstantData:
    """The constants that the code of a module refers to."""

    def __init__(self, code: ModuleWriter) -> None:
        self._code = code
        self._variables: dict[int, Any] = {}
        self._arrays: list[np.ndarray] = []

    def address(self, array: np.ndarray) -> Any:
        """The address of an array's elements."""
        if id(array) not in self._variables:
            name = self._name(len(self._arrays))
            variable = ir.GlobalVariable(self._code.module, ir.ArrayType(I8, array.nbytes), name)
            variable.global_constant, variable.align = True, ALIGNMENT
            self._variables[id(array)] = variable
            self._arrays.append(array)
        return self._variables[id(array)].bitcast(POINTER)

    def names(self) -> list[str]:
        """The symbols of the constants."""
        return [self._name(number) for number in range(len(self._arrays))]

    def modules(self) -> Iterator[str]:
        """Modules that together define the constants, none of them much larger than `_MODULE_BYTES`."""
        lines: list[str] = []
        size = 0
        for name, array in zip(self.names(), self._arrays, strict=True):
            value = f'c"{_escaped(array)}"' if array.nbytes else "zeroinitializer"
            lines.append(f'@"{name}" = constant [{array.nbytes} x i8] {value}, align {ALIGNMENT}\n')
            size += array.nbytes
            if size >= _MODULE_BYTES:
                yield self._head() + "".join(lines)
                lines, size = [], 0
        if lines:
            yield self._head() + "".join(lines)

    def _head(self) -> str:
        module = self._code.module
        return f'target datalayout = "{module.data_layout}"\ntarget triple = "{module.triple}"\n'

    def _name(self, number: int) -> str:
        return f"{self._code.name}.constant.{number}"


def _escaped(array: np.ndarray) -> str:
    """The bytes of an array as LLVM's text form has them."""
    data = np.frombuffer(np.ascontiguousarray(array).tobytes(), np.uint8)
    return _CHARACTERS[data].tobytes().decode("ascii")
