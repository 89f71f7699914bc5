"""Everything that `sessile.runtime` offers to users; importing this module enters it in the table of public names."""

from sessile.runtime import kernel_statistics, session
from sessile.runtime.log_setup import set_up_logging

__all__ = ["kernel_statistics", "session"]

set_up_logging()
