"""The report on the installation."""

import subprocess
import sys

import pytest

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
