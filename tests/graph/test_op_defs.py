"""The definitions of operations are TensorFlow's: names and types of inputs, outputs and attributes, and defaults.

Compared with the definitions of TensorFlow 2.21, which have gained attributes since 1.15, each with a default that
means what was so before.
"""

import gzip
from pathlib import Path

import pytest

from sessile.graph import library
from sessile.graph.op_def import definition_of, op_def_of_type
from sessile.graph.op_definition import OPS
from sessile.graph.proto.op_def_pb2 import OpList

assert library  # which defines all operations
RECORDED = Path(__file__).parents[1] / "data" / "op_defs.pb.gz"
THEIRS = {op.name: op for op in OpList.FromString(gzip.decompress(RECORDED.read_bytes())).op}

# (operation, attribute): where the default is that of TensorFlow 1.15, or one that 1.15 leaves to the inputs.
OTHER_DEFAULTS = {("GatherV2", "Taxis")}
OWN = {"InitializedValue"}


def arguments(op_def, arguments, known):
    """What each argument is; a type that a later attribute decides is the default of that attribute."""
    later = {attr.name: attr.default_value.type for attr in op_def.attr if attr.name not in known}
    return [
        (
            argument.name,
            later.get(argument.type_attr, argument.type),
            "" if argument.type_attr in later else argument.type_attr,
            argument.number_attr,
            argument.type_list_attr,
            argument.is_ref,
        )
        for argument in arguments
    ]


@pytest.mark.parametrize("name", sorted(set(OPS) - OWN))
def test_a_definition_is_that_of_tensorflow(name):
    ours, theirs = op_def_of_type(OPS[name]), THEIRS[name]
    attributes = {attr.name: attr for attr in ours.attr}
    assert arguments(ours, ours.input_arg, attributes) == arguments(theirs, theirs.input_arg, attributes)
    assert arguments(ours, ours.output_arg, attributes) == arguments(theirs, theirs.output_arg, attributes)
    assert ours.is_stateful == theirs.is_stateful
    assert set(attributes) <= {attr.name for attr in theirs.attr}
    for attr in theirs.attr:
        if attr.name not in attributes:
            assert attr.HasField("default_value"), f"{attr.name} is missing"
        elif (name, attr.name) not in OTHER_DEFAULTS:
            mine = attributes[attr.name]
            assert (mine.type, str(mine.default_value)) == (attr.type, str(attr.default_value)), attr.name


@pytest.mark.parametrize("name", sorted(OPS))
def test_a_definition_written_and_read_again_is_the_same_signature(name):
    definition = OPS[name]
    again = definition_of(op_def_of_type(definition))
    assert again.input_arguments == definition.input_arguments
    assert again.output_arguments == definition.output_arguments
    assert op_def_of_type(again) == op_def_of_type(definition)
