"""A cursor over program text: words, numbers, literals and types, with the line and column of what is wrong."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from sessile.ir.literals import read_string
from sessile.ir.primitive import ProgramError
from sessile.ir.sizes import Size, parse_size
from sessile.ir.types import NUMPY_DTYPES, TensorType

WORD = re.compile(r"[\w.$/-]+")
STRING = re.compile(r'b?"(?:[^"\\]|\\.)*"')
VALUE = re.compile(r"%(\d+)")
ELEMENT = re.compile(r'b?"(?:[^"\\]|\\.)*"|nan\(0x[0-9a-f]+\)|[-+.\w]+')
_INTEGER = re.compile(r"[-+]?\d+")
_FLOAT = re.compile(r"[-+]?(\d+\.\d*(e[-+]?\d+)?|\d+e[-+]?\d+|inf|nan)")
_EMPTY = re.compile(r"\s*(?:#(.*))?$")
_WORDS = {"true": True, "false": False, "none": None}
_CLOSING = {"(": ")", "[": "]"}

Result = TypeVar("Result")


class ProgramSyntaxError(ProgramError):
    """A text is not a program; `line` and `column` count from 1."""

    def __init__(self, message: str, line: int, column: int, line_text: str) -> None:
        super().__init__(f"line {line}, column {column}: {message}\n    {line_text}\n    {' ' * (column - 1)}^")
        self.line = line
        self.column = column


class TextReader:
    """Reads a text line by line; within a line, piece by piece."""

    def __init__(self, text: str) -> None:
        self._lines = text.split("\n")
        self._row = 0
        self._line = self._lines[0]
        self._column = 0

    # --- position

    def error(self, message: str, column: int | None = None, back: int = 0) -> ProgramSyntaxError:
        """The error that something at the cursor, `back` characters before it, or at `column`, is wrong."""
        row = min(self._row, len(self._lines) - 1)
        place = self._column - back if column is None else column
        return ProgramSyntaxError(message, row + 1, place + 1, self._lines[row])

    @property
    def column(self) -> int:
        """Where the next piece begins, for a later `error`."""
        self._skip_spaces()
        return self._column

    def next_line(self) -> None:
        """Moves to the next line that holds more than a comment."""
        self._row += 1
        self.skip_empty_lines()

    def skip_empty_lines(self) -> None:
        while self._row < len(self._lines) and _EMPTY.match(self._lines[self._row]):
            self._row += 1
        self._line = "" if self.at_end else self._lines[self._row]
        self._column = 0

    @property
    def at_end(self) -> bool:
        """Whether no line is left."""
        return self._row >= len(self._lines)

    def _skip_spaces(self) -> None:
        while self._line.startswith(" ", self._column):
            self._column += 1

    @property
    def at_line_end(self) -> bool:
        """Whether nothing but a comment is left of the line."""
        return _EMPTY.match(self._line, self._column) is not None

    def comment(self) -> str:
        """The comment that ends the line, without its mark; "" if there is none."""
        found = _EMPTY.match(self._line, self._column)
        if found is None:
            self._skip_spaces()
            raise self.error("expected the end of the line")
        return found[1].strip() if found[1] else ""

    # --- pieces

    def take(self, text: str) -> bool:
        """Moves past `text` if it comes next."""
        self._skip_spaces()
        if not self._line.startswith(text, self._column):
            return False
        self._column += len(text)
        return True

    def take_word(self, text: str) -> bool:
        """Moves past `text` if it comes next as a whole word."""
        self._skip_spaces()
        found = WORD.match(self._line, self._column)
        return found is not None and found[0] == text and self.take(text)

    def peek(self, text: str) -> bool:
        self._skip_spaces()
        return self._line.startswith(text, self._column)

    def expect(self, text: str) -> None:
        if not self.take(text):
            raise self.error(f"expected {text!r}")

    def match(self, pattern: re.Pattern[str], what: str = "") -> re.Match[str] | None:
        """Moves past what the pattern matches; without a match raises if `what` is given, else returns None."""
        self._skip_spaces()
        found = pattern.match(self._line, self._column)
        if found is None:
            if what:
                raise self.error(f"expected {what}")
            return None
        self._column = found.end()
        return found

    def word(self, what: str) -> str:
        found = self.match(WORD, what)
        assert found is not None
        return found[0]

    def integer(self) -> int:
        found = self.match(_INTEGER, "a whole number")
        assert found is not None
        return int(found[0])

    def string(self) -> str:
        start = self.column
        found = self.match(STRING, "a string")
        assert found is not None
        value = self._converted(read_string, found[0], start)
        assert isinstance(value, str)
        return value

    def separated(self, read: Callable[[], Result]) -> list[Result]:
        """One or more of what `read` reads, with commas between."""
        results = [read()]
        while self.take(","):
            results.append(read())
        return results

    def until(self, ends: str) -> str:
        """The text up to one of the characters `ends` that stands outside brackets."""
        start = self.column
        pending: list[str] = []
        for place in range(start, len(self._line)):
            character = self._line[place]
            if pending and character == pending[-1]:
                pending.pop()
            elif character in _CLOSING:
                pending.append(_CLOSING[character])
            elif not pending and character in ends:
                self._column = place
                return self._line[start:place].rstrip()
        raise self.error(f"expected one of {' '.join(ends)}")

    # --- sizes, types, attributes

    def size(self, ends: str) -> Size:
        """A size that ends before one of the characters `ends`."""
        start = self.column
        return self._converted(parse_size, self.until(ends), start)

    def last_size(self) -> Size:
        """A size that ends the line."""
        start = self.column
        raw = self._line[start:].partition("#")[0]
        self._column += len(raw)
        return self._converted(parse_size, raw.strip(), start)

    def type(self) -> TensorType:
        """An element type and a shape, such as `f32[n0, 10]`."""
        start = self.column
        dtype = self.word("an element type")
        if dtype not in NUMPY_DTYPES:
            raise self.error(f"no element type is called {dtype!r}", start)
        self.expect("[")
        shape = [] if self.peek("]") else self.separated(lambda: self.size(",]"))
        self.expect("]")
        return TensorType(dtype, shape)

    def attribute(self, functions: Mapping[str, Callable[..., Any]]) -> Any:
        """The value of an attribute: a number, size, string, type, truth value, host function, or a list of such."""
        if self.take("["):
            items = [] if self.peek("]") else self.separated(lambda: self.attribute(functions))
            self.expect("]")
            return tuple(items)
        if self.peek("@"):
            return self.host_function(functions)
        start = self.column
        if found := self.match(STRING):
            return self._converted(read_string, found[0], start)
        raw = self.until(",]}")
        if raw.partition("[")[0] in NUMPY_DTYPES:
            self._column = start
            return self.type()
        return self._converted(_scalar, raw, start)

    def host_function(self, functions: Mapping[str, Callable[..., Any]]) -> Callable[..., Any]:
        """A host function by its name, such as `@decode`."""
        self.expect("@")
        start = self._column
        name = self.word("the name of a host function")
        if name not in functions:
            raise self.error(f"no host function is called {name!r}; pass it in `functions`", start)
        return functions[name]

    def elements(self) -> list[str]:
        """The elements of a constant, in the order in which they are written; brackets only lead the eye."""
        if self.take("["):
            parts = [] if self.peek("]") else self.separated(self.elements)
            self.expect("]")
            return [element for part in parts for element in part]
        if self.take("("):
            real = self.element()
            self.expect(",")
            imaginary = self.element()
            self.expect(")")
            return [f"({real}, {imaginary})"]
        return [self.element()]

    def element(self) -> str:
        found = self.match(ELEMENT, "an element")
        assert found is not None
        return found[0]

    def _converted(self, convert: Callable[[str], Result], raw: str, start: int) -> Result:
        try:
            return convert(raw)
        except ValueError as error:
            raise self.error(str(error), start) from None


def _scalar(raw: str) -> Any:
    if raw in _WORDS:
        return _WORDS[raw]
    if _INTEGER.fullmatch(raw):
        return int(raw)
    return float(raw) if _FLOAT.fullmatch(raw) else parse_size(raw)
