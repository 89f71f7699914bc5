"""The entry of a native program for Python: a built-in function that feeds it, runs it and makes its results.

In: where the program reads its feeds and leaves its results, and its control block. Out: a function of the feeds'
values. It reads Python's and NumPy's objects as `python_entry_code` describes them; where they are laid out in
another way, there is no entry, and programs run without one.
"""

from __future__ import annotations

import ctypes
import functools
import sys
import sysconfig
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sessile.compiler.cpu import python_entry_code as code
from sessile.compiler.cpu.step_loop import native_loop

_TAKES_ONE_ARGUMENT = 0x0008  # METH_O
# Places in the table of functions that NumPy's `_ARRAY_API` holds; they are part of its binary interface.
_NEW_SCALAR, _NEW_ARRAY = 60, 94


class PointedFeed(NamedTuple):
    """A feed that is read where the caller has it.

    Attributes:
      dtype, shape: of the caller's array.
      places: the addresses of the words that say where it is.
    """

    dtype: np.dtype
    shape: tuple[int, ...]
    places: Sequence[int]


def new_entry(
    feeds: Sequence[np.ndarray | PointedFeed],
    results: Sequence[np.ndarray | None],
    control: int,
    keeps_lock: bool = False,
) -> Callable[[Sequence[Any]], Any]:
    """The entry of one program.

    Args:
      feeds: for each the array that it is copied to, or how it is pointed at.
      results: for each the array that holds it after a run; None leaves it out.
      control: the address of the control block (`step_loop_code`), which must live as long as the entry.
      keeps_lock: whether the steps run under Python's lock.

    Returns:
      A function of a list or tuple of values. It returns a list of results, with None for those that are left out; the
      number of the step that failed, counted from one; or NotImplemented, before anything has run, when a value is not
      of its feed's very type and shape.

    Raises RuntimeError where `is_supported` says that there are no entries.
    """
    common = _common_words()
    if common is None:
        raise RuntimeError("there are no entries for this Python")
    memory = _Memory()
    feed_table = memory.table([_feed_row(feed, memory) for feed in feeds], code.FEED_WORDS)
    result_table = memory.table([_result_row(result, memory) for result in results], code.RESULT_WORDS)
    own = [len(feeds), feed_table, len(results), result_table, control, int(keeps_lock)]
    table = _Table(memory.words([*common, *own]))
    table.memory = memory
    make, definition = _new_function()
    function: Callable[[Sequence[Any]], Any] = make(ctypes.byref(definition), table, None)
    return function


class _Memory:
    """What a table points to."""

    def __init__(self) -> None:
        self._kept: list[Any] = []

    def keep(self, item: Any) -> None:
        self._kept.append(item)

    def words(self, words: Sequence[int]) -> int:
        """The address of some words."""
        array = np.array(words, np.int64)
        self.keep(array)
        return int(array.ctypes.data)

    def table(self, rows: Sequence[Sequence[int]], width: int) -> int:
        """The address of rows of words, each filled up with zeros."""
        return self.words([word for row in rows for word in (*row, *[0] * (width - len(row)))])


class _Table(int):
    """The address of a table. The built-in function holds it, and so keeps alive what the table points to."""

    memory: _Memory


def _feed_row(feed: np.ndarray | PointedFeed, memory: _Memory) -> list[int]:
    memory.keep(feed)
    array = [id(feed.dtype), len(feed.shape), memory.words(feed.shape)]
    memory.keep(feed.dtype)
    if isinstance(feed, PointedFeed):
        return [code.NO_NUMBER, *array, 0, memory.words(feed.places), len(feed.places)]
    row = [*array, feed.nbytes, feed.ctypes.data, 0]
    if feed.shape:
        return [code.NO_NUMBER, *row]
    kind, lowest, highest = _numbers_for(feed.dtype)
    scalar_type = feed.dtype.type
    return [kind, *row, id(scalar_type) if _is_readable(scalar_type) else 0, lowest, highest]


def _result_row(result: np.ndarray | None, memory: _Memory) -> list[int]:
    if result is None:
        return [code.LEFT_OUT]
    memory.keep(result)
    memory.keep(result.dtype)
    kind = code.ARRAY if result.ndim else code.SCALAR
    shape = memory.words(result.shape)
    return [kind, id(result.dtype), result.ndim, shape, result.nbytes, result.ctypes.data]


def is_supported() -> bool:
    """Whether this Python's and NumPy's objects are laid out as the code expects them."""
    return _common_words() is not None


