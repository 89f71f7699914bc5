"""What a `ConfigProto` asks of a session: the fields that mean something here, as one plain object.

`docs/session-options.md` lists every field, with what it does or that it is accepted without effect.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from sessile.runtime.executor import ExecutionOptions

# GlobalJitLevel -> how a session executes; DEFAULT (0) leaves it to SESSILE_JIT.
_JIT_OF_LEVEL = {-1: "never", 1: "always", 2: "always"}


class SessionOptions(NamedTuple):
    """The options of one session.

    Attributes:
        allow_soft_placement: runs operations on the CPU whose device does not exist.
        log_device_placement: writes the device of each operation to stderr when it is placed.
        cpu_devices: how many devices called `CPU` there are; they share the machine.
        threads: how many threads share a run; None for all cores.
        jit: "never" or "always" compile, None for what `SESSILE_JIT` says.
        timeout: the seconds that a run may take, None for any time.
        infer_shapes: whether the session's `graph_def` tells the shapes of outputs.
    """

    allow_soft_placement: bool = False
    log_device_placement: bool = False
    cpu_devices: int = 1
    threads: int | None = None
    jit: str | None = None
    timeout: float | None = None
    infer_shapes: bool = False

    def execution(self) -> ExecutionOptions:
        """How to execute: what the environment says, where the session says nothing else."""
        chosen = ExecutionOptions.from_environment(self.threads)
        return chosen if self.jit is None else chosen._replace(jit=self.jit)


def options_from(config: Any) -> SessionOptions:
    """The options in a `ConfigProto`, or the default ones for None.

    Raises TypeError for what is no `ConfigProto`, ValueError for a negative number of threads or devices.
    """
    if config is None:
        return SessionOptions()
    from sessile.graph.proto.config_pb2 import ConfigProto

    if not isinstance(config, ConfigProto):
        raise TypeError(f"config must be a tf.ConfigProto, but got {type(config)}")
    devices = config.device_count.get("CPU", 1)
    threads = config.intra_op_parallelism_threads
    for name, number in (("device_count['CPU']", devices), ("intra_op_parallelism_threads", threads)):
        if number < 0:
            raise ValueError(f"config.{name} must not be negative, but is {number}")
    return SessionOptions(
        allow_soft_placement=config.allow_soft_placement,
        log_device_placement=config.log_device_placement,
        cpu_devices=max(devices, 1),
        threads=threads or None,
        jit=_JIT_OF_LEVEL.get(config.graph_options.optimizer_options.global_jit_level),
        timeout=seconds(config.operation_timeout_in_ms),
        infer_shapes=config.graph_options.infer_shapes,
    )


def seconds(milliseconds: int) -> float | None:
    """A time-out of the protocol buffers, where 0 stands for none, in seconds."""
    return milliseconds / 1000 if milliseconds > 0 else None
