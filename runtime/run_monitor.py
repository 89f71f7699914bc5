"""What is asked of one run beyond its results: a record of what ran when, and a time by which it must be done.

A run is given a `RunMonitor` only if its options ask for something; the executor tells it about each instruction.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np

from sessile.graph.data_type import as_dtype
from sessile.graph.errors import DeadlineExceededError
from sessile.graph.graph import Graph
from sessile.ir.interpreter import run_instruction
from sessile.ir.program import Instruction, Location, Program
from sessile.runtime.failures import located_message, operations_of


class TraceRecord(NamedTuple):
    """One thing that ran: what it was made for, when (nanoseconds of `perf_counter_ns`), and what it gave."""

    locations: tuple[Location, ...]
    started: int
    ended: int
    outputs: tuple[tuple[np.dtype[Any], tuple[int, ...]], ...]
    thread: int


class Trace:
    """Collects records of one run, from any thread, and tells them as `StepStats`."""

    def __init__(self) -> None:
        self.records: list[TraceRecord] = []
        self._epoch = time.time_ns() - time.perf_counter_ns()

    def record(self, instruction: Instruction, started: int, ended: int, outputs: Sequence[np.ndarray] = ()) -> None:
        """Notes that an instruction, or the kernel that computes it, ran from `started` to `ended`."""
        described = tuple((output.dtype, output.shape) for output in outputs)
        thread = threading.get_ident() & 0xFFFFFFFF
        self.records.append(TraceRecord(instruction.locations, started, ended, described, thread))

    def step_stats(self, graph: Graph, device_of: Callable[[str], str]) -> Any:
        """A `StepStats` message with one entry for each record, named by operation, by device.

        What was computed for several operations at once bears the name of the last; its label names all of them.
        """
        from sessile.graph.proto.step_stats_pb2 import StepStats

        stats = StepStats()
        by_device: dict[str, Any] = {}
        for record in self.records:
            if not record.locations:
                continue
            device = device_of(record.locations[-1].operation)
            if device not in by_device:
                by_device[device] = stats.dev_stats.add(device=device)
            self._describe(record, by_device[device].node_stats.add(), graph)
        return stats

    def _describe(self, record: TraceRecord, node: Any, graph: Graph) -> None:
        start = self._epoch + record.started
        length = record.ended - record.started
        node.node_name = record.locations[-1].operation
        node.timeline_label = _label(record.locations, graph)
        node.thread_id = record.thread
        node.all_start_nanos = node.scheduled_nanos = start
        node.all_start_micros = node.scheduled_micros = start // 1000
        node.op_end_rel_nanos = node.all_end_rel_nanos = length
        node.op_end_rel_micros = node.all_end_rel_micros = -(-length // 1000)
        for slot, (dtype, shape) in enumerate(record.outputs):
            description = node.output.add(slot=slot).tensor_description
            description.dtype = as_dtype(dtype).as_datatype_enum
            for size in shape:
                description.shape.dim.add(size=size)
            description.allocation_description.requested_bytes = dtype.itemsize * int(np.prod(shape))


def _label(locations: Sequence[Location], graph: Graph) -> str:
    """`name = Type(inputs)` for each operation, as TensorFlow's timelines show them."""
    parts = []
    for name in dict.fromkeys(location.operation for location in locations):
        op = graph._operations.get(name)
        parts.append(name if op is None else f"{name} = {op.type}({', '.join(t.op.name for t in op.inputs)})")
    return "; ".join(parts)


class RunMonitor:
    """Watches one run.

    Args:
        trace: where to record what runs, or None.
        timeout: the seconds that the run may take from now on, or None.
    """

    def __init__(self, trace: Trace | None = None, timeout: float | None = None) -> None:
        self.trace = trace
        self.timeout = timeout
        self._deadline = None if timeout is None else time.monotonic() + timeout

    def remaining(self) -> float | None:
        """The seconds that are left, which is how long one may block; None for a run without a time-out."""
        return None if self._deadline is None else max(self._deadline - time.monotonic(), 0.0)

    def check_deadline(self, graph: Graph, instruction: Instruction | None = None) -> None:
        """Raises DeadlineExceededError, naming what would have come next, once the time is up."""
        if self._deadline is None or time.monotonic() < self._deadline:
            return
        message = f"Timed out waiting for notification: the run did not end within {self.timeout:g} seconds."
        ops = [] if instruction is None else operations_of(instruction, graph)
        if ops:
            raise DeadlineExceededError(None, ops[0], located_message(message, ops))
        raise DeadlineExceededError(None, None, message)


class NativeObserver:
    """Tells a monitor what a native executable does (see `sessile.compiler.executable.RunObserver`)."""

    def __init__(self, monitor: RunMonitor, graph: Graph) -> None:
        self.traces = monitor.trace is not None
        self._monitor = monitor
        self._graph = graph

    def will_run(self, instruction: Instruction) -> None:
        self._monitor.check_deadline(self._graph, instruction)

    def ran(self, instruction: Instruction, started: int, ended: int, outputs: Sequence[np.ndarray]) -> None:
        if self._monitor.trace is not None:
            self._monitor.trace.record(instruction, started, ended, outputs)


def interpret_monitored(program: Program, context: Any, graph: Graph, monitor: RunMonitor) -> list[np.ndarray]:
    """Runs a program by the reference interpreter under a monitor; see `sessile.ir.interpreter.interpret`."""
    environment: dict[Any, Any] = {}
    for instruction in program.instructions:
        monitor.check_deadline(graph, instruction)
        started = time.perf_counter_ns()
        run_instruction(instruction, environment, context)
        if monitor.trace is not None:
            outputs = [environment[value] for value in instruction.results]
            monitor.trace.record(instruction, started, time.perf_counter_ns(), outputs)
    return [environment[result] for result in program.results]
