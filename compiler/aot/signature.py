"""What goes into a compiled function and what comes out: names, element types, shapes whose sizes may be open."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sessile.graph.data_type import DType, as_dtype
from sessile.graph.tensor import Tensor

Axis = int | str | None
_EQUAL_EXAMPLE = 6
_FIRST_EXAMPLE = 7


@dataclass(frozen=True)
class ArgumentSpec:
    """One input or output.

    Attributes:
      name: how callers name it.
      dtype: TensorFlow's name of the element type.
      shape: for each axis a number, or the name of a size that may differ from call to call.
    """

    name: str
    dtype: str
    shape: tuple[Axis, ...]

    def __str__(self) -> str:
        return f"{self.name}: {self.dtype}[{', '.join('?' if size is None else str(size) for size in self.shape)}]"

    def as_json(self) -> list[Any]:
        """The form in which manifests hold it."""
        return [self.name, self.dtype, list(self.shape)]

    @staticmethod
    def from_json(row: Sequence[Any]) -> ArgumentSpec:
        """What `as_json` gave."""
        name, dtype, shape = row
        return ArgumentSpec(name, dtype, tuple(shape))


def public_name(tensor: Tensor) -> str:
    """The name of a tensor without `:0`, which only says that it is an operation's first output."""
    return tensor.name.removesuffix(":0")


def input_spec(tensor: Tensor, shape: Iterable[Axis] | None = None, dtype: Any = None) -> ArgumentSpec:
    """How a tensor is fed. Sizes that neither the graph nor `shape` gives get names of their own: `x_0`, `x_1` ...

    Raises ValueError for a shape that does not fit the tensor's or whose rank is unknown, TypeError for another dtype.
    """
    name = public_name(tensor)
    static = tensor.shape.as_list() if tensor.shape.ndims is not None else None
    wanted = static if shape is None else list(shape)
    if wanted is None:
        raise ValueError(f"the rank of {name} is unknown: give its shape, as in {name}[?,64]")
    if static is not None and not _fit(static, wanted):
        raise ValueError(f"{name} has the shape {_text(static)} in the graph; {_text(wanted)} does not fit")
    if dtype is not None and as_dtype(dtype) is not tensor.dtype.base_dtype:
        raise TypeError(f"{name} is of type {tensor.dtype.base_dtype.name} in the graph, not {as_dtype(dtype).name}")
    known: list[Axis] = [
        fixed if fixed is not None else size for fixed, size in zip(static or wanted, wanted, strict=True)
    ]
    sizes = tuple(own_size(name, axis) if size is None else size for axis, size in enumerate(known))
    return ArgumentSpec(name, tensor.dtype.base_dtype.name, sizes)


def _fit(static: Sequence[int | None], wanted: Sequence[Axis]) -> bool:
    return len(static) == len(wanted) and all(
        fixed is None or not isinstance(size, int) or fixed == size for fixed, size in zip(static, wanted, strict=True)
    )


def _text(shape: Sequence[Axis]) -> str:
    return f"[{', '.join('?' if size is None else str(size) for size in shape)}]"


def dtype_of(spec: ArgumentSpec) -> DType:
    """The element type of an input or output."""
    return as_dtype(spec.dtype)


def example_sizes(inputs: Iterable[ArgumentSpec]) -> Iterator[dict[str, int]]:
    """Choices of numbers for the open sizes: all different, then those without a name equal, then all 1.

    The numbers are none that a program is likely to treat in a special way.
    """
    inputs = list(inputs)
    names = dict.fromkeys(size for spec in inputs for size in spec.shape if isinstance(size, str))
    unnamed = {size for spec in inputs for axis, size in enumerate(spec.shape) if size == own_size(spec.name, axis)}
    different = dict(zip(names, _primes(_FIRST_EXAMPLE), strict=False))
    yield different
    yield {name: _EQUAL_EXAMPLE if name in unnamed else number for name, number in different.items()}
    yield dict.fromkeys(names, 1)


def own_size(name: str, axis: int) -> str:
    """What the size of an axis is called that the user has not named."""
    return f"{''.join(c if c.isalnum() else '_' for c in name)}_{axis}"


def _primes(start: int) -> Iterator[int]:
    number = start
    while True:
        if all(number % divisor for divisor in range(2, int(number**0.5) + 1)):
            yield number
        number += 1


def bound_shape(spec: ArgumentSpec, sizes: Mapping[str, int]) -> tuple[int, ...]:
    """The shape of an input for given sizes."""
    return tuple(sizes[size] if isinstance(size, str) else int(size or 0) for size in spec.shape)
