"""Static shapes behave as in TensorFlow 1: Dimension objects, unknown sizes that equal nothing, messages."""

import copy
import operator
import pickle

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sessile.graph.tensor_shape import (
    Dimension,
    TensorShape,
    as_dimension,
    as_shape,
    broadcast_shape,
    dimension_at_index,
    dimension_value,
    matrix,
    scalar,
    unknown_shape,
    vector,
)

UNKNOWN = TensorShape(None)


def test_dimension_arithmetic():
    assert (Dimension(3) + 2).value == (2 + Dimension(3)).value == 5
    assert (7 - Dimension(3)).value == 4 and (Dimension(7) - 3).value == 4
    assert (2 * Dimension(3)).value == 6 and (Dimension(3) * Dimension(2)).value == 6
    assert (Dimension(7) // 2).value == 3 and (7 // Dimension(2)).value == 3
    assert (Dimension(7) % 4).value == 3 and (7 % Dimension(4)).value == 3
    assert (Dimension(3) + None).value is None and (Dimension(None) // 0).value is None
    with pytest.raises(ValueError, match="Dimension -2 must be >= 0"):
        Dimension(3) - 5
    with pytest.raises(TypeError, match="please use // instead"):
        Dimension(4) / 2
    with pytest.raises(TypeError, match="please use // instead"):
        4 / Dimension(2)
    with pytest.raises(TypeError, match="unsupported operand"):
        Dimension(3) * 1.5


def test_dimension_comparison():
    assert Dimension(3) == 3 and Dimension(3) != 4 and Dimension(3) != "a"
    assert (Dimension(3) == None) is None  # noqa: E711
    assert (Dimension(None) == Dimension(None)) is None
    assert (Dimension(None) < 4) is None
    assert Dimension(3) < 4 and Dimension(3) <= 3 and Dimension(3) > 2 and Dimension(3) >= 3
    with pytest.raises(TypeError):
        _ = Dimension(3) < "a"
    with pytest.raises(TypeError, match="unhashable"):
        hash(Dimension(3))


def test_dimension_as_integer():
    assert int(Dimension(3)) == 3 and list(range(Dimension(2))) == [0, 1] and [4, 5][Dimension(1)] == 5
    assert np.zeros(Dimension(3)).shape == (3,)
    assert Dimension(0) and Dimension(None)
    assert Dimension(Dimension(4)).value == Dimension(np.int64(4)).value == 4
    with pytest.raises(TypeError):
        int(Dimension(None))
    assert Dimension(3.0).value == Dimension(np.float32(3)).value == 3
    with pytest.raises(ValueError, match=r"Ambiguous dimension: 1\.5"):
        Dimension(1.5)
    with pytest.raises(TypeError, match="must be integer or None"):
        Dimension("3")
    with pytest.raises(ValueError, match="must be >= 0"):
        Dimension(-1)


def test_dimension_compatibility_and_text():
    assert Dimension(3).is_compatible_with(None) and not Dimension(3).is_compatible_with(4)
    assert Dimension(None).merge_with(3).value == 3
    with pytest.raises(ValueError, match="Dimensions 3 and 4 are not compatible"):
        Dimension(3).merge_with(4)
    assert repr(Dimension(None)) == "Dimension(None)" and str(Dimension(None)) == "?"
    assert repr(Dimension(3)) == "Dimension(3)" and str(Dimension(3)) == "3"
    assert pickle.loads(pickle.dumps(Dimension(3))).value == 3
    dimension = Dimension(3)
    assert as_dimension(dimension) is dimension
    assert dimension_value(dimension) == dimension_value(3) == 3 and dimension_value(None) is None


@pytest.mark.parametrize(
    ("dims", "text", "representation"),
    [
        (None, "<unknown>", "TensorShape(None)"),
        ([], "()", "TensorShape([])"),
        ([3], "(3,)", "TensorShape([Dimension(3)])"),
        ([None, 784], "(?, 784)", "TensorShape([Dimension(None), Dimension(784)])"),
    ],
)
def test_shape_text(dims, text, representation):
    assert str(TensorShape(dims)) == text
    assert repr(TensorShape(dims)) == representation


def test_shape_from_many_things():
    expected = (2, 3)
    for dims in ([2, 3], (2, Dimension(3)), np.array([2, 3]), TensorShape([2, 3]), iter([2, 3])):
        assert TensorShape(dims).sizes == expected
    assert TensorShape(3).sizes == (3,)
    with pytest.raises(TypeError, match="not a shape"):
        TensorShape("ab")
    with pytest.raises(TypeError):
        TensorShape([1, "a"])
    with pytest.raises(ValueError, match="Dimension -1 must be >= 0"):
        TensorShape([-1])


def test_what_a_shape_tells():
    shape = TensorShape([None, 4])
    assert shape.as_list() == [None, 4] and shape.rank == shape.ndims == len(shape) == 2
    assert shape.num_elements() is None and TensorShape([3, 4]).num_elements() == 12
    assert scalar().num_elements() == 1 and UNKNOWN.num_elements() is None
    assert [type(dim) for dim in shape] == [Dimension, Dimension]
    assert shape[1].value == 4 and shape[-2].value is None and shape[1:].as_list() == [4]
    assert [dim.value for dim in shape.dims] == [None, 4] and UNKNOWN.dims is None
    assert shape and scalar() and not UNKNOWN
    assert not shape.is_fully_defined() and not UNKNOWN.is_fully_defined() and scalar().is_fully_defined()
    assert 4 in shape and dimension_at_index(UNKNOWN, 3).value is None
    with pytest.raises(ValueError, match=r"Shape \(\?, 4\) is not fully defined"):
        shape.assert_is_fully_defined()


def test_unknown_rank():
    assert UNKNOWN.rank is None and UNKNOWN[0].value is None
    assert UNKNOWN[1:3].as_list() == [None, None] and UNKNOWN[5:3].as_list() == []
    assert UNKNOWN[1:].rank is None and UNKNOWN[:-1].rank is None and UNKNOWN[-2:].rank is None
    with pytest.raises(ValueError, match="Steps are not yet handled"):
        UNKNOWN[::2]
    with pytest.raises(ValueError, match="as_list"):
        UNKNOWN.as_list()
    with pytest.raises(ValueError, match="Cannot iterate"):
        iter(UNKNOWN)
    with pytest.raises(ValueError, match="Cannot take the length"):
        len(UNKNOWN)


def test_equality_is_certain_equality():
    assert TensorShape([1, 2]) == [1, 2] and TensorShape([1, 2]) == TensorShape((1, 2))
    assert TensorShape([1]) != [2] and TensorShape([1]) != [1, 1] and TensorShape([1]) != "a"
    partly = TensorShape([None, 1])
    assert partly != TensorShape([None, 1])
    assert operator.eq(partly, partly)
    assert TensorShape(None) == UNKNOWN
    assert not operator.eq(UNKNOWN, [1])
    with pytest.raises(ValueError, match="inequality of unknown"):
        _ = TensorShape([1]) != UNKNOWN
    assert hash(TensorShape([1, 2])) == hash(TensorShape((1, 2)))


def test_merging():
    assert TensorShape([1, None]).merge_with([None, 2]).sizes == (1, 2)
    assert UNKNOWN.merge_with([1]).sizes == TensorShape([1]).merge_with(None).sizes == (1,)
    assert TensorShape([1, 2]).most_specific_compatible_shape([1, 3]).sizes == (1, None)
    assert TensorShape([1, 2]).most_specific_compatible_shape([1]).sizes is None
    assert TensorShape([1]).concatenate([None]).sizes == (1, None)
    assert operator.add(TensorShape([1]), [2]).sizes == (1, 2)
    assert operator.add([2], TensorShape([1])).sizes == (2, 1)
    assert UNKNOWN.concatenate([1]).sizes is None
    for other in ([1, 3], [1]):
        with pytest.raises(ValueError, match=r"Shapes \(1, 2\) and .* are not compatible"):
            TensorShape([1, 2]).merge_with(other)


def test_assertions():
    with pytest.raises(ValueError, match=r"Shapes \(1,\) and \[2\] are incompatible"):
        TensorShape([1]).assert_is_compatible_with([2])
    with pytest.raises(ValueError, match=r"Shape \(1,\) must have rank 2"):
        TensorShape([1]).assert_has_rank(2)
    with pytest.raises(ValueError, match=r"Shapes \(1,\) and \(1, 2\) must have the same rank"):
        TensorShape([1]).assert_same_rank([1, 2])
    with pytest.raises(ValueError, match="must have rank at least 2"):
        TensorShape([1]).with_rank_at_least(2)
    with pytest.raises(ValueError, match="must have rank at most 0"):
        TensorShape([1]).with_rank_at_most(0)
    UNKNOWN.assert_has_rank(2)
    assert UNKNOWN.with_rank(2).sizes == (None, None) and UNKNOWN.with_rank_at_least(2).rank is None
    assert TensorShape([1]).with_rank(1).sizes == (1,)


def test_small_constructors_and_copies():
    assert vector(None).sizes == (None,) and matrix(2, None).sizes == (2, None) and scalar().sizes == ()
    assert unknown_shape(2).sizes == unknown_shape(ndims=2).sizes == (None, None)
    shape = TensorShape([1, None])
    assert as_shape(shape) is shape
    assert pickle.loads(pickle.dumps(shape)).sizes == copy.deepcopy(shape).sizes == (1, None)


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ([3, 1], [3], [3, 3]),
        ([None, 1], [3], [None, 3]),
        ([None], [1], [None]),
        ([None], [None], [None]),
        ([None], [4], [4]),
        ([0], [1], [0]),
        ([], [2, None], [2, None]),
    ],
)
def test_broadcasting(a, b, expected):
    assert broadcast_shape(a, b).as_list() == expected
    assert broadcast_shape(b, a).as_list() == expected


def test_broadcasting_of_shapes_that_do_not_fit():
    assert broadcast_shape(None, [1]).rank is None
    with pytest.raises(ValueError, match=r"Incompatible shapes for broadcasting: \(\?, 4\) and \(3,\)"):
        broadcast_shape([None, 4], [3])


SIZES = st.lists(st.integers(0, 4), max_size=4)


@given(SIZES, SIZES)
def test_broadcasting_agrees_with_numpy(a, b):
    try:
        expected = np.broadcast_shapes(tuple(a), tuple(b))
    except ValueError:
        with pytest.raises(ValueError):
            broadcast_shape(a, b)
    else:
        assert broadcast_shape(a, b).sizes == expected
