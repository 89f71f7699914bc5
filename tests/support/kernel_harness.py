"""Runs kernel calls on NumPy arrays, for tests of kernel rules: a small executor without sessions and memory plans.

`run_instruction(instruction, operands)` makes the kernels of an instruction by its rule, compiles them in this process
(each once), runs them with some number of parts, and returns the results. Results and workspaces hold rubbish before,
so that what a kernel leaves out shows. `check_kernels(program, context)` does so for all of a program.
"""

from __future__ import annotations

import ctypes
import functools
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from types import SimpleNamespace
from typing import Any

import numpy as np
from support.program_cases import HERE, CaseContext, ProgramCase, assert_same_array

from sessile.compiler.cpu import rules as _registered_rules
from sessile.compiler.cpu.compile_kernel import KernelObject, compile_kernel
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.executable_memory import aligned_bytes
from sessile.compiler.kernel_call import KERNEL_RULES, Buffer, KernelCall, NoKernel, Number, Scratch, Status, Workspace
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.passes.fuse import fuse
from sessile.compiler.target import Target
from sessile.ir.interpreter import evaluate_instruction
from sessile.ir.interpreter import run_instruction as interpret_instruction
from sessile.ir.parser import parse
from sessile.ir.program import Instruction, Program, Value
from sessile.ir.sizes import evaluate
from sessile.ir.types import NUMPY_DTYPES

assert _registered_rules

Entry = Callable[[int, int, int], None]
Arrays = Mapping[Value, np.ndarray]


@functools.cache
def compiled(source: KernelSource) -> KernelObject:
    """The kernel, compiled for this machine."""
    return compile_kernel(source, Target.host())


@functools.cache
def entry_of(name: str, object_code: bytes) -> Entry:
    """The kernel's function in this process."""
    address = load_objects([object_code], [name])[name]
    return ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int64, ctypes.c_int64)(address)


def run_instruction(
    instruction: Instruction,
    operands: Sequence[np.ndarray],
    bindings: Mapping[str, int] | None = None,
    parts: int = 1,
) -> list[np.ndarray]:
    """The results of an instruction, computed by its kernels. Raises what the reference raises when a
    kernel reports a failure: RunFailure, or LocatedFailure where it is inside a region.

    Operands are not changed, also where the instruction works in place.
    """
    bindings = bindings or {}
    held = {v: np.array(a, order="C", copy=True) for v, a in zip(instruction.operands, operands, strict=True)}
    for result in instruction.results:
        held[result] = rubbish(result.type.bound(bindings), NUMPY_DTYPES[result.type.dtype])
    if not run_calls(KERNEL_RULES[instruction.name](instruction, Target.host()), held, bindings, parts):
        context = SimpleNamespace(bindings=bindings)
        evaluate_instruction(instruction, operands, context)  # type: ignore[arg-type]
        raise AssertionError(f"the kernel of {instruction} reports a failure that the reference does not know")
    shared = dict(instruction.attributes.get("in_place", ()))
    return [
        held[instruction.operands[shared[k]]] if k in shared else held[result]
        for k, result in enumerate(instruction.results)
    ]


def check_kernels(
    program: Program, context: Any, parts: Sequence[int] = (1, 3), tolerance: float = 0.0
) -> dict[str, int]:
    """Interprets a program, and compares what the kernels of each instruction make of the same operands.

    With a `tolerance` results may differ by so much, in relative terms and around zero. Returns how many instructions
    of each primitive (for fused ones, of each kind) were compared. An instruction without a kernel is left out.
    """
    compared: Counter[str] = Counter()
    environment: dict[Value, Any] = {}
    for instruction in program.instructions:
        interpret_instruction(instruction, environment, context)
        if instruction.name not in KERNEL_RULES or not instruction.results:
            continue
        operands = [np.asarray(environment[operand]) for operand in instruction.operands]
        try:
            for count in parts:
                results = run_instruction(instruction, operands, context.bindings, count)
                for value, result in zip(instruction.results, results, strict=True):
                    assert_agrees(np.asarray(environment[value]), result, tolerance)
        except NoKernel:
            continue
        except AssertionError as error:
            calls = KERNEL_RULES[instruction.name](instruction, Target.host())
            error.add_note("\n".join(call.source.source for call in calls))
            raise
        compared[instruction.attributes.get("kind", instruction.name)] += 1
    return dict(compared)


def check_text(text: str, parameters: dict[str, np.ndarray], n: int = 0, tolerance: float = 0.0) -> dict[str, int]:
    """Fuses the program of a text and checks its kernels; `n` is its only size symbol."""
    case = ProgramCase(fuse(parse(text, location=HERE[0])), parameters, {}, {"n": n})
    return check_kernels(case.program, CaseContext(case), tolerance=tolerance)


