"""Programs that outlive the process: which programs serve a call, and what each of them is.

Three kinds of entries. A "call" lists the programs that were made for one call, found by the digest of the part of the
graph (`call_identity`) before anything is lowered, with the user's names for each. A "program" holds one as it was
lowered, an "executable" what was compiled from it for one machine, both found by the digest of the canonical text:
equal programs of other graphs, or built in another order, share them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple

from sessile.compiler.compile_log import compile_log
from sessile.compiler.program_entry import StoredProgram, compressed, program_entry, stored_program
from sessile.compiler.store.build_identity import build_fields, target_fields
from sessile.compiler.store.disk_store import DiskStore
from sessile.compiler.store.entry_format import Entry, pack
from sessile.compiler.store.entry_key import Key
from sessile.compiler.target import Target
from sessile.graph.errors import InternalError
from sessile.ir.program import Location, Program
from sessile.ir.program_interface import ProgramInterface
from sessile.ir.serialization import NotSerializable, UserNames

if TYPE_CHECKING:
    from sessile.compiler.stages import OptimizedProgram

CALL, PROGRAM, EXECUTABLE = "call", "program", "executable"
PROGRAMS_OF_A_CALL = 16
LARGEST_PART = 1 / 16
"""A program that would take a larger part of the store, with its constants, is not stored."""


class ProgramRecord(NamedTuple):
    """How the store knows a program: the digest of its canonical text, and the user's names in it."""

    digest: str
    user: UserNames

    @staticmethod
    def of(program: Program) -> ProgramRecord:
        """The record of a lowered program."""
        digest = hashlib.sha256(_text(program).encode()).hexdigest()
        return ProgramRecord(digest, UserNames.of(program))


class ProgramEntries:
    """The programs in a store."""

    def __init__(self, store: DiskStore) -> None:
        self._store = store

    @staticmethod
    def call_key(identity: str) -> Key:
        """The key of a call, from the digest of its part of the graph."""
        return {**build_fields(), "call": identity}

    @staticmethod
    def program_key(digest: str) -> Key:
        """The key of a lowered program, from the digest of its canonical text."""
        return {**build_fields(), "program": digest}

    @staticmethod
    def executable_key(digest: str) -> Key:
        """The key of what is compiled from a program for this machine."""
        return {**build_fields(), **target_fields(Target.host()), "program": digest}

    # --- reading

    def programs(
        self, identity: str, compiled: bool, locations: Callable[[str], Location]
    ) -> Iterator[tuple[ProgramRecord, StoredProgram]]:
        """The programs that were made for a call, those of them that are still there.

        What was compiled from a program goes before it as it was lowered, if `compiled` asks for that.
        """
        call = self._store.read(CALL, self.call_key(identity))
        for digest, was_compiled, names, operations in call.manifest["programs"] if call else ():
            record = ProgramRecord(digest, UserNames(tuple(map(tuple, names)), tuple(operations)))
            entry = self._executable_entry(record) if compiled and was_compiled else None
            entry = entry or self._store.read(PROGRAM, self.program_key(digest))
            if entry is not None:
                yield record, stored_program(entry.manifest, entry.sections, record.user, locations)

    def executable(self, record: ProgramRecord, locations: Callable[[str], Location]) -> OptimizedProgram | None:
        """What was compiled from a program."""
        entry = self._executable_entry(record)
        return entry and stored_program(entry.manifest, entry.sections, record.user, locations).optimized

    def _executable_entry(self, record: ProgramRecord) -> Entry | None:
        return self._store.read(EXECUTABLE, self.executable_key(record.digest))

    # --- writing

    def keep(
        self,
        identity: str | None,
        record: ProgramRecord,
        program: Program,
        optimized: OptimizedProgram | None,
        check: bool = False,
    ) -> None:
        """Store a lowered program, or what was compiled from it, for a call that has an identity.

        Raises InternalError if `check` holds and the store has another under this key.
        """
        try:
            manifest, sections = program_entry(ProgramInterface.of(program), program, optimized, record.user)
        except NotSerializable as reason:
            compile_log.info("%s: not stored: %s", program.name, reason)
            return
        size = sum(memoryview(section).nbytes for section in sections.values())
        if size > self._store.limit * LARGEST_PART:
            compile_log.info("%s: not stored: its constants take %d bytes", program.name, size)
            return
        sections["text"] = compressed(_text(program))
        kind, key = PROGRAM, self.program_key(record.digest)
        if optimized is not None:
            kind, key = EXECUTABLE, self.executable_key(record.digest)
        stored = self._store.read(kind, key) if check else None
        if stored is None:
            self._store.write(kind, key, manifest, sections)
        elif pack(kind, {**manifest, "key": dict(key)}, sections) != pack(kind, stored.manifest, stored.sections):
            raise InternalError(
                None, None, f"the store's {kind} {self._store.path(kind, key)} is not what {program.name} gives"
            )
        if identity is not None:
            self._list(identity, record, optimized is not None)

    def _list(self, identity: str, record: ProgramRecord, compiled: bool) -> None:
        """Enter a program into the list of its call, in front.

        Without a lock: what another process enters at the same moment may be lost; it is entered when it is missed.
        """
        key = self.call_key(identity)
        entry = self._store.read(CALL, key)
        rows: list[Any] = entry.manifest["programs"] if entry else []
        others = [row for row in rows if row[0] != record.digest]
        was_compiled = compiled or any(row[0] == record.digest and row[1] for row in rows)
        row = [record.digest, was_compiled, list(map(list, record.user.names)), list(record.user.operations)]
        if row not in rows:
            self._store.write(CALL, key, {"programs": [row, *others][:PROGRAMS_OF_A_CALL]}, {})


def _text(program: Program) -> str:
    from sessile.ir.printer import canonical_text  # late: a process that finds its programs prints none

    return canonical_text(program)
