"""The native step loop executes steps in order, alone or with a team; forks, threads and exit do not disturb it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

from sessile.compiler.cpu import step_loop_code as code
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.cpu.machine_code import compile_module
from sessile.compiler.cpu.step_loop import StepProgram, native_loop, new_trace, trace_records
from sessile.compiler.cpu.thread_team import Team, shared_team
from sessile.compiler.target import Target

KERNELS = """
; counts[part] += 1
define void @count(i64* %arguments, i64 %part, i64 %parts) {
  %word = load i64, i64* %arguments
  %counts = inttoptr i64 %word to i64*
  %place = getelementptr i64, i64* %counts, i64 %part
  %old = load i64, i64* %place
  %new = add i64 %old, 1
  store i64 %new, i64* %place
  ret void
}

; target[0] = source[0] + 1
define void @increment(i64* %arguments, i64 %part, i64 %parts) {
  %word_0 = load i64, i64* %arguments
  %at_1 = getelementptr i64, i64* %arguments, i64 1
  %word_1 = load i64, i64* %at_1
  %source = inttoptr i64 %word_0 to i64*
  %target = inttoptr i64 %word_1 to i64*
  %old = load i64, i64* %source
  %new = add i64 %old, 1
  store i64 %new, i64* %target
  ret void
}

; flag[0] = value[0] < limit
define void @less(i64* %arguments, i64 %part, i64 %parts) {
  %word_0 = load i64, i64* %arguments
  %at_1 = getelementptr i64, i64* %arguments, i64 1
  %word_1 = load i64, i64* %at_1
  %at_2 = getelementptr i64, i64* %arguments, i64 2
  %limit = load i64, i64* %at_2
  %value_at = inttoptr i64 %word_0 to i64*
  %flag_at = inttoptr i64 %word_1 to i8*
  %value = load i64, i64* %value_at
  %holds = icmp slt i64 %value, %limit
  %flag = zext i1 %holds to i8
  store i8 %flag, i8* %flag_at
  ret void
}

