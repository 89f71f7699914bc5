"""Geometry of sliding windows: output sizes, padding, and what `data_format` says about axes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.op_definition import Attribute
from sessile.graph.tensor_shape import TensorShape

Padding = tuple[tuple[int, int], ...]


def axes_of(data_format: bytes) -> tuple[int, int, tuple[int, ...]]:
    """The batch axis, the channel axis and the spatial axes of a format such as NHWC or NCDHW."""
    text = data_format.decode()
    spatial = tuple(axis for axis, letter in enumerate(text) if letter not in "NC")
    return text.index("N"), text.index("C"), spatial


def explicit(padding: bytes, explicit_paddings: Sequence[int], axes: Sequence[int]) -> Padding | None:
    """The explicit padding of the spatial axes, or None where `padding` is SAME or VALID."""
    if padding != b"EXPLICIT":
        return None
    return tuple((explicit_paddings[2 * axis], explicit_paddings[2 * axis + 1]) for axis in axes)


def window_padding(size: int, window: int, stride: int, dilation: int, padding: bytes) -> tuple[int, int]:
    """How much SAME or VALID puts before and after an axis; SAME puts the odd one after."""
    if padding == b"VALID":
        return 0, 0
    outputs = -(-size // stride)
    total = max((outputs - 1) * stride + (window - 1) * dilation + 1 - size, 0)
    return total // 2, total - total // 2


def output_size(
    size: int | None, window: int | None, stride: int, dilation: int, pad: bytes | tuple[int, int]
) -> int | None:
    """The number of windows along an axis, None while it is unknown. Raises ValueError where not one fits."""
    if size is None or window is None:
        return None
    if pad == b"SAME":
        return -(-size // stride)
    low, high = (0, 0) if isinstance(pad, bytes) else pad
    extent = (window - 1) * dilation + 1
    count = (size + low + high - extent + stride) // stride
    if count < 0 or (size + low + high < extent and count <= 0):
        raise ValueError(f"Negative dimension size caused by subtracting {extent} from {size + low + high}")
    return count


def windowed_shape(
    shape: TensorShape,
    axes: Sequence[int],
    window: Sequence[int | None],
    strides: Sequence[int],
    dilations: Sequence[int],
    padding: bytes,
    explicit_padding: Padding | None = None,
) -> list[int | None]:
    """The sizes of a shape after windows have slid over the given axes."""
    sizes = list(shape.as_list())
    for k, axis in enumerate(axes):
        pad = padding if explicit_padding is None else explicit_padding[k]
        sizes[axis] = output_size(sizes[axis], window[k], strides[k], dilations[k], pad)
    return sizes


def spatial(values: Sequence[int], axes: Sequence[int]) -> tuple[int, ...]:
    """The entries of a list over all axes that belong to the spatial ones."""
    return tuple(int(values[axis]) for axis in axes)


def as_strides(value: Any, rank: int, data_format: str, name: str) -> list[int]:
    """Strides (or dilations, or a window) over all axes from a number, one for each spatial axis, or one for each axis.

    Raises ValueError for other lengths.
    """
    if value is None:
        return [1] * rank
    given = list(value) if isinstance(value, (list, tuple)) else [value]
    if len(given) == rank:
        return given
    if len(given) == 1:
        given = given * (rank - 2)
    if len(given) != rank - 2:
        raise ValueError(f"{name} should be of length 1, {rank - 2} or {rank} but was {len(given)}")
    return [1, *given, 1] if data_format.endswith("C") else [1, 1, *given]


def same_or_valid() -> Attribute:
    """The declaration of an attribute `padding` that is SAME or VALID."""
    return Attribute("string", allowed=frozenset({b"SAME", b"VALID"}))
