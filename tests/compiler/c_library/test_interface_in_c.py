"""What callers see of a C library: names, dtypes, shapes, statuses, messages, memory of their own."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from support.c_libraries import LoadedLibrary, Named, computed, library_of, library_of_graph, needs_compiler

import sessile as tf
from sessile.compiler.c_library.element_types import ELEMENT_TYPES
from sessile.compiler.c_library.emit import c_library
from sessile.compiler.c_library.statuses import Status
from sessile.compiler.compile_program import optimize
from sessile.compiler.target import Target
from sessile.graph.errors import UnimplementedError
from sessile.ir.parser import parse
from sessile.ir.types import NUMPY_DTYPES

pytestmark = needs_compiler

HOST = Target.host()

PAIRS = """
program @pairs {
  size n0 = parameter "a" axis 0
  size n1 = parameter "b" axis 0
  size n2 = parameter "b" axis 1
  guard n2 >= 2
  %0 = parameter "a" : f32[n0, 3]
  %1 = parameter "b" : i16[n1, n2]
  %2 = map exp %0 : f32[n0, 3]
  %3 = reduce add %2 {axes: [1]} : f32[n0]
  %4 = transpose %1 {permutation: [1, 0]} : i16[n2, n1]
  return %3, %4, %3, %0
}
"""


@pytest.fixture(scope="module")
def pairs(tmp_path_factory: pytest.TempPathFactory) -> LoadedLibrary:
    return LoadedLibrary(library_of(parse(PAIRS), "pairs"), tmp_path_factory.mktemp("pairs"))


A = np.arange(6, dtype=np.float32).reshape(2, 3)
B = np.arange(8, dtype=np.int16).reshape(2, 4)


# --- questions


def test_inputs_outputs_and_sizes_have_names(pairs: LoadedLibrary) -> None:
    assert [pairs.call("input_name", k) for k in range(3)] == [b"a", b"b", None]
    assert [pairs.call("output_name", k) for k in range(5)] == [b"y0", b"y1", b"y2", b"y3", None]
    assert [pairs.call("size_name", k) for k in range(4)] == [b"n0", b"n1", b"n2", None]
    assert [pairs.call(f"{kind}_count") for kind in ("input", "output", "size")] == [2, 4, 3]


def test_dtypes_are_numbered_as_in_tensorflow(pairs: LoadedLibrary) -> None:
    assert [pairs.call("input_dtype", k) for k in range(3)] == [1, 5, 0]
    assert [pairs.call("output_dtype", k) for k in range(4)] == [1, 5, 1, 1]


def test_shapes_follow_the_sizes(pairs: LoadedLibrary) -> None:
    shape = np.zeros(2, np.int64)
    with pairs.context() as context:
        assert pairs.call("output_shape", context.address, 1, shape) == Status.SIZE_MISSING
        for n, m in ((2, 4), (0, 7), (5, 2)):
            assert context.set_sizes({"n0": n, "n1": n, "n2": m}) == 0
            assert [pairs.call("output_rank", k) for k in range(5)] == [1, 2, 1, 2, -1]
            assert pairs.call("output_shape", context.address, 1, shape) == 0
            assert shape.tolist() == [m, n]
            assert pairs.call("output_bytes", context.address, 1) == 2 * n * m
            assert pairs.call("input_bytes", context.address, 0) == 12 * n
            assert [pairs.call("get_size", context.address, k) for k in range(4)] == [n, n, m, -1]
        assert pairs.call("input_shape", context.address, 9, shape) == Status.BAD_INDEX
        assert context.message == "there are 2 inputs, from number 0"


# --- sizes


def test_many_sizes_in_one_context(pairs: LoadedLibrary) -> None:
    with pairs.context() as context:
        for n, m in ((2, 4), (100, 3), (1, 2), (0, 5), (33, 64), (2, 4)):
            a = np.linspace(-1, 1, 3 * n, dtype=np.float32).reshape(n, 3)
            b = np.arange(n * m, dtype=np.int16).reshape(n, m)
            assert context.set_sizes({"n0": n, "n1": n, "n2": m}) == 0
            status, outputs = context.run([a, b])
            assert status == 0
            np.testing.assert_allclose(outputs[0], np.exp(a).sum(1), rtol=1e-5)
            np.testing.assert_array_equal(outputs[1], b.T)
            assert outputs[2].tobytes() == outputs[0].tobytes()
            assert outputs[3].tobytes() == a.tobytes()


def test_sizes_must_be_set_and_fit(pairs: LoadedLibrary) -> None:
    with pairs.context() as context:
        assert context.message == "no call has failed"
        assert pairs.call("run", context.address, None, None, None) == Status.SIZE_MISSING
        assert context.message == "all sizes must be set, and fit, before this call"
        assert context.set_sizes({"n0": 2, "n1": 2}) == 0
        assert pairs.call("set_size", context.address, 7, 1) == Status.BAD_INDEX
        assert context.message == "there are 3 sizes to set, from number 0"
        assert context.set_sizes({"n2": -4}) == Status.BAD_SIZE
        assert context.message == "a size cannot be negative"
        assert context.set_sizes({"n2": 1}) == Status.BAD_SIZE
        assert context.message == "the library was made for sizes with n2 >= 2"
        assert pairs.call("run", context.address, None, None, None) == Status.BAD_SIZE
        assert context.message == "the library was made for sizes with n2 >= 2"
        assert context.set_sizes({"n2": 4}) == 0
        assert context.run([A, B])[0] == 0


def test_sizes_beyond_64_bits_are_refused(pairs: LoadedLibrary) -> None:
    with pairs.context() as context:
        assert context.set_sizes({"n0": 2, "n1": 1 << 40, "n2": 1 << 40}) == Status.BAD_SIZE
        assert context.message == "the sizes are too large: what follows from them does not fit into 64 bits"
        assert context.set_sizes({"n1": 2, "n2": 4}) == Status.OK
        assert context.run([A, B])[0] == 0


def test_a_failed_set_size_keeps_the_others_usable(pairs: LoadedLibrary) -> None:
    with pairs.context() as context:
        assert context.set_sizes({"n0": 2, "n1": 2, "n2": 4}) == 0
        assert context.set_sizes({"n0": -1}) == Status.BAD_SIZE
        assert context.run([A, B])[0] == 0


def test_equal_names_are_one_size(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        x, y = tf.placeholder(tf.float32, [None, 2], name="x"), tf.placeholder(tf.float32, [None, 2], name="y")
        library = library_of_graph({"sum": x + y}, {x: ("batch", 2), y: ("batch", 2)})
    assert library.interface.sizes == ("batch",)
    loaded = LoadedLibrary(library, tmp_path)
    for n in (5, 1, 0):
        ones = np.ones((n, 2), np.float32)
        (total,) = computed(loaded, {"x": ones, "y": ones})
        np.testing.assert_array_equal(total, 2 * ones)


def test_sizes_that_must_be_equal_say_so(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        x, y = tf.placeholder(tf.float32, [None], name="x"), tf.placeholder(tf.float32, [None], name="y")
        loaded = LoadedLibrary(library_of_graph({"sum": x + y}, {x: ("rows",), y: (None,)}), tmp_path)
    with loaded.context() as context:
        assert context.set_sizes({"rows": 4, "y_0": 3}) == Status.BAD_SIZE
        assert "rows" in context.message
        assert "y_0" in context.message
        assert context.set_sizes({"y_0": 4}) == 0


def test_sizes_may_be_fixed_when_the_library_is_made(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 2], name="x")
        library = library_of_graph({"y": x * 2.0}, {x: (3, 2)}, "doubled")
    assert library.interface.sizes == ()
    (y,) = computed(LoadedLibrary(library, tmp_path), {"x": np.ones((3, 2), np.float32)})
    np.testing.assert_array_equal(y, np.full((3, 2), 2, np.float32))


# --- memory


def test_null_pointers_are_refused_by_name(pairs: LoadedLibrary) -> None:
    with pairs.context() as context:
        context.set_sizes({"n0": 2, "n1": 2, "n2": 4})
        assert pairs.call("run", context.address, None, None, None) == Status.NULL_POINTER
        assert context.message == "the array of inputs is NULL"
        inputs = np.array([A.ctypes.data, 0], np.int64)
        assert pairs.call("run", context.address, inputs, None, None) == Status.NULL_POINTER
        assert context.message == "input 'b' is NULL"


@pytest.fixture(scope="module")
def working(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LoadedLibrary]:
    """A library that needs a workspace."""
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 20], name="x")
        hidden = tf.nn.relu(tf.matmul(x, np.linspace(-1, 1, 600, dtype=np.float32).reshape(20, 30)))
        y = tf.matmul(hidden, np.linspace(-2, 1, 90, dtype=np.float32).reshape(30, 3))
        yield LoadedLibrary(library_of_graph({"y": y}, {x: ("n", 20)}, "working"), tmp_path_factory.mktemp("working"))


X = np.linspace(-3, 3, 140, dtype=np.float32).reshape(7, 20)


def test_contexts_and_workspaces_in_the_callers_memory(working: LoadedLibrary) -> None:
    with working.context() as context:
        context.set_sizes({"n": 7})
        _, (expected,) = context.run([X])
        size = working.call("workspace_size", context.address)
        for shift in (0, 8, 24):  # any alignment will do
            (actual,) = context.run([X], np.full(size + 64, 255, np.uint8)[shift : shift + size])[1]
            assert actual.tobytes() == expected.tobytes()
        memory = np.full(working.call("context_size") // 8, -1, np.int64)
        context.loaded.call("free", context.address)
        context.address = working.call("init", memory)
        assert context.address == memory.ctypes.data
        assert context.set_sizes({"n": 7}) == 0
        assert context.run([X])[0] == Status.NULL_POINTER
        assert context.message == "the workspace is NULL, and the context has none of its own"
        assert working.call("workspace_size", context.address) == size
        status, (actual,) = context.run([X], np.empty(size, np.uint8))
        assert status == 0
        assert actual.tobytes() == expected.tobytes()
    assert working.call("init", None) is None


def test_a_workspace_that_cannot_be_had(working: LoadedLibrary) -> None:
    with working.context() as context:
        assert context.set_sizes({"n": 1 << 54}) == Status.NO_MEMORY
        assert working.call("run", context.address, None, None, None) == Status.NO_MEMORY
        assert context.message == "the workspace for these sizes could not be allocated"
        assert context.set_sizes({"n": 7}) == 0
        assert context.run([X])[0] == 0


def test_inputs_stay_as_they_are(working: LoadedLibrary) -> None:
    before = X.copy()
    computed(working, {"x": X})
    np.testing.assert_array_equal(X, before)


# --- values


@pytest.mark.parametrize("dtype", ELEMENT_TYPES)
def test_elements_of_all_types(dtype: str, tmp_path: Path) -> None:
    numbers = np.array([1, 0, 3]).astype(NUMPY_DTYPES[dtype])
    with tf.Graph().as_default():
        x = tf.placeholder(numbers.dtype, [None, 2], name="x")
        fetches = {"turned": tf.transpose(x), "numbers": tf.constant(numbers), "fed": x}
        loaded = LoadedLibrary(library_of_graph(fetches, {x: ("n", 2)}), tmp_path)
    values = np.arange(10).reshape(5, 2).astype(numbers.dtype)
    turned, constant, fed = computed(loaded, {"x": values})
    np.testing.assert_array_equal(turned, values.T)
    np.testing.assert_array_equal(constant, numbers)
    np.testing.assert_array_equal(fed, values)


def test_truths_scalars_and_nothing(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float64, [], name="x")
        empty = tf.placeholder(tf.int32, [0, 3], name="empty")
        fetches = {"positive": x > 0.0, "root": tf.sqrt(x), "sum": tf.reduce_sum(empty, 0), "twice": empty * 2}
        loaded = LoadedLibrary(library_of_graph(fetches, {x: (), empty: (0, 3)}), tmp_path)
    results = computed(loaded, {"x": np.array(2.25), "empty": np.zeros((0, 3), np.int32)})
    assert [result.tolist() for result in results] == [True, 1.5, [0, 0, 0], []]


def test_values_that_do_not_fit_name_the_operation_and_the_line(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        table = tf.placeholder(tf.float32, [4, 2], name="table")
        rows = tf.placeholder(tf.int32, [None], name="rows")
        picked = tf.gather(table, rows, name="picked")
        loaded = LoadedLibrary(library_of_graph({"picked": picked}, {table: (4, 2), rows: ("n",)}), tmp_path)
    with loaded.context() as context:
        context.set_sizes({"n": 2})
        values = np.arange(8, dtype=np.float32).reshape(4, 2)
        assert context.run([values, np.array([1, 4], np.int32)])[0] == Status.BAD_VALUE
        assert context.message.startswith("operation 'picked' (test_interface_in_c.py:")
        assert context.message.endswith("): an index lies outside the axis that it indexes")
        status, (result,) = context.run([values, np.array([1, 3], np.int32)])
        assert status == 0
        np.testing.assert_array_equal(result, values[[1, 3]])


def test_random_streams_are_the_contexts_own(tmp_path: Path) -> None:
    with tf.Graph().as_default() as graph:
        x = tf.placeholder(tf.float32, [None], name="x")
        y = x + tf.random_uniform(tf.shape(x), seed=7)
        unseeded = tf.random_normal([4])
        loaded = LoadedLibrary(library_of_graph({"y": y, "unseeded": unseeded}, {x: ("n",)}), tmp_path)
        zeros = np.zeros(6, np.float32)
        with tf.Session(graph=graph) as session:
            expected = [session.run(y, {x: zeros}) for _ in range(3)]
    with loaded.context() as first, loaded.context() as second:
        first.set_sizes({"n": 6})
        second.set_sizes({"n": 6})
        drawn = [[context.run([zeros])[1] for context in (first, second)] for _ in range(3)]
    for run, (one, other) in zip(expected, drawn, strict=True):
        assert one[0].tobytes() == other[0].tobytes() == run.tobytes()
        assert one[1].tobytes() != other[1].tobytes()


# --- what is refused when the library is made


def refused(name: str, fetches: dict[str, tf.Tensor], feeds: dict) -> str:
    with pytest.raises(UnimplementedError) as caught:
        library_of_graph(fetches, feeds, name)
    return caught.value.message


def test_operations_that_need_the_host_are_named() -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None], name="x")
        drawn = tf.random_gamma([3], 2.0, name="drawn")
        message = refused("host", {"plain": x * 2.0, "late": drawn + 1.0}, {x: ("n",)})
    assert re.match(r"a C library cannot run operation 'drawn/\w+' \(test_interface_in_c.py:\d+\)", message)
    assert message.endswith("which the output 'late' needs: random gamma of f32 has no kernel")


def test_sizes_that_depend_on_data_are_named() -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None], name="x")
        count = tf.placeholder(tf.int32, [], name="count")
        message = refused("late", {"y": tf.fill([count], 1.0)}, {x: ("n",), count: ()})
    assert "which the output 'y' needs: sizes that depend on data" in message


@pytest.mark.parametrize("name", ["", "2x", "a-b", "while", "über", "class", "_x"])
def test_names_that_c_does_not_allow(name: str) -> None:
    with pytest.raises(ValueError, match="cannot be the name of a C library"):
        library_of(parse(PAIRS), name)


def test_arguments_must_fit_the_program() -> None:
    optimized = optimize(parse(PAIRS))
    a, b = Named("a", "float32", ("n", 3)), Named("b", "int16", ("m", "k"))
    outputs = [Named(f"y{k}", "float32", ()) for k in range(4)]
    with pytest.raises(ValueError, match="reads 'b', which is not among the inputs"):
        c_library(optimized, "pairs", [a], outputs, HOST)
    with pytest.raises(ValueError, match="4 results, the C library 1 outputs"):
        c_library(optimized, "pairs", [a, b], outputs[:1], HOST)
    with pytest.raises(ValueError, match="made for other sizes"):
        c_library(optimized, "pairs", [Named("a", "float32", ("n", 4)), b], outputs, HOST)
