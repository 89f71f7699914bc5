"""The entry of a native program takes feeds, runs the steps and makes results as NumPy's own conversions would."""

from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sessile.compiler.cpu.python_entry import PointedFeed, is_supported, new_entry
from sessile.compiler.cpu.step_loop import StepProgram, aligned_words

DTYPES = [np.dtype(c) for c in "?bBhHiIqQefdFD"]


class Copying:
    """An entry whose results are copies of its feeds."""

    def __init__(self, places: Sequence[np.ndarray], keeps_lock: bool = False) -> None:
        self.places = list(places)
        self.results = [np.zeros_like(place) for place in places]
        program = StepProgram()
        for place, result in zip(self.places, self.results, strict=True):
            program.copy_bytes(result.ctypes.data, place.ctypes.data, place.nbytes)
        self.status = np.zeros(1, np.int64)
        self.control = program.control(self.status.ctypes.data)
        self.entry = new_entry(self.places, self.results, self.control.ctypes.data, keeps_lock)

    def __call__(self, *values: Any) -> Any:
        return self.entry(list(values))


def place(dtype: Any, *shape: int) -> np.ndarray:
    return np.zeros(shape, dtype)


def test_this_python_has_entries() -> None:
    assert is_supported()


@given(st.data())
def test_arrays_and_numpy_scalars_arrive_as_they_are(data: st.DataObject) -> None:
    dtypes = data.draw(st.lists(st.sampled_from(DTYPES), max_size=4))
    values = [
        data.draw(arrays.arrays(dtype, arrays.array_shapes(min_dims=0, min_side=0, max_dims=3))) for dtype in dtypes
    ]
    copying = Copying([np.zeros_like(value) for value in values])
    found = copying(*(value if data.draw(st.booleans()) else value[()] for value in values))
    for value, result in zip(values, found, strict=True):
        assert type(result) is type(value[()]) and result.dtype == value.dtype and result.shape == value.shape
        assert result.tobytes() == value.tobytes()


@given(
    st.sampled_from(DTYPES),
    st.one_of(
        st.floats(), st.floats(width=32), st.integers(), st.integers(-300, 300), st.booleans(), st.complex_numbers()
    ),
)
def test_python_numbers_are_taken_as_numpy_takes_them_or_not_at_all(dtype: np.dtype, value: Any) -> None:
    found = Copying([place(dtype)])(value)
    if found is NotImplemented:
        return
    with np.errstate(over="ignore"):
        expected = np.asarray(value, dtype)[()]
    np.testing.assert_array_equal(found[0], expected, strict=True)
    assert np.signbit(found[0]) == np.signbit(expected) if dtype.kind == "f" else True


@pytest.mark.parametrize(
    ("dtype", "value"),
    [
        (np.float32, 0.1),
        (np.float64, 0.1),
        (np.float32, 3),
        (np.float32, np.float64(0.1)),
        (np.int32, -7),
        (np.uint8, 255),
        (np.int64, -(2**63)),
        (np.uint64, 2**63 - 1),
        (np.bool_, True),
        (np.bool_, False),
        (np.complex64, np.complex64(1j)),
    ],
)
def test_the_usual_numbers_need_no_conversion(dtype: Any, value: Any) -> None:
    [found] = Copying([place(dtype)])(value)
    assert type(found) is dtype
    assert found == dtype(value)


@pytest.mark.parametrize(
    "value",
    [
        pytest.param(np.zeros((3, 2), np.float32), id="another shape"),
        pytest.param(np.zeros((2, 3, 1), np.float32), id="another rank"),
        pytest.param(np.zeros((2, 3), np.float64), id="another type"),
        pytest.param(np.zeros((2, 3), ">f4"), id="another byte order"),
        pytest.param(np.zeros((3, 2), np.float32).T, id="another order"),
        pytest.param(np.zeros((2, 6), np.float32)[:, ::2], id="gaps"),
        pytest.param(np.zeros(25, np.uint8)[1:].view(np.float32).reshape(2, 3), id="unaligned"),
        pytest.param(np.ma.zeros((2, 3), np.float32), id="a subclass"),
        pytest.param([[0.0, 0.0, 0.0]] * 2, id="nested lists"),
        pytest.param(0.0, id="a number"),
        pytest.param(None, id="None"),
        pytest.param("text", id="text"),
    ],
)
def test_what_does_not_fit_is_left_to_the_caller(value: Any) -> None:
    copying = Copying([place(np.float32, 2, 3), place(np.float32)])
    assert copying(value, 1.0) is NotImplemented
    assert copying(np.ones((2, 3), np.float32), np.ones(1, np.float32)) is NotImplemented
    assert not copying.results[0].any(), "nothing has run"


@pytest.mark.parametrize(("dtype", "value"), [(np.int8, 128), (np.uint8, -1), (np.int32, 2**31), (np.int64, 2**63)])
def test_integers_out_of_range_are_left_to_the_caller(dtype: Any, value: int) -> None:
    assert Copying([place(dtype)])(value) is NotImplemented


