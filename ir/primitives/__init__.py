"""All primitives, one family per file; importing this package registers them."""

from sessile.ir.primitives import (
    contraction,
    control,
    elementwise,
    indexing,
    movement,
    reduction,
    sources,
    state,
    windows,
)

__all__ = [
    "contraction",
    "control",
    "elementwise",
    "indexing",
    "movement",
    "reduction",
    "sources",
    "state",
    "windows",
]
