"""Reads what `--feed` is given: `name`, `name:dtype[shape]`, `name=value`, or all of it.

In: one text. Out: a `FeedText` with the parts taken apart; whether the model has such an input is not looked at here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import click

from sessile.graph.data_type import DType, as_dtype
from sessile.graph.dtypes import ANY
from sessile.runtime.command_line.failures import did_you_mean

Dimension = int | str | None
"""A size, the name of one, or None for one that is not known."""

_FEED = re.compile(
    r"(?P<name>[^=:\[\]\s]+(?::\d+)?)(?::(?P<dtype>[A-Za-z]\w*)(?P<shape>\[[^\]=]*\])?)?(?:=(?P<value>.*))?", re.DOTALL
)
_SYMBOL = re.compile(r"[A-Za-z_]\w*")
_FORM = "it is NAME, NAME:DTYPE[SHAPE], or NAME=VALUE, such as x, x:float32[?,64], x=input.npy"


@dataclass(frozen=True)
class FeedText:
    """What one `--feed` says.

    Attributes:
      name: of the input.
      dtype: the element type; None where it is left to the model.
      shape: the sizes; None where they are left to the model.
      value: where the value comes from, see `arrays.read_value`; None where none is given.
    """

    name: str
    dtype: DType | None = None
    shape: tuple[Dimension, ...] | None = None
    value: str | None = None


def read_feed(text: str) -> FeedText:
    """Takes the text of one `--feed` apart. Raises click.BadParameter."""
    found = _FEED.fullmatch(text.strip())
    if found is None:
        raise click.BadParameter(f"{text!r} is not understood: {_FORM}.")
    dtype = _read_dtype(found["dtype"]) if found["dtype"] else None
    shape = _read_shape(found["shape"]) if found["shape"] else None
    return FeedText(found["name"], dtype, shape, found["value"])


def _read_dtype(name: str) -> DType:
    try:
        return as_dtype(name)
    except TypeError:
        hint = did_you_mean(name, (dtype.name for dtype in ANY))
        raise click.BadParameter(f"{name!r} is no element type.{hint}") from None


def _read_shape(text: str) -> tuple[Dimension, ...]:
    inside = text[1:-1].strip()
    return tuple(_read_dimension(part.strip()) for part in inside.split(",")) if inside else ()


def _read_dimension(text: str) -> Dimension:
    if text.isdigit():
        return int(text)
    if text in ("?", "None", "-1"):
        return None
    if _SYMBOL.fullmatch(text):
        return text
    raise click.BadParameter(f"{text!r} is no size: a size is a number, ? for one that is not known, or a name for it.")


def shape_text(shape: tuple[Dimension, ...] | None) -> str:
    """A shape as `--feed` takes it; "" for one of unknown rank."""
    return "" if shape is None else f"[{','.join('?' if size is None else str(size) for size in shape)}]"
