"""Arguments that have an older name too: `axis`, once `reduction_indices` or `dim`."""

from __future__ import annotations

from typing import Any


def renamed_argument(name: str, value: Any, old_name: str, old_value: Any) -> Any:
    """The value given under either name, None under neither. Raises ValueError when both are given."""
    if old_value is None:
        return value
    if value is not None:
        raise ValueError(f"Cannot specify both '{old_name}' and '{name}'")
    return old_value
