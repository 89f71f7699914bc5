"""`tf.nn.dropout`: sets random elements to zero and scales the others, so that the expected sum stays."""

from __future__ import annotations

import numbers
from typing import Any

from sessile.graph.constant_value import constant_value
from sessile.graph.convert import convert_to_tensor
from sessile.graph.name_scope import name_scope
from sessile.graph.ops import casts, random, shapes
from sessile.graph.public_names import public
from sessile.graph.renamed_arguments import renamed_argument
from sessile.graph.tensor import Tensor
from sessile.graph.tensor_shape import TensorShape, as_shape


@public("nn.dropout")
def dropout(
    x: Any,
    keep_prob: Any = None,
    noise_shape: Any = None,
    seed: int | None = None,
    name: str | None = None,
    rate: Any = None,
) -> Tensor:
    """`x` with elements set to 0 with probability `rate`, the others divided by 1 - rate (Srivastava et al., 2014).

    Args:
        x: a floating tensor.
        keep_prob: the older way to say it: 1 - rate.
        noise_shape: a shape that broadcasts to that of `x`: elements along axes of size 1 are kept or dropped together.
        seed: makes the choice repeatable, together with the graph's seed.
        name: a name for the operations.
        rate: the probability, a number or a scalar tensor, in [0, 1).

    Raises ValueError for other types and rates, and when neither or both of `rate` and `keep_prob` are given.
    """
    try:
        dropped = None if keep_prob is None else 1.0 - keep_prob
    except TypeError:
        raise ValueError(f"keep_prob must be a floating point number or Tensor (got {keep_prob!r})") from None
    rate = renamed_argument("rate", rate, "keep_prob", dropped)
    if rate is None:
        raise ValueError("You must provide a rate to dropout.")
    with name_scope(name, "dropout", [x]):
        x = convert_to_tensor(x, name="x")
        if not x.dtype.is_floating:
            raise ValueError(
                f"x has to be a floating point tensor since it's going to be scaled. Got a {x.dtype} tensor instead."
            )
        if isinstance(rate, numbers.Real):
            if not 0 <= float(rate) < 1:
                raise ValueError(f"rate must be a scalar tensor or a float in the range [0, 1), got {rate:g}")
            if rate == 0:
                return x
        return _dropped(x, rate, noise_shape, seed)


def _dropped(x: Tensor, rate: Any, noise_shape: Any, seed: int | None) -> Tensor:
    rate = convert_to_tensor(rate, dtype=x.dtype, name="rate")
    rate.shape.assert_has_rank(0)
    if constant_value(rate) == 0:
        return x
    noise = random.random_uniform(_noise_shape(x, noise_shape), seed=seed, dtype=x.dtype)
    scale = 1 / (1 - rate)
    is_kept = noise >= rate
    result = x * scale * casts.cast(is_kept, x.dtype)
    result.set_shape(x.shape)
    return result


def _noise_shape(x: Tensor, noise_shape: Any) -> Any:
    """The shape of the choices; unknown sizes in it are those of `x`."""
    if noise_shape is None:
        return shapes.shape(x)
    try:
        given = as_shape(noise_shape)
    except (TypeError, ValueError):
        return noise_shape
    own, wanted = x.shape.sizes, given.sizes
    if own is None or wanted is None or len(own) != len(wanted):
        return noise_shape
    return TensorShape([size if other is None else other for size, other in zip(own, wanted, strict=True)])
