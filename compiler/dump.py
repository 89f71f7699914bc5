"""Dumps of compilations: a folder for each program, with all that became of it, in reading order.

`00-lowered.txt`, then the program after each pass, `fusion.txt` (why neighbours were not fused), `stages.txt`,
`kernels/*.py` with the LLVM IR and assembly of each, `times.txt`, and `key.txt`: the canonical program, by which
compilations are compared.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.pass_pipeline import PassRecord
from sessile.compiler.stages import HostStage, Stage
from sessile.compiler.target import Target
from sessile.ir.printer import canonical_text, text
from sessile.ir.program import Program


class Dump:
    """Writes the dump of one compilation. Raises OSError where the folder cannot be written."""

    def __init__(self, folder: str, program: Program) -> None:
        key = canonical_text(program)
        digest = hashlib.sha256(key.encode()).hexdigest()[:12]
        self.folder = Path(folder) / f"program-{digest}"
        (self.folder / "kernels").mkdir(parents=True, exist_ok=True)
        self._write("00-lowered.txt", text(program))
        self._write("key.txt", key)
        self._times: list[str] = []

    def after_pass(self, record: PassRecord) -> None:
        """Observer of the pass pipeline."""
        self._write(f"{record.position:02}-{record.name}.txt", text(record.after))
        self._times.append(f"{record.name:<24} {1000 * record.seconds:8.2f} ms")
        if record.name == "fuse":
            from sessile.compiler.passes.fuse import explain_fusion

            self._write("fusion.txt", explain_fusion(record.before))

    def kernels(self, program: Program, stages: Sequence[Stage], sources: Sequence[KernelSource]) -> None:
        """The stages, and the source, LLVM IR and assembly of the kernels."""
        from sessile.compiler.cpu.compile_kernel import compile_kernel

        self._write("stages.txt", "\n".join(_stage_line(stage) for stage in stages))
        self._write("times.txt", "\n".join(self._times))
        for source in sources:
            self._write(f"kernels/{source.name}.py", source.source)
            compiled = compile_kernel(source, Target.host())
            self._write(f"kernels/{source.name}.ll", compiled.llvm_ir)
            self._write(f"kernels/{source.name}.s", compiled.assembly)

    def _write(self, name: str, content: str) -> None:
        (self.folder / name).write_text(content.rstrip("\n") + "\n")


def _stage_line(stage: Stage) -> str:
    if isinstance(stage, HostStage):
        return f"host    {stage.instruction!r}: {stage.reason}"
    names = [call.source.name for native in stage.instructions for call in native.calls]
    return "native  " + "\n        ".join(names)
