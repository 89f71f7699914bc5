"""The messages between a process and the processes that compile kernels for it.

A message is a header, which is JSON, and byte strings. On the pipe: the length of the header in four bytes, the header,
the byte strings; the header's `sizes` tells their lengths. Nothing that is read is executed or unpickled.
"""

from __future__ import annotations

import json
import struct
from typing import IO, Any

_LENGTH = struct.Struct("<I")


def write_message(stream: IO[bytes], header: dict[str, Any], *payloads: bytes) -> None:
    """Write one message and flush. Raises OSError if nobody reads."""
    text = json.dumps({**header, "sizes": [len(payload) for payload in payloads]}).encode()
    stream.write(b"".join((_LENGTH.pack(len(text)), text, *payloads)))
    stream.flush()


def read_message(stream: IO[bytes]) -> tuple[dict[str, Any], list[bytes]] | None:
    """Read one message: its header and byte strings, or None at the end of the stream.

    Raises EOFError if the stream ends inside a message.
    """
    start = stream.read(_LENGTH.size)
    if not start:
        return None
    if len(start) < _LENGTH.size:
        raise EOFError("the stream ends inside the length of a message")
    header = json.loads(_read_exactly(stream, _LENGTH.unpack(start)[0]))
    return header, [_read_exactly(stream, size) for size in header["sizes"]]


def _read_exactly(stream: IO[bytes], size: int) -> bytes:
    data = stream.read(size)
    if len(data) < size:
        raise EOFError(f"the stream ends {size - len(data)} bytes before the end of a message")
    return data
