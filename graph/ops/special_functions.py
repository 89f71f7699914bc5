"""Special functions of floating numbers, element by element: the error function, the gamma function and its kin."""

from __future__ import annotations

import math
from typing import Any

from sessile.graph.convert import internal_convert
from sessile.graph.dtypes import FLOATING
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import operation
from sessile.graph.ops import elementwise, reductions, transcendental
from sessile.graph.ops.bases import UnaryElementwise
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


class SpecialFunction(UnaryElementwise):
    """Base of functions of real floating numbers."""

    attributes = {"T": FLOATING}


def _bell(x: Tensor, scale: float) -> Tensor:
    """scale * exp(-x * x)."""
    factor = internal_convert(scale, x.dtype.base_dtype, "scale")
    return factor * transcendental.Exp(-elementwise.Square(x))


@operation("Erf", public=("erf", "math.erf"))
class Erf(SpecialFunction):
    """The error function, 2 / sqrt(pi) times the integral of exp(-t * t) from 0 to x, element by element."""

    function = "erf"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * _bell(op.inputs[0], 2 / math.sqrt(math.pi))]


@operation("Erfc", public=("erfc", "math.erfc"))
class Erfc(SpecialFunction):
    """1 - erf(x), element by element, exact for large x too."""

    function = "erfc"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * _bell(op.inputs[0], -2 / math.sqrt(math.pi))]


@operation("Lgamma", public=("lgamma", "math.lgamma"))
class Lgamma(SpecialFunction):
    """The logarithm of the absolute value of the gamma function, element by element."""

    function = "lgamma"

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad * Digamma(op.inputs[0])]


@operation("Digamma", public=("digamma", "math.digamma"))
class Digamma(SpecialFunction):
    """The derivative of `lgamma`, element by element."""

    function = "digamma"


@public("math.lbeta", "lbeta")
def lbeta(x: Any, name: str | None = None) -> Tensor:
    """The logarithm of the absolute value of the beta function along the last axis: sum(lgamma(x)) - lgamma(sum(x)).

    Args:
        x: a tensor of floating numbers, of rank 1 or more.
        name: a name for the operation.

    Returns a tensor without the last axis.
    """
    with name_scope(name, "lbeta", [x]):
        x = internal_convert(x, None, "x")
        logarithms = reductions.reduce_sum(Lgamma(x), axis=[-1])
        return logarithms - Lgamma(reductions.reduce_sum(x, axis=[-1]))
