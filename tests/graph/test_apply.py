"""Applying definitions: arguments, attributes, conversion of inputs, and what a call returns."""

from __future__ import annotations

from typing import Any

import pytest

import sessile as tf
from sessile.graph.ops.clipping import ClipByValue
from sessile.graph.ops.joining import ConcatV2, Pack
from sessile.graph.ops.sorting import TopKV2


@pytest.fixture(autouse=True)
def graph() -> Any:
    with tf.Graph().as_default() as graph:
        yield graph


def test_several_outputs_have_names() -> None:
    result = tf.nn.top_k([1.0, 3.0, 2.0], 2, name="best")
    assert type(result).__name__ == "TopKV2"
    assert result._fields == ("values", "indices")
    assert result.indices.name == "best:1"
    values, indices = tf.Session().run(result)
    assert (values.tolist(), indices.tolist()) == ([3.0, 2.0], [1, 2])


def test_outputs_of_one_list_are_a_list() -> None:
    assert isinstance(tf.split(tf.ones([4]), 2), list)


def test_operation_without_outputs_is_returned_itself() -> None:
    assert isinstance(tf.no_op(), tf.Operation)


def test_public_function_shows_its_signature() -> None:
    import inspect

    assert str(inspect.signature(tf.fill)) == "(dims, value, name=None)"
    assert tf.fill.__doc__.startswith("A tensor that holds one value everywhere.")


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: tf.square(), "missing the argument 'x'"),
        (lambda: tf.square(1.0, y=2), "unexpected keyword argument 'y'"),
        (lambda: tf.square(1.0, x=2), "multiple values for argument 'x'"),
        (lambda: tf.square(1.0, "a", 3), "takes 2 arguments, 3 were given"),
        (lambda: TopKV2([1.0], 1, sorted=3), "Expected bool for argument 'sorted'"),
        (
            lambda: tf.constant(1) + tf.no_op(),
            "Can't convert Operation 'NoOp' to Tensor \\(target dtype=None, name='y', as_ref=False\\)",
        ),
        (lambda: Pack([1.0], axis="a"), "Expected int for argument 'axis'"),
        (lambda: ConcatV2(1.0, 0), "Expected list for 'values' argument to 'ConcatV2' Op"),
        (lambda: tf.sqrt([1, 2]), "Value passed to parameter 'x' has DataType int32 not in list of allowed values"),
        (lambda: tf.concat([[1.0], ["a"]], 0), "have types \\[float32, string\\] that don't all match"),
        (
            lambda: ClipByValue(tf.ones([2]), tf.ones([], tf.int32), 1.0),
            "Input 'clip_value_min' of 'ClipByValue' Op has type int32 that does not match type float32",
        ),
        (lambda: tf.fill([2.5], 1.0), "Value passed to parameter 'dims' has DataType float32 not in list"),
    ],
)
def test_wrong_arguments_are_type_errors(call: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message):
        call()


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: ConcatV2([tf.ones([2])], 0), "with length 1 shorter than minimum length 2"),
        (lambda: tf.space_to_depth(tf.ones([1, 2, 2, 1]), 1), "passed 1 less than minimum 2"),
        (lambda: tf.depth_to_space(tf.ones([1, 2, 2, 4]), 2, data_format="NHC"), '\'NHC\' not in: "NCHW", "NHWC"'),
        (lambda: tf.constant([[1], [2, 3]]), "dense tensor"),
        (lambda: tf.convert_to_tensor(None), "None values not supported"),
    ],
)
def test_wrong_values_are_value_errors(call: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        call()


def test_shape_errors_say_where_the_inputs_come_from() -> None:
    a = tf.placeholder(tf.float32, [2, 3], name="a")
    b = tf.placeholder(tf.float32, [4, 5], name="b")
    with pytest.raises(ValueError) as caught:
        tf.matmul(a, b, name="logits")
    lines = str(caught.value).split("\n")
    assert lines[0] == (
        "Dimensions must be equal, but are 3 and 4 for 'logits' (op: 'MatMul') with input shapes: [2,3], [4,5]."
    )
    assert lines[1].split()[:3] == ["a:0", "float32(2,", "3)"]
    assert "test_apply.py" in lines[1]
    assert lines[3].startswith("  created at") and 'tf.matmul(a, b, name="logits")' in lines[3]


def test_failed_operations_leave_nothing_behind(graph: Any) -> None:
    a = tf.placeholder(tf.float32, [2], name="a")
    with pytest.raises(ValueError):
        tf.add(a, tf.placeholder(tf.float32, [3], name="b"))
    assert [op.name for op in graph.get_operations()] == ["a", "b"]
    assert a.consumers() == []


def test_lists_that_hold_tensors_are_packed(graph: Any) -> None:
    x = tf.placeholder(tf.float32, [], name="x")
    packed = tf.convert_to_tensor([[x, 1.0], [2.0, 3.0]])
    assert (packed.op.type, packed.name, packed.shape.as_list()) == ("Pack", "packed:0", [2, 2])
    assert tf.Session().run(packed, {x: 5.0}).tolist() == [[5.0, 1.0], [2.0, 3.0]]
    with pytest.raises(TypeError, match="list containing a tensor of dtype"):
        tf.convert_to_tensor([x, 1], dtype=tf.int32)


def test_registered_types_convert_themselves() -> None:
    class Celsius:
        def __init__(self, degrees: float) -> None:
            self.degrees = degrees

    def convert(value: Celsius, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
        return tf.constant(value.degrees, dtype=dtype, name=name or "celsius")

    tf.register_tensor_conversion_function(Celsius, convert)
    total = tf.ones([2]) + Celsius(20.0)
    assert tf.Session().run(total).tolist() == [21.0, 21.0]
    with pytest.raises(TypeError, match="must be callable"):
        tf.register_tensor_conversion_function(Celsius, "convert")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="Cannot register conversions for Python numeric types"):
        tf.register_tensor_conversion_function(int, convert)
    assert tf.Session().run(tf.stack([Celsius(20.0), Celsius(30.0)])).tolist() == [20.0, 30.0]


@pytest.mark.parametrize(
    ("result", "message"), [(3, "returned non-Tensor: 3"), (None, "requested = int32, actual = float32")]
)
def test_registered_functions_return_tensors_of_the_type(result: Any, message: str) -> None:
    class Thing:
        pass

    def convert(value: Thing, dtype: Any = None, name: Any = None, as_ref: bool = False) -> Any:
        return tf.constant(1.0) if result is None else result

    tf.register_tensor_conversion_function(Thing, convert)
    with pytest.raises(RuntimeError, match=message):
        tf.convert_to_tensor(Thing(), tf.int32)


def test_sparse_tensors_are_no_tensors() -> None:
    with pytest.raises(TypeError, match=r"Failed to convert object of type .*SparseTensor"):
        tf.convert_to_tensor(tf.SparseTensor([[0]], [1.0], [2]))
