"""Samples of operations: a table of calls that one test file runs and one script records from TensorFlow.

A file `tests/graph/ops/samples_<family>.py` states the samples of a family:

    SAMPLES = [
        *samples("matmul", lambda tf, a, b: tf.matmul(a, b), normal(2, 3), normal(3, 4), dtypes=FLOATS),
        *samples("argmax", lambda tf, x: tf.argmax(x, 1), normal(2, 3), gradient=False),
    ]
    ERRORS = [
        error("matmul: sizes", lambda tf: tf.matmul(tf.ones([2, 3]), tf.ones([4, 5])), ValueError, "must be equal"),
    ]

The function gets the module (`sessile`, or TensorFlow while recording) and a placeholder for each input, and returns a
tensor or a list of tensors. Nothing else is needed: `test_samples.py` compares values, static shapes and names of nodes
with what `record_values.py` recorded, runs the sample again with placeholders of unknown sizes, and compares gradients
with finite differences. After adding samples run `record_values.py <family>` in an environment with TensorFlow.

What a sample may say:
    dtypes      the types that the inputs made by `normal` and `uniform` get, one sample each
    gradient    whether to compare gradients with finite differences; which are taken in float64
    open        whether to run with placeholders of unknown sizes, too
    names       whether the names and types of all nodes must be those of TensorFlow 2.21's compat.v1; where
                TensorFlow 1.15 has others, a test of its own states them
    expected    the values, where TensorFlow 2.21's are not those of TensorFlow 1.15
    tolerance   relative and absolute, where the default of the type is too strict
"""

from __future__ import annotations

import importlib.util
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

FOLDER = Path(__file__).parents[1] / "graph" / "ops"
VALUES = Path(__file__).parents[1] / "data" / "op_values"

FLOATS = ("float32", "float64")
REALS = ("float32", "float64", "int32")
NUMBERS = ("float32", "float64", "int32", "complex64")
ANALYTIC = ("float32", "float64", "complex64")

Maker = Callable[[np.random.RandomState, str], np.ndarray]
_TOLERANCES = {"float16": 2e-3, "float32": 2e-5, "float64": 1e-10, "complex64": 2e-5, "complex128": 1e-10}


def normal(*shape: int) -> Maker:
    """Normally distributed numbers of the sample's type; whole ones between -5 and 5 for whole types."""

    def make(random: np.random.RandomState, dtype: str) -> np.ndarray:
        if np.dtype(dtype).kind in "iu":
            return random.randint(-5 if np.dtype(dtype).kind == "i" else 0, 6, shape).astype(dtype)
        numbers = random.standard_normal(shape)
        if np.dtype(dtype).kind == "c":
            numbers = numbers + 1j * random.standard_normal(shape)
        return np.asarray(numbers).astype(dtype)

    return make


def uniform(low: float, high: float, *shape: int) -> Maker:
    """Numbers of the sample's type in [low, high)."""

    def make(random: np.random.RandomState, dtype: str) -> np.ndarray:
        if np.dtype(dtype).kind in "iu":
            return random.randint(int(low), int(high), shape).astype(dtype)
        numbers = random.uniform(low, high, shape)
        if np.dtype(dtype).kind == "c":
            numbers = numbers + 1j * random.uniform(low, high, shape)
        return np.asarray(numbers).astype(dtype)

    return make


def whole(low: int, high: int, *shape: int, dtype: str = "int32") -> Maker:
    """Whole numbers in [low, high) of a type of their own."""
    return lambda random, _: np.asarray(random.randint(low, high, shape)).astype(dtype)


def truth(*shape: int) -> Maker:
    """Truth values."""
    return lambda random, _: np.asarray(random.randint(0, 2, shape)).astype(np.bool_)


def fixed(values: Any, dtype: str | None = None) -> Maker:
    """Given values; without a type those of floating numbers get the sample's."""

    def make(random: np.random.RandomState, sample_dtype: str) -> np.ndarray:
        array = np.asarray(values)
        if dtype is not None:
            return array.astype(dtype)
        if array.dtype.kind == "f":
            return array.astype(sample_dtype)
        return array.astype(np.int32) if array.dtype == np.int64 else array

    return make


@dataclass(frozen=True)
class Sample:
    """One call of an operation with given inputs."""

    name: str
    build: Callable[..., Any]
    makers: tuple[Maker, ...]
    dtype: str
    gradient: bool = True
    open: bool = True
    names: bool = True
    expected: Any = None
    tolerance: float | None = None
    family: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """What the sample is called in recordings and test reports."""
        return f"{self.name}-{self.dtype}"

    def inputs(self, dtype: str | None = None) -> list[np.ndarray]:
        """The values of the inputs: the same in each process."""
        random = np.random.RandomState(zlib.crc32(self.name.encode()))
        return [maker(random, dtype or self.dtype) for maker in self.makers]

    def tolerance_for(self, dtype: np.dtype) -> float:
        """The relative and absolute difference that values of a type may have."""
        return self.tolerance if self.tolerance is not None else _TOLERANCES.get(dtype.name, 0.0)


def samples(
    name: str, build: Callable[..., Any], *makers: Maker, dtypes: Sequence[str] = ("float32",), **options: Any
) -> list[Sample]:
    """A sample for each of `dtypes`; options are the fields of Sample."""
    return [Sample(name, build, makers, dtype, **options) for dtype in dtypes]


@dataclass(frozen=True)
class ErrorSample:
    """A call that must fail, when the graph is built or when it runs."""

    name: str
    build: Callable[..., Any]
    error: type[Exception] | str
    message: str
    feeds: tuple[Any, ...] = ()
    family: str = field(default="", compare=False)

    @property
    def id(self) -> str:
        """What the sample is called in test reports."""
        return f"{self.family}-{self.name}"


def error(name: str, build: Callable[..., Any], kind: type[Exception] | str, message: str) -> ErrorSample:
    """A call that must fail with an error of a kind (a class, or its name in `tf.errors`) whose text holds a message.

    The function gets the module. Where it returns tensors, they are run.
    """
    return ErrorSample(name, build, kind, message)


def load(family: str) -> tuple[list[Sample], list[ErrorSample]]:
    """The samples and errors that a family's file states."""
    path = FOLDER / f"samples_{family}.py"
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    found = [_of_family(sample, family) for sample in module.SAMPLES]
    assert len({sample.id for sample in found}) == len(found), f"two samples of {family} have one name"
    return found, [_of_family(sample, family) for sample in getattr(module, "ERRORS", [])]


def _of_family(sample: Any, family: str) -> Any:
    return type(sample)(**{**vars(sample), "family": family})


def families() -> list[str]:
    """All families that have a file of samples."""
    return sorted(path.stem.removeprefix("samples_") for path in FOLDER.glob("samples_*.py"))
