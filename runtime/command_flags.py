"""`tf.flags`: options of the command line that a program declares with `DEFINE_...` and reads from `FLAGS`.

The command line is read when a flag is first asked for. Options may be written `--name=value`, `--name value` or with
one dash, booleans also `--name` and `--noname`; `--` ends the options. The behaviour is that of TensorFlow 1.15.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

Parser = Callable[[str], Any]


class Error(Exception):
    """The base of the errors of flags."""


class DuplicateFlagError(Error):
    """Two different flags have one name."""


class IllegalFlagValueError(Error):
    """A flag cannot have this value."""


class UnrecognizedFlagError(Error):
    """The command line has an option that no flag was declared for."""

    def __init__(self, flagname: str) -> None:
        super().__init__(f"Unknown command line flag '{flagname}'")
        self.flagname = flagname


class Flag:
    """One declared option: its default, and its value once the command line was read."""

    def __init__(self, name: str, parser: Parser, default: Any, help: str | None, kind: str) -> None:
        self.name = name
        self.help = help or ""
        self.kind = kind
        self.is_required = False
        self.present = False
        self._parser = parser
        self.default = default if default is None else self._parsed(default)
        self.value = self.default

    @property
    def is_boolean(self) -> bool:
        """Whether the option may stand without a value."""
        return self.kind == "boolean"

    @property
    def repeats(self) -> bool:
        """Whether the option may be given several times, for a list."""
        return self.kind.startswith("multi ")

    def parse(self, text: str) -> None:
        """Takes a value from the command line. Raises IllegalFlagValueError."""
        parsed = self._parsed(text)
        self.value = self.value + parsed if self.repeats and self.present else parsed
        self.present = True

    def _parsed(self, value: Any) -> Any:
        try:
            return self._parser(value)
        except (TypeError, ValueError) as error:
            raise IllegalFlagValueError(f"flag --{self.name}={value}: {error}") from None

    def is_same(self, other: Flag) -> bool:
        """Whether another declaration says the same, as when a notebook's cell runs again."""
        return (self.kind, self.default, self.help) == (other.kind, other.default, other.help)


class FlagValues:
    """The declared flags; their values are attributes, read from the command line when one is first asked for."""

    def __init__(self) -> None:
        self.__dict__.update(_flags={}, _is_parsed=False)

    def __call__(self, argv: Sequence[str], known_only: bool = False) -> list[str]:
        """Reads a command line, whose first word is the program.

        Args:
            argv: the words.
            known_only: leaves options that no flag was declared for among the rest.

        Returns the words that are no options.

        Raises UnrecognizedFlagError, IllegalFlagValueError, and Error for a value that is missing.
        """
        if isinstance(argv, str):
            raise TypeError("argv should be a list of strings, not one string")
        rest = list(argv[:1])
        words = iter(argv[1:])
        for word in words:
            if word == "--":
                break
            if not word.startswith("-") or word == "-" or not self._read_option(word, words, known_only):
                rest.append(word)
        rest += words
        self.__dict__["_is_parsed"] = True
        self._check_required()
        return rest

    def _read_option(self, word: str, words: Iterator[str], known_only: bool) -> bool:
        name, equals, value = word.lstrip("-").partition("=")
        flag = self._flags.get(name)
        if flag is None and name.startswith("no") and not equals:
            negated = self._flags.get(name[2:])
            if negated is not None and negated.is_boolean:
                negated.parse("false")
                return True
        if flag is None:
            if name == "help" and not known_only:
                raise SystemExit(self.help_text())
            if not known_only:
                raise UnrecognizedFlagError(name)
            return False
        if not equals and flag.is_boolean:
            value = "true"
        elif not equals:
            found = next(words, None)
            if found is None:
                raise Error(f"Missing value for flag {word}")
            value = found
        flag.parse(value)
        return True

    def _check_required(self) -> None:
        for flag in self._flags.values():
            if flag.is_required and flag.value is None:
                raise IllegalFlagValueError(
                    f"flag --{flag.name}=None: Flag --{flag.name} must have a value other than None."
                )

    def is_parsed(self) -> bool:
        """Whether a command line was read."""
        return bool(self._is_parsed)

    def mark_as_parsed(self) -> None:
        """Takes the defaults for flags that nothing was read for."""
        self.__dict__["_is_parsed"] = True

    def flag_values_dict(self) -> dict[str, Any]:
        """The values by name."""
        return {name: getattr(self, name) for name in self._flags}

    def help_text(self) -> str:
        """What `--help` shows."""
        lines = [f"USAGE: {sys.argv[0] if sys.argv else 'program'} [flags]", "flags:"]
        lines += [f"  --{flag.name}: {flag.help}\n    (default: {flag.default!r})" for flag in self._flags.values()]
        return "\n".join(lines)

    def add(self, flag: Flag) -> Flag:
        """Declares a flag. Raises DuplicateFlagError when another one has its name."""
        known = self._flags.setdefault(flag.name, flag)
        if known is not flag and not known.is_same(flag):
            raise DuplicateFlagError(
                f"The flag '{flag.name}' is defined twice, differently. Description from first occurrence: {known.help}"
            )
        return known  # type: ignore[no-any-return]

    def __getattr__(self, name: str) -> Any:
        flags = self.__dict__["_flags"]
        if name == "__flags":  # what programs print their settings from
            self._parse_flags()
            return flags
        if name not in flags:
            raise AttributeError(name)
        self._parse_flags()
        return flags[name].value

    def _parse_flags(self) -> None:
        if not self._is_parsed:
            self(sys.argv or [""], known_only=True)

    def __setattr__(self, name: str, value: Any) -> None:
        if name not in self._flags:
            raise UnrecognizedFlagError(name)
        self._flags[name].value = value
        self._flags[name].present = True

    def __delattr__(self, name: str) -> None:
        if self._flags.pop(name, None) is None:
            raise AttributeError(name)

    def __getitem__(self, name: str) -> Flag:
        return self._flags[name]  # type: ignore[no-any-return]

    def __contains__(self, name: object) -> bool:
        return name in self._flags

    def __iter__(self) -> Iterator[str]:
        return iter(self._flags)

    def __len__(self) -> int:
        return len(self._flags)


