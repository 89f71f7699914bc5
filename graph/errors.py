"""The exceptions of `tf.errors`, one class for each error code that running a graph can end with.

An error holds the operation that failed, if one is known, and shows where the user created it.
"""

import traceback
from typing import Any

from sessile.graph.public_names import add_public, public

OK = 0
CANCELLED = 1
UNKNOWN = 2
INVALID_ARGUMENT = 3
DEADLINE_EXCEEDED = 4
NOT_FOUND = 5
ALREADY_EXISTS = 6
PERMISSION_DENIED = 7
RESOURCE_EXHAUSTED = 8
FAILED_PRECONDITION = 9
ABORTED = 10
OUT_OF_RANGE = 11
UNIMPLEMENTED = 12
INTERNAL = 13
UNAVAILABLE = 14
DATA_LOSS = 15
UNAUTHENTICATED = 16


@public("errors.OpError", "OpError")
class OpError(Exception):
    """The base of all errors that running a graph can raise; catch it to catch any of them.

    Args:
        node_def: the `NodeDef` of the operation that failed, None if no operation is known.
        op: the `Operation` that failed, None if it is not known or the runtime added it by itself.
        message: what went wrong.
        error_code: the code of the error, such as `INVALID_ARGUMENT`.

    Fails:
        x = tf.placeholder(tf.float32, [])
        tf.Session().run(x)

    Repair: feed the placeholder, or catch the error and report it.
        try:
            tf.Session().run(x, {x: 1.0})
        except tf.OpError as error:
            print(error.op.name, error.message)
    """

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int) -> None:
        super().__init__(message)
        self._node_def = node_def
        self._op = op
        self._message = message
        self._error_code = error_code
        self._text: str | None = None

    @property
    def message(self) -> str:
        """What went wrong, without the place where the operation was created."""
        return self._message

    @property
    def op(self) -> Any:
        """The `Operation` that failed, None if it is not known (and after pickling: see `node_def`)."""
        return self._op

    @property
    def node_def(self) -> Any:
        """The `NodeDef` of the operation that failed, None if it is not known."""
        if self._node_def is None and self._op is not None:
            self._node_def = getattr(self._op, "node_def", None)  # made when asked for: most errors are only read
        return self._node_def

    @property
    def error_code(self) -> int:
        """The code of the error, such as `INVALID_ARGUMENT`."""
        return self._error_code

    def __str__(self) -> str:
        if self._text is not None:
            return self._text
        frames = getattr(self._op, "traceback", None)
        if not frames:
            return self._message
        created = "".join(traceback.format_list(frames))
        return f"{self._message}\n\nOriginal stack trace for {self._op.name!r}:\n{created}"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self._message!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        # A graph cannot travel to another process: the text is rendered here, and `op` stays behind.
        return _restore, (type(self), self.node_def, self._message, self._error_code, str(self))


def _restore(cls: type[OpError], node_def: Any, message: str, error_code: int, text: str) -> OpError:
    error = cls.__new__(cls)
    OpError.__init__(error, node_def, None, message, error_code)
    error._text = text
    return error


@public("errors.CancelledError")
class CancelledError(OpError):
    """An operation was cancelled while it waited or ran, by closing its session or its queue.

    Fails: a `dequeue` waits in one thread while another closes the session.
        sess.run(queue.dequeue())
        sess.close()

    Repair: end the threads that use a session before closing it.
        coordinator.request_stop()
        coordinator.join(threads)
        sess.close()
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, CANCELLED)


@public("errors.UnknownError")
class UnknownError(OpError):
    """Something failed that tells no more about its cause, such as an exception inside a `tf.py_func`.

    Fails:
        sess.run(tf.py_func(lambda x: x.undefined, [1.0], tf.float32))

    Repair: make the Python function work when called on plain arrays.
        sess.run(tf.py_func(lambda x: x + x, [1.0], tf.float32))
    """

    def __init__(self, node_def: Any, op: Any, message: str, error_code: int = UNKNOWN) -> None:
        super().__init__(node_def, op, message, error_code)


@public("errors.InvalidArgumentError")
class InvalidArgumentError(OpError):
    """An operation received a value or a shape that it cannot work with.

    Fails:
        x = tf.placeholder(tf.float32)
        y = tf.reshape(x, [2, 3])
        sess.run(y, {x: [1.0, 2.0]})

    Repair: feed as many values as the new shape holds.
        sess.run(y, {x: [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]})
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, INVALID_ARGUMENT)


