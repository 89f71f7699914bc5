"""How the contraction intrinsics write LLVM IR: integers and pointers with Python's operators, loops, vector access.

In: an LLVM builder. Out: internal LLVM functions, each defined once per module, that the kernels' intrinsics call.
Nothing here knows what the functions compute.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from llvmlite import ir

from sessile.compiler.cpu.kernel_context import add_kernel_attributes

I32, I64, POINTER = ir.IntType(32), ir.IntType(64), ir.PointerType()
ELEMENTS: dict[str, Any] = {"f32": ir.FloatType(), "f64": ir.DoubleType(), "i64": I64}
ELEMENT_BYTES = {"f32": 4, "f64": 8, "i64": 8}


class Int:
    """A 64-bit integer of the code that is written, or (from a comparison) a truth value.

    Operators append instructions; the other operand may be a Python int. `//` and `%` truncate: use them where both
    operands are non-negative.
    """

    __slots__ = ("builder", "value")

    def __init__(self, builder: ir.IRBuilder, value: Any) -> None:
        self.builder = builder
        self.value = value

    def _operand(self, other: Int | int) -> Any:
        return other.value if isinstance(other, Int) else self.value.type(other)

    def _apply(self, operation: str, other: Int | int, reflected: bool = False) -> Int:
        operands = (self.value, self._operand(other))
        return Int(self.builder, getattr(self.builder, operation)(*(operands[::-1] if reflected else operands)))

    def _compare(self, operator: str, other: Int | int) -> Int:
        return Int(self.builder, self.builder.icmp_signed(operator, self.value, self._operand(other)))

    def __add__(self, other: Int | int) -> Int:
        return self if isinstance(other, int) and other == 0 else self._apply("add", other)

    __radd__ = __add__

    def __sub__(self, other: Int | int) -> Int:
        return self if isinstance(other, int) and other == 0 else self._apply("sub", other)

    def __rsub__(self, other: int) -> Int:
        return self._apply("sub", other, reflected=True)

    def __neg__(self) -> Int:
        return self._apply("sub", 0, reflected=True)

    def __mul__(self, other: Int | int) -> Int:
        return self if isinstance(other, int) and other == 1 else self._apply("mul", other)

    __rmul__ = __mul__

    def __floordiv__(self, other: Int | int) -> Int:
        return self._apply("sdiv", other)

    def __mod__(self, other: Int | int) -> Int:
        return self._apply("srem", other)

    def __and__(self, other: Int | int) -> Int:
        return self._apply("and_", other)

    def __or__(self, other: Int | int) -> Int:
        return self._apply("or_", other)

    def __lt__(self, other: Int | int) -> Int:
        return self._compare("<", other)

    def __le__(self, other: Int | int) -> Int:
        return self._compare("<=", other)

    def __gt__(self, other: Int | int) -> Int:
        return self._compare(">", other)

    def __ge__(self, other: Int | int) -> Int:
        return self._compare(">=", other)

    def equals(self, other: Int | int) -> Int:
        return self._compare("==", other)


class Pointer:
    """The address of an element; adding an integer moves it by that many elements."""

    __slots__ = ("builder", "dtype", "value")

    def __init__(self, builder: ir.IRBuilder, value: Any, dtype: str) -> None:
        self.builder = builder
        self.value = value
        self.dtype = dtype

    def __add__(self, offset: Int | int) -> Pointer:
        if isinstance(offset, int):
            if offset == 0:
                return self
            offset = Int(self.builder, I64(offset))
        place = self.builder.gep(self.value, [offset.value], source_etype=ELEMENTS[self.dtype])
        return Pointer(self.builder, place, self.dtype)

    def load(self) -> Any:
        return self.builder.load(self.value, typ=ELEMENTS[self.dtype])

    def store(self, element: Any) -> None:
        self.builder.store(element, self.value)


class Variable:
    """An integer in memory, on the stack or elsewhere, that changes while the written code runs."""

    __slots__ = ("_builder", "_cell")

    def __init__(self, builder: ir.IRBuilder, cell: Any) -> None:
        self._builder = builder
        self._cell = cell

    def get(self) -> Int:
        # The alignment is that of the smallest element, since plans lie in workspaces of elements.
        return Int(self._builder, self._builder.load(self._cell, typ=I64, align=4))

    def set(self, value: Int | int) -> None:
        self._builder.store(value.value if isinstance(value, Int) else I64(value), self._cell, align=4)


class Emitter:
    """Appends instructions for one element type and vector width to a function.

    Memory is accessed with the alignment of one element.
    """

    def __init__(self, builder: ir.IRBuilder, dtype: str, lanes: int) -> None:
        self.builder = builder
        self.dtype = dtype
        self.lanes = lanes
        self.element = ELEMENTS[dtype]
        self.vector = ir.VectorType(self.element, lanes)
        self._alignment = ELEMENT_BYTES[dtype]

    def integer(self, value: Int | int) -> Int:
        return value if isinstance(value, Int) else Int(self.builder, I64(value))

    def select(self, condition: Int, x: Int | int, y: Int | int) -> Int:
        """`x` where the condition holds, else `y`."""
        chosen = self.builder.select(condition.value, self.integer(x).value, self.integer(y).value)
        return Int(self.builder, chosen)

    def minimum(self, x: Int, y: Int | int) -> Int:
        return self.select(x < y, x, y)

    def maximum(self, x: Int, y: Int | int) -> Int:
        return self.select(x > y, x, y)

    def ceiling(self, x: Int, y: Int | int) -> Int:
        """x / y rounded up, for positive y; 0 for a negative x."""
        quotient = self.variable(self.maximum(x, 0))
        with self.builder.if_then((self.integer(y) > 1).value):  # spares most divisions
            quotient.set((quotient.get() + y - 1) // y)
        return quotient.get()

    def variable(self, value: Int | int) -> Variable:
        variable = Variable(self.builder, self._allocate(I64, 1))
        variable.set(value)
        return variable

    def array(self, count: int) -> Pointer:
        """Room for `count` elements on the stack, the same in every turn of a loop."""
        return Pointer(self.builder, self._allocate(self.element, count), self.dtype)

    def _allocate(self, kind: Any, count: int) -> Any:
        with self.builder.goto_entry_block():
            return self.builder.alloca(kind, count)

    @contextmanager
    def loop(self, start: Int | int, stop: Int | int, step: Int | int = 1) -> Iterator[Int]:
        """`for index in range(start, stop, step)` with a positive step; yields the index."""
        builder = self.builder
        head, body, end = (builder.append_basic_block(name) for name in ("loop", "body", "end"))
        before = builder.block
        builder.branch(head)
        builder.position_at_end(head)
        index = builder.phi(I64)
        index.add_incoming(self.integer(start).value, before)
        position = Int(builder, index)
        builder.cbranch((position < stop).value, body, end)
        builder.position_at_end(body)
        yield position
        index.add_incoming((position + step).value, builder.block)
        builder.branch(head)
        builder.position_at_end(end)

    @contextmanager
    def repeat(self, condition: Callable[[], Int]) -> Iterator[None]:
        """`while condition():`; the condition reads variables."""
        builder = self.builder
        head, body, end = (builder.append_basic_block(name) for name in ("while", "body", "end"))
        builder.branch(head)
        builder.position_at_end(head)
        builder.cbranch(condition().value, body, end)
        builder.position_at_end(body)
        yield
        builder.branch(head)
        builder.position_at_end(end)

    @contextmanager
    def branch(self, condition: Int) -> Iterator[tuple[Any, Any]]:
        """Yields two context managers: for the code where the condition holds, and for the other case."""
        with self.builder.if_else(condition.value) as cases:
            yield cases

    def load(self, pointer: Pointer) -> Any:
        """The vector of elements from `pointer` on."""
        return self.builder.load(pointer.value, typ=self.vector, align=self._alignment)

    def store(self, value: Any, pointer: Pointer) -> None:
        # llvmlite wants a pointer to vectors here; to LLVM all pointers are of one kind.
        place = self.builder.bitcast(pointer.value, self.vector.as_pointer())
        self.builder.store(value, place, align=self._alignment)

    def lanes_below(self, count: Int) -> Any:
        """A mask of the first `count` lanes; all for a count beyond the vector, none for a negative one."""
        limit = self.minimum(self.maximum(count, 0), self.lanes)
        limits = self.splat(self.builder.trunc(limit.value, I32))
        numbers = ir.Constant(ir.VectorType(I32, self.lanes), list(range(self.lanes)))
        return self.builder.icmp_signed("<", numbers, limits)

    def load_masked(self, pointer: Pointer, mask: Any) -> Any:
        """The vector from `pointer` on; lanes outside the mask are zero and their memory is not touched."""
        name = f"llvm.masked.load.v{self.lanes}{self.dtype}.p0"
        load = self._declare(name, self.vector, [POINTER, I32, mask.type, self.vector])
        return self.builder.call(load, [pointer.value, I32(self._alignment), mask, self.zero()])

    def store_masked(self, value: Any, pointer: Pointer, mask: Any) -> None:
        name = f"llvm.masked.store.v{self.lanes}{self.dtype}.p0"
        store = self._declare(name, ir.VoidType(), [self.vector, POINTER, I32, mask.type])
        self.builder.call(store, [value, pointer.value, I32(self._alignment), mask])

    def zero(self) -> Any:
        return ir.Constant(self.vector, None)

    def splat(self, scalar: Any) -> Any:
        """A vector with `scalar` in each lane."""
        single = ir.Constant(ir.VectorType(scalar.type, 1), ir.Undefined)
        return self.shuffle(self.builder.insert_element(single, scalar, I32(0)), single, [0] * self.lanes)

    def shuffle(self, x: Any, y: Any, lanes: Sequence[int]) -> Any:
        """The given lanes of `x` followed by `y`."""
        return self.builder.shuffle_vector(x, y, ir.Constant(ir.VectorType(I32, len(lanes)), list(lanes)))

    def multiply_add(self, x: Any, y: Any, z: Any) -> Any:
        """x * y + z on vectors, fused where the processor can."""
        fused = self._declare(f"llvm.fmuladd.v{self.lanes}{self.dtype}", self.vector, [self.vector] * 3)
        return self.builder.call(fused, [x, y, z])

    def sum_of_lanes(self, vector: Any) -> Any:
        """The sum of a vector's lanes, added pairwise."""
        name = f"llvm.vector.reduce.fadd.v{self.lanes}{self.dtype}"
        reduce = self._declare(name, self.element, [self.element, self.vector])
        return self.builder.call(reduce, [ir.Constant(self.element, -0.0), vector], fastmath=("reassoc",))

    def _declare(self, name: str, result: Any, arguments: Sequence[Any]) -> Any:
        existing = self.builder.module.globals.get(name)
        return existing or ir.Function(self.builder.module, ir.FunctionType(result, list(arguments)), name)

    def call(self, function: ir.Function, *arguments: Int | Pointer | int) -> None:
        values = [I64(argument) if isinstance(argument, int) else argument.value for argument in arguments]
        self.builder.call(function, values)

    def function(self, name: str, letters: str, body: Callable[..., None], noalias: Sequence[int] = ()) -> ir.Function:
        """The function `name` of this module, written by `body` when it is first asked for.

        Args:
          name: equal names must mean equal bodies.
          letters: one for each argument: `p` a pointer to elements, `q` a pointer to i64, `i` an i64.
          body: takes an emitter inside the new function, and its arguments.
          noalias: positions of the pointers that no other argument overlaps.
        """
        module = self.builder.module
        existing = module.globals.get(name)
        if existing is not None:
            return existing
        types = [I64 if letter == "i" else POINTER for letter in letters]
        function = ir.Function(module, ir.FunctionType(ir.VoidType(), types), name)
        function.linkage = "internal"
        function.attributes.add("noinline")
        # The loops that matter are written out; to unroll the others would double the time to compile.
        function.attributes.add("optsize")
        add_kernel_attributes(function)
        for position in noalias:
            function.args[position].add_attribute("noalias")
        builder = ir.IRBuilder(function.append_basic_block("entry"))
        pointees = {"p": self.dtype, "q": "i64"}
        body(
            Emitter(builder, self.dtype, self.lanes),
            *(
                Int(builder, value) if letter == "i" else Pointer(builder, value, pointees[letter])
                for letter, value in zip(letters, function.args, strict=True)
            ),
        )
        builder.ret_void()
        return function
