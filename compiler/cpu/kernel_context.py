"""Numba's contexts for kernels: what a kernel may say, how it is called, and where its LLVM IR goes.

Numba's own CPU contexts load every array function, import SciPy, compile a runtime, and try all of NumPy's overloads
on each operator. Kernels use scalars, pointers and intrinsics, so these contexts hold little else: half a second less
before the first kernel, and a third of the time for each one after it. They also leave out exceptions: a kernel is a
plain function of its arguments, compiled to `void kernel(pointers and sizes ..., part, parts)`.
"""

from __future__ import annotations

import functools
from typing import Any

from llvmlite import ir
from numba.core import callconv, cgutils, codegen, cpu, types
from numba.core.extending import _Intrinsic
from numba.core.typing import cmathdecl, mathdecl, templates
from numba.core.typing.context import BaseContext

from sessile.compiler.cpu import kernel_operations
from sessile.compiler.cpu.machine_code import target_machine
from sessile.compiler.target import Target

_BIT = ir.IntType(1)


def _compiles_python(template: type) -> bool:
    """Whether a template stands for a Python function that Numba would compile with its own contexts."""
    ancestors = template.__mro__  # issubclass would ask the metaclass, ten times as slowly
    return templates._OverloadFunctionTemplate in ancestors or templates._OverloadAttributeTemplate in ancestors


class _KernelIntrinsic(templates._IntrinsicTemplate):
    """An intrinsic whose LLVM IR is registered for kernels alone; Numba's template loads all of Numba for it."""

    def _get_target_registry(self, reason: str) -> Any:
        return kernel_operations.lowering_registry


@functools.cache
def _intrinsic_type(intrinsic: _Intrinsic) -> types.Function:
    members = {
        "key": intrinsic,
        "prefer_literal": intrinsic._prefer_literal,
        "metadata": {},
        "_definition_func": staticmethod(intrinsic._defn),
        "_impl_cache": {},
        "_overload_cache": {},
    }
    return types.Function(type(intrinsic._name, (_KernelIntrinsic,), members))


class KernelTypingContext(BaseContext):
    """Types of scalar and pointer operations; remembers how each call was resolved."""

    def init(self) -> None:
        self._resolved: dict[tuple, Any] = {}

    def load_additional_registries(self) -> None:
        self.install_registry(mathdecl.registry)
        self.install_registry(cmathdecl.registry)
        self.install_registry(kernel_operations.typing_registry)

    def install_registry(self, registry: Any) -> None:
        """Take over a registry's templates except those that would compile a Python function of their own."""
        if registry not in self._registries:
            self._registries[registry] = templates.RegistryLoader(registry)
        loader = self._registries[registry]
        for template in loader.new_registrations("functions"):
            if not _compiles_python(template):
                self.insert_function(template(self))
        for template in loader.new_registrations("attributes"):
            if not _compiles_python(template):
                self.insert_attributes(template(self))
        for value, function_type in loader.new_registrations("globals"):
            self._install_global(value, function_type)

    def _install_global(self, value: Any, function_type: Any) -> None:
        if any(map(_compiles_python, getattr(function_type, "templates", ()))):
            return
        existing = self._lookup_global(value)
        if existing is not None:
            if kernel_operations.KernelRange in existing.templates:
                return
            function_type = existing.augment(function_type)
            self._remove_global(value)
        self.insert_global(value, function_type)

    def resolve_value_type(self, value: Any) -> types.Type:
        """As in Numba, but functions known by name are found without an exception on the way."""
        if isinstance(value, _Intrinsic):
            return _intrinsic_type(value)
        return self._lookup_global(value) or super().resolve_value_type(value)

    def resolve_function_type(self, function: Any, arguments: Any, keywords: Any) -> Any:
        """As in Numba, but the same question is answered once: signatures depend on the types alone."""
        key = (function, tuple(arguments))
        if keywords:
            return super().resolve_function_type(function, arguments, keywords)
        if key not in self._resolved:
            self._resolved[key] = super().resolve_function_type(function, arguments, keywords)
        return self._resolved[key]


def add_kernel_attributes(function: ir.Function) -> None:
    """Mark a function as one that does not raise and whose loops are not turned into calls of the C library."""
    function.attributes.add("nounwind")
    for library_function in ("memset", "memset_pattern16", "memcpy", "memmove"):
        # Past llvmlite's own `add`, which knows no attributes with quoted names.
        set.add(function.attributes, f'"no-builtin-{library_function}"')


