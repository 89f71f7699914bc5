"""What all sessions share: running parts of a graph, with values of variables of their own.

`BaseSession.run` finds the plan of a call by the call's shape and runs it; only a call of a new shape is worked out:
the structure of what is fetched, the tensors that are fed, where operations run. Plans outlive changes of the graph.
"""

from __future__ import annotations

import time
import weakref
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import Any

from sessile.graph.compat import as_bytes, as_text
from sessile.graph.errors import CancelledError, NotFoundError, UnimplementedError
from sessile.graph.graph import Graph, get_default_graph
from sessile.graph.operation import Operation
from sessile.graph.tensor import default_session_stack
from sessile.runtime.devices import DeviceAttributes, Placement
from sessile.runtime.executor import Executor
from sessile.runtime.feeds import feed_keys, resolve_feeds
from sessile.runtime.fetches import resolve_fetches
from sessile.runtime.graph_growth import GraphGrowth
from sessile.runtime.log_setup import active_logger
from sessile.runtime.partial_run import PartialRuns
from sessile.runtime.planner import Planner
from sessile.runtime.run_options import fill_metadata, monitor_for
from sessile.runtime.run_plan import RunPlan, call_key, is_plain_key
from sessile.runtime.session_options import options_from
from sessile.runtime.tensor_handle import TensorHandle, TensorStore, handle_text, with_kept_values
from sessile.runtime.variable_store import VariableStore

_OPEN: weakref.WeakSet[BaseSession] = weakref.WeakSet()


