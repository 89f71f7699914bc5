"""LLVM IR to machine code for a target, through llvmlite alone.

In: the text of an LLVM module. Out: an optimised module, an object file, assembly. Nothing here knows of Numba, so a
process that only loads kernels can use it for code of its own.
"""

from __future__ import annotations

import functools
import os
import tempfile
import threading

import llvmlite.binding as llvm

from sessile.compiler.target import Target

MATH_LIBRARY_FUNCTIONS = tuple(name + kind for name in ("fma", "rint", "floor", "ceil", "trunc") for kind in ("", "f"))
"""What kernels call in C's math library where the processor cannot: before AVX2 and SSE 4.1."""


def lock_held_across_fork() -> threading.Lock:
    """A lock around calls of LLVM; a fork waits for it, so that the child finds LLVM between two calls."""
    lock = threading.Lock()
    if hasattr(os, "register_at_fork"):
        os.register_at_fork(before=lock.acquire, after_in_parent=lock.release, after_in_child=lock.release)
    return lock


def initialize_llvm(triple: str) -> None:
    """Readies LLVM's code generator for a triple: this machine's alone, or all of them, which takes longer."""
    if triple.partition("-")[0] == llvm.get_process_triple().partition("-")[0]:
        _initialize_native()
    else:
        _initialize_all()


@functools.cache
def _initialize_native() -> None:
    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    llvm.initialize_native_asmparser()


@functools.cache
def _initialize_all() -> None:
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()


@functools.cache
def target_machine(target: Target) -> llvm.TargetMachine:
    """LLVM's code generator for a target, position-independent, at the highest level."""
    initialize_llvm(target.triple)
    return llvm.Target.from_triple(target.triple).create_target_machine(
        cpu=target.cpu, features=target.features, opt=3, reloc="pic", codemodel="small"
    )


def unknown_terms(target: Target) -> str:
    """What LLVM says of a target's processor and features where it does not know them; empty if it knows all.

    LLVM prints that, and goes on without them, so that the standard error of this process is caught meanwhile.
    """
    initialize_llvm(target.triple)
    kept = os.dup(2)
    with tempfile.TemporaryFile() as caught:
        os.dup2(caught.fileno(), 2)
        try:
            llvm.Target.from_triple(target.triple).create_target_machine(cpu=target.cpu, features=target.features)
        finally:
            os.dup2(kept, 2)
            os.close(kept)
        caught.seek(0)
        lines = dict.fromkeys(caught.read().decode(errors="replace").splitlines())
    return ", ".join(line.partition(" for this target")[0] for line in lines if "not a recognized" in line)


def optimize(ir_text: str, target: Target, level: int = 3) -> llvm.ModuleRef:
    """Parse a module and run LLVM's pipeline once, with loop and straight-line vectorisation.

    Level 3 is that of -O3; level 0 only inlines what must be inlined. Raises RuntimeError with LLVM's message if the
    text is not valid IR.
    """
    machine = target_machine(target)
    module = llvm.parse_assembly(ir_text)
    options = llvm.create_pipeline_tuning_options(speed_level=level)
    options.loop_vectorization = True
    options.slp_vectorization = True
    options.loop_interleaving = True
    options.loop_unrolling = True
    pass_builder = llvm.create_pass_builder(machine, options)
    pass_builder.getModulePassManager().run(module, pass_builder)
    return module


def compile_module(ir_text: str, target: Target, level: int = 3) -> bytes:
    """The object file of a module, optimised as `optimize` does."""
    return target_machine(target).emit_object(optimize(ir_text, target, level))


def create_jit(target: Target) -> llvm.LLJIT:
    """A JIT that loads objects into this process."""
    # JITLink places the parts of an object side by side, as the small code model asks for.
    return llvm.create_lljit_compiler(target_machine(target), use_jit_link=True, suppress_errors=True)
