"""From the start of a process to its first result: `python -m benchmarks.startup [case ...] [--peer NAME=PYTHON ...]`.

Each peer starts with nothing stored, and with what an earlier process has stored; sessile also from a bundle (of the
forward pass, where the case trains). The floors are processes that import what any of this needs. Rounds alternate
between all of these; the table shows medians, and in brackets how many times sessile's with a warm store.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks.cases import CASES

ROOT = Path(__file__).parent.parent
NAMES = ("three-scalars", "mlp-step", "convnet-step")
STORES = {
    "sessile": {"SESSILE_CACHE_DIR": "{}"},
    "jax": {
        "JAX_COMPILATION_CACHE_DIR": "{}",
        "JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0",
        "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1",
    },
    "pytensor": {"PYTENSOR_FLAGS": "base_compiledir={}"},
}
"""The environment variables that name a peer's store."""


@dataclass(frozen=True)
class Start:
    """One way to start: a row of the table.

    Attributes:
      title: what the row is called.
      python: the interpreter.
      command: what the worker is to do; "{case}" stands for the case, "{bundle}" for its bundle.
      store: whose store it uses, if any.
      warm: whether another process has filled that store.
      jit: the value of SESSILE_JIT.
    """

    title: str
    python: str
    command: tuple[str, ...]
    store: str = ""
    warm: bool = False
    jit: str = "auto"

    def seconds(self, case: str, folder: Path) -> float | None:
        """From here to the first result; None if the process fails. `folder` is where the stores of a case are."""
        bundle = folder / "bundle"
        command = [part.format(case=case, bundle=bundle) for part in self.command]
        with tempfile.TemporaryDirectory(dir=folder) as empty:
            where = folder / self.store if self.warm else empty
            stores = {name: value.format(where) for name, value in STORES.get(self.store, {}).items()}
            environment = {**os.environ, **stores, "SESSILE_JIT": self.jit, "PYTHONPATH": str(ROOT)}
            environment.pop("PYTHONDONTWRITEBYTECODE", None)
            arguments = [self.python, "-m", "benchmarks.startup_worker", *command]
            started = time.time()
            done = subprocess.run(arguments, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
        if done.returncode:
            print(f"{self.title}, {case}: {(done.stderr.strip().splitlines() or ['no output'])[-1]}", file=sys.stderr)
            return None
        return float(done.stdout.split()[-1]) - started


OWN = "sessile, warm store"


def starts(peers: dict[str, str]) -> list[Start]:
    """All rows, given the Pythons of the peers."""
    own, run = sys.executable, ("run", "sessile", "{case}")
    rows = [
        Start("import numpy", own, ("import", "numpy")),
        Start("import numpy and llvmlite", own, ("import", "numpy", "llvmlite.binding")),
        Start("sessile, from a bundle", own, ("load", "{case}", "{bundle}")),
        Start(OWN, own, run, "sessile", warm=True),
        Start("  compiling first", own, run, "sessile", warm=True, jit="always"),
        Start("sessile, empty store", own, run, "sessile"),
        Start("  compiling first", own, run, "sessile", jit="always"),
    ]
    for peer, python in peers.items():
        command = ("run", peer, "{case}")
        if peer in STORES:
            rows.append(Start(f"{peer}, warm store", python, command, peer, warm=True))
        rows.append(Start(f"{peer}, empty store" if peer in STORES else peer, python, command, peer))
    return rows


def prepare(rows: list[Start], case: str, folder: Path) -> list[Start]:
    """Fills stores, makes the bundle, warms bytecode caches; returns the rows that work."""
    own = sys.executable
    Start("sessile", own, ("run", "sessile", "{case}"), "sessile", warm=True, jit="always").seconds(case, folder)
    Start("bundle", own, ("compile", "{case}", "{bundle}"), "sessile", warm=True).seconds(case, folder)
    warm_first = sorted(rows, key=lambda row: not row.warm)
    works = {row: row.seconds(case, folder) is not None for row in warm_first if row.warm or not row.store}
    broken = {row.command for row, does in works.items() if not does}
    return [row for row in rows if row.command not in broken]


def measure(rows: list[Start], case: str, rounds: int) -> dict[Start, float]:
    """The median of each row in seconds."""
    with tempfile.TemporaryDirectory() as name:
        working = prepare(rows, case, Path(name))
        times: dict[Start, list[float]] = {row: [] for row in working}
        for _ in range(rounds):
            for row in working:
                seconds = row.seconds(case, Path(name))
                times[row] += [] if seconds is None else [seconds]
    return {row: statistics.median(found) for row, found in times.items() if found}


def table(rows: list[Start], medians: dict[str, dict[Start, float]]) -> str:
    """Seconds, one line for each row, one column for each case."""
    lines = [f"{'':<28}" + "".join(f"{case:>22}" for case in medians)]
    for row in rows:
        cells = []
        for found in medians.values():
            own = next((value for start, value in found.items() if start.title == OWN), None)
            value = found.get(row)
            cells.append(f"{value:7.3f} s ({value / own:6.2f}x)" if value and own else "-")
        lines.append(f"{row.title:<28}" + "".join(f"{cell:>22}" for cell in cells))
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.startup", description=__doc__)
    known = f"any of {', '.join(CASES)}; {', '.join(NAMES)} by default"
    parser.add_argument("cases", nargs="*", metavar="case", help=known)
    parser.add_argument("--peer", action="append", default=[], metavar="NAME=PYTHON", help="tensorflow, jax, pytensor")
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    rows = starts(dict(peer.split("=", 1) if "=" in peer else (peer, sys.executable) for peer in arguments.peer))
    print(table(rows, {case: measure(rows, case, arguments.rounds) for case in arguments.cases or NAMES}))


if __name__ == "__main__":
    main()
