"""Records what TensorFlow's random operations return, for tests/ir/test_random_streams.py to compare with.

Run it by hand in an environment with TensorFlow (2.x will do):

    python tests/ir/record_random_streams.py tests/data/random_streams.json

Each case runs one operation several times in one session. Kept are a digest of all bytes of each run and the bit
patterns of a few elements spread over it; of f64 numbers that pass through the C library's functions, more of them.
"""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import tensorflow.compat.v1 as tf

KEPT = 3
KEPT_OF_INEXACT = 20
RUNS = 3
SEEDS = ((12, 34), (87654321, 5), (0, 2**31 - 1), (-3, 2**40 + 9))
SHAPES = ([], [3], [5, 13], [100003])
STATELESS_SEEDS = ([7, 11], [-1, 2**40])
LOGITS = [[0.5, -1.0, 2.0, 0.0, -3.5], [1.0, 1.0, float("-inf"), 1.0, 700.0], [-800.0, -801.0, -800.5, -2000.0, -799.0]]

Case = dict[str, Any]

STATEFUL: dict[str, Callable[..., Any]] = {
    "uniform": lambda case, **seeds: tf.raw_ops.RandomUniform(shape=_shape(case), dtype=case["dtype"], **seeds),
    "normal": lambda case, **seeds: tf.raw_ops.RandomStandardNormal(shape=_shape(case), dtype=case["dtype"], **seeds),
    "truncated_normal": lambda case, **seeds: tf.raw_ops.TruncatedNormal(
        shape=_shape(case), dtype=case["dtype"], **seeds
    ),
    "uniform_int": lambda case, **seeds: tf.raw_ops.RandomUniformInt(
        shape=_shape(case), **_bounds(case), **seeds
    ),
    "shuffle": lambda case, **seeds: tf.raw_ops.RandomShuffle(value=_rows(case["shape"]), **seeds),
    "categorical": lambda case, **seeds: tf.raw_ops.Multinomial(
        logits=_constant(case, "logits"), num_samples=case["shape"][1], output_dtype=case["dtype"], **seeds
    ),
    "gamma": lambda case, **seeds: tf.raw_ops.RandomGamma(shape=_shape(case), alpha=_constant(case, "alpha"), **seeds),
    "poisson": lambda case, **seeds: tf.raw_ops.RandomPoissonV2(
        shape=_shape(case), rate=_constant(case, "rate"), dtype=case["dtype"], **seeds
    ),
}  # fmt: skip

STATELESS: dict[str, Callable[..., Any]] = {
    "uniform": lambda case, seed: tf.raw_ops.StatelessRandomUniform(shape=_shape(case), seed=seed, dtype=case["dtype"]),
    "normal": lambda case, seed: tf.raw_ops.StatelessRandomNormal(shape=_shape(case), seed=seed, dtype=case["dtype"]),
    "truncated_normal": lambda case, seed: tf.raw_ops.StatelessTruncatedNormal(
        shape=_shape(case), seed=seed, dtype=case["dtype"]
    ),
    "uniform_int": lambda case, seed: tf.raw_ops.StatelessRandomUniformInt(
        shape=_shape(case), seed=seed, **_bounds(case)
    ),
    "uniform_full_int": lambda case, seed: tf.raw_ops.StatelessRandomUniformFullInt(
        shape=_shape(case), seed=seed, dtype=case["dtype"]
    ),
    "categorical": lambda case, seed: tf.raw_ops.StatelessMultinomial(
        logits=_constant(case, "logits"), num_samples=case["shape"][1], seed=seed, output_dtype=case["dtype"]
    ),
}  # fmt: skip


def _shape(case: Case) -> Any:
    return tf.constant(case["shape"], tf.int32)


def _bounds(case: Case) -> dict[str, Any]:
    return {name: tf.constant(case["parameters"][name], case["dtype"]) for name in ("minval", "maxval")}


def _constant(case: Case, name: str) -> Any:
    return tf.constant(case["parameters"][name], case["parameter_dtype"])


def _rows(shape: list[int]) -> Any:
    """A value whose first column is the row's number, so that its shuffled form shows the permutation."""
    value = np.zeros(shape, np.int64)
    value[...] = np.arange(shape[0], dtype=np.int64).reshape(-1, *[1] * (len(shape) - 1))
    return tf.constant(value)


def cases() -> Iterator[Case]:
    """All cases: kind, dtype, shape, parameters, and either attribute seeds or the seed of a stateless operation."""
    for seeds in SEEDS:
        for kind in ("uniform", "normal", "truncated_normal"):
            for dtype in ("float16", "float32", "float64"):
                for shape in SHAPES if seeds == SEEDS[0] else SHAPES[2:3]:
                    yield {"kind": kind, "dtype": dtype, "shape": shape, "seeds": seeds}
    yield from _integer_cases()
    yield from _parameter_cases()
    yield from _stateless_cases()


