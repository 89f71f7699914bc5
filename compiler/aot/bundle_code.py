"""Loads the native code of a bundle into this process."""

from __future__ import annotations

from sessile.compiler.aot.bundle import Bundle
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.cpu.step_loop import is_step_loop, native_loop


def load_bundle_code(bundle: Bundle) -> dict[str, int]:
    """The address of each kernel by name; also makes the step loop ready.

    The bundle's own loop serves if it is this version's; otherwise the loop is found or compiled as for any program.
    """
    native_loop(bundle.kernels)
    kernels = {name: bytes(code) for name, code in bundle.kernels.items() if not is_step_loop(name)}
    return load_objects(kernels.values(), kernels)
