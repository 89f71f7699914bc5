"""Programs that outlive the process. A graph that is built again stands for the same script in another process."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import sessile as tf
from sessile.compiler import compile_program, lower
from sessile.compiler.call_identity import call_identity
from sessile.compiler.store.program_entries import CALL, EXECUTABLE, PROGRAM
from sessile.compiler.store.store_folder import disk_store

X = np.arange(6, dtype=np.float32).reshape(2, 3)


@pytest.fixture(autouse=True)
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("SESSILE_CACHE_DIR", str(tmp_path / "store"))
    monkeypatch.setenv("SESSILE_JIT", "always")
    return tmp_path / "store"


@pytest.fixture
def lowered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the programs that were lowered."""
    return _recorded(monkeypatch, lower, "lower", lambda result: result.name)


@pytest.fixture
def optimized(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The names of the programs that passes ran on."""
    return _recorded(monkeypatch, compile_program, "optimize", lambda result: result.program.name)


def _recorded(patch: pytest.MonkeyPatch, module: Any, name: str, describe: Callable[[Any], str]) -> list[str]:
    calls: list[str] = []
    original = getattr(module, name)

    def recording(*arguments: Any, **named: Any) -> Any:
        result = original(*arguments, **named)
        calls.append(describe(result))
        return result

    patch.setattr(module, name, recording)
    return calls


def kinds() -> Iterator[str]:
    store = disk_store()
    assert store is not None
    return (entry.kind for entry in store.entries())


def affine(weight: str = "w", bias: str = "b", scale: float = 2.0) -> Any:
    """Runs x * w + scale * b in a new graph, with 3 for the weight and 5 for the bias."""
    with tf.Graph().as_default(), tf.Session() as session:
        x = tf.placeholder(tf.float32, [None, 3], name="x")
        w = tf.Variable(np.full(3, 3, np.float32), name=weight)
        b = tf.Variable(np.full(3, 5, np.float32), name=bias)
        session.run(tf.global_variables_initializer())
        return session.run(x * w + scale * b, {x: X})


def test_the_same_graph_is_lowered_once(lowered: list[str], optimized: list[str]) -> None:
    first = affine()
    assert len(lowered) == len(optimized) == 2  # the initialiser, and the call
    np.testing.assert_array_equal(affine(), first)
    np.testing.assert_array_equal(first, X * 3 + 10)
    assert len(lowered) == len(optimized) == 2


def test_other_names_share_what_was_compiled(lowered: list[str], optimized: list[str]) -> None:
    affine()
    # Names in another alphabetical order than before: each variable must find its own value.
    np.testing.assert_array_equal(affine(weight="z", bias="a"), X * 3 + 10)
    assert len(lowered) == 4
    assert len(optimized) == 2


def test_another_constant_is_another_program(optimized: list[str]) -> None:
    affine()
    np.testing.assert_array_equal(affine(scale=4.0), X * 3 + 20)
    assert len(optimized) == 3  # the initialiser is as it was


def test_what_is_interpreted_is_lowered_once(monkeypatch: pytest.MonkeyPatch, lowered: list[str]) -> None:
    monkeypatch.setenv("SESSILE_JIT", "never")
    first = affine()
    np.testing.assert_array_equal(affine(), first)
    assert len(lowered) == 2
    assert set(kinds()) == {CALL, PROGRAM, "code"} or set(kinds()) == {CALL, PROGRAM}


def test_programs_for_other_sizes_join_the_call(lowered: list[str]) -> None:
    def sums(rows: int) -> Any:
        with tf.Graph().as_default(), tf.Session() as session:
            x, y = (tf.placeholder(tf.float32, [None], name=name) for name in "xy")
            return session.run(x + y, {x: np.ones(rows), y: np.ones(3)})

    for _ in range(2):
        np.testing.assert_array_equal(sums(3), [2, 2, 2])
        np.testing.assert_array_equal(sums(1), [2, 2, 2])
    assert len(lowered) == 2


def test_errors_name_the_line_of_this_process(lowered: list[str]) -> None:
    def gather(index: int, build: Callable[[Any], Any]) -> str:
        with tf.Graph().as_default(), tf.Session() as session:
            i = tf.placeholder(tf.int32, [], name="i")
            picked = build(i)
            with pytest.raises(tf.errors.InvalidArgumentError) as caught:
                session.run(picked, {i: index})
            return str(caught.value)

    def here(i: Any) -> Any:
        return tf.gather(tf.constant([1.0, 2.0]), i, name="picked")

    def there(i: Any) -> Any:
        return tf.gather(tf.constant([1.0, 2.0]), i, name="picked")

    first, second = gather(7, here), gather(7, there)
    assert len(lowered) == 1
    assert f":{here.__code__.co_firstlineno + 1}" in first
    assert f":{there.__code__.co_firstlineno + 1}" in second


def test_a_damaged_executable_is_made_anew(store: Path, lowered: list[str], optimized: list[str]) -> None:
    first = affine()
    for path in (store / EXECUTABLE).rglob("*"):
        if path.is_file():
            data = bytearray(path.read_bytes())
            data[len(data) // 2] ^= 1
            path.write_bytes(data)
    np.testing.assert_array_equal(affine(), first)
    assert len(optimized) == 4
    affine()
    assert len(optimized) == 4


def test_check_mode_notices_another_executable(monkeypatch: pytest.MonkeyPatch) -> None:
    affine()
    monkeypatch.setenv("SESSILE_CACHE_CHECK", "1")
    affine()
    store = disk_store()
    assert store is not None
    for entry in list(store.entries()):
        if entry.kind == EXECUTABLE:
            found = store.read(EXECUTABLE, entry.key)
            assert found is not None
            store.write(EXECUTABLE, entry.key, {**found.manifest, "written": [0]}, found.sections)
    with pytest.raises(tf.errors.InternalError, match="is not what"):
        affine()


def test_a_dump_shows_a_compilation_that_was_stored(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, optimized: list[str]
) -> None:
    affine()
    monkeypatch.setenv("SESSILE_DUMP", str(tmp_path / "dump"))
    affine()
    assert len(optimized) == 4
    assert list((tmp_path / "dump").iterdir())


def test_python_functions_of_this_process_are_not_stored(lowered: list[str]) -> None:
    for _ in range(2):
        with tf.Graph().as_default(), tf.Session() as session:
            x = tf.placeholder(tf.float32, [2], name="x")
            np.testing.assert_array_equal(session.run(tf.Print(x, [x]) + 1, {x: [1, 2]}), [2, 3])
    assert len(lowered) == 2


def test_large_constants_do_not_fill_the_store(monkeypatch: pytest.MonkeyPatch, lowered: list[str]) -> None:
    monkeypatch.setenv("SESSILE_CACHE_SIZE", "1M")
    for size in (100, 30_000):
        for _ in range(2):
            with tf.Graph().as_default(), tf.Session() as session:
                x = tf.placeholder(tf.float32, [], name="x")
                numbers = np.arange(size, dtype=np.float32) % 7
                assert session.run(tf.reduce_sum(x * numbers), {x: 2}) == 2 * numbers.sum()
    assert len(lowered) == 3


IDENTITY = """
import sessile as tf
from sessile.compiler.call_identity import call_identity
x = tf.placeholder(tf.float32, [None, 3], name="x")
y = tf.layers.dense(x, 4, name="d") if hasattr(tf, "layers") else tf.nn.relu(x)
print(call_identity([y, tf.reduce_sum(y)], [], [x]))
"""


def test_identities_do_not_depend_on_the_hash_seed() -> None:
    found = {
        subprocess.run(
            [sys.executable, "-c", IDENTITY], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(found) == 1


def test_identities_tell_calls_apart() -> None:
    def identity(value: float = 1.0, axis: int = 0, shape: Any = (None, 3), swap: bool = False) -> str:
        with tf.Graph().as_default():
            x = tf.placeholder(tf.float32, shape, name="x")
            c = tf.constant(value, name="c")
            difference = c - x if swap else x - c
            found = call_identity([tf.reduce_sum(difference, axis)], [], [x])
            assert found is not None
            return found

    assert identity() == identity()
    variants = [identity(), identity(value=2.0), identity(axis=1), identity(shape=(2, 3)), identity(swap=True)]
    assert len(set(variants)) == len(variants)


def test_elements_that_decide_a_shape_choose_among_stored_programs(lowered: list[str]) -> None:
    def shapes(*axes: int) -> list[Any]:
        with tf.Graph().as_default(), tf.Session() as session:
            x, axis = tf.placeholder(tf.float32, [2, 3, 4]), tf.placeholder(tf.int32, [])
            total = tf.reduce_sum(x, axis)
            return [session.run(total, {x: np.ones((2, 3, 4)), axis: k}).shape for k in axes]

    assert shapes(0, 1, 0) == [(3, 4), (2, 4), (3, 4)]
    assert len(lowered) == 2
    assert shapes(1, 2, 0) == [(2, 4), (2, 3), (3, 4)]
    assert len(lowered) == 3


def test_constants_without_elements_are_stored(store: Path, lowered: list[str]) -> None:
    for _ in range(2):
        with tf.Graph().as_default(), tf.Session() as session:
            assert session.run(tf.constant([[], []])).shape == (2, 0)
            assert session.run(tf.constant(np.zeros((0, 3)))).shape == (0, 3)
    assert len(lowered) == 2
