"""TensorFlow-1 style graphs and sessions on a JIT-compiling graph compiler: `import sessile as tf`.

This folder offers names and holds no logic: operations and functions enter themselves in a table where they are defined
(`sessile.graph.public_names`), and the modules here (`tf.nn`, `tf.train` ...) show their parts of that table. The table
is filled when a name is first asked for: loading a bundle, and asking a command for help, need no operations.

`__version__` and `VERSION` tell the version of TensorFlow whose behaviour this is, since programs choose by them what
to call; the version of this package is that of its distribution, `importlib.metadata.version("sessile")`.
"""

from typing import Any as _Any

from sessile import _modules

__version__ = VERSION = "1.15.0"

_modules.open_on_import(__name__)


def __getattr__(name: str) -> _Any:
    return _modules.find_public(__name__, name)


def __dir__() -> list[str]:
    return sorted([*_modules.offered_by(__name__), "VERSION", "__version__"])
