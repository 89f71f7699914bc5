"""How C sees the elements of tensors: an enumerator of the header's `dtype`, and the type that holds an element."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class ElementType:
    """An element type in C.

    Attributes:
      name: TensorFlow's name of the dtype; in capitals the end of the enumerator.
      number: of the dtype in TensorFlow's DataType.
      c_type: what holds an element.
    """

    name: str
    number: int
    c_type: str


ELEMENT_TYPES = {
    "f32": ElementType("float32", 1, "float"),
    "f64": ElementType("float64", 2, "double"),
    "i32": ElementType("int32", 3, "int32_t"),
    "u8": ElementType("uint8", 4, "uint8_t"),
    "i16": ElementType("int16", 5, "int16_t"),
    "i8": ElementType("int8", 6, "int8_t"),
    "c64": ElementType("complex64", 8, "float[2]"),
    "i64": ElementType("int64", 9, "int64_t"),
    "bool": ElementType("bool", 10, "uint8_t"),
    "u16": ElementType("uint16", 17, "uint16_t"),
    "c128": ElementType("complex128", 18, "double[2]"),
    "f16": ElementType("float16", 19, "uint16_t"),
    "u32": ElementType("uint32", 22, "uint32_t"),
    "u64": ElementType("uint64", 23, "uint64_t"),
}
"""By the compiler's name of the element type. Strings and resources have no place in a C library."""