@functools.cache
def _common_words() -> list[int] | None:
    """The words with which all tables begin; None where there can be no entry."""
    if sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return None
    if not all(hasattr(ctypes.pythonapi, name) for name in code.PYTHON_FUNCTIONS):
        return None
    if ctypes.sizeof(ctypes.c_void_p) != 8 or not _are_layouts_known():
        return None
    words = [0] * code.COMMON_WORDS
    objects = {
        code.ARRAY_TYPE: np.ndarray,
        code.LIST_TYPE: list,
        code.TUPLE_TYPE: tuple,
        code.FLOAT_TYPE: float,
        code.DOUBLE_TYPE: np.float64,
        code.INT_TYPE: int,
        code.TRUE: True,
        code.FALSE: False,
        code.NONE: None,
        code.NOT_IMPLEMENTED: NotImplemented,
    }
    for place, value in objects.items():
        words[place] = id(value)
    words[code.TUPLE_ITEMS] = tuple.__basicsize__
    functions = _numpy_functions()
    words[code.NEW_ARRAY], words[code.NEW_SCALAR] = functions[_NEW_ARRAY], functions[_NEW_SCALAR]
    return words


def _numpy_functions() -> Any:
    """NumPy's table of functions for C."""
    prototype = ctypes.PYFUNCTYPE(ctypes.c_void_p, ctypes.py_object, ctypes.c_char_p)
    pointer_of = prototype(("PyCapsule_GetPointer", ctypes.pythonapi))
    address = pointer_of(np._core._multiarray_umath._ARRAY_API, None)  # type: ignore[attr-defined]
    return (ctypes.c_int64 * (_NEW_ARRAY + 1)).from_address(address)


def _are_layouts_known() -> bool:
    """Whether arrays, lists, tuples and floats hold what they do where the code looks for it."""
    array, number = np.zeros((2, 3), np.int32), 0.1
    pair, both = [array, number], (array, number)
    return (
        _is_array_known(array)
        and _words_of(pair, code.LENGTH + 1)[code.LENGTH] == len(pair)
        and _are_items_at(_words_of(pair, code.LIST_ITEMS + 1)[code.LIST_ITEMS], pair)
        and _words_of(both, code.LENGTH + 1)[code.LENGTH] == len(both)
        and _are_items_at(id(both) + tuple.__basicsize__, both)
        and ctypes.c_double.from_address(id(number) + 8 * code.NUMBER).value == number
    )


def _is_array_known(array: np.ndarray) -> bool:
    words = _words_of(array, code.ARRAY_FLAGS + 1)
    return (
        words[code.TYPE] == id(np.ndarray)
        and words[code.ARRAY_DATA] == array.ctypes.data
        and words[code.ARRAY_RANK] & 0xFFFFFFFF == array.ndim
        and words[code.ARRAY_DESCRIPTOR] == id(array.dtype)
        and words[code.ARRAY_FLAGS] & 0xFFFFFFFF == array.flags.num
        and tuple((ctypes.c_int64 * array.ndim).from_address(words[code.ARRAY_SHAPE])) == array.shape
    )


def _are_items_at(address: int, items: Sequence[Any]) -> bool:
    return list((ctypes.c_int64 * len(items)).from_address(address)) == [id(item) for item in items]


def _words_of(value: object, count: int) -> Any:
    """The first words of an object."""
    return (ctypes.c_int64 * count).from_address(id(value))


def _numbers_for(dtype: np.dtype) -> tuple[int, int, int]:
    """Which numbers of Python's a scalar of a type takes, and the integers between which they must be."""
    if dtype.kind == "f" and dtype.itemsize in (4, 8):
        return code.FLOAT, -code.EXACT_IN_DOUBLE, code.EXACT_IN_DOUBLE
    if dtype.kind == "b":
        return code.BOOL, 0, 0
    if dtype.kind in "iu":
        limits = np.iinfo(dtype)
        return code.INTEGER, int(limits.min), min(int(limits.max), np.iinfo(np.int64).max)
    return code.NO_NUMBER, 0, 0


def _is_readable(scalar_type: Callable[[int], Any]) -> bool:
    """Whether NumPy's scalars of a type hold their number where the code looks for it."""
    one = scalar_type(1)
    return not one.dtype.hasobject and ctypes.string_at(id(one) + 8 * code.NUMBER, one.itemsize) == one.tobytes()


class _Definition(ctypes.Structure):
    """How CPython describes a built-in function (`PyMethodDef`)."""

    _fields_ = (("name", ctypes.c_char_p), ("code", ctypes.c_void_p), ("flags", ctypes.c_int), ("doc", ctypes.c_char_p))


@functools.cache
def _new_function() -> tuple[Callable[..., Any], _Definition]:
    """CPython's maker of built-in functions, and the definition of ours."""
    prototype = ctypes.PYFUNCTYPE(ctypes.py_object, ctypes.POINTER(_Definition), ctypes.py_object, ctypes.c_void_p)
    definition = _Definition(b"enter", native_loop().enter, _TAKES_ONE_ARGUMENT, b"Runs a native program.")
    return prototype(("PyCFunction_NewEx", ctypes.pythonapi)), definition
