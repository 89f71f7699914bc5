"""Everything that `sessile.graph` offers to users; importing this module enters it in the table of public names."""

from sessile.graph import convert, name_scope, ops

__all__ = ["convert", "name_scope", "ops"]
