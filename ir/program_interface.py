"""What decides whether a program serves a call: kept from before the passes, which may settle sizes for good."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

from sessile.ir.program import Program
from sessile.ir.types import TensorType

_KEPT = frozenset({"parameter", "read_variable"})


@dataclass(frozen=True)
class ProgramInterface:
    """The interface of a lowered program.

    Attributes:
      program: the program without what it computes: its parameters, the variables that it reads, symbols, guards.
      written: the variables that it writes.
    """

    program: Program
    written: tuple[str, ...]

    @staticmethod
    def of(program: Program) -> ProgramInterface:
        """The interface of a lowered program."""
        kept = tuple(i for i in program.instructions if i.name in _KEPT)
        written = tuple(i.attributes["name"] for i in program.instructions if i.name == "write_variable")
        return ProgramInterface(Program(program.name, kept, (), program.symbols, program.guards), written)

    @cached_property
    def parameters(self) -> dict[str, TensorType]:
        """The types of the parameters, by the names of the fed tensors."""
        return self._types("parameter")

    @cached_property
    def read(self) -> dict[str, TensorType]:
        """The types of the variables that it reads."""
        return self._types("read_variable")

    def _types(self, primitive: str) -> dict[str, TensorType]:
        return {i.attributes["name"]: i.result.type for i in self.program.instructions if i.name == primitive}
