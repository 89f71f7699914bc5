"""Runs the benchmarks: `python -m benchmarks [case ...] [--peer NAME=PYTHON ...] [--rounds N] [--threads N]`.

Each peer runs in a process and, if given, a Python of its own; rounds alternate between the peers, so that a slow
minute of the machine meets all of them. The table shows medians, and in brackets how many times sessile's.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
from pathlib import Path

from benchmarks.cases import CASES

ROOT = Path(__file__).parent.parent
Times = dict[str, list[float]]


def measure(peer: str, python: str, names: list[str], threads: int) -> Times:
    """The times of one peer in one round; empty when the peer is not installed."""
    limits = dict.fromkeys(
        ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMBA_NUM_THREADS", "MKL_NUM_THREADS"), str(threads)
    )
    environment = {**os.environ, **limits, "SESSILE_THREADS": str(threads), "PYTHONPATH": str(ROOT)}
    command = [python, "-m", "benchmarks.worker", peer, *names]
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, env=environment, check=False)
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no output"])[-1]
        print(f"{peer}: left out ({reason})", file=sys.stderr)
        return {}
    return json.loads(done.stdout.strip().splitlines()[-1])


def table(results: dict[str, Times], names: list[str]) -> str:
    """Medians in microseconds, one row for each case, one column for each peer."""
    peers = list(results)
    lines = [f"{'':<22}" + "".join(f"{peer:>22}" for peer in peers)]
    for name in names:
        medians = {peer: statistics.median(times[name]) for peer, times in results.items() if name in times}
        own = medians.get("sessile")
        cells = []
        for peer in peers:
            value = medians.get(peer)
            ratio = f" ({value / own:5.2f}x)" if value and own else ""
            cells.append(f"{f'{1e6 * value:,.1f} µs{ratio}' if value else '-':>22}")
        lines.append(f"{name:<22}" + "".join(cells))
        floor = results.get("numpy", {}).get(f"{name} floor")
        if floor and own:
            median = statistics.median(floor)
            lines.append(f"{'  plain copy':<22}{f'{1e6 * median:,.1f} µs ({own / median:.2f}x of it)':>44}")
    return "\n".join(lines)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("cases", nargs="*", metavar="case", help=f"any of {', '.join(CASES)}; all by default")
    parser.add_argument(
        "--peer", action="append", default=[], metavar="NAME=PYTHON", help="a peer, and the Python it is installed in"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=1)
    arguments = parser.parse_args()
    names = arguments.cases or list(CASES)
    pythons = {"sessile": sys.executable, "numpy": sys.executable}
    pythons |= dict(peer.split("=", 1) if "=" in peer else (peer, sys.executable) for peer in arguments.peer)
    results: dict[str, Times] = {peer: {} for peer in pythons}
    for _ in range(arguments.rounds):
        for peer, python in pythons.items():
            for name, times in measure(peer, python, names, arguments.threads).items():
                results[peer].setdefault(name, []).extend(times)
    print(table({peer: times for peer, times in results.items() if times}, names))


if __name__ == "__main__":
    main()
