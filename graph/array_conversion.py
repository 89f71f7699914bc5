"""From Python values to NumPy arrays, by TensorFlow's rules for the element type.

In come numbers, strings, nested lists and arrays, and perhaps a type and a shape; out goes an array. Python's int
becomes int32 (int64 where that is too small), its float becomes float32, strings become objects (bytes); arrays keep
their type. Lists must be nested regularly, and a list with a float in it is no int32.
"""

import array as array_module
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from sessile.graph.compat import as_bytes, complex_types, integral_types, real_types
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.dimension import Dimension

Array = np.ndarray[Any, np.dtype[Any]]

# kind of NumPy's own conversion -> kinds of types that it can be taken as without looking at each element
_ACCEPTED = {"bool": "b", "integer": "iub", "unsigned": "iub", "floating": "fiub", "complex": "cfiub"}
_STRING_KINDS = "OSU"


def to_numpy(
    values: Any,
    dtype: DType | None = None,
    shape: Any = None,
    *,
    verify_shape: bool = False,
    allow_broadcast: bool = False,
) -> Array:
    """Returns `values` as an array that shares no memory with them.

    Args:
        values: a number, a string, a nested list or tuple of them, or anything that NumPy takes for an array.
        dtype: the type of the elements; None takes the one that the values suggest.
        shape: the sizes of the result, None for those of the values. Where values are fewer than elements, the
            last value goes on to the end.
        verify_shape: whether the values must have exactly this shape.
        allow_broadcast: whether only a single value may go on.

    Raises:
        TypeError: an element is not of type `dtype`, there is no type for the values, or the shape is not the
            asked one.
        ValueError: `values` is None, a list is not nested regularly, or there are more values than elements.
    """
    array = as_array(values, dtype, shape)
    if shape is None:
        return np.array(array, order="C") if is_array_like(values) else array
    sizes = fitting_sizes(array, shape, verify_shape, allow_broadcast)
    return fill(array, sizes)


def as_array(values: Any, dtype: DType | None, shape: Any = None) -> Array:
    """Returns `values` as an array of their own shape; one that is an array already may be the result itself."""
    dtype = None if dtype is None else dtype.base_dtype
    if is_array_like(values):
        return _from_array(np.asarray(values), dtype)
    if values is None:
        raise ValueError("None values not supported.")
    if shape is not None and np.prod(list(shape), dtype=np.int64) == 0:  # then the values do not matter
        return np.empty(list(shape), np.float32 if dtype is None else dtype.as_numpy_dtype)
    return _inferred(values) if dtype is None else _typed(values, dtype)


def is_array_like(values: Any) -> bool:
    """Whether the object brings a type and shape of its own: an array, a NumPy scalar, a buffer other than bytes."""
    if isinstance(values, np.ndarray | np.generic):
        return True
    if isinstance(values, str | bytes | int | float | complex | list | tuple) or _is_symbolic(values):
        return False
    has_array = hasattr(values, "__array__") or hasattr(values, "__array_interface__")
    return has_array or isinstance(values, bytearray | memoryview | array_module.array)


def fitting_sizes(array: Array, shape: Any, verify_shape: bool, allow_broadcast: bool) -> tuple[int, ...]:
    """Returns `shape` as a tuple of int, if the array can fill it; see `to_numpy` for the rules and errors."""
    if verify_shape and allow_broadcast:
        raise ValueError("allow_broadcast and verify_shape are not both allowed.")
    sizes = tuple(int(size) for size in shape)
    count = int(np.prod(sizes, dtype=np.int64))
    repeats_one = allow_broadcast and array.shape in ((), (1,))
    if (verify_shape and array.shape != sizes) or (allow_broadcast and array.size != count and not repeats_one):
        raise TypeError(f"Expected Tensor's shape: {sizes}, got {array.shape}.")
    if array.size > count:
        raise ValueError(f"Too many elements provided. Needed at most {count}, but received {array.size}")
    return sizes


def fill(array: Array, sizes: Sequence[int]) -> Array:
    """Returns an array of these sizes with the elements of `array` in order, the last one going on to the end.

    No elements at all go on as zeros, empty strings for objects.
    """
    values = array.reshape(-1)
    if values.size == 0:
        return np.full(sizes, b"", object) if array.dtype == object else np.zeros(sizes, array.dtype)
    result = np.empty(sizes, array.dtype)
    flat = result.reshape(-1)
    flat[: values.size] = values
    flat[values.size :] = values[-1]
    return result


def _from_array(array: Array, dtype: DType | None) -> Array:
    wanted = as_dtype(array.dtype) if dtype is None else dtype
    if wanted.name == "string":
        return _as_bytes_array(array, array)
    with np.errstate(over="ignore", invalid="ignore"):  # out-of-range values wrap or become infinite
        return np.asarray(array.astype(_little_endian(wanted), copy=False))


def _little_endian(dtype: DType) -> "np.dtype[Any]":
    return np.dtype(dtype.as_numpy_dtype).newbyteorder("<")


def _inferred(values: Any) -> Array:
    try:
        array = np.array(values)
    except (ValueError, NotImplementedError) as error:
        _refuse_tensors(values)
        raise _irregular(values) from error
    _refuse_ragged(values, array.shape)
    if array.dtype.kind in _STRING_KINDS:
        return _from_objects(values)
    if array.dtype == np.float64:
        with np.errstate(over="ignore"):
            return np.asarray(array.astype(np.float32))
    if array.dtype == np.int64:
        narrow = array.astype(np.int32)
        return narrow if np.array_equal(narrow, array) else array
    return array.view(np.uint64) if array.dtype == np.uint64 else array  # NumPy's C type for 2**63 is another one


