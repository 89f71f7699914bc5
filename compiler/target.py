"""The machine that native code is compiled for: triple, processor, features.

A target's text form enters the key of everything that is compiled for it.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

_WIDE_VECTORS = "-prefer-256-bit"


@dataclass(frozen=True)
class Target:
    """A processor in LLVM's terms.

    Attributes:
      triple: architecture, vendor, system, as in `x86_64-unknown-linux-gnu`.
      cpu: LLVM's name of the processor; it decides which instructions are preferred.
      features: comma-separated `+name` and `-name` of instruction sets, sorted by name.
    """

    triple: str
    cpu: str
    features: str

    @staticmethod
    def host() -> Target:
        """The machine that this process runs on."""
        return _host()

    @functools.cached_property
    def enabled_features(self) -> frozenset[str]:
        """Names of the features that are on."""
        return frozenset(entry[1:] for entry in self.features.split(",") if entry.startswith("+"))

    @property
    def vector_bytes(self) -> int:
        """Width of the widest vector register that generated code should use, in bytes."""
        if "avx512f" in self.enabled_features:
            return 64
        return 32 if "avx" in self.enabled_features else 16

    @property
    def text(self) -> str:
        """One line that names the target; equal lines mean that code may be shared."""
        return f"{self.triple} {self.cpu} {self.features}"

    def __str__(self) -> str:
        return self.text


@functools.cache
def _host() -> Target:
    import llvmlite.binding as llvm

    features = llvm.get_host_cpu_features()
    entries = [("+" if enabled else "-") + name for name, enabled in sorted(features.items())]
    if features.get("avx512f"):
        # LLVM keeps to half-width vectors on processors that once lowered their clock for the wide ones.
        entries.append(_WIDE_VECTORS)
    return Target(llvm.get_process_triple(), llvm.get_host_cpu_name(), ",".join(entries))
