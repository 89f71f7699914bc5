"""Device names: `/job:worker/replica:0/task:1/device:GPU:0`, their parts, and merging of nested requests."""

from __future__ import annotations

from typing import Any

from sessile.graph.public_names import public

_PARTS = ("job", "replica", "task", "device_type", "device_index")


@public("DeviceSpec")
class DeviceSpec:
    """The parts of a device name; a part that is None is left open (TensorFlow 1.15, `tf.DeviceSpec`).

    Args:
        job: the name of the job.
        replica, task: numbers.
        device_type: "CPU" or "GPU", in any case of letters, or a type of another kind.
        device_index: which device of that type.
    """

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
        self.device_type = _canonical_type(device_type)
        self.device_index = device_index

    @classmethod
    def from_string(cls, spec: str) -> DeviceSpec:
        """Parses a device name. Raises TypeError for what is no string, ValueError where it cannot be a device name."""
        return cls().parse_from_string(spec)

    def parse_from_string(self, spec: str) -> DeviceSpec:
        """Replaces all parts by those of `spec`; returns this object. Raises as `from_string`."""
        if not isinstance(spec, str):
            raise TypeError(f"A device name is a string, not {spec!r} of type {type(spec).__name__}")
        for part in _PARTS:
            setattr(self, part, None)
        for part in filter(None, spec.split("/")):
            self._read_part(part.split(":"), spec)
        return self

    def _read_part(self, part: list[str], spec: str) -> None:
        key = part[0].lower()
        if key == "job" and len(part) == 2:
            self.job = part[1]
        elif key in ("replica", "task") and len(part) == 2:
            setattr(self, key, _number(part[1], spec))
        elif (key in ("cpu", "gpu") and len(part) <= 2) or (key == "device" and len(part) == 3):
            if self.device_type is not None:
                raise ValueError(f"Cannot specify multiple device types: '{spec}'")
            self.device_type = _canonical_type(part[0] if key != "device" else part[1])
            index = part[-1] if len(part) > 1 else "*"
            self.device_index = None if index == "*" else _number(index, spec)
        else:
            raise ValueError(f"Unknown attribute: '{part[0]}' in the device name '{spec}'")

    def merge_from(self, dev: DeviceSpec) -> None:
        """Takes over the parts that `dev` names."""
        for part in _PARTS:
            value = getattr(dev, part)
            if value is not None:
                setattr(self, part, value)

    def make_merged_spec(self, dev: DeviceSpec) -> DeviceSpec:
        """A device with the parts that `dev` names, and this one's for those that it leaves open."""
        merged = self.replace()
        merged.merge_from(dev)
        return merged

    def replace(self, **parts: Any) -> DeviceSpec:
        """A copy with other values for some parts."""
        return DeviceSpec(**({part: getattr(self, part) for part in _PARTS} | parts))

    def to_string(self) -> str:
        """The device name in its full form."""
        named = {part: getattr(self, part) for part in ("job", "replica", "task")}
        text = "".join(f"/{part}:{value}" for part, value in named.items() if value is not None)
        if self.device_type is not None:
            text += f"/device:{self.device_type}:{'*' if self.device_index is None else self.device_index}"
        return text

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DeviceSpec) and self.to_string() == other.to_string()

    def __hash__(self) -> int:
        return hash(self.to_string())

    def __repr__(self) -> str:
        return f"<DeviceSpec {self.to_string()!r}>"


def merge_device(outer: DeviceSpec, inner: str) -> str:
    """The name that a nested request gives: the parts of `inner` over those of `outer`."""
    return outer.make_merged_spec(DeviceSpec.from_string(inner)).to_string()


def _canonical_type(device_type: str | None) -> str | None:
    return device_type.upper() if device_type is not None and device_type.lower() in ("cpu", "gpu") else device_type


def _number(text: str, spec: str) -> int:
    if not text.isdecimal():
        raise ValueError(f"'{text}' is not a number in the device name '{spec}'")
    return int(text)
