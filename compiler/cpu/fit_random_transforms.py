"""Fits the polynomials of `sessile.ir.random_transforms` and prints them; a developer's tool, needs mpmath.

The errors that are made smallest, and their intervals, are those for which every f32 result agrees with the GNU C
library's, found by trying: the quartic of log has least relative error on the range of r that counts there, the
polynomial of sin has least error of sin(x) / x, that of cos least error of cos(x).
"""

from __future__ import annotations

from mpmath import mp, mpf  # type: ignore[import-not-found,import-untyped,unused-ignore]

from sessile.compiler.cpu.elementary.fit_polynomials import Fit, chebyshev_grid, in_square, remez

GRID = 8000  # points; the f32 results hang on the tenth digit of the coefficients
LARGEST_S = (mp.sqrt(2) - 1) / (mp.sqrt(2) + 1)
QUARTER_PI_SQUARED = (mp.pi / 4) ** 2 * mpf("1.0000001")


def sine(degree: int) -> Fit:
    """sin(x) = x + x u P(u), u = x * x."""
    return Fit(in_square(lambda x: (mp.sin(x) / x - 1) / x**2), 0, QUARTER_PI_SQUARED, degree, lambda u: u)


FITS = {
    # log(1 + r) = r + r**2 P(r)
    "_LOG32": Fit(
        lambda r: (mp.log1p(r) - r) / r**2, mpf("-0.0283165"), mpf("0.0264204"), 2, lambda r: r**2 / mp.log1p(r)
    ),
    "_SIN32": sine(2),
    # cos(x) = 1 + u P(u)
    "_COS32": Fit(in_square(lambda x: (mp.cos(x) - 1) / x**2), 0, QUARTER_PI_SQUARED, 3, lambda u: u),
    # log((1 + s) / (1 - s)) = 2 s + s u P(u), u = s * s
    "_LOG64": Fit(
        in_square(lambda s: (2 * mp.atanh(s) / s - 2) / s**2),
        0,
        LARGEST_S**2 * mpf("1.0001"),
        7,
        in_square(lambda s: s**3 / (2 * mp.atanh(s))),
    ),
    "_SIN64": sine(6),
    # cos(x) = 1 - u / 2 + u**2 P(u)
    "_COS64": Fit(in_square(lambda x: (mp.cos(x) - 1 + x**2 / 2) / x**4), 0, QUARTER_PI_SQUARED, 5, lambda u: u**2),
}


def coefficients(task: Fit) -> list[float]:
    """Constant term first."""
    points = chebyshev_grid(task.low, task.high, GRID)
    fitted = remez(points, [task.g(p) for p in points], [abs(task.weight(p)) for p in points], task.degree + 1)
    return [float(c) for c in fitted]


if __name__ == "__main__":
    for name, task in FITS.items():
        print(name, ", ".join(c.hex() for c in coefficients(task)))