def _integer_cases() -> Iterator[Case]:
    for dtype, low, high in (
        ("int32", 0, 10), ("int32", -7, 1000003), ("int32", -(2**31), 2**31 - 1), ("int64", 0, 10),
        ("int64", -(2**63), 2**63 - 1), ("int64", -5, 2**40),
    ):  # fmt: skip
        for shape in ([], [67], [100003]):
            parameters = {"minval": low, "maxval": high}
            yield {"kind": "uniform_int", "dtype": dtype, "shape": shape, "seeds": (12, 34), "parameters": parameters}
    for shape in ([1], [2], [66], [7, 3], [100003]):
        yield {"kind": "shuffle", "dtype": "int64", "shape": shape, "seeds": (12, 34)}


def _parameter_cases() -> Iterator[Case]:
    for dtype, samples in (("int64", 7), ("int32", 4), ("int64", 1), ("int64", 500)):
        for kind in ("float16", "float32", "float64"):
            yield {
                "kind": "categorical", "dtype": dtype, "shape": [3, samples], "seeds": (12, 34),
                "parameters": {"logits": LOGITS}, "parameter_dtype": kind,
            }  # fmt: skip
    for dtype in ("float16", "float32", "float64"):
        for shape in ([], [3], [2, 500]):
            alpha = {"alpha": [0.3, 1.0, 2.5, 40.0]}
            yield {
                "kind": "gamma", "dtype": dtype, "shape": shape, "seeds": (12, 34), "parameters": alpha,
                "parameter_dtype": dtype,
            }  # fmt: skip
    for rate_dtype, dtype in (("float32", "float32"), ("float64", "float64"), ("float16", "float16"),
                              ("int32", "int64"), ("float32", "int32")):  # fmt: skip
        for shape in ([], [3], [2, 500]):
            rate = {"rate": [1, 4, 12, 100] if rate_dtype == "int32" else [0.25, 4.0, 10.0, 150.5]}
            yield {
                "kind": "poisson", "dtype": dtype, "shape": shape, "seeds": (12, 34), "parameters": rate,
                "parameter_dtype": rate_dtype,
            }  # fmt: skip


def _stateless_cases() -> Iterator[Case]:
    for seed in STATELESS_SEEDS:
        for kind in ("uniform", "normal", "truncated_normal"):
            for dtype in ("float32", "float64"):
                yield {"kind": kind, "dtype": dtype, "shape": [67], "stateless_seed": seed}
        bounds = {"minval": -7, "maxval": 1000003}
        for dtype in ("int32", "int64"):
            yield {"kind": "uniform_int", "dtype": dtype, "shape": [67], "stateless_seed": seed, "parameters": bounds}
            yield {
                "kind": "categorical", "dtype": dtype, "shape": [3, 7], "stateless_seed": seed,
                "parameters": {"logits": LOGITS}, "parameter_dtype": "float32",
            }  # fmt: skip
        for dtype in ("int32", "int64", "uint32", "uint64"):
            yield {"kind": "uniform_full_int", "dtype": dtype, "shape": [67], "stateless_seed": seed}


def run(case: Case) -> list[np.ndarray]:
    """The results of several executions in one session."""
    with tf.Graph().as_default():
        if "seeds" in case:
            samples = STATEFUL[case["kind"]](case, seed=case["seeds"][0], seed2=case["seeds"][1])
        else:
            samples = STATELESS[case["kind"]](case, tf.constant(case["stateless_seed"], tf.int64))
        # The result of a categorical operation depends on how its batch is split over threads.
        threads = 1 if case["kind"] == "categorical" else 2
        with tf.Session(config=tf.ConfigProto(intra_op_parallelism_threads=threads)) as session:
            return [session.run(samples) for _ in range(RUNS if "seeds" in case else 1)]


def summary(result: np.ndarray, count: int) -> Case:
    """A digest of an array and the bit patterns of some of its elements."""
    flat = np.ascontiguousarray(result).reshape(-1)
    kept = np.unique(np.linspace(0, flat.size - 1, min(count, flat.size)).astype(int))
    return {
        "shape": list(result.shape),
        "sha256": hashlib.sha256(flat.tobytes()).hexdigest()[:16],
        "positions": kept.tolist(),
        "bits": flat.view(f"u{flat.itemsize}")[kept].tolist(),
    }


def main(path: str) -> None:
    tf.disable_v2_behavior()
    recorded = []
    for case in cases():
        results = run(case)
        if case["kind"] == "shuffle":  # keep the permutation alone
            results = [result.reshape(result.shape[0], -1)[:, :1].reshape(-1) for result in results]
        inexact = case["dtype"] == "float64" and case["kind"] in ("normal", "truncated_normal", "gamma")
        kept = KEPT_OF_INEXACT if inexact else KEPT
        recorded.append({**case, "runs": [summary(result, kept) for result in results]})
    with open(path, "w", encoding="utf-8") as file:
        file.write("[\n" + ",\n".join(json.dumps(case) for case in recorded) + "\n]\n")


if __name__ == "__main__":
    main(sys.argv[1])
