"""Models that are Python functions: `module:function` and `file.py:function`.

The function is called without arguments while a new graph is the default one, and builds into it. It returns what to
fetch (a tensor or operation, a list of them, or a dict from names to them), or nothing; or a dict with the key
"fetches" and, if it likes, "feeds" (a list of tensors) and "session" (whose variables have values).
"""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from sessile.runtime.command_line.failures import CommandFailure, did_you_mean, message_of

FULL_FORM = frozenset({"fetches", "feeds", "session"})


def call_model_function(source: str) -> Any:
    """Calls the function that `source` names, and returns what it returns.

    Raises click.BadParameter where there is no such function, CommandFailure for what the user's code raises.
    """
    place, _, name = source.rpartition(":")
    module = _module_from_file(place) if place.endswith(".py") else _module_by_name(place)
    function = _function_of(module, place, name)
    with _blaming(source):
        return function()


def _module_from_file(path: str) -> ModuleType:
    file = Path(path)
    if not file.is_file():
        raise click.BadParameter(f"there is no file {path!r}.")
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    _look_for_modules_in(str(file.absolute().parent))
    sys.modules.setdefault(file.stem, module)
    with _blaming(path):
        spec.loader.exec_module(module)
    return module


def _module_by_name(name: str) -> ModuleType:
    _look_for_modules_in(str(Path.cwd()))
    try:
        found = importlib.util.find_spec(name)
    except (ImportError, ValueError):
        found = None
    if found is None:
        raise click.BadParameter(f"no module is called {name!r}, neither in this folder nor among what is installed.")
    with _blaming(name):
        return importlib.import_module(name)


def _look_for_modules_in(folder: str) -> None:
    """What a model imports is looked for beside it, as if it were run as a script."""
    if folder not in sys.path:
        sys.path.insert(0, folder)


def _function_of(module: ModuleType, place: str, name: str) -> Callable[[], Any]:
    function = getattr(module, name, None)
    functions = [key for key, value in vars(module).items() if inspect.isfunction(value)]
    if not callable(function):
        raise click.BadParameter(f"{place} has no function {name!r}.{did_you_mean(name, functions)}")
    needed = [p.name for p in _parameters(function) if p.default is p.empty and p.kind not in (2, 4)]
    if needed:
        raise click.BadParameter(
            f"{place}:{name} takes {', '.join(map(repr, needed))}; a function that builds a model takes no arguments. "
            f"Write one that calls it."
        )
    return function


def _parameters(function: Callable[..., Any]) -> list[inspect.Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        return []


@contextmanager
def _blaming(source: str) -> Iterator[None]:
    """Reports what the user's code raises as a failure at the user's line."""
    try:
        yield
    except click.ClickException:
        raise
    except Exception as error:
        raise CommandFailure(f"{source}: {_described(error)}") from error


def _described(error: Exception) -> str:
    if isinstance(error, SyntaxError):
        return f"SyntaxError at {error.filename}:{error.lineno}: {error.msg}"
    lines = [
        f" at {frame.f_code.co_filename}:{line}"
        for frame, line in traceback.walk_tb(error.__traceback__)
        if frame.f_globals.get("__name__", "").partition(".")[0] not in ("sessile", "importlib", "contextlib")
        and not frame.f_code.co_filename.startswith("<frozen")
    ]
    return f"{type(error).__name__}{lines[-1] if lines else ''}: {message_of(error)}"
