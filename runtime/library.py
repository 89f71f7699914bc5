"""Everything that `sessile.runtime` offers to users; importing this module enters it in the table of public names.

The names are lazy: a program that only builds graphs loads neither the runtime nor the compiler.
"""

from sessile.graph.public_names import add_lazy
from sessile.runtime import application_names
from sessile.runtime.log_setup import set_up_logging

__all__ = ["application_names"]

_OFFERED = {
    "session": ("Session", "InteractiveSession", "get_default_session"),
    "session_conversions": ("register_session_run_conversion_functions",),
    "kernel_statistics": ("kernel_statistics",),
}

add_lazy("aot.compile", "sessile.runtime.aot", "compile")
add_lazy("aot.compile_c_library", "sessile.runtime.aot", "compile_c_library")
add_lazy("load", "sessile.runtime.compiled_function", "load")

for _module, _names in _OFFERED.items():
    for _name in _names:
        add_lazy(_name, f"sessile.runtime.{_module}", _name)

set_up_logging()
