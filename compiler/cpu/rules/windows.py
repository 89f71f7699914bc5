"""Kernel rules of sliding windows: window_reduce and select_and_scatter.

Loops run over the output; the last axis, where the window does not slide along it, is the innermost and vector loop.
"""

from __future__ import annotations

from sessile.compiler.kernel_call import Buffer, KernelCall, NoKernel, Number, kernel_rule
from sessile.compiler.kernel_source import kernel_source
from sessile.compiler.target import Target
from sessile.ir.program import Instruction
from sessile.ir.sizes import product
from sessile.ir.types import TensorType

_SUPPORTED = ("f32", "f64", "i8", "i16", "i32", "i64", "u8", "u16", "u32", "u64")


@kernel_rule("window_reduce")
def window_reduce(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """Each output row gathers the rows of its window."""
    (x,) = instruction.operands
    dtype = x.type.dtype
    nest = _Nest(instruction, x.type)
    combine = _combined(instruction.attributes["function"], dtype)
    lines = nest.output_loops()
    if nest.vector_axis:
        lines += nest.indented("for j in range(inner):", f"    out[place + j] = {_identity(instruction, dtype)}")
        lines += nest.window_loops()
        lines += nest.indented_in_window(
            "for j in range(inner):", f"    out[place + j] = {combine.format(a='out[place + j]', b='x[source + j]')}"
        )
    else:
        lines += nest.indented(f"total = {_identity(instruction, dtype)}")
        lines += nest.window_loops()
        lines += nest.indented_in_window(f"total = {combine.format(a='total', b='x[source]')}")
        lines += nest.indented("out[place] = total")
    code = nest.header("x, out") + "\n".join(lines) + "\n"
    words = ["window", instruction.attributes["function"], dtype]
    source = kernel_source(words, code, (f"*{dtype}", f"*{dtype}", *["i64"] * nest.size_count))
    taps = product(instruction.attributes["window"])
    work = instruction.result.type.size * taps
    return (KernelCall(source, (Buffer(x), Buffer(instruction.result), *nest.sizes), work=work),)


@kernel_rule("select_and_scatter")
def select_and_scatter(instruction: Instruction, _: Target) -> tuple[KernelCall, ...]:
    """Each window finds its first largest element and adds there; images are shared among threads."""
    x, source_value = instruction.operands
    dtype = x.type.dtype
    if dtype not in ("f32", "f64"):
        raise NoKernel(f"select_and_scatter of {dtype} has no kernel")
    nest = _Nest(instruction, x.type, output=source_value.type)
    lines = nest.clearing()
    lines += nest.output_loops()
    inside = ["best = x[0]", "chosen = -1"]
    loop_j = ["for j in range(inner):"] if nest.vector_axis else ["j = 0"]
    indent = "    " if nest.vector_axis else ""
    lines += nest.indented(*loop_j, *(indent + line for line in inside))
    lines += [indent + line for line in nest.window_loops()]
    lines += [
        indent + line
        for line in nest.indented_in_window(
            "candidate = x[source + j]",
            "if chosen < 0 or candidate > best or (candidate != candidate and best == best):",
            "    best = candidate",
            "    chosen = source + j",
        )
    ]
    lines += nest.indented(indent + "if chosen >= 0:", indent + "    out[chosen] += gradient[place + j]")
    code = nest.header("x, gradient, out") + "\n".join(lines) + "\n"
    source = kernel_source(["select_and_scatter", dtype], code, (*[f"*{dtype}"] * 3, *["i64"] * nest.size_count))
    work = source_value.type.size * product(instruction.attributes["window"]) * 2 + x.type.size
    return (
        KernelCall(
            source,
            (Buffer(x), Buffer(source_value), Buffer(instruction.result), *nest.sizes),
            work=work,
            parallel=nest.first_axis_is_free,
        ),
    )


class _Nest:
    """The loops over outputs and windows, as lines of source. Windows, strides and padding are arguments."""

    def __init__(self, instruction: Instruction, x: TensorType, output: TensorType | None = None) -> None:
        if x.dtype not in _SUPPORTED:
            raise NoKernel(f"windows over {x.dtype} have no kernel")
        attributes = instruction.attributes
        self.window, self.strides, self.padding = attributes["window"], attributes["strides"], attributes["padding"]
        self.rank = x.rank
        slides = [
            w > 1 or s > 1 or p != (0, 0) for w, s, p in zip(self.window, self.strides, self.padding, strict=True)
        ]
        self.vector_axis = self.rank > 0 and not slides[-1]
        self.axes = list(range(self.rank - 1 if self.vector_axis else self.rank))
        self.sliding = [axis for axis in self.axes if slides[axis]]
        self.first_axis_is_free = bool(self.axes) and 0 not in self.sliding
        result = output or instruction.result.type
        self.sizes = [Number(x.shape[-1] if self.vector_axis else 1)]
        self.sizes += [Number(size) for axis in self.axes for size in (x.shape[axis], result.shape[axis])]
        for axis in self.sliding:
            self.sizes += [Number(self.window[axis]), Number(self.strides[axis]), Number(self.padding[axis][0])]
        self.size_count = len(self.sizes)

    def header(self, arrays: str) -> str:
        names = ["inner", *(f"{kind}{axis}" for axis in self.axes for kind in ("size", "count"))]
        names += [f"{kind}{axis}" for axis in self.sliding for kind in ("window", "stride", "low")]
        return f"def kernel({arrays}, {', '.join(names)}, part, parts):\n"

    def clearing(self) -> list[str]:
        """Zeros in this part's share of the input-sized result."""
        rest = " * ".join([*(f"size{axis}" for axis in self.axes[1:]), "inner"])
        if not self.first_axis_is_free:
            total = " * ".join([*(f"size{axis}" for axis in self.axes), "inner"])
            return ["    if part != 0:", "        return", f"    for i in range({total}):", "        out[i] = 0"]
        return [
            f"    slab = {rest}",
            "    for i in range(size0 * part // parts * slab, size0 * (part + 1) // parts * slab):",
            "        out[i] = 0",
        ]

    def output_loops(self) -> list[str]:
        lines: list[str] = []
        for depth, axis in enumerate(self.axes):
            bounds = f"count{axis}"
            if depth == 0 and axis == 0:
                bounds = "count0 * part // parts, count0 * (part + 1) // parts"
            lines.append("    " * (1 + depth) + f"for o{axis} in range({bounds}):")
        if not self.axes:
            lines += ["    if part == 0:"]
        place = "0"
        for axis in self.axes:
            place = f"({place} * count{axis} + o{axis})" if place != "0" else f"o{axis}"
        lines += self.indented(f"place = {place} * inner")
        for axis in self.sliding:
            lines += self.indented(
                f"first{axis} = o{axis} * stride{axis} - low{axis}",
                f"begin{axis} = max(first{axis}, 0)",
                f"end{axis} = min(first{axis} + window{axis}, size{axis})",
            )
        return lines

    def window_loops(self) -> list[str]:
        lines: list[str] = []
        depth = self._depth
        for k, axis in enumerate(self.sliding):
            lines.append("    " * (depth + k) + f"for i{axis} in range(begin{axis}, end{axis}):")
        index = "0"
        for axis in self.axes:
            own = f"i{axis}" if axis in self.sliding else f"o{axis}"
            index = f"({index} * size{axis} + {own})" if index != "0" else own
        return [*lines, *self.indented_in_window(f"source = {index} * inner")]

    @property
    def _depth(self) -> int:
        return 1 + max(len(self.axes), 1)

    def indented(self, *lines: str) -> list[str]:
        return ["    " * self._depth + line for line in lines]

    def indented_in_window(self, *lines: str) -> list[str]:
        return ["    " * (self._depth + len(self.sliding)) + line for line in lines]


def _identity(instruction: Instruction, dtype: str) -> str:
    function = instruction.attributes["function"]
    if function == "add":
        return f"{dtype}(0)"
    lowest = function == "max"
    if dtype in ("f32", "f64"):
        return f"{dtype}({'-' if lowest else ''}1e999)"
    bits = int(dtype[1:])
    low, high = (0, 2**bits - 1) if dtype[0] == "u" else (-(2 ** (bits - 1)), 2 ** (bits - 1) - 1)
    return f"{dtype}({low if lowest else high})"


def _combined(function: str, dtype: str) -> str:
    if function == "add":
        return "{a} + {b}" if dtype[0] == "f" else f"{dtype}({{a}} + {{b}})"
    return f"{function}imum_{dtype}({{a}}, {{b}})" if dtype[0] == "f" else f"{function}({{a}}, {{b}})"
