"""Inputs of models and values for them: those that the user gave, and random ones of fitting sizes for the rest.

Sizes that are not known get a number. Sizes of one name are equal; so are all nameless first ones, since they are the
size of a batch; every other one is a number of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import click
import numpy as np

from sessile.graph.data_type import DType
from sessile.runtime.command_line.array_files import read_value
from sessile.runtime.command_line.failures import CommandFailure, did_you_mean
from sessile.runtime.command_line.models.feed_text import Dimension, FeedText, shape_text

BATCH = "?"
_SMALLEST_SIZE = 32
_STEP = 16


@dataclass(frozen=True)
class Input:
    """An input of a model.

    Attributes:
      name: as the user calls it.
      dtype: the element type.
      shape: the sizes: numbers, names, or None for what is not known; None for a shape of unknown rank.
      value: where the value comes from, see `array_files.read_value`; None where it is not given.
    """

    name: str
    dtype: DType
    shape: tuple[Dimension, ...] | None
    value: str | None = None

    @property
    def type_text(self) -> str:
        """Element type and shape, as `--feed` takes them."""
        return f"{self.dtype.name}{shape_text(self.shape)}"


def refined(known: Input, text: FeedText) -> Input:
    """An input as the option describes it, which must not contradict what is known. Raises click.BadParameter."""
    if text.dtype is not None and text.dtype.base_dtype is not known.dtype:
        raise click.BadParameter(
            f"{text.name!r} has elements of type {known.dtype.name}, not {text.dtype.name}.", param_hint="--feed"
        )
    shape = known.shape if text.shape is None else text.shape
    if text.shape is not None and known.shape is not None:
        if len(known.shape) != len(text.shape) or any(map(_contradicts, known.shape, text.shape)):
            held, wanted_text = shape_text(known.shape), shape_text(text.shape)
            raise click.BadParameter(
                f"{text.name!r} has the shape {held}, to which {wanted_text} does not fit.", param_hint="--feed"
            )
        shape = tuple(own if wanted is None else wanted for own, wanted in zip(known.shape, text.shape, strict=True))
    return Input(known.name, known.dtype, shape, text.value)


def _contradicts(declared: Dimension, wanted: Dimension) -> bool:
    return isinstance(declared, int) and wanted is not None and wanted != declared


def read_sizes(texts: Sequence[str]) -> dict[str, int]:
    """What `--size name=number` options say. Raises click.BadParameter."""
    sizes: dict[str, int] = {}
    for text in texts:
        name, _, number = text.partition("=")
        if not number.isdigit() or int(number) < 1 or not name:
            raise click.BadParameter(f"{text!r} is not understood: write NAME=NUMBER, such as batch=64.")
        sizes[name] = int(number)
    return sizes


def values_for(inputs: Sequence[Input], sizes: Mapping[str, int] | None, seed: int = 0) -> dict[str, np.ndarray]:
    """The values of inputs by name.

    Args:
      inputs: the inputs.
      sizes: the numbers for sizes by name; "?" is the size of a batch. None makes no values: all must be given.
      seed: of the random numbers.

    Raises click.BadParameter for an input without a value, or whose size cannot be chosen, CommandFailure for a value
    that does not fit.
    """
    values = {each.name: _given_value(each) for each in inputs if each.value is not None}
    if sizes is None:
        missing = next((each for each in inputs if each.name not in values), None)
        if missing is not None:
            raise click.BadParameter(
                f"nothing is fed for {missing.name!r} ({missing.type_text}). Add --feed {missing.name}=VALUE.",
                param_hint="--feed",
            )
        return values
    chooser = _SizeChooser(sizes)
    for each in inputs:
        if each.name in values:
            chooser.learn(each, values[each.name].shape)
    random = np.random.default_rng(seed)
    for each in inputs:
        if each.name not in values:
            values[each.name] = random_value(each.dtype, chooser.shape(each), random)
    chooser.check_all_used()
    return {each.name: values[each.name] for each in inputs}


def _given_value(each: Input) -> np.ndarray:
    array = read_value(each.name, each.value or "", np.dtype(each.dtype.as_numpy_dtype))
    fits = each.shape is None or (
        array.ndim == len(each.shape)
        and all(not isinstance(size, int) or size == held for size, held in zip(each.shape, array.shape, strict=True))
    )
    if not fits:
        held = shape_text(tuple(array.shape))
        raise CommandFailure(
            f"the value for {each.name!r} has the shape {held}, the input takes {shape_text(each.shape)}"
        )
    return array


class _SizeChooser:
    """Gives numbers to sizes that are not known."""

    def __init__(self, sizes: Mapping[str, int]) -> None:
        self._given = sizes
        self._numbers = dict(sizes)
        self._used: set[str] = set()
        self._next = _SMALLEST_SIZE

    def learn(self, each: Input, shape: tuple[int, ...]) -> None:
        """The sizes of a value that was given hold for all others."""
        for axis, (size, number) in enumerate(zip(each.shape or (), shape, strict=False)):
            name = self._name(size, axis)
            if name is None:
                continue
            self._used.add(name)
            known = self._numbers.setdefault(name, number)
            if isinstance(size, str) and known != number:
                raise CommandFailure(f"the size {name!r} is {known} elsewhere, and {number} in {each.name!r}")

    def shape(self, each: Input) -> tuple[int, ...]:
        """The shape of an input as numbers."""
        if each.shape is None:
            raise click.BadParameter(
                f"the shape of {each.name!r} is not known. Give one: --feed '{each.name}:{each.dtype.name}[...]'.",
                param_hint="--feed",
            )
        return tuple(self._number(size, axis) for axis, size in enumerate(each.shape))

    def _name(self, size: Dimension, axis: int) -> str | None:
        if isinstance(size, str):
            return size
        return BATCH if size is None and axis == 0 else None

    def _number(self, size: Dimension, axis: int) -> int:
        if isinstance(size, int):
            return size
        name = self._name(size, axis)
        if name is None:
            return self._new_number()
        self._used.add(name)
        if name not in self._numbers:
            self._numbers[name] = self._new_number()
        return self._numbers[name]

    def _new_number(self) -> int:
        while self._next in self._numbers.values():
            self._next += _STEP
        self._next += _STEP
        return self._next - _STEP

    def check_all_used(self) -> None:
        """Raises click.BadParameter for a size that was given and is that of no input."""
        for name in self._given.keys() - self._used:
            hint = did_you_mean(name, self._used)
            raise click.BadParameter(f"no input has a size called {name!r}.{hint}", param_hint="--size")


def random_value(dtype: DType, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """An array of random values that are harmless: in [0, 1) for floats, 0 and 1 for whole numbers and truth values."""
    numpy_dtype = np.dtype(dtype.as_numpy_dtype)
    if dtype.name == "string":
        return np.full(shape, b"", object)
    if numpy_dtype.kind == "c":
        return (random.random(shape) + 1j * random.random(shape)).astype(numpy_dtype)
    if numpy_dtype.kind == "f":
        return random.random(shape).astype(numpy_dtype)
    return random.integers(0, 2, shape).astype(numpy_dtype)
