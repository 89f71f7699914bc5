"""TensorFlow-1 style graphs and sessions on a JIT-compiling graph compiler: `import sessile as tf`.

This folder offers names and holds no logic: operations and functions enter themselves in a table where they are defined
(`sessile.graph.public_names`), and each module here shows its part of that table.
"""

from sessile._exports import show as _show
from sessile.graph.dtypes import *  # noqa: F403

__version__ = "0.1.0"
VERSION = "1.15.0"

_show(globals(), "")

from sessile import bitwise, debugging, dtypes, errors, linalg, manip, math, nn, train  # noqa: E402, F401
