"""Device names: `/job:worker/replica:0/task:1/device:GPU:0`, their parts, and merging of nested requests."""

from __future__ import annotations

import re
from typing import Any

_PART = re.compile(r"(job|replica|task|device|cpu|gpu):(.*)", re.IGNORECASE)


class DeviceSpec:
    """The parts of a device name; a part that is None is left open (TensorFlow 1.15, `tf.DeviceSpec`)."""

    def __init__(
        self,
        job: str | None = None,
        replica: int | None = None,
        task: int | None = None,
        device_type: str | None = None,
        device_index: int | None = None,
    ) -> None:
        self.job = job
        self.replica = replica
        self.task = task
        self.device_type = device_type.upper() if device_type in ("cpu", "gpu") else device_type
        self.device_index = device_index

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """Parses a device name. Raises ValueError where it cannot be one."""
        return cls().parse_from_string(spec)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Replaces all parts by those of `spec`. Raises ValueError where it cannot be a device name."""
        self.__init__()  # type: ignore[misc]
        for part in filter(None, spec.split("/")):
            self._read_part(part, spec)
        return self

    def _read_part(self, part: str, spec: str) -> None:
        match = _PART.fullmatch(part)
        if match is None:
            raise ValueError(f"Unknown attribute: '{part}' in '{spec}'")
        key, value = match[1].lower(), match[2]
        if key == "job":
            self.job = value
        elif key in ("replica", "task"):
            setattr(self, key, _number(value, spec))
        else:
            kind, _, index = value.partition(":") if key == "device" else (key, "", value)
            self.device_type = kind.upper() if kind.lower() in ("cpu", "gpu") else kind
            self.device_index = None if index in ("", "*") else _number(index, spec)

    def merge_from(self, other: DeviceSpec) -> None:
        """Takes over the parts that `other` names."""
        for part in ("job", "replica", "task", "device_type", "device_index"):
            value = getattr(other, part)
            if value is not None:
                setattr(self, part, value)

    def to_string(self) -> str:
        """The device name in its full form."""
        text = "".join(
            f"/{part}:{getattr(self, part)}"
            for part in ("job", "replica", "task")
            if getattr(self, part) is not None
        )
        if self.device_type is not None:
            text += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())


def merge_device(outer: str, inner: Any) -> str:
    """The name that a nested request gives: the parts of `inner` over those of `outer`."""
    spec = DeviceSpec.from_string(outer)
    spec.merge_from(inner if isinstance(inner, DeviceSpec) else DeviceSpec.from_string(inner))
    return spec.to_string()


def _number(text: str, spec: str) -> int:
    if not text.isdigit():
        raise ValueError(f"'{text}' is not a number in the device name '{spec}'")
    return int(text)