; status[0] = 7 in the last part
define void @fail(i64* %arguments, i64 %part, i64 %parts) {
  %word = load i64, i64* %arguments
  %status = inttoptr i64 %word to i64*
  %next = add i64 %part, 1
  %last = icmp eq i64 %next, %parts
  br i1 %last, label %write, label %done
write:
  store i64 7, i64* %status
  br label %done
done:
  ret void
}
"""
NAMES = ("count", "increment", "less", "fail")


@pytest.fixture(scope="module")
def kernels() -> dict[str, int]:
    return load_objects([compile_module(KERNELS, Target.host(), level=0)], NAMES)


@pytest.fixture(scope="module")
def team():
    team = Team(3)
    team.ensure_started()
    yield team
    team.stop()


def address(array: np.ndarray, index: int = 0) -> int:
    return array.ctypes.data + index * array.itemsize


def words(*values: int) -> np.ndarray:
    return np.array(values, np.int64)


def run(program: StepProgram, status: np.ndarray | None = None, team: int = 0) -> int:
    status = words(*[0] * 8) if status is None else status
    control = program.control(address(status), team)
    return native_loop().run_steps(address(control))


def test_an_empty_program_ends_at_once() -> None:
    assert run(StepProgram()) == 0


def test_steps_run_in_order(kernels) -> None:
    values = words(5, 0, 0)
    arguments = [words(address(values, i), address(values, i + 1)) for i in range(2)]
    program = StepProgram()
    assert [program.kernel(kernels["increment"], address(a)) for a in arguments] == [0, 1]
    assert run(program) == 0
    assert values.tolist() == [5, 6, 7]


@pytest.mark.parametrize("parts", [1, 4])
def test_a_failed_step_ends_the_run_and_is_named(kernels, team, parts: int) -> None:
    status, counts = words(*[0] * 8), words(0, 0)
    fail, count = words(address(status)), words(address(counts))
    program = StepProgram()
    program.kernel(kernels["count"], address(count), fallible=True)
    program.kernel(kernels["fail"], address(fail), parts=parts, fallible=True)
    program.kernel(kernels["count"], address(count))
    assert run(program, status, team.address) == 2
    assert status[0] == 7
    assert counts[0] == 1


def test_status_is_looked_at_after_fallible_steps_only(kernels) -> None:
    status, counts = words(*[0] * 8), words(0)
    fail, count = words(address(status)), words(address(counts))
    program = StepProgram()
    program.kernel(kernels["fail"], address(fail))
    program.kernel(kernels["count"], address(count))
    assert run(program, status) == 0
    assert counts[0] == 1


@pytest.mark.parametrize(("value", "expected"), [(1, [1, 0]), (9, [0, 1])])
def test_a_branch_chooses_by_a_byte(kernels, value: int, expected: list[int]) -> None:
    flag, number, counts = np.zeros(1, np.int8), words(value), words(0, 0)
    test = words(address(number), address(flag), 5)
    true, false = words(address(counts)), words(address(counts, 1))
    program = StepProgram()
    program.kernel(kernels["less"], address(test))
    branch = program.branch_if_false(address(flag))
    program.kernel(kernels["count"], address(true))
    end = program.jump()
    program.set_target(branch, program.target)
    program.kernel(kernels["count"], address(false))
    program.set_target(end, program.target)
    assert run(program) == 0
    assert counts.tolist() == expected


def counting_loop(kernels, number: np.ndarray, limit: int, keep: list[np.ndarray]) -> StepProgram:
    """Writes 1 + one word to the other, then the other way round, until the word written last reaches the limit."""
    flag = np.zeros(1, np.int8)
    test = words(address(number), address(flag), limit)
    body = words(address(number), address(number, 1))
    keep += [flag, test, body]
    program = StepProgram()
    start = program.kernel(kernels["less"], address(test))
    branch = program.branch_if_false(address(flag))
    program.kernel(kernels["increment"], address(body))
    program.swap_words(address(body), address(body, 1))
    program.copy_bytes(address(test), address(body), 8)
    program.jump(start)
    program.set_target(branch, program.target)
    return program


def test_a_loop_carries_values_by_exchanging_pointers(kernels) -> None:
    number, keep = words(0, 0), []
    assert run(counting_loop(kernels, number, 1001, keep)) == 0
    assert number.tolist() == [1000, 1001]


def test_bytes_are_copied(kernels) -> None:
    source, target = np.arange(37, dtype=np.uint8), np.full(40, 255, np.uint8)
    program = StepProgram()
    program.copy_bytes(address(target, 1), address(source), 37)
    program.copy_bytes(address(target), address(source), 0)
    assert run(program) == 0
    assert target.tolist() == [255, *range(37), 255, 255]


@pytest.mark.parametrize("with_team", [False, True])
def test_each_part_runs_once(kernels, team, with_team: bool) -> None:
    for parts in [2, 3, 4, 31, 32, 33, 64, 100]:
        counts = np.zeros(parts + 1, np.int64)
        arguments = words(address(counts))
        program = StepProgram()
        for _ in range(50):
            program.kernel(kernels["count"], address(arguments), parts=parts)
        assert run(program, team=team.address if with_team else 0) == 0
        assert counts.tolist() == [50] * parts + [0]


def test_steps_see_what_the_parts_of_earlier_steps_wrote(kernels, team) -> None:
    counts, keep = words(*[0] * 4), []
    arguments = words(address(counts))
    program = StepProgram()
    start = program.kernel(kernels["count"], address(arguments), parts=4)
    flag = np.zeros(1, np.int8)
    for part in range(4):
        test = words(address(counts, part), address(flag), 300)
        keep.append(test)
        program.kernel(kernels["less"], address(test))
        program.branch_if_false(address(flag), program.target + 2)
        program.jump(start)
    assert run(program, team=team.address) == 0
    assert counts.tolist() == [300] * 4


def test_many_threads_run_programs_at_once_with_one_team(kernels, team) -> None:
    results: dict[int, tuple[int, list[int]]] = {}
    barrier = threading.Barrier(8)

    def work(number: int) -> None:
        counts = np.zeros(4, np.int64)
        arguments = words(address(counts))
        program = StepProgram()
        for _ in range(100):
            program.kernel(kernels["count"], address(arguments), parts=4)
        control = program.control(address(words(*[0] * 8)), team.address)
        barrier.wait()
        codes = [native_loop().run_steps(address(control)) for _ in range(20)]
        results[number] = max(codes), counts.tolist()

    threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert results == {number: (0, [2000] * 4) for number in range(8)}


def test_a_team_runs_before_it_starts_and_after_it_stops(kernels) -> None:
    counts = np.zeros(4, np.int64)
    arguments = words(address(counts))
    program = StepProgram()
    program.kernel(kernels["count"], address(arguments), parts=4)
    team = Team(2)
    for action in (lambda: None, team.ensure_started, team.stop, team.ensure_started, team.stop):
        action()
        assert run(program, team=team.address) == 0
    assert counts.tolist() == [5] * 4


def test_a_team_may_start_and_stop_while_programs_use_it(kernels) -> None:
    team, finished = Team(2), threading.Event()
    counts = np.zeros(4, np.int64)
    arguments = words(address(counts))
    program = StepProgram()
    for _ in range(100):
        program.kernel(kernels["count"], address(arguments), parts=4)
    control = program.control(address(words(*[0] * 8)), team.address)

    def work() -> None:
        for _ in range(300):
            native_loop().run_steps(address(control))
        finished.set()

    thread = threading.Thread(target=work)
    thread.start()
    while not finished.is_set():
        team.ensure_started()
        team.stop()
    thread.join()
    assert counts.tolist() == [30_000] * 4


def test_a_team_of_one_and_the_shared_teams() -> None:
    assert shared_team(2) is shared_team(2)
    assert shared_team(1).address != shared_team(2).address
    with pytest.raises(ValueError, match="at least one thread, not 0"):
        Team(0)


def test_a_trace_records_kernels_and_copies(kernels) -> None:
    counts = words(0)
    arguments = words(address(counts))
    program = StepProgram()
    program.kernel(kernels["count"], address(arguments))
    program.jump(2)
    program.copy_bytes(address(counts), address(counts), 0)
    trace, status = new_trace(8), words(*[0] * 8)
    control = program.control(address(status), trace=address(trace))
    assert native_loop().run_steps_traced(address(control)) == 0
    records = trace_records(trace)
    assert records[:, 0].tolist() == [0, 2]
    assert (records[:, 1] <= records[:, 2]).all()
    assert records[0, 2] <= records[1, 1]


def test_a_full_trace_counts_what_it_lost(kernels) -> None:
    counts = words(0)
    arguments = words(address(counts))
    program = StepProgram()
    for _ in range(5):
        program.kernel(kernels["count"], address(arguments))
    trace, status = new_trace(3), words(*[0] * 8)
    control = program.control(address(status), trace=address(trace))
    native_loop().run_steps_traced(address(control))
    assert trace_records(trace)[:, 0].tolist() == [0, 1, 2]
    assert trace[code.TRACE_COUNT] == 5
    assert counts[0] == 5


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the system has no fork")
def test_the_child_of_a_fork_runs_alone_and_then_with_a_team_of_its_own(kernels, team) -> None:
    counts = np.zeros(4, np.int64)
    arguments = words(address(counts))
    program = StepProgram()
    for _ in range(100):
        program.kernel(kernels["count"], address(arguments), parts=4)
    assert run(program, team=team.address) == 0

    def child() -> bool:
        alone = run(program, team=team.address) == 0 and counts.tolist() == [200] * 4
        team.ensure_started()
        return alone and run(program, team=team.address) == 0 and counts.tolist() == [300] * 4

    # Another thread may hold the team at the moment of the fork.
    stop = threading.Event()
    other_counts = np.zeros(4, np.int64)
    other_arguments = words(address(other_counts))
    other = StepProgram()
    for _ in range(100):
        other.kernel(kernels["count"], address(other_arguments), parts=4)
    control = other.control(address(words(*[0] * 8)), team.address)

    def keep_busy() -> None:
        while not stop.is_set():
            native_loop().run_steps(address(control))

    busy = threading.Thread(target=keep_busy)
    busy.start()
    try:
        for _ in range(5):
            assert in_child(child)
    finally:
        stop.set()
        busy.join()


def in_child(test) -> bool:
    pid = os.fork()
    if pid == 0:
        signal.alarm(30)
        try:
            os._exit(0 if test() else 1)
        finally:
            os._exit(2)
    return os.waitpid(pid, 0)[1] == 0


EXITING = """
import threading
import numpy as np
from sessile.compiler.cpu.load_kernels import load_objects
from sessile.compiler.cpu.machine_code import compile_module
from sessile.compiler.cpu.step_loop import StepProgram, native_loop
from sessile.compiler.cpu.thread_team import shared_team
from sessile.compiler.target import Target