class KernelCallingConvention(callconv.BaseCallConv):
    """Plain C-like calls: values are returned as such, nothing is raised.

    Where Numba would raise (a `range` with step 0), the function returns zero.
    """

    def _make_call_helper(self, builder: ir.IRBuilder) -> object:
        return self

    def get_function_type(self, result: types.Type, arguments: tuple[types.Type, ...]) -> ir.FunctionType:
        returned = ir.VoidType() if result == types.void else self.get_return_type(result).pointee
        return ir.FunctionType(returned, list(self._get_arg_packer(arguments).argument_types))

    def decorate_function(
        self, function: ir.Function, names: list[str], arguments: tuple[types.Type, ...], noalias: bool = False
    ) -> None:
        self._get_arg_packer(arguments).assign_names(function.args, names)
        function.attributes.add("alwaysinline")
        add_kernel_attributes(function)
        for argument in function.args:
            if noalias and isinstance(argument.type, ir.PointerType):
                argument.add_attribute("noalias")

    def get_arguments(self, function: ir.Function) -> tuple[ir.Argument, ...]:
        return function.args

    def return_value(self, builder: ir.IRBuilder, value: ir.Value) -> None:
        if isinstance(builder.function.ftype.return_type, ir.VoidType):
            builder.ret_void()
        else:
            builder.ret(value)

    def return_user_exc(self, builder: ir.IRBuilder, *description: Any, **location: Any) -> None:
        returned = builder.function.ftype.return_type
        self.return_value(builder, None if isinstance(returned, ir.VoidType) else ir.Constant(returned, None))

    def return_status_propagate(self, builder: ir.IRBuilder, status: callconv.Status) -> None:
        builder.unreachable()

    def call_function(
        self, builder: ir.IRBuilder, callee: ir.Function, result: types.Type, argument_types: Any, arguments: Any
    ) -> tuple[callconv.Status, ir.Value]:
        packed = self._get_arg_packer(argument_types).as_arguments(builder, arguments)
        value = builder.call(callee, packed)
        yes, no = _BIT(1), _BIT(0)
        status = callconv.Status(
            code=None, is_ok=yes, is_none=no, is_error=no, is_stop_iteration=no, is_python_exc=no,
            is_user_exc=no, excinfoptr=None,
        )  # fmt: skip
        return status, self.context.get_returned_value(builder, result, value)


class KernelLibrary(codegen.CodeLibrary):
    """Collects the IR that Numba writes for one function, untouched by any optimisation."""

    def __init__(self, generator: codegen.Codegen, name: str) -> None:
        super().__init__(generator, name)
        self.modules: list[ir.Module] = []
        self.linked: list[KernelLibrary] = []

    def add_ir_module(self, ir_module: ir.Module) -> None:
        self.modules.append(ir_module)

    def add_linking_library(self, library: KernelLibrary) -> None:
        self.linked.append(library)

    def all_modules(self) -> list[ir.Module]:
        """The modules of this library, then of those that it calls."""
        return self.modules + [module for library in self.linked for module in library.all_modules()]

    def finalize(self) -> None:
        self._finalized = True

    def get_function(self, name: str) -> ir.Function:
        return self.modules[0].get_global(name)

    def get_llvm_str(self) -> str:
        return "\n".join(map(str, self.all_modules()))

    def get_asm_str(self) -> str:
        raise NotImplementedError("a kernel's library holds IR only")


class KernelCodegen(codegen.Codegen):
    """Makes modules for a target; never compiles one."""

    _library_class = KernelLibrary

    def __init__(self, target: Target) -> None:
        self._triple = target.triple
        self._target_data = target_machine(target).target_data
        self._data_layout = str(self._target_data)

    def _create_empty_module(self, name: str) -> ir.Module:
        module = ir.Module(cgutils.normalize_ir_text(name))
        module.triple = self._triple
        module.data_layout = self._data_layout
        return module

    def _add_module(self, module: ir.Module) -> None:
        raise NotImplementedError("a kernel's code generator does not run code")


class KernelTargetContext(cpu.CPUContext):
    """Lowers scalar and pointer operations of kernels to LLVM IR.

    Attributes:
      kernel_target: the machine that kernels are compiled for; intrinsics ask it for the width of vectors.
    """

    def __init__(self, typing_context: KernelTypingContext, target: Target) -> None:
        self.kernel_target = target
        super().__init__(typing_context, "cpu")

    def init(self) -> None:
        self.is32bit = False
        self._internal_codegen = KernelCodegen(self.kernel_target)

    def load_additional_registries(self) -> None:
        # Importing the modules registers their operations with Numba's builtin registry.
        from numba.core import optional  # noqa: F401
        from numba.cpython import (  # noqa: F401
            builtins,
            cmathimpl,
            iterators,
            mathimpl,
            numbers,
            rangeobj,
            tupleobj,
        )

        self.install_registry(cmathimpl.registry)
        self.install_registry(mathimpl.registry)

    def refresh(self) -> None:
        super().refresh()
        # Last, because of two operations registered for the same types the later one counts.
        self.install_registry(kernel_operations.lowering_registry)

    @property
    def call_conv(self) -> KernelCallingConvention:
        return KernelCallingConvention(self)

    def post_lowering(self, module: ir.Module, library: KernelLibrary) -> None:
        """Numba links its runtime here; kernels have none."""
