"""Reads which symbols an object file leaves undefined: ELF (Linux), Mach-O (macOS) and COFF (Windows), 64-bit.

In: the bytes of an object. Out: names. Layouts: System V gABI chapter 4, Apple's `mach-o/loader.h` and `nlist.h`,
Microsoft's PE/COFF specification.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator


def undefined_symbols(code: bytes) -> list[str]:
    """The symbols that an object needs from elsewhere, sorted; an empty list means that it can run by itself.

    Raises ValueError if the bytes are not an object file of a known format.
    """
    if code[:5] == b"\x7fELF\x02":
        return sorted(set(_elf_undefined(code)))
    if code[:4] == b"\xcf\xfa\xed\xfe":
        return sorted(set(_mach_o_undefined(code)))
    if code[:2] in (b"\x64\x86", b"\x64\xaa"):
        return sorted(set(_coff_undefined(code)))
    raise ValueError(f"an object file cannot start with {code[:5]!r}")


def _text(code: bytes, offset: int) -> str:
    return code[offset : code.index(b"\0", offset)].decode()


def _elf_undefined(code: bytes) -> Iterator[str]:
    headers_at = struct.unpack_from("<Q", code, 40)[0]
    header_size, header_count = struct.unpack_from("<HH", code, 58)
    sections = [
        struct.unpack_from("<IIQQQQIIQQ", code, headers_at + number * header_size) for number in range(header_count)
    ]
    for _, kind, _, _, start, size, strings, *_ in sections:
        if kind == 2:  # SHT_SYMTAB, whose link field names the section of its strings
            strings_at = sections[strings][4]
            for name, _, _, section, _, _ in struct.iter_unpack("<IBBHQQ", code[start : start + size]):
                if section == 0 and name:
                    yield _text(code, strings_at + name)


def _mach_o_undefined(code: bytes) -> Iterator[str]:
    offset, commands = 32, struct.unpack_from("<I", code, 16)[0]
    for _ in range(commands):
        command, size = struct.unpack_from("<II", code, offset)
        if command == 2:  # LC_SYMTAB
            start, count, strings_at, _ = struct.unpack_from("<IIII", code, offset + 8)
            for name, kind, _, _, _ in struct.iter_unpack("<IBBHQ", code[start : start + 16 * count]):
                if kind & 0x0E == 0:  # N_UNDF
                    yield _text(code, strings_at + name)
        offset += size


def _coff_undefined(code: bytes) -> Iterator[str]:
    start, count = struct.unpack_from("<II", code, 8)
    strings_at = start + 18 * count
    number = 0
    while number < count:
        name, _, section, _, storage, auxiliaries = struct.unpack_from("<8sIhHBB", code, start + 18 * number)
        if section == 0 and storage == 2:  # IMAGE_SYM_CLASS_EXTERNAL
            long = name[:4] == bytes(4)
            text = _text(code, strings_at + struct.unpack("<II", name)[1]) if long else name.rstrip(b"\0").decode()
            if text != "_fltused":  # only says that the object uses floating point
                yield text
        number += 1 + auxiliaries
