"""Values of LLVM IR with Python operators: what the elementary functions are written in.

A `Value` holds one scalar SSA value and the builder that appends to the current basic block. Operators append an
instruction and return a new `Value`; a Python number becomes a constant of the other operand's type. All but `repeat`
is straight-line code without calls, so that a loop around it can be vectorised. Nothing is specific to a processor.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from llvmlite import ir

BOOL = ir.IntType(1)
I32, I64 = ir.IntType(32), ir.IntType(64)
F16, F32, F64 = ir.HalfType(), ir.FloatType(), ir.DoubleType()


@dataclass(frozen=True)
class Format:
    """Layout of a binary floating-point type: its LLVM type, the integer of its size, and its constants."""

    type: Any
    integer: Any
    fraction_bits: int
    bias: int

    @property
    def sign_bit(self) -> int:
        return 1 << (self.integer.width - 1)

    @property
    def smallest_normal(self) -> float:
        return 2.0 ** (1 - self.bias)

    @property
    def rounding_shift(self) -> float:
        """1.5 * 2**fraction_bits: adding it rounds to an integer, half to even, kept in the low bits."""
        return 1.5 * 2.0**self.fraction_bits


FORMATS = {F32: Format(F32, I32, 23, 127), F64: Format(F64, I64, 52, 1023)}

Number = bool | int | float


class Value:
    """One scalar SSA value; integers are signed unless a method says otherwise, comparisons of NaN are false."""

    __slots__ = ("builder", "ir")

    def __init__(self, builder: Any, value: Any) -> None:
        self.builder = builder
        self.ir = value

    @property
    def type(self) -> Any:
        return self.ir.type

    @property
    def format(self) -> Format:
        return FORMATS[self.type]

    @property
    def is_float(self) -> bool:
        return self.type in (F16, F32, F64)

    def constant(self, number: Number, type_: Any = None) -> Value:
        """A constant of this value's type (or `type_`), rounded to it."""
        type_ = self.type if type_ is None else type_
        if type_ is F32 or type_ == F32:
            number = round_to_f32(float(number))
        elif isinstance(type_, ir.IntType):
            number = int(number) & ((1 << type_.width) - 1)
        return Value(self.builder, ir.Constant(type_, number))

    def _operand(self, other: Value | Number) -> Any:
        return other.ir if isinstance(other, Value) else self.constant(other).ir

    def _binary(self, name: str, other: Value | Number, swapped: bool = False) -> Value:
        left, right = self.ir, self._operand(other)
        if swapped:
            left, right = right, left
        return Value(self.builder, getattr(self.builder, name)(left, right))

    def _arithmetic(self, name: str, other: Value | Number, swapped: bool = False) -> Value:
        return self._binary("f" + name if self.is_float else name, other, swapped)

    def _compare(self, operator: str, other: Value | Number) -> Value:
        compare = self.builder.fcmp_ordered if self.is_float else self.builder.icmp_signed
        return Value(self.builder, compare(operator, self.ir, self._operand(other)))

    def __add__(self, other: Value | Number) -> Value:
        return self._arithmetic("add", other)

    def __radd__(self, other: Number) -> Value:
        return self._arithmetic("add", other, swapped=True)

    def __sub__(self, other: Value | Number) -> Value:
        return self._arithmetic("sub", other)

    def __rsub__(self, other: Number) -> Value:
        return self._arithmetic("sub", other, swapped=True)

    def __mul__(self, other: Value | Number) -> Value:
        return self._arithmetic("mul", other)

    def __rmul__(self, other: Number) -> Value:
        return self._arithmetic("mul", other, swapped=True)

    def __truediv__(self, other: Value | Number) -> Value:
        return self._binary("fdiv", other)

    def __rtruediv__(self, other: Number) -> Value:
        return self._binary("fdiv", other, swapped=True)

    def __neg__(self) -> Value:
        return Value(self.builder, self.builder.fneg(self.ir) if self.is_float else self.builder.neg(self.ir))

    def __and__(self, other: Value | Number) -> Value:
        return self._binary("and_", other)

    def __or__(self, other: Value | Number) -> Value:
        return self._binary("or_", other)

    def __xor__(self, other: Value | Number) -> Value:
        return self._binary("xor", other)

    def __invert__(self) -> Value:
        return Value(self.builder, self.builder.not_(self.ir))

    def __lshift__(self, other: Value | int) -> Value:
        return self._binary("shl", other)

    def __rshift__(self, other: Value | int) -> Value:
        return self._binary("ashr", other)

    def __lt__(self, other: Value | Number) -> Value:
        return self._compare("<", other)

    def __le__(self, other: Value | Number) -> Value:
        return self._compare("<=", other)

    def __gt__(self, other: Value | Number) -> Value:
        return self._compare(">", other)

    def __ge__(self, other: Value | Number) -> Value:
        return self._compare(">=", other)

    def equals(self, other: Value | Number) -> Value:
        return self._compare("==", other)

    def differs(self, other: Value | Number) -> Value:
        """True where the values are not equal; true also for NaN."""
        if self.is_float:
            return Value(self.builder, self.builder.fcmp_unordered("!=", self.ir, self._operand(other)))
        return self._compare("!=", other)

    def below(self, other: Value | Number) -> Value:
        """Unsigned integer comparison `self < other`."""
        return Value(self.builder, self.builder.icmp_unsigned("<", self.ir, self._operand(other)))

    def shift_right_unsigned(self, count: Value | int) -> Value:
        return self._binary("lshr", count)


