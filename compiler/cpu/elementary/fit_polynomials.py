"""Fits the polynomials of the elementary functions and writes `coefficients.py`; a developer's tool, needs mpmath.

Each entry of `FITS` approximates g(u) on an interval by a polynomial whose weighted error is smallest (Remez exchange
on a fine grid, in 60 digits) and then rounded to the working type. The shapes leave the exact leading terms out of the
polynomial, so that the rounding of its coefficients does not matter; the error written beside them includes it.
Run as `python compiler/cpu/elementary/fit_polynomials.py [name ...]`; without names all are fitted and written.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mpmath import mp, mpf  # type: ignore[import-not-found,import-untyped,unused-ignore]

mp.dps = 60
GRID = 600
Real = Any
LN2, HALF_PI = mp.log(2), mp.pi / 2
DIGAMMA_ROOT = mp.findroot(mp.digamma, mpf("1.4616321449683623"))


@dataclass(frozen=True)
class Fit:
    """Polynomial for g on [low, high]; `weight` times its error is the relative error of the final result."""

    g: Callable[[Real], Real]
    low: Real
    high: Real
    degree: int
    weight: Callable[[Real], Real]
    precision: int = 53  # bits of the coefficients
    split: bool = False  # give the constant term in two parts, the second as NAME_LOW


def in_square(f: Callable[[Real], Real]) -> Callable[[Real], Real]:
    """f as a function of u = x * x."""
    return lambda u: f(mp.sqrt(u))


def scaled_erfc(t: Real) -> Real:
    """exp(x * x) * erfc(x) * (x + 3) for t = (x - 3) / (x + 3)."""
    x = 3 * (1 + t) / (1 - t)
    return mp.erfc(x) * mp.exp(x * x) * (x + 3)


def lgamma_quotient(r: Real) -> Real:
    return mp.loggamma(r) / (r - 2)


def digamma_quotient(r: Real) -> Real:
    return mp.digamma(r) / (r - DIGAMMA_ROOT)


R = LN2 / 2 * mpf("1.0001")  # half the width of exp's reduced interval
F_LOW, F_HIGH = mp.sqrt(mpf(0.5)) - 1 - mpf(2) ** -22, mp.sqrt(mpf(2)) - 1 + mpf(2) ** -22
S = (F_HIGH / (2 + F_HIGH)) ** 2
Q = (mp.pi / 4) ** 2 * mpf("1.0001")


def exp_fit(degree: int, precision: int) -> Fit:
    """exp(r) = 1 + r + r**2 P(r)."""
    return Fit(lambda r: (mp.expm1(r) - r) / r**2, -R, R, degree, lambda r: r**2 / mp.expm1(r), precision)


def exp2_fit(degree: int, precision: int) -> Fit:
    """2**r = 1 + r (ln2 + r P(r)); ln2 is nearer to an f32 (and f64) than most numbers are."""
    g = lambda r: (mp.expm1(r * LN2) / r - LN2) / r  # noqa: E731
    return Fit(g, mpf("-0.5001"), mpf("0.5001"), degree, lambda r: r * r, precision)


def log_atanh_fit(degree: int) -> Fit:
    """log((1 + s) / (1 - s)) = 2 s + s z P(z), z = s * s."""
    g = in_square(lambda s: (2 * mp.atanh(s) / s - 2) / (s * s))
    return Fit(g, 0, S, degree, in_square(lambda s: s**3 / (2 * mp.atanh(s))))


def log2_atanh_fit(degree: int, precision: int) -> Fit:
    """log2((1 + s) / (1 - s)) = s (K0 + K1 z + z**2 P(z)), z = s * s, with K0 = 2 / ln2 and K1 = K0 / 3."""
    k0, k1 = 2 / LN2, 2 / (3 * LN2)
    g = in_square(lambda s: (k0 * mp.atanh(s) / s - k0 - k1 * s**2) / s**4)
    return Fit(g, 0, S, degree, in_square(lambda s: s**5 / (k0 * mp.atanh(s))), precision)


def atan_fit(degree: int) -> Fit:
    """atan(t) = t + t u P(u), u = t * t."""
    return Fit(in_square(lambda t: (mp.atan(t) / t - 1) / t**2), 0, 1, degree, in_square(lambda t: t**3 / mp.atan(t)))


def asin_fit(degree: int) -> Fit:
    """asin(s) = s + s u P(u), u = s * s."""
    g = in_square(lambda s: (mp.asin(s) / s - 1) / s**2)
    return Fit(g, 0, mpf("0.25"), degree, in_square(lambda s: s**3 / mp.asin(s)))


def erf_fit(degree: int, precision: int) -> Fit:
    """erf(x) = x + x P(u), u = x * x <= 1."""
    weight = in_square(lambda x: x / mp.erf(x))
    return Fit(in_square(lambda x: mp.erf(x) / x - 1), 0, 1, degree, weight, precision)


def erfc_fit(degree: int, largest: float, split: bool) -> Fit:
    """scaled_erfc(t) = P(t) for x from 0.5 to the largest that does not underflow."""
    low, high = mpf(-2.5) / mpf(3.5), (mpf(largest) - 3) / (mpf(largest) + 3)
    return Fit(scaled_erfc, low, high, degree, lambda t: 1 / scaled_erfc(t), split=split)


def lgamma_fit(degree: int) -> Fit:
    """lgamma(2 + v) = v P(v) for |v| <= 1/2."""
    weight = lambda v: 1 / lgamma_quotient(v + 2)  # noqa: E731
    return Fit(lambda v: lgamma_quotient(v + 2), -0.5, 0.5, degree, weight, split=True)


def lgamma_stirling_fit(degree: int) -> Fit:
    """lgamma(x) = (x - 1/2) (log(x) - 1) + (log(2 pi) - 1) / 2 + w P(u), w = 1 / x, u = w * w, x >= 8.5."""

    def g(w: Real) -> Real:
        x = 1 / w
        return x * (mp.loggamma(x) - (x - 0.5) * (mp.log(x) - 1) - (mp.log(2 * mp.pi) - 1) / 2)

    return Fit(in_square(g), 0, 1 / mpf(8.5) ** 2, degree, in_square(lambda w: w / mp.loggamma(1 / w)))


def digamma_fit(degree: int) -> Fit:
    """digamma(r) = (r - root) P(r - 1.5) for r in [1, 2]."""
    weight = lambda v: 1 / digamma_quotient(v + 1.5)  # noqa: E731
    return Fit(lambda v: digamma_quotient(v + 1.5), -0.5, 0.5, degree, weight, split=True)


def digamma_asymptotic_fit(degree: int) -> Fit:
    """digamma(x) = log(x) - w / 2 - u P(u), w = 1 / x, u = w * w, x >= 8."""
    g = in_square(lambda w: (mp.log(1 / w) - w / 2 - mp.digamma(1 / w)) / w**2)
    return Fit(g, 0, mpf(1) / 64, degree, lambda u: u)


FITS: dict[str, Fit] = {
    "EXP_F32": exp_fit(4, 24),
    "EXPM1_F32": exp_fit(5, 24),
    "EXP_F64": exp_fit(10, 53),
    "EXP2_F32": exp2_fit(4, 24),
    "EXP2_SHORT": exp2_fit(5, 53),
    "EXP2_F64": exp2_fit(10, 53),
    # log(1 + f) = f - f**2 / 2 + f**3 P(f)
    "LOG_F32": Fit(lambda f: (mp.log1p(f) - f + f * f / 2) / f**3, F_LOW, F_HIGH, 8, lambda f: f**3 / mp.log1p(f), 24),
    "LOG_F64": log_atanh_fit(6),
    "LOG2_F32": log2_atanh_fit(2, 24),
    "LOG2_F64": log2_atanh_fit(6, 53),
    # sin(x) = x + x u P(u) and cos(x) = 1 - u / 2 + u**2 P(u), u = x * x
    "SIN_SHORT": Fit(in_square(lambda x: (mp.sin(x) / x - 1) / x**2), 0, Q, 3, in_square(lambda x: x**2)),
    "COS_SHORT": Fit(in_square(lambda x: (mp.cos(x) - 1 + x**2 / 2) / x**4), 0, Q, 3, in_square(lambda x: x**4)),
    "SIN_F64": Fit(in_square(lambda x: (mp.sin(x) / x - 1) / x**2), 0, Q, 5, in_square(lambda x: x**2)),
    "COS_F64": Fit(in_square(lambda x: (mp.cos(x) - 1 + x**2 / 2) / x**4), 0, Q, 5, in_square(lambda x: x**4)),
    "ATAN_SHORT": atan_fit(9),
    "ATAN_F64": atan_fit(19),
    "ASIN_SHORT": asin_fit(5),
    "ASIN_F64": asin_fit(12),
    "ERF_F32": erf_fit(6, 24),
    "ERF_F64": erf_fit(11, 53),
    # log(erfc(x)) = P(x)
    "LOG_ERFC_F32": Fit(lambda x: mp.log(mp.erfc(x)), 1, mpf("3.95"), 7, lambda x: mp.erfc(x), 24),
    "ERFC_SHORT": erfc_fit(10, 10.25, split=False),
    "ERFC_F64": erfc_fit(21, 27.5, split=True),
    "LGAMMA_F64": lgamma_fit(18),
    "LGAMMA_STIRLING": lgamma_stirling_fit(5),
    "DIGAMMA_F64": digamma_fit(21),
    "DIGAMMA_ASYMPTOTIC": digamma_asymptotic_fit(7),
}


def chebyshev_grid(low: Real, high: Real, count: int = GRID) -> list[Real]:
    middle, half = (mpf(low) + mpf(high)) / 2, (mpf(high) - mpf(low)) / 2
    points = [middle - half * mp.cos(mp.pi * (j + mpf(0.5)) / count) for j in range(count)]
    return [point if point != 0 else half / count**2 for point in points]


def alternating_extrema(errors: list[float], count: int) -> list[int]:
    """Indices of `count` neighbouring extrema of alternating sign, the smaller ends dropped."""
    peaks: list[int] = []
    for j, error in enumerate(errors):
        if peaks and (errors[peaks[-1]] > 0) == (error > 0):
            if abs(error) > abs(errors[peaks[-1]]):
                peaks[-1] = j
        else:
            peaks.append(j)
    while len(peaks) > count:
        peaks.pop(0 if abs(errors[peaks[0]]) < abs(errors[peaks[-1]]) else -1)
    return peaks


def remez(points: list[Real], target: list[Real], weight: list[Real], count: int) -> list[Real]:
    """The `count` coefficients whose largest weighted error on the points is smallest."""
    last = len(points) - 1
    spots = [round(last * (0.5 - 0.5 * math.cos(math.pi * (j + 0.5) / (count + 1)))) for j in range(count + 1)]
    coefficients: list[Real] = []
    for _ in range(40):
        matrix, right = mp.matrix(count + 1, count + 1), mp.matrix(count + 1, 1)
        for row, j in enumerate(spots):
            for column in range(count):
                matrix[row, column] = points[j] ** column
            matrix[row, count] = (-1) ** row / weight[j]
            right[row] = target[j]
        *coefficients, level = mp.lu_solve(matrix, right)
        errors = weighted_errors(coefficients, points, target, weight)
        spots = alternating_extrema(errors, count + 1)
        if max(map(abs, errors)) < 1.001 * abs(level) or len(spots) <= count:
            break
    return coefficients


def weighted_errors(
    coefficients: list[Real], points: list[Real], target: list[Real], weight: list[Real]
) -> list[float]:
    reverse = coefficients[::-1]
    return [float(w * (mp.polyval(reverse, p) - t)) for p, t, w in zip(points, target, weight, strict=True)]


def fit(task: Fit) -> tuple[list[Real], Real, float]:
    """Rounded coefficients, what the rounding took from the first, and log2 of the largest weighted error."""
    points = chebyshev_grid(task.low, task.high)
    target, weight = [task.g(p) for p in points], [abs(task.weight(p)) for p in points]
    free = remez(points, target, weight, task.degree + 1)
    with mp.workprec(task.precision):
        coefficients = [+c for c in free]
    lost = free[0] - coefficients[0] if task.split else mpf(0)
    errors = weighted_errors([coefficients[0] + lost, *coefficients[1:]], points, target, weight)
    return coefficients, lost, math.log2(max(map(abs, errors)))


def render(name: str, task: Fit) -> str:
    coefficients, lost, error = fit(task)
    lines = "".join(f"    {float(coefficient)!r},\n" for coefficient in coefficients)
    low = f"{name}_LOW = {float(lost)!r}\n" if task.split else ""
    return f"{name} = (  # largest error 2**{error:.1f}\n{lines})\n{low}"


HEADER = '''"""Coefficients of polynomials, constant term first, written by `fit_polynomials.py`; it states shapes."""

'''


def main(names: list[str]) -> None:
    texts = [render(name, FITS[name]) for name in names or FITS]
    if names:
        print("".join(texts))
    else:
        (Path(__file__).parent / "coefficients.py").write_text(HEADER + "".join(texts))


if __name__ == "__main__":
    main(sys.argv[1:])
