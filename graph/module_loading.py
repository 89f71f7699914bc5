"""Loads modules when a name of theirs is first asked for."""

from __future__ import annotations

import gc
import importlib
from types import ModuleType


def load_module(name: str) -> ModuleType:
    """The module `name`, imported with garbage collection at rest if it is not there yet.

    Whatever modules are made of stays: to look for garbage in it meanwhile takes a tenth of the time.
    """
    was_on = gc.isenabled()
    gc.disable()
    try:
        return importlib.import_module(name)
    finally:
        if was_on:
            gc.enable()
