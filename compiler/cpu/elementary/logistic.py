"""sigmoid and softplus, out of the parts of exp and log1p."""

from __future__ import annotations

import math

from sessile.compiler.cpu.elementary.emit import (
    F32,
    F64,
    Value,
    absolute,
    clamp,
    fast_two_sum,
    fma,
    power_of_two,
    select,
    two_sum,
)
from sessile.compiler.cpu.elementary.exponential import EXP_RANGE, reduce_exp, scale
from sessile.compiler.cpu.elementary.intrinsics import FLOATS, elementary
from sessile.compiler.cpu.elementary.logarithm import decompose_above_one, natural

# From here on sigmoid is 1 after rounding.
SIGMOID_LIMIT = {F32: 20.0, F64: 40.0}


@elementary(*FLOATS, ulp=(0.8, 0.85))
def sigmoid(x: Value) -> Value:
    """1 / (1 + exp(-x)) = 2**-n / (2**-n + m) with exp(-x) = 2**n m; small results are kept."""
    reduced = reduce_exp(-clamp(x, EXP_RANGE[x.type][0], SIGMOID_LIMIT[x.type]))
    normal = select(reduced.n > x.format.bias - 1, x.format.bias - 1, reduced.n)
    power = power_of_two(-normal, x.format)
    head = power + 1.0
    lost = power - (head - 1.0)
    denominator, error = fast_two_sum(head, reduced.r)
    denominator_low = (error + lost) + reduced.tail
    reciprocal = 1.0 / (denominator + denominator_low)
    remainder = fma(-reciprocal, denominator_low, fma(-reciprocal, denominator, 1.0))
    return fma(remainder, reciprocal, reciprocal) * power * power_of_two(normal - reduced.n, x.format)


def exp_of_minus_magnitude(x: Value) -> tuple[Value, Value, Value]:
    """(n, m, m_low) with exp(-|x|) = 2**n * (m + m_low)."""
    lowest = EXP_RANGE[x.type][0]
    magnitude = -absolute(x)
    reduced = reduce_exp(select(magnitude < lowest, lowest, magnitude))
    head, error = fast_two_sum(x.constant(1.0), reduced.r)
    return (reduced.n, *fast_two_sum(head, reduced.tail + error))


@elementary(*FLOATS, ulp=(1.0, 1.1))
def softplus(x: Value) -> Value:
    """log(1 + exp(x)) = max(x, 0) + log1p(exp(-|x|))."""
    n, m, m_low = exp_of_minus_magnitude(x)
    lowest = -x.format.bias
    power = power_of_two(select(n < lowest, lowest, n), x.format)
    small = scale(m, n)
    high, low = natural(decompose_above_one(small, power * m_low))
    # log1p(t) is t itself where t is below half an ulp of one.
    vanishes = power < 2.0 ** (-x.format.fraction_bits - 2)
    total, error = two_sum(select(x < 0.0, 0.0, x), select(vanishes, small, high))
    result = total + (error + select(vanishes, 0.0, low))
    return select(x.equals(math.inf), x, result)
