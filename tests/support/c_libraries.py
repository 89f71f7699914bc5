"""C libraries as tests use them: compiled from a program or graph, loaded with ctypes, called with NumPy arrays."""

from __future__ import annotations

import ctypes
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sessile as tf
from sessile.compiler.c_library.element_types import ELEMENT_TYPES
from sessile.compiler.c_library.emit import CLibrary, c_library
from sessile.compiler.c_library.write_files import write_c_library
from sessile.compiler.compile_program import optimize
from sessile.compiler.lower import Request, lower
from sessile.compiler.target import Target
from sessile.ir.program import Program
from sessile.ir.types import NUMPY_DTYPES, TensorType
from sessile.runtime.variable_store import VariableStore

COMPILER = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")
needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler is installed")


@dataclass(frozen=True)
class Named:
    """What an input or output is called."""

    name: str
    dtype: str
    shape: tuple[int | str | None, ...]


def named(name: str, type: TensorType) -> Named:
    """An argument of a type whose unknown sizes are called as in the program."""
    shape = tuple(size if isinstance(size, int) else str(size) for size in type.shape)
    return Named(name, ELEMENT_TYPES[type.dtype].name, shape)


def library_of(program: Program, name: str = "model", target: Target | None = None) -> CLibrary:
    """The library of a program whose sizes are called as its symbols, its outputs `y0`, `y1` ..."""
    target = target or Target.host()
    inputs = [named(i.attributes["name"], i.result.type) for i in program.instructions if i.name == "parameter"]
    outputs = [named(f"y{k}", result.type) for k, result in enumerate(program.results)]
    return c_library(optimize(program, target=target), name, inputs, outputs, target)


def library_of_graph(
    fetches: Mapping[str, tf.Tensor],
    feeds: Mapping[tf.Tensor, Sequence[int | str | None]],
    name: str = "model",
    target: Target | None = None,
) -> CLibrary:
    """The library that computes tensors, by the names of its outputs, from placeholders with the given shapes."""
    target = target or Target.host()
    examples = {x: np.zeros(_usual(shape), x.dtype.as_numpy_dtype) for x, shape in feeds.items()}
    program = lower(Request(tuple(fetches.values()), (), examples), VariableStore())
    inputs = [Named(x.op.name, x.dtype.name, tuple(shape)) for x, shape in feeds.items()]
    outputs = [named(name, result.type) for name, result in zip(fetches, program.results, strict=True)]
    return c_library(optimize(program, target=target), name, inputs, outputs, target)


def _usual(shape: Sequence[int | str | None]) -> list[int]:
    return [size if isinstance(size, int) else 5 for size in shape]


class LoadedLibrary:
    """A library in this process.

    Args:
      library: what to load.
      folder: where its shared library is written.

    Attributes:
      functions: the library, for calls of functions by their names without the library's.
    """

    def __init__(self, library: CLibrary, folder: Path) -> None:
        written = write_c_library(library, folder, ["shared"])
        assert not written.notes, written.notes
        self.library = library
        self._dll = ctypes.CDLL(str(written.paths["shared"]))
        for name in ("create", "init", "error_message", "input_name", "output_name", "size_name"):
            self.function(name).restype = ctypes.c_void_p if name in ("create", "init") else ctypes.c_char_p
        for name in ("context_size", "workspace_size", "input_bytes", "output_bytes", "get_size"):
            self.function(name).restype = ctypes.c_int64

    def function(self, name: str) -> Any:
        """A function of the library; pointers and sizes are passed as numbers of 64 bits."""
        return getattr(self._dll, f"{self.library.name}_{name}")

    def call(self, name: str, *arguments: Any) -> Any:
        """Calls a function with whole numbers and addresses."""
        converted = [a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments]
        return self.function(name)(*[ctypes.c_int64(a or 0) if not isinstance(a, bytes) else a for a in converted])

    def inputs(self, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
        """Arrays by name in the order of the inputs, dense."""
        return [np.require(feeds[argument.name], requirements="C") for argument in self.library.interface.inputs]

    def sizes_of(self, feeds: Mapping[str, np.ndarray]) -> dict[str, int]:
        """The open sizes, by name, that arrays have."""
        interface = self.library.interface
        return {
            interface.named(size): actual
            for argument in interface.inputs
            for size, actual in zip(argument.type.shape, feeds[argument.name].shape, strict=True)
            if not isinstance(size, int)
        }

    def context(self) -> LibraryContext:
        """A new context."""
        return LibraryContext(self)


class LibraryContext:
    """A context of a library; freed with `close`, or at the end of a `with`."""

    def __init__(self, loaded: LoadedLibrary) -> None:
        self.loaded = loaded
        self.address = loaded.call("create")
        assert self.address

    def __enter__(self) -> LibraryContext:
        return self

    def __exit__(self, *exception: object) -> None:
        self.loaded.call("free", self.address)

    @property
    def message(self) -> str:
        """The message of the last failure."""
        return self.loaded.call("error_message", self.address).decode()

    def set_sizes(self, sizes: Mapping[str, int]) -> int:
        """Sets sizes by name; returns the status of the last call."""
        names = self.loaded.library.interface.sizes
        statuses = [self.loaded.call("set_size", self.address, names.index(name), size) for name, size in sizes.items()]
        return statuses[-1] if statuses else 0

    def output_arrays(self) -> list[np.ndarray]:
        """Arrays for the outputs, filled with bytes that no result has left there."""
        arrays: list[np.ndarray] = []
        for number, argument in enumerate(self.loaded.library.interface.outputs):
            shape = np.zeros(argument.type.rank, np.int64)
            assert self.loaded.call("output_shape", self.address, number, shape) == 0, self.message
            dtype = NUMPY_DTYPES[argument.type.dtype]
            arrays.append(np.frombuffer(b"\xa5" * (int(shape.prod()) * dtype.itemsize), dtype).reshape(shape).copy())
        return arrays

    def run(self, inputs: Sequence[np.ndarray], workspace: np.ndarray | None = None) -> tuple[int, list[np.ndarray]]:
        """Runs once with dense arrays; returns the status and the outputs."""
        outputs = self.output_arrays()
        tables = [np.array([a.ctypes.data for a in arrays] or [0], np.int64) for arrays in (inputs, outputs)]
        return self.loaded.call("run", self.address, *tables, workspace), outputs


def computed(loaded: LoadedLibrary, feeds: Mapping[str, np.ndarray]) -> list[np.ndarray]:
    """The outputs for inputs by name, in a context of its own; the sizes are those of the arrays."""
    with loaded.context() as context:
        assert context.set_sizes(loaded.sizes_of(feeds)) == 0, context.message
        status, outputs = context.run(loaded.inputs(feeds))
        assert status == 0, context.message
    return outputs
