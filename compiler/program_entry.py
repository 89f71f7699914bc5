"""A program as an entry of a store or a bundle: the lowered program's interface, the program itself, stages, kernels.

In: a program, lowered alone or optimised too. Out: a manifest that JSON can hold and named byte strings, and back. What
is read was written by this version (keys hold a digest of the code): its structure is trusted once the checksum fits.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from sessile.compiler.kernel_source import KernelSource
from sessile.ir.program import Location, Program
from sessile.ir.program_interface import ProgramInterface
from sessile.ir.serialization import Decoder, NameTable, UserNames, encode

if TYPE_CHECKING:
    from sessile.compiler.stages import OptimizedProgram

Manifest = dict[str, Any]
Sections = dict[str, bytes | memoryview]
_TEXT_COMPRESSION = 1


class StoredProgram(NamedTuple):
    """What an entry holds: `optimized` where the program was compiled, else only `program`, as it was lowered."""

    interface: ProgramInterface
    program: Program
    optimized: OptimizedProgram | None


def program_entry(
    interface: ProgramInterface, program: Program, optimized: OptimizedProgram | None, user: UserNames
) -> tuple[Manifest, Sections]:
    """Manifest and sections of a program that was lowered with the names `user`.

    Raises NotSerializable for a program that holds functions of this process.
    """
    table = NameTable(user)
    encoded, arrays = encode(optimized.program if optimized else program, table)
    shape, none = encode(interface.program, table)
    assert not none, "the interface of a program has no constants"
    manifest: Manifest = {
        "program": encoded,
        "arrays": [[array.dtype.str, list(array.shape)] for array in arrays],
        "interface": shape,
        "written": [table.number("variable", name) for name in interface.written],
    }
    sections: Sections = {f"array {k}": _bytes_of(array) for k, array in enumerate(arrays)}
    if optimized is not None:
        from sessile.compiler.stage_serialization import encode_stages

        sources = optimized.sources
        manifest["stages"] = encode_stages(optimized.program, optimized.stages, sources, table)
        manifest["kernels"] = [[source.name, list(source.argument_types)] for source in sources]
        sections["sources"] = compressed([source.source for source in sources])
    return manifest, sections


def _bytes_of(array: np.ndarray[Any, np.dtype[Any]]) -> memoryview:
    # not memoryview.cast, which refuses arrays without elements
    return np.ascontiguousarray(array).reshape(-1).view(np.uint8).data


def stored_program(
    manifest: Mapping[str, Any],
    sections: Mapping[str, memoryview],
    user: UserNames,
    location: Callable[[str], Location] = Location,
) -> StoredProgram:
    """The program of an entry, for a graph with the names `user`; `location` finds places of operations by name."""
    table = NameTable(user, location)
    arrays = [
        np.frombuffer(sections[f"array {number}"], np.dtype(dtype)).reshape(shape)
        for number, (dtype, shape) in enumerate(manifest["arrays"])
    ]
    interface = ProgramInterface(
        Decoder(manifest["interface"], (), table).program(),
        tuple(table.name(number) for number in manifest["written"]),
    )
    decoder = Decoder(manifest["program"], arrays, table)
    program = decoder.program()
    optimized = None
    if "stages" in manifest:
        from sessile.compiler.stage_serialization import decode_stages
        from sessile.compiler.stages import OptimizedProgram

        sources = _sources(manifest["kernels"], sections["sources"])
        stages = decode_stages(manifest["stages"], program, decoder.values, sources, table)
        optimized = OptimizedProgram(program, stages, sources)
    return StoredProgram(interface, program, optimized)


def _sources(kernels: Sequence[Any], texts: memoryview) -> tuple[KernelSource, ...]:
    return tuple(
        KernelSource(name, source, tuple(types))
        for (name, types), source in zip(kernels, decompressed(texts), strict=True)
    )


def compressed(value: Any) -> bytes:
    """What JSON can hold, as few bytes."""
    return zlib.compress(json.dumps(value).encode(), _TEXT_COMPRESSION)


def decompressed(data: bytes | memoryview) -> Any:
    """What `compressed` took."""
    return json.loads(zlib.decompress(data))
