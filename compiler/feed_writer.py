"""Writes raw Python and NumPy values into the small arrays that an executable reads its feeds from."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np


def feed_writer(view: np.ndarray) -> Callable[[Any], bool]:
    """A function that writes a raw value into a feed if it fits as it is, and says whether it did."""
    dtype, shape, ndarray = view.dtype, view.shape, np.ndarray

    def write_array(value: Any) -> bool:
        if type(value) is ndarray and value.shape == shape and value.dtype is dtype:
            view[...] = value
            return True
        return False

    if view.ndim or dtype.kind == "O":
        return write_array
    python_types = {"f": (float, dtype.type), "b": (bool, dtype.type)}.get(dtype.kind, (dtype.type,))
    # Writing a number through a memoryview costs a third of what NumPy's assignment does.
    cell = memoryview(view.reshape(1).data) if dtype.char in "fdbBhHiIqQ?" else None

    def write_scalar(value: Any) -> bool:
        if type(value) in python_types:
            if cell is None:
                view[...] = value
            else:
                cell[0] = value
            return True
        return write_array(value)

    return write_scalar