def _from_objects(values: Any) -> Array:
    _refuse_tensors(values)
    objects = np.array(values, dtype=object)  # NumPy's own string types drop trailing zero bytes
    if any(isinstance(element, Dimension) for element in objects.flat):
        return _inferred(objects.astype(np.int64).tolist())
    return _as_bytes_array(objects, values)


def _as_bytes_array(array: Array, values: Any) -> Array:
    result = np.empty(array.shape, dtype=object)
    flat = result.reshape(-1)
    for index, element in enumerate(array.flat):
        try:
            flat[index] = bytes(as_bytes(element))  # not NumPy's own kind of bytes
        except TypeError:
            raise TypeError(
                f"Failed to convert object of type {type(values)} to Tensor. Contents: {values}. "
                f"Consider casting elements to a supported type."
            ) from None
    return result


def _typed(values: Any, dtype: DType) -> Array:
    if not dtype.is_numpy_compatible:
        raise TypeError(f"A tensor of type {dtype.name} has no value that can be written down, got {values!r}.")
    if dtype.name == "string":
        _check_elements(values, dtype)
        objects = np.array(values, dtype=object)
        _refuse_ragged(values, objects.shape)
        return _as_bytes_array(objects, values)
    if dtype.is_quantized:  # elements are tuples of one number, so lists alone give the shape
        _check_elements(values, dtype)
        return np.array(values, dtype=dtype.as_numpy_dtype)
    return _typed_number(values, dtype)


def _typed_number(values: Any, dtype: DType) -> Array:
    target = dtype.as_numpy_dtype
    try:
        array = np.array(values)
    except (ValueError, NotImplementedError) as error:
        _check_elements(values, dtype)
        raise _irregular(values) from error
    exact = array.dtype.kind in _ACCEPTED.get(dtype._kind, "")
    if dtype.is_integer and array.dtype.kind == "u":
        _check_range(array, dtype)
    if not exact:
        _check_elements(values, dtype)
    _refuse_ragged(values, array.shape)
    with np.errstate(over="ignore"):
        if exact:
            return np.asarray(array.astype(target))
        return _from_integers(values, target) if dtype.is_integer else np.array(values, dtype=target)


def _from_integers(values: Any, target: Any) -> Array:
    """Integers that share no type of NumPy, such as [2**63, -1]."""
    bits = 8 * np.dtype(target).itemsize
    objects = np.array(values, dtype=object)
    _check_range(objects, as_dtype(target))
    unsigned = [int(element) % 2**bits for element in objects.flat] or np.zeros(0)
    return np.array(unsigned, dtype=f"u{bits // 8}").astype(target).reshape(objects.shape)


def _check_range(integers: Array, dtype: DType) -> None:
    """Raises OverflowError for what 64 bits do not hold; smaller numbers wrap around in types of fewer bits."""
    limit = 2**64 if dtype.is_unsigned else 2**63
    for element in integers.flat:
        if not -(2**63) <= int(element) < limit:
            raise OverflowError(f"Python int too large to convert to C long: {element} as {dtype.name}")


def _check_elements(values: Any, dtype: DType) -> None:
    """Raises TypeError for the first element that is not of the kind of `dtype`."""
    for element in _elements(values, tuples_too=not dtype.is_quantized):
        if not _is_of_kind(element, dtype):
            raise TypeError(f"Expected {dtype.name}, got {element!r} of type '{type(element).__name__}' instead.")


def _elements(values: Any, tuples_too: bool = True) -> Iterator[Any]:
    if isinstance(values, list) or (tuples_too and isinstance(values, tuple)):
        for value in values:
            yield from _elements(value, tuples_too)
    else:
        yield values


def _is_of_kind(element: Any, dtype: DType) -> bool:
    if dtype.is_bool:
        return isinstance(element, bool | np.bool_)
    if dtype.is_integer:
        return isinstance(element, (*integral_types, Dimension))
    if dtype.is_floating:
        return isinstance(element, real_types)
    if dtype.is_complex:
        return isinstance(element, complex_types)
    return isinstance(element, tuple if dtype.is_quantized else str | bytes)


def _is_symbolic(value: Any) -> bool:
    return hasattr(value, "graph") and hasattr(value, "op")


def _refuse_tensors(values: Any) -> None:
    if any(_is_symbolic(element) and not hasattr(element, "dense_shape") for element in _elements(values)):
        raise TypeError("List of Tensors when single Tensor expected")


def _refuse_ragged(values: Any, got: tuple[int, ...]) -> None:
    """Raises ValueError unless the lists alone, without arrays in them, are nested to the shape of the array."""
    wanted, first = [], values
    while isinstance(first, list | tuple):
        wanted.append(len(first))
        if not first:
            break
        first = first[0]
    if list(got) != wanted:
        raise ValueError(f"Argument must be a dense tensor: {values} - got shape {list(got)}, but wanted {wanted}.")


def _irregular(values: Any) -> ValueError:
    """The error for lists that NumPy finds no shape for; raises the one that tells the shapes where they differ."""
    _refuse_ragged(values, np.array(values, dtype=object).shape)
    return ValueError(f"Argument must be a dense tensor: {values} - it holds both lists and single elements.")
