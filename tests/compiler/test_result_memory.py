"""Memory for results is used again when nobody can see it any more, and not before."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from sessile.compiler import result_memory
from sessile.compiler.result_memory import ALIGNMENT, REMEMBERED_BLOCKS, ResultMemory

FLOAT = np.dtype(np.float32)


@pytest.fixture
def memory() -> ResultMemory:
    return ResultMemory()


def test_an_array_has_its_form_and_begins_at_a_cache_line(memory: ResultMemory) -> None:
    array, address = memory.new_array((3, 5), FLOAT)
    assert (array.shape, array.dtype, array.ctypes.data) == ((3, 5), FLOAT, address)
    assert address % ALIGNMENT == 0
    assert array.flags.c_contiguous and array.flags.writeable


def test_memory_is_used_again_when_the_array_is_gone(memory: ResultMemory) -> None:
    first, address = memory.new_array((1000,), FLOAT)
    second, other = memory.new_array((1000,), FLOAT)
    assert other != address
    del first
    assert memory.new_array((1000,), FLOAT)[1] == address
    assert memory.new_array((1000,), np.dtype(np.int32))[1] not in (address, other)
    del second


@pytest.mark.parametrize(
    "look",
    [
        pytest.param(lambda array: array[3:5], id="slice"),
        pytest.param(lambda array: array.reshape(10, 100).T[2], id="view of a view"),
        pytest.param(lambda array: array.view(np.int32), id="another type"),
        pytest.param(memoryview, id="memoryview"),
        pytest.param(lambda array: np.frombuffer(array, np.uint8), id="buffer"),
        pytest.param(lambda array: array.flat, id="iterator"),
        pytest.param(lambda array: array.ctypes, id="ctypes"),
        pytest.param(lambda array: np.from_dlpack(array), id="dlpack"),
        pytest.param(lambda array: np.asarray(_Interface(array)), id="array interface"),
        pytest.param(lambda array: array.view(np.recarray), id="subclass"),
    ],
)
def test_memory_is_not_used_again_while_anything_shows_it(memory: ResultMemory, look: Callable[[Any], Any]) -> None:
    array, address = memory.new_array((1000,), FLOAT)
    shown = look(array)
    del array
    assert memory.new_array((1000,), FLOAT)[1] != address
    del shown
    found = [memory.new_array((1000,), FLOAT) for _ in range(REMEMBERED_BLOCKS)]
    assert address in [where for _, where in found]


class _Interface:
    def __init__(self, array: np.ndarray) -> None:
        self.__array_interface__ = array.__array_interface__
        self.array = array


def test_only_some_blocks_of_a_form_are_remembered(memory: ResultMemory) -> None:
    arrays = [memory.new_array((1000,), FLOAT)[0] for _ in range(10)]
    last = {array.ctypes.data for array in arrays[-REMEMBERED_BLOCKS:]}
    arrays.clear()
    again = [memory.new_array((1000,), FLOAT) for _ in range(REMEMBERED_BLOCKS)]
    assert {address for _, address in again} == last


def test_what_is_remembered_is_bounded(memory: ResultMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(result_memory, "REMEMBERED_BYTES", 100_000)
    for elements in (5_000, 10_000, 5_000, 8_000, 30_000, 1_000, 24_999):
        memory.new_array((elements,), FLOAT)
        sizes = [len(blocks) * form[0][0] * 4 for form, blocks in memory._blocks.items()]
        assert sum(sizes) <= 100_000


def test_threads_never_share_memory(memory: ResultMemory) -> None:
    wrong: list[int] = []

    def work(number: int) -> None:
        for _ in range(2_000):
            array, _ = memory.new_array((64,), FLOAT)
            array[:] = number
            if (array != number).any():
                wrong.append(number)
            del array

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
