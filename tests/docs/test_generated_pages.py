"""The generated parts of the pages in `docs/` say what the code says."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

DOCS = Path(__file__).parents[2] / "docs"


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    specification = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert specification is not None and specification.loader is not None
    module = importlib.util.module_from_spec(specification)
    specification.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(DOCS.glob("*.md")), ids=lambda page: page.stem)
def test_pages_are_up_to_date(page: Path, generate: ModuleType) -> None:
    text = page.read_text(encoding="utf-8")
    assert generate.generated_page(text) == text, "run docs/generate.py"


def test_generated_parts_are_replaced(generate: ModuleType) -> None:
    page = "before\n<!-- generated: passes -->\nstale text\n<!-- end -->\nafter\n"
    made = generate.generated_page(page)
    assert "stale text" not in made
    assert "`dead-code`" in made
    assert made.startswith("before\n") and made.endswith("<!-- end -->\nafter\n")
    with pytest.raises(KeyError):
        generate.generated_page(page.replace("passes", "unheard-of"))
