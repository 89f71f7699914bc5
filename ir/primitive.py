"""What a primitive is, and the registry of all of them.

A primitive is defined once, in `ir/primitives/`: its typing rule (`infer`) and its meaning in NumPy (`reference`).
How it enters a kernel is the compiler's business.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, TypeVar

from sessile.ir.program import Region
from sessile.ir.types import TensorType


class ProgramError(ValueError):
    """A program breaks a typing rule: operands, attributes or regions do not fit their primitive."""


class RunFailure(Exception):
    """A primitive met values that it cannot compute with (an index out of range, a division by zero ...).

    `kind` is the name of the error class to raise, in snake case: "invalid_argument", "failed_precondition" ...
    """

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(message)
        self.kind = kind
        self.message = message


def require(condition: bool, message: str) -> None:
    """Raises ProgramError with `message` unless `condition` holds."""
    if not condition:
        raise ProgramError(message)


class Primitive:
    """One primitive. Subclasses state `infer` and `reference`.

    `pure` primitives may be removed, merged and evaluated at compile time. `sized` names the attributes that hold
    sizes; they arrive in `reference` as numbers. A primitive with `uses_context` gets the run's `context` first.
    """

    name: ClassVar[str]
    pure: ClassVar[bool] = True
    uses_context: ClassVar[bool] = False
    sized: ClassVar[tuple[str, ...]] = ()

    def infer(self, *operands: Any, **attributes: Any) -> TensorType | tuple[TensorType, ...]:
        """The types of the results. Raises ProgramError when operands or attributes do not fit."""
        raise NotImplementedError(self.name)

    def reference(self, *operands: Any, **attributes: Any) -> Any:
        """The results, computed with NumPy."""
        raise NotImplementedError(self.name)

    def binds(self, attributes: Mapping[str, Any]) -> tuple[str, ...]:
        """The size symbols that get their numbers when an instruction with these attributes runs."""
        return ()

    def verify_regions(self, operands: tuple[TensorType, ...], regions: tuple[Region, ...]) -> None:
        """Raises ProgramError when the regions do not fit; most primitives have none."""
        require(not regions, f"{self.name} takes no region")


PRIMITIVES: dict[str, Primitive] = {}
PrimitiveClass = TypeVar("PrimitiveClass", bound=type[Primitive])


def primitive(name: str) -> Callable[[PrimitiveClass], PrimitiveClass]:
    """Class decorator: registers a primitive under `name`."""

    def register(cls: PrimitiveClass) -> PrimitiveClass:
        if name in PRIMITIVES:
            raise ValueError(f"primitive {name!r} is defined twice")
        cls.name = name
        PRIMITIVES[name] = cls()
        return cls

    return register
