"""Runs kernel calls on NumPy arrays, for tests of kernel rules: a small executor without sessions and memory plans.

`run_instruction(instruction, operands)` makes the kernels of an instruction by its rule, compiles them in this process (each
once), runs them with some number of parts, and returns the results. Results and workspaces hold rubbish before, so that what a kernel
leaves out shows.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from sessile.compiler.cpu import rules as _registered_rules
from sessile.compiler.cpu.compile_kernel import KernelObject, compile_kernel
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.kernel_call import KERNEL_RULES, Buffer, KernelCall, Number, Status, Workspace
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target
from sessile.ir.primitive import RunFailure
from sessile.ir.program import Instruction, Value
from sessile.ir.sizes import evaluate
from sessile.ir.types import NUMPY_DTYPES

assert _registered_rules

Entry = Callable[[int, int, int], None]
Arrays = Mapping[Value, np.ndarray]


@functools.cache
def compiled(source: KernelSource) -> KernelObject:
    """The kernel, compiled for this machine."""
    return compile_kernel(source, Target.host())


@functools.cache
def entry_of(name: str, object_code: bytes) -> Entry:
    """The kernel's function in this process."""
    address = load_objects([object_code], [name])[name]
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)


def run_instruction(
    instruction: Instruction,
    operands: Sequence[np.ndarray],
    bindings: Mapping[str, int] | None = None,
    parts: int = 1,
) -> list[np.ndarray]:
    """The results of an instruction, computed by its kernels. Raises RunFailure when a kernel reports a failure.

    Operands are not changed, also where the instruction works in place.
    """
    bindings = bindings or {}
    held = {v: np.array(a, order="C", copy=True) for v, a in zip(instruction.operands, operands, strict=True)}
    for result in instruction.results:
        held[result] = rubbish(result.type.bound(bindings), NUMPY_DTYPES[result.type.dtype])
    run_calls(KERNEL_RULES[instruction.name](instruction), held, bindings, parts)
    shared = dict(instruction.attributes.get("in_place", ()))
    return [
        held[instruction.operands[shared[k]]] if k in shared else held[result]
        for k, result in enumerate(instruction.results)
    ]


def run_calls(calls: Sequence[KernelCall], arrays: Arrays, bindings: Mapping[str, int], parts: int = 1) -> None:
    """Runs calls one after the other; those that may not be shared as one part. Raises RunFailure."""
    status = np.zeros(8, np.int64)
    scratch = _Scratch(calls, bindings, parts)
    for call in calls:
        block = np.array([_slot(a, arrays, bindings, status, scratch) for a in call.arguments] or [0], np.int64)
        kernel = compiled(call.source)
        entry = entry_of(kernel.name, kernel.object_code)
        count = parts if call.parallel else 1
        for part in range(count):
            entry(block.ctypes.data, part, count)
        if status[0]:
            assert call.failures is not None, f"{call.source.name} reports {status.tolist()} but cannot say what it means"
            raise RunFailure(*call.failures(status.tolist()))
    scratch.check()


class _Scratch:
    """The workspace that all calls share, with a guard behind it."""

    _GUARD = 64

    def __init__(self, calls: Sequence[KernelCall], bindings: Mapping[str, int], parts: int) -> None:
        sizes = [
            evaluate(a.elements, bindings) * NUMPY_DTYPES[a.dtype].itemsize * parts
            for call in calls
            for a in call.arguments
            if isinstance(a, Workspace)
        ]
        self._size = max(sizes, default=0)
        self.memory = np.full(self._size + self._GUARD, 0xCD, np.uint8)

    def check(self) -> None:
        assert (self.memory[self._size :] == 0xCD).all(), "a kernel wrote behind its workspace"


def _slot(
    argument: Any, arrays: Arrays, bindings: Mapping[str, int], status: np.ndarray, scratch: _Scratch
) -> int:
    match argument:
        case Buffer(value):
            return arrays[value].ctypes.data
        case Number(size):
            return evaluate(size, bindings)
        case Status():
            return status.ctypes.data
        case Workspace():
            return scratch.memory.ctypes.data
    raise NotImplementedError(f"the harness has no {argument}")


def rubbish(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of elements that no kernel would compute."""
    if dtype == np.bool_:
        return np.ones(shape, dtype)
    count = int(np.prod(shape)) * dtype.itemsize
    return np.frombuffer(bytes([0xCD]) * count, dtype).reshape(shape).copy()
