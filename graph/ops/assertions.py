"""Assertions on values and static properties: `tf.assert_equal`, `tf.assert_rank` and the like.

What the graph alone tells is checked while it is built; the rest becomes an `Assert` operation, which the caller must
make other operations wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np

from sessile.graph import dtypes
from sessile.graph.constant_value import constant_value
from sessile.graph.convert import internal_convert
from sessile.graph.data_type import DType, as_dtype
from sessile.graph.errors import InvalidArgumentError
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import checks, comparison, elementwise, identity, reductions, shapes
from sessile.graph.public_names import public
from sessile.graph.tensor import Tensor


def _checked_statically(condition: Any, data: list[Any]) -> None:
    """Raises InvalidArgumentError when the condition is known not to hold."""
    known = constant_value(condition)
    if known is not None and not known.all():
        shown = [item if isinstance(item, str) else constant_value(internal_convert(item)) for item in data]
        raise InvalidArgumentError(None, None, "\n".join(str(item) for item in shown if item is not None))


def _binary(name: str, symbol: str, relation: Callable[[Any, Any], Any], numpy_relation: Callable[..., Any]) -> Any:
    """The assertion that a relation holds between two tensors, element by element."""

    def check(
        x: Any,
        y: Any,
        data: Any = None,
        summarize: int | None = None,
        message: str | None = None,
        name: str | None = None,
    ) -> Any:
        with name_scope(name, check.__name__, [x, y]):
            x = internal_convert(x, None, "x")
            y = internal_convert(y, None, "y", x.dtype.base_dtype)
            if data is None:
                data = [f"Condition x {symbol} y did not hold element-wise:"]
                data += [f"x ({x.name}) = ", x, f"y ({y.name}) = ", y]
                data = [message, *data] if message else ["", *data]
            known = constant_value(x), constant_value(y)
            if known[0] is not None and known[1] is not None:
                _checked_statically(np.all(numpy_relation(*known)), list(data))
            return checks.assert_(reductions.reduce_all(relation(x, y)), data, summarize=summarize)

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"""Checks that x {symbol} y holds for all elements.

    Args:
        x, y: tensors of one type, whose shapes broadcast.
        data: what to show when it does not hold; by default both tensors.
        summarize: how many elements of each to show.
        message: how the error's text begins.
        name: a name for the operations.

    Returns an operation that raises InvalidArgumentError when it runs and x {symbol} y does not hold. Raises it at once
    where both are known.
    """
    return public(name, f"debugging.{name}")(check)


assert_equal = _binary("assert_equal", "==", comparison.Equal, np.equal)
assert_none_equal = _binary("assert_none_equal", "!=", comparison.NotEqual, np.not_equal)
assert_less = _binary("assert_less", "<", comparison.Less, np.less)
assert_less_equal = _binary("assert_less_equal", "<=", comparison.LessEqual, np.less_equal)
assert_greater = _binary("assert_greater", ">", comparison.Greater, np.greater)
assert_greater_equal = _binary("assert_greater_equal", ">=", comparison.GreaterEqual, np.greater_equal)


def _unary(name: str, symbol: str, holds: Callable[..., Any]) -> Any:
    """The assertion that all elements of a tensor compare with 0."""

    def check(
        x: Any, data: Any = None, summarize: int | None = None, message: str | None = None, name: str | None = None
    ) -> Any:
        with name_scope(name, check.__name__, [x]):
            x = internal_convert(x, None, "x")
            if data is None:
                data = [message or "", f"Condition x {symbol} 0 did not hold element-wise:", f"x ({x.name}) = ", x]
            zero = internal_convert(0, x.dtype.base_dtype)
            return holds(x, zero, data=data, summarize=summarize)

    check.__name__ = check.__qualname__ = name
    check.__doc__ = f"""Checks that x {symbol} 0 holds for all elements.

    Args:
        x: a tensor of real numbers.
        data: what to show when it does not hold; by default the tensor.
        summarize: how many elements to show.
        message: how the error's text begins.
        name: a name for the operations.

    Returns an operation that raises InvalidArgumentError when it runs and x {symbol} 0 does not hold.
    """
    return public(name, f"debugging.{name}")(check)


assert_negative = _unary("assert_negative", "<", assert_less)
assert_positive = _unary("assert_positive", ">", assert_greater)
assert_non_negative = _unary("assert_non_negative", ">=", assert_greater_equal)
assert_non_positive = _unary("assert_non_positive", "<=", assert_less_equal)


@public("assert_near", "debugging.assert_near")
def assert_near(
    x: Any,
    y: Any,
    rtol: Any = None,
    atol: Any = None,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Checks that |x - y| <= atol + rtol * |y| holds for all elements.

    Args:
        x, y: tensors of one floating or complex type, whose shapes broadcast.
        rtol, atol: the tolerances, by default ten times the distance of 1 to the next number of the type.
        data: what to show when it does not hold; by default both tensors.
        summarize: how many elements of each to show.
        message: how the error's text begins.
        name: a name for the operations.

    Returns an operation that raises InvalidArgumentError when it runs and the tensors are not near.
    """
    with name_scope(name, "assert_near", [x, y, rtol, atol, data]):
        x = internal_convert(x, None, "x")
        y = internal_convert(y, x.dtype.base_dtype, "y")
        step = 10 * np.finfo(x.dtype.as_numpy_dtype).eps
        real = x.dtype.real_dtype.base_dtype
        rtol = internal_convert(step if rtol is None else rtol, real)
        atol = internal_convert(step if atol is None else atol, real)
        if data is None:
            data = [message or "", f"x and y not equal to tolerance rtol = {rtol}, atol = {atol}"]
            data += [f"x ({x.name}) = ", x, f"y ({y.name}) = ", y]
        distance, limit = elementwise.abs(x - y), atol + rtol * elementwise.abs(y)
        return checks.assert_(reductions.reduce_all(distance <= limit), data, summarize=summarize)


