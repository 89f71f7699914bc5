"""Bundles: one file with all that is needed to run a computation without graph, Numba and compiler.

In: lowered programs of one computation, for different guards, and its inputs and outputs. Out: an entry (see
`store.entry_format`) of the kind "bundle" with the optimised programs, the constants, the kernels as object code, and a
manifest that says what goes in and out, and which machine it was compiled for; and back.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from sessile.compiler.aot.signature import ArgumentSpec
from sessile.compiler.program_entry import StoredProgram, program_entry, stored_program
from sessile.compiler.stages import OptimizedProgram
from sessile.compiler.store.build_identity import build_fields
from sessile.compiler.store.entry_format import ALIGNMENT, DamagedEntry, Entry, ForeignEntry, pack, unpack
from sessile.compiler.target import Target
from sessile.graph.errors import DataLossError, UnimplementedError
from sessile.ir.program import Location, Program
from sessile.ir.program_interface import ProgramInterface
from sessile.ir.serialization import UserNames

KIND = "bundle"
BUNDLE_FORMAT = 1
"""Grows when bundles of before cannot be run any more: with the primitives, the step loop, or the manifest."""

Progress = Callable[[str, int, int], None]


@dataclass(frozen=True)
class Bundle:
    """What a bundle holds.

    Attributes:
      inputs, outputs: what goes in and comes out.
      structure: how a call gives results back: "one", "list" or "dict".
      target: the machine that it was compiled for.
      programs: the programs, the one to be preferred first.
      kernels: object code by the names of kernels.
      versions: those of what compiled it.
    """

    inputs: tuple[ArgumentSpec, ...]
    outputs: tuple[ArgumentSpec, ...]
    structure: str
    target: Target
    programs: tuple[StoredProgram, ...]
    kernels: Mapping[str, memoryview]
    versions: Mapping[str, str]


def pack_bundle(
    programs: Sequence[tuple[Program, OptimizedProgram]],
    inputs: Sequence[ArgumentSpec],
    outputs: Sequence[ArgumentSpec],
    structure: str,
    target: Target,
    kernels: Mapping[str, bytes],
) -> bytes:
    """The bytes of a bundle.

    Args:
      programs: each as it was lowered, and what was made of it for the target.
      inputs, outputs, structure, target, kernels: as in `Bundle`.

    Raises NotSerializable for a computation that calls functions of this process.
    """
    rows, sections = [], dict[str, bytes | memoryview]()
    for number, (program, optimized) in enumerate(programs):
        user = UserNames.of(program)
        manifest, own = program_entry(ProgramInterface.of(program), program, optimized, user)
        places = {location.operation: location for i in program.all_instructions() for location in i.locations}
        manifest["names"], manifest["operations"] = user
        manifest["places"] = {name: [os.path.basename(p.file), p.line, p.function] for name, p in places.items()}
        rows.append(manifest)
        sections |= {f"program {number} {name}": data for name, data in own.items()}
    sections |= {f"kernel {name}": code for name, code in kernels.items()}
    manifest = {
        "format": BUNDLE_FORMAT,
        "inputs": [spec.as_json() for spec in inputs],
        "outputs": [spec.as_json() for spec in outputs],
        "structure": structure,
        "target": [target.triple, target.cpu, target.features],
        "versions": dict(build_fields()),
        "programs": rows,
    }
    return pack(KIND, manifest, sections)


def read_bundle(path: str | os.PathLike[str]) -> Bundle:
    """The bundle in a file.

    Raises OSError if it cannot be read, DataLossError if it is damaged, UnimplementedError for another format.
    """
    try:
        entry = unpack(_read_aligned(path), KIND)
    except ForeignEntry as error:
        raise UnimplementedError(None, None, f"{path} cannot be loaded: {error.reason}. Compile it anew") from None
    except DamagedEntry as error:
        raise DataLossError(None, None, f"{path} is not a whole bundle: {error.reason}") from None
    manifest = entry.manifest
    if manifest["format"] != BUNDLE_FORMAT:
        made_by = manifest.get("versions", {}).get("sessile", "another version")
        message = f"{path} has bundle format {manifest['format']}, made by sessile {made_by}"
        raise UnimplementedError(None, None, f"{message}; this version loads {BUNDLE_FORMAT}. Compile it anew")
    return Bundle(
        tuple(map(ArgumentSpec.from_json, manifest["inputs"])),
        tuple(map(ArgumentSpec.from_json, manifest["outputs"])),
        manifest["structure"],
        Target(*manifest["target"]),
        tuple(_program(row, f"program {number} ", entry) for number, row in enumerate(manifest["programs"])),
        {name.removeprefix("kernel "): code for name, code in entry.sections.items() if name.startswith("kernel ")},
        manifest["versions"],
    )


def _read_aligned(path: str | os.PathLike[str]) -> memoryview:
    """The bytes of a file, in memory aligned as sections are."""
    size = os.stat(path).st_size
    memory = np.empty(size + ALIGNMENT, np.uint8)
    start = -memory.ctypes.data % ALIGNMENT
    data = memory[start : start + size]
    with open(path, "rb") as file:
        read = file.readinto(data)  # type: ignore[arg-type]
    return data.data[:read]


def _program(row: Mapping[str, Any], prefix: str, entry: Entry) -> StoredProgram:
    sections = {name.removeprefix(prefix): data for name, data in entry.sections.items() if name.startswith(prefix)}
    places = row["places"]
    user = UserNames(tuple((kind, name) for kind, name in row["names"]), tuple(row["operations"]))
    return stored_program(row, sections, user, lambda name: Location(name, *places.get(name, ())))
