"""Functions compiled ahead of time: `tf.load` gives one for a bundle. No graph, no session, no Numba, no compiler.

In: arrays by name or position. Out: the arrays that were fetched when the bundle was made. Shaped after the sessions of
inference runtimes: `inputs`, `outputs`, and `run(names, {name: array})`; a call gives the structure of the fetches.
"""

from __future__ import annotations

import difflib
import os
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from sessile.compiler.aot.bundle import Bundle, read_bundle
from sessile.compiler.aot.signature import ArgumentSpec, dtype_of
from sessile.graph.array_conversion import as_array
from sessile.graph.public_names import public
from sessile.ir.interpreter import LocatedFailure
from sessile.runtime.bound_programs import BoundPrograms
from sessile.runtime.failures import error_class


@public("load")
def load(path: str | os.PathLike[str], threads: int | None = None) -> CompiledFunction:
    """Loads a bundle that `tf.aot.compile` or `sessile compile` wrote.

    Args:
        path: the file.
        threads: how many may share one call; by default what `SESSILE_THREADS` says, or the processors available.

    Returns a `CompiledFunction`.

    Raises:
        OSError: the file cannot be read.
        tf.errors.DataLossError: it is damaged, or no bundle.
        tf.errors.UnimplementedError: it was made for another processor, or by a version whose bundles this one does
            not read.
    """
    return CompiledFunction(read_bundle(path), os.fspath(path), threads)


class CompiledFunction:
    """A computation from a bundle. Safe to call from several threads.

    Attributes:
      inputs, outputs: the `ArgumentSpec`s (name, dtype, shape) of what goes in and comes out, in order.
    """

    def __init__(self, bundle: Bundle, name: str, threads: int | None = None) -> None:
        self.inputs = bundle.inputs
        self.outputs = bundle.outputs
        self._name = name
        self._structure = bundle.structure
        self._input_names = [spec.name for spec in bundle.inputs]
        self._output_names = [spec.name for spec in bundle.outputs]
        self._dtypes = [dtype_of(spec) for spec in bundle.inputs]
        self._programs = BoundPrograms(bundle, name, threads)

    def __repr__(self) -> str:
        inputs, outputs = ", ".join(map(str, self.inputs)), ", ".join(map(str, self.outputs))
        return f"<sessile.CompiledFunction {self._name!r} ({inputs}) -> ({outputs})>"

    def __call__(self, *values: Any, **named: Any) -> Any:
        """Computes once.

        Args:
          values: the inputs, in order; the rest by name.

        Returns an array, or a list or dict of arrays, as it was fetched when the bundle was made.

        Raises what `run` raises, and TypeError for inputs that are missing, unknown, or given twice.
        """
        if named or len(values) != len(self._input_names):
            values = self._in_order(values, named)
        results = self._compute(values)
        if self._structure == "one":
            return results[0]
        return dict(zip(self._output_names, results, strict=True)) if self._structure == "dict" else results

    def run(self, output_names: Sequence[str] | None, inputs: Mapping[str, Any]) -> list[Any]:
        """Computes once, by names.

        Args:
          output_names: which outputs to give back, in this order; None for all.
          inputs: a value for each input.

        Returns a list of arrays, the caller's own; NumPy scalars for outputs of rank 0.

        Raises:
          ValueError: an input is missing or unknown, an output is unknown, or a shape does not fit.
          TypeError: a value cannot become an array of the input's type.
          tf.errors.OpError: the computation fails with these values.
        """
        unknown = [name for name in inputs if _plain(name) not in self._input_names]
        if unknown:
            raise ValueError(_unknown("input", unknown[0], self._input_names))
        given = {_plain(name): value for name, value in inputs.items()}
        missing = [name for name in self._input_names if name not in given]
        if missing:
            raise ValueError(f"no value for the input {', '.join(missing)}")
        results = self._compute([given[name] for name in self._input_names])
        if output_names is None:
            return results
        return [results[self._output_index(name)] for name in output_names]

    def _output_index(self, name: str) -> int:
        if _plain(name) not in self._output_names:
            raise ValueError(_unknown("output", name, self._output_names))
        return self._output_names.index(_plain(name))

    def _in_order(self, values: Sequence[Any], named: Mapping[str, Any]) -> tuple[Any, ...]:
        rest = self._input_names[len(values) :]
        if len(values) > len(self._input_names) or set(named) != set(rest):
            raise TypeError(
                f"{self._name} takes {', '.join(self._input_names) or 'no inputs'}; "
                f"given {len(values)} by position" + (f" and {', '.join(named)} by name" if named else "")
            )
        return (*values, *(named[name] for name in rest))

    def _compute(self, values: Sequence[Any]) -> list[Any]:
        try:
            results = self._programs.run_values(values)
            if results is NotImplemented:
                arrays = self._converted(values)
                results = self._programs.run_values(arrays)  # what was converted may fit the last executable now
                if results is NotImplemented:
                    results = self._programs.run(arrays)
        except LocatedFailure as failure:
            raise _located_error(failure) from None
        return results  # type: ignore[no-any-return]

    def _converted(self, values: Sequence[Any]) -> list[np.ndarray]:
        arrays = []
        for spec, dtype, value in zip(self.inputs, self._dtypes, values, strict=True):
            try:
                arrays.append(
                    as_array(value, dtype) if dtype.name == "string" else np.asarray(value, dtype.as_numpy_dtype)
                )
            except (TypeError, ValueError, OverflowError) as error:
                raise TypeError(f"the input {spec} cannot take {value!r}: {error}") from None
        _check_shapes(self.inputs, arrays)
        return arrays


def _check_shapes(inputs: Iterable[ArgumentSpec], arrays: Sequence[np.ndarray]) -> None:
    """Raises ValueError for an array that does not fit its input, or whose sizes disagree with another's."""
    known: dict[str, tuple[int, ArgumentSpec]] = {}
    for spec, array in zip(inputs, arrays, strict=True):
        if array.ndim != len(spec.shape):
            raise ValueError(f"the input {spec} has {len(spec.shape)} axes; given is an array of shape {array.shape}")
        for axis, (wanted, size) in enumerate(zip(spec.shape, array.shape, strict=True)):
            if isinstance(wanted, str):
                expected, source = known.setdefault(wanted, (size, spec))
                why = f"{wanted} is {expected} in {source}"
            else:
                expected, why = size if wanted is None else wanted, f"it must be {wanted}"
            if size != expected:
                raise ValueError(f"the input {spec} is given shape {array.shape}: axis {axis} is {size}, but {why}")


def _located_error(failure: LocatedFailure) -> Exception:
    """The error of `tf.errors` for a failure; without a graph, its operation is known by name alone."""
    places = dict.fromkeys(f"{place.operation} (defined at {place})" for place in failure.instruction.locations)
    message = failure.failure.message + (f"\n\t [[{', '.join(places)}]]" if places else "")
    return error_class(failure.failure.kind)(None, None, message)  # type: ignore[no-any-return]


def _plain(name: str) -> str:
    return name.removesuffix(":0")


def _unknown(kind: str, name: str, names: Sequence[str]) -> str:
    near = difflib.get_close_matches(name, names, n=3)
    hint = f"; did you mean {' or '.join(near)}?" if near else f"; there is {', '.join(names) or 'none'}"
    return f"there is no {kind} {name!r}{hint}"
