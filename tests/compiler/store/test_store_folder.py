"""The folder of the store is the user's own, or nothing is stored, with one warning that says how to mend it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
import sys
import traceback
import warnings
from collections.abc import Callable
from pathlib import Path

import pytest

from sessile.compiler.store import store_folder
from sessile.compiler.store.disk_store import DEFAULT_LIMIT
from sessile.compiler.store.store_folder import cache_folder, disk_store, inspect_folder, parse_size

posix = pytest.mark.skipif(os.name != "posix", reason="modes and users are those of POSIX")
NOBODY = 65534


@pytest.fixture(autouse=True)
def forgotten(monkeypatch) -> None:
    """No folder has been looked at yet."""
    monkeypatch.setattr(store_folder, "_states", {})
    monkeypatch.delenv("SESSILE_CACHE_SIZE", raising=False)


def use(monkeypatch, folder: Path) -> None:
    monkeypatch.setenv("SESSILE_CACHE_DIR", str(folder))


def test_the_folder_is_made_for_the_user_alone(tmp_path, monkeypatch) -> None:
    use(monkeypatch, tmp_path / "a" / "store")
    store = disk_store()
    assert store is not None
    assert (store.folder, store.limit, store.writable) == (tmp_path / "a" / "store", DEFAULT_LIMIT, True)
    assert (store.folder / "CACHEDIR.TAG").read_bytes().startswith(b"Signature: 8a477f597d28d172789f06886806bc55")
    assert disk_store() is store
    if os.name == "posix":
        assert stat.S_IMODE(store.folder.stat().st_mode) == 0o700


def test_the_empty_string_switches_it_off(monkeypatch) -> None:
    monkeypatch.setenv("SESSILE_CACHE_DIR", "")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert disk_store() is None
    assert cache_folder() is None


def test_without_a_setting_it_is_the_platforms_folder(monkeypatch, tmp_path) -> None:
    monkeypatch.delenv("SESSILE_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    folder = cache_folder()
    assert folder is not None
    assert "sessile" in folder.parts
    if sys.platform == "linux":
        assert folder == tmp_path / "sessile"


def test_a_tilde_and_relative_paths_are_resolved(monkeypatch, tmp_path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SESSILE_CACHE_DIR", "~/kernels")
    assert cache_folder() == Path("~/kernels").expanduser()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("SESSILE_CACHE_DIR", "kernels")
    assert cache_folder() == tmp_path / "kernels"


def refused(folder: Path, monkeypatch) -> str:
    """The only warning about a folder that is not used."""
    use(monkeypatch, folder)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert disk_store() is None
        assert disk_store() is None
    assert len(caught) == 1
    return str(caught[0].message)


@posix
@pytest.mark.parametrize(("mode", "who"), [(0o777, "its group"), (0o770, "its group"), (0o702, "everyone")])
def test_a_folder_that_others_can_write_is_refused(tmp_path, monkeypatch, mode, who) -> None:
    folder = tmp_path / "shared"
    folder.mkdir()
    folder.chmod(mode)
    message = refused(folder, monkeypatch)
    assert message == (
        f"sessile stores no kernels in {folder}: {who} could write to it. Make it yours alone (chmod 700 {folder})"
    )
    assert os.listdir(folder) == []


@posix
def test_a_folder_that_others_can_read_is_used(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "open"
    folder.mkdir(0o755)
    use(monkeypatch, folder)
    assert disk_store() is not None


@pytest.mark.skipif(not hasattr(os, "getuid") or os.getuid() != 0, reason="only root can give folders away")
def test_a_folder_of_another_user_is_refused(tmp_path, monkeypatch) -> None:
    folder = tmp_path / "other"
    folder.mkdir(0o700)
    os.chown(folder, NOBODY, NOBODY)
    message = refused(folder, monkeypatch)
    assert f"its owner (user {NOBODY}) could write to it" in message
    assert "Set SESSILE_CACHE_DIR to a folder of your own" in message


def test_a_folder_that_cannot_be_made_is_not_used(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    message = refused(tmp_path / "file" / "store", monkeypatch)
    assert re.search(r"it cannot be made \(.+\)\. Set SESSILE_CACHE_DIR to a folder of your own", message)


def test_a_file_is_not_a_folder(tmp_path, monkeypatch) -> None:
    (tmp_path / "file").touch()
    assert "it is not a folder" in refused(tmp_path / "file", monkeypatch)


def as_another_user(action: Callable[[], None]) -> None:
    """Runs in a child that is not root, since root may write everywhere."""
    pid = os.fork()
    if pid == 0:
        try:
            if os.getuid() == 0:
                os.setgroups([])
                os.setgid(NOBODY)
                os.setuid(NOBODY)
            action()
            os._exit(0)
        except BaseException:
            traceback.print_exc()
        os._exit(1)
    assert os.waitpid(pid, 0)[1] == 0


@posix
def test_a_folder_that_is_read_only_is_read_with_one_warning(monkeypatch) -> None:
    with private_folder() as folder:
        store = inspect_folder(folder).store
        assert store is not None
        store.write("kernel", {"kernel": "a"}, {}, {"object": b"code"})
        folder.chmod(0o555)
        for path in folder.rglob("*"):
            path.chmod(0o555 if path.is_dir() else 0o444)

        def read() -> None:
            use(monkeypatch, folder)
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                reader = disk_store()
                assert reader is not None
                entry = reader.read("kernel", {"kernel": "a"})
                reader.write("kernel", {"kernel": "b"}, {}, {})
            assert entry is not None
            assert bytes(entry.sections["object"]) == b"code"
            assert len(caught) == 1
            assert "only reads from its store" in str(caught[0].message)

        as_another_user(read)


class private_folder:
    """A folder below one that every user can look into, unlike pytest's."""

    def __enter__(self) -> Path:
        import tempfile

        self._outer = tempfile.TemporaryDirectory()
        os.chmod(self._outer.name, 0o755)
        folder = Path(self._outer.name) / "store"
        folder.mkdir(0o755)
        return folder

    def __exit__(self, *error: object) -> None:
        for path in (Path(self._outer.name), *Path(self._outer.name).rglob("*")):
            path.chmod(0o755)
        self._outer.cleanup()


