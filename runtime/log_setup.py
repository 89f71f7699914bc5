"""Log lines about runs, for those who ask: `SESSILE_LOG=run` writes one line for each run to stderr.

`SESSILE_LOG` holds names separated by commas; `compile` is another (`sessile.compiler.compile_log`). Each is a logger
under `sessile`, so programs that set up `logging` themselves get the same lines by the loggers' levels.
"""

from __future__ import annotations

import os
import sys
import warnings
from typing import Any

TOPICS = ("compile", "run")


def set_up_logging(topics: str | None = None) -> None:
    """Shows the lines about runs if `topics` (or `SESSILE_LOG`) names them; warns of names that do not exist."""
    value = os.environ.get("SESSILE_LOG", "") if topics is None else topics
    chosen = {part.strip() for part in value.split(",")} - {""}
    unknown = sorted(chosen.difference(TOPICS))
    if unknown:
        warnings.warn(f"SESSILE_LOG names {', '.join(unknown)}; it can name {', '.join(TOPICS)}", stacklevel=2)
    if "run" in chosen:
        _show("run")


def _show(topic: str) -> None:
    import logging  # late: programs that log nothing need not load it

    logger = logging.getLogger(f"sessile.{topic}")
    logger.setLevel(logging.INFO)
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(name)s: %(message)s"))
        logger.addHandler(handler)


def active_logger(topic: str) -> Any:
    """The logger of a topic if anybody listens, otherwise None."""
    logging = sys.modules.get("logging")
    if logging is None:
        return None
    logger = logging.getLogger(f"sessile.{topic}")
    return logger if logger.isEnabledFor(logging.INFO) else None
