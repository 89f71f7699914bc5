"""Definitions of operations: one class each, with signature, shape rule, gradient, and lowering to primitives.

    @operation("Softplus", public="nn.softplus")
    class Softplus(OpDefinition):
        inputs = {"features": "T"}
        attributes = {"T": FLOATING}
        outputs = {"activations": "T"}

        def infer(self, features): ...            # static shapes, from the input tensors and attributes named here
        def gradient(self, op, dy): ...           # graph operations, one gradient (or None) for each input
        def lower(self, b, features): ...         # primitives, through a sessile.ir.builder.ProgramBuilder

Calling the class (`Softplus(x, name="s")`) adds such an operation to the default graph and returns its output, a named
tuple of its outputs, or the operation when it has none. Types of inputs and outputs: the name of a type attribute, a
DType, `"ref T"` for a variable's reference, `"N * T"` for a list of N tensors of one type, `"[Tlist]"` for a list of
tensors whose types the attribute lists. Attributes: a set of types (the allowed ones), a default value, or an
`Attribute`.
"""

from __future__ import annotations

import inspect
from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from typing import Any, ClassVar, NamedTuple, TypeVar

import numpy as np

from sessile.graph.data_type import DType
from sessile.graph.errors import UnimplementedError
from sessile.graph.operation import Operation
from sessile.graph.public_names import add_deferred
from sessile.graph.shape_rules import shape_text
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, as_shape

TypeSpec = str | DType
REQUIRED: Any = object()


class Attribute(NamedTuple):
    """An attribute of an operation.

    `kind` is TensorFlow's: type, shape, tensor, int, float, bool, string, func, or list(...) of one of them.
    """

    kind: str
    default: Any = REQUIRED
    allowed: frozenset[Any] | None = None
    minimum: int | None = None

    @staticmethod
    def of(declared: Any) -> Attribute:
        """The attribute that a short declaration stands for."""
        if isinstance(declared, Attribute):
            return declared
        if isinstance(declared, (frozenset, set)):
            return Attribute("type", allowed=frozenset(declared))
        if isinstance(declared, float):
            return Attribute("float", default=float(np.float32(declared)))
        for python_type, kind in ((bool, "bool"), (int, "int"), (str, "string"), (DType, "type")):
            if isinstance(declared, python_type):
                return Attribute(kind, default=declared)
        raise TypeError(f"no attribute is declared by {declared!r}")


class Argument(NamedTuple):
    """One input or output of an operation: its type, and how many tensors it stands for."""

    name: str
    dtype: DType | None
    type_attribute: str | None
    number_attribute: str | None
    list_attribute: str | None
    is_ref: bool

    @property
    def is_list(self) -> bool:
        """Whether the argument is a list of tensors."""
        return self.number_attribute is not None or self.list_attribute is not None

    @staticmethod
    def of(name: str, spec: TypeSpec) -> Argument:
        """The argument that a type specification stands for."""
        if isinstance(spec, DType):
            return Argument(name, spec, None, None, None, spec._is_ref_dtype)
        text = spec.strip()
        if text.startswith("["):
            return Argument(name, None, None, None, text.strip("[] "), False)
        is_ref = text.startswith("ref ")
        text = text.removeprefix("ref ").strip()
        number, star, element = (part.strip() for part in text.partition("*"))
        element = element if star else number
        dtype = _DTYPE_BY_NAME.get(element)
        return Argument(name, dtype, None if dtype else element, number if star else None, None, is_ref)


