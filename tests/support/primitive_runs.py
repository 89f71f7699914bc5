"""Runs one primitive on arrays, as a program of its own, by the reference interpreter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from support.program_cases import HERE, CaseContext, ProgramCase

from sessile.ir import primitives as _registered
from sessile.ir.interpreter import evaluate_instruction, scalar_array
from sessile.ir.primitive import PRIMITIVES
from sessile.ir.program import Instruction, Program, SizeSource, Value
from sessile.ir.types import NUMPY_DTYPES, TensorType, element_type_of

assert _registered


def f32(values: Any) -> np.ndarray:
    return np.array(values, np.float32)


def i32(values: Any) -> np.ndarray:
    return np.array(values, np.int32)


def run_all(name: str, *operands: np.ndarray, **attributes: Any) -> Sequence[np.ndarray]:
    """The results of a primitive; fails unless they have the types that the primitive infers."""
    values = [Value(k, TensorType(element_type_of(x.dtype), x.shape)) for k, x in enumerate(operands)]
    inferred = PRIMITIVES[name].infer(*(value.type for value in values), **attributes)
    types = inferred if isinstance(inferred, tuple) else (inferred,)
    results = tuple(Value(len(values) + k, type) for k, type in enumerate(types))
    instruction = Instruction(PRIMITIVES[name], tuple(values), attributes, results, HERE)
    bound = {symbol: SizeSource("result", "%0", 0) for symbol in PRIMITIVES[name].binds(attributes)}
    context = CaseContext(ProgramCase(Program("one", (), (), bound)))
    frozen = [x.copy() for x in operands]
    for x in frozen:
        x.setflags(write=False)  # a reference never writes to its operands
    arrays = [
        x if isinstance(x, np.ndarray) else scalar_array(x, type)
        for x, type in zip(evaluate_instruction(instruction, frozen, context), types, strict=True)
    ]
    for array, type in zip(arrays, types, strict=True):
        assert array.dtype == NUMPY_DTYPES[type.dtype]
        assert array.shape == type.bound(context.bindings)
    return arrays


def run(name: str, *operands: np.ndarray, **attributes: Any) -> np.ndarray:
    """The only result of a primitive."""
    (result,) = run_all(name, *operands, **attributes)
    return result
