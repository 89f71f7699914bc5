"""The functions that make contexts, set their sizes and free them: `create`, `init`, `free`, `set_size` ...

A size that the caller sets is kept even where it does not fit the others, so that several can change one after the
other; the context is ready to run once all fit.
"""

from __future__ import annotations

from typing import Any

from llvmlite import ir

from sessile.compiler.c_library.context_layout import (
    CAPACITY,
    EXHAUSTED,
    MESSAGE,
    MISSING,
    OWNED,
    READINESS,
    READY,
    SIZES,
    UNFIT,
    WORKSPACE,
)
from sessile.compiler.c_library.library_code import LibraryCode
from sessile.compiler.c_library.module_writer import (
    I1,
    I32,
    I64,
    POINTER,
    VOID,
    WORDS,
    is_null,
    null,
    word_at,
)
from sessile.compiler.c_library.size_code import SizeCode
from sessile.compiler.c_library.statuses import Status
from sessile.ir.program import Guard
from sessile.ir.types import NUMPY_DTYPES

_TOO_LARGE = "the sizes are too large: what follows from them does not fit into 64 bits"


def write_lifecycle(code: LibraryCode) -> None:
    """Writes the functions. Comes last, when all numbers that a context holds are known."""
    resize = _Resize(code).write()
    _write_context_size(code)
    start = _write_start(code, resize)
    _write_init(code, start)
    free = _write_free(code)
    _write_create(code, start, free)
    _write_set_size(code, resize)
    _write_get_size(code)


class _Resize:
    """`resize`: checks the sizes of a context, computes what follows from them, and finds a workspace."""

    def __init__(self, code: LibraryCode) -> None:
        self.code = code
        self.function, self.builder = code.private("resize", I32, WORDS)
        (self.context,) = self.function.args
        places = range(code.context.size_count)
        symbols = {f"n{k}": code.word(self.builder, self.context, SIZES + k) for k in places}
        self.sizes = SizeCode(self.builder, symbols)

    def write(self) -> ir.Function:
        code, builder, context = self.code, self.builder, self.context
        code.set_word(builder, context, READINESS, I64(UNFIT))
        self._check_guards()
        numbers = {place: self.sizes.value(size) for size, place in code.context.numbers.items()}
        arrays = {home: [self.sizes.value(code.interface.size(s)) for s in home.sizes] for home in code.context.arrays}
        workspace = self.sizes.value(code.plan.workspace_bytes)
        code.fail_unless(builder, context, builder.not_(self.sizes.failed), Status.BAD_SIZE, _TOO_LARGE)
        for place, value in numbers.items():
            code.set_word(builder, context, place, value)
        for home, values in arrays.items():
            self._store_array(code.context.arrays[home], home.type.dtype, values)
        self._allocate(workspace)
        code.set_word(builder, context, READINESS, I64(READY))
        builder.ret(I32(Status.OK))
        return self.function

    def _check_guards(self) -> None:
        """Ends with the message of the first relation that does not hold."""
        code, builder = self.code, self.builder
        message: Any = null()
        for guard in reversed(_relations(code)):
            text = f"{_words(code, guard.left)} {guard.relation} {_words(code, guard.right)}"
            holds = self.sizes.holds(guard)
            message = builder.select(holds, message, code.text(f"the library was made for sizes with {text}"))
        code.fail_unless(builder, self.context, builder.not_(self.sizes.failed), Status.BAD_SIZE, _TOO_LARGE)
        code.fail_unless(builder, self.context, is_null(builder, message), Status.BAD_SIZE, message)

    def _store_array(self, place: int, dtype: str, values: list[Any]) -> None:
        element = ir.IntType(8 * NUMPY_DTYPES[dtype].itemsize)
        start = self.builder.bitcast(word_at(self.builder, self.context, place), element.as_pointer())
        for number, value in enumerate(values):
            shorter = value if element.width == 64 else self.builder.trunc(value, element)
            self.builder.store(shorter, self.builder.gep(start, [I64(number)]))

    def _allocate(self, needed: Any) -> None:
        """A context that the library allocated gets a larger workspace if its own is too small."""
        code, builder, context = self.code, self.builder, self.context
        if code.plan.workspace_bytes == 0:
            return
        owned = builder.icmp_signed("!=", code.word(builder, context, OWNED), I64(0))
        small = builder.icmp_signed("<", code.word(builder, context, CAPACITY), needed)
        with builder.if_then(builder.and_(owned, small)):
            builder.call(code.declared("free", VOID, POINTER), [code.pointer_at(builder, context, WORKSPACE)])
            memory = builder.call(code.declared("malloc", POINTER, I64), [needed])
            code.set_word(builder, context, WORKSPACE, builder.ptrtoint(memory, I64))
            is_there = builder.not_(is_null(builder, memory))
            code.set_word(builder, context, CAPACITY, builder.select(is_there, needed, I64(0)))
            with builder.if_then(builder.not_(is_there), likely=False):
                code.set_word(builder, context, READINESS, I64(EXHAUSTED))
                text = "the workspace for these sizes could not be allocated"
                code.fail(builder, context, Status.NO_MEMORY, text)


