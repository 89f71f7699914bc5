"""The format of stored files: kernels, executables, calls, bundles.

In: a kind, a manifest (what JSON can hold) and named byte strings. Out: the bytes of one file, and back. Nothing that
is read is executed or unpickled, and nothing is believed before the checksum has been verified. All numbers are
little-endian:

    magic      8 bytes    b"sessile" and a zero
    version    u32        FORMAT_VERSION
    digest     32 bytes   SHA-256 of all that follows
    length     u64        how many bytes follow
    table      u32        length of the table
               JSON       {"kind": ..., "manifest": {...}, "sections": [[name, offset, size], ...]}
    sections   each at an offset divisible by 64 from the start of the file, with zeros between them
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

MAGIC = b"sessile\0"
FORMAT_VERSION = 1
ALIGNMENT = 64

_HEADER = struct.Struct("<8sI32sQ")
_TABLE_LENGTH = struct.Struct("<I")
_TABLE_AT = _HEADER.size + _TABLE_LENGTH.size
_DIGEST_COVERS = struct.calcsize("<8sI32s")  # from the length on


class DamagedEntry(Exception):
    """These bytes are not an entry that this version may use.

    Attributes:
      reason: why not, as the end of a sentence that begins with the entry.
    """

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ForeignEntry(DamagedEntry):
    """Another version of sessile has written this in its own format: of no use here, but not known to be damaged."""


class NeedsMore(DamagedEntry):
    """The bytes end before the table does.

    Attributes:
      size: how many bytes reach to the end of the table.
    """

    def __init__(self, size: int) -> None:
        super().__init__("it ends before its table does")
        self.size = size


class Entry(NamedTuple):
    """What an entry holds.

    Attributes:
      kind: "kernel", "executable", "call", "bundle" ...
      manifest: what was said about it.
      sections: byte strings by name, read-only and in the order in which they were packed.
    """

    kind: str
    manifest: dict[str, Any]
    sections: dict[str, memoryview]


def pack(kind: str, manifest: Mapping[str, Any], sections: Mapping[str, bytes | memoryview]) -> bytes:
    """The bytes of an entry; equal arguments give equal bytes.

    Raises TypeError or ValueError if JSON cannot hold the manifest.
    """
    sizes = {name: memoryview(data).nbytes for name, data in sections.items()}
    table = _table(kind, manifest, sizes)
    parts: list[bytes | memoryview] = [_TABLE_LENGTH.pack(len(table)), table]
    position = _TABLE_AT + len(table)
    for (offset, size), data in zip(_places(len(table), sizes), sections.values(), strict=True):
        parts += [bytes(offset - position), memoryview(data).cast("B")]
        position = offset + size
    body = b"".join((struct.pack("<Q", position - _HEADER.size), *parts))
    return struct.pack("<8sI32s", MAGIC, FORMAT_VERSION, hashlib.sha256(body).digest()) + body


def _table(kind: str, manifest: Mapping[str, Any], sizes: Mapping[str, int]) -> bytes:
    """The table; offsets count from the first section, which follows the table."""
    rows, offset = [], 0
    for name, size in sizes.items():
        rows.append([name, offset, size])
        offset = _aligned(offset + size)
    content = {"kind": kind, "manifest": dict(manifest), "sections": rows}
    return json.dumps(content, separators=(",", ":"), allow_nan=False).encode()


def _places(table_length: int, sizes: Mapping[str, int]) -> Iterator[tuple[int, int]]:
    offset = _aligned(_TABLE_AT + table_length)
    for size in sizes.values():
        yield offset, size
        offset = _aligned(offset + size)


def _aligned(offset: int) -> int:
    return -(-offset // ALIGNMENT) * ALIGNMENT


def unpack(data: bytes | memoryview, kind: str) -> Entry:
    """The entry in the bytes of a file; its sections point into `data`.

    Raises:
      ForeignEntry: the format is that of another version.
      DamagedEntry: the bytes are not what was written, or not an entry of this kind.
    """
    view = memoryview(data).cast("B").toreadonly()
    digest, length = _header(view)
    if length != len(view) - _HEADER.size:
        raise DamagedEntry(f"it has {len(view)} bytes instead of {length + _HEADER.size}")
    if hashlib.sha256(view[_DIGEST_COVERS:]).digest() != digest:
        raise DamagedEntry("its checksum is wrong")
    content, end = _content(view)
    if content["kind"] != kind:
        raise DamagedEntry(f"it is of the kind {content['kind']!r}, not {kind!r}")
    return Entry(kind, content["manifest"], dict(_sections(view, content["sections"], _aligned(end))))


def unverified_manifest(data: bytes | memoryview) -> tuple[str, dict[str, Any]]:
    """Kind and manifest from the first bytes of a file, for lists that people read: the checksum is not looked at.

    Raises ForeignEntry or DamagedEntry where even that is impossible, and NeedsMore where `data` ends too early.
    """
    view = memoryview(data).cast("B")
    _header(view)
    content, _ = _content(view)
    return content["kind"], content["manifest"]


def _header(view: memoryview) -> tuple[bytes, int]:
    """The digest and the length that a header tells."""
    if not len(view):
        raise DamagedEntry("it is empty")
    if len(view) < _TABLE_AT:
        raise DamagedEntry(f"it has {len(view)} bytes, fewer than a header")
    magic, version, digest, length = _HEADER.unpack_from(view)
    if magic != MAGIC:
        raise DamagedEntry("it does not start like an entry")
    if version != FORMAT_VERSION:
        raise ForeignEntry(f"its format is version {version}; this is sessile with version {FORMAT_VERSION}")
    return digest, length


def _content(view: memoryview) -> tuple[dict[str, Any], int]:
    """The table as an object, and where it ends."""
    end = _TABLE_AT + _TABLE_LENGTH.unpack_from(view, _HEADER.size)[0]
    if end > len(view):
        raise NeedsMore(end)
    try:
        content = json.loads(bytes(view[_TABLE_AT:end]))
    except ValueError:
        raise DamagedEntry("its table is not JSON") from None
    if not isinstance(content, dict) or content.keys() != {"kind", "manifest", "sections"}:
        raise DamagedEntry("its table is not one of an entry")
    return content, end


def _sections(view: memoryview, rows: list[Any], start: int) -> Iterator[tuple[str, memoryview]]:
    for name, offset, size in rows:
        if offset < 0 or size < 0 or start + offset + size > len(view):
            raise DamagedEntry(f"its section {name!r} lies outside")
        yield name, view[start + offset : start + offset + size]
