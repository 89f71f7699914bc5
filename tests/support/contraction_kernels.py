"""Compiles and calls contraction kernels, and watches that they write nothing but their result and workspace."""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable, Mapping

import numpy as np

from sessile.compiler.cpu.compile_kernel import compile_kernel
from sessile.compiler.cpu.contraction.contraction_kernel import ContractionKernel
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

GUARD = 64
_HASWELL = "+avx,+avx2,+bmi,+bmi2,+cx16,+f16c,+fma,+lzcnt,+mmx,+movbe,+popcnt,+sse,+sse2,+sse3,+sse4.1,+sse4.2,+ssse3"


def targets() -> list[Target]:
    """The host, and less able processors whose code it runs too."""
    host = Target.host()
    if not host.triple.startswith("x86_64"):
        return [host]
    plain = [Target(host.triple, "x86-64", "+cx8,+fxsr,+mmx,+sse,+sse2")]
    return [host, *([Target(host.triple, "haswell", _HASWELL)] if "avx512f" in host.enabled_features else []), *plain]


@functools.cache
def _entry(source: KernelSource, target: Target) -> Callable[[int, int, int], None]:
    code = compile_kernel(source, target).object_code
    address = load_objects([code], [source.name])[source.name]
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)


def run_kernel(
    kernel: ContractionKernel,
    result: np.ndarray,
    arrays: Mapping[str, np.ndarray],
    numbers: Mapping[str, int],
    parts: int = 1,
    target: Target | None = None,
) -> np.ndarray:
    """Calls a kernel part by part and returns its result, an array like `result`.

    `arrays` and `numbers` hold the other arguments by name; the name of the result is the one that neither has.
    Memory that the kernel must not rely on is full of NaNs or of large numbers.
    """
    dtype = result.dtype
    filling = np.nan if dtype.kind in "fc" else 99
    output = np.full(result.size + 2 * GUARD, filling, dtype)
    workspace = np.full(kernel.workspace_elements * parts + 2 * GUARD, filling, dtype)
    watched = [output, workspace]
    values: dict[str, int] = {**numbers, "workspace_stride": kernel.workspace_elements}
    values |= {name: array.ctypes.data for name, array in arrays.items()}
    values["workspace"] = workspace[GUARD:].ctypes.data
    (unnamed,) = [name for name in kernel.arguments if name not in values]
    values[unnamed] = output[GUARD:].ctypes.data
    block = np.array([values[name] for name in kernel.arguments], np.int64)
    entry = _entry(kernel.source, target or Target.host())
    for part in reversed(range(parts)):
        entry(block.ctypes.data, part, parts)
    for memory in watched:
        edges = np.concatenate([memory[:GUARD], memory[-GUARD:]])
        np.testing.assert_array_equal(edges, np.full(2 * GUARD, filling, dtype), "written outside")
    return output[GUARD : GUARD + result.size].reshape(result.shape)
