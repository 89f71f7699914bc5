"""`short_range` in kernels counts as `range` does, and LLVM masks the last vector of its loops."""

from __future__ import annotations

import numpy as np
import pytest
from support.kernel_harness import compiled, entry_of

from sessile.compiler.kernel_source import KernelSource, kernel_source

CODE = """
def kernel(a0, out0, n0, n1, part, parts):
    acc0 = f32(0)
    for i0 in short_range(n0):
        out0[i0] = exp_f32(a0[i0])
    for i0 in short_range(n1, n0):
        acc0 = add_reassoc_f32(acc0, a0[i0])
    out0[n0] = acc0
"""


def source_of(code: str) -> KernelSource:
    return kernel_source(["test"], code, ("*f32", "*f32", "i64", "i64"))


def test_it_counts_all_iterations() -> None:
    kernel = compiled(source_of(CODE))
    entry = entry_of(kernel.name, kernel.object_code)
    for n in range(40):
        x = np.arange(n, dtype="f4") / 8
        out = np.full(n + 2, -1, "f4")
        block = np.array([x.ctypes.data, out.ctypes.data, n, min(3, n)], np.int64)
        entry(block.ctypes.data, 0, 1)
        np.testing.assert_allclose(out[:n], np.exp(x), rtol=1e-6)
        assert list(out[n:]) == [x[3:].sum(), -1]


def test_loops_have_no_rest_of_single_iterations() -> None:
    kernel = compiled(source_of(CODE))
    if "avx512f" not in kernel.target.enabled_features:
        pytest.skip("looks for masks of AVX-512")
    assert "llvm.masked.load" in kernel.llvm_ir
    plain = compiled(source_of(CODE.replace("short_range", "range")))
    assert "llvm.masked.load" not in plain.llvm_ir
    assert len(kernel.object_code) < len(plain.object_code)