code = compile_module("define void @nothing(i64* %a, i64 %p, i64 %q) {{\\n ret void\\n}}\\n", Target.host(), 0)
program = StepProgram()
program.kernel(load_objects([code], ["nothing"])["nothing"], 0, parts=4)
shared_team(3).ensure_started()
status = np.zeros(8, np.int64)
control = program.control(status.ctypes.data, shared_team(3).address)

def forever():
    while True:
        native_loop().run_steps(control.ctypes.data)

native_loop().run_steps(control.ctypes.data)
if {busy}:
    threading.Thread(target=forever, daemon=True).start()
"""


@pytest.mark.parametrize("busy", [False, True])
def test_the_interpreter_exits_cleanly_while_workers_wait_or_work(busy: bool) -> None:
    process = subprocess.run(
        [sys.executable, "-c", EXITING.format(busy=busy)], capture_output=True, text=True, timeout=60
    )
    assert process.returncode == 0, process.stderr
    assert process.stderr == ""


FROM_THE_STORE = """
import os
import sys
import numpy as np
from sessile.compiler.cpu import step_loop
from sessile.graph.errors import InternalError

def run():
    status = np.zeros(8, np.int64)
    return step_loop.native_loop().run_steps(step_loop.StepProgram().control(status.ctypes.data).ctypes.data)

assert run() == 0
compile_module = step_loop.compile_module
step_loop._loop = step_loop.compile_module = None
assert run() == 0
assert "numba" not in sys.modules

os.environ["SESSILE_CACHE_CHECK"] = "1"
step_loop._loop, step_loop.compile_module = None, compile_module
assert run() == 0
step_loop._loop, step_loop.compile_module = None, lambda *arguments, **options: b"other code"
try:
    run()
except InternalError as error:
    assert "is not what comes out now" in str(error)
else:
    raise AssertionError("the check found nothing")
"""


def test_the_loop_comes_from_the_store_and_needs_no_numba(tmp_path) -> None:
    process = subprocess.run(
        [sys.executable, "-c", FROM_THE_STORE],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "SESSILE_CACHE_DIR": str(tmp_path / "store")},
    )
    assert process.returncode == 0, process.stderr
