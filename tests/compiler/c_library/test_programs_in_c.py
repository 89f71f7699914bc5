"""C programs that use a library, built with the system's compiler: results, threads, failures, memory errors."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from support.c_libraries import COMPILER, LoadedLibrary, computed, library_of_graph, needs_compiler

import sessile as tf
from sessile.compiler.c_library.emit import CLibrary
from sessile.compiler.c_library.write_files import write_c_library
from sessile.compiler.target import Target

pytestmark = needs_compiler

DRIVER = Path(__file__).with_name("driver.c")
STRICT = ("-std=c99", "-O1", "-g", "-Wall", "-Wextra", "-pedantic", "-Werror", "-D_POSIX_C_SOURCE=200809L", "-pthread")


def library(target: Target) -> CLibrary:
    """A network with two layers whose rows are picked by indices: a workspace, constants, a kernel that may fail."""
    random = np.random.RandomState(0)
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [None, 20], name="x")
        rows = tf.placeholder(tf.int32, [None], name="rows")
        hidden = tf.nn.relu(tf.matmul(x, random.standard_normal((20, 33)).astype(np.float32)) + 0.5)
        y = tf.nn.softmax(tf.matmul(hidden, random.standard_normal((33, 3)).astype(np.float32)))
        picked = tf.gather(y, rows)
        return library_of_graph({"y": picked}, {x: ("n", 20), rows: ("n",)}, target=target)


def cases(made: CLibrary, folder: Path) -> Path:
    """Inputs of several sizes, with what the library gives for them in this process."""
    loaded = LoadedLibrary(made, folder)
    random = np.random.RandomState(1)
    with (folder / "cases").open("wb") as file:
        for n in (7, 1, 64, 0, 100, 7):
            x = random.standard_normal((n, 20)).astype(np.float32)
            rows = random.permutation(n).astype(np.int32)
            (y,) = computed(loaded, {"x": x, "rows": rows})
            for array in (np.array(n, np.int64), x, rows, y):
                file.write(array.tobytes())
    return folder / "cases"


def built(made: CLibrary, folder: Path, flags: Sequence[str] = (), kind: str = "static") -> Path:
    """The driver, linked with a library."""
    written = write_c_library(made, folder, ["header", kind])
    assert not written.notes
    command = [COMPILER, *STRICT, *flags, f"-I{folder}", "-o", folder / "driver", DRIVER, written.paths[kind], "-lm"]
    done = subprocess.run([*map(str, command)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return folder / "driver"


def run(*command: str | Path, **environment: str) -> None:
    done = subprocess.run([*map(str, command)], capture_output=True, text=True, env=environment or None, timeout=120)
    assert (done.returncode, done.stdout) == (0, "all is well\n"), done.stderr


def portable() -> Target:
    """A target that valgrind knows the instructions of."""
    host = Target.host()
    level = Target.parse("x86-64-v3")
    fits = level.triple == host.triple and level.enabled_features <= host.enabled_features
    return level if fits else host


@pytest.mark.parametrize("kind", ["static", "object", "shared"])
def test_results_threads_and_failures(kind: str, tmp_path: Path) -> None:
    made = library(Target.host())
    run(built(made, tmp_path, kind=kind), cases(made, tmp_path), LD_LIBRARY_PATH=str(tmp_path))


def test_no_memory_errors_under_the_sanitizers(tmp_path: Path) -> None:
    flags = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
    probe = tmp_path / "probe.c"
    probe.write_text("int main(void) { return 0; }\n")
    if subprocess.run([str(COMPILER), *flags, "-o", tmp_path / "probe", probe], capture_output=True).returncode:
        pytest.skip("the C compiler has no sanitizers")
    made = library(Target.host())
    run(built(made, tmp_path, flags), cases(made, tmp_path))


@pytest.mark.skipif(shutil.which("valgrind") is None, reason="valgrind is not installed")
def test_no_memory_errors_under_valgrind(tmp_path: Path) -> None:
    made = library(portable())
    command = ("valgrind", "-q", "--error-exitcode=9", "--leak-check=full", "--show-leak-kinds=all")
    run(*command, built(made, tmp_path), cases(made, tmp_path))


def test_the_header_is_cpp_too(tmp_path: Path) -> None:
    write_c_library(library(Target.host()), tmp_path, ["header"])
    source = tmp_path / "uses.cpp"
    source.write_text('#include "model.h"\nint main() { return model_create() == nullptr; }\n')
    compiler = shutil.which("c++") or shutil.which("g++") or shutil.which("clang++")
    if compiler is None:
        pytest.skip("no C++ compiler is installed")
    flags = ("-std=c++11", "-Wall", "-Wextra", "-pedantic", "-Werror", "-c", "-o", tmp_path / "uses.o")
    subprocess.run([compiler, *flags, source], check=True)


def test_two_libraries_live_in_one_program(tmp_path: Path) -> None:
    with tf.Graph().as_default():
        x = tf.placeholder(tf.float32, [3], name="x")
        for name, y in (("one", tf.exp(x)), ("two", tf.exp(x) * 2.0)):
            write_c_library(library_of_graph({"y": y}, {x: (3,)}, name), tmp_path, ["header", "static"])
    source = tmp_path / "both.c"
    source.write_text(BOTH)
    libraries = [tmp_path / "libone.a", tmp_path / "libtwo.a"]
    command = [COMPILER, *STRICT, f"-I{tmp_path}", "-o", tmp_path / "both", source, *libraries, "-lm"]
    subprocess.run([*map(str, command)], check=True)
    run(tmp_path / "both")


BOTH = """
#include <stdio.h>
#include "one.h"
#include "two.h"

int main(void)
{
    float x[3] = {0, 1, 2}, a[3], b[3];
    const void *inputs[] = {x};
    void *first[] = {a}, *second[] = {b};
    one_context *one = one_create();
    two_context *two = two_create();
    int failed = one_run(one, inputs, first, NULL) || two_run(two, inputs, second, NULL);
    for (int k = 0; k < 3; k++)
        failed |= b[k] != 2 * a[k];
    one_free(one);
    two_free(two);
    if (!failed)
        puts("all is well");
    return failed;
}
"""
