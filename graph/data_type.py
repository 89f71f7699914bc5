"""The class of element types, and the conversion of everything that names one.

In comes whatever a user writes for a type (`tf.float32`, `"float32"`, `np.float32`, `float`, the number of a type
in a GraphDef); out goes the one `DType` of that type. The named constants are in `sessile.graph.dtypes`.
"""

import importlib.util
from typing import Any, ClassVar

import numpy as np

from sessile.graph.public_names import public

REF_OFFSET = 100

# (enum number of the GraphDef format, name, kind, size in bytes)
_TYPES: tuple[tuple[int, str, str, int], ...] = (
    (1, "float32", "floating", 4),
    (2, "float64", "floating", 8),
    (3, "int32", "integer", 4),
    (4, "uint8", "unsigned", 1),
    (5, "int16", "integer", 2),
    (6, "int8", "integer", 1),
    (7, "string", "string", 8),
    (8, "complex64", "complex", 8),
    (9, "int64", "integer", 8),
    (10, "bool", "bool", 1),
    (11, "qint8", "quantized", 1),
    (12, "quint8", "quantized", 1),
    (13, "qint32", "quantized", 4),
    (14, "bfloat16", "floating", 2),
    (15, "qint16", "quantized", 2),
    (16, "quint16", "quantized", 2),
    (17, "uint16", "unsigned", 2),
    (18, "complex128", "complex", 16),
    (19, "float16", "floating", 2),
    (20, "resource", "opaque", 1),
    (21, "variant", "opaque", 1),
    (22, "uint32", "unsigned", 4),
    (23, "uint64", "unsigned", 8),
)
_ALIASES = {"half": "float16", "float": "float32", "double": "float64"}
_REAL_OF_COMPLEX = {"complex64": "float32", "complex128": "float64"}


