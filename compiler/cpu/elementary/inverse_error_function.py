"""ndtri, the quantile of the normal distribution, and erfinv, computed in f64 for both types.

Wichura's rational approximations in three regions (Algorithm AS 241, PPND16, Applied Statistics 37, 1988).
"""

from __future__ import annotations

import math

from sessile.compiler.cpu.elementary.emit import Value, absolute, copy_sign, fma, horner, select, square_root
from sessile.compiler.cpu.elementary.intrinsics import elementary_in_f64
from sessile.compiler.cpu.elementary.logarithm import decompose, natural

CENTRE_NUMERATOR = (
    3.3871328727963666080,
    1.3314166789178437745e2,
    1.9715909503065514427e3,
    1.3731693765509461125e4,
    4.5921953931549871457e4,
    6.7265770927008700853e4,
    3.3430575583588128105e4,
    2.5090809287301226727e3,
)
CENTRE_DENOMINATOR = (
    1.0,
    4.2313330701600911252e1,
    6.8718700749205790830e2,
    5.3941960214247511077e3,
    2.1213794301586595867e4,
    3.9307895800092710610e4,
    2.8729085735721942674e4,
    5.2264952788528545610e3,
)
MIDDLE_NUMERATOR = (
    1.42343711074968357734,
    4.63033784615654529590,
    5.76949722146069140550,
    3.64784832476320460504,
    1.27045825245236838258,
    2.41780725177450611770e-1,
    2.27238449892691845833e-2,
    7.74545014278341407640e-4,
)
MIDDLE_DENOMINATOR = (
    1.0,
    2.05319162663775882187,
    1.67638483018380384940,
    6.89767334985100004550e-1,
    1.48103976427480074590e-1,
    1.51986665636164571966e-2,
    5.47593808499534494600e-4,
    1.05075007164441684324e-9,
)
FAR_NUMERATOR = (
    6.65790464350110377720,
    5.46378491116411436990,
    1.78482653991729133580,
    2.96560571828504891230e-1,
    2.65321895265761230930e-2,
    1.24266094738807843860e-3,
    2.71155556874348757815e-5,
    2.01033439929228813265e-7,
)
FAR_DENOMINATOR = (
    1.0,
    5.99832206555887937690e-1,
    1.36929880922735805310e-1,
    1.48753612908506148525e-2,
    7.86869131145613259100e-4,
    1.84631831751005468180e-5,
    1.42151175831644588870e-7,
    2.04426310338993978564e-15,
)


def quantile(q: Value, tail: Value) -> Value:
    """The normal quantile of 1/2 + q, given also the smaller of 1/2 + q and 1/2 - q."""
    central = absolute(q) <= 0.425
    high, low = natural(decompose(tail))
    r = square_root(-(high + low))
    middle = r <= 5.0
    u, v, w = 0.180625 - q * q, r - 1.6, r - 5.0
    top = select(middle, horner(v, MIDDLE_NUMERATOR), horner(w, FAR_NUMERATOR))
    bottom = select(middle, horner(v, MIDDLE_DENOMINATOR), horner(w, FAR_DENOMINATOR))
    top = select(central, q * horner(u, CENTRE_NUMERATOR), top)
    bottom = select(central, horner(u, CENTRE_DENOMINATOR), bottom)
    inside = copy_sign(top / bottom, q)
    at_end = copy_sign(select(tail.equals(0.0), tail.constant(math.inf), math.nan), q)
    return select(tail > 0.0, inside, at_end)


@elementary_in_f64(ulp=(0.51, 5.0))
def ndtri(p: Value) -> Value:
    """Quantile of the normal distribution; infinite at 0 and 1, NaN outside."""
    upper = 1.0 - p
    return quantile(p - 0.5, select(p < upper, p, upper))


@elementary_in_f64(ulp=(0.51, 5.0))
def erfinv(x: Value) -> Value:
    """Inverse of erf; infinite at -1 and 1, NaN outside."""
    return quantile(x * 0.5, fma(absolute(x), -0.5, 0.5)) * math.sqrt(0.5)