FLAGS = FlagValues()


def _text(value: Any) -> str:
    return str(value)


def _integer(value: Any) -> int:
    if isinstance(value, str):
        return int(value, 0) if value.strip().lower().lstrip("+-").startswith(("0x", "0o")) else int(value)
    if isinstance(value, bool) or int(value) != value:
        raise TypeError(f"Expect argument to be a string or int, found {type(value)}")
    return int(value)


def _number(value: Any) -> float:
    if isinstance(value, bool):
        raise TypeError(f"Expect argument to be a string, int, or float, found {type(value)}")
    return float(value)


def _boolean(value: Any) -> bool:
    word = str(value).lower()
    if word in ("true", "t", "1"):
        return True
    if word in ("false", "f", "0"):
        return False
    raise ValueError(f"Non-boolean argument to boolean flag: {value}")


def _list(value: Any) -> list[str]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",")] if value else []
    return list(value)


def _one_of(values: Sequence[str]) -> Parser:
    def parse(value: Any) -> str:
        if value not in values:
            raise ValueError(f"value should be one of <{'|'.join(values)}>")
        return str(value)

    return parse


def _many(parser: Parser) -> Parser:
    def parse(value: Any) -> list[Any]:
        return [parser(item) for item in value] if isinstance(value, (list, tuple)) else [parser(value)]

    return parse


def _define(kind: str, parser: Parser) -> Callable[..., Flag]:
    def define(*args: Any, **kwargs: Any) -> Flag:
        older = {"flag_name": "name", "default_value": "default", "docstring": "help"}
        return _declare(kind, parser, *args, **{older.get(key, key): value for key, value in kwargs.items()})

    define.__name__ = define.__qualname__ = f"DEFINE_{kind.replace(' ', '_')}"
    define.__doc__ = f"""Declares an option with a value of the kind {kind}: name, default, help.

    Raises DuplicateFlagError when the name is taken by another flag, IllegalFlagValueError for a wrong default.
    """
    return define


def _declare(kind: str, parser: Parser, name: str, default: Any, help: str | None = None) -> Flag:
    return FLAGS.add(Flag(name, parser, default, help, kind))


DEFINE_string = _define("string", _text)
DEFINE_integer = _define("integer", _integer)
DEFINE_float = _define("float", _number)
DEFINE_boolean = DEFINE_bool = _define("boolean", _boolean)
DEFINE_list = _define("list", _list)
DEFINE_multi_string = _define("multi string", _many(_text))
DEFINE_multi_integer = _define("multi integer", _many(_integer))
DEFINE_multi_float = _define("multi float", _many(_number))


def DEFINE_enum(name: str, default: str | None, enum_values: Sequence[str], help: str | None = None) -> Flag:
    """Declares an option whose value is one of `enum_values`. Raises as the other declarations do."""
    return _declare("enum", _one_of(enum_values), name, default, help)


def mark_flag_as_required(flag_name: str) -> None:
    """Refuses command lines that leave the flag without a value. Raises KeyError for an unknown flag."""
    FLAGS[flag_name].is_required = True


def mark_flags_as_required(flag_names: Iterable[str]) -> None:
    """Refuses command lines that leave one of the flags without a value. Raises KeyError for an unknown flag."""
    for name in flag_names:
        mark_flag_as_required(name)