def test_feeds_come_in_a_list_or_tuple_of_their_number() -> None:
    entry = Copying([place(np.float32), place(np.float32)]).entry
    assert entry((1.0, 2.0)) == entry([1.0, 2.0]) == [1.0, 2.0]
    for values in ([1.0], [1.0, 2.0, 3.0], (), {0: 1.0, 1: 2.0}, "ab", None, 1.0):
        assert entry(values) is NotImplemented
    assert Copying([]).entry(()) == []


def test_steps_may_run_under_python_s_lock() -> None:
    assert Copying([place(np.float32)], keeps_lock=True)(1.5) == [1.5]


def test_large_feeds_are_pointed_at() -> None:
    words = aligned_words(4)
    result = np.zeros(1000, np.float32)
    program = StepProgram()
    program.copy_bytes(result.ctypes.data, 0, result.nbytes)
    control = program.control(0)
    source = control.ctypes.data + 8 * 10  # the second word of the only step
    feed = PointedFeed(np.dtype(np.float32), (1000,), [source, words.ctypes.data])
    entry = new_entry([feed], [result], control.ctypes.data)
    value = np.arange(1000, dtype=np.float32)
    [found] = entry([value])
    np.testing.assert_array_equal(found, value)
    assert words[0] == value.ctypes.data
    assert entry([value[::-1]]) is NotImplemented


def test_a_failed_step_is_named_and_makes_no_results() -> None:
    copying = Copying([place(np.int64)])
    program = StepProgram()
    program.jump(1)
    program.kernel(_failing_kernel(), 0, fallible=True)
    copying.status[0] = 1
    control = program.control(copying.status.ctypes.data)
    assert new_entry(copying.places, copying.results, control.ctypes.data)([3]) == 2


def _failing_kernel() -> int:
    """The address of a function that leaves the status as it is."""
    from sessile.compiler.cpu.load_kernels import load_objects
    from sessile.compiler.cpu.machine_code import compile_module
    from sessile.compiler.target import Target

    text = "define void @leave(i64* %arguments, i64 %part, i64 %parts) {\n  ret void\n}"
    return load_objects([compile_module(text, Target.host())], ["leave"])["leave"]


def test_results_are_left_out_where_nobody_holds_them() -> None:
    kept = np.ones(3)
    control = StepProgram().control(0)
    assert new_entry([], [None, kept, None], control.ctypes.data)([])[::2] == [None, None]


def test_results_belong_to_the_caller() -> None:
    copying = Copying([place(np.float64, 2)])
    [first] = copying(np.ones(2))
    [second] = copying(np.zeros(2))
    assert first.flags.owndata and first.flags.writeable
    assert first.tolist() == [1.0, 1.0] and second.tolist() == [0.0, 0.0]


def test_nothing_is_kept_or_lost_by_a_call() -> None:
    copying = Copying([place(np.float32, 4), place(np.float32), place(np.int64), place(np.bool_)])
    values = [np.ones(4, np.float32), 12345.678, 123456789, True]
    watched = [*values, values, np.dtype(np.float32), np.float32, None, NotImplemented]
    before = [sys.getrefcount(item) for item in watched]
    for _ in range(1000):
        copying(*values)
        copying.entry(values)
        copying.entry(None)
    changes = [abs(sys.getrefcount(item) - count) for item, count in zip(watched, before, strict=True)]
    assert max(changes) < 900, "what all of Python shares changes a little by itself"


def test_memory_that_cannot_be_had_is_an_error_and_leaves_nothing() -> None:
    endless = np.lib.stride_tricks.as_strided(np.zeros(1), (1 << 58,), (0,))
    entry = new_entry([], [np.ones(3), endless], StepProgram().control(0).ctypes.data)
    with pytest.raises(MemoryError):
        entry([])


def test_dtype_objects_that_only_equal_the_feed_s_are_left_to_the_caller() -> None:
    copying = Copying([place(np.float32, 2)])
    copied = pickle.loads(pickle.dumps(np.ones(2, np.float32)))
    if copied.dtype is not np.dtype(np.float32):
        assert copying(copied) is NotImplemented
    assert copying(copied.view(np.dtype(np.float32)))[0].tolist() == [1.0, 1.0]


def test_other_layouts_of_objects_have_no_entry() -> None:
    script = """if True:
        import sysconfig
        known = sysconfig.get_config_var
        sysconfig.get_config_var = lambda name: 1 if name == "Py_GIL_DISABLED" else known(name)
        import numpy as np
        import sessile as tf
        from sessile.compiler.cpu.python_entry import is_supported, new_entry
        assert not is_supported()
        try:
            new_entry([], [], 0)
        except RuntimeError as error:
            print(error)
        x = tf.placeholder(tf.float32, [3])
        with tf.Session() as session:
            for _ in range(3):
                print(session.run(x * 2, {x: np.ones(3, np.float32)}))
    """
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["there are no entries for this Python", *["[2. 2. 2.]"] * 3]
