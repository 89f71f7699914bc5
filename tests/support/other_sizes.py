"""The same program with parameters of other sizes."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from support.execution import bindings_of
from support.program_cases import ProgramCase


def with_other_sizes(case: ProgramCase, data: Any) -> ProgramCase | None:
    """The case with parameters of other sizes, or None if the program's guards do not allow these."""
    parameters = dict(case.parameters)
    for name, source in case.program.symbols.items():
        if source.kind == "parameter":
            size = data.draw(st.sampled_from((0, 1, 2, 3, 4, 9)), label=name)
            parameters[source.name] = resized(parameters[source.name], source.index, size)
    bindings = bindings_of(case.program, parameters, case.variables)
    late = [name for name, source in case.program.symbols.items() if source.kind == "value"]
    hints = {name: case.bindings[name] for name in late if name in case.bindings}
    if not all(guard.holds({**hints, **bindings}) for guard in case.program.guards):
        return None
    return ProgramCase(case.program, parameters, case.variables, bindings)


def resized(array: np.ndarray, axis: int, size: int) -> np.ndarray:
    """An array with some of the elements, or with elements repeated, along an axis."""
    if not array.shape[axis]:
        return np.zeros((*array.shape[:axis], size, *array.shape[axis + 1 :]), array.dtype)
    return np.take(array, np.arange(size) % array.shape[axis], axis)