def round_to_f32(number: float) -> float:
    """The nearest f32, as a Python float; infinities and NaN stay."""
    return float(struct.unpack("f", struct.pack("f", number))[0])


def select(condition: Value, then: Value | Number, otherwise: Value | Number) -> Value:
    """`then` where the condition holds, else `otherwise`; at least one of the two is a Value."""
    if not isinstance(then, Value):
        assert isinstance(otherwise, Value)
        then = otherwise.constant(then)
    return Value(then.builder, then.builder.select(condition.ir, then.ir, then._operand(otherwise)))


def fma(a: Value, b: Value | Number, c: Value | Number) -> Value:
    """a * b + c, rounded once."""
    return Value(a.builder, a.builder.fma(a.ir, a._operand(b), a._operand(c)))


def horner(x: Value, coefficients: Sequence[float]) -> Value:
    """The polynomial with the given coefficients, constant term first."""
    result = x.constant(coefficients[-1])
    for coefficient in reversed(coefficients[:-1]):
        result = fma(result, x, coefficient)
    return result


def call_intrinsic(name: str, *arguments: Value) -> Value:
    """An LLVM intrinsic all of whose arguments and result have one type."""
    first = arguments[0]
    signature = ir.FunctionType(first.type, [first.type] * len(arguments))
    function = first.builder.module.declare_intrinsic(name, [first.type], signature)
    return Value(first.builder, first.builder.call(function, [argument.ir for argument in arguments]))


def square_root(x: Value) -> Value:
    return call_intrinsic("llvm.sqrt", x)


def absolute(x: Value) -> Value:
    return call_intrinsic("llvm.fabs", x)


def copy_sign(magnitude: Value, sign: Value) -> Value:
    return call_intrinsic("llvm.copysign", magnitude, sign)


def is_nan(x: Value) -> Value:
    return Value(x.builder, x.builder.fcmp_unordered("uno", x.ir, x.ir))


def bits(x: Value) -> Value:
    """The bit pattern of a float, as an integer of its size."""
    return Value(x.builder, x.builder.bitcast(x.ir, x.format.integer))


def from_bits(x: Value) -> Value:
    """The float with the given bit pattern."""
    return Value(x.builder, x.builder.bitcast(x.ir, F32 if x.type == I32 else F64))


def resize(x: Value, type_: Any, signed: bool = True) -> Value:
    """An integer converted to another width, keeping the low bits."""
    if x.type.width == type_.width:
        return x
    if x.type.width > type_.width:
        return Value(x.builder, x.builder.trunc(x.ir, type_))
    return Value(x.builder, (x.builder.sext if signed else x.builder.zext)(x.ir, type_))


def to_float(x: Value, type_: Any, signed: bool = True) -> Value:
    """An integer converted to a float type."""
    return Value(x.builder, (x.builder.sitofp if signed else x.builder.uitofp)(x.ir, type_))


