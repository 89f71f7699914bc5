"""Everything that `sessile.runtime` offers to users; importing this module enters it in the table of public names."""

from sessile.runtime import session

__all__ = ["session"]
