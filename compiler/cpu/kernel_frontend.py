"""A kernel's Python source to LLVM IR: Numba's typing and lowering with the passes that kernels need, and no others.

In: a `KernelSource` and a `Target`. Out: the text of one LLVM module in which the kernel is a function of its own
arguments and the exported entry `void name(int64_t *arguments, int64_t part, int64_t parts)` unpacks them.
This module imports Numba: import it only where a kernel has to be compiled.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from typing import Any

import llvmlite.binding as llvm
from llvmlite import ir
from numba.core import cgutils, lowering, types
from numba.core import ir as numba_ir
from numba.core.compiler import CompilerBase, Flags
from numba.core.compiler_machinery import PassManager, register_pass
from numba.core.typed_passes import BaseNativeLowering, NoPythonBackend, NopythonTypeInference
from numba.core.untyped_passes import FixupArgs, IRProcessing, TranslateByteCode

from sessile.compiler.cpu.kernel_context import (
    KernelLibrary,
    KernelTargetContext,
    KernelTypingContext,
    add_kernel_attributes,
)
from sessile.compiler.cpu.kernel_namespace import KernelNamespace
from sessile.compiler.cpu.kernel_operations import mark_as_short, short_loop_heads
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

_I64 = ir.IntType(64)

NUMBA_TYPES: dict[str, types.Type] = {
    "f16": types.uint16,  # its bits: kernels convert them with f32_from_f16 and f16_from_f32
    "f32": types.float32, "f64": types.float64, "c64": types.complex64, "c128": types.complex128,
    "i8": types.int8, "i16": types.int16, "i32": types.int32, "i64": types.int64,
    "u8": types.uint8, "u16": types.uint16, "u32": types.uint32, "u64": types.uint64, "bool": types.boolean,
}  # fmt: skip


class _KernelLowering(lowering.Lower):
    """Numba's lowering without Python environments, reference counts and debug information."""

    def emit_environment_object(self) -> None:
        """Kernels have no Python environment."""

    def alloca_lltype(self, name: str, lltype: ir.Type, datamodel: Any = None) -> ir.Value:
        return cgutils.alloca_once(self.builder, lltype, name=name)

    def lower_inst(self, inst: Any) -> None:
        super().lower_inst(inst)
        if isinstance(inst, numba_ir.Jump) and self.blkmap[inst.target] in short_loop_heads(self.builder.function):
            mark_as_short(self.builder.block.terminator)

    def storevar(self, value: ir.Value, name: str, argidx: int | None = None) -> None:
        self._alloca_var(name, self.typeof(name))
        if name in self._singly_assigned_vars:
            self._blk_local_varmap[name] = value
        else:
            self.builder.store(value, self.getvar(name))


@register_pass(mutates_CFG=True, analysis_only=False)
class _LowerKernel(BaseNativeLowering):
    _name = "lower_kernel"

    @property
    def lowering_class(self) -> type[lowering.Lower]:
        return _KernelLowering


class _KernelCompiler(CompilerBase):
    """Numba's pipeline without rewrites, inlining, SSA and reference counts."""

    def define_pipelines(self) -> list[PassManager]:
        manager = PassManager("kernel")
        manager.add_pass(TranslateByteCode, "bytecode to Numba's IR")
        manager.add_pass(FixupArgs, "argument types in order")
        manager.add_pass(IRProcessing, "control flow and lifetimes")
        manager.add_pass(NopythonTypeInference, "a type for each variable")
        manager.add_pass(_LowerKernel, "LLVM IR")
        manager.add_pass(NoPythonBackend, "the result object")
        manager.finalize()
        return [manager]


def unoptimized_ir(source: KernelSource, target: Target) -> str:
    """The LLVM IR of a kernel and its entry, as text.

    Raises whatever Numba raises if the source is not a valid kernel.
    """
    function = _define(source)
    arguments = [_numba_type(description) for description in source.argument_types]
    modules, callee = _lower(function, (*arguments, types.int64, types.int64), target)
    for module in modules:
        _make_discardable(module)
    _add_entry(modules[0], callee, source.name)
    return _join(modules)


def _define(source: KernelSource) -> Any:
    names = KernelNamespace()
    exec(compile(source.source, f"<{source.name}>", "exec"), names)
    return names[source.name]


def _numba_type(description: str) -> types.Type:
    element = NUMBA_TYPES[description.removeprefix("*")]
    return types.CPointer(element) if description.startswith("*") else element


@functools.cache
def _contexts(target: Target) -> tuple[KernelTypingContext, KernelTargetContext]:
    typing_context = KernelTypingContext()
    return typing_context, KernelTargetContext(typing_context, target)


def _flags() -> Flags:
    flags = Flags()
    flags.error_model = "numpy"
    flags.noalias = True
    flags.nrt = False
    flags.no_rewrites = True
    flags.enable_ssa = False
    flags.no_compile = True
    flags.no_cpython_wrapper = True
    flags.no_cfunc_wrapper = True
    return flags


def _lower(function: Any, arguments: tuple[types.Type, ...], target: Target) -> tuple[list[ir.Module], ir.Function]:
    typing_context, target_context = _contexts(target)
    library = KernelLibrary(target_context.codegen(), function.__name__)
    compiler = _KernelCompiler(typing_context, target_context, library, arguments, types.void, _flags(), {})
    result = compiler.compile_extra(function)
    return library.all_modules(), library.get_function(result.fndesc.mangled_name)


def _make_discardable(module: ir.Module) -> None:
    """Let the optimiser drop each function of a module once it is inlined, and each variable that nobody reads."""
    for value in module.global_values:
        if isinstance(value, ir.GlobalVariable):
            value.linkage = "internal" if value.initializer is not None else value.linkage
        elif not value.is_declaration and not value.linkage:
            value.linkage = "linkonce_odr"


def _add_entry(module: ir.Module, callee: ir.Function, name: str) -> None:
    """Add the exported function, which reads each argument from its slot of an int64 array."""
    entry = ir.Function(module, ir.FunctionType(ir.VoidType(), [_I64.as_pointer(), _I64, _I64]), name)
    add_kernel_attributes(entry)
    builder = ir.IRBuilder(entry.append_basic_block("entry"))
    arguments, part, parts = entry.args
    values = []
    for position, argument in enumerate(callee.args[:-2]):
        slot = builder.gep(arguments, [_I64(position)])
        # A scalar shorter than its slot lies in the slot's low bytes.
        values.append(builder.load(builder.bitcast(slot, argument.type.as_pointer())))
    builder.call(callee, [*values, part, parts])
    builder.ret_void()


def _join(modules: Sequence[ir.Module]) -> str:
    """One module's text from those of a kernel and of the functions that it calls."""
    first, *others = [cgutils.normalize_ir_text(str(module)) for module in modules]
    if not others:
        return first
    joined = llvm.parse_assembly(first)
    for text in others:
        joined.link_in(llvm.parse_assembly(text))
    return str(joined)
