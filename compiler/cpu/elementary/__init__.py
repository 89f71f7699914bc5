"""Elementary functions as Numba intrinsics that emit LLVM IR, for kernels.

`FUNCTIONS` maps a name such as `exp_f32` to an intrinsic; kernels call it on scalars. The code has no branches and no
calls (but for the exact remainders and integer powers, which loop), so that LLVM vectorises the loop of a kernel around
it. All functions hold for every input: NaN stays NaN, infinities, subnormal numbers and signed zeros are respected.
`ERROR_BOUNDS` gives the largest error of each function that is not exact, in units in the last place of the result.

Importing this package imports Numba.
"""

from sessile.compiler.cpu.elementary import (  # noqa: F401
    comparison,
    conversion,
    error_function,
    exponential,
    gamma,
    hyperbolic,
    integer,
    inverse_error_function,
    inverse_trigonometric,
    logarithm,
    logistic,
    power,
    reduction,
    remainder,
    rounding,
    trigonometric,
)
from sessile.compiler.cpu.elementary.intrinsics import ERROR_BOUNDS, FUNCTIONS

__all__ = ["ERROR_BOUNDS", "FUNCTIONS"]