def to_integer(x: Value, type_: Any, signed: bool = True) -> Value:
    """A float truncated to an integer type; the caller makes sure that it fits."""
    return Value(x.builder, (x.builder.fptosi if signed else x.builder.fptoui)(x.ir, type_))


def convert(x: Value, type_: Any) -> Value:
    """A float converted to another float type."""
    if x.type == type_:
        return x
    widens = FLOAT_ORDER.index(type_) > FLOAT_ORDER.index(x.type)
    return Value(x.builder, (x.builder.fpext if widens else x.builder.fptrunc)(x.ir, type_))


FLOAT_ORDER = [F16, F32, F64]


def power_of_two(exponent: Value, format_: Format) -> Value:
    """2**exponent for an integer exponent of a normal number; exponent -bias gives zero."""
    return from_bits((exponent + format_.bias) << format_.fraction_bits)


def round_scaled(x: Value, scale: float) -> tuple[Value, Value]:
    """x * scale rounded to an integer, half to even, as (float, integer); |x * scale| < 2**(fraction_bits - 2)."""
    shift = x.format.rounding_shift
    shifted = fma(x, scale, shift)
    return shifted - shift, bits(shifted) - bit_pattern(shift, x.format)


def bit_pattern(number: float, format_: Format) -> int:
    """The bits of a Python number in the given format."""
    if format_.type == F32:
        return int(struct.unpack("I", struct.pack("f", number))[0])
    return int(struct.unpack("Q", struct.pack("d", number))[0])


def clamp(x: Value, low: float, high: float) -> Value:
    """x limited to [low, high]; NaN stays NaN."""
    x = select(x > high, high, x)
    return select(x < low, low, x)


def fast_two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """a + b as (rounded sum, exact error), for |a| >= |b| or a == 0 (Dekker 1971)."""
    total = a + b
    return total, b - (total - a)


def two_sum(a: Value, b: Value) -> tuple[Value, Value]:
    """a + b as (rounded sum, exact error) for any a and b (Knuth, TAOCP 2, 4.2.2)."""
    total = a + b
    part = total - a
    return total, (a - (total - part)) + (b - part)


def two_product(a: Value, b: Value | float) -> tuple[Value, Value]:
    """a * b as (rounded product, exact error)."""
    product = a * b
    return product, fma(a, b, -product)


def double_word_quotient(a: Value, a_low: Value, b: Value, b_low: Value) -> tuple[Value, Value]:
    """(a + a_low) / (b + b_low) as (quotient, correction), with one division."""
    reciprocal = 1.0 / (b + b_low)
    quotient = a * reciprocal
    remainder = fma(-quotient, b, a) + fma(-quotient, b_low, a_low)
    return quotient, remainder * reciprocal


def lookup(table: str, values: Sequence[float], index: Value) -> Value:
    """values[index] as f64; the table becomes a private constant of the module, once per name."""
    builder, module = index.builder, index.builder.module
    variable = module.globals.get(table)
    if variable is None:
        variable = ir.GlobalVariable(module, ir.ArrayType(F64, len(values)), table)
        variable.initializer = ir.Constant(variable.type.pointee, [ir.Constant(F64, value) for value in values])
        variable.global_constant = True
        variable.linkage = "internal"
    address = builder.gep(variable, [I32(0), resize(index, I64, signed=False).ir], inbounds=True)
    return Value(builder, builder.load(address))


State = tuple[Value, ...]


def repeat(state: State, step: Callable[[State], tuple[Value, State]]) -> State:
    """Replace the state by what `step` makes of it, again while the condition that `step` gives with it holds."""
    builder = state[0].builder
    before = builder.block
    body, after = builder.append_basic_block("repeat"), builder.append_basic_block("repeat.end")
    builder.branch(body)
    builder.position_at_end(body)
    phis = [builder.phi(value.type) for value in state]
    condition, following = step(tuple(Value(builder, phi) for phi in phis))
    builder.cbranch(condition.ir, body, after)
    for phi, first, next_ in zip(phis, state, following, strict=True):
        phi.add_incoming(first.ir, before)
        phi.add_incoming(next_.ir, body)
    builder.position_at_end(after)
    return following
