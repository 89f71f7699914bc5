"""The element types by name, and the groups of them that definitions of operations name.

`float32`, `int64`, `string_ref` … are the `DType` objects that `tf.` offers. Groups hold no reference types.
"""

from sessile.graph.data_type import DType, as_dtype
from sessile.graph.public_names import add_public

float16 = half = as_dtype("float16")
float32 = as_dtype("float32")
float64 = double = as_dtype("float64")
bfloat16 = as_dtype("bfloat16")
int8 = as_dtype("int8")
int16 = as_dtype("int16")
int32 = as_dtype("int32")
int64 = as_dtype("int64")
uint8 = as_dtype("uint8")
uint16 = as_dtype("uint16")
uint32 = as_dtype("uint32")
uint64 = as_dtype("uint64")
bool = as_dtype("bool")
string = as_dtype("string")
complex64 = as_dtype("complex64")
complex128 = as_dtype("complex128")
qint8 = as_dtype("qint8")
qint16 = as_dtype("qint16")
qint32 = as_dtype("qint32")
quint8 = as_dtype("quint8")
quint16 = as_dtype("quint16")
resource = as_dtype("resource")
variant = as_dtype("variant")

float16_ref = half_ref = as_dtype("float16_ref")
float32_ref = as_dtype("float32_ref")
float64_ref = double_ref = as_dtype("float64_ref")
bfloat16_ref = as_dtype("bfloat16_ref")
int8_ref = as_dtype("int8_ref")
int16_ref = as_dtype("int16_ref")
int32_ref = as_dtype("int32_ref")
int64_ref = as_dtype("int64_ref")
uint8_ref = as_dtype("uint8_ref")
uint16_ref = as_dtype("uint16_ref")
uint32_ref = as_dtype("uint32_ref")
uint64_ref = as_dtype("uint64_ref")
bool_ref = as_dtype("bool_ref")
string_ref = as_dtype("string_ref")
complex64_ref = as_dtype("complex64_ref")
complex128_ref = as_dtype("complex128_ref")
qint8_ref = as_dtype("qint8_ref")
qint16_ref = as_dtype("qint16_ref")
qint32_ref = as_dtype("qint32_ref")
quint8_ref = as_dtype("quint8_ref")
quint16_ref = as_dtype("quint16_ref")
resource_ref = as_dtype("resource_ref")
variant_ref = as_dtype("variant_ref")

FLOATING: frozenset[DType] = frozenset({float16, bfloat16, float32, float64})
COMPLEX: frozenset[DType] = frozenset({complex64, complex128})
SIGNED_INTEGER: frozenset[DType] = frozenset({int8, int16, int32, int64})
UNSIGNED_INTEGER: frozenset[DType] = frozenset({uint8, uint16, uint32, uint64})
INTEGER = SIGNED_INTEGER | UNSIGNED_INTEGER
INDEX: frozenset[DType] = frozenset({int32, int64})
QUANTIZED: frozenset[DType] = frozenset({qint8, qint16, qint32, quint8, quint16})
REAL_NUMBER = FLOATING | INTEGER
NUMERIC = REAL_NUMBER | COMPLEX
SIGNED = FLOATING | SIGNED_INTEGER | COMPLEX
ANY = NUMERIC | QUANTIZED | {bool, string, resource, variant}

QUANTIZED_DTYPES = QUANTIZED | {dtype._as_ref for dtype in QUANTIZED}

for _name, _dtype in list(globals().items()):
    if isinstance(_dtype, DType) and not _dtype._is_ref_dtype:
        add_public(_name, _dtype)
        add_public(f"dtypes.{_name}", _dtype)
add_public("QUANTIZED_DTYPES", QUANTIZED_DTYPES)
add_public("dtypes.QUANTIZED_DTYPES", QUANTIZED_DTYPES)
