"""Object code becomes callable, and the store of a process knows what is loaded."""

from __future__ import annotations

import ctypes
import threading

import pytest

from sessile.compiler.cpu.load_kernels import KernelStore, load_objects
from sessile.compiler.cpu.machine_code import compile_module
from sessile.compiler.target import Target

HOST = Target.host()


def constant(name: str, value: int) -> bytes:
    """An object whose only function returns a number."""
    return compile_module(f"define i64 @{name}() {{\n  ret i64 {value}\n}}\n", HOST, level=0)


def call(address: int) -> int:
    return ctypes.CFUNCTYPE(ctypes.c_int64)(address)()


def test_loaded_functions_can_be_called() -> None:
    addresses = load_objects([constant("one", 1), constant("two", 2)], ["one", "two"])
    assert {name: call(address) for name, address in addresses.items()} == {"one": 1, "two": 2}


def test_one_symbol_name_may_be_loaded_twice() -> None:
    first, second = (load_objects([constant("same", value)], ["same"])["same"] for value in (3, 4))
    assert (call(first), call(second)) == (3, 4)


def test_imported_symbols_are_given_by_address() -> None:
    code = compile_module(
        "declare i64 @outside()\n"
        "define i64 @inside() {\n  %x = call i64 @outside()\n  %y = add i64 %x, 1\n  ret i64 %y\n}\n",
        HOST,
    )
    outside = load_objects([constant("five", 5)], ["five"])["five"]
    assert call(load_objects([code], ["inside"], {"outside": outside})["inside"]) == 6
    with pytest.raises(RuntimeError):
        load_objects([code], ["inside"])


@pytest.mark.parametrize("code", [b"", b"not an object", constant("whole", 1)[:200]], ids=["empty", "text", "cut"])
def test_a_damaged_object_is_refused(code: bytes) -> None:
    with pytest.raises(RuntimeError):
        load_objects([code], ["whole"])
    assert call(load_objects([constant("whole", 8)], ["whole"])["whole"]) == 8


def test_an_object_without_the_symbol_is_refused() -> None:
    with pytest.raises(RuntimeError):
        load_objects([constant("there", 1)], ["elsewhere"])


def test_the_store_loads_each_kernel_once_and_counts() -> None:
    store = KernelStore()
    assert store.get("kernel_a", HOST) is None
    first = store.load({"kernel_a": constant("kernel_a", 1)}, HOST, compiled=True)
    again = store.load({"kernel_a": constant("kernel_a", 2), "kernel_b": constant("kernel_b", 3)}, HOST)
    assert again["kernel_a"] == first["kernel_a"]
    assert call(again["kernel_a"]) == 1
    assert call(again["kernel_b"]) == 3
    assert store.get("kernel_a", HOST) == first["kernel_a"]
    assert (store.compiled, store.reused) == (1, 1)


def test_the_store_keeps_targets_apart() -> None:
    store = KernelStore()
    store.load({"kernel_c": constant("kernel_c", 1)}, HOST)
    other = Target(HOST.triple, HOST.cpu, HOST.features + ",+another")
    assert store.contains(["kernel_c"], HOST)
    assert not store.contains(["kernel_c", "kernel_d"], HOST)
    assert not store.contains(["kernel_c"], other)
    assert store.get("kernel_c", other) is None


def test_threads_that_load_the_same_kernel_get_the_same_address() -> None:
    store, code = KernelStore(), constant("kernel_e", 1)
    barrier = threading.Barrier(8)
    addresses: list[int] = []

    def work() -> None:
        barrier.wait()
        addresses.append(store.load({"kernel_e": code}, HOST)["kernel_e"])

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(addresses) == 8
    assert len(set(addresses)) == 1
