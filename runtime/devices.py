"""The devices of a session, and which of them each operation runs on.

There are as many CPU devices as the session's options say; all of them stand for this machine's processor. An operation
that asks for a device that does not exist is refused, or runs on the CPU where the options allow soft placement.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Iterable
from typing import NamedTuple

from sessile.graph.device import DeviceSpec
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.operation import Operation
from sessile.runtime.failures import node_text
from sessile.runtime.session_options import SessionOptions

_HOST = "/job:localhost/replica:0/task:0/device:"
_MEMORY_LIMIT_BYTES = 256 << 20


class DeviceAttributes(NamedTuple):
    """One device, as `Session.list_devices` shows it."""

    name: str
    device_type: str
    memory_limit_bytes: int
    incarnation: int

    def __repr__(self) -> str:
        return f"_DeviceAttributes({', '.join(map(str, self))})"


class Placement:
    """Decides the devices of a session's operations, once for each."""

    def __init__(self, options: SessionOptions) -> None:
        self._options = options
        self._placed: dict[str, str] = {}
        self.devices = tuple(
            DeviceAttributes(f"{_HOST}CPU:{k}", "CPU", _MEMORY_LIMIT_BYTES, random.getrandbits(63))
            for k in range(options.cpu_devices)
        )
        if options.log_device_placement:
            print("Device mapping: no known devices.", file=sys.stderr)

    def place(self, ops: Iterable[Operation]) -> None:
        """Places operations that are about to run for the first time.

        Raises InvalidArgumentError where one asks for a device that does not exist here.
        """
        for op in ops:
            if op.name in self._placed:
                continue
            device = self._placed[op.name] = self._device_of(op)
            if self._options.log_device_placement:
                print(f"{op.name}: ({op.type}): {device}", file=sys.stderr)

    def device_of(self, op_name: str) -> str:
        """The device of an operation that was placed, by name; the first device for others."""
        return self._placed.get(op_name, self.devices[0].name)

    def _device_of(self, op: Operation) -> str:
        if not op.device:
            return self.devices[0].name
        wanted = DeviceSpec.from_string(op.device)
        for device in self.devices:
            if _matches(wanted, DeviceSpec.from_string(device.name)):
                return device.name
        if self._options.allow_soft_placement:
            return self.devices[0].name
        raise InvalidArgumentError(None, op, self._refusal(op))

    def _refusal(self, op: Operation) -> str:
        available = ", ".join(device.name for device in self.devices)
        return (
            f"Cannot assign a device for operation {op.name}: {node_text(op)} was explicitly "
            f"assigned to {op.device} but available devices are [ {available} ]. Make sure the device specification "
            f"refers to a valid device, or let the operation run on the CPU with "
            f"tf.Session(config=tf.ConfigProto(allow_soft_placement=True)).\n\t [[{op.name}]]"
        )


def _matches(wanted: DeviceSpec, device: DeviceSpec) -> bool:
    parts = ("job", "replica", "task", "device_type", "device_index")
    return all(getattr(wanted, part) in (None, getattr(device, part)) for part in parts)
