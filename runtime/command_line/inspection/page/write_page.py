"""Writes the page: data, style and scripts go into the frame of `page.html`, so that the file stands alone."""

from __future__ import annotations

import html
import json
import re
from importlib.resources import files

from sessile.runtime.command_line.array_files import write_file
from sessile.runtime.command_line.inspection.inspection import Inspection, Profile
from sessile.runtime.command_line.inspection.page.page_data import Data, page_data

STYLES = ("page.css",)
SCRIPTS = ("layout.js", "placement.js", "drawing.js", "views.js", "details.js", "page.js")
_PART = re.compile(r"\{\{(\w+)\}\}")


def write_page(path: str, inspection: Inspection, profile: Profile | None) -> None:
    """Writes the page about a model to a file. Raises CommandFailure where it cannot be written."""
    write_file(path, page_text(page_data(inspection, profile)).encode())


def page_text(data: Data) -> str:
    """The page that shows `data`."""
    parts = {
        "title": html.escape(data["title"]),
        "style": "\n".join(map(_read, STYLES)),
        "script": "\n".join(map(_read, SCRIPTS)),
        "data": json.dumps(data, separators=(",", ":"), ensure_ascii=False).replace("<", "\\u003c"),
    }
    return _PART.sub(lambda found: parts[found[1]], _read("page.html"))


def _read(name: str) -> str:
    return files(__package__).joinpath(name).read_text(encoding="utf-8")
