"""Finds what CUDA kernels need on this machine: the driver, its devices, the toolkit's files, the Python package."""

from __future__ import annotations

import ctypes
import importlib.metadata
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

_DRIVER_LIBRARIES = {"linux": "libcuda.so.1", "win32": "nvcuda.dll"}
_NAME_LENGTH = 256


@dataclass(frozen=True)
class CudaPart:
    """One part: what was found of it (None for nothing), and how to get it where it is missing."""

    name: str
    found: str | None
    remedy: str


def cuda_parts() -> list[CudaPart]:
    """All parts, each with what was found."""
    driver = _load_driver()
    wheels = 'pip install "numba-cuda[cu12]", or install the CUDA toolkit and set CUDA_HOME'
    return [
        CudaPart("driver", _driver_version(driver), "install NVIDIA's driver for this graphics card"),
        CudaPart("devices", ", ".join(_device_names(driver)) or None, "CUDA needs a graphics card of NVIDIA"),
        CudaPart("numba-cuda", version_of("numba-cuda"), 'pip install "sessile[cuda]"'),
        CudaPart("libnvvm", _toolkit_file("libnvvm.so*", "nvvm*.dll"), wheels),
        CudaPart("libdevice", _toolkit_file("libdevice*.bc"), wheels),
    ]


def version_of(package: str) -> str | None:
    """The version of an installed package, or None; does not import it."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None


def _load_driver() -> ctypes.CDLL | None:
    name = _DRIVER_LIBRARIES.get(sys.platform)
    if name is None:
        return None
    try:
        driver = ctypes.CDLL(name)
    except OSError:
        return None
    return driver if driver.cuInit(0) == 0 else None


def _driver_version(driver: ctypes.CDLL | None) -> str | None:
    if driver is None:
        return None
    version = ctypes.c_int()
    driver.cuDriverGetVersion(ctypes.byref(version))
    return f"for CUDA {version.value // 1000}.{version.value % 1000 // 10}"


def _device_names(driver: ctypes.CDLL | None) -> Iterator[str]:
    if driver is None:
        return
    count = ctypes.c_int()
    driver.cuDeviceGetCount(ctypes.byref(count))
    for index in range(count.value):
        name = ctypes.create_string_buffer(_NAME_LENGTH)
        driver.cuDeviceGetName(name, _NAME_LENGTH, index)
        yield name.value.decode(errors="replace")


def _toolkit_file(*patterns: str) -> str | None:
    """The first file of the toolkit that fits: of the toolkit itself, or of NVIDIA's Python packages."""
    for folder in _toolkit_folders():
        for pattern in patterns:
            for path in sorted(folder.glob(f"**/{pattern}")):
                return str(path)
    return None


def _toolkit_folders() -> Iterator[Path]:
    homes = [os.environ.get("CUDA_HOME"), os.environ.get("CUDA_PATH"), "/usr/local/cuda"]
    yield from (Path(home, "nvvm") for home in homes if home)
    yield from (Path(folder, "nvidia") for folder in sys.path if folder.endswith("site-packages"))
