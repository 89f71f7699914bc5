"""A generated contraction kernel together with what a caller must know to launch it."""

from __future__ import annotations

from dataclasses import dataclass

from sessile.compiler.kernel_source import KernelSource


@dataclass(frozen=True)
class ContractionKernel:
    """A kernel and how to call it.

    Attributes:
      source: the kernel.
      arguments: names of its arguments in order, without `part` and `parts`.
      workspace_elements: elements of workspace that each part needs, of the type that the argument `workspace` points
        to; the argument `workspace_stride` must be at least that. 0: the kernel touches no workspace, and any pointer
        will do.
    """

    source: KernelSource
    arguments: tuple[str, ...]
    workspace_elements: int
