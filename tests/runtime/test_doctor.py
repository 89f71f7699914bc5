"""The report on the installation."""

import os
import subprocess
import sys

import pytest

from sessile.compiler.store.disk_store import DiskStore
from sessile.runtime import cuda_parts, doctor


def test_the_report_has_all_sections(monkeypatch):
    monkeypatch.setenv("SESSILE_JIT", "never")
    monkeypatch.delenv("SESSILE_LOG", raising=False)
    text = doctor.report()
    titles = [line for line in text.splitlines() if line and not line.startswith(" ")]
    assert titles[:-1] == ["sessile doctor", "Versions", "Processor", "Threads", "Settings", "Cache folder", "CUDA"]
    assert titles[-1].startswith("Ready for the CPU.")
    rows = dict(line.strip().split(None, 1) for line in text.splitlines() if line.startswith("  "))
    assert rows["numba"] == cuda_parts.version_of("numba")
    assert rows["SESSILE_JIT"] == "never"
    assert rows["SESSILE_LOG"] == "no log lines (not set)"
    assert "bytes" in rows["vectors"]


def cache_rows() -> dict[str, str]:
    rows = doctor.report().partition("Cache folder\n")[2].partition("\n\n")[0].splitlines()
    return dict(row.strip().split(None, 1) for row in rows)


def test_the_store_is_reported(monkeypatch, tmp_path):
    assert cache_rows() == {"folder": "none: nothing is stored on disk"}
    monkeypatch.setenv("SESSILE_CACHE_DIR", str(tmp_path / "store"))
    DiskStore(tmp_path / "store").write("kernel", {"kernel": "a"}, {}, {"object": bytes(3 * 2**20)})
    assert cache_rows() == {"folder": str(tmp_path / "store"), "entries": "1, 3.0 of 1024 MiB"}
    monkeypatch.setenv("SESSILE_CACHE_SIZE", "much")
    assert cache_rows()["SESSILE_CACHE_SIZE"].startswith("SESSILE_CACHE_SIZE is 'much'; it is a number of bytes")


@pytest.mark.skipif(os.name != "posix", reason="modes are those of POSIX")
def test_a_store_that_is_not_safe_is_reported(monkeypatch, tmp_path):
    tmp_path.chmod(0o777)
    monkeypatch.setenv("SESSILE_CACHE_DIR", str(tmp_path))
    rows = cache_rows()
    assert "its group could write to it" in rows["trouble"]
    assert "entries" not in rows


def test_what_is_missing_is_named_with_a_remedy(monkeypatch):
    monkeypatch.setattr(cuda_parts, "_load_driver", lambda: None)
    monkeypatch.setattr(doctor, "version_of", lambda package: None if package == "numba" else "1.0")
    text = doctor.report()
    assert "  numba         missing: pip install numba" in text.splitlines()
    assert "  driver      missing: install NVIDIA's driver for this graphics card" in text.splitlines()
    assert "Not ready: install numba." in text


@pytest.mark.parametrize("version", [12040, 13000])
def test_the_drivers_version_is_read(version):
    class Driver:
        def cuDriverGetVersion(self, number):
            number._obj.value = version

        def cuDeviceGetCount(self, number):
            number._obj.value = 2

        def cuDeviceGetName(self, name, length, index):
            name.value = f"card {index}".encode()

    assert cuda_parts._driver_version(Driver()) == {12040: "for CUDA 12.4", 13000: "for CUDA 13.0"}[version]
    assert list(cuda_parts._device_names(Driver())) == ["card 0", "card 1"]


def test_it_runs_as_a_module_and_imports_nothing_heavy():
    program = (
        "import runpy, sys; runpy.run_module('sessile.doctor', run_name='__main__'); print('numba' in sys.modules)"
    )
    result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert result.stdout.startswith("sessile doctor\n\nVersions\n")
    assert result.stdout.endswith("\nFalse\n")