@public("errors.DeadlineExceededError")
class DeadlineExceededError(OpError):
    """The time that a run was given ended before the run did.

    Fails: the queue is empty and nothing fills it.
        sess.run(queue.dequeue(), options=tf.RunOptions(timeout_in_ms=100))

    Repair: start what fills the queue before reading from it, or give more time.
        tf.train.start_queue_runners(sess)
        sess.run(queue.dequeue(), options=tf.RunOptions(timeout_in_ms=10_000))
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, DEADLINE_EXCEEDED)


@public("errors.NotFoundError")
class NotFoundError(OpError):
    """A file, directory, or a name in a checkpoint that an operation needs does not exist.

    Fails:
        tf.train.Saver().restore(sess, "model-of-another-program.ckpt")

    Repair: restore what was saved, under the names it was saved with.
        tf.train.Saver().restore(sess, tf.train.latest_checkpoint(directory))
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, NOT_FOUND)


@public("errors.AlreadyExistsError")
class AlreadyExistsError(OpError):
    """What an operation was to create is there already.

    Fails:
        tf.gfile.Copy("a.txt", "b.txt")
        tf.gfile.Copy("a.txt", "b.txt")

    Repair: say that the old one may be replaced.
        tf.gfile.Copy("a.txt", "b.txt", overwrite=True)
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, ALREADY_EXISTS)


@public("errors.PermissionDeniedError")
class PermissionDeniedError(OpError):
    """The user who runs the program may not read or write a file that an operation uses.

    Fails:
        sess.run(tf.write_file("/etc/result", "42"))

    Repair: write where the user may write.
        sess.run(tf.write_file("result", "42"))
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, PERMISSION_DENIED)


@public("errors.UnauthenticatedError")
class UnauthenticatedError(OpError):
    """A request came without valid credentials; nothing in this library raises it by itself.

    Fails: a remote service that a `tf.py_func` asks refuses the request.
        sess.run(rows_of_private_table)

    Repair: sign in before running the operation.
        client.login()
        sess.run(rows_of_private_table)
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, UNAUTHENTICATED)


@public("errors.ResourceExhaustedError")
class ResourceExhaustedError(OpError):
    """Memory or disk space ran out.

    Fails: a matrix of all pairs does not fit into memory.
        sess.run(tf.matmul(x, x, transpose_b=True), {x: np.zeros([1_000_000, 64])})

    Repair: work on parts of the rows.
        sess.run(tf.matmul(part, x, transpose_b=True), {part: rows[:1000], x: rows})
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, RESOURCE_EXHAUSTED)


@public("errors.FailedPreconditionError")
class FailedPreconditionError(OpError):
    """The session is not in the state that an operation needs; mostly, a variable has no value yet.

    Fails:
        v = tf.Variable(42)
        sess.run(v)

    Repair: run the initializer first.
        sess.run(tf.global_variables_initializer())
        sess.run(v)
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, FAILED_PRECONDITION)


@public("errors.AbortedError")
class AbortedError(OpError):
    """An operation was given up because of another one that ran at the same time.

    Fails:
        sess.run(queue.close())
        sess.run(queue.enqueue(1.0))

    Repair: close a queue after its last element.
        sess.run(queue.enqueue(1.0))
        sess.run(queue.close())
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, ABORTED)


