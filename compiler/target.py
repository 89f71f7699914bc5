"""The machine that native code is compiled for: triple, processor, features.

A target's text form enters the key of everything that is compiled for it. People name targets by words that
`Target.parse` reads: a level of the x86-64 psABI, `aarch64`, or LLVM's own terms.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

_WIDE_VECTORS = "-prefer-256-bit"

# Instruction sets of the levels of the x86-64 psABI (version 1.0, section 3.1.1), each with those of the one before.
_LEVEL_1 = ("cmov", "cx8", "fxsr", "mmx", "sse", "sse2")
_LEVEL_2 = (*_LEVEL_1, "crc32", "cx16", "popcnt", "sahf", "sse3", "sse4.1", "sse4.2", "ssse3")
_LEVEL_3 = (*_LEVEL_2, "avx", "avx2", "bmi", "bmi2", "f16c", "fma", "lzcnt", "movbe", "xsave")
_LEVEL_4 = (*_LEVEL_3, "avx512bw", "avx512cd", "avx512dq", "avx512f", "avx512vl")
_LEVELS = {"x86-64": _LEVEL_1, "x86-64-v2": _LEVEL_2, "x86-64-v3": _LEVEL_3, "x86-64-v4": _LEVEL_4}
_ARM = ("fp-armv8", "neon")
_FEATURE = r"[+-][a-z0-9][a-z0-9_.-]*"


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

    @staticmethod
    def parse(text: str) -> Target:
        """The target that a word or LLVM's terms name.

        Args:
          text: `native`; a level of x86-64 (`x86-64`, `x86-64-v2`, `x86-64-v3`, `x86-64-v4`); `aarch64` for all
            64-bit ARM processors; or `triple[:processor[:features]]` as in
            `aarch64-unknown-linux-gnu:neoverse-n1:+dotprod,+neon`. Words mean the operating system of this machine.
            Only instruction sets that the features name are sure to be used.

        Raises ValueError for a word that is none of these, and for what LLVM does not know.
        """
        if text == "native":
            return Target.host()
        if text in _LEVELS:
            return Target(_triple_here("x86_64"), text, _level_features(text))
        if text == "aarch64":
            return Target(_triple_here("aarch64"), "generic", _enabled(_ARM))
        return _from_llvm_terms(text)

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

    def obstacle_here(self) -> str | None:
        """Why code for this target cannot run on this machine; None if it can."""
        host = Target.host()
        mine, its = host.triple.split("-"), self.triple.split("-")
        if (mine[0], mine[2:]) != (its[0], its[2:]):
            return f"it was compiled for {self.triple}, this machine is {host.triple}"
        missing = sorted(self.enabled_features - host.enabled_features)
        if missing:
            return f"it was compiled for {self.cpu}, and this processor ({host.cpu}) lacks {', '.join(missing)}"
        return None

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


def _enabled(names: tuple[str, ...]) -> str:
    return ",".join(f"+{name}" for name in sorted(names))


def _level_features(level: str) -> str:
    features = _enabled(_LEVELS[level])
    return f"{features},{_WIDE_VECTORS}" if level == "x86-64-v4" else features


def _triple_here(architecture: str) -> str:
    """The triple of an architecture under this machine's operating system."""
    _, _, system = _host().triple.partition("-")
    return f"{architecture}-{system}"


def _from_llvm_terms(text: str) -> Target:
    triple, _, rest = text.partition(":")
    cpu, _, features = rest.partition(":")
    if triple.count("-") < 2 or not _is_known(triple):
        words = ", ".join(["native", *_LEVELS, "aarch64"])
        raise ValueError(f"no target is called {text!r}; there are {words}, and triple[:processor[:features]]")
    entries = sorted(filter(None, features.split(",")), key=lambda entry: entry[1:])
    for entry in entries:
        if not re.fullmatch(_FEATURE, entry):
            raise ValueError(f"the features of target {text!r} read +name,-name,..., not {entry!r}")
    if not cpu and triple.startswith("x86_64-"):
        cpu = "x86-64"
    if not entries:
        entries = [_level_features(cpu)] if cpu in _LEVELS else []
    target = Target(triple, cpu or "generic", ",".join(entries))
    _require_known_terms(target, text)
    return target


def _require_known_terms(target: Target, text: str) -> None:
    from sessile.compiler.cpu.machine_code import unknown_terms

    unknown = unknown_terms(target)
    if unknown:
        raise ValueError(f"LLVM does not know all of target {text!r}: {unknown}")


def _is_known(triple: str) -> bool:
    import llvmlite.binding as llvm

    from sessile.compiler.cpu.machine_code import initialize_llvm

    initialize_llvm(triple)
    try:
        llvm.Target.from_triple(triple)
    except RuntimeError:
        return False
    return True