def _settled_rank(x: Tensor, message: str | None, expected: str, is_right: Callable[[int], bool]) -> Any:
    """An operation that does nothing where the rank is known to be right, None where it is not known.

    Raises ValueError where it is known to be wrong.
    """
    rank = x.shape.ndims
    if rank is None:
        return None
    if not is_right(rank):
        raise ValueError(
            f"{message or ''}.  Tensor {x.name} must have rank {expected}.  Received rank {rank}, shape {x.shape}"
        )
    return identity.NoOp(name="static_checks_determined_all_ok")


def _assert_rank(x: Any, rank: Any, symbol: str, words: str, data: Any, summarize: Any, message: Any, name: str) -> Any:
    with name_scope(name, None, [x]):
        x = internal_convert(x, None, "x")
        wanted = internal_convert(rank, None, "rank")
        if wanted.shape.ndims not in (None, 0):
            raise ValueError("Rank must be a scalar.")
        known = constant_value(wanted)
        relation = {"==": comparison.Equal, ">=": comparison.GreaterEqual}[symbol]
        if known is not None:
            limit = int(known)
            is_right = (lambda found: found == limit) if symbol == "==" else (lambda found: found >= limit)
            done = _settled_rank(x, message, f"{words}{limit}", is_right)
            if done is not None:
                return done
        if data is None:
            data = [
                message or "",
                f"Tensor {x.name} must have rank {words}",
                wanted,
                "Received shape: ",
                shapes.shape(x),
            ]
        return checks.assert_(relation(shapes.rank(x), wanted), data, summarize=summarize)