@public("DType", "dtypes.DType")
class DType:
    """The type of the elements of a tensor; there is one object for each type: `is` works as well as `==`.

    A reference type (`float32_ref`) is the type of a variable that can be assigned in place; its `base_dtype`
    is the type of the value. A `DType` equals all that `as_dtype` converts to it: `tf.float32 == "float32"`.

    Args:
        type_enum: the number of the type in the GraphDef format: 1 for float32, 101 for float32_ref.

    Raises:
        TypeError: there is no type of that number.
    """

    __slots__ = ("_as_ref", "_base", "_kind", "_name", "_numpy", "_size", "_type_enum")
    _as_ref: "DType"
    _base: "DType"
    _kind: str
    _name: str
    _numpy: Any
    _size: int
    _type_enum: int
    _instances: ClassVar[dict[int, "DType"]] = {}

    def __new__(cls, type_enum: int) -> "DType":
        try:
            return cls._instances[int(type_enum)]
        except (KeyError, TypeError, ValueError):
            raise TypeError(f"{type_enum} does not correspond to a valid tensorflow::DataType") from None

    @property
    def name(self) -> str:
        """The name of the type: "float32", "float32_ref"."""
        return self._name

    @property
    def base_dtype(self) -> "DType":
        """The type of the value that a reference type refers to, the type itself for all others."""
        return self._base

    @property
    def real_dtype(self) -> "DType":
        """The type of the real part of a complex type, the type itself for all others."""
        real = _REAL_OF_COMPLEX.get(self._base._name)
        return self if real is None else _BY_NAME[real]

    @property
    def _is_ref_dtype(self) -> bool:
        return self._type_enum > REF_OFFSET

    @property
    def as_datatype_enum(self) -> int:
        """The number of this type in the GraphDef format."""
        return self._type_enum

    @property
    def as_numpy_dtype(self) -> Any:
        """The NumPy type of the elements; strings are Python objects (bytes).

        Raises:
            TypeError: NumPy has no such type (resource, variant; bfloat16 where ml_dtypes is not installed).
        """
        if self._numpy is None:
            if self._base._name != "bfloat16":
                raise TypeError(f"{self} has no NumPy type.")
            self._numpy = _bfloat16_numpy_type()
        return self._numpy

    @property
    def is_numpy_compatible(self) -> bool:
        """Whether values of this type are NumPy arrays; those of resources and variants are not."""
        return self._kind != "opaque"

    @property
    def is_bool(self) -> bool:
        """Whether this is the type of truth values."""
        return self._kind == "bool"

    @property
    def is_integer(self) -> bool:
        """Whether this is an integer type, signed or unsigned, but not a quantized one."""
        return self._kind in ("integer", "unsigned")

    @property
    def is_floating(self) -> bool:
        """Whether this is a real floating-point type."""
        return self._kind == "floating"

    @property
    def is_complex(self) -> bool:
        """Whether this is a complex floating-point type."""
        return self._kind == "complex"

    @property
    def is_quantized(self) -> bool:
        """Whether this is a quantized type, such as qint8."""
        return self._kind == "quantized"

    @property
    def is_unsigned(self) -> bool:
        """Whether this is an unsigned integer type, but not a quantized one."""
        return self._kind == "unsigned"

    @property
    def size(self) -> int:
        """The number of bytes of one element (of its handle for strings; 1 for resources and variants)."""
        return self._size

    @property
    def min(self) -> Any:
        """The least finite value that the type can hold.

        Raises:
            TypeError: the type is quantized, complex, bool, or not a number.
        """
        return self._extreme("min", "minimum")

    @property
    def max(self) -> Any:
        """The greatest finite value that the type can hold.

        Raises:
            TypeError: the type is quantized, complex, bool, or not a number.
        """
        return self._extreme("max", "maximum")

    def _extreme(self, which: str, word: str) -> Any:
        if self._base._name == "bfloat16":
            return float.fromhex("-0x1.FEp127" if which == "min" else "0x1.FEp127")
        if self.is_floating:
            return getattr(np.finfo(self.as_numpy_dtype), which)
        if self.is_integer:
            return getattr(np.iinfo(self.as_numpy_dtype), which)
        quantized = "quantized " if self.is_quantized else ""
        raise TypeError(f"Cannot find {word} value of {self} with {quantized}type {self.base_dtype}.")

    @property
    def limits(self) -> tuple[Any, Any]:
        """The range of intensities of an image of this type, from 0: (0, 255) for uint8, (0, 1) for floats.

        Raises:
            ValueError: images do not have this type.
        """
        if self._base._name in ("float32", "float64"):
            return 0, 1
        if self.is_bool:
            return 0, True
        if self.is_integer:
            return 0, self.max
        raise ValueError(f"{self} does not have defined limits.")

    def is_compatible_with(self, other: Any) -> bool:
        """Whether a value of type `other` can be used where this type is asked for.

        A reference can be used as a value of its base type, but not the other way round.

        Raises:
            TypeError: `other` names no type.
        """
        other = as_dtype(other)
        return other is self or other is self._as_ref

    def __eq__(self, other: object) -> bool:
        if self is other:
            return True
        if other is None or isinstance(other, DType):
            return False
        try:
            return as_dtype(other) is self
        except TypeError:
            return False

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __hash__(self) -> int:
        return self._type_enum

    def __int__(self) -> int:
        return self._type_enum

    def __str__(self) -> str:
        return f"<dtype: '{self._name}'>"

    def __repr__(self) -> str:
        return f"tf.{self._name}"

    def __reduce__(self) -> tuple[Any, tuple[int]]:
        return DType, (self._type_enum,)