@public("errors.OutOfRangeError")
class OutOfRangeError(OpError):
    """An operation read past the end of its input: a closed and empty queue, a file, an iterator.

    Fails:
        element = tf.data.Dataset.range(2).make_one_shot_iterator().get_next()
        while True:
            sess.run(element)

    Repair: take the error as the end of the input.
        try:
            while True:
                sess.run(element)
        except tf.errors.OutOfRangeError:
            pass
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, OUT_OF_RANGE)


@public("errors.UnimplementedError")
class UnimplementedError(OpError):
    """What was asked for is valid, but this library does not do it (yet); the message names it.

    Fails: pooling over the batch.
        sess.run(tf.nn.max_pool(images, [2, 1, 1, 1], [1, 1, 1, 1], "VALID"))

    Repair: say the same with other operations.
        sess.run(tf.maximum(images[:-1], images[1:]))
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, UNIMPLEMENTED)


@public("errors.InternalError")
class InternalError(OpError):
    """Something that must always hold does not: a fault of this library, please report it.

    Fails:
        sess.run(fetch)

    Repair: none; the message tells where the dump of the program is, attach it to the report.
        print(error)
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, INTERNAL)


@public("errors.UnavailableError")
class UnavailableError(OpError):
    """A device or a remote server cannot be reached now; trying again later may help.

    Fails: the worker has not started yet.
        tf.Session("grpc://localhost:2222").run(step)

    Repair: start the worker, then connect.
        server = tf.train.Server(cluster, job_name="worker", task_index=0)
        tf.Session(server.target).run(step)
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, UNAVAILABLE)


@public("errors.DataLossError")
class DataLossError(OpError):
    """A file is damaged or cut off: its checksum is wrong or it ends too early.

    Fails: the copy of the checkpoint was interrupted.
        tf.train.Saver().restore(sess, "half-a-copy.ckpt")

    Repair: copy the file again, or restore an older one.
        tf.train.Saver().restore(sess, "complete-copy.ckpt")
    """

    def __init__(self, node_def: Any, op: Any, message: str) -> None:
        super().__init__(node_def, op, message, DATA_LOSS)


_CODE_OF_CLASS: dict[type[OpError], int] = {
    CancelledError: CANCELLED,
    UnknownError: UNKNOWN,
    InvalidArgumentError: INVALID_ARGUMENT,
    DeadlineExceededError: DEADLINE_EXCEEDED,
    NotFoundError: NOT_FOUND,
    AlreadyExistsError: ALREADY_EXISTS,
    PermissionDeniedError: PERMISSION_DENIED,
    ResourceExhaustedError: RESOURCE_EXHAUSTED,
    FailedPreconditionError: FAILED_PRECONDITION,
    AbortedError: ABORTED,
    OutOfRangeError: OUT_OF_RANGE,
    UnimplementedError: UNIMPLEMENTED,
    InternalError: INTERNAL,
    UnavailableError: UNAVAILABLE,
    DataLossError: DATA_LOSS,
    UnauthenticatedError: UNAUTHENTICATED,
}
_CLASS_OF_CODE: dict[int, Any] = {code: cls for cls, code in _CODE_OF_CLASS.items()}


@public("errors.exception_type_from_error_code")
def exception_type_from_error_code(error_code: int) -> Any:
    """Returns the class of the errors with this code; it is called with (node_def, op, message).

    Raises:
        KeyError: there is no such code.
    """
    return _CLASS_OF_CODE[error_code]


@public("errors.error_code_from_exception_type")
def error_code_from_exception_type(cls: type[OpError]) -> int | None:
    """Returns the code of the errors of this class, `UNKNOWN` if the class has none of its own."""
    return _CODE_OF_CLASS.get(cls, UNKNOWN)


for _name, _code in list(globals().items()):
    if isinstance(_code, int) and _name.isupper():
        add_public(f"errors.{_name}", _code)
