"""Python values become arrays by TensorFlow 1's rules, and what it refuses is refused with its errors."""

import array

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sessile.graph import dtypes
from sessile.graph.array_conversion import fill, to_numpy
from sessile.graph.dimension import Dimension


class ArrayLike:
    def __array__(self, dtype=None, copy=None):
        return np.array([1.0, 2.0])


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (1, np.int32),
        (1.5, np.float32),
        (True, np.bool_),
        (1 + 2j, np.complex128),
        ("a", object),
        ([], np.float32),
        ([1, 2.5], np.float32),
        ([True, 1], np.int32),
        (2**31 - 1, np.int32),
        (2**31, np.int64),
        ([1, -(2**40)], np.int64),
        (2**63, np.uint64),
        (np.float64(1.5), np.float64),
        (np.array([1, 2]), np.int64),
        ([np.float64(1), 2], np.float32),
        ([np.uint8(3)], np.uint8),
        (ArrayLike(), np.float64),
        (memoryview(b"abc"), np.uint8),
        ([[1, 2], np.array([3, 4], np.float32)], np.float32),
        ([Dimension(3), 4], np.int32),
    ],
)
def test_type_that_the_values_suggest(values, expected):
    assert to_numpy(values).dtype == expected


@pytest.mark.parametrize(
    ("values", "dtype", "expected"),
    [
        (1, dtypes.float32, np.float32(1)),
        (True, dtypes.int32, np.int32(1)),
        ([1, 2], dtypes.complex64, np.array([1, 2], np.complex64)),
        (300, dtypes.uint8, np.uint8(44)),
        (2**31, dtypes.int32, np.int32(-(2**31))),
        (2**40, dtypes.int32, np.int32(0)),
        ([2**63, -1], dtypes.uint64, np.array([2**63, 2**64 - 1], np.uint64)),
        ([2**70], dtypes.float32, np.array([2.0**70], np.float32)),
        (1e40, dtypes.float32, np.float32(np.inf)),
        (np.array([1.7, -1.7]), dtypes.int32, np.array([1, -1], np.int32)),
        (np.float32(1.5), dtypes.int32, np.int32(1)),
        ([Dimension(3), 4], dtypes.int64, np.array([3, 4])),
        ([np.bool_(True)], dtypes.bool, np.array([True])),
        (1.5, dtypes.float32_ref, np.float32(1.5)),
        ([(5,), (6,)], dtypes.qint8, np.array([(5,), (6,)], dtypes.qint8.as_numpy_dtype)),
    ],
)
def test_given_type(values, dtype, expected):
    result = to_numpy(values, dtype)
    assert result.dtype == dtype.as_numpy_dtype and result.shape == expected.shape
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize(
    ("values", "dtype", "message"),
    [
        (1.5, dtypes.int32, "Expected int32, got 1.5 of type 'float' instead."),
        ([[1, 2], [3, 4.5]], dtypes.int64, "Expected int64, got 4.5 of type 'float' instead."),
        (1 + 2j, dtypes.float32, r"Expected float32, got \(1\+2j\) of type 'complex' instead."),
        ("a", dtypes.float32, "Expected float32, got 'a' of type 'str' instead."),
        ([1, 0], dtypes.bool, "Expected bool, got 1 of type 'int' instead."),
        (["a", 1.5], dtypes.string, "Expected string, got 1.5 of type 'float' instead."),
        ([None], dtypes.float32, "Expected float32, got None of type 'NoneType' instead."),
        (5, dtypes.qint8, "Expected qint8, got 5 of type 'int' instead."),
        ([1, "a"], None, "Failed to convert object of type <class 'list'> to Tensor"),
        ([1, None], None, "Consider casting elements to a supported type"),
        ({1: 2}, None, "Failed to convert object of type <class 'dict'> to Tensor"),
        (2**64, None, "Failed to convert object of type <class 'int'> to Tensor"),
        (np.datetime64("2020"), None, "Cannot convert value .* to a TensorFlow DType"),
        (1, dtypes.resource, "type resource has no value"),
        ([Dimension(None)], dtypes.int32, "unknown"),
    ],
)
def test_values_that_do_not_have_the_type(values, dtype, message):
    with pytest.raises(TypeError, match=message):
        to_numpy(values, dtype)


