"""One size of a tensor's static shape, known or not.

In come integers and None, out goes a `Dimension` whose arithmetic and comparisons allow for an unknown size.
"""

import operator
from collections.abc import Callable
from numbers import Real
from typing import Any

from sessile.graph.public_names import public


def size_of(value: Any) -> int | None:
    """Returns the size that `value` stands for: an int that is not negative, or None for unknown.

    Args:
        value: a `Dimension`, an integer of any kind (what has `__index__`), a float that is whole, or None.

    Raises:
        TypeError: `value` is none of these.
        ValueError: `value` is negative, or a float that is not whole.
    """
    if value is None:
        return None
    if isinstance(value, Dimension):
        return value.value
    try:
        size = operator.index(value)
    except TypeError:
        size = _whole_number(value)
    if size < 0:
        raise ValueError(f"Dimension {size} must be >= 0")
    return size


def _whole_number(value: Any) -> int:
    if not isinstance(value, Real):
        raise TypeError(
            f"Dimension value must be integer or None or have an __index__ method, "
            f"got value {value!r} with type {type(value)!r}"
        )
    number = float(value)
    if not number.is_integer():
        raise ValueError(f"Ambiguous dimension: {value}")
    return int(number)


@public("Dimension")
class Dimension:
    """A size of a static shape: an int that is not negative, or unknown.

    Arithmetic with an unknown size is unknown; a comparison with one is None, neither True nor False.

    Args:
        value: a `Dimension`, an integer (also as a float), or None for unknown.

    Raises:
        TypeError: `value` is none of these.
        ValueError: `value` is negative, or a float that is not whole.
    """

    __slots__ = ("_value",)

    def __init__(self, value: Any) -> None:
        self._value = size_of(value)

    @property
    def value(self) -> int | None:
        """The size, None if it is unknown."""
        return self._value

    def is_compatible_with(self, other: Any) -> bool:
        """Whether both can be the same size: they are equal or one is unknown."""
        size = size_of(other)
        return self._value is None or size is None or self._value == size

    def assert_is_compatible_with(self, other: Any) -> None:
        """Raises ValueError unless `is_compatible_with(other)`."""
        if not self.is_compatible_with(other):
            raise ValueError(f"Dimensions {self} and {other} are not compatible")

    def merge_with(self, other: Any) -> "Dimension":
        """Returns the size that both stand for, unknown only if both are.

        Raises:
            ValueError: the two are known and differ.
        """
        self.assert_is_compatible_with(other)
        return Dimension(size_of(other) if self._value is None else self._value)

    def _combine(self, other: Any, operation: Callable[[int, int], int], reflected: bool = False) -> Any:
        try:
            size = size_of(other)
        except (TypeError, ValueError):
            return NotImplemented
        if self._value is None or size is None:
            return Dimension(None)
        return Dimension(operation(size, self._value) if reflected else operation(self._value, size))

    def __add__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.add)

    def __radd__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.add, reflected=True)

    def __sub__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.sub)

    def __rsub__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.sub, reflected=True)

    def __mul__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.mul)

    def __rmul__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.mul, reflected=True)

    def __floordiv__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.floordiv)

    def __rfloordiv__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.floordiv, reflected=True)

    def __mod__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.mod)

    def __rmod__(self, other: Any) -> "Dimension":
        return self._combine(other, operator.mod, reflected=True)

    def __truediv__(self, other: Any) -> "Dimension":
        raise _no_true_division(self, other)

    def __rtruediv__(self, other: Any) -> "Dimension":
        raise _no_true_division(other, self)

    def _compare(self, other: Any, comparison: Callable[[int, int], bool]) -> bool | None:
        size = size_of(other)
        if self._value is None or size is None:
            return None
        return comparison(self._value, size)

    def __lt__(self, other: Any) -> bool | None:
        return self._compare(other, operator.lt)

    def __le__(self, other: Any) -> bool | None:
        return self._compare(other, operator.le)

    def __gt__(self, other: Any) -> bool | None:
        return self._compare(other, operator.gt)

    def __ge__(self, other: Any) -> bool | None:
        return self._compare(other, operator.ge)

    def __eq__(self, other: Any) -> Any:
        try:
            return self._compare(other, operator.eq)
        except (TypeError, ValueError):
            return NotImplemented

    def __ne__(self, other: Any) -> Any:
        try:
            return self._compare(other, operator.ne)
        except (TypeError, ValueError):
            return NotImplemented

    __hash__ = None  # type: ignore[assignment]  # an unknown size does not equal itself

    def __bool__(self) -> bool:
        return True  # of a size of 0 and of an unknown one as well, as for an object that says nothing about it

    def __index__(self) -> int:
        if self._value is None:
            raise TypeError("The value of this Dimension is unknown: it is not an integer")
        return self._value

    __int__ = __index__

    def __str__(self) -> str:
        return "?" if self._value is None else str(self._value)

    def __repr__(self) -> str:
        return f"Dimension({self._value})"

    def __reduce__(self) -> tuple[Any, tuple[int | None]]:
        return Dimension, (self._value,)


def _no_true_division(left: Any, right: Any) -> TypeError:
    return TypeError(
        f"unsupported operand type(s) for /: '{type(left).__name__}' and '{type(right).__name__}', "
        "please use // instead"
    )


def as_dimension(value: Any) -> Dimension:
    """Returns `value` as a `Dimension`; takes what its constructor takes."""
    return value if isinstance(value, Dimension) else Dimension(value)


@public("dimension_value", "compat.dimension_value")
def dimension_value(dimension: Any) -> Any:
    """Returns the int or None that a `Dimension` holds, and anything else as it is."""
    return dimension.value if isinstance(dimension, Dimension) else dimension
