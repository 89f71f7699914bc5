"""Everything that `sessile.graph` offers to users; importing this module enters it in the table of public names.

What few programs need is lazy.
"""

from sessile.graph import (
    compat,
    contrib_layers,
    convert,
    custom_gradient,
    errors,
    execution_mode,
    gradients,
    graph_functions,
    graph_util,
    initializers,
    messages,
    name_scope,
    ops,
    sparse_tensor,
    tensor_proto,
    training,
    variable_functions,
    variable_scope,
    variables,
    write_graph,
)
from sessile.graph.public_names import add_lazy

__all__ = [
    "compat",
    "contrib_layers",
    "convert",
    "custom_gradient",
    "errors",
    "execution_mode",
    "gradients",
    "graph_functions",
    "graph_util",
    "initializers",
    "messages",
    "name_scope",
    "ops",
    "sparse_tensor",
    "tensor_proto",
    "training",
    "variable_functions",
    "variable_scope",
    "variables",
    "write_graph",
]

for _name in ("import_graph_def", "graph_util.import_graph_def"):
    add_lazy(_name, "sessile.graph.import_graph_def", "import_graph_def")