@posix
def test_without_a_home_a_session_runs_all_the_same(tmp_path) -> None:
    (tmp_path / "home").touch()
    program = (
        "import sessile as tf, numpy as np\n"
        "x = tf.placeholder(tf.float32, [2])\n"
        "print(tf.Session().run(tf.exp(x) + x, {x: [0.0, 1.0]}).tolist()[0])\n"
    )
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("SESSILE_", "XDG_"))}
    environment |= {"HOME": str(tmp_path / "home"), "SESSILE_JIT": "always"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, timeout=60)
    assert done.stdout == "1.0\n", done.stderr
    assert done.stderr.count("sessile stores no kernels in") == 1


@pytest.mark.parametrize(
    ("text", "size"),
    [("0", 0), ("12", 12), ("12B", 12), ("500M", 500 * 2**20), ("2G", 2**31), ("1.5 GiB", 3 * 2**29), ("7kb", 7168)],
)
def test_sizes_are_read(text, size, tmp_path, monkeypatch) -> None:
    assert parse_size(text, "it") == size
    use(monkeypatch, tmp_path)
    monkeypatch.setenv("SESSILE_CACHE_SIZE", text)
    store = disk_store()
    assert store is not None
    assert store.limit == size


@pytest.mark.parametrize("text", ["much", "-5M", "5 M 3", "1e9", "G", "M5", "1.2.3", "٣.M"])
def test_what_is_no_size_is_an_error(text, tmp_path, monkeypatch) -> None:
    use(monkeypatch, tmp_path)
    monkeypatch.setenv("SESSILE_CACHE_SIZE", text)
    with pytest.raises(ValueError, match=r"SESSILE_CACHE_SIZE is .* it is a number of bytes, such as 500M or 2G"):
        disk_store()
