"""Checks and messages while a graph runs: Assert, Print."""

from __future__ import annotations

import sys
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value
from sessile.graph.convert import internal_convert
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.name_scope import name_scope
from sessile.graph.op_definition import Attribute, OpDefinition, operation
from sessile.graph.operation import Operation
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape


def summary(value: Any, limit: int) -> str:
    """The first `limit` elements of an array as TensorFlow prints them, `[1 2][3...]`; all for a negative limit."""
    array = np.asarray(value)
    count = array.size if limit < 0 else min(limit, array.size)
    if array.ndim == 0:
        return element_text(array[()])
    texts = [element_text(element) for element in array.reshape(-1)[:count]]
    shown = _rows(texts, array.shape, 0)
    return shown + ("..." if count < array.size else "")


def _rows(texts: list[str], shape: tuple[int, ...], depth: int) -> str:
    """The texts, which are taken off the list, in brackets for each axis after the first."""
    if depth == len(shape) - 1:
        taken = [texts.pop(0) for _ in range(min(shape[-1], len(texts)))]
        cut = "..." if depth and len(taken) < shape[-1] else ""
        return " ".join(taken) + cut
    rows = ""
    for _ in range(shape[depth]):
        if not texts:
            break
        rows += f"[{_rows(texts, shape, depth + 1)}]"
    return rows


def element_text(element: Any) -> str:
    """One element: strings as text, numbers in few digits, truth values as 0 and 1."""
    if isinstance(element, bytes):
        return element.decode(errors="replace")
    if isinstance(element, (bool, np.bool_)):
        return str(int(element))
    if isinstance(element, np.floating):
        return f"{float(element):.9g}" if element.dtype == np.float64 else np.format_float_positional(element, trim="-")
    return str(element)


@operation("Assert")
class Assert(OpDefinition):
    """Ends the run with the values of `data` unless the condition holds."""

    inputs = {"condition": dtypes.bool, "data": "[T]"}
    attributes = {"T": Attribute("list(type)", minimum=1), "summarize": 3}
    stateful = True

    def lower(self, b: Any, condition: Any, data: list[Any], *, summarize: int) -> list[Any]:
        texts = [_literal(source, summarize) for source in b.operation.inputs[1:]]
        shown = [value for text, value in zip(texts, data, strict=True) if text is None]
        if any(value.type.dtype == "string" for value in shown):
            b.call_host(_assertion(b.operation, summarize), condition, *data, results=[])
            return []
        if shown:
            texts = [text if text is None else text.replace("{", "{{").replace("}", "}}") for text in texts]
        ranks = [value.type.rank for value in data]
        places = ["{}" if rank else "[{}]" for rank in ranks]  # the text of an array has brackets of its own
        parts = [place if text is None else f"[{text}]" for text, place in zip(texts, places, strict=True)]
        message = " ".join(parts)
        b.emit("check", condition, *shown, message=f"assertion failed: {message}")
        return []


def _literal(source: Tensor, summarize: int) -> str | None:
    """The text of a constant string, None for other tensors."""
    is_literal = source.op.type == "Const" and source.dtype == dtypes.string
    return summary(constant_value(source), summarize) if is_literal else None


def _assertion(op: Operation, summarize: int) -> Any:
    def check(condition: Any, *data: Any) -> tuple[()]:
        if not np.all(condition):
            shown = " ".join(f"[{summary(value, summarize)}]" for value in data)
            raise InvalidArgumentError(None, op, f"assertion failed: {shown}")
        return ()

    return check


@public("Assert", "debugging.Assert")
def assert_(condition: Any, data: Any, summarize: int | None = None, name: str | None = None) -> Operation:
    """An operation that ends the run with InvalidArgumentError, and the values of `data`, unless the condition holds.

    Args:
        condition: a scalar of bool.
        data: a list of tensors and strings to show.
        summarize: how many elements of each to show, 3 by default.
        name: a name for the operation.

    Returns the operation. It must run for the check to happen: use it as a control dependency.
    """
    with name_scope(name, "Assert", [condition, *data]):
        for item in data:  # these operations count for the seeds of later ones
            internal_convert(item)
        return Assert(condition, list(data), summarize=3 if summarize is None else summarize, name="Assert")


@operation("Print")
class Print(OpDefinition):
    """The input; running it prints the values of `data` to the standard error stream."""

    inputs = {"input": "T", "data": "[U]"}
    attributes = {
        "T": Attribute("type"),
        "U": Attribute("list(type)", minimum=0),
        "message": "",
        "first_n": -1,
        "summarize": 3,
    }
    outputs = {"output": "T"}
    stateful = True

    def infer(self, input: Tensor, data: list[Tensor]) -> TensorShape:
        return input._shape

    def gradient(self, op: Any, grad: Tensor) -> list[Any]:
        return [grad] + [None] * (len(op.inputs) - 1)

    def lower(self, b: Any, input: Any, data: list[Any], *, message: bytes, first_n: int, summarize: int) -> Any:
        b.call_host(_printer(b.operation, message.decode(), first_n, summarize), *data, results=[])
        return input


_times_printed: WeakKeyDictionary[Operation, int] = WeakKeyDictionary()


def _printer(op: Operation, message: str, first_n: int, summarize: int) -> Any:
    """What prints; the number of times is counted at the operation, whichever program it runs in."""

    def show(*data: Any) -> tuple[()]:
        count = _times_printed[op] = _times_printed.get(op, 0) + 1
        if first_n < 0 or count <= first_n:
            print(message + "".join(f"[{summary(value, summarize)}]" for value in data), file=sys.stderr)
        return ()

    return show


@public("Print")
def print_(
    input_: Any,
    data: Any,
    message: str | None = None,
    first_n: int | None = None,
    summarize: int | None = None,
    name: str | None = None,
) -> Tensor:
    """`input_`; when it runs, the values of `data` are printed to the standard error stream.

    Args:
        input_: a tensor.
        data: a list of tensors to print.
        message: a text to print before them.
        first_n: how many times to print; by default always.
        summarize: how many elements of each tensor to print, 3 by default; all of them for -1.
        name: a name for the operation.
    """
    first_n = -1 if first_n is None else first_n
    return Print(
        input_,
        list(data),
        message=message or "",
        first_n=first_n,
        summarize=3 if summarize is None else summarize,
        name=name,
    )
