"""Several threads build one graph at once; each is in scopes of its own."""

import threading

import sessile as tf

THREADS, EACH = 8, 60


def together(work):
    """Runs `work(k)` in threads that start at one moment."""
    barrier, failures = threading.Barrier(THREADS), []

    def run(k):
        barrier.wait()
        try:
            work(k)
        except Exception as error:
            failures.append(error)

    threads = [threading.Thread(target=run, args=(k,)) for k in range(THREADS)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []


def test_operations_of_all_threads_are_there_under_names_of_their_own():
    graph = tf.Graph()
    with graph.as_default():
        shared = tf.constant(1.0, name="shared")

    def work(k):
        with graph.as_default():
            for _ in range(EACH):
                tf.add(shared, shared, name="sum")

    together(work)
    sums = [op for op in graph.get_operations() if op.type == "Add"]
    assert len({op.name.lower() for op in sums}) == THREADS * EACH == len(sums)
    assert len(shared.consumers()) == 2 * THREADS * EACH
    assert sorted(op._id for op in graph.get_operations()) == list(range(1, graph.version + 1))


def test_scopes_of_one_thread_do_not_reach_the_others():
    graph = tf.Graph()

    def work(k):
        with graph.as_default(), tf.device(f"/cpu:{k}"), tf.name_scope(f"t{k}/"):
            gate = tf.no_op(name=f"gate{k}")
            with tf.control_dependencies([gate]):
                for _ in range(EACH):
                    tf.constant(1.0, name="c")

    together(work)
    made = [op for op in graph.get_operations() if op.type == "Const"]
    assert len(made) == THREADS * EACH
    for op in made:
        k = op.name[1]
        assert op.device == f"/device:CPU:{k}" and [c.name for c in op.control_inputs] == [f"t{k}/gate{k}"]


def test_imports_of_several_threads_get_scopes_of_their_own():
    source = tf.Graph()
    with source.as_default():
        tf.identity(tf.constant(1.0, name="a"), name="b")
    message, graph = source.as_graph_def(), tf.Graph()

    def work(k):
        with graph.as_default():
            for _ in range(5):
                (b,) = tf.import_graph_def(message, return_elements=["b"])
                assert b.inputs[0].op.name == f"{b.name[:-2]}/a"

    together(work)
    assert len(graph.get_operations()) == 2 * 5 * THREADS


def test_collections_take_what_all_threads_add():
    graph = tf.Graph()
    together(lambda k: [graph.add_to_collection("all", (k, n)) for n in range(EACH)])
    assert sorted(graph.get_collection("all")) == [(k, n) for k in range(THREADS) for n in range(EACH)]