@pytest.mark.parametrize(
    ("values", "dtype"),
    [
        (2**63, dtypes.int64),
        ([2**63, -1], dtypes.int64),
        (-(2**63) - 1, dtypes.int64),
        ([1, 2**70], dtypes.int32),
        (2**64, dtypes.uint64),
    ],
)
def test_integers_of_more_than_64_bits_are_refused(values, dtype):
    with pytest.raises(OverflowError, match="too large to convert"):
        to_numpy(values, dtype)


def test_elements_have_the_usual_types():
    assert type(to_numpy(2**63)[()]) is np.uint64
    assert type(to_numpy(np.array([b"a"]))[0]) is bytes
    assert to_numpy(array.array("i", [1, 2])).dtype == np.int32


def test_overflow_of_a_float():
    with pytest.raises(OverflowError):
        to_numpy(10**400, dtypes.float32)


@pytest.mark.parametrize("dtype", [None, dtypes.int32, dtypes.float32])
def test_lists_must_be_nested_regularly(dtype):
    with pytest.raises(ValueError, match=r"must be a dense tensor: .* - got shape \[2\], but wanted \[2, 2\]"):
        to_numpy([[1, 2], [3]], dtype)
    with pytest.raises(ValueError, match="must be a dense tensor"):
        to_numpy([1, [2]], dtype)


def test_lists_of_arrays_are_no_values():
    with pytest.raises(ValueError, match=r"got shape \[2, 2\], but wanted \[2\]"):
        to_numpy([np.array([1, 2]), np.array([3, 4])])


def test_none():
    with pytest.raises(ValueError, match="None values not supported"):
        to_numpy(None)


def test_strings_become_bytes_and_keep_trailing_zeros():
    assert to_numpy([["a\0", b"b\0"], ["é", ""]]).tolist() == [[b"a\0", b"b\0"], ["é".encode(), b""]]
    assert to_numpy("text", dtypes.string).item() == b"text"
    assert to_numpy(np.array(["ab", "c"])).tolist() == [b"ab", b"c"]
    assert to_numpy([[]], dtypes.string).shape == (1, 0)


def test_shape():
    assert to_numpy([1, 2], None, [2, 2]).tolist() == [[1, 2], [2, 2]]
    assert to_numpy(7.0, None, [2, 0]).shape == (2, 0)
    assert to_numpy("a", None, (2,)).tolist() == [b"a", b"a"]
    assert to_numpy([], dtypes.int32, [2]).tolist() == [0, 0]
    assert to_numpy([1], None, [3], allow_broadcast=True).tolist() == [1, 1, 1]
    with pytest.raises(ValueError, match=r"Too many elements provided\. Needed at most 2, but received 3"):
        to_numpy([1, 2, 3], None, [2])
    with pytest.raises(TypeError, match=r"Expected Tensor's shape: \(2, 2\), got \(2,\)"):
        to_numpy([1, 2], None, [2, 2], verify_shape=True)
    with pytest.raises(TypeError, match=r"Expected Tensor's shape: \(3, 2\), got \(1, 2\)"):
        to_numpy([[1, 2]], None, [3, 2], allow_broadcast=True)
    with pytest.raises(ValueError, match="not both allowed"):
        to_numpy(1, None, [1], verify_shape=True, allow_broadcast=True)


def test_the_result_shares_no_memory_with_an_array():
    values = np.arange(6.0).reshape(2, 3).T
    for result in (to_numpy(values), to_numpy(values, None, [6])):
        assert not np.shares_memory(result, values) and result.flags.c_contiguous and result.flags.writeable


def test_byte_order_is_the_machine_s():
    result = to_numpy(np.array([1, 2], ">i4"))
    assert result.dtype == np.dtype("<i4") and result.tolist() == [1, 2]


@given(arrays.arrays(st.sampled_from([np.int64, np.float32]), arrays.array_shapes(max_dims=3)))
def test_nested_lists_give_the_array_that_they_came_from(array):
    result = to_numpy(array.tolist(), dtypes.as_dtype(array.dtype))
    assert result.dtype == array.dtype
    np.testing.assert_array_equal(result, array)


@given(st.lists(st.integers(), min_size=1, max_size=3), st.integers(3, 6))
def test_filling_repeats_the_last_element(values, count):
    assert fill(np.array(values, object), [count]).tolist() == values + values[-1:] * (count - len(values))