class OpDefinition:
    """The base of all definitions. Subclasses state `inputs`, `attributes`, `outputs` and the rules that they need."""

    type: ClassVar[str]
    inputs: ClassVar[Mapping[str, TypeSpec]] = {}
    outputs: ClassVar[Mapping[str, TypeSpec]] = {}
    attributes: ClassVar[Mapping[str, Any]] = {}
    stateful: ClassVar[bool] = False
    differentiable: ClassVar[bool] = True
    commutative: ClassVar[bool] = False

    def __new__(cls, *args: Any, **kwargs: Any) -> Any:
        """Adds an operation of this type to the default graph; see the module's text."""
        from sessile.graph.apply import apply_definition

        return apply_definition(OPS[cls.type], args, kwargs)

    def infer(self, *inputs: Any, **attributes: Any) -> Any:
        """The static shapes of the outputs: a shape, a tensor of that shape, or a list of such. Unknown by default."""
        return [TensorShape(None)] * len(self.outputs)

    def fold(self, known: Any, *inputs: Any, **attributes: Any) -> Any:
        """What is known of the output before anything runs; None for nothing. See `sessile.graph.constant_value`."""
        return None

    def gradient(self, op: Operation, *grads: Any) -> Sequence[Any]:
        """The gradients with respect to the inputs, given those with respect to the outputs."""
        raise LookupError(f"No gradient defined for operation '{op.name}' (op type: {op.type})")

    def lower(self, b: Any, *inputs: Any, **attributes: Any) -> Any:
        """The outputs, as values of the program that `b` builds."""
        raise UnimplementedError(None, None, f"operation type {self.type} cannot be run: it has no lowering")

    # --- derived from the declarations

    @cached_property
    def input_arguments(self) -> tuple[Argument, ...]:
        return tuple(Argument.of(name, spec) for name, spec in self.inputs.items())

    @cached_property
    def _has_list_input(self) -> bool:
        return any(argument.is_list for argument in self.input_arguments)

    @cached_property
    def output_arguments(self) -> tuple[Argument, ...]:
        return tuple(Argument.of(name, spec) for name, spec in self.outputs.items())

    @cached_property
    def attribute_table(self) -> dict[str, Attribute]:
        table = {name: Attribute.of(declared) for name, declared in self.attributes.items()}
        for argument in self.input_arguments:
            if argument.number_attribute:
                table.setdefault(argument.number_attribute, Attribute("int", minimum=1))
            if argument.list_attribute:
                table.setdefault(argument.list_attribute, Attribute("list(type)", minimum=0))
        return table

    @cached_property
    def has_references(self) -> bool:
        """Whether it takes references to variables."""
        return any(argument.is_ref for argument in self.input_arguments)

    @cached_property
    def inferred_attributes(self) -> frozenset[str]:
        """Attributes that the inputs determine, so that nobody passes them."""
        names = set()
        for argument in self.input_arguments:
            names |= {argument.type_attribute, argument.number_attribute, argument.list_attribute}
        return frozenset(name for name in names if name)

    @cached_property
    def parameter_defaults(self) -> dict[str, Any]:
        """The parameters of a call and their defaults: inputs, attributes without a default, those with one, `name`."""
        passed = [(n, a.default) for n, a in self.attribute_table.items() if n not in self.inferred_attributes]
        needed = [(name, default) for name, default in passed if default is REQUIRED]
        optional = [(name, default) for name, default in passed if default is not REQUIRED]
        return dict([*((name, REQUIRED) for name in self.inputs), *needed, *optional, ("name", None)])

    @cached_property
    def signature(self) -> inspect.Signature:
        """The parameters as Python shows them."""
        kind = inspect.Parameter.POSITIONAL_OR_KEYWORD
        return inspect.Signature(
            [
                inspect.Parameter(name, kind, default=inspect.Parameter.empty if default is REQUIRED else default)
                for name, default in self.parameter_defaults.items()
            ]
        )

    @cached_property
    def result_type(self) -> Any:
        """The named tuple that a call returns where there are several outputs."""
        return namedtuple(self.type, self.outputs)  # type: ignore[misc]

    @cached_property
    def _rule_attributes(self) -> dict[str, tuple[str, ...]]:
        rules = {"infer": self.infer, "lower": self.lower, "fold": self.fold}
        return {name: _keyword_names(rule, self.attribute_table) for name, rule in rules.items()}

    def attributes_for(self, rule: str, op: Operation) -> dict[str, Any]:
        """The attributes of `op` that the rule's signature names: all of them for a rule that takes `**attributes`."""
        names = self._rule_attributes[rule]
        return {name: op._attributes[name] for name in names} if names else {}

    def grouped(
        self, tensors: Sequence[Any], op: Operation, arguments: tuple[Argument, ...] | None = None
    ) -> list[Any]:
        """`tensors`, one for each input of `op` (or what `arguments` says), with those of list arguments in lists."""
        if arguments is None:
            if not self._has_list_input:
                return tensors  # type: ignore[return-value]  # nobody changes what rules get
            arguments = self.input_arguments
        groups: list[Any] = []
        position = 0
        for argument in arguments:
            if not argument.is_list:
                groups.append(tensors[position])
                position += 1
                continue
            count = argument_length(argument, op._attributes)
            groups.append(list(tensors[position : position + count]))
            position += count
        return groups


OPS: dict[str, OpDefinition] = {}
DefinitionClass = TypeVar("DefinitionClass", bound=type[OpDefinition])
_DTYPE_BY_NAME: dict[str, DType] = {}


def operation(type: str, public: str | tuple[str, ...] = ()) -> Callable[[DefinitionClass], DefinitionClass]:
    """Class decorator: registers the definition of the operations of `type`, and offers it under `public` names."""

    def register(cls: DefinitionClass) -> DefinitionClass:
        if type in OPS:
            raise ValueError(f"the operation type {type!r} is defined twice")
        cls.type = type
        OPS[type] = object.__new__(cls)
        for name in (public,) if isinstance(public, str) else public:
            add_deferred(name, partial(public_form, cls, name))
        return cls

    return register


