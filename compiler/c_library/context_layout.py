"""What a context of a C library holds: 64-bit words, each with its place.

word 0      whether the library allocated the context, and so allocates workspaces for it
     1      whether sizes are missing, set, or do not fit
     2      the message of the last failure
     3, 4   the context's own workspace and its bytes
     then   the sizes that the caller sets, -1 for those that are missing
            the states of random streams, three words each
            arrays of sizes
            numbers that follow from the sizes: what kernels, shapes and slots need
"""

from __future__ import annotations

from collections.abc import Iterable

from sessile.compiler.c_library.interface import Interface
from sessile.compiler.kernel_call import StreamState
from sessile.compiler.memory_plan import SizeArray
from sessile.ir.sizes import Size

OWNED, READINESS, MESSAGE, WORKSPACE, CAPACITY, SIZES = range(6)
MISSING, READY, UNFIT, EXHAUSTED = range(4)
STREAM_WORDS = 3


class ContextLayout:
    """The places of a context's words.

    Args:
      interface: of the library.
      streams: the random streams; those of one name are one.
      arrays: the arrays of sizes.

    Attributes:
      streams: the place of each stream.
      arrays: the place of each array of sizes.
      numbers: the place of each size that is not a known number; grows as code asks for sizes.
    """

    def __init__(self, interface: Interface, streams: Iterable[StreamState], arrays: Iterable[SizeArray]) -> None:
        self.size_count = len(interface.sizes)
        self.words = SIZES + self.size_count
        self.streams = {stream.stream: (self._place(STREAM_WORDS), stream) for stream in _by_name(streams)}
        self.arrays = {array: self._place(len(array.sizes)) for array in arrays}
        self.numbers: dict[Size, int] = {}

    def number(self, size: Size) -> int:
        """The place of a size over the symbols of the interface."""
        if size not in self.numbers:
            self.numbers[size] = self._place(1)
        return self.numbers[size]

    def _place(self, count: int) -> int:
        place = self.words
        self.words += count
        return place


def _by_name(streams: Iterable[StreamState]) -> Iterable[StreamState]:
    return {stream.stream: stream for stream in streams}.values()
