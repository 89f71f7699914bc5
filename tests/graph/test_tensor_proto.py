"""Values as TensorProto: written as TensorFlow writes them, and read in every form that the format allows."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from google.protobuf import text_format
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from sessile.graph import dtypes
from sessile.graph.proto.tensor_pb2 import TensorProto
from sessile.graph.tensor_proto import make_ndarray, make_tensor_proto

RECORDED = Path(__file__).resolve().parents[1] / "data" / "protos"

# as in record_protos.py
TENSORS = {
    "float32": np.array([[1.5, -2.0], [3.25, 0.0]], np.float32),
    "float64": np.array([1e300, -0.0]),
    "float16": np.array([1.5, -2.5], np.float16),
    "int8": np.array([-1, 2], np.int8),
    "int16": np.array([-300, 2], np.int16),
    "int32": np.array([[1, 2, 3]], np.int32),
    "int64": np.array([2**40, -1]),
    "uint8": np.array([255, 0], np.uint8),
    "uint16": np.array([65535, 1], np.uint16),
    "uint32": np.array([2**32 - 1, 1], np.uint32),
    "uint64": np.array([2**64 - 1, 1], np.uint64),
    "bool": np.array([True, False]),
    "complex64": np.array([1 + 2j, 3 - 4j], np.complex64),
    "complex128": np.array([1 + 2j, 3 - 4j]),
    "string": np.array([b"a\0", b"", "é".encode()], object),
    "scalar_int32": np.array(7, np.int32),
    "scalar_string": np.array(b"text", object),
    "scalar_float16": np.array(1.5, np.float16),
    "empty": np.zeros((2, 0), np.float32),
    "qint8": np.array([(5,), (-6,)], dtypes.qint8.as_numpy_dtype),
}


def parse(text):
    return text_format.Parse(text, TensorProto())


def recorded(name):
    return (RECORDED / f"tensor_{name}.pb").read_bytes()


@pytest.mark.parametrize("name", sorted(TENSORS))
def test_written_as_tensorflow_writes(name):
    dtype = dtypes.qint8 if name == "qint8" else None
    assert make_tensor_proto(TENSORS[name], dtype).SerializeToString() == recorded(name)


@pytest.mark.parametrize("name", sorted(TENSORS))
def test_read_as_tensorflow_wrote(name):
    value = make_ndarray(TensorProto.FromString(recorded(name)))
    assert value.dtype == TENSORS[name].dtype and value.shape == TENSORS[name].shape
    assert value.flags.writeable
    np.testing.assert_array_equal(value, TENSORS[name])


def test_values_that_are_fewer_than_elements():
    proto = make_tensor_proto([1.0, 2.0], shape=[2, 3])
    assert proto.SerializeToString() == recorded("repeated")
    assert make_ndarray(proto).tolist() == [[1, 2, 2], [2, 2, 2]]
    huge = make_tensor_proto(1, shape=[2**20, 2**20])
    assert list(huge.int_val) == [1] and not huge.tensor_content


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ("dtype: DT_FLOAT float_val: 1 float_val: 2", [1, 2, 2, 2]),
        ("dtype: DT_FLOAT", [0, 0, 0, 0]),
        ("dtype: DT_HALF half_val: 15360 half_val: 0", [1, 0, 0, 0]),
        ("dtype: DT_STRING string_val: 'a'", [b"a"] * 4),
        ("dtype: DT_STRING", [b""] * 4),
        ("dtype: DT_COMPLEX64 scomplex_val: 1 scomplex_val: 2", [1 + 2j] * 4),
        ("dtype: DT_COMPLEX128 dcomplex_val: [1, 2, 3, 4]", [1 + 2j, 3 + 4j, 3 + 4j, 3 + 4j]),
        ("dtype: DT_BOOL bool_val: true", [True] * 4),
        ("dtype: DT_UINT8 int_val: 44", [44] * 4),
        ("dtype: DT_QINT8 int_val: 44", [(44,)] * 4),
        ("dtype: DT_UINT64 uint64_val: 18446744073709551615", [2**64 - 1] * 4),
        ("dtype: DT_INT16 tensor_content: '\\001\\000\\002\\000\\003\\000\\377\\377'", [1, 2, 3, -1]),
    ],
)
def test_lists_may_end_early(fields, expected):
    value = make_ndarray(parse(f"{fields} tensor_shape {{ dim {{ size: 2 }} dim {{ size: 2 }} }}"))
    assert value.shape == (2, 2) and value.reshape(-1).tolist() == expected


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("dtype: DT_RESOURCE", TypeError),
        ("dtype: DT_VARIANT", TypeError),
        ("dtype: DT_FLOAT_REF float_val: 1", TypeError),
        ("dtype: DT_INVALID", TypeError),
        ("dtype: DT_FLOAT tensor_shape { dim { size: -1 } } float_val: 1", ValueError),
        ("dtype: DT_FLOAT tensor_shape { dim { size: 1 } } float_val: [1, 2]", ValueError),
        ("dtype: DT_FLOAT tensor_shape { dim { size: 2 } } tensor_content: 'abc'", ValueError),
    ],
)
def test_messages_that_hold_no_array(text, error):
    with pytest.raises(error):
        make_ndarray(parse(text))


def test_arguments():
    proto = make_tensor_proto(1)
    assert make_tensor_proto(proto) is proto
    assert make_tensor_proto(1, "float64").dtype == make_tensor_proto(1, np.float64).dtype == 2
    assert make_tensor_proto(1.5, dtypes.float32_ref).dtype == 1
    with pytest.raises(TypeError, match=r"Expected int32, got 1\.5 of type 'float' instead"):
        make_tensor_proto(1.5, dtypes.int32)
    with pytest.raises(TypeError, match="Expected Tensor's shape"):
        make_tensor_proto([1, 2], shape=[2, 2], verify_shape=True)


def test_content_of_two_gigabytes_is_refused_before_it_is_copied():
    enormous = np.broadcast_to(np.float64(0), (2**28,))
    tracemalloc.start()
    with pytest.raises(ValueError, match="larger than 2GB"):
        make_tensor_proto(enormous)
    assert tracemalloc.get_traced_memory()[1] < 2**20
    tracemalloc.stop()


DTYPES = st.sampled_from(["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "?", "c8", "c16"])


@given(arrays.arrays(DTYPES, arrays.array_shapes(min_dims=0, max_dims=3, min_side=0)))
def test_every_array_comes_back(array):
    proto = TensorProto.FromString(make_tensor_proto(array).SerializeToString())
    value = make_ndarray(proto)
    assert value.dtype == array.dtype and value.shape == array.shape
    assert value.tobytes() == array.tobytes() or np.array_equal(value, array, equal_nan=True)