@public("assert_rank", "debugging.assert_rank")
def assert_rank(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Checks that a tensor has a number of axes.

    Args:
        x: a tensor.
        rank: the number of axes, a scalar of int32.
        data: what to show when it has another; by default its shape.
        summarize: how many elements to show.
        message: how the error's text begins.
        name: a name for the operations.

    Returns an operation that raises InvalidArgumentError when it runs and the tensor has another rank. Raises
    ValueError at once where the rank is known.
    """
    return _assert_rank(x, rank, "==", "", data, summarize, message, name or "assert_rank")


@public("assert_rank_at_least", "debugging.assert_rank_at_least")
def assert_rank_at_least(
    x: Any,
    rank: Any,
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Checks that a tensor has a number of axes or more; arguments as those of assert_rank."""
    return _assert_rank(x, rank, ">=", "at least ", data, summarize, message, name or "assert_rank_at_least")


@public("assert_rank_in", "debugging.assert_rank_in")
def assert_rank_in(
    x: Any,
    ranks: Iterable[int],
    data: Any = None,
    summarize: int | None = None,
    message: str | None = None,
    name: str | None = None,
) -> Any:
    """Checks that the number of a tensor's axes is one of several; other arguments as those of assert_rank."""
    with name_scope(name, "assert_rank_in", [x]):
        x = internal_convert(x, None, "x")
        allowed = tuple(int(rank) for rank in ranks)
        done = _settled_rank(x, message, f"in {allowed}", lambda found: found in allowed)
        if done is not None:
            return done
        if data is None:
            data = [message or "", f"Tensor {x.name} must have rank in {allowed}", "Received shape: ", shapes.shape(x)]
        is_right = reductions.reduce_any(comparison.Equal(shapes.rank(x), np.array(allowed, np.int32)))
        return checks.assert_(is_right, data, summarize=summarize)


@public("assert_integer", "debugging.assert_integer")
def assert_integer(x: Any, message: str | None = None, name: str | None = None) -> Any:
    """Checks that a tensor holds whole numbers; raises TypeError when it does not. Returns an operation without effect.

    Args:
        x: a tensor.
        message: how the error's text begins.
        name: a name for the operation.
    """
    with name_scope(name, "assert_integer", [x]):
        x = internal_convert(x, None, "x")
        if not x.dtype.is_integer:
            raise TypeError(
                f'{message or ""}  Expected "x" to be integer type.  Found: {x.dtype.name} of Tensor {x.name}'
            )
        return identity.NoOp(name="statically_determined_was_integer")


@public("assert_type", "debugging.assert_type")
def assert_type(tensor: Any, tf_type: Any, message: str | None = None, name: str | None = None) -> Any:
    """Checks that a tensor has a type; raises TypeError when it has another. Returns an operation without effect.

    Args:
        tensor: a tensor.
        tf_type: the type.
        message: how the error's text begins.
        name: a name for the operation.
    """
    with name_scope(name, "assert_type", [tensor]):
        tensor = internal_convert(tensor, None, "tensor")
        if tensor.dtype.base_dtype != as_dtype(tf_type):
            raise TypeError(f"{message or ''}  {tensor.name} must be of type {as_dtype(tf_type)!r}")
        return identity.NoOp(name="statically_determined_correct_type")


@public("assert_scalar", "debugging.assert_scalar")
def assert_scalar(tensor: Any, name: str | None = None, message: str | None = None) -> Tensor:
    """Checks that a tensor has no axes, and returns it. Raises ValueError when it is known to have some.

    Args:
        tensor: a tensor.
        name: a name for the operation.
        message: how the error's text begins.
    """
    with name_scope(name, "assert_scalar", [tensor]):
        tensor = internal_convert(tensor)
        if tensor.shape.ndims != 0:
            raise ValueError(f"{message or ''}Expected scalar shape for {tensor.name}, saw shape: {tensor.shape}.")
        return tensor


@public("assert_proper_iterable", "debugging.assert_proper_iterable")
def assert_proper_iterable(values: Any) -> None:
    """Raises TypeError unless `values` can be iterated over and is no tensor, array or text.

    Args:
        values: the object to check.
    """
    if isinstance(values, (Tensor, np.ndarray, str, bytes)) or not hasattr(values, "__iter__"):
        raise TypeError(f'Expected argument "values" to be a "proper" iterable.  Found: {type(values)}')


@public("assert_same_float_dtype", "debugging.assert_same_float_dtype")
def assert_same_float_dtype(tensors: Any = None, dtype: Any = None) -> DType:
    """The one floating type that all of `tensors` have, float32 where there are none.

    Args:
        tensors: a list of tensors.
        dtype: the type that they must have.

    Raises ValueError when types differ, or are not floating.
    """
    wanted = None if dtype is None else as_dtype(dtype).base_dtype
    for tensor in tensors or ():
        found = tensor.dtype.base_dtype
        wanted = found if wanted is None else wanted
        if found != wanted:
            raise ValueError(f"Tensor type {found} of {tensor.name} must be {wanted}.")
    wanted = wanted or dtypes.float32
    if not wanted.is_floating:
        raise ValueError(f"Expected floating point type, got {wanted}.")
    return wanted


@public("is_numeric_tensor", "debugging.is_numeric_tensor")
def is_numeric_tensor(tensor: Any) -> bool:
    """Whether an object is a tensor of numbers.

    Args:
        tensor: the object.
    """
    return isinstance(tensor, Tensor) and tensor.dtype.base_dtype in dtypes.NUMERIC | dtypes.QUANTIZED


def _steps(x: Any) -> Tensor:
    flat = shapes.reshape(internal_convert(x, None, "x"), [-1])
    return flat[1:] - flat[:-1]


@public("is_non_decreasing", "math.is_non_decreasing", "debugging.is_non_decreasing")
def is_non_decreasing(x: Any, name: str | None = None) -> Tensor:
    """Whether no element, in row-major order, is smaller than the one before.

    Args:
        x: a tensor of real numbers.
        name: a name for the operations.
    """
    with name_scope(name, "is_non_decreasing", [x]):
        return reductions.reduce_all(_steps(x) >= 0)


@public("is_strictly_increasing", "math.is_strictly_increasing", "debugging.is_strictly_increasing")
def is_strictly_increasing(x: Any, name: str | None = None) -> Tensor:
    """Whether each element, in row-major order, is larger than the one before.

    Args:
        x: a tensor of real numbers.
        name: a name for the operations.
    """
    with name_scope(name, "is_strictly_increasing", [x]):
        return reductions.reduce_all(_steps(x) > 0)


@public("verify_tensor_all_finite", "debugging.assert_all_finite")
def verify_tensor_all_finite(
    t: Any = None, msg: str | None = None, name: str | None = None, x: Any = None, message: str | None = None
) -> Tensor:
    """A tensor that may hold neither NaN nor infinity when it runs.

    Args:
        t, x: the tensor, under its older and newer name.
        msg, message: how the InvalidArgumentError begins.
        name: a name for the operations.
    """
    with name_scope(name, "VerifyFinite", [t if x is None else x]):
        tensor = internal_convert(t if x is None else x, None, "x")
        verified = identity.check_numerics(tensor, message=(msg if message is None else message) or "")
        return identity.with_dependencies([verified], tensor)
