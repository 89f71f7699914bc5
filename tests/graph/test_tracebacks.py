"""Operations know the user's lines that made them, and nothing of the library's own."""

import linecache
import sys
import traceback

import sessile as tf

PROGRAM = """def build_model():
    x = tf.placeholder(tf.float32, [None, 3], name="x")
    return tf.reduce_mean(x * 2.0, name="mean")

mean = build_model()
variable = tf.Variable([1.0], name="v")
step = tf.train.AdamOptimizer().minimize(tf.reduce_sum(variable))
"""


def built():
    """The graph of the program, as a file of a user would build it."""
    linecache.cache["model.py"] = (len(PROGRAM), None, PROGRAM.splitlines(keepends=True), "model.py")
    with tf.Graph().as_default() as graph:
        exec(compile(PROGRAM, "model.py", "exec"), {"tf": tf, "__name__": "model"})
    return graph


def test_a_traceback_is_a_list_of_tuples_from_the_outermost_to_the_line_that_made_the_operation():
    lines = built().get_operation_by_name("mean").traceback
    assert isinstance(lines, list) and all(isinstance(line, tuple) and len(line) == 4 for line in lines)
    assert lines[-2] == ("model.py", 5, "<module>", "mean = build_model()")
    assert lines[-1] == ("model.py", 3, "build_model", 'return tf.reduce_mean(x * 2.0, name="mean")')
    assert traceback.format_list(lines)[-1].startswith('  File "model.py", line 3, in build_model\n    return')


def test_every_operation_ends_at_a_line_of_the_user_whoever_called_whom_in_between():
    last = {op.name: op.traceback[-1] for op in built().get_operations()}
    assert {line.filename for line in last.values()} == {"model.py"}
    assert last["mul/y"].lineno == 3 and last["v/read"].lineno == 6
    assert {line.lineno for name, line in last.items() if name.startswith(("gradients/", "Adam", "v/Adam"))} == {7}


def test_no_line_of_the_library_is_in_a_traceback():
    files = {line.filename for op in built().get_operations() for line in op.traceback}
    library = {module.__file__ for name, module in sys.modules.items() if name.split(".")[0] == "sessile"}
    assert len(library) > 50 and not files & library


def test_an_imported_operation_ends_at_the_call_that_imported_it():
    message = built().as_graph_def()
    with tf.Graph().as_default():
        (mean,) = tf.import_graph_def(message, return_elements=["mean"])
    assert mean.traceback[-1].line == '(mean,) = tf.import_graph_def(message, return_elements=["mean"])'


def test_a_graph_knows_where_it_was_made():
    assert tf.Graph().created_at.startswith("test_tracebacks.py:")
