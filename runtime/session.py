"""Sessions: `tf.Session` for programs, `tf.InteractiveSession` for shells and notebooks."""

from __future__ import annotations

import threading
import warnings
from contextlib import ExitStack
from typing import Any

from sessile.graph.graph import Graph, default_graph_stack
from sessile.graph.tensor import default_session_stack
from sessile.runtime.base_session import BaseSession


class Session(BaseSession):
    """Runs a graph, and keeps the values of its variables.

        with tf.Session() as sess:
            print(sess.run(y, feed_dict={x: 1.0}))

    As a context manager it makes itself and its graph the thread's defaults, and closes itself in the end. Sessions
    of one graph are independent of each other: each has its own values of variables. Threads may share a session.

    Args:
        target: the engine to connect to; only "" (this process) exists.
        graph: the graph to run; the thread's default graph where it is None.
        config: a `ConfigProto`; `docs/session-options.md` tells what its fields do.
    """

    def __init__(self, target: Any = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        self._entered: ExitStack | None = None

    def __enter__(self) -> Session:
        if self._entered is not None:
            raise RuntimeError(
                "Session context managers are not re-entrant. Use `Session.as_default()` if you want to enter a "
                "session multiple times."
            )
        self._entered = ExitStack()
        self._entered.enter_context(self.graph.as_default())
        self._entered.enter_context(self.as_default())
        return self

    def __exit__(self, *exception: Any) -> None:
        entered, self._entered = self._entered, None
        try:
            if entered is not None:
                entered.__exit__(*exception)
        finally:
            self.close()


class InteractiveSession(BaseSession):
    """A session that makes itself the thread's default at once, for shells and notebooks.

        sess = tf.InteractiveSession()
        print(y.eval({x: 1.0}))
        sess.close()

    If a graph is given, it becomes the default graph as well. Both last until the session is closed.

    Args:
        target: the engine to connect to; only "" (this process) exists.
        graph: the graph to run; the thread's default graph where it is None.
        config: a `ConfigProto`; `docs/session-options.md` tells what its fields do.
    """

    _count_lock = threading.Lock()
    _active_count = 0

    def __init__(self, target: Any = "", graph: Graph | None = None, config: Any = None) -> None:
        super().__init__(target, graph, config)
        with InteractiveSession._count_lock:
            if InteractiveSession._active_count > 0:
                warnings.warn(
                    "An interactive session is already active. Each holds the values of its variables: call "
                    "`InteractiveSession.close()` on those that are not needed any more.",
                    RuntimeWarning,
                    stacklevel=2,
                )
            InteractiveSession._active_count += 1
        self._explicit_graph = graph
        default_session_stack.stack.append(self)
        if graph is not None:
            default_graph_stack.stack.append(graph)

    def close(self) -> None:
        """Ends the session; it is the default no longer."""
        if self._closed:
            return
        super().close()
        with InteractiveSession._count_lock:
            InteractiveSession._active_count -= 1
        _leave(default_session_stack.stack, self)
        if self._explicit_graph is not None:
            _leave(default_graph_stack.stack, self._explicit_graph)


def _leave(stack: list[Any], item: Any) -> None:
    """Takes the innermost `item` out of a stack of defaults, wherever it is: blocks may close in another order."""
    for index in reversed(range(len(stack))):
        if stack[index] is item:
            del stack[index]
            return


def get_default_session() -> Any:
    """The thread's default session, or None."""
    return default_session_stack.get()
