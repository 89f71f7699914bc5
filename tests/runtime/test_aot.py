"""Computations compiled ahead of time, and loaded again: `tf.aot.compile`, `tf.load`."""

from __future__ import annotations

import platform
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sessile as tf
from sessile.compiler.aot import bundle as bundle_module
from sessile.compiler.store.entry_format import pack, unpack

BUNDLES = Path(__file__).parents[1] / "data" / "bundles"
WEIGHTS = np.random.RandomState(0).randn(4, 3).astype(np.float32)


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "model.sessile"


def classifier() -> tuple[Any, Any, Any]:
    """Placeholder, probabilities, classes."""
    x = tf.placeholder(tf.float32, [None, 4], name="x")
    weights = tf.Variable(WEIGHTS, name="weights")
    probabilities = tf.nn.softmax(tf.matmul(x, weights), name="probabilities")
    return x, probabilities, tf.argmax(probabilities, 1, name="classes")


def images(count: int) -> np.ndarray:
    return np.random.RandomState(1).rand(count, 4).astype(np.float32)


def test_a_model_gives_what_its_session_gave(graph: tf.Graph, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSILE_JIT", "always")
    x, probabilities, classes = classifier()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        assert tf.aot.compile(graph, [probabilities, classes], {x: ["batch", 4]}, path, session=session) == path
        model = tf.load(path)
        for count in (1, 5, 300, 0):
            expected = session.run([probabilities, classes], {x: images(count)})
            for own, loaded in zip(expected, model(images(count)), strict=True):
                np.testing.assert_array_equal(loaded, own)
                assert loaded.dtype == own.dtype
    assert [str(spec) for spec in model.inputs] == ["x: float32[batch, 4]"]
    assert [str(spec) for spec in model.outputs] == ["probabilities: float32[batch, 3]", "classes: int64[batch]"]
    (picked,) = model.run(["classes"], {"x:0": images(5)})
    np.testing.assert_array_equal(picked, model(images(5))[1])


def test_a_process_that_loads_a_model_imports_no_numba(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [None], name="x")
    tf.aot.compile(graph, x * 2.0 + 1.0, [x], path)
    program = (
        "import sys, sessile; f = sessile.load(sys.argv[1]); print(f([1, 2]).tolist(), f.inputs[0]);"
        "assert not {'numba', 'scipy', 'sessile.compiler.split_stages'} & set(sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("[3.0, 5.0] x: float32[x_0]\n", "")


@pytest.mark.parametrize(
    ("fetches", "expected"),
    [
        (lambda y: y, 6.0),
        (lambda y: [y], [6.0]),
        (lambda y: {"twice": y, "again": y}, {"twice": 6.0, "again": 6.0}),
        (lambda y: "y", 6.0),
        (lambda y: ["y:0", "y"], [6.0, 6.0]),
    ],
)
def test_results_have_the_structure_of_the_fetches(
    graph: tf.Graph, path: Path, fetches: Callable[[Any], Any], expected: Any
) -> None:
    x = tf.placeholder(tf.float64, [], name="x")
    y = tf.multiply(x, 2.0, name="y")
    tf.aot.compile(graph, fetches(y), "x", path)
    assert tf.load(path)(3.0) == expected


def test_a_graph_def_will_do(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.int32, [2], name="x")
    tf.add(x, [1, 2], name="y")
    tf.aot.compile(graph.as_graph_def(), "y", ["x"], path)
    np.testing.assert_array_equal(tf.load(path)([10, 20]), [11, 22])


def test_sizes_of_one_have_a_program_of_their_own(graph: tf.Graph, path: Path) -> None:
    x, y = (tf.placeholder(tf.float32, [None], name=name) for name in "xy")
    tf.aot.compile(graph, x + y, [x, y], path)
    add = tf.load(path)
    np.testing.assert_array_equal(add([1], [2]), [3])
    with pytest.raises(tf.errors.InvalidArgumentError, match="nothing was compiled for inputs of the shapes"):
        add([1, 2, 3, 4], [1, 2])


def test_sizes_of_one_name_agree(graph: tf.Graph, path: Path) -> None:
    x, y = (tf.placeholder(tf.float32, [None], name=name) for name in "xy")
    tf.aot.compile(graph, x + y, {x: ["n"], y: ["n"]}, path)
    add = tf.load(path)
    for count in (1, 2, 50):
        np.testing.assert_array_equal(add(np.ones(count), np.ones(count)), np.full(count, 2))
    with pytest.raises(ValueError, match=r"y: float32\[n\] is given shape \(2,\): axis 0 is 2, but n is 3 in x"):
        add(np.ones(3), np.ones(2))


def test_sizes_that_data_decide(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [None], name="x")
    tf.aot.compile(graph, [tf.where(x > 0), tf.boolean_mask(x, x > 0) * 2], [x], path)
    where, picked = tf.load(path)([1, -1, 3])
    np.testing.assert_array_equal(where, [[0], [2]])
    np.testing.assert_array_equal(picked, [2, 6])


def test_functions_of_the_package_on_the_host(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [2, 2], name="x")
    values, places = tf.unique(tf.reshape(x, [4]))
    both = [tf.matrix_inverse(x, name="inverse"), tf.matrix_triangular_solve(x, x, lower=False), tf.svd(x)[0]]
    fetches = [*both, values, places]
    tf.aot.compile(graph, fetches, [x], path)
    model, given = tf.load(path), [[2, 1], [1, 2]]
    with tf.Session() as session:
        for own, loaded in zip(session.run(fetches, {x: given}), model(given), strict=True):
            np.testing.assert_array_equal(loaded, own)
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"not invertible(.|\n)*inverse \(defined at test_aot"):
        model(np.ones((2, 2)))


def test_random_numbers_are_those_of_a_new_session(graph: tf.Graph, path: Path) -> None:
    noise = tf.random_normal([3], seed=7)
    tf.aot.compile(graph, noise, [], path)
    model = tf.load(path)
    with tf.Session() as session:
        for _ in range(2):
            np.testing.assert_allclose(model(), session.run(noise), rtol=1e-6)


def test_threads_share_a_model(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [None], name="x")
    tf.aot.compile(graph, tf.reduce_sum(tf.square(x)), [x], path)
    model, wrong = tf.load(path), []

    def work(count: int) -> None:
        for _ in range(50):
            if model(np.full(count, 2, np.float32)) != 4 * count:
                wrong.append(count)

    threads = [threading.Thread(target=work, args=(count,)) for count in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_portable_code_gives_the_same(graph: tf.Graph, path: Path) -> None:
    x, probabilities, _ = classifier()
    with tf.Session() as session:
        session.run(tf.global_variables_initializer())
        tf.aot.compile(graph, probabilities, [x], path, session=session, target="x86-64-v3")
        expected = session.run(probabilities, {x: images(6)})
    np.testing.assert_allclose(tf.load(path)(images(6)), expected, rtol=1e-5)


def test_another_processor_is_named(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [None], name="x")
    tf.aot.compile(graph, x * 2, [x], path, target="aarch64")
    with pytest.raises(tf.errors.UnimplementedError, match=r"compiled for aarch64.*this machine is"):
        tf.load(path)


# --- what cannot be compiled


def test_a_placeholder_that_is_not_fed(graph: tf.Graph, path: Path) -> None:
    a, b = (tf.placeholder(tf.float32, [], name=name) for name in "ab")
    y = tf.add(tf.multiply(a, 2.0, name="twice"), b, name="y")
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"placeholder a \(.*y needs it \(y <- twice <- a\)"):
        tf.aot.compile(graph, y, [b], path)
    assert not list(path.parent.iterdir())


def test_a_variable_without_a_session(graph: tf.Graph, path: Path) -> None:
    x, probabilities, _ = classifier()
    with pytest.raises(tf.errors.FailedPreconditionError, match=r"weights(.|\n)*session whose values"):
        tf.aot.compile(graph, probabilities, [x], path)


def test_assignments(graph: tf.Graph, path: Path) -> None:
    counter = tf.Variable(0, name="counter")
    with tf.Session() as session:
        session.run(counter.initializer)
        with pytest.raises(tf.errors.UnimplementedError, match=r"counter .* is assigned"):
            tf.aot.compile(graph, tf.assign_add(counter, 1), [], path, session=session)


def test_python_functions(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [2], name="x")
    with pytest.raises(
        tf.errors.UnimplementedError, match=r"shown \(.*test_aot.py:\d+\) runs Python code, and add needs it"
    ):
        tf.aot.compile(graph, tf.Print(x, [x], name="shown") + 1, [x], path)


@pytest.mark.parametrize(
    ("fetches", "feeds", "message"),
    [
        ("z", ["x"], "cannot fetch 'z'"),
        ("y", ["w"], "cannot feed 'w'"),
        ("y", {"x": [None, 3]}, r"x has the shape \[\?, 4\] in the graph; \[\?, 3\] does not fit"),
        ("y", {"x": [4]}, "does not fit"),
        ([], ["x"], "nothing is fetched"),
    ],
)
def test_names_and_shapes_that_do_not_fit(graph: tf.Graph, path: Path, fetches: Any, feeds: Any, message: str) -> None:
    tf.negative(tf.placeholder(tf.float32, [None, 4], name="x"), name="y")
    with pytest.raises(ValueError, match=message):
        tf.aot.compile(graph, fetches, feeds, path)


def test_the_session_of_another_graph(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [], name="x")
    with tf.Session(graph=tf.Graph()) as session, pytest.raises(ValueError, match="another graph"):
        tf.aot.compile(graph, x + 1, [x], path, session=session)


def test_an_interruption_leaves_no_file(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [], name="x")

    def interrupt(*_: Any) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        tf.aot.compile(graph, x + 1, [x], path, progress=interrupt)
    with pytest.raises(OSError, match="nowhere"):
        tf.aot.compile(graph, x + 1, [x], path.parent / "nowhere" / "model")
    assert not list(path.parent.iterdir())


# --- what cannot be loaded or run


@pytest.fixture
def doubled(graph: tf.Graph, path: Path) -> Path:
    x = tf.placeholder(tf.float32, [None, 2], name="x")
    return Path(tf.aot.compile(graph, tf.multiply(x, 2.0, name="y"), [x], path))


@pytest.mark.parametrize("kept", [0, 3, 50, 1000, -1])
def test_truncated_files_are_refused(doubled: Path, kept: int) -> None:
    doubled.write_bytes(doubled.read_bytes()[:kept])
    with pytest.raises(tf.errors.DataLossError, match="is not a whole bundle"):
        tf.load(doubled)


def test_changed_files_are_refused(doubled: Path) -> None:
    data = doubled.read_bytes()
    for position in range(12, len(data), len(data) // 40):
        doubled.write_bytes(data[:position] + bytes([data[position] ^ 4]) + data[position + 1 :])
        with pytest.raises(tf.errors.DataLossError):
            tf.load(doubled)


def test_another_format_is_named(doubled: Path) -> None:
    entry = unpack(doubled.read_bytes(), bundle_module.KIND)
    doubled.write_bytes(pack(bundle_module.KIND, {**entry.manifest, "format": 0}, entry.sections))
    with pytest.raises(tf.errors.UnimplementedError, match=r"bundle format 0, made by sessile .*Compile it anew"):
        tf.load(doubled)


@pytest.mark.parametrize("recorded", sorted(BUNDLES.glob("*.sessile")), ids=lambda path: path.stem)
def test_older_bundles_load_or_are_refused_by_name(recorded: Path) -> None:
    number = int(recorded.stem.removeprefix("format-"))
    if number == bundle_module.BUNDLE_FORMAT and platform.machine() == "x86_64":
        found = tf.load(recorded)([[1, 0, 0], [0, 1, 2]])
        np.testing.assert_array_equal(found["scores"], [[0, 0], [6, 9]])
        np.testing.assert_array_equal(found["best"], [0, 1])
    else:
        with pytest.raises(tf.errors.UnimplementedError, match="Compile it"):
            tf.load(recorded)


def test_missing_files_are_named(path: Path) -> None:
    with pytest.raises(FileNotFoundError, match=r"model\.sessile"):
        tf.load(path)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda f: f(np.ones(2)), ValueError, r"x: float32\[x_0, 2\] has 2 axes; given is an array of shape \(2,\)"),
        (lambda f: f(np.ones((2, 3))), ValueError, r"shape \(2, 3\): axis 1 is 3, but it must be 2"),
        (lambda f: f("abc"), TypeError, "cannot take 'abc'"),
        (lambda f: f(), TypeError, "takes x; given 0 by position"),
        (lambda f: f(z=1), TypeError, "and z by name"),
        (lambda f: f.run(None, {"xx": 1}), ValueError, "no input 'xx'; did you mean x?"),
        (lambda f: f.run(None, {}), ValueError, "no value for the input x"),
        (lambda f: f.run(["yy"], {"x": np.ones((1, 2))}), ValueError, "no output 'yy'; did you mean y?"),
    ],
)
def test_wrong_calls(doubled: Path, call: Callable[[Any], Any], error: type[Exception], message: str) -> None:
    model = tf.load(doubled)
    with pytest.raises(error, match=message):
        call(model)
    np.testing.assert_array_equal(model([[1, 2]]), [[2, 4]])


def test_failures_name_the_operation_and_its_line(graph: tf.Graph, path: Path) -> None:
    i = tf.placeholder(tf.int32, [], name="i")
    tf.aot.compile(graph, tf.gather(tf.constant([1.0, 2.0]), i, name="picked"), [i], path)
    model = tf.load(path)
    assert model(1) == 2.0
    with pytest.raises(tf.errors.InvalidArgumentError, match=r"picked \(defined at test_aot.py:\d+\)"):
        model(7)
    assert model(0) == 1.0


def test_elements_that_decide_a_shape_are_those_of_the_compilation(graph: tf.Graph, path: Path) -> None:
    x = tf.placeholder(tf.float32, [1, 2, 3, 4], name="x")
    axis = tf.placeholder(tf.int32, [], name="axis")
    tf.aot.compile(graph, tf.reduce_sum(x, axis), [x, axis], path)
    model = tf.load(path)
    ones = np.ones((1, 2, 3, 4), np.float32)
    for _ in range(2):
        np.testing.assert_array_equal(model(ones, 3), np.full((1, 2, 3), 4.0))
        with pytest.raises(tf.errors.InvalidArgumentError, match="s0 == 3, where s0 is element 0 of axis"):
            model(ones, 1)
