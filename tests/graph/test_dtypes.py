"""Element types: names, conversion of everything that names one, and what a type tells about itself."""

import copy
import pickle

import numpy as np
import pytest

from sessile.graph import dtypes
from sessile.graph.data_type import DType, as_dtype

ALL = [as_dtype(number) for number in range(1, 24)]


def test_text_forms():
    assert repr(dtypes.float32) == "tf.float32"
    assert str(dtypes.float32) == "<dtype: 'float32'>"
    assert repr(dtypes.float32_ref) == "tf.float32_ref"
    assert str(dtypes.int32_ref) == "<dtype: 'int32_ref'>"
    assert dtypes.half is dtypes.float16
    assert dtypes.double.name == "float64"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("float32", "float32"),
        ("half", "float16"),
        ("double_ref", "float64_ref"),
        (np.float16, "float16"),
        (np.dtype(">i4"), "int32"),
        (np.longlong, "int64"),
        (np.dtype("S7"), "string"),
        (np.str_, "string"),
        (np.dtype("O"), "string"),
        (float, "float32"),
        (bool, "bool"),
        (object, "string"),
        (9, "int64"),
        (109, "int64_ref"),
        (np.int16(3), "int16"),
        (np.zeros(2, np.complex64), "complex64"),
        (np.dtype([("quint8", "u1")]), "quint8"),
    ],
)
def test_as_dtype(value, expected):
    assert as_dtype(value) is as_dtype(expected)
    assert as_dtype(expected) == value


NO_TYPES = [None, "float33", 0, 100, 1.5, [1], complex, bytes, np.datetime64, int, str]


@pytest.mark.parametrize("value", NO_TYPES)
def test_values_that_name_no_type(value):
    with pytest.raises(TypeError, match=r"Cannot convert value .* to a TensorFlow DType"):
        as_dtype(value)
    assert dtypes.float32 != value


def test_int_is_told_to_choose_a_size():
    with pytest.raises(TypeError, match=r"Use tf\.int32 or tf\.int64"):
        as_dtype(int)


@pytest.mark.parametrize("dtype", ALL + [d._as_ref for d in ALL], ids=lambda d: d.name)
def test_every_type_is_one_object(dtype):
    assert pickle.loads(pickle.dumps(dtype)) is dtype
    assert copy.deepcopy(dtype) is dtype
    assert DType(dtype.as_datatype_enum) is dtype
    assert as_dtype(dtype.name) is dtype
    assert dtype.base_dtype._as_ref.base_dtype is dtype.base_dtype
    assert hash(dtype) == int(dtype)


@pytest.mark.parametrize("dtype", ALL, ids=lambda d: d.name)
def test_numpy_type_and_back(dtype):
    if dtype.name in ("resource", "variant"):
        assert not dtype.is_numpy_compatible
        with pytest.raises(TypeError, match="has no NumPy type"):
            _ = dtype.as_numpy_dtype
    elif dtype is not dtypes.bfloat16:
        assert as_dtype(dtype.as_numpy_dtype) is dtype
        assert np.dtype(dtype.as_numpy_dtype).itemsize == dtype.size


def test_bfloat16_has_no_numpy_type_of_its_own(monkeypatch):
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    monkeypatch.setattr(dtypes.bfloat16, "_numpy", None)
    with pytest.raises(TypeError, match="ml_dtypes"):
        _ = dtypes.bfloat16.as_numpy_dtype
    assert dtypes.bfloat16.max == pytest.approx(3.38953e38, rel=1e-5)


def test_references():
    ref = dtypes.float32_ref
    assert ref._is_ref_dtype and not dtypes.float32._is_ref_dtype
    assert ref.base_dtype is dtypes.float32 and dtypes.float32._as_ref is ref
    assert dtypes.float32 != ref
    assert dtypes.float32.is_compatible_with(ref) and not ref.is_compatible_with(dtypes.float32)
    assert ref.is_floating and ref.size == 4


def test_kinds():
    def those(predicate):
        return {dtype for dtype in ALL if getattr(dtype, predicate)}

    assert those("is_floating") == dtypes.FLOATING
    assert those("is_integer") == dtypes.INTEGER
    assert those("is_unsigned") == dtypes.UNSIGNED_INTEGER
    assert those("is_complex") == dtypes.COMPLEX
    assert those("is_quantized") == dtypes.QUANTIZED
    assert those("is_bool") == {dtypes.bool}
    assert set(ALL) == dtypes.ANY
    assert dtypes.complex128.real_dtype is dtypes.float64
    assert dtypes.int8.real_dtype is dtypes.int8


def test_range_of_values():
    assert dtypes.uint64.max == 2**64 - 1
    assert dtypes.int8_ref.min == -128
    assert dtypes.float32.max == np.finfo(np.float32).max
    assert dtypes.uint8.limits == (0, 255)
    assert dtypes.float64.limits == (0, 1)
    for dtype in (dtypes.bool, dtypes.string, dtypes.complex64, dtypes.qint8):
        with pytest.raises(TypeError, match="Cannot find minimum value"):
            _ = dtype.min
    with pytest.raises(ValueError, match="does not have defined limits"):
        _ = dtypes.string.limits


def test_unknown_number():
    with pytest.raises(TypeError, match="999 does not correspond"):
        DType(999)
