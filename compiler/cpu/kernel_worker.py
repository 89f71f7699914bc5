"""A process that compiles kernels for another; `worker_pool` starts it.

In, on standard input: one message per kernel (`source_message`). Out, on standard output: one message each
(`object_message` or `fault_message`), in the same order. Ends when standard input does, which is also what happens
when the process that started it dies.
"""

from __future__ import annotations

import contextlib
import os
import signal
import sys
import time
from typing import IO, Any

from sessile.compiler.cpu.compile_kernel import KernelObject, compile_kernel
from sessile.compiler.cpu.kernel_messages import read_message, write_message
from sessile.compiler.kernel_errors import KernelCompilationError
from sessile.compiler.kernel_source import KernelSource
from sessile.compiler.target import Target

_COURTESY = 5
"""How much lower than its parent's a worker's priority is: the parent serves the user meanwhile."""


def source_message(source: KernelSource, target: Target) -> tuple[dict[str, Any], bytes]:
    """The header and payload that ask for a kernel."""
    header = {
        "name": source.name,
        "argument_types": source.argument_types,
        "target": [target.triple, target.cpu, target.features],
    }
    return header, source.source.encode()


def compiled_object(header: dict[str, Any], payloads: list[bytes], target: Target) -> KernelObject:
    """The kernel in a worker's answer. Raises KernelCompilationError if the answer is a fault."""
    if "reason" in header:
        raise KernelCompilationError(header["name"], header["reason"], header["dump"])
    code, ir_text = payloads
    return KernelObject(header["name"], code, ir_text.decode(), target)


def serve(requests: IO[bytes], answers: IO[bytes]) -> None:
    """Compile what is asked for until the requests end."""
    while (message := read_message(requests)) is not None:
        header, (text,) = message
        source = KernelSource(header["name"], text.decode(), tuple(header["argument_types"]))
        began = time.perf_counter()
        try:
            kernel = compile_kernel(source, Target(*header["target"]))
        except KernelCompilationError as error:
            write_message(answers, {"name": source.name, "reason": error.reason, "dump": error.dump})
        else:
            seconds = time.perf_counter() - began
            answer = {"name": source.name, "seconds": seconds}
            write_message(answers, answer, kernel.object_code, kernel.unoptimized_ir.encode())


def main() -> None:
    """Serve on the standard streams."""
    # The terminal's Ctrl-C is for the parent; whatever prints must not disturb the answers.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    if hasattr(os, "nice"):
        os.nice(_COURTESY)
    # Loads Numba while the first request is on its way.
    from sessile.compiler.cpu import kernel_frontend  # noqa: F401

    with contextlib.suppress(BrokenPipeError, EOFError):
        serve(sys.stdin.buffer, answers)
