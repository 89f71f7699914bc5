"""`tf.train.write_graph`: a graph as a file."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from sessile.graph.graph import Graph
from sessile.graph.public_names import public


@public("train.write_graph", "io.write_graph")
def write_graph(graph_or_graph_def: Any, logdir: str, name: str, as_text: bool = True) -> str:
    """Writes a graph to a file, which appears whole or not at all.

    Args:
        graph_or_graph_def: a `tf.Graph` or a GraphDef.
        logdir: the folder, made where it does not exist.
        name: the name of the file.
        as_text: whether to write the text form of the message, not its bytes.

    Returns the path of the file.
    """
    message = graph_or_graph_def.as_graph_def() if isinstance(graph_or_graph_def, Graph) else graph_or_graph_def
    if as_text:
        from google.protobuf import text_format

        content = text_format.MessageToString(message).encode()
    else:
        content = message.SerializeToString()
    path = Path(os.fspath(logdir)) / name
    path.parent.mkdir(parents=True, exist_ok=True)
    unfinished = path.with_name(f"{path.name}.tmp{os.getpid()}")
    unfinished.write_bytes(content)
    unfinished.replace(path)
    return str(path)
