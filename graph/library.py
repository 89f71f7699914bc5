"""Everything that `sessile.graph` offers to users; importing this module enters it in the table of public names."""

from sessile.graph import (
    compat,
    convert,
    errors,
    gradients,
    graph_functions,
    import_graph_def,
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
)

__all__ = [
    "compat",
    "convert",
    "errors",
    "gradients",
    "graph_functions",
    "import_graph_def",
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
]
