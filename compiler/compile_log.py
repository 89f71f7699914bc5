"""The log of compilations: one line for each thing that is compiled: what, why it was not found, how long it took.

`SESSILE_LOG=compile` in the environment writes it to standard error; otherwise it goes where Python's `logging` is
configured to send the logger `sessile.compile`.
"""

from __future__ import annotations

import logging
import os

compile_log = logging.getLogger("sessile.compile")

if "compile" in os.environ.get("SESSILE_LOG", "").split(","):
    _handler = logging.StreamHandler()
    _handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
    compile_log.addHandler(_handler)
    compile_log.setLevel(logging.INFO)
    compile_log.propagate = False
