"""Between arrays and `TensorProto`, the form in which values stand in a GraphDef.

In come Python values or arrays, out goes a message, and back. Numbers are written as the memory of the array where
the format allows it, all else (single elements, booleans, complex numbers, strings) as a list, and lists of which only
the beginning is given go on with their last element.
"""

from typing import TYPE_CHECKING, Any

import numpy as np

from sessile.graph.array_conversion import Array, as_array, fill, fitting_sizes, to_numpy
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.public_names import public
from sessile.graph.tensor_shape import TensorShape

if TYPE_CHECKING:
    from sessile.graph.proto.tensor_pb2 import TensorProto

__all__ = ["make_ndarray", "make_tensor_proto", "to_numpy"]

_MAXIMUM_BYTES = 2**31

# The list of the message that holds elements of a type; all others have none.
_LIST_OF_TYPE = {
    "float16": "half_val",
    "bfloat16": "half_val",
    "float32": "float_val",
    "float64": "double_val",
    "complex64": "scomplex_val",
    "complex128": "dcomplex_val",
    "string": "string_val",
    "bool": "bool_val",
    "int64": "int64_val",
    "uint32": "uint32_val",
    "uint64": "uint64_val",
} | dict.fromkeys(("int8", "int16", "int32", "uint8", "uint16"), "int_val")
_ALWAYS_A_LIST = frozenset({"string", "bool", "complex64", "complex128", "uint16"})


@public("make_tensor_proto")
def make_tensor_proto(
    values: Any, dtype: Any = None, shape: Any = None, verify_shape: bool = False, allow_broadcast: bool = False
) -> "TensorProto":
    """Returns `values` as a `TensorProto`.

    Args:
        values: a number, a string, a nested list of them, an array, or a `TensorProto`, which is returned as it is.
        dtype: the type of the elements; by default int32 for Python's int, float32 for its float, an array's own.
        shape: the sizes of the tensor; by default those of the values. The last value goes on to the end.
        verify_shape: whether the values must have exactly this shape.
        allow_broadcast: whether only a single value may go on to the end.

    Raises:
        TypeError: an element is not of type `dtype`, or the values are of no type that a tensor has.
        ValueError: lists are not nested regularly, there are too many values, or they take 2 GB or more.
    """
    from sessile.graph.proto.tensor_pb2 import TensorProto  # late, since building a graph needs no protobuf

    if isinstance(values, TensorProto):
        return values
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    array = as_array(values, wanted, shape)
    sizes = array.shape if shape is None else fitting_sizes(array, shape, verify_shape, allow_broadcast)
    element_type = as_dtype(array.dtype) if wanted is None else wanted
    number: Any = element_type.as_datatype_enum  # the stub wants its own enum class, the message any int
    proto = TensorProto(dtype=number, tensor_shape=TensorShape(sizes).as_proto())
    is_complete = array.size == np.prod(sizes, dtype=np.int64)
    _write_elements(proto, array, element_type, as_content=is_complete and array.size > 1)
    return proto


def _write_elements(proto: "TensorProto", array: Array, dtype: DType, as_content: bool) -> None:
    if array.nbytes >= _MAXIMUM_BYTES:
        raise ValueError("Cannot create a tensor proto whose content is larger than 2GB.")
    if as_content and dtype.name not in _ALWAYS_A_LIST:
        proto.tensor_content = array.tobytes()
    else:
        getattr(proto, _list_name(dtype)).extend(_list_elements(array.reshape(-1), dtype))


def _list_name(dtype: DType) -> str:
    name = dtype.name.lstrip("q") if dtype.is_quantized else dtype.name
    if name not in _LIST_OF_TYPE:
        raise TypeError(f"Unsupported tensor type: {dtype}. A TensorProto holds no values of it.")
    return _LIST_OF_TYPE[name]


def _list_elements(elements: Array, dtype: DType) -> list[Any]:
    if dtype.is_complex:
        elements = elements.view(dtype.real_dtype.as_numpy_dtype)
    elif dtype.is_quantized:
        elements = elements[dtype.name]
    elif dtype.name in ("float16", "bfloat16"):
        elements = elements.view(np.uint16)
    return elements.tolist()


@public("make_ndarray")
def make_ndarray(tensor: "TensorProto") -> Array:
    """Returns the value that a `TensorProto` holds as a new array; strings are objects of type bytes.

    Args:
        tensor: the message; a list in it may end early, its last element goes on to the end.

    Raises:
        TypeError: there is no array of its type (resources, variants).
        ValueError: the sizes are not known, or do not agree with the number of elements.
    """
    dtype = as_dtype(tensor.dtype)
    if dtype._is_ref_dtype or not dtype.is_numpy_compatible:
        raise TypeError(f"Unsupported tensor type: {dtype}. There is no array of it.")
    sizes = tuple(dim.size for dim in tensor.tensor_shape.dim)
    if any(size < 0 for size in sizes):
        raise ValueError(f"A TensorProto of shape {TensorShape(tensor.tensor_shape)} holds no array.")
    if tensor.tensor_content:
        return _from_content(tensor.tensor_content, dtype, sizes)
    elements = _from_list(getattr(tensor, _list_name(dtype)), dtype)
    if elements.size > np.prod(sizes, dtype=np.int64):
        raise ValueError(f"A TensorProto of shape {sizes} holds {elements.size} elements, more than the shape has.")
    return fill(elements, sizes)


def _from_content(content: bytes, dtype: DType, sizes: tuple[int, ...]) -> Array:
    element = np.dtype(dtype.as_numpy_dtype)
    needed = int(np.prod(sizes, dtype=np.int64)) * element.itemsize
    if len(content) != needed:
        raise ValueError(f"A TensorProto of type {dtype.name}, shape {sizes} needs {needed} bytes, not {len(content)}.")
    return np.frombuffer(content, element).reshape(sizes).copy()


def _from_list(values: Any, dtype: DType) -> Array:
    numpy_type = np.dtype(dtype.as_numpy_dtype)
    if dtype.is_complex:
        return np.array(values, dtype.real_dtype.as_numpy_dtype).view(numpy_type)
    if dtype.name in ("float16", "bfloat16"):
        return np.array(values, np.uint16).view(numpy_type)
    if dtype.name == "string":
        elements = np.empty(len(values), object)
        elements[:] = list(values)
        return elements
    if dtype.is_quantized:
        return np.array([(value,) for value in values], numpy_type)
    return np.array(values, numpy_type)
