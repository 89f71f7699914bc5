"""Reads files that hold graphs: a GraphDef as bytes (`.pb`) or as text (`.pbtxt`)."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sessile.graph import library
from sessile.graph.graph import Graph
from sessile.graph.import_graph_def import import_graph_def
from sessile.runtime.command_line.failures import CommandFailure

if TYPE_CHECKING:
    from sessile.graph.proto.graph_pb2 import GraphDef

assert library  # which defines all operations that a GraphDef may name
TEXT_SUFFIXES = (".pbtxt", ".prototxt", ".textproto")


def read_graph(path: str) -> Graph:
    """The graph in a file. Raises CommandFailure for a file that holds none."""
    message = read_graph_def(path)
    graph = Graph()
    try:
        with graph.as_default():
            import_graph_def(message, name="")
    except (ValueError, TypeError) as error:
        raise CommandFailure(f"{path}: {error}") from None
    return graph


def read_graph_def(path: str) -> GraphDef:
    """The GraphDef in a file, which is text where the name ends in `.pbtxt`. Raises CommandFailure."""
    content = Path(path).read_bytes()
    message = _from_text(path, content) if path.endswith(TEXT_SUFFIXES) else _from_bytes(path, content)
    if not message.node:
        raise CommandFailure(f"{path}: this GraphDef has no operations")
    return message


def _from_bytes(path: str, content: bytes) -> GraphDef:
    from google.protobuf.message import DecodeError

    from sessile.graph.proto.graph_pb2 import GraphDef

    try:
        return GraphDef.FromString(content)
    except DecodeError:
        raise CommandFailure(
            f"{path}: neither a bundle nor a GraphDef, or a damaged one ({len(content)} bytes). The name of a GraphDef "
            f"in text form ends in {TEXT_SUFFIXES[0]}."
        ) from None


def _from_text(path: str, content: bytes) -> GraphDef:
    from google.protobuf import text_format

    from sessile.graph.proto.graph_pb2 import GraphDef

    try:
        return text_format.Parse(content, GraphDef())
    except UnicodeDecodeError:
        raise CommandFailure(f"{path}: this is no GraphDef in text form: it is not even text") from None
    except text_format.ParseError as error:
        place = f"{error.GetLine()}:{error.GetColumn()}"
        raise CommandFailure(f"{path}:{place}: not what a GraphDef in text form has here") from None
