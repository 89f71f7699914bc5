"""What sessions say of mistakes: each file in `messages/` is a small program, and the whole message that it ends with.

`pytest --update-golden` rewrites the messages; the reader of the difference judges them.
"""

import linecache
import re
from pathlib import Path

import numpy as np
import pytest

import sessile as tf

CASES = sorted((Path(__file__).parent / "messages").glob("*.txt"))
DIVIDER = re.compile(r"^--- (.*)\n", re.MULTILINE)


def outcome(program: str, name: str) -> tuple[str, str]:
    """The class and the text of the error that a program ends with, without the frames of the test."""
    filename = f"{name}.py"
    linecache.cache[filename] = (len(program), None, program.splitlines(keepends=True), filename)
    names = {"tf": tf, "np": np, "__name__": "__main__"}
    tf.reset_default_graph()
    with pytest.raises(Exception) as raised:
        exec(compile(program, filename, "exec"), names)
    message = re.sub(r"<Graph 0x[0-9a-f]+", "<Graph 0x0", str(raised.value))
    message = re.sub(rf'  File "(?!{filename}").*\n(?:    .*\n)?', "", message)
    return raised.type.__name__, message.rstrip("\n") + "\n"


@pytest.mark.parametrize("path", CASES, ids=lambda path: path.stem)
def test_message(path, update_golden):
    program, expected_class, expected_message = DIVIDER.split(path.read_text(encoding="utf-8"))
    found_class, message = outcome(program, path.stem)
    if update_golden:
        path.write_text(f"{program}--- {found_class}\n{message}", encoding="utf-8")
    else:
        assert (found_class, message) == (expected_class, expected_message)
