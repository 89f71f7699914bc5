"""How the plain loops treat each element type: what they add in, and how an element becomes that and back."""

from __future__ import annotations

from dataclasses import dataclass

from sessile.compiler.kernel_call import NoKernel

_ADDED_AS_THEMSELVES = ("f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64", "c64", "c128")


@dataclass(frozen=True)
class ScalarType:
    """Source text for an element type.

    Attributes:
      zero: the sum of nothing.
      sum: the type that sums are rounded to, as a cast; integers wrap around.
      load: `{}` becomes the element that a pointer access yields.
      store: `{}` becomes the element that is stored for a sum.
    """

    zero: str
    sum: str
    load: str
    store: str


def scalar_type(dtype: str) -> ScalarType:
    """The text for an element type; f16 adds in f32. Raises NoKernel for a type without sums of products."""
    if dtype == "f16":
        return ScalarType("f32(0)", "f32", "f32_from_f16({})", "f16_from_f32({})")
    if dtype not in _ADDED_AS_THEMSELVES:
        raise NoKernel(f"there are no sums of products of {dtype}")
    return ScalarType(f"{dtype}(0)", dtype, "{}", f"{dtype}({{}})")
