"""Learning rates that change with the global step."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

from sessile.graph import dtypes
from sessile.graph.convert import convert_n_to_tensor, convert_to_tensor
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import arithmetic, casts, constants, division, elementwise, selection, transcendental
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor

_STEP_MISSING = "global_step is required for {}."


@public("train.exponential_decay")
def exponential_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate * decay_rate ** (global_step / decay_steps).

    Args:
        learning_rate: the rate at step 0, a floating scalar.
        global_step: the number of steps so far.
        decay_steps: after how many steps the rate has changed by the factor `decay_rate`.
        decay_rate: that factor.
        staircase: lets the rate change at multiples of `decay_steps` alone.
        name: a name for the operations.

    Raises ValueError when `global_step` is None.
    """
    rate = _Rate("ExponentialDecay", learning_rate, global_step, name)

    def decayed() -> Tensor:
        steps, factor = rate.number(decay_steps), rate.number(decay_rate)
        power = rate.step() / steps
        if staircase:
            power = elementwise.Floor(power)
        return arithmetic.Mul(rate.initial, arithmetic.pow_(factor, power), name=rate.scope)

    return rate.computed(decayed)


@public("train.natural_exp_decay")
def natural_exp_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate * exp(-decay_rate * global_step / decay_steps); the arguments are those of `exponential_decay`."""
    factor = transcendental.Exp(elementwise.Neg(decay_rate))
    return exponential_decay(learning_rate, global_step, decay_steps, factor, staircase, name)


@public("train.inverse_time_decay")
def inverse_time_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    decay_rate: Any,
    staircase: bool = False,
    name: str | None = None,
) -> Tensor:
    """learning_rate / (1 + decay_rate * global_step / decay_steps); the arguments are those of `exponential_decay`."""
    rate = _Rate("InverseTimeDecay", learning_rate, global_step, name)

    def decayed() -> Tensor:
        steps, factor = rate.number(decay_steps), rate.number(decay_rate)
        periods = rate.step() / steps
        if staircase:
            periods = elementwise.Floor(periods)
        one = casts.cast(constants.constant(1), rate.initial.dtype)
        divisor = arithmetic.Add(one, arithmetic.Mul(factor, periods))
        return division.truediv(rate.initial, divisor, name=rate.scope)

    return rate.computed(decayed)


@public("train.polynomial_decay")
def polynomial_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    end_learning_rate: Any = 0.0001,
    power: Any = 1.0,
    cycle: bool = False,
    name: str | None = None,
) -> Tensor:
    """From learning_rate to end_learning_rate within decay_steps, by a power of the share of steps that are left.

    Args:
        learning_rate: the rate at step 0, a floating scalar.
        global_step: the number of steps so far.
        decay_steps: when the end is reached; the rate stays there.
        end_learning_rate: the rate at the end.
        power: 1.0 for a straight line.
        cycle: begins again with twice, three times ... as many steps whenever the end is reached.
        name: a name for the operations.

    Raises ValueError when `global_step` is None.
    """
    rate = _Rate("PolynomialDecay", learning_rate, global_step, name)

    def decayed() -> Tensor:
        end, exponent = rate.number(end_learning_rate), rate.number(power)
        step, steps = rate.step(), rate.number(decay_steps)
        if cycle:
            rounds = elementwise.Ceil(step / decay_steps)
            steps = arithmetic.Mul(steps, arithmetic.Maximum(rounds, 1))
        else:
            step = arithmetic.Minimum(step, decay_steps)
        share = division.truediv(step, steps)
        distance = rate.initial - end
        change = arithmetic.Mul(distance, arithmetic.pow_(1 - share, exponent))
        return arithmetic.Add(change, end, name=rate.scope)

    return rate.computed(decayed)


@public("train.piecewise_constant", "train.piecewise_constant_decay")
def piecewise_constant(x: Any, boundaries: Sequence[Any], values: Sequence[Any], name: str | None = None) -> Tensor:
    """values[0] while x <= boundaries[0], values[1] while x <= boundaries[1] ..., then values[-1].

    Args:
        x: a scalar, such as the global step.
        boundaries: scalars of the type of `x`, rising.
        values: scalars of one type, one more than boundaries.
        name: a name for the operations.

    Raises ValueError for numbers of values and types that do not fit.
    """
    if len(boundaries) != len(values) - 1:
        raise ValueError("The length of boundaries should be 1 less than the length of values")
    limits, chosen = convert_n_to_tensor(boundaries), convert_n_to_tensor(values)
    x = convert_to_tensor(x)
    own = x.dtype.base_dtype
    if own == dtypes.int64:
        limits = [casts.cast(limit, own) if limit.dtype == dtypes.int32 else limit for limit in limits]
    for limit in limits:
        if limit.dtype.base_dtype != own:
            raise ValueError(f"Boundaries ({limit.dtype.base_dtype}) must have the same dtype as x ({own}).")
    if len({value.dtype.base_dtype for value in chosen}) > 1:
        types = " vs ".join(value.dtype.base_dtype.name for value in chosen)
        raise ValueError(f"Values must have elements all with the same dtype ({types}).")
    with name_scope(name, "PiecewiseConstant", [x, *limits, *chosen]):
        result = chosen[-1]
        for limit, value in zip(reversed(limits), reversed(chosen[:-1]), strict=True):
            result = selection.where(x <= limit, value, result)
        return result


@public("train.cosine_decay")
def cosine_decay(
    learning_rate: Any, global_step: Any, decay_steps: Any, alpha: float = 0.0, name: str | None = None
) -> Tensor:
    """From learning_rate to alpha * learning_rate along half a period of the cosine (Loshchilov and Hutter, 2017).

    Args:
        learning_rate: the rate at step 0, a floating scalar.
        global_step: the number of steps so far.
        decay_steps: when the end is reached; the rate stays there.
        alpha: the share of the rate that is left at the end.
        name: a name for the operations.

    Raises ValueError when `global_step` is None.
    """
    rate = _Rate("CosineDecay", learning_rate, global_step, name)

    def decayed() -> Tensor:
        steps = rate.number(decay_steps)
        completed = arithmetic.Minimum(rate.step(), steps) / steps
        share = (1 - alpha) * _half_cosine(completed) + alpha
        return arithmetic.Mul(rate.initial, share)

    return rate.computed(decayed)


@public("train.linear_cosine_decay")
def linear_cosine_decay(
    learning_rate: Any,
    global_step: Any,
    decay_steps: Any,
    num_periods: float = 0.5,
    alpha: float = 0.0,
    beta: float = 0.001,
    name: str | None = None,
) -> Tensor:
    """learning_rate * ((alpha + linear) * cosine + beta): both fall from 1 to 0 in decay_steps (Bello et al., 2017).

    Args:
        learning_rate: the rate at step 0, a floating scalar.
        global_step: the number of steps so far.
        decay_steps: when the end is reached; the rate stays there.
        num_periods: how many periods of the cosine there are.
        alpha, beta: see above.
        name: a name for the operations.

    Raises ValueError when `global_step` is None.
    """
    rate = _Rate("LinearCosineDecay", learning_rate, global_step, name)

    def decayed() -> Tensor:
        steps, periods, a, b = (rate.number(value) for value in (decay_steps, num_periods, alpha, beta))
        step = arithmetic.Minimum(rate.step(), steps)
        linear = (steps - step) / steps
        cosine = _half_cosine(2.0 * periods * (step / steps))
        return arithmetic.Mul(rate.initial, (a + linear) * cosine + b, name=rate.scope)

    return rate.computed(decayed)


def _half_cosine(share: Tensor) -> Tensor:
    """1 at 0, 0 at 1, and so on with period 2."""
    return 0.5 * (1.0 + transcendental.Cos(constants.constant(math.pi, share.dtype) * share))


class _Rate:
    """A rate that is being computed, in a name scope: its value at step 0, the step, and other numbers of its type."""

    def __init__(self, kind: str, learning_rate: Any, global_step: Any, name: str | None) -> None:
        if global_step is None:
            words = "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in kind).lstrip("_")
            raise ValueError(_STEP_MISSING.format(words))
        self._kind, self._name = kind, name
        self._learning_rate, self._global_step = learning_rate, global_step
        self.scope = ""
        self.initial: Tensor

    def computed(self, decayed: Callable[[], Tensor]) -> Tensor:
        """What `decayed` computes, inside the scope."""
        with name_scope(self._name or self._kind) as self.scope:
            self.initial = convert_to_tensor(self._learning_rate, name="initial_learning_rate")
            return decayed()

    def step(self) -> Tensor:
        """The global step in the type of the rate."""
        return self.number(self._global_step)

    def number(self, value: Any) -> Tensor:
        """A number in the type of the rate."""
        return casts.cast(value, self.initial.dtype.base_dtype)
