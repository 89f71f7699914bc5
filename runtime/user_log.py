"""`tf.logging`: what programs report of their own progress, on stderr, by Python's `logging`.

The logger is called "tensorflow", since programs also set its level by that name.
"""

from __future__ import annotations

import logging
import sys
from collections import Counter
from typing import Any

DEBUG, INFO, WARN, ERROR, FATAL = logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR, logging.CRITICAL

_counts: Counter[str] = Counter()


def _logger() -> logging.Logger:
    """The logger; the first call gives it a handler, unless the program has set up `logging` itself."""
    logger = logging.getLogger("tensorflow")
    if not logger.handlers and not logging.getLogger().handlers:
        is_interactive = hasattr(sys, "ps1")
        if is_interactive and logger.level == logging.NOTSET:
            logger.setLevel(INFO)
        handler = logging.StreamHandler(sys.stdout if is_interactive else sys.stderr)
        handler.setFormatter(logging.Formatter(logging.BASIC_FORMAT))
        logger.addHandler(handler)
        logger.propagate = False  # pytest and notebooks add a root handler later
    return logger


def log(level: int | str, msg: str, *args: Any, **kwargs: Any) -> None:
    """Reports `msg % args` at a level."""
    _logger().log(_number(level), msg, *args, **kwargs)


def debug(msg: str, *args: Any, **kwargs: Any) -> None:
    """Reports `msg % args` at the level DEBUG."""
    _logger().debug(msg, *args, **kwargs)


def info(msg: str, *args: Any, **kwargs: Any) -> None:
    """Reports `msg % args` at the level INFO."""
    _logger().info(msg, *args, **kwargs)


def warn(msg: str, *args: Any, **kwargs: Any) -> None:
    """Reports `msg % args` at the level WARN."""
    _logger().warning(msg, *args, **kwargs)


warning = warn


def error(msg: str, *args: Any, **kwargs: Any) -> None:
    """Reports `msg % args` at the level ERROR."""
    _logger().error(msg, *args, **kwargs)


def fatal(msg: str, *args: Any, **kwargs: Any) -> None:
    """Reports `msg % args` at the level FATAL; the program goes on."""
    _logger().critical(msg, *args, **kwargs)


def log_every_n(level: int | str, msg: str, n: int, *args: Any) -> None:
    """Reports `msg % args` on the first of every `n` calls with this message."""
    if _counts[msg] % n == 0:
        log(level, msg, *args)
    _counts[msg] += 1


def log_first_n(level: int | str, msg: str, n: int, *args: Any) -> None:
    """Reports `msg % args` on the first `n` calls with this message."""
    if _counts[msg] < n:
        log(level, msg, *args)
    _counts[msg] += 1


def log_if(level: int | str, msg: str, condition: Any, *args: Any) -> None:
    """Reports `msg % args` where the condition holds."""
    if condition:
        log(level, msg, *args)


def vlog(level: int | str, msg: str, *args: Any, **kwargs: Any) -> None:
    """Reports `msg % args` at a level of Python's `logging`."""
    log(level, msg, *args, **kwargs)


def flush() -> None:
    """Writes out what handlers hold back."""
    for handler in _logger().handlers:
        handler.flush()


def get_verbosity() -> int:
    """The level from which messages are shown."""
    return _logger().getEffectiveLevel()


def set_verbosity(v: int | str) -> None:
    """Shows messages from the level `v` on: `tf.logging.INFO`, or its name."""
    _logger().setLevel(_number(v))


def TaskLevelStatusMessage(msg: str) -> None:
    """Reports the status of a task, at the level ERROR."""
    error(msg)


def _number(level: int | str) -> int:
    """A level by number or by one of the names above. Raises ValueError for unknown names."""
    if not isinstance(level, str):
        return level
    names = {"DEBUG": DEBUG, "INFO": INFO, "WARN": WARN, "WARNING": WARN, "ERROR": ERROR, "FATAL": FATAL}
    if level.upper() not in names:
        raise ValueError(f"Unknown level: {level!r}")
    return names[level.upper()]
