"""What to compute of a model, and from which inputs: the meaning of `--fetch` and `--feed`.

In: a model and the texts of the options. Out: a `Selection`: tensors and operations by name, and inputs with element
types, shapes, and where their values come from.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

import click

from sessile.compiler.request import Request, needed_operations
from sessile.graph.operation import Operation
from sessile.graph.tensor import Tensor
from sessile.runtime.command_line.failures import did_you_mean
from sessile.runtime.command_line.models.feed_text import Dimension, read_feed
from sessile.runtime.command_line.models.input_values import Input, refined
from sessile.runtime.command_line.models.model import Element, Model, plain_name

_SHOWN_NAMES = 8


@dataclass(frozen=True)
class Selection:
    """What to compute, by name, from which inputs."""

    model: Model
    outputs: dict[str, Element]
    feeds: dict[Tensor, Input]

    @property
    def inputs(self) -> tuple[Input, ...]:
        """The inputs, without the tensors that they are fed to."""
        return tuple(self.feeds.values())

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """The tensors to compute, each once."""
        return tuple(dict.fromkeys(each for each in self.outputs.values() if isinstance(each, Tensor)))

    @property
    def targets(self) -> tuple[Operation, ...]:
        """The operations to run, each once."""
        return tuple(dict.fromkeys(each for each in self.outputs.values() if isinstance(each, Operation)))


def select(model: Model, fetches: Sequence[str], feeds: Sequence[str], adds_placeholders: bool) -> Selection:
    """What the options ask of a model.

    Args:
      model: the model.
      fetches: what to compute; without any, what the model says.
      feeds: the inputs; without any, what the model says, or the placeholders that are needed.
      adds_placeholders: whether placeholders that are needed and not named become inputs even if others are named.

    Raises click.BadParameter for names that do not exist, types and shapes that do not fit, and placeholders that are
    needed and not fed.
    """
    outputs = {name: _output(model, name) for name in fetches} or model.outputs
    if not outputs:
        raise click.UsageError(f"{model.source} does not say what to compute: name it with --fetch.")
    inputs = {tensor: _as_declared(plain_name(tensor), tensor) for tensor in map(_checked_input, model.inputs)}
    for text in map(read_feed, feeds):
        tensor = _input_tensor(model, text.name)
        inputs[tensor] = refined(_as_declared(plain_name(tensor), tensor), text)
    selection = Selection(model, dict(outputs), inputs)
    missing = _unfed_placeholders(selection)
    if missing and feeds and not adds_placeholders:
        raise click.BadParameter(_why_needed(selection, missing[0]), param_hint="--feed")
    for op in missing:
        inputs[op.outputs[0]] = _as_declared(plain_name(op.outputs[0]), op.outputs[0])
    return selection


def _output(model: Model, name: str) -> Element:
    if name in model.outputs:
        return model.outputs[name]
    try:
        element = model.graph.as_graph_element(name)
    except (ValueError, KeyError) as error:
        raise click.BadParameter(_with_hint(error, name, "outputs", model.outputs), param_hint="--fetch") from None
    return element.outputs[0] if isinstance(element, Operation) and element.outputs else element


def _with_hint(error: Exception, name: str, kind: str, names: Iterable[str]) -> str:
    """The message for an unknown name, with those that are near, or else those that were probably meant."""
    message, known = str(error.args[0]), list(names)
    if "Did you mean" in message:
        return message
    first = ", ".join(known[:_SHOWN_NAMES]) + (" ..." if len(known) > _SHOWN_NAMES else "")
    return f"{message}{did_you_mean(name, known) or f' The {kind} of the model are {first}.'}"


def _input_tensor(model: Model, name: str) -> Tensor:
    try:
        element = model.graph.as_graph_element(name)
    except (ValueError, KeyError) as error:
        placeholders = [op.name for op in model.graph.get_operations() if op.type == "Placeholder"]
        raise click.BadParameter(_with_hint(error, name, "placeholders", placeholders), param_hint="--feed") from None
    return _checked_input(element.outputs[0] if isinstance(element, Operation) and element.outputs else element)


def _checked_input(element: Element) -> Tensor:
    if not isinstance(element, Tensor) or not element.graph.is_feedable(element):
        raise click.BadParameter(f"{element.name!r} cannot be fed.", param_hint="--feed")
    return element


def _declared_shape(tensor: Tensor) -> tuple[Dimension, ...] | None:
    return None if tensor.shape.ndims is None else tuple(tensor.shape.as_list())


def _as_declared(name: str, tensor: Tensor) -> Input:
    return Input(name, tensor.dtype.base_dtype, _declared_shape(tensor))


def _unfed_placeholders(selection: Selection) -> list[Operation]:
    feeds: Any = selection.feeds
    needed = needed_operations(Request(selection.tensors, selection.targets, feeds))
    return [op for op in needed if op.type == "Placeholder"]


def _why_needed(selection: Selection, placeholder: Operation) -> str:
    """That a placeholder is not fed, which output needs it, and through which operations."""
    name, chain = _chain_to(selection, placeholder)
    between = [op.name for op in chain[1:-1]]
    way = f" by way of {' <- '.join(between[:3] + ['...'] * (len(between) > 3))}" if between else ""
    tensor = placeholder.outputs[0]
    value = _as_declared(plain_name(tensor), tensor)
    line = placeholder.traceback[-1] if placeholder.traceback else None
    made = f", made at {line.filename}:{line.lineno}" if line else ""
    return (
        f"the output {name!r} needs the placeholder {placeholder.name!r} ({value.type_text}{made}){way}, and nothing "
        f"is fed for it. Add --feed {value.name}=VALUE or --feed {value.name}:{value.type_text}."
    )


def _chain_to(selection: Selection, goal: Operation) -> tuple[str, list[Operation]]:
    """An output and the shortest chain of operations from it to the one that it needs."""
    fed = selection.feeds
    for name, element in selection.outputs.items():
        start = element.op if isinstance(element, Tensor) else element
        queue, before = deque([start]), {start: start}
        while queue:
            op = queue.popleft()
            if op is goal:
                return name, _walk_back(before, goal)
            for other in [*(t.op for t in op.inputs if t not in fed), *op.control_inputs]:
                if other not in before:
                    before[other] = op
                    queue.append(other)
    raise AssertionError(f"no output needs {goal.name}")


def _walk_back(before: dict[Operation, Operation], goal: Operation) -> list[Operation]:
    chain = [goal]
    while before[chain[-1]] is not chain[-1]:
        chain.append(before[chain[-1]])
    return chain[::-1]
