"""The argument blocks of a native stage: which number or address stands at which place.

Made once for each stage of a program. Binding then fills all blocks with a few NumPy assignments, however many kernels
there are: that is why a new batch size is cheap.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from sessile.compiler.kernel_call import Buffer, KernelCall, Number, Status, StreamState, Workspace
from sessile.compiler.memory_plan import Home
from sessile.compiler.stages import NativeStage
from sessile.ir.program import Instruction, Value
from sessile.ir.sizes import Bindings, Size, evaluate, symbols_of


@dataclass
class ArgumentLayout:
    """Places in the stage's argument array, by what stands there.

    `offsets[k]` is where the block of call `k` begins. `buffers` maps each home to the places that hold its address.
    """

    calls: list[KernelCall] = field(default_factory=list)
    instructions: list[Instruction] = field(default_factory=list)
    offsets: list[int] = field(default_factory=list)
    length: int = 0
    sizes: dict[Size, list[int]] = field(default_factory=dict)
    buffers: dict[Home, list[int]] = field(default_factory=dict)
    status: list[int] = field(default_factory=list)
    workspaces: list[int] = field(default_factory=list)
    streams: dict[StreamState, list[int]] = field(default_factory=dict)

    def symbols(self) -> set[str]:
        """The unknown sizes that must be bound before the stage can run."""
        needed = {name for size in self.sizes for name in symbols_of(size)}
        for call in self.calls:
            needed |= symbols_of(call.work)
            needed |= {n for a in call.arguments if isinstance(a, Workspace) for n in symbols_of(a.elements)}
        return needed

    def numbers(self, bindings: Bindings) -> np.ndarray:
        """The argument array with all sizes in place, and no address yet."""
        arguments = np.zeros(max(self.length, 1), np.int64)
        for size, places in self.sizes.items():
            arguments[places] = evaluate(size, bindings)
        return arguments


def lay_out(stage: NativeStage, homes: Mapping[Value, Home]) -> ArgumentLayout:
    """The layout of a stage's argument blocks."""
    layout = ArgumentLayout()
    for native in stage.instructions:
        for call in native.calls:
            layout.calls.append(call)
            layout.instructions.append(native.instruction)
            layout.offsets.append(layout.length)
            _place(layout, call.arguments, homes)
    return layout


def _place(layout: ArgumentLayout, arguments: Sequence[object], homes: Mapping[Value, Home]) -> None:
    for argument in arguments:
        place = layout.length
        match argument:
            case Buffer(value):
                layout.buffers.setdefault(homes[value], []).append(place)
            case Number(size):
                layout.sizes.setdefault(size, []).append(place)
            case Status():
                layout.status.append(place)
            case Workspace():
                layout.workspaces.append(place)
            case StreamState():
                layout.streams.setdefault(argument, []).append(place)
        layout.length += 1