def _relations(code: LibraryCode) -> list[Guard]:
    """What must hold of the sizes: the program's guards, and that no result has a negative size."""
    interface = code.interface
    axes = {size: None for output in interface.outputs for size in output.type.shape if not isinstance(size, int)}
    return [*interface.guards, *(Guard(size, ">=", 0) for size in axes)]


def _words(code: LibraryCode, size: Any) -> str:
    return code.interface.named(size)


def _write_context_size(code: LibraryCode) -> None:
    _, builder = code.public("context_size", I64)
    builder.ret(I64(8 * code.context.words))


def _write_start(code: LibraryCode, resize: ir.Function) -> ir.Function:
    """`start`: fills a new context; returns whether it can be used."""
    function, builder = code.private("start", I1, WORDS, I64)
    context, owned = function.args
    memory = builder.bitcast(context, POINTER)
    builder.call(code.declared("memset", POINTER, POINTER, I32, I64), [memory, I32(0), I64(8 * code.context.words)])
    code.set_word(builder, context, OWNED, owned)
    code.set_word(builder, context, READINESS, I64(MISSING))
    code.set_word(builder, context, MESSAGE, builder.ptrtoint(code.text("no call has failed"), I64))
    for number in range(code.context.size_count):
        code.set_word(builder, context, SIZES + number, I64(-1))
    _seed_streams(code, builder, context)
    if code.context.size_count:
        builder.ret(I1(1))
    else:
        builder.ret(builder.icmp_signed("==", builder.call(resize, [context]), I32(Status.OK)))
    return function


def _seed_streams(code: LibraryCode, builder: ir.IRBuilder, context: Any) -> None:
    """A stream's counter begins at `seed2 << 64`, its key is `seed`; without seeds both are the system's entropy."""
    for place, stream in code.context.streams.values():
        if stream.seed or stream.seed2:
            code.set_word(builder, context, place + 1, I64(stream.seed2))
            code.set_word(builder, context, place + 2, I64(stream.seed))
            continue
        words = builder.bitcast(word_at(builder, context, place + 1), POINTER)
        failed = builder.call(code.declared("getentropy", I32, POINTER, I64), [words, I64(16)])
        with builder.if_then(builder.icmp_signed("!=", failed, I32(0)), likely=False):
            builder.ret(I1(0))


def _write_init(code: LibraryCode, start: ir.Function) -> None:
    function, builder = code.public("init", WORDS, POINTER)
    context = builder.bitcast(function.args[0], WORDS)
    with builder.if_then(is_null(builder, context), likely=False):
        builder.ret(null(WORDS))
    builder.ret(builder.select(builder.call(start, [context, I64(0)]), context, null(WORDS)))


def _write_free(code: LibraryCode) -> ir.Function:
    function, builder = code.public("free", VOID, WORDS)
    (context,) = function.args
    with builder.if_then(is_null(builder, context)):
        builder.ret_void()
    with builder.if_then(builder.icmp_signed("!=", code.word(builder, context, OWNED), I64(0))):
        release = code.declared("free", VOID, POINTER)
        builder.call(release, [code.pointer_at(builder, context, WORKSPACE)])
        builder.call(release, [builder.bitcast(context, POINTER)])
    builder.ret_void()
    return function


def _write_create(code: LibraryCode, start: ir.Function, free: ir.Function) -> None:
    _, builder = code.public("create", WORDS)
    memory = builder.call(code.declared("malloc", POINTER, I64), [I64(8 * code.context.words)])
    context = builder.bitcast(memory, WORDS)
    with builder.if_then(is_null(builder, context), likely=False):
        builder.ret(null(WORDS))
    with builder.if_then(builder.call(start, [context, I64(1)])):
        builder.ret(context)
    builder.call(free, [context])
    builder.ret(null(WORDS))


def _write_set_size(code: LibraryCode, resize: ir.Function) -> None:
    function, builder = code.public("set_size", I32, WORDS, I64, I64)
    context, index, value = function.args
    count = code.context.size_count
    exists = builder.icmp_unsigned("<", index, I64(count))
    code.fail_unless(builder, context, exists, Status.BAD_INDEX, f"there are {count} sizes to set, from number 0")
    if not count:
        builder.unreachable()
        return
    is_size = builder.icmp_signed(">=", value, I64(0))
    code.fail_unless(builder, context, is_size, Status.BAD_SIZE, "a size cannot be negative")
    builder.store(value, builder.gep(context, [builder.add(index, I64(SIZES))]))
    code.set_word(builder, context, READINESS, I64(MISSING))
    smallest: Any = I64(0)
    for number in range(count):
        smallest = builder.or_(smallest, code.word(builder, context, SIZES + number))
    with builder.if_then(builder.icmp_signed("<", smallest, I64(0))):  # one of them is -1
        builder.ret(I32(Status.OK))
    builder.ret(builder.call(resize, [context]))


def _write_get_size(code: LibraryCode) -> None:
    function, builder = code.public("get_size", I64, WORDS, I64)
    context, index = function.args
    with builder.if_then(builder.icmp_unsigned(">=", index, I64(code.context.size_count))):
        builder.ret(I64(-1))
    builder.ret(builder.load(builder.gep(context, [builder.add(index, I64(SIZES))])))
