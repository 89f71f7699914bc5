"""The error classes: what they hold, how they print, and that they travel between processes."""

import pickle
import traceback
from types import SimpleNamespace

import pytest

from sessile.graph import errors

CLASSES = [errors.exception_type_from_error_code(code) for code in range(1, 17)]


def failing_operation():
    frame = traceback.FrameSummary("model.py", 13, "build_model", line="logits = tf.matmul(x, w)")
    return SimpleNamespace(name="dense/logits", traceback=[frame])


@pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)
def test_each_class_has_its_code(cls):
    error = cls(None, None, "no")
    assert isinstance(error, errors.OpError)
    assert errors.exception_type_from_error_code(error.error_code) is cls
    assert errors.error_code_from_exception_type(cls) == error.error_code
    assert (error.message, error.op, error.node_def, str(error)) == ("no", None, None, "no")
    assert repr(error) == f"{cls.__name__}('no')"


@pytest.mark.parametrize("cls", [*CLASSES, errors.OpError], ids=lambda cls: cls.__name__)
def test_each_docstring_shows_a_failure_and_its_repair(cls):
    summary = cls.__doc__.splitlines()[0]
    assert summary.endswith(".")
    assert cls.__doc__.index("Fails:") < cls.__doc__.index("Repair:")


def test_text_shows_where_the_operation_was_created():
    error = errors.InvalidArgumentError(None, failing_operation(), "sizes differ")
    assert error.message == "sizes differ"
    assert str(error) == (
        "sizes differ\n\nOriginal stack trace for 'dense/logits':\n"
        '  File "model.py", line 13, in build_model\n    logits = tf.matmul(x, w)\n'
    )


def test_pickling_keeps_the_text_and_leaves_the_operation_behind():
    error = errors.UnknownError(None, failing_operation(), "lost", 99)
    copy = pickle.loads(pickle.dumps(error))
    assert type(copy) is errors.UnknownError
    assert (copy.message, copy.error_code, copy.op) == ("lost", 99, None)
    assert str(copy) == str(error)


def test_codes_without_a_class():
    with pytest.raises(KeyError):
        errors.exception_type_from_error_code(99)
    assert errors.error_code_from_exception_type(ValueError) == errors.UNKNOWN
