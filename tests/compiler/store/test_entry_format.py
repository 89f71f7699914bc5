"""The format of stored files gives back what was packed, and refuses everything else by a reason."""

from __future__ import annotations

import json
import struct
from hashlib import sha256

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sessile.compiler.store.entry_format import (
    ALIGNMENT,
    FORMAT_VERSION,
    MAGIC,
    DamagedEntry,
    ForeignEntry,
    NeedsMore,
    pack,
    unpack,
    unverified_manifest,
)

MANIFEST = {"key": {"kernel": "a", "code": "1"}, "sizes": [1, 2.5, None, "ü"], "deep": {"x": True}}
SECTIONS = {"object": bytes(range(100)), "empty": b"", "rest": b"z" * 65}
DATA = pack("kernel", MANIFEST, SECTIONS)

# Where each part of the file begins.
MAGIC_AT, VERSION_AT, DIGEST_AT, LENGTH_AT, TABLE_LENGTH_AT, TABLE_AT = 0, 8, 12, 44, 52, 56
TABLE_END = TABLE_AT + struct.unpack_from("<I", DATA, TABLE_LENGTH_AT)[0]
OBJECT_AT = -(-TABLE_END // ALIGNMENT) * ALIGNMENT
POSITIONS = {
    "magic": MAGIC_AT,
    "last of magic": VERSION_AT - 1,
    "version": VERSION_AT,
    "high byte of version": DIGEST_AT - 1,
    "digest": DIGEST_AT,
    "end of digest": LENGTH_AT - 1,
    "length": LENGTH_AT,
    "high byte of length": TABLE_LENGTH_AT - 1,
    "length of table": TABLE_LENGTH_AT,
    "high byte of length of table": TABLE_AT - 1,
    "table": TABLE_AT,
    "middle of table": (TABLE_AT + TABLE_END) // 2,
    "end of table": TABLE_END - 1,
    "padding after table": TABLE_END,
    "section": OBJECT_AT,
    "middle of section": OBJECT_AT + 50,
    "padding between sections": OBJECT_AT + 100,
    "last byte": len(DATA) - 1,
}


def test_what_was_packed_comes_back() -> None:
    entry = unpack(DATA, "kernel")
    assert entry.kind == "kernel"
    assert entry.manifest == MANIFEST
    assert {name: bytes(section) for name, section in entry.sections.items()} == SECTIONS
    assert list(entry.sections) == list(SECTIONS)
    assert all(section.readonly for section in entry.sections.values())


@settings(max_examples=25)
@given(st.dictionaries(st.text(max_size=20), st.binary(max_size=300), max_size=5), st.text(max_size=200))
def test_any_sections_come_back_aligned(sections: dict[str, bytes], words: str) -> None:
    data = pack("call", {"words": words}, sections)
    entry = unpack(data, "call")
    assert {name: bytes(section) for name, section in entry.sections.items()} == sections
    assert entry.manifest == {"words": words}
    table = json.loads(data[TABLE_AT : TABLE_AT + struct.unpack_from("<I", data, TABLE_LENGTH_AT)[0]])
    assert all(offset % ALIGNMENT == 0 for _, offset, _ in table["sections"])
    assert pack("call", {"words": words}, sections) == data


def test_an_entry_without_sections_is_one() -> None:
    assert unpack(pack("code", {}, {}), "code") == ("code", {}, {})


@pytest.mark.parametrize("position", POSITIONS.values(), ids=POSITIONS)
@pytest.mark.parametrize("bit", [0, 7])
def test_a_flipped_bit_is_found_wherever_it_is(position: int, bit: int) -> None:
    damaged = bytearray(DATA)
    damaged[position] ^= 1 << bit
    with pytest.raises(DamagedEntry):
        unpack(bytes(damaged), "kernel")


def test_every_byte_counts() -> None:
    for position in range(len(DATA)):
        damaged = bytearray(DATA)
        damaged[position] ^= 0x55
        with pytest.raises(DamagedEntry):
            unpack(bytes(damaged), "kernel")


@pytest.mark.parametrize("length", POSITIONS.values(), ids=POSITIONS)
def test_a_truncated_entry_is_refused(length: int) -> None:
    with pytest.raises(DamagedEntry):
        unpack(DATA[:length], "kernel")


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "it is empty"),
        (DATA[:30], "it has 30 bytes, fewer than a header"),
        (DATA[:-1], f"it has {len(DATA) - 1} bytes instead of {len(DATA)}"),
        (DATA + b"\0", f"it has {len(DATA) + 1} bytes instead of {len(DATA)}"),
        (b"\x7fELF" + DATA[4:], "it does not start like an entry"),
        (bytes(len(DATA)), "it does not start like an entry"),
        (DATA[:-1] + b"!", "its checksum is wrong"),
    ],
    ids=["empty", "header", "cut", "longer", "object", "zeros", "flipped"],
)
def test_the_reason_is_told(data: bytes, reason: str) -> None:
    with pytest.raises(DamagedEntry) as caught:
        unpack(data, "kernel")
    assert caught.value.reason == reason


def test_another_format_is_foreign() -> None:
    data = DATA[:VERSION_AT] + struct.pack("<I", FORMAT_VERSION + 1) + DATA[DIGEST_AT:]
    with pytest.raises(ForeignEntry, match=f"version {FORMAT_VERSION + 1}; this is sessile with version"):
        unpack(data, "kernel")


def test_another_kind_is_refused() -> None:
    with pytest.raises(DamagedEntry, match="it is of the kind 'kernel', not 'executable'"):
        unpack(DATA, "executable")


def with_table(table: bytes) -> bytes:
    """An entry with a valid checksum over whatever is given as its table."""
    body = struct.pack("<QI", 4 + len(table), len(table)) + table
    return MAGIC + struct.pack("<I", FORMAT_VERSION) + sha256(body).digest() + body


@pytest.mark.parametrize(
    "table",
    [
        b"not JSON",
        b"[1, 2]",
        b'{"kind": "kernel"}',
        b'{"kind": "kernel", "manifest": {}, "sections": [["x", 0, 1]]}',
        b'{"kind": "kernel", "manifest": {}, "sections": [["x", -64, 1]]}',
        b"\xff\xfe",
    ],
)
def test_a_table_that_makes_no_sense_is_refused(table: bytes) -> None:
    with pytest.raises(DamagedEntry):
        unpack(with_table(table), "kernel")


def test_what_json_cannot_hold_is_not_packed() -> None:
    with pytest.raises(ValueError):
        pack("kernel", {"x": float("nan")}, {})
    with pytest.raises(TypeError):
        pack("kernel", {"x": b"bytes"}, {})


def test_the_manifest_can_be_read_from_the_first_bytes() -> None:
    assert unverified_manifest(DATA[:TABLE_END]) == ("kernel", MANIFEST)
    with pytest.raises(NeedsMore) as caught:
        unverified_manifest(DATA[: TABLE_END - 1])
    assert caught.value.size == TABLE_END
    with pytest.raises(DamagedEntry):
        unverified_manifest(b"something else that is long enough to be the header of an entry")
