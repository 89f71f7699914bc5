"""Everything that `sessile.graph` offers to users; importing this module enters it in the table of public names."""

from sessile.graph import compat, convert, errors, messages, name_scope, ops, sparse_tensor, tensor_proto

__all__ = ["compat", "convert", "errors", "messages", "name_scope", "ops", "sparse_tensor", "tensor_proto"]
