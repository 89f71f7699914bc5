"""Primitives that hold regions or leave the program: `fused`, `cond`, `while`, `call_host`, `check`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from sessile.ir.primitive import Primitive, RunFailure, primitive, require
from sessile.ir.program import Region
from sessile.ir.types import TensorType


def _types(region: Region) -> tuple[TensorType, ...]:
    return tuple(value.type for value in region.results)


def _check_parameters(region: Region, operands: tuple[TensorType, ...]) -> None:
    expected = tuple(parameter.type for parameter in region.parameters)
    require(expected == operands, f"the region takes {expected}, not {operands}")


class Structured(Primitive):
    """A primitive with regions: its results have the types of a region's results; the interpreter runs it."""

    def infer(self, *operands: TensorType, regions: tuple[Region, ...], **attributes: Any) -> Any:
        """The types of the results, from the regions."""
        return _types(regions[-1])


@primitive("fused")
class Fused(Structured):
    """One region that a single kernel computes; `kind` names how its loops are laid."""

    def verify_regions(self, operands: tuple[TensorType, ...], regions: tuple[Region, ...]) -> None:
        require(len(regions) == 1, "fused holds one region")
        _check_parameters(regions[0], operands)


@primitive("cond")
class Cond(Structured):
    """The first region when the first operand holds, otherwise the second; both take the other operands."""

    def verify_regions(self, operands: tuple[TensorType, ...], regions: tuple[Region, ...]) -> None:
        require(len(regions) == 2, "cond holds two regions")
        require(operands[0] == TensorType("bool"), f"the condition is {operands[0]}")
        for region in regions:
            _check_parameters(region, operands[1:])
        require(_types(regions[0]) == _types(regions[1]), "the branches' results differ in type")


@primitive("while")
class While(Structured):
    """Repeats the second region on the loop's values as long as the first gives true."""

    def verify_regions(self, operands: tuple[TensorType, ...], regions: tuple[Region, ...]) -> None:
        require(len(regions) == 2, "while holds a condition and a body")
        for region in regions:
            _check_parameters(region, operands)
        require(_types(regions[0]) == (TensorType("bool"),), "the condition gives one truth value")
        require(_types(regions[1]) == operands, "the body gives the loop's values")


@primitive("call_host")
class CallHost(Primitive):
    """Calls Python: for strings, files, the user's functions. `types` are those of the results.

    `function` takes and returns arrays; `unknown` names the symbols of results whose sizes it decides, as tuples
    (symbol, result, axis). What LAPACK refuses, and the function raises as LinAlgError, is an invalid argument.
    """

    pure = False
    uses_context = True

    def infer(
        self,
        *operands: TensorType,
        function: Callable[..., Any],
        types: tuple[TensorType, ...],
        unknown: tuple[tuple[str, int, int], ...] = (),
    ) -> tuple[TensorType, ...]:
        return types

    def binds(self, attributes: Mapping[str, Any]) -> tuple[str, ...]:
        return tuple(name for name, _, _ in attributes.get("unknown", ()))

    def reference(
        self,
        context: Any,
        *operands: np.ndarray,
        function: Callable[..., Any],
        types: tuple[TensorType, ...],
        unknown: tuple[tuple[str, int, int], ...] = (),
    ) -> tuple[np.ndarray, ...]:
        try:
            results = function(*operands)
        except np.linalg.LinAlgError as error:
            raise RunFailure("invalid_argument", str(error)) from None
        for name, result, axis in unknown:
            context.bind(name, np.shape(results[result])[axis])
        return tuple(results)


@primitive("check")
class Check(Primitive):
    """Ends the run with `message` unless the operand is true everywhere.

    The other operands are shown as values: each in the place of a "{}" in the message, or all after it.
    """

    pure = False

    def infer(
        self, condition: TensorType, *data: TensorType, message: str, kind: str = "invalid_argument"
    ) -> tuple[TensorType, ...]:
        require(condition.dtype == "bool", f"the condition has type {condition}")
        return ()

    def reference(
        self, condition: np.ndarray, *data: np.ndarray, message: str, kind: str = "invalid_argument"
    ) -> tuple[()]:
        if not np.all(condition):
            shown = [np.array2string(np.asarray(d)) for d in data]
            raise RunFailure(kind, message.format(*shown) if "{}" in message else " ".join([message, *shown]))
        return ()
