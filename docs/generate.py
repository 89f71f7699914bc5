"""Fills the generated parts of the pages in this folder from the code, so that they cannot fall behind it.

A generated part stands between `<!-- generated: NAME -->` and `<!-- end -->`; `PARTS` says what makes it. Run this file
to rewrite the pages; a test compares them with what would be written.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable
from pathlib import Path

from sessile.compiler.pass_pipeline import PIPELINE, find_pass
from sessile.ir import primitives as _registered
from sessile.ir.primitive import PRIMITIVES, Primitive
from sessile.ir.scalar_functions import BOOL, SCALAR_FUNCTIONS
from sessile.ir.types import COMPLEX, FLOATS, SIGNED, UNSIGNED

assert _registered

PAGES = Path(__file__).parent
_PART = re.compile(r"(?P<begin><!-- generated: (?P<name>[\w-]+) -->\n).*?(?P<end><!-- end -->)", re.DOTALL)
_GROUPS = {"floats": FLOATS, "complex": COMPLEX, "signed": SIGNED, "unsigned": UNSIGNED, "bool": BOOL}
_RESULTS = {"bool": "gives bool", "real": "gives the type of the real part"}


def table(header: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """A table in Markdown."""
    titles = list(header)
    lines = [titles, ["---"] * len(titles), *rows]
    return "".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |\n" for line in lines)


def summary(documented: object) -> str:
    """The first paragraph of a docstring, on one line."""
    return " ".join((inspect.getdoc(documented) or "").split("\n\n")[0].split())


def primitives() -> str:
    """One row for each primitive: operands, attributes, effect, meaning."""
    return table(
        ("primitive", "operands", "attributes", "pure", "meaning"),
        (
            (f"`{name}`", *_signature(primitive), "yes" if primitive.pure else "no", summary(type(primitive)))
            for name, primitive in sorted(PRIMITIVES.items())
        ),
    )


def _signature(primitive: Primitive) -> tuple[str, str]:
    operands, attributes = [], []
    for parameter in inspect.signature(primitive.infer).parameters.values():
        if parameter.kind is inspect.Parameter.KEYWORD_ONLY and parameter.name != "regions":
            attributes.append(f"`{parameter.name}`")
        elif parameter.kind is inspect.Parameter.VAR_POSITIONAL:
            operands.append(f"`{parameter.name}` ...")
        elif parameter.kind is inspect.Parameter.POSITIONAL_OR_KEYWORD:
            operands.append(f"`{parameter.name}`")
    return ", ".join(operands), ", ".join(attributes)


def scalar_functions() -> str:
    """One row for each scalar function."""
    rows = []
    for name, function in SCALAR_FUNCTIONS.items():
        types = [group for group, members in _GROUPS.items() if members <= function.types]
        facts = {"commutative": function.commutative, "can fail": function.can_fail}
        notes = [fact for fact, holds in facts.items() if holds] + [_RESULTS.get(function.result, "")]
        rows.append((f"`{name}`", str(function.arity), ", ".join(types), ", ".join(filter(None, notes))))
    return table(("function", "operands", "element types", ""), rows)


def passes() -> str:
    """One row for each pass of the pipeline, in order."""
    rows = ((str(k), f"`{name}`", summary(find_pass(name))) for k, name in enumerate(PIPELINE, start=1))
    return table(("", "pass", "afterwards"), rows)


PARTS: dict[str, Callable[[], str]] = {
    "primitives": primitives,
    "scalar-functions": scalar_functions,
    "passes": passes,
}


def generated_page(text: str) -> str:
    """The page with its generated parts made anew. Raises KeyError for a part that `PARTS` does not know."""
    return _PART.sub(lambda found: found["begin"] + PARTS[found["name"]]() + found["end"], text)


def main() -> None:
    for page in sorted(PAGES.glob("*.md")):
        text = page.read_text(encoding="utf-8")
        page.write_text(generated_page(text), encoding="utf-8")


if __name__ == "__main__":
    main()
