"""Where names that belong to the user stand in programs, and what they name."""

from __future__ import annotations

NAME_ATTRIBUTES = frozenset({"name", "stream"})
"""The attributes of instructions that hold such names."""

OUTER_SOURCES = frozenset({"parameter", "variable"})
"""The kinds of size sources that hold such names; they are the kinds of the names, too."""

_VARIABLES = frozenset({"read_variable", "write_variable", "variable_is_initialized", "initialized_value"})


def name_kind(primitive: str, attribute: str) -> str:
    """What an instruction's attribute names: a "parameter", a "variable", a random "stream", or something "other"."""
    if attribute == "stream":
        return "stream"
    if primitive in _VARIABLES:
        return "variable"
    return "parameter" if primitive == "parameter" else "other"
