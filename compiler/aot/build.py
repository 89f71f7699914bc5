"""Makes bundles: programs for the open sizes, their kernels for the target, one file of bytes.

In: fetched tensors, fed tensors with their specifications, the values of variables. Out: the bytes of a bundle.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

import numpy as np

from sessile.compiler.aot.bundle import pack_bundle
from sessile.compiler.aot.frozen_program import VariableValues, frozen_program, who_needs
from sessile.compiler.aot.signature import ArgumentSpec, bound_shape, example_sizes
from sessile.compiler.compile_program import optimize
from sessile.compiler.cpu.compile_kernel import compile_kernel
from sessile.compiler.cpu.step_loop import step_loop_name, step_loop_object
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.lower import Request
from sessile.compiler.stages import HostStage, OptimizedProgram
from sessile.compiler.target import Target
from sessile.graph.errors import InvalidArgumentError, UnimplementedError
from sessile.graph.operation import Operation
from sessile.graph.source_lines import defined_at
from sessile.graph.tensor import Tensor
from sessile.ir.program import Program
from sessile.ir.program_interface import ProgramInterface
from sessile.ir.serialization import NameTable, NotSerializable, UserNames, encode
from sessile.ir.sizes import Size, substitute, symbol

_FED_NUMBER = 3

Progress = Callable[[str, int, int], None]
"""Is told what was compiled, and how many of how many kernels are ready."""


def programs_for(
    fetches: Sequence[Tensor], feeds: Mapping[Tensor, ArgumentSpec], variables: VariableValues
) -> list[Program]:
    """The lowered programs of a computation, for sizes in general and where need be for special ones.

    Sizes that the user has named are taken for different. Those without a name may have to be equal for operands to fit
    each other, and sizes of 1 may mean that an operand is repeated: both can need a program of their own.

    Raises what `frozen_program` raises, where no choice of sizes can be computed with.
    """
    programs: list[Program] = []
    refusal: InvalidArgumentError | None = None
    for sizes in example_sizes(feeds.values()):
        examples = {tensor: example(tensor, spec, sizes) for tensor, spec in feeds.items()}
        named = {tensor.name: array for tensor, array in examples.items()}
        if any(ProgramInterface.of(program).bindings_for(named, {}) is not None for program in programs):
            continue
        try:
            programs.append(frozen_program(fetches, examples, variables))
        except InvalidArgumentError as error:
            refusal = refusal or error
    if not programs:
        assert refusal is not None
        raise refusal
    return programs


def example(tensor: Tensor, spec: ArgumentSpec, sizes: Mapping[str, int]) -> np.ndarray:
    """An array that could be fed, which takes no memory."""
    dtype = np.dtype(tensor.dtype.base_dtype.as_numpy_dtype)
    number = np.full((), b"" if dtype.hasobject else _FED_NUMBER, dtype)
    return np.broadcast_to(number, bound_shape(spec, sizes))


def output_specs(
    fetches: Mapping[str, Tensor], program: Program, feeds: Mapping[Tensor, ArgumentSpec]
) -> list[ArgumentSpec]:
    """What comes out of a program, with the names of sizes that come from the inputs."""
    names: dict[str, Size] = {}
    axes = {(tensor.name, axis): size for tensor, spec in feeds.items() for axis, size in enumerate(spec.shape)}
    for symbol_name, source in program.symbols.items():
        if source.kind == "parameter":
            size = axes[source.name, source.index]
            names[symbol_name] = symbol(size) if isinstance(size, str) else int(size or 0)
    specs = []
    for (name, tensor), result in zip(fetches.items(), program.results, strict=True):
        shape = [size if isinstance(size, int) else str(substitute(size, names)) for size in result.type.shape]
        specs.append(ArgumentSpec(name, tensor.dtype.base_dtype.name, tuple(shape)))
    return specs


def build_bundle(
    fetches: Mapping[str, Tensor],
    feeds: Mapping[Tensor, ArgumentSpec],
    structure: str,
    variables: VariableValues,
    target: Target,
    progress: Progress | None = None,
) -> bytes:
    """The bytes of a bundle.

    Raises what `frozen_program` raises, UnimplementedError for what runs Python code, KernelCompilationError.
    """
    lowered = programs_for(list(fetches.values()), feeds, variables)
    programs = [(program, optimize(program, target=target)) for program in lowered]
    _refuse_python(programs, Request(tuple(fetches.values()), (), dict.fromkeys(feeds)))  # type: ignore[arg-type]
    kernels = compiled_kernels([source for _, optimized in programs for source in optimized.sources], target, progress)
    kernels[step_loop_name(target)] = step_loop_object(target)
    outputs = output_specs(fetches, lowered[0], feeds)
    return pack_bundle(programs, list(feeds.values()), outputs, structure, target, kernels)


def _refuse_python(programs: Iterable[tuple[Program, OptimizedProgram]], request: Request) -> None:
    """Raises UnimplementedError for operations that call functions of this process, and says what needs them."""
    find = request.fetches[0].graph.get_operation_by_name
    for program, optimized in programs:
        try:
            encode(optimized.program, NameTable(UserNames.of(program)))
        except NotSerializable:
            stages = [stage.instruction for stage in optimized.stages if isinstance(stage, HostStage)]
            names = {i.locations[0].operation for i in stages if i.name == "call_host"}
            reasons = [_python_reason(find(name), request) for name in sorted(names)]
            message = f"{'; '.join(reasons)}: this cannot be compiled ahead of time"
            raise UnimplementedError(None, find(min(names)), message) from None


def _python_reason(op: Operation, request: Request) -> str:
    return f"{op.name} ({defined_at(op._frames)}) runs Python code, and {who_needs(op, request)}"


def compiled_kernels(
    sources: Iterable[KernelSource], target: Target, progress: Progress | None = None
) -> dict[str, bytes]:
    """The object code of kernels by name, each once."""
    wanted = list({source.name: source for source in sources}.values())
    kernels = {}
    for number, source in enumerate(wanted, start=1):
        kernels[source.name] = compile_kernel(source, target).object_code
        if progress is not None:
            progress(source.name, number, len(wanted))
    return kernels
