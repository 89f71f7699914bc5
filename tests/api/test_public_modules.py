"""The public modules: what they offer, and what they say of names that are not there."""

import importlib
import subprocess
import sys
from types import ModuleType

import pytest

import sessile as tf
from sessile.graph.public_names import PUBLIC, public, public_names

_ = tf.Graph  # fills the table
MODULES = sorted({name.rpartition(".")[0] for name in public_names() if "." in name})


@pytest.mark.parametrize("name", MODULES)
def test_a_module_is_an_attribute_and_can_be_imported(name):
    module = tf
    for part in name.split("."):
        module = getattr(module, part)
    assert isinstance(module, ModuleType)
    assert importlib.import_module(f"sessile.{name}") is module is importlib.import_module(f"sessile.compat.v1.{name}")


@pytest.mark.parametrize("name", ["", *MODULES])
def test_a_module_lists_what_it_offers_and_nothing_else(name):
    module = importlib.import_module(f"sessile.{name}".rstrip("."))
    listed = set(dir(module))
    prefix = f"{name}." if name else ""
    below = {entry[len(prefix) :].partition(".")[0] for entry in public_names() if entry.startswith(prefix)}
    own = {"": {"VERSION", "__version__"}, "compat": {"v1"}}.get(name, set())
    assert listed == {entry for entry in below if not entry.startswith("_")} | own
    for entry in listed:
        getattr(module, entry)


def test_the_library_itself_is_not_listed():
    assert not {"graph", "ir", "compiler", "runtime", "FLOATING", "PUBLIC", "_modules", "annotations"} & set(dir(tf))
    with pytest.raises(AttributeError):
        _ = tf.FLOATING


def test_names_are_found_in_a_new_process_whichever_comes_first():
    for first in ("tf.nn.relu", "tf.compat.v1.nn", "tf.Graph", "tf.errors.OpError", "dir(tf)", "tf.__all__", "tf.load"):
        run_python(f"import sessile as tf; {first}")
    for module in ("sessile.nn", "sessile.compat.v1.train", "sessile.compat"):
        run_python(f"import {module}; sessile.Session")
    run_python("from sessile import *; placeholder; nn.relu")
    run_python("import importlib.util; assert importlib.util.find_spec('sessile.no_such_module') is None")


def run_python(program: str) -> None:
    subprocess.run([sys.executable, "-c", program], check=True)


def test_threads_that_ask_first_get_the_same():
    run_python(
        "import sessile, threading\n"
        "found = []\n"
        "threads = [threading.Thread(target=lambda: found.append(sessile.nn)) for _ in range(8)]\n"
        "[thread.start() for thread in threads]; [thread.join() for thread in threads]\n"
        "assert len(found) == 8 and all(each is sessile.nn for each in found)"
    )


def test_imports_of_names_from_modules():
    names = {}
    exec(
        "from sessile.nn import relu\nfrom sessile import nn\nimport sessile.train as train\nfrom sessile import *",
        names,
    )
    assert names["relu"] is tf.nn.relu and names["nn"] is tf.nn and names["train"] is tf.train
    assert names["placeholder"] is tf.placeholder and "graph" not in names


def test_version_1_is_the_whole_library():
    import sessile.compat.v1 as version_1

    assert version_1 is tf is tf.compat.v1 and tf.compat.v1.nn is tf.nn
    assert version_1.disable_v2_behavior() is None and not tf.executing_eagerly()
    with pytest.raises(tf.errors.UnimplementedError, match="eager execution is not implemented"):
        tf.enable_eager_execution()


def test_the_version_is_the_one_whose_behaviour_this_is():
    assert tf.__version__ == tf.VERSION == "1.15.0"


@pytest.mark.parametrize(
    ("module", "name", "near"),
    [
        ("sessile", "placehodler", "Did you mean placeholder"),
        ("sessile.nn", "sofmax", "Did you mean softmax"),
        ("sessile.train", "AdamOptimiser", "Did you mean AdamOptimizer"),
        ("sessile", "zzzzzz", "\\.$"),
    ],
)
def test_a_name_that_is_not_there_tells_those_that_are_near(module, name, near):
    with pytest.raises(
        AttributeError, match=f"module '{module}' has no attribute '{name}': it is not implemented.*{near}"
    ):
        getattr(importlib.import_module(module), name)
    assert not hasattr(importlib.import_module(module), name)
    with pytest.raises(ImportError):
        exec(f"from {module} import {name}")
    with pytest.raises(ModuleNotFoundError):
        importlib.import_module(f"{module}.{name}")


def test_a_name_that_is_entered_later_is_offered():
    @public("nn.entered_later")
    def entered_later():
        """Nothing."""

    try:
        assert tf.nn.entered_later is entered_later
    finally:
        del PUBLIC["nn.entered_later"], tf.nn.entered_later


def test_a_name_cannot_be_entered_twice_for_two_things():
    with pytest.raises(ValueError, match=r"the public name 'nn\.relu' is defined twice"):
        public("nn.relu")(len)


def test_messages_are_loaded_when_they_are_asked_for():
    program = """
import sys, sessile as tf
assert not any(name.startswith("google") for name in sys.modules)
config = tf.ConfigProto(gpu_options=tf.GPUOptions(allow_growth=True))
assert config.gpu_options.allow_growth and tf.ConfigProto is tf.compat.v1.ConfigProto and "ConfigProto" in dir(tf)
"""
    subprocess.run([sys.executable, "-c", program], check=True)
