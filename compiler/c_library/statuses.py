"""What the functions of a C library return: the enumerators of its `status` and what they mean."""

from __future__ import annotations

from enum import IntEnum


class Status(IntEnum):
    """What a call came to."""

    OK = 0
    NO_MEMORY = 1
    BAD_INDEX = 2
    SIZE_MISSING = 3
    BAD_SIZE = 4
    NULL_POINTER = 5
    BAD_VALUE = 6


MEANINGS = {
    Status.OK: "done",
    Status.NO_MEMORY: "memory for the workspace could not be allocated",
    Status.BAD_INDEX: "there is no size, input or output of this number",
    Status.SIZE_MISSING: "a size has not been set yet",
    Status.BAD_SIZE: "a size is negative, too large, or one that the program was not made for",
    Status.NULL_POINTER: "an input, an output or the workspace is NULL",
    Status.BAD_VALUE: "an operation cannot compute with the values of its inputs",
}