def assert_agrees(expected: np.ndarray, actual: np.ndarray, tolerance: float = 0.0) -> None:
    """Fails unless two arrays have one type and the same elements, to the bit if there is no tolerance."""
    if not tolerance or expected.dtype.kind not in "fc":
        assert_same_array(expected, actual)
        return
    assert (actual.dtype, actual.shape) == (expected.dtype, expected.shape)
    wide = np.complex128 if expected.dtype.kind == "c" else np.float64
    np.testing.assert_allclose(actual.astype(wide), expected.astype(wide), rtol=tolerance, atol=tolerance)


def run_calls(calls: Sequence[KernelCall], arrays: Arrays, bindings: Mapping[str, int], parts: int = 1) -> bool:
    """Runs calls one after the other; those that may not be shared as one part. False: one has failed."""
    status = np.zeros(8, np.int64)
    memory = _Memory(calls, bindings, parts)
    for call in calls:
        slots = [_slot(argument, arrays, bindings, status, memory) for argument in call.arguments]
        block = np.array(slots or [0], np.int64)
        kernel = compiled(call.source)
        entry = entry_of(kernel.name, kernel.object_code)
        count = parts if call.parallel else 1
        for part in range(count):
            entry(block.ctypes.data, part, count)
        if status[0]:
            assert call.can_fail, f"{call.source.name} fails, which it says it never does"
            return False
    memory.check()
    return True


class _Memory:
    """The workspace that all calls share one after the other, and their scratch memory, with guards behind them."""

    _GUARD = 64

    def __init__(self, calls: Sequence[KernelCall], bindings: Mapping[str, int], parts: int) -> None:
        self.memory: dict[object, np.ndarray] = {}
        self._sizes: dict[object, int] = {}
        arguments = [argument for call in calls for argument in call.arguments]
        for argument in arguments:
            if isinstance(argument, Workspace | Scratch):
                copies = parts if isinstance(argument, Workspace) else 1
                size = evaluate(argument.elements, bindings) * NUMPY_DTYPES[argument.dtype].itemsize * copies
                key = self._key(argument)
                self._sizes[key] = max(size, self._sizes.get(key, 0))
        for key, size in self._sizes.items():
            self.memory[key] = np.full(size + self._GUARD, 0xCD, np.uint8)

    @staticmethod
    def _key(argument: Workspace | Scratch) -> object:
        return argument if isinstance(argument, Scratch) else None

    def address(self, argument: Workspace | Scratch) -> int:
        return self.memory[self._key(argument)].ctypes.data

    def check(self) -> None:
        for key, size in self._sizes.items():
            assert (self.memory[key][size:] == 0xCD).all(), "a kernel wrote behind its memory"


def _slot(argument: Any, arrays: Arrays, bindings: Mapping[str, int], status: np.ndarray, memory: _Memory) -> int:
    match argument:
        case Buffer(value):
            return arrays[value].ctypes.data
        case Number(size):
            return evaluate(size, bindings)
        case Status():
            return status.ctypes.data
        case Workspace() | Scratch():
            return memory.address(argument)
    raise NotImplementedError(f"the harness has no {argument}")


def rubbish(shape: tuple[int, ...], dtype: np.dtype) -> np.ndarray:
    """An array of elements that no kernel would compute, at the beginning of a cache line as results are."""
    memory = aligned_bytes(int(np.prod(shape)) * dtype.itemsize)
    memory[:] = 1 if dtype == np.bool_ else 0xCD
    return memory.view(dtype).reshape(shape)


def made_up(random: np.random.Generator, dtype: str, shape: tuple[int, ...]) -> np.ndarray:
    """Numbers with some special values among them."""
    held = NUMPY_DTYPES[dtype]
    if held.kind == "b":
        return random.random(shape) < 0.5
    if held.kind == "c":
        return (random.normal(0, 2, shape) + 1j * random.normal(0, 2, shape)).astype(held)
    if held.kind == "f":
        special = random.choice([0.0, -0.0, np.nan, np.inf, -np.inf, 1.0, 0.5, -2.5], shape)
        return np.where(random.random(shape) < 0.3, special, random.normal(0, 2, shape)).astype(held)
    limits = np.iinfo(held)
    numbers = random.integers(max(limits.min, -50), 50, shape).astype(held)
    extremes = np.array([limits.min, limits.max], held)
    return np.where(random.random(shape) < 0.1, random.choice(extremes, shape), numbers)
