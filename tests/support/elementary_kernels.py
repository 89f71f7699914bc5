"""Elementary functions in a loop over arrays: many functions in one kernel, and the error of their results."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence

import numpy as np

from sessile.compiler.cpu.compile_kernel import KernelObject, compile_kernel
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target
from sessile.ir.types import NUMPY_DTYPES


def compiled(code: str, types: Sequence[str]) -> KernelObject:
    """The kernel with the given code, for this machine."""
    return compile_kernel(kernel_source(["test"], code, types), Target.host())


def run(kernel: KernelObject, *arguments: np.ndarray | int) -> None:
    """Run a kernel on arrays and sizes."""
    address = load_objects([kernel.object_code], [kernel.name])[kernel.name]
    entry = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)
    block = np.array([a if isinstance(a, int) else a.ctypes.data for a in arguments], np.int64)
    entry(block.ctypes.data, 0, 1)


def loops(calls: Sequence[str], arity: int) -> str:
    """A kernel with one loop for each function, all over the same operands, each with a result of its own."""
    operands = [f"a{k}" for k in range(arity)]
    results = [f"out{k}" for k in range(len(calls))]
    lines = [f"def kernel({', '.join([*operands, *results])}, n0, part, parts):"]
    for call, result in zip(calls, results, strict=True):
        lines.append("    for i in range(n0):")
        lines.append(f"        {result}[i] = {call}({', '.join(f'{a}[i]' for a in operands)})")
    return "\n".join(lines) + "\n"


def apply(calls: Sequence[str], types: Sequence[str], result: str, *operands: np.ndarray) -> list[np.ndarray]:
    """The results of each function on the operands.

    Args:
      calls: names of functions with the same argument types and result type.
      types: short names of the operands' types.
      result: short name of the results' type.
    """
    contiguous = [np.ascontiguousarray(operand) for operand in operands]
    size = operands[0].size
    outputs = [np.empty(size, NUMPY_DTYPES[result]) for _ in calls]
    kernel = compiled(loops(calls, len(types)), [*(f"*{t}" for t in types), *[f"*{result}"] * len(calls), "i64"])
    run(kernel, *contiguous, *outputs, size)
    return outputs


def errors_in_ulp(values: np.ndarray, reference: np.ndarray) -> np.ndarray:
    """Distances from a reference of higher precision, in units in the last place of the reference.

    Infinite where one is NaN or infinite and the other is not, after rounding the reference; and for a zero of the
    wrong sign.
    """
    with np.errstate(all="ignore"):
        rounded = reference.astype(values.dtype)
        unit = np.spacing(np.minimum(np.abs(rounded), np.finfo(values.dtype).max)).astype(reference.dtype)
        errors = np.abs(values.astype(reference.dtype) - reference) / unit
    wrong = (np.isnan(values) != np.isnan(reference)) | (np.isinf(values) != np.isinf(rounded))
    wrong |= (values == 0) & (reference == 0) & (np.signbit(values) != np.signbit(reference))
    same = np.isnan(values) & np.isnan(reference) | (values == rounded)
    return np.where(wrong, np.inf, np.where(same & ~np.isfinite(values), 0, errors))


def special_values(dtype: str) -> np.ndarray:
    """Zeros, infinities, NaN, the extremes of the type, small integers and their neighbours."""
    limits = np.finfo(dtype)
    positive = [
        0.0,
        np.inf,
        limits.smallest_subnormal,
        limits.smallest_normal,
        limits.max,
        limits.eps,
        0.5,
        1,
        2,
        3,
        10,
    ]
    values = np.array([*positive, np.pi, np.e, 2.0**limits.nmant, 2.0 ** (limits.nmant + 1)], dtype)
    with np.errstate(over="ignore"):
        near = [np.nextafter(values, np.array(towards, dtype)) for towards in (0, np.inf)]
    positive_values = np.concatenate([values, *near])
    return np.concatenate([positive_values, -positive_values, np.array([np.nan], dtype)])


def random_bits(dtype: str, count: int, generator: np.random.Generator) -> np.ndarray:
    """Floats with random bits: all exponents, subnormal numbers, and NaN."""
    unsigned = {"float32": np.uint32, "float64": np.uint64}[dtype]
    return generator.integers(0, np.iinfo(unsigned).max, count, unsigned).view(dtype)