def public_form(cls: type[OpDefinition], name: str) -> Callable[..., Any]:
    """The function by which `tf.` offers a definition: its own name, signature and docstring."""
    from sessile.graph.apply import apply_definition

    definition = OPS[cls.type]

    def function(*args: Any, **kwargs: Any) -> Any:
        return apply_definition(definition, args, kwargs)

    function.__name__ = function.__qualname__ = name.rpartition(".")[2]
    function.__doc__ = cls.__doc__
    function.__module__ = cls.__module__
    function.__signature__ = definition.signature  # type: ignore[attr-defined]
    return function


def argument_length(argument: Argument, attributes: Mapping[str, Any]) -> int:
    """How many tensors a list argument stands for."""
    if argument.number_attribute:
        return int(attributes[argument.number_attribute])
    return len(attributes[argument.list_attribute or ""])


def complete_attributes(op_type: str, inputs: Sequence[Any], given: Mapping[str, Any]) -> Mapping[str, Any]:
    """The attributes of an operation, with those that its inputs tell and the defaults of the others.

    Raises ValueError for one that is missing.
    """
    definition = OPS.get(op_type)
    if definition is None or definition.attribute_table.keys() <= given.keys():
        return given
    attributes = {**_attributes_of_inputs(definition, inputs, given), **given}
    for name, attribute in definition.attribute_table.items():
        if name not in attributes:
            if attribute.default is REQUIRED:
                raise ValueError(f"NodeDef missing attr '{name}' from Op {op_type}")
            attributes[name] = attribute.default
    return attributes


def _attributes_of_inputs(definition: OpDefinition, inputs: Sequence[Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """What the types and the number of the inputs tell, where at most one of the arguments is a list."""
    attributes: dict[str, Any] = {}
    position = 0
    for argument in definition.input_arguments:
        count = 1
        if argument.is_list:
            count = len(inputs) - len(definition.input_arguments) + 1
        types = [tensor.dtype.base_dtype for tensor in inputs[position : position + count]]
        position += count
        if argument.number_attribute:
            attributes[argument.number_attribute] = count
        if argument.list_attribute:
            attributes[argument.list_attribute] = types
        elif argument.type_attribute and types:
            attributes[argument.type_attribute] = types[0]
    return attributes


def output_types(definition: OpDefinition, attributes: Mapping[str, Any]) -> list[DType]:
    """The types of all outputs, given the attributes."""
    types: list[DType] = []
    for argument in definition.output_arguments:
        if argument.list_attribute:
            types += attributes[argument.list_attribute]
            continue
        dtype = argument.dtype or attributes[argument.type_attribute or ""]
        dtype = dtype._as_ref if argument.is_ref else dtype
        types += [dtype] * (argument_length(argument, attributes) if argument.number_attribute else 1)
    return types


def infer_shapes(op: Operation) -> None:
    """Sets the static shapes of an operation's outputs by its definition. Raises ValueError where inputs do not fit."""
    definition = OPS.get(op.type)
    if definition is None or not op.outputs:
        return
    try:
        shapes = definition.infer(*definition.grouped(op._inputs, op), **definition.attributes_for("infer", op))
    except ValueError as error:
        raise ValueError(_shape_message(op, error)) from None
    flat = shapes if isinstance(shapes, list) else [shapes]
    for tensor, shape in zip(op.outputs, flat, strict=True):
        if not isinstance(shape, TensorShape):
            shape = shape._shape if isinstance(shape, Tensor) else as_shape(shape)
        tensor._shape = shape


def _shape_message(op: Operation, error: ValueError) -> str:
    shapes = ", ".join(shape_text(tensor) for tensor in op._inputs)
    lines = [f"{error} for '{op.name}' (op: '{op.type}') with input shapes: {shapes}."]
    for tensor in op._inputs:
        origin = tensor.op.traceback
        where = f"   {origin[-1].filename}:{origin[-1].lineno}" if origin else ""
        lines.append(f"    {tensor.name}  {tensor.dtype.name}{tensor.shape}{where}")
    if op.traceback:
        line = op.traceback[-1]
        lines.append(f"  created at {line.filename}:{line.lineno}, in {line.name}:   {line.line}")
    return "\n".join(lines)


def _keyword_names(rule: Callable[..., Any], attributes: Mapping[str, Attribute]) -> tuple[str, ...]:
    code = inspect.unwrap(rule).__code__  # `inspect.signature` says the same in twenty times the time
    if code.co_flags & inspect.CO_VARKEYWORDS:
        return tuple(attributes)
    return code.co_varnames[code.co_argcount : code.co_argcount + code.co_kwonlyargcount]


def _fill_dtype_names() -> None:
    from sessile.graph import dtypes

    for value in vars(dtypes).values():
        if isinstance(value, DType):
            _DTYPE_BY_NAME[value.name] = value


_fill_dtype_names()
