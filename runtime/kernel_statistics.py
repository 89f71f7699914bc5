"""How many kernels this process has compiled, and how often it found one that was there."""

from __future__ import annotations

import sys
from typing import NamedTuple

from sessile.graph.public_names import public


class KernelStatistics(NamedTuple):
    """Counts since the process began."""

    compiled: int
    reused: int


@public("kernel_statistics")
def kernel_statistics() -> KernelStatistics:
    """The number of kernels that were compiled, and of those that were found in the process instead."""
    loader = sys.modules.get("sessile.compiler.cpu.load_kernels")
    if loader is None:
        return KernelStatistics(0, 0)
    return KernelStatistics(loader.kernel_store.compiled, loader.kernel_store.reused)
