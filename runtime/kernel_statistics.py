"""How many kernels this process has compiled, loaded from the store, and found in memory."""

from __future__ import annotations

import sys
from typing import NamedTuple

from sessile.graph.public_names import public


class KernelStatistics(NamedTuple):
    """Counts since the process began.

    Attributes:
      compiled: kernels that were compiled.
      reused: how many times a kernel was needed that was loaded already.
      loaded: kernels that were loaded from the store on disk.
    """

    compiled: int
    reused: int
    loaded: int


@public("kernel_statistics")
def kernel_statistics() -> KernelStatistics:
    """The number of kernels that were compiled, and of those that were found in the process or in the store instead."""
    loader = sys.modules.get("sessile.compiler.cpu.load_kernels")
    if loader is None:
        return KernelStatistics(0, 0, 0)
    store = loader.kernel_store
    return KernelStatistics(store.compiled, store.reused, store.loaded)
