"""Records what TensorFlow 1.15 makes of programs: `python record_programs.py [family ...]`.

Runs with TensorFlow 1.15 (Python 3.7); see `support/recorded_programs.py`.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

import tensorflow as tf

sys.path.insert(0, str(Path(__file__).parents[1]))
from support.recorded_programs import DATA, FOLDER, Family


def main() -> None:
    names = sys.argv[1:] or sorted(path.stem[len("programs_") :] for path in FOLDER.glob("programs_*.py"))
    DATA.mkdir(exist_ok=True)
    for name in names:
        family = Family(name)
        recorded = {program: family.run(program, tf) for program in family.programs}
        rows = (f"{json.dumps(program)}: {json.dumps(recorded[program])}" for program in sorted(recorded))
        family.recording.write_text("{\n" + ",\n".join(rows) + "\n}\n", encoding="utf-8")
        print(name, len(recorded))


if __name__ == "__main__":
    main()
