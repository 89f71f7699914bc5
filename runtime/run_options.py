"""What `RunOptions` ask of a run, and what `RunMetadata` tell of it afterwards."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sessile.graph.graph import Graph
from sessile.graph.operation import Operation
from sessile.runtime.devices import Placement
from sessile.runtime.run_monitor import RunMonitor, Trace
from sessile.runtime.session_options import seconds


def monitor_for(options: Any, run_metadata: Any, timeout: float | None) -> RunMonitor | None:
    """The monitor that a run needs, or None.

    Args:
        options: a `RunOptions` message or None.
        run_metadata: a `RunMetadata` message or None; without it, nothing is traced.
        timeout: the session's time-out in seconds, for runs that set none.

    Raises TypeError for other types.
    """
    trace = None
    if options is not None or run_metadata is not None:
        from sessile.graph.proto.config_pb2 import RunMetadata, RunOptions

        if not isinstance(options, (RunOptions, type(None))):
            raise TypeError(f"options must be a tf.RunOptions, but got {type(options)}")
        if not isinstance(run_metadata, (RunMetadata, type(None))):
            raise TypeError(f"run_metadata must be a tf.RunMetadata, but got {type(run_metadata)}")
        if options is not None:
            timeout = seconds(options.timeout_in_ms) or timeout
            trace = Trace() if options.trace_level != RunOptions.NO_TRACE and run_metadata is not None else None
    return None if trace is None and timeout is None else RunMonitor(trace, timeout)


def fill_metadata(
    run_metadata: Any,
    options: Any,
    monitor: RunMonitor | None,
    graph: Graph,
    needed: Sequence[Operation],
    placement: Placement,
) -> None:
    """Puts into `run_metadata` what the options asked for: the record of the run, the part of the graph that ran."""
    run_metadata.Clear()
    if monitor is not None and monitor.trace is not None:
        run_metadata.step_stats.CopyFrom(monitor.trace.step_stats(graph, placement.device_of))
    if options is not None and options.output_partition_graphs:
        _add_partitions(run_metadata, graph, needed, placement)


def _add_partitions(run_metadata: Any, graph: Graph, needed: Sequence[Operation], placement: Placement) -> None:
    """One graph for each device, of the operations that ran there."""
    partitions: dict[str, Any] = {}
    for op in needed:
        device = placement.device_of(op.name)
        if device not in partitions:
            partitions[device] = run_metadata.partition_graphs.add(versions=graph.graph_def_versions)
        node = partitions[device].node.add()
        node.CopyFrom(op.node_def)
        node.device = device