class BaseSession:
    """A session: it runs parts of one graph and keeps the values of variables in between.

    Args:
        target: the engine to connect to; only "" (this process) exists.
        graph: the graph to run; the thread's default graph where it is None.
        config: a `ConfigProto`; `docs/session-options.md` tells what its fields do.

    Raises TypeError for arguments of other types, NotFoundError or UnimplementedError for another target.
    """

    _closed = True  # until __init__ is done

    def __init__(self, target: Any = "", graph: Graph | None = None, config: Any = None) -> None:
        if graph is not None and not isinstance(graph, Graph):
            raise TypeError(f"graph must be a tf.Graph, but got {type(graph)}")
        self._target = _checked_target(target)
        self._graph = get_default_graph() if graph is None else graph
        self._operations = self._graph._operations
        self.options = options_from(config)
        self._variables = VariableStore()
        self._executor = Executor(self._graph, self._variables, self.options.execution())
        self._placement = Placement(self.options)
        self._planner = Planner(self._graph, self._executor, self._placement)
        self._partial_runs = PartialRuns(self._graph, self._executor, self._planner)
        self._kept = TensorStore()
        self._growth = GraphGrowth(self._graph)
        self._plans: dict[Any, RunPlan] = {}
        self._logger = active_logger("run")
        # Plans that run without further ado; none where each run has a time-out or is logged.
        is_plain = self.options.timeout is None and self._logger is None
        self._quick_plans = self._plans if is_plain else {}
        self._was_reset = False
        self._closed = False
        _OPEN.add(self)

    # --- what it is

    @property
    def graph(self) -> Graph:
        """The graph that this session runs."""
        return self._graph

    @property
    def graph_def(self) -> Any:
        """The graph as a `GraphDef` message."""
        return self._graph.as_graph_def(add_shapes=self.options.infer_shapes)

    @property
    def sess_str(self) -> bytes:
        """The target."""
        return as_bytes(self._target)

    def list_devices(self) -> list[DeviceAttributes]:
        """The devices that operations can run on: name, type, memory limit in bytes, incarnation."""
        return list(self._placement.devices)

    def as_default(self) -> AbstractContextManager[Any]:
        """Makes this the thread's default session until the block is left; does not close it."""
        return default_session_stack.entered(self)

    # --- running

    def run(self, fetches: Any, feed_dict: Any = None, options: Any = None, run_metadata: Any = None) -> Any:
        """Runs the part of the graph that `fetches` need, once.

        Args:
            fetches: an operation, a tensor, a sparse tensor, a variable, a name of one, or lists, tuples, dicts,
                namedtuples of them, nested at will.
            feed_dict: a dict from tensors (any that may be fed, and their names) to values that take their place:
                Python scalars, strings, lists, arrays, or handles. They are converted to the tensor's type.
            options: a `RunOptions` message: a time-out, what to trace.
            run_metadata: a `RunMetadata` message to put traces into.

        Returns the values in the structure of `fetches`: None for an operation, a NumPy scalar (bytes for a string)
        or an array for a tensor, a `SparseTensorValue` for a sparse tensor.

        Raises RuntimeError when the session is closed or the graph is empty, TypeError and ValueError for `fetches` and
        `feed_dict` that are none of these, and what `tf.errors` holds when an operation fails.
        """
        if options is None and run_metadata is None:
            kind = type(fetches)
            try:
                if kind is list or kind is tuple:
                    plan = self._quick_plans[(kind, len(fetches), *fetches, *(feed_dict or ()))]
                elif kind is dict:
                    plan = self._quick_plans[(kind, len(fetches), *fetches, *fetches.values(), *(feed_dict or ()))]
                else:
                    plan = self._quick_plans[(fetches, *(feed_dict or ()))]
                values = [*feed_dict.values()] if feed_dict else ()
            except (KeyError, TypeError, AttributeError):
                pass  # a call of a new shape, or one that has no key
            else:
                if plan.graph_size != len(self._operations):
                    self._note_growth(plan)
                return plan.run(values)
        return self._run_in_full(fetches, {} if feed_dict is None else feed_dict, options, run_metadata)

    def _run_in_full(self, fetches: Any, feed_dict: Any, options: Any, run_metadata: Any) -> Any:
        self._check_usable()
        monitor = monitor_for(options, run_metadata, self.options.timeout)
        plan, values = self._plan_for(fetches, feed_dict)
        if plan.graph_size != len(self._operations):
            self._note_growth(plan)
        started = time.perf_counter()
        result = plan.run(values) if monitor is None else plan.run_monitored(values, monitor)
        for op in plan.deletions:
            self._kept.delete(handle_text(values[plan.feeds.index(op.inputs[0])]))
        if run_metadata is not None:
            needed = self._planner.needed(plan.structure, plan.feeds)
            fill_metadata(run_metadata, options, monitor, self._graph, needed, self._placement)
        if self._logger is not None:
            self._logger.info("%s: %.0f us", plan.name, (time.perf_counter() - started) * 1e6)
        return result

    def _plan_for(self, fetches: Any, feed_dict: Any) -> tuple[RunPlan, Sequence[Any]]:
        key = call_key(fetches, feed_dict)
        plan = self._plans.get(key)
        if plan is not None:
            return plan, [*feed_dict.values()]
        structure = resolve_fetches(self._graph, fetches, self._keep)
        resolved = resolve_feeds(self._graph, feed_dict)
        feeds = with_kept_values(resolved, self._kept)
        plan = self._planner.plan(structure, tuple(feeds))
        is_lasting = len(feeds) == len(resolved) == len(feed_dict) and not plan.deletions
        if key is not None and is_lasting and not self._closed:
            self._plans[key] = plan
        return plan, [*feeds.values()]

    def _keep(self, op: Operation, value: Any) -> TensorHandle:
        """What fetching a handle gives."""
        return TensorHandle(self._kept.keep(value, op.name), op.inputs[0].dtype.base_dtype, self._kept)

    def _note_growth(self, plan: RunPlan) -> None:
        plan.graph_size = len(self._operations)
        self._growth.observe()

    def _check_usable(self) -> None:
        self._check_open()
        if not self._operations:
            raise RuntimeError("The Session graph is empty. Add operations to the graph before calling run().")

    def _check_open(self) -> None:
        if self._was_reset:
            raise CancelledError(None, None, "Session has been closed.")
        if self._closed:
            raise RuntimeError("Attempted to use a closed Session.")

    # --- other ways to run

    def make_callable(
        self, fetches: Any, feed_list: Sequence[Any] | None = None, accept_options: bool = False
    ) -> Callable[..., Any]:
        """A function that runs `fetches`, quicker than `run` where the same call is repeated.

        Args:
            fetches: what to fetch, as for `run`.
            feed_list: the tensors to feed; the function takes their values as arguments, in this order.
            accept_options: whether the function takes the keywords `options` and `run_metadata` as well.

        Raises what `run` raises for `fetches`, and TypeError when `feed_list` is no list.
        """
        if feed_list is not None and not isinstance(feed_list, (list, tuple)):
            raise TypeError("`feed_list` must be a list or tuple.")
        self._check_usable()
        keys = list(feed_list or ())
        structure = resolve_fetches(self._graph, fetches, self._keep)
        plan = self._planner.plan(structure, tuple(feed_keys(self._graph, keys)))
        is_plain = all(is_plain_key(key) for key in keys) and not plan.deletions
        is_direct = is_plain and self._quick_plans is self._plans

        def run_fetches(*values: Any, **options: Any) -> Any:
            if len(values) == len(keys) and is_direct and not options and not self._closed:
                return plan.run(values)
            if options and not (accept_options or keys):
                raise TypeError("this callable takes no options: it was made without accept_options=True")
            if len(values) > len(keys):
                raise TypeError(f"this callable takes {len(keys)} values, {len(values)} were given")
            return self.run(fetches, dict(zip(keys, values, strict=False)), **options)

        return run_fetches

    def partial_run_setup(self, fetches: Any, feeds: Any = None) -> str:
        """Begins a run in several parts; returns the handle to pass to `partial_run`.

        Args:
            fetches: all that the parts will fetch.
            feeds: the tensors that the parts will feed, a list or one of them.

        Raises what `run` raises for `fetches` and `feeds`.
        """
        self._check_usable()
        return self._partial_runs.set_up(fetches, [] if feeds is None else feeds)

    def partial_run(self, handle: str, fetches: Any, feed_dict: Any = None) -> Any:
        """Runs the next part of a run that `partial_run_setup` began; each feed and each fetch comes once.

        Args:
            handle: what `partial_run_setup` returned.
            fetches: what to fetch in this part, as for `run`.
            feed_dict: what to feed in this part, as for `run`.

        Raises InvalidArgumentError for what was not announced, or was fed or fetched before, or needs more feeds;
        otherwise what `run` raises.
        """
        self._check_usable()
        return self._partial_runs.run(handle, fetches, feed_dict or {})

    # --- its end

    def close(self) -> None:
        """Ends the session and frees what it holds; running in it is a RuntimeError afterwards."""
        if self._closed:
            return
        self._closed = True
        self._plans.clear()
        self._partial_runs.clear()
        self._kept.clear()
        self._variables.clear()

    def __del__(self) -> None:
        self.close()

    @staticmethod
    def reset(target: str, containers: Sequence[str] | None = None, config: Any = None) -> None:
        """Closes all sessions of this process and forgets their variables.

        Args:
            target: the engine; only "" (this process) exists.
            containers: the containers whose variables to forget; since all sessions are closed, it makes no difference.
            config: accepted for the sake of remote engines.
        """
        _checked_target(target)
        for session in list(_OPEN):
            session._was_reset = True
            session.close()


def _checked_target(target: Any) -> str:
    """The target as text. Raises TypeError, or NotFoundError or UnimplementedError when it is not this process."""
    if target is None:
        return ""
    if not isinstance(target, (str, bytes)):
        is_message = hasattr(target, "ListFields")
        hint = ' Did you do "Session(config)" instead of "Session(config=config)"?' if is_message else ""
        raise TypeError(f"target must be a string, but got {type(target)}.{hint}")
    name = as_text(target)
    if name.startswith("grpc://"):
        message = f"sessions on other machines, such as target {name!r}; tf.Session() uses this one"
        raise UnimplementedError(None, None, message)
    if name:
        message = f"No session factory registered for the target {name!r}. There is only '', this process."
        raise NotFoundError(None, None, message)
    return name
