"""The layers of the design, read from the imports of every file: none imports upwards, and heavy things load late."""

from __future__ import annotations

import ast
import inspect
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

# Which subpackages a file of each folder may import; imports inside functions count too.
ALLOWED = {
    "ir": {"ir"},
    "graph": {"graph"},
    "compiler": {"graph", "ir", "compiler"},
    "runtime": {"graph", "ir", "compiler", "runtime"},
    "api": {"graph", "ir", "compiler", "runtime", "_modules"},
}
HEAVY = ("numba", "llvmlite", "scipy")
LONGEST_FILE = 600

SOURCES = [
    path for folder in ALLOWED for path in sorted((ROOT / folder).rglob("*.py")) if not path.stem.endswith("_pb2")
]


def module_of(path: Path) -> str:
    folder, *rest = path.relative_to(ROOT).with_suffix("").parts
    parts = ["sessile", *([] if folder == "api" else [folder]), *rest]
    return ".".join(parts).removesuffix(".__init__")


MODULES = {module_of(path): path for path in SOURCES}


def label(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


@cache
def imported(path: Path, at_import: bool = False) -> list[str]:
    """The modules that a file imports; `at_import` leaves out what functions and type checkers import."""
    return list(_imported(path, at_import))


def _imported(path: Path, at_import: bool) -> Iterator[str]:
    for node in _nodes(parsed(path), at_import):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{label(path)}:{node.lineno}: imports are absolute"
            members = {f"{node.module}.{alias.name}" for alias in node.names}
            yield from members & MODULES.keys()
            if not members <= MODULES.keys():
                yield node.module or ""


def _nodes(node: ast.AST, at_import: bool) -> Iterator[ast.AST]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr) or (at_import and isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef))):
            continue
        if at_import and isinstance(child, ast.If) and "TYPE_CHECKING" in ast.unparse(child.test):
            continue
        yield child
        yield from _nodes(child, at_import)


@pytest.mark.parametrize("folder", ALLOWED)
def test_files_import_what_their_layer_may(folder):
    wrong = []
    for path in files_in(folder):
        for name in imported(path):
            first, _, rest = name.partition(".")
            if first in ALLOWED:
                wrong.append(f"{label(path)} imports {name} beside the package: it is called sessile.{name}")
            if first == "sessile" and rest and rest.partition(".")[0] not in ALLOWED[folder]:
                wrong.append(f"{label(path)} imports {name}")
            if first in HEAVY and folder != "compiler":
                wrong.append(f"{label(path)} imports {name}, which the compiler alone may")
    assert wrong == []


def files_in(folder: str) -> list[Path]:
    return [path for path in SOURCES if path.relative_to(ROOT).parts[0] == folder]


def test_no_module_needs_itself_to_be_imported():
    needs = {name: sorted(needed(name, path)) for name, path in MODULES.items()}
    finished: set[str] = set()

    def visit(name: str, chain: tuple[str, ...]) -> None:
        assert name not in chain, " -> ".join((*chain[chain.index(name) :], name))
        if name not in finished:
            for other in needs[name]:
                visit(other, (*chain, name))
            finished.add(name)

    for name in MODULES:
        visit(name, ())


def needed(name: str, path: Path) -> set[str]:
    """What must be imported before a module can be.

    Families of operations name each other as modules, since gradients go around in circles: the gradient of a slice
    pads, that of a pad slices. Such a name is looked into when a gradient is built, long after all are imported.
    """
    others = {other for other in imported(path, at_import=True) if other in MODULES and other != name}
    if path.parent == ROOT / "graph" / "ops":
        members = re.findall(
            r"^from sessile\.graph\.ops import ([^(]+|\([^)]*\))$", path.read_text("utf-8"), re.MULTILINE
        )
        others -= {f"sessile.graph.ops.{word}" for names in members for word in re.findall(r"\w+", names)}
    return others


@pytest.mark.parametrize("folder", ALLOWED)
def test_files_have_one_subject_and_say_it(folder):
    texts = {path: path.read_text(encoding="utf-8") for path in files_in(folder)}
    assert [label(path) for path, text in texts.items() if text.count("\n") > LONGEST_FILE] == []
    assert [label(path) for path, text in texts.items() if text.strip() and not ast.get_docstring(parsed(path))] == []


def run_python(program: str) -> str:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SESSILE_")}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_importing_loads_no_compiler_and_no_protobuf():
    late = (*HEAVY, "google", "sessile.compiler", "sessile.graph.proto")
    program = f"import sys, sessile as tf; print([m for m in sys.modules if m.startswith({late!r})])"
    assert run_python(program).strip() == "[]"


def test_asking_for_help_loads_no_operations():
    program = """
import sys
from sessile.runtime.command_line.main import main
try:
    main(["--help"])
except SystemExit:
    pass
print([m for m in sys.modules if m.partition(".")[0] in ("numpy", "rich") or m.startswith("sessile.graph.ops")])
"""
    assert run_python(program).splitlines()[-1] == "[]"


def test_a_graph_is_built_without_the_compiler():
    program = """
import sys, sessile as tf
x = tf.placeholder(tf.float32, [None, 3])
y = tf.nn.relu(tf.matmul(x, tf.Variable(tf.ones([3, 2]))))
tf.train.AdamOptimizer().minimize(tf.reduce_mean(y))
print([m for m in sys.modules if m.partition(".")[0] in ("numba", "llvmlite", "scipy", "google")])
"""
    assert run_python(program).strip() == "[]"


def test_public_names_are_documented():
    import sessile
    from sessile.graph.public_names import public_item, public_names

    assert dir(sessile)  # which fills the table
    items = {name: public_item(name) for name in public_names()}
    silent = [
        name
        for name, item in items.items()
        if (callable(item) or inspect.isclass(item)) and not hasattr(item, "DESCRIPTOR") and not inspect.getdoc(item)
    ]
    assert silent == []
