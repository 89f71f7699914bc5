"""Contractions: kernels of matrix products and convolutions, and the intrinsics that their sources call."""

from __future__ import annotations

from typing import Any


def __getattr__(name: str) -> Any:
    """`FUNCTIONS`, the intrinsics by name; they need Numba, so they are loaded when a kernel is compiled."""
    if name == "FUNCTIONS":
        from sessile.compiler.cpu.contraction.functions import FUNCTIONS

        return FUNCTIONS
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
