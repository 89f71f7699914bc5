"""The intrinsics that contraction kernels call, by name.

A name says operation, element type and tile, for example `multiply_rows_f32_14x32`; the tile stands for all sizes of
the `Tiling`. In the source of a kernel each pointer argument is followed by the index where the operand begins.
This module imports Numba: import it only where a kernel is compiled.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

from sessile.compiler.cpu.contraction.add_products import emit_add_products
from sessile.compiler.cpu.contraction.convolution_fields import FIELDS, GEOMETRY
from sessile.compiler.cpu.contraction.convolution_plan import Plan, emit_plan_convolution, emit_plan_phase
from sessile.compiler.cpu.contraction.emission import Emitter, Int, Pointer
from sessile.compiler.cpu.contraction.matrix_vector import emit_matrix_vector
from sessile.compiler.cpu.contraction.multiply_rows import emit_multiply_rows
from sessile.compiler.cpu.contraction.packing import emit_pack_right
from sessile.compiler.cpu.contraction.patches import emit_convolve_tile, emit_pack_filter
from sessile.compiler.cpu.contraction.tiling import Tiling, tiling_of

Emit = Callable[[Emitter, Tiling], ir.Function]

# One letter for each argument: `p` for a pointer and its start, `q` for a plan's, `i` for an integer.
OPERATIONS: dict[str, tuple[str, Emit]] = {
    "multiply_rows": ("ppipiipipiiiiii", lambda e, tiling: emit_multiply_rows(e, tiling, interleaved=False)),
    "multiply_interleaved_rows": (
        "ppipiipipiiiiii", lambda e, tiling: emit_multiply_rows(e, tiling, interleaved=True),
    ),
    "matrix_vector": ("piipipii", lambda e, tiling: emit_matrix_vector(e)),
    "pack_right": ("piipiiii", lambda e, tiling: emit_pack_right(e, tiling, transposed=False)),
    "pack_transposed_right": ("piipiiii", lambda e, tiling: emit_pack_right(e, tiling, transposed=True)),
    "add_products": ("pipiiipiiiiiii", lambda e, tiling: emit_add_products(e)),
    "plan_convolution": ("q" + "i" * len(GEOMETRY), lambda e, tiling: emit_plan_convolution(e)),
    "plan_phase": ("qiiii", lambda e, tiling: emit_plan_phase(e, tiling, interleaved=False)),
    "plan_interleaved_phase": ("qiiii", lambda e, tiling: emit_plan_phase(e, tiling, interleaved=True)),
    "convolve_tile": ("ppppqiiiii", lambda e, tiling: emit_convolve_tile(e, tiling, interleaved=False)),
    "convolve_interleaved_tile": ("ppppqiiiii", lambda e, tiling: emit_convolve_tile(e, tiling, interleaved=True)),
    "pack_filter": ("ppqiiii", lambda e, tiling: emit_pack_filter(e, tiling, interleaved=False, transposed=False)),
    "pack_transposed_filter": (
        "ppqiiii", lambda e, tiling: emit_pack_filter(e, tiling, interleaved=False, transposed=True),
    ),
    "pack_interleaved_filter": (
        "ppqiiii", lambda e, tiling: emit_pack_filter(e, tiling, interleaved=True, transposed=False),
    ),
    "pack_transposed_interleaved_filter": (
        "ppqiiii", lambda e, tiling: emit_pack_filter(e, tiling, interleaved=True, transposed=True),
    ),
}  # fmt: skip
_PLANNED = "planned_"
_NAME = re.compile(r"(\w+)_(f32|f64)_(\d+)x(\d+)")


class _Functions(Mapping[str, Any]):
    """Makes an intrinsic when its name is first looked up; there is no list of all of them."""

    def __getitem__(self, name: str) -> Any:
        return _function(name)

    def __contains__(self, name: object) -> bool:
        try:
            self[str(name)]
        except KeyError:
            return False
        return True

    def __iter__(self) -> Iterator[str]:
        return iter(OPERATIONS)

    def __len__(self) -> int:
        return len(OPERATIONS)


FUNCTIONS: Mapping[str, Any] = _Functions()


@functools.cache
def _function(name: str) -> Any:
    match = _NAME.fullmatch(name)
    if match is None:
        raise KeyError(name)
    tiling = tiling_of(match[2], int(match[3]), int(match[4]))
    if match[1].startswith(_PLANNED):
        return _planned(match[1].removeprefix(_PLANNED), tiling)
    return _intrinsic(*OPERATIONS[match[1]], tiling)


def _pointer_type(tiling: Tiling) -> types.CPointer:
    return types.CPointer(types.float32 if tiling.dtype == "f32" else types.float64)


def _planned(field: str, tiling: Tiling) -> Any:
    """`planned_<field>(workspace, plan)`: a field of a convolution's plan."""
    if field not in FIELDS:
        raise KeyError(field)

    def typed(typing_context: Any, workspace: types.Type, plan: types.Type) -> Any:
        def generate(context: Any, builder: ir.IRBuilder, call: Any, values: Sequence[Any]) -> ir.Value:
            emitter = Emitter(builder, tiling.dtype, tiling.lanes)
            return Plan(emitter, _address(emitter, "q", *values))[field].value

        return types.int64(_pointer_type(tiling), types.int64), generate

    return intrinsic(typed)


def _intrinsic(letters: str, emit: Emit, tiling: Tiling) -> Any:
    pointer = _pointer_type(tiling)
    kinds = [kind for letter in letters for kind in ((types.int64,) if letter == "i" else (pointer, types.int64))]

    def typed(typing_context: Any, *arguments: types.Type) -> Any:
        def generate(context: Any, builder: ir.IRBuilder, call: Any, values: Sequence[Any]) -> None:
            emitter = Emitter(builder, tiling.dtype, tiling.lanes)
            emitter.call(emit(emitter, tiling), *_addresses(emitter, letters, iter(values)))

        return types.void(*kinds), generate

    # Numba wants each argument named.
    names = ["typing_context", *(f"argument{position}" for position in range(len(kinds)))]
    parameters = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_OR_KEYWORD) for name in names]
    typed.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
    return intrinsic(typed)


def _addresses(emitter: Emitter, letters: str, values: Iterator[Any]) -> Iterator[Int | Pointer]:
    """The arguments, with each pointer and the start that follows it made one address."""
    for letter in letters:
        if letter == "i":
            yield Int(emitter.builder, next(values))
        else:
            yield _address(emitter, letter, next(values), next(values))


def _address(emitter: Emitter, letter: str, pointer: Any, start: Any) -> Pointer:
    place = Pointer(emitter.builder, pointer, emitter.dtype) + Int(emitter.builder, start)
    return Pointer(emitter.builder, place.value, "i64" if letter == "q" else emitter.dtype)