@public("as_dtype", "dtypes.as_dtype")
def as_dtype(type_value: Any) -> DType:
    """Returns the `DType` that `type_value` names.

    Args:
        type_value: a `DType`, its name ("float32", "half", "int32_ref"), its number in the GraphDef format, a
            NumPy dtype or scalar type, an object with a `dtype` (an array, a NumPy scalar), or one of Python's
            float (float32), bool and object (string). Python's int has no fixed size and names no type.

    Raises:
        TypeError: `type_value` names no type.
    """
    if isinstance(type_value, DType):
        return type_value
    if isinstance(type_value, str):
        found = _BY_NAME.get(type_value)
    elif isinstance(type_value, int):
        found = DType._instances.get(type_value)
    elif isinstance(type_value, type):
        found = _BY_TYPE.get(type_value) or _bfloat16_if(type_value)
    elif isinstance(type_value, np.dtype):
        found = _from_numpy(type_value)
    else:
        found = _from_attribute(type_value)
    if found is None:
        hint = " Use tf.int32 or tf.int64." if type_value is int else ""
        raise TypeError(f"Cannot convert value {type_value!r} to a TensorFlow DType.{hint}")
    return found


def _from_numpy(dtype: "np.dtype[Any]") -> DType | None:
    if dtype.names is not None:  # quantized types are one-field structures that bear the type's name
        found = _BY_NAME.get(dtype.names[0]) if len(dtype.names) == 1 else None
        return found if found is not None and found.is_quantized and found._numpy == dtype else None
    return _BY_TYPE.get(dtype.type) or _bfloat16_if(dtype.type)


def _from_attribute(value: Any) -> DType | None:
    dtype = getattr(value, "dtype", None)
    if isinstance(dtype, np.dtype):
        return _from_numpy(dtype)
    return None


def _bfloat16_if(scalar_type: type) -> DType | None:
    is_bfloat16 = scalar_type.__name__ == "bfloat16" and scalar_type.__module__ == "ml_dtypes"
    return _BY_NAME["bfloat16"] if is_bfloat16 else None


def _bfloat16_numpy_type() -> Any:
    if importlib.util.find_spec("ml_dtypes") is None:
        raise TypeError("NumPy has no bfloat16. Install ml_dtypes to have it, or cast to tf.float32 first.")
    return importlib.import_module("ml_dtypes").bfloat16


def _numpy_type(name: str, kind: str, size: int) -> Any:
    if kind == "string":
        return object
    if kind == "quantized":
        return np.dtype([(name, name.lstrip("q"))])
    if kind == "opaque" or name == "bfloat16":
        return None
    return np.dtype(name).type


def _new_type(enum: int, name: str, kind: str, size: int) -> DType:
    dtype = object.__new__(DType)
    dtype._type_enum, dtype._name, dtype._kind, dtype._size = enum, name, kind, size
    dtype._numpy = _numpy_type(name.removesuffix("_ref"), kind, size)
    DType._instances[enum] = dtype
    return dtype


def _make_types() -> dict[str, DType]:
    by_name: dict[str, DType] = {}
    for enum, name, kind, size in _TYPES:
        base = _new_type(enum, name, kind, size)
        reference = _new_type(enum + REF_OFFSET, f"{name}_ref", kind, size)
        base._base = reference._base = base
        base._as_ref = reference._as_ref = reference
        by_name |= {base.name: base, reference.name: reference}
    for alias, name in _ALIASES.items():
        by_name |= {alias: by_name[name], f"{alias}_ref": by_name[f"{name}_ref"]}
    return by_name


def _types_of_python_and_numpy() -> dict[type, DType]:
    of_python = {float: "float32", bool: "bool", object: "string"}
    by_type: dict[type, DType] = {python_type: _BY_NAME[name] for python_type, name in of_python.items()}
    for scalar in set(np.sctypeDict.values()):
        dtype = np.dtype(scalar)
        name = "string" if dtype.kind in "OSU" else dtype.name  # C's int types share the name of their size
        if name in _BY_NAME:
            by_type[scalar] = _BY_NAME[name]
    return by_type


_BY_NAME = _make_types()
_BY_TYPE = _types_of_python_and_numpy()
