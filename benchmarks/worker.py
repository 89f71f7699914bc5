"""Measures one peer on some cases, in the peer's own Python, and prints the times as JSON: what the runner starts."""

from __future__ import annotations

import importlib
import json
import sys

from benchmarks.cases import CASES
from benchmarks.measure import seconds_per_call


def main() -> None:
    peer, *names = sys.argv[1:]
    module = importlib.import_module(f"benchmarks.peers.{peer}_peer")
    calls = ((name, module.prepare(CASES[name])) for name in names)
    times = {name: seconds_per_call(call) for name, call in calls if call}
    if peer == "numpy":
        floors = (CASES[name] for name in names if CASES[name].floor)
        times |= {f"{case.name} floor": seconds_per_call(module.copy_floor(case)) for case in floors}
    print(json.dumps(times))


if __name__ == "__main__":
    main()
