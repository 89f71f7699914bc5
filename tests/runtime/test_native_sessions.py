"""Sessions on compiled code: threads, forks, closing, the switch from the interpreter, and what a step takes."""

from __future__ import annotations

import importlib.util
import os
import pickle
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sessile as tf
from sessile.compiler import direct_run
from sessile.compiler.cpu import python_entry
from sessile.compiler.memory_plan import Dynamic, Slot
from sessile.compiler.native_program import NativeProgram
from sessile.runtime.program_cache import CachedProgram

DIGITS = Path(__file__).parents[2] / "examples" / "digits.py"
LIMIT = 120  # seconds that a process may take which should take a few


@pytest.fixture(autouse=True)
def graph() -> Iterator[tf.Graph]:
    with tf.Graph().as_default() as graph:
        yield graph


@pytest.fixture
def always(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sessions run compiled code from the first run on."""
    monkeypatch.setenv("SESSILE_JIT", "always")
    monkeypatch.setenv("SESSILE_THREADS", "2")


def programs(graph: tf.Graph) -> list[CachedProgram]:
    return [program for found in graph.__dict__["_programs"].values() for program in found]


def native_programs(graph: tf.Graph) -> list[NativeProgram]:
    return [native for program in programs(graph) for native in program._natives.values()]


def in_threads(count: int, work: Callable[[int], None]) -> None:
    """Runs `work(0)`, `work(1)` ... at once; raises what any of them raises."""
    start = threading.Barrier(count)
    failures: list[BaseException] = []

    def run(number: int) -> None:
        start.wait()
        try:
            work(number)
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=run, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


# --- threads


@pytest.mark.usefixtures("always")
def test_eight_threads_run_one_session() -> None:
    x = tf.placeholder(tf.float32, [None, 3])
    w = tf.Variable(np.eye(3, dtype=np.float32) * 2)
    y = tf.reduce_sum(tf.tanh(tf.matmul(x, w)), 1)
    total = tf.Variable(0)
    add = total.assign_add(1)
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())

    def work(number: int) -> None:
        for step in range(25):
            value = np.full(((number + step) % 4 + 1, 3), 0.1 * number, np.float32)
            np.testing.assert_allclose(sess.run(y, {x: value}), np.tanh(value * 2).sum(1), rtol=1e-6)
            sess.run(add)

    in_threads(8, work)
    assert sess.run(total) == 200


@pytest.mark.usefixtures("always")
def test_eight_threads_run_sessions_of_their_own() -> None:
    x = tf.placeholder(tf.float32, [None])
    v = tf.Variable(tf.zeros([100_000]))
    step = v.assign(tf.sqrt(v * v + x))
    sessions = [tf.Session() for _ in range(8)]

    def work(number: int) -> None:
        sessions[number].run(v.initializer)
        for _ in range(9):
            sessions[number].run(step.op, {x: [float(number)]})

    in_threads(8, work)
    for number, sess in enumerate(sessions):
        np.testing.assert_allclose(sess.run(v), np.full(100_000, 3 * np.sqrt(number)), rtol=1e-6)


@pytest.mark.usefixtures("always")
def test_variables_change_their_shape_under_running_threads() -> None:
    v = tf.Variable(tf.zeros([1]), validate_shape=False)
    value = tf.placeholder(tf.float32, None)
    change = tf.assign(v, value, validate_shape=False)
    both = [tf.reduce_sum(v), tf.size(v), v * 1.0]
    sess = tf.Session()
    sess.run(v.initializer)

    def work(number: int) -> None:
        for step in range(30):
            if number < 2:
                sess.run(change.op, {value: np.ones((step * 977 + number) % 5000, np.float32)})
            else:
                total, size, copy = sess.run(both)
                assert total == size == len(copy) or total == 0

    in_threads(6, work)


@pytest.mark.usefixtures("always")
def test_uninitialized_variables_are_named_however_often_a_compiled_program_asks_for_them() -> None:
    v = tf.Variable([1.0, 2.0])
    y = v * 2.0
    first, second = tf.Session(), tf.Session()
    first.run(v.initializer)
    assert first.run(y).tolist() == [2.0, 4.0]
    for _ in range(3):
        with pytest.raises(tf.errors.FailedPreconditionError, match="Attempting to use uninitialized value Variable"):
            second.run(y)
    second.run(v.initializer)
    assert second.run(y).tolist() == [2.0, 4.0]


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize(
    ("dtype", "values"),
    [
        (tf.float32, [0.1, 3, -0.0, np.float32(0.1), np.float64(0.1), np.array(2.0), 2**60 + 1, True, 1e300]),
        (tf.float64, [0.1, 3, np.float64(0.1), np.float32(0.1), 2**60 + 1, 2**100]),
        (tf.float16, [0.1, 3, np.float16(0.1)]),
        (tf.int32, [7, -7, np.int32(5), np.int64(5), True, 2**31 - 1, 1.7]),
        (tf.uint8, [255, np.uint8(3)]),
        (tf.int64, [2**63 - 1, -(2**63), np.int64(5)]),
        (tf.bool, [True, False, np.True_, 1, 0]),
        (tf.complex64, [1j, 2.5, np.complex64(1j), 3]),
    ],
)
@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
def test_scalars_of_all_kinds_are_fed_to_compiled_programs(dtype: tf.DType, values: list[Any]) -> None:
    x = tf.placeholder(dtype, [])
    y = tf.stack([x, x])
    with tf.Session() as sess:
        for value in (*values, *values):
            result, both = sess.run([x, y], {x: value})
            expected = np.asarray(value, dtype.as_numpy_dtype)
            np.testing.assert_array_equal(both, np.stack([expected, expected]), strict=True)
            assert type(result) is dtype.as_numpy_dtype
            np.testing.assert_array_equal(result, expected)


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("rows", [3, 3000], ids=["small feeds are copied", "large feeds are pointed at"])
def test_arrays_of_all_layouts_are_fed_to_compiled_programs(rows: int) -> None:
    x = tf.placeholder(tf.float32, [None, 4])
    y = x * 2.0 + 1.0
    dense = np.arange(rows * 4, dtype=np.float32).reshape(rows, 4)
    gaps = np.zeros((rows, 8), np.float32)
    gaps[:, ::2] = dense
    unaligned = np.zeros(dense.nbytes + 1, np.uint8)[1:].view(np.float32).reshape(dense.shape)
    unaligned[...] = dense
    read_only = dense.copy()
    read_only.flags.writeable = False
    layouts = [dense, gaps[:, ::2], np.asfortranarray(dense), dense.astype(">f4"), dense.astype(np.float64), unaligned]
    layouts += [read_only, dense.tolist(), np.ma.array(dense), pickle.loads(pickle.dumps(dense))]
    with tf.Session() as sess:
        for value in (*layouts, *layouts):
            np.testing.assert_array_equal(sess.run(y, {x: value}), dense * 2 + 1, strict=True)
        with pytest.raises(ValueError, match="Cannot feed value of shape"):
            sess.run(y, {x: dense[:, :3]})
        np.testing.assert_array_equal(sess.run(y, {x: dense[:1]}), dense[:1] * 2 + 1)


@pytest.mark.usefixtures("always")
def test_only_short_runs_keep_python_s_lock(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[bool] = []

    def new_entry(*args: Any, keeps_lock: bool) -> Any:
        kept.append(keeps_lock)
        return python_entry.new_entry(*args, keeps_lock=keeps_lock)

    monkeypatch.setattr(direct_run, "new_entry", new_entry)
    x = tf.placeholder(tf.float32, [None])
    y = tf.exp(x)
    with tf.Session() as sess:
        for size in (10, 1_000_000, 20):
            sess.run(y, {x: np.ones(size, np.float32)})
    assert kept == [True, False, True]


@pytest.mark.usefixtures("always")
def test_results_that_grow_large_get_memory_of_their_own(graph: tf.Graph) -> None:
    x = tf.placeholder(tf.float32, [None])
    y = x * 2.0
    with tf.Session() as sess:
        for size in (10, 1_000_000, 20, 2_000_000):
            assert sess.run(y, {x: np.ones(size, np.float32)}).tolist() == [2.0] * size
    [program] = programs(graph)
    homes = [native.plan.results[0] for native in program._natives.values()]
    assert [type(home) for home in homes] == [Slot, Dynamic]


@pytest.mark.usefixtures("always")
@pytest.mark.parametrize("then", ["another program", "a failing kernel", "an operation on the host"])
def test_variables_change_once_or_not_at_all(then: str) -> None:
    v, large = tf.Variable(0), tf.Variable(tf.zeros([1000]))
    limit = tf.placeholder(tf.int32, [])
    with tf.control_dependencies([v.assign_add(1), large.assign_add(tf.ones([1000]))]):
        number = tf.identity(v)
        if then == "another program":
            result = tf.reduce_sum(tf.zeros([number]) + tf.ones([limit]))
        elif then == "a failing kernel":
            result = tf.gather(tf.range(limit), number - 1)
        else:
            result = tf.gather(tf.constant(["a", "b", "c"]), number - 1)
    with tf.Session() as sess:
        sess.run(tf.global_variables_initializer())
        for expected in (1, 2, 3):
            sess.run(result, {limit: expected})
            assert (sess.run(v), set(sess.run(large).tolist())) == (expected, {float(expected)})
        with pytest.raises(tf.errors.OpError):
            sess.run(result, {limit: 2})
        assert (sess.run(v), set(sess.run(large).tolist())) == (3, {3.0})


@pytest.mark.usefixtures("always")
def test_a_kernel_that_fails_on_raw_values_names_its_operation() -> None:
    x = tf.placeholder(tf.float32, [5000])
    i = tf.placeholder(tf.int32, [])
    y = tf.gather(x * 2.0, i, name="chosen")
    value = np.arange(5000, dtype=np.float32)
    with tf.Session() as sess:
        for _ in range(3):
            assert sess.run(y, {x: value, i: 4999}) == 9998.0
            with pytest.raises(tf.errors.InvalidArgumentError, match=r"5000 is not in \[0, 5000\)") as raised:
                sess.run(y, {x: value, i: 5000})
            assert raised.value.op is y.op


@pytest.mark.usefixtures("always")
def test_a_session_is_closed_under_running_threads() -> None:
    x = tf.placeholder(tf.float32, [None])
    v = tf.Variable(tf.zeros([50_000]))
    step = v.assign_add(tf.sqrt(v + tf.reduce_sum(x)))
    sess = tf.Session()
    sess.run(v.initializer)
    running = threading.Barrier(5)

    def work(number: int) -> None:
        if number == 4:
            running.wait()
            sess.close()
            return
        sess.run(step.op, {x: [1.0]})
        running.wait()
        with pytest.raises((RuntimeError, tf.errors.FailedPreconditionError)):
            while True:
                sess.run(step.op, {x: [1.0]})

    in_threads(5, work)
    with pytest.raises(RuntimeError, match="Attempted to use a closed Session"):
        sess.run(step.op, {x: [1.0]})


@pytest.mark.usefixtures("always")
@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
@pytest.mark.filterwarnings("ignore:.*fork.*:DeprecationWarning")
def test_a_child_of_a_fork_runs_and_compiles() -> None:
    x = tf.placeholder(tf.float32, [None])
    v = tf.Variable(tf.ones([200_000]))
    y = tf.reduce_sum(v * x)
    new = tf.reduce_max(tf.exp(v) - x)
    sess = tf.Session()
    sess.run(v.initializer)
    assert sess.run(y, {x: [2.0]}) == 400_000
    stop = threading.Event()

    def keep_busy() -> None:
        while not stop.is_set():
            sess.run(y, {x: [1.0]})

    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        children = [_child(lambda: (sess.run(y, {x: [3.0]}), sess.run(new, {x: [1.0]}))) for _ in range(5)]
    finally:
        stop.set()
        busy.join()
    for status in children:
        assert status == 0
    assert sess.run(y, {x: [2.0]}) == 400_000


def _child(work: Callable[[], tuple[float, float]]) -> int:
    """The exit status of a child that does the work: 0 if all is as it should be."""
    child = os.fork()
    if child == 0:
        status = 1
        try:
            total, largest = work()
            status = 0 if total == 600_000 and abs(largest - (np.e - 1)) < 1e-6 else 2
        finally:
            os._exit(status)
    return os.waitpid(child, 0)[1]


# --- tiers


def train(steps: int, after_step: Callable[[int, tf.Graph], None] = lambda step, graph: None) -> list[float]:
    """The losses of a small regression trained by momentum; its batches have many sizes."""
    graph = tf.Graph()
    with graph.as_default():
        x, y = tf.placeholder(tf.float32, [None, 5]), tf.placeholder(tf.float32, [None, 1])
        w = tf.Variable(tf.truncated_normal([5, 8], seed=3))
        b = tf.Variable(tf.zeros([8]))
        out = tf.matmul(tf.tanh(tf.matmul(x, w) + b), tf.Variable(tf.ones([8, 1]) / 8))
        loss = tf.reduce_mean(tf.square(out - y))
        step_op = tf.train.MomentumOptimizer(0.01, 0.9).minimize(loss)
        losses = []
        with tf.Session() as sess:
            sess.run(tf.global_variables_initializer())
            random = np.random.default_rng(0)
            for step in range(steps):
                batch = random.standard_normal((step % 5 + 1, 5)).astype(np.float32)
                feeds = {x: batch, y: batch.sum(1, keepdims=True)}
                losses.append(float(sess.run([loss, step_op], feeds)[0]))
                after_step(step, graph)
    return losses


def wait_for_kernels(graph: tf.Graph) -> None:
    """Waits until workers have compiled what they were asked for."""
    for program in programs(graph):
        if program._compilation is not None and program._compilation._request is not None:
            program._compilation._request.result(LIMIT)


def test_training_goes_on_where_compiled_code_takes_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SESSILE_JIT", "never")
    expected = train(40)
    monkeypatch.setenv("SESSILE_JIT", "auto")
    natives = []

    def after_step(step: int, graph: tf.Graph) -> None:
        if step == 9:
            wait_for_kernels(graph)
        natives.append(len(native_programs(graph)))

    losses = train(40, after_step)
    assert natives[0] == 0
    assert natives[-1] > 0
    np.testing.assert_allclose(losses, expected, rtol=1e-4)


def test_modes_decide_whether_there_is_compiled_code(monkeypatch: pytest.MonkeyPatch) -> None:
    counts = {}
    for mode in ("never", "always"):
        monkeypatch.setenv("SESSILE_JIT", mode)
        train(4, lambda step, graph, mode=mode: counts.setdefault(mode, len(native_programs(graph))))
    assert counts["never"] == 0
    assert counts["always"] > 0


SCRIPT = """
import sys
import numpy as np
import sessile as tf
x = tf.placeholder(tf.float32, [None])
y = tf.reduce_sum(tf.exp(x) * 2.0 - {number})
sess = tf.Session()
for _ in range({runs}):
    assert abs(sess.run(y, {{x: [0.0]}}) - (2.0 - {number})) < 1e-6
service = sys.modules.get("sessile.compiler.cpu.kernel_service")
processes = [worker._process.pid for worker in service.kernel_service()._pool._processes] if service else []
print(*processes, ";", *(name for name in ("llvmlite", "numba") if name in sys.modules))
"""


@pytest.mark.parametrize(("mode", "loaded"), [("never", []), ("auto", ["llvmlite"]), ("always", ["llvmlite", "numba"])])
def test_processes_end_with_their_workers_and_load_what_they_need(mode: str, loaded: list[str]) -> None:
    script = SCRIPT.format(number=hash(mode) % 1000, runs=5)
    environment = {**os.environ, "SESSILE_JIT": mode}
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, env=environment, timeout=LIMIT, check=False
    )
    assert done.returncode == 0, done.stderr
    workers, _, modules = done.stdout.partition(";")
    assert modules.split() == loaded
    for worker in workers.split():
        with pytest.raises(ProcessLookupError):
            os.kill(int(worker), 0)


# --- what a step takes


@pytest.mark.usefixtures("always")
def test_new_sizes_call_no_compiler(graph: tf.Graph) -> None:
    x = tf.placeholder(tf.float32, [None, 4])
    y = tf.nn.softmax(tf.matmul(x, tf.ones([4, 3])) + 1.0)
    sess = tf.Session()
    sess.run(y, {x: np.zeros((2, 4))})
    before = tf.kernel_statistics().compiled
    for size in (3, 1, 0, 50, 2):
        assert sess.run(y, {x: np.zeros((size, 4))}).shape == (size, 3)
    assert tf.kernel_statistics().compiled == before
    assert len(native_programs(graph)) == 1


def load_digits_example() -> Any:
    specification = importlib.util.spec_from_file_location("digits_example", DIGITS)
    assert specification is not None
    assert specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.usefixtures("always")
def test_a_step_of_adam_is_one_native_call(graph: tf.Graph) -> None:
    digits = load_digits_example()
    images, labels = tf.placeholder(tf.float32, [None, 64]), tf.placeholder(tf.int64, [None])
    logits = digits.perceptron(images, tf.constant(1.0))
    loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))
    step = tf.train.AdamOptimizer(1e-3).minimize(loss)
    sess = tf.Session()
    sess.run(tf.global_variables_initializer())
    feeds = {images: np.zeros((8, 64), np.float32), labels: np.arange(8)}
    sess.run([step, loss], feeds)
    (native,) = [native for native in native_programs(graph) if len(native.parameters) == 2]
    assert native.runs_in_one_go
    assert len(native.stages) == 1
    assert native.plan.moves == []
    assert native.plan.copies == []


@pytest.mark.usefixtures("always")
def test_strings_move_on_the_host(graph: tf.Graph) -> None:
    x = tf.placeholder(tf.string, [None])
    moved = [tf.concat([x, x], 0), tf.reverse(x, [0]), x[1:], tf.tile(x, [2]), tf.pad(x, [[1, 0]])]
    found = [value.tolist() for value in tf.Session().run(moved, {x: ["a", "b"]})]
    assert found == [[b"a", b"b"] * 2, [b"b", b"a"], [b"b"], [b"a", b"b"] * 2, [b"", b"a", b"b"]]
