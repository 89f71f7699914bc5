"""`tf.app`: runs the `main` of a program after reading its flags."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

from sessile.runtime.command_flags import FLAGS, Error


def run(main: Callable[[list[str]], Any] | None = None, argv: Sequence[str] | None = None) -> NoReturn:
    """Reads the flags from the command line, calls `main` with what is left of it, and ends the process.

    Args:
        main: the function; by default `main` of the program's own module.
        argv: the command line; by default the process's.

    Options that no flag was declared for are left to `main`. What it returns is the exit status; a flag with a wrong
    value is reported with status 1.
    """
    words = list(sys.argv if argv is None else argv)
    if any(word in ("--help", "-help", "-h") for word in words[1:]):
        print(FLAGS.help_text())
        sys.exit(0)
    try:
        rest = FLAGS(words, known_only=True)
    except Error as error:
        sys.exit(f"FATAL Flags parsing error:\n  {error}\nPass --help to see help on flags.")
    sys.exit((main or sys.modules["__main__"].main)(rest))  # type: ignore[attr-defined]
